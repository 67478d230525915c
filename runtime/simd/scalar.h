/*
 * scalar.h - the primitives of the numeric contract, one float wide.
 *
 * In:  float, int32_t and masks (uint32_t, all ones or zero).
 * Out: s_* on floats, si_* on integers, sm_* on masks: what simd.h's v_*, vi_*, vm_* do in each
 *      lane, bit for bit; conversions to and from float16, bfloat16 and integers.
 *
 * Everything here is an IEEE operation rounded to nearest even, or integer arithmetic on the bits.
 * fma is the hardware's where there is one and otherwise goes through double (rule 7): the product
 * of two floats is exact in double, and the sum is made "round to odd" when rounding it twice
 * could differ from rounding it once.
 */
#ifndef AMP_SIMD_SCALAR_H
#define AMP_SIMD_SCALAR_H

#include <stddef.h>
#include <stdint.h>
#if __STDC_HOSTED__
#include <string.h>
#else
/* the emitted model: no header of a C library, and copies of known size are no calls */
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp
#endif

#include "guard.h"

/* ---- bits ---- */

static inline uint32_t s_ubits(float x)
{
	uint32_t u;
	memcpy(&u, &x, 4);
	return u;
}

static inline float s_ufloat(uint32_t u)
{
	float x;
	memcpy(&x, &u, 4);
	return x;
}

static inline int32_t s_bits(float x)
{
	int32_t i;
	memcpy(&i, &x, 4);
	return i;
}

static inline float s_float(int32_t i)
{
	float x;
	memcpy(&x, &i, 4);
	return x;
}

/* the bits of a double live here because software fma needs them */
static inline uint64_t d_ubits(double x)
{
	uint64_t u;
	memcpy(&u, &x, 8);
	return u;
}

static inline double d_ufloat(uint64_t u)
{
	double x;
	memcpy(&x, &u, 8);
	return x;
}

static inline float s_opaque(float x)
{
	AMP_OPAQUE(x);
	return x;
}

static inline float s_set1(float x) { return x; }
static inline float s_zero(void) { return 0.0f; }
static inline float s_abs(float x) { return s_ufloat(s_ubits(x) & 0x7fffffffu); }
static inline float s_neg(float x) { return s_ufloat(s_ubits(x) ^ 0x80000000u); }
static inline float s_copysign(float mag, float sign)
{
	return s_ufloat((s_ubits(mag) & 0x7fffffffu) | (s_ubits(sign) & 0x80000000u));
}

/* ---- integers and masks; arithmetic wraps ---- */

static inline int32_t si_set1(int32_t a) { return a; }
static inline int32_t si_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline int32_t si_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static inline int32_t si_and(int32_t a, int32_t b) { return a & b; }
static inline int32_t si_or(int32_t a, int32_t b) { return a | b; }
static inline int32_t si_xor(int32_t a, int32_t b) { return a ^ b; }
static inline int32_t si_shl(int32_t a, int k) { return (int32_t)((uint32_t)a << k); }
static inline int32_t si_shr(int32_t a, int k) { return (int32_t)((uint32_t)a >> k); }
static inline int32_t si_sar(int32_t a, int k) { return a >> k; }
static inline uint32_t si_lt(int32_t a, int32_t b) { return a < b ? 0xffffffffu : 0; }
static inline uint32_t si_eq(int32_t a, int32_t b) { return a == b ? 0xffffffffu : 0; }
static inline int32_t si_sel(uint32_t m, int32_t a, int32_t b)
{
	return (int32_t)(((uint32_t)a & m) | ((uint32_t)b & ~m));
}

static inline uint32_t sm_and(uint32_t a, uint32_t b)
{
	AMP_OPAQUE_MASK(a);
	AMP_OPAQUE_MASK(b);
	return a & b;
}

static inline uint32_t sm_or(uint32_t a, uint32_t b)
{
	AMP_OPAQUE_MASK(a);
	AMP_OPAQUE_MASK(b);
	return a | b;
}

static inline uint32_t sm_not(uint32_t a) { return ~a; }
static inline int sm_any(uint32_t m) { return m != 0; }
static inline int sm_all(uint32_t m) { return m != 0; }

/* ---- comparisons (false for NaN, except s_ne) and selection ---- */

static inline uint32_t s_lt(float a, float b) { return a < b ? 0xffffffffu : 0; }
static inline uint32_t s_le(float a, float b) { return a <= b ? 0xffffffffu : 0; }
static inline uint32_t s_gt(float a, float b) { return a > b ? 0xffffffffu : 0; }
static inline uint32_t s_ge(float a, float b) { return a >= b ? 0xffffffffu : 0; }
static inline uint32_t s_eq(float a, float b) { return a == b ? 0xffffffffu : 0; }
static inline uint32_t s_ne(float a, float b) { return a != b ? 0xffffffffu : 0; }
static inline float s_sel(uint32_t m, float a, float b)
{
	return s_ufloat((s_ubits(a) & m) | (s_ubits(b) & ~m));
}

