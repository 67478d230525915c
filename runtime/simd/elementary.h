/*
 * elementary.h - the elementary functions, one lane wide (s_exp, ...) and sixteen (v_exp, ...).
 *
 * In:  the primitives.  Out: s_F and v_F for F in exp exp2 expm1 log log1p softplus sigmoid tanh
 *      erf sin cos (math.inc, written once), and tan asin acos atan sinh cosh asinh acosh atanh
 *      pow, which are rare in networks and computed one lane at a time in double, rounded once.
 */
#ifndef AMP_SIMD_ELEMENTARY_H
#define AMP_SIMD_ELEMENTARY_H

#include "math_f64.h"

/*
 * Payne and Hanek's reduction for |x| > 65536, in integers: with x = m 2^e, the bits of 2/pi from
 * position e - 2 on, 96 of them, times m, modulo 2^96, are x * 2/pi modulo 4 in units of 2^-94.
 * Returns the quadrant; x = quadrant * pi/2 + *hi + *lo, |*hi| <= pi/4.
 */
AMP_OUTLINE int32_t amp_reduce_big(float x, float *hi, float *lo)
{
	static const uint32_t two_over_pi[] = { 0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
						0xdb629599, 0x3c439041, 0xfe5163ab };
	uint32_t u = s_ubits(x), t[3];
	uint64_t m = (u & 0x7fffffu) | 0x800000u, p, top;
	int from = (int)(u >> 23 & 255) - 150 - 2 + 32, k = from & 31, neg = (int)(u >> 31);
	int32_t quadrant;
	double frac, scale = 0x1.921fb54442d18p-64; /* pi/2 * 2^-64 */

	if ((u & 0x7fffffffu) >= 0x7f800000u) {
		*hi = *lo = s_ufloat(0x7fc00000u);
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		const uint32_t *w = two_over_pi + (from >> 5) + i;
		t[i] = k ? w[0] << k | w[1] >> (32 - k) : w[0];
	}
	p = m * t[2];
	t[2] = (uint32_t)p;
	p = m * t[1] + (p >> 32);
	t[1] = (uint32_t)p;
	t[0] = (uint32_t)(m * t[0] + (p >> 32));
	quadrant = (int32_t)(t[0] >> 30);
	top = (uint64_t)t[0] << 34 | (uint64_t)t[1] << 2 | t[2] >> 30;
	quadrant += (int32_t)(top >> 63); /* the fraction as a signed number, to nearest */
	frac = top >> 63 ? -(double)(~top + 1) : (double)top;
	if (neg) {
		frac = -frac;
		quadrant = -quadrant;
	}
	*hi = (float)(frac * scale);
	*lo = (float)d_fma(frac, scale, -(double)*hi);
	return quadrant;
}

static inline void s_reduce_big(float x, float *hi, float *lo, int32_t *n)
{
	*n = amp_reduce_big(x, hi, lo);
}

static inline void v_reduce_big(vf x, vf *hi, vf *lo, vi *n)
{
	float f[16], h[16], l[16];
	int32_t k[16];

	v_store(f, x);
	v_store(h, *hi);
	v_store(l, *lo);
	vi_store(k, *n);
	for (int i = 0; i < 16; i++)
		if (s_abs(f[i]) > 65536.0f)
			k[i] = amp_reduce_big(f[i], h + i, l + i);
	*hi = v_load(h);
	*lo = v_load(l);
	*n = vi_load(k);
}

/* where a vector is two registers, an argument would pass through memory in pieces */
#if defined AMP_ISA_AVX2 && defined __GNUC__
#define AMP_INLINE_VECTOR static inline __attribute__((always_inline))
#elif defined AMP_ISA_SSE2
#define AMP_INLINE_VECTOR AMP_OUTLINE
#else
#define AMP_INLINE_VECTOR static inline
#endif

#define INLINE static inline
#define V float
#define I int32_t
#define M uint32_t
#define P(name) s_##name
#define PI(name) si_##name
#define PM(name) sm_##name
#include "activation.inc"
#include "math.inc"
#undef V
#undef I
#undef M
#undef P
#undef PI
#undef PM
#undef INLINE

#define INLINE AMP_INLINE_VECTOR
#define V vf
#define I vi
#define M vm
#define P(name) v_##name
#define PI(name) vi_##name
#define PM(name) vm_##name
#include "activation.inc"
#include "math.inc"
#undef V
#undef I
#undef M
#undef P
#undef PI
#undef PM
#undef INLINE

#include "pair.h"

/* ---- by way of double, one lane at a time ---- */

#define AMP_BY_LANE(name) \
	static inline float s_##name(float x) { return (float)d_##name((double)x); } \
	static inline vf v_##name(vf a) \
	{ \
		float f[16]; \
		v_store(f, a); \
		for (int i = 0; i < 16; i++) \
			f[i] = s_##name(f[i]); \
		return v_load(f); \
	}

AMP_BY_LANE(tan)
AMP_BY_LANE(asin)
AMP_BY_LANE(acos)
AMP_BY_LANE(atan)
AMP_BY_LANE(sinh)
AMP_BY_LANE(cosh)
AMP_BY_LANE(asinh)
AMP_BY_LANE(acosh)
AMP_BY_LANE(atanh)
#undef AMP_BY_LANE

static inline float s_pow(float x, float y) { return (float)d_pow((double)x, (double)y); }
static inline vf v_pow(vf a, vf b)
{
	float x[16], y[16];

	v_store(x, a);
	v_store(y, b);
	for (int i = 0; i < 16; i++)
		x[i] = s_pow(x[i], y[i]);
	return v_load(x);
}

#endif
