/*
 * test_fma_avx.c - test_fma.c for x86-64 with AVX and without FMA; the build passes -mavx.
 */
#include "test_fma.c"