/*
 * Rule 13: exactly these selections, the second operand for NaN and for equal operands. Some
 * compilers turn "a > b ? a : b" into an instruction that answers otherwise for zeros of two
 * signs; MAXSS is exactly this, elsewhere the selection is made on the bits.
 */
#if defined __SSE2__
static inline float s_max(float a, float b) { return a > b ? a : b; }
static inline float s_min(float a, float b) { return a < b ? a : b; }
#else
static inline float s_max(float a, float b) { return s_sel(s_gt(a, b), a, b); }
static inline float s_min(float a, float b) { return s_sel(s_lt(a, b), a, b); }
#endif

/* ---- arithmetic ---- */

static inline float s_add(float a, float b) { return a + b; }
static inline float s_sub(float a, float b) { return a - b; }
static inline float s_mul(float a, float b) { return a * b; }
static inline float s_div(float a, float b) { return a / b; }

/*
 * Software fma. p = a*b is exact (48 bits, exponents far inside double's). s = p + c is rounded to
 * 53 bits, and rounding s again to float is right unless
 *   - the low 29 bits of s are a tie (1 and 28 zeros): the lost part of the sum decides, or
 *   - 0 < |s| < 2^-126: float keeps fewer bits there, so the tie lies elsewhere.
 * Then the sum is rounded to odd: if it was inexact, the last bit of s is set to 1 in the
 * direction of the lost part, which no later rounding to 24 bits or fewer can mistake for a tie.
 */
static inline int s_fma_rare(double s)
{
	uint64_t u = d_ubits(s), m = u & 0x7fffffffffffffffu;
	return (u & 0x1fffffffu) == 0x10000000u || (m - 1 < 0x3810000000000000u - 1);
}

AMP_OUTLINE float s_fma_odd(double p, double c)
{
	double s = p + c, b = s - p, t = (p - (s - b)) + (c - b); /* s + t = p + c, exactly */
	uint64_t u = d_ubits(s);

	if (s - s != 0) /* an infinity or NaN: t is no number */
		return (float)s;
	if (t != 0 && (u & 1) == 0)
		u += (t > 0) == (s > 0) ? 1 : (uint64_t)-1;
	return (float)d_ufloat(u);
}

static inline float s_fma_soft(float a, float b, float c)
{
	double p = (double)a * (double)b, s = p + (double)c;

	if (s_fma_rare(s))
		return s_fma_odd(p, c);
	return (float)s;
}

static inline float s_fma(float a, float b, float c)
{
#if AMP_FMA_F32
	return __builtin_fmaf(a, b, c);
#else
	return s_fma_soft(a, b, c);
#endif
}

/*
 * Square root in integers, one bit of the root at a time: the fallback where no instruction is
 * known. The significand is scaled so that the root has 25 bits, the last one for rounding; a
 * root is never a tie, and the remainder tells whether it was exact.
 */
