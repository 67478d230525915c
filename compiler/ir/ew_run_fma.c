/* ew_run_fma.c - ew_run.inc compiled with AVX2 and FMA (tools/build.mk adds the flags on x86-64). */
#if defined(__x86_64__)
#define EW_RUN ew_run_fma
struct ew;
void ew_run_fma(const struct ew *e, const void *const in[], void *const out[]);
#include "ir/ew_run.inc"
#else
typedef int ew_run_fma_is_not_for_this_cpu;
#endif
