/*
 * simd.h - the sixteen-lane vector that every kernel is written on.
 *
 * In:  one macro that names the instruction set: AMP_ISA_AVX512, AMP_ISA_AVX2, AMP_ISA_SSE2, AMP_ISA_NEON or
 *      AMP_ISA_VECTOR (clang's own vectors); with none of them, plain C (generic.h).
 * Out: the types vf (16 x float), vi (16 x int32_t) and vm (a mask of 16 lanes), the primitives
 *      v_*, vi_*, vm_*, the same one lane wide (s_*, si_*, sm_*, scalar.h), double (d_*, double.h),
 *      and the elementary functions (elementary.h).
 *
 * Every primitive gives the same bits in every lane under every header: that is the numeric
 * contract (docs/numerics.md), and tests/cli/simd_digest.sh holds the headers to it. Width is
 * always 16, so a kernel is one text; an instruction set with narrower registers uses several.
 *
 * The first half of this file refuses compilers' modes that would change bits behind our back.
 */
#ifndef AMP_SIMD_H
#define AMP_SIMD_H

#include "guard.h"
#include "scalar.h"
#include "double.h"
#include "fpmode.h"

#if defined AMP_ISA_AVX512
#include "avx512.h"
#elif defined AMP_ISA_AVX2
#include "avx2.h"
#elif defined AMP_ISA_SSE2
#include "sse2.h"
#elif defined AMP_ISA_NEON
#include "neon.h"
#elif defined AMP_ISA_VECTOR
#include "vector.h"
#else
#include "generic.h"
#endif

#include "derived.h"
#include "elementary.h"

#endif