AMP_OUTLINE float s_sqrt_soft(float x)
{
	uint32_t u = s_ubits(x);
	uint64_t m, root = 0, bit = (uint64_t)1 << 48;
	int e, shift;

	if (u == 0 || u == 0x80000000u || u == 0x7f800000u)
		return x; /* sqrt(-0) is -0 */
	if (u > 0x7f800000u)
		return s_ufloat(0x7fc00000u);
	e = (int)(u >> 23);
	m = u & 0x7fffffu;
	if (e)
		m |= 0x800000u;
	else
		for (e = 1; m < 0x800000u; e--)
			m <<= 1;
	e -= 150; /* x = m * 2^e, 2^23 <= m < 2^24 */
	shift = e & 1 ? 25 : 26; /* makes the exponent even, and 2^48 <= m < 2^50 */
	m <<= shift;
	e -= shift;
	for (; bit; bit >>= 2) {
		if (m >= root + bit) {
			m -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	/* root has 25 bits (2^24 <= root < 2^25), m is the remainder */
	u = (uint32_t)(root >> 1);
	if (root & 1)
		u += m != 0 || (u & 1);
	e = e / 2 + 1; /* value = u * 2^e */
	return s_ufloat(u - 0x800000u + ((uint32_t)(e + 150) << 23));
}

static inline float s_sqrt(float x)
{
#if defined __SSE2__
	return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#elif defined __aarch64__
	float r;
	__asm__("fsqrt %s0, %s1" : "=w"(r) : "w"(x));
	return r;
#elif defined __arm__ && defined __ARM_FP && (__ARM_FP & 4)
	float r;
	__asm__("vsqrt.f32 %0, %1" : "=t"(r) : "t"(x));
	return r;
#elif defined __riscv_flen && __riscv_flen >= 32
	float r;
	__asm__("fsqrt.s %0, %1" : "=f"(r) : "f"(x));
	return r;
#elif defined __s390x__
	float r;
	__asm__("sqebr %0, %1" : "=f"(r) : "f"(x));
	return r;
#else
	return s_sqrt_soft(x);
#endif
}

/*
 * Rounding to an integer: adding 2^23 to |x| and taking it away again rounds to nearest even where
 * |x| < 2^23; a larger |x| is an integer already. The sign is put back, so -0.3 gives -0.
 */
static inline float s_rint(float x)
{
	float a = s_abs(x), r = (a + 8388608.0f) - 8388608.0f;

	return s_copysign(a < 8388608.0f ? r : a, x);
}

static inline float s_floor(float x)
{
	float r = s_rint(x);
	return s_copysign(r - (r > x ? 1.0f : 0.0f), x);
}

static inline float s_ceil(float x)
{
	float r = s_rint(x);
	return s_copysign(r + (r < x ? 1.0f : 0.0f), x);
}

static inline float s_trunc(float x)
{
	float a = s_abs(x), r = s_rint(a);
	return s_copysign(r - (r > a ? 1.0f : 0.0f), x);
}

/* ---- float <-> integer (rule 14): saturates, NaN gives 0 ---- */

static inline float s_from_i(int32_t i) { return (float)i; }

static inline int32_t s_to_i_trunc(float x)
{
	if (!(x == x))
		return 0;
	if (x >= 2147483648.0f)
		return INT32_MAX;
	if (x < -2147483648.0f)
		return INT32_MIN;
	return (int32_t)x;
}

static inline int32_t s_to_i(float x) { return s_to_i_trunc(s_rint(x)); }
static inline int32_t s_to_i32(float x) { return s_to_i(x); }
static inline int32_t s_to_i32_trunc(float x) { return s_to_i_trunc(x); }

static inline int64_t s_to_i64_trunc(float x)
{
	if (!(x == x))
		return 0;
	if (x >= 9223372036854775808.0f)
		return INT64_MAX;
	if (x < -9223372036854775808.0f)
		return INT64_MIN;
	return (int64_t)x;
}

static inline uint64_t s_to_u64_trunc(float x)
{
	if (!(x > 0))
		return 0;
	if (x >= 18446744073709551616.0f)
		return UINT64_MAX;
	return (uint64_t)x;
}

/* x * 2^n for a whole number nf, |n| <= 252, also given as an integer: two factors, each normal */
static inline float s_ldexp(float x, float nf, int32_t n)
{
	int32_t h = si_sar(n, 1), l = n - h;

	(void)nf;
	return x * s_float(si_shl(h + 127, 23)) * s_float(si_shl(l + 127, 23));
}

/* Rule 12: one NaN. */
static inline float s_canon(float x) { return x == x ? x : s_ufloat(0x7fc00000u); }

/* ---- float16 and bfloat16: integer arithmetic only (rule 15) ---- */

static inline float amp_bf16_to_f32(uint16_t h)
{
	return s_canon(s_ufloat((uint32_t)h << 16));
}

static inline uint16_t amp_f32_to_bf16(float x)
{
	uint32_t u = s_ubits(x);

	if ((u & 0x7fffffffu) > 0x7f800000u)
		return 0x7fc0;
	return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16); /* the carry reaches infinity */
}

static inline float amp_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;

	if (e == 31)
		return s_ufloat(m ? 0x7fc00000u : sign | 0x7f800000u);
	if (e == 0) { /* m * 2^-24, exact */
		float f = (float)(int32_t)m * 5.9604644775390625e-8f;
		return s_ufloat(sign | s_ubits(f));
	}
	return s_ufloat(sign | (e + 112) << 23 | m << 13);
}

static inline uint16_t amp_f32_to_f16(float x)
{
	uint32_t u = s_ubits(x), sign = u >> 16 & 0x8000, a = u & 0x7fffffffu, m, drop, shift, half;

	if (a > 0x7f800000u)
		return 0x7e00;
	if (a >= 0x47800000u) /* 2^16 and above; 65520 up to there is carried to infinity below */
		return (uint16_t)(sign | 0x7c00);
	if (a < 0x33000000u) /* below half of 2^-24 */
		return (uint16_t)sign;
	if (a < 0x38800000u) { /* a subnormal: whole multiples of 2^-24 */
		m = (a & 0x7fffffu) | 0x800000u;
		shift = 126 - (a >> 23);
	} else {
		m = a - (112u << 23);
		shift = 13;
	}
	half = 1u << (shift - 1);
	drop = m & (2 * half - 1);
	m >>= shift;
	m += drop > half || (drop == half && (m & 1));
	return (uint16_t)(sign | m);
}

#endif
