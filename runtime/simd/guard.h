/*
 * guard.h - refuses the compiler modes that would change bits (docs/numerics.md, rule 8).
 *
 * In:  the compiler's own predefined macros.  Out: nothing, or one #error that says what to do.
 */
#ifndef AMP_SIMD_GUARD_H
#define AMP_SIMD_GUARD_H

#include <float.h>

#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "this code has a numeric contract: build it without -ffast-math, -Ofast, -ffinite-math-only"
#endif
#if defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || defined __NO_SIGNED_ZEROS__
#error "this code has a numeric contract: build it without any part of -funsafe-math-optimizations"
#endif
#if FLT_EVAL_METHOD != 0
#error "float must be computed as float: build with -msse2 -mfpmath=sse (32-bit x86) or -fexcess-precision=fast (s390x)"
#endif
#if defined __clang__ && defined __ARM_NEON && !defined __aarch64__
#error "NEON of 32-bit Arm flushes subnormals, and clang vectorises for it: build with -mfpu=vfpv4, or a unit without NEON"
#endif
#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53
#error "float and double must be IEEE binary32 and binary64"
#endif

/* Vector headers take lanes from memory in this order; blobs are little-endian (rule 16). */
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && \
	__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
#error "mixed byte order is not supported"
#endif
#if defined __FLOAT_WORD_ORDER__ && defined __BYTE_ORDER__ && \
	__FLOAT_WORD_ORDER__ != __BYTE_ORDER__
#error "the words of a double must lie in the order of its bytes"
#endif

/* Hardware fma, if and only if the compiler turns __builtin_fma(f) into one instruction. */
#if defined __FMA__ || defined __AVX512F__ || defined __aarch64__ || defined __s390x__ || \
	defined __powerpc64__ || (defined __riscv_flen && __riscv_flen >= 32) || \
	(defined __ARM_FEATURE_FMA && defined __ARM_FP && (__ARM_FP & 4))
#define AMP_FMA_F32 1
#else
#define AMP_FMA_F32 0
#endif
#if defined __FMA__ || defined __AVX512F__ || defined __aarch64__ || defined __s390x__ || \
	defined __powerpc64__ || (defined __riscv_flen && __riscv_flen >= 64) || \
	(defined __ARM_FEATURE_FMA && defined __ARM_FP && (__ARM_FP & 8))
#define AMP_FMA_F64 1
#else
#define AMP_FMA_F64 0
#endif

/*
 * Rule 8 forbids that an inexact product feeds an addition, since a compiler may contract the two.
 * Where the operator wants exactly that (Mul, then Add), the product passes through *_opaque, which
 * hides from the compiler what it is. Without hardware fma nothing can be contracted.
 */
#if !AMP_FMA_F32 && !AMP_FMA_F64
#define AMP_OPAQUE(x) ((void)0)
#elif defined __x86_64__ || defined __i386__
#define AMP_OPAQUE(x) __asm__("" : "+x"(x))
#elif defined __aarch64__ || defined __arm__
#define AMP_OPAQUE(x) __asm__("" : "+w"(x))
#elif defined __riscv || defined __s390x__ || defined __powerpc64__
#define AMP_OPAQUE(x) __asm__("" : "+f"(x))
#else
#define AMP_OPAQUE(x) __asm__("" : "+m"(x))
#endif

/*
 * Clang 19 makes "a > c or b > c" into max(a, b) > c where there is an instruction for the maximum, and
 * Arm's is NaN, not b, if a is a signaling NaN. So it does not see what masks are made of. SSE's
 * maximum is a selection, which cannot go wrong in this way, and gcc makes no such thing.
 */
#if defined __clang__ && !defined __x86_64__ && !defined __i386__
#define AMP_OPAQUE_MASK(x) __asm__("" : "+r"(x))
#define AMP_OPAQUE_MASKS(x) __asm__("" : "+m"(x))
#else
#define AMP_OPAQUE_MASK(x) ((void)0)
#define AMP_OPAQUE_MASKS(x) ((void)0)
#endif

/* for what is large and rare: one copy a file, and none where it is not used */
#if defined __GNUC__
#define AMP_OUTLINE static __attribute__((noinline, unused))
#else
#define AMP_OUTLINE static inline
#endif

#if defined __AVX__
#include <immintrin.h>
#elif defined __SSE2__
#include <emmintrin.h>
#endif

#endif
