/*
 * sse2.h - the sixteen-lane primitives on SSE2, which every x86-64 has: four registers of four.
 *
 * In:  -msse2 or -mavx, no FMA.  Out: as generic.h, bit for bit; q0 holds lanes 0 to 3, and so on.
 *
 * fma goes through double like s_fma_soft: a quick sum for all lanes, and the exact one for the
 * whole vector if any lane's sum is a tie for float or has a subnormal magnitude.
 */
#ifndef AMP_SIMD_SSE2_H
#define AMP_SIMD_SSE2_H

#include "scalar.h"

#if !defined __SSE2__
#error "AMP_ISA_SSE2 needs -msse2"
#endif

#if defined __AVX__
#define AMP_ISA_NAME "avx"
#else
#define AMP_ISA_NAME "sse2"
#endif

typedef struct { __m128 q0, q1, q2, q3; } vf;
typedef struct { __m128i q0, q1, q2, q3; } vi;
typedef struct { __m128 q0, q1, q2, q3; } vm; /* lanes all ones or zero */

/* ---- memory and lanes ---- */

static inline vf v_load(const float *p)
{
	return (vf){ _mm_loadu_ps(p), _mm_loadu_ps(p + 4), _mm_loadu_ps(p + 8),
		     _mm_loadu_ps(p + 12) };
}

static inline void v_store(float *p, vf a)
{
	_mm_storeu_ps(p, a.q0);
	_mm_storeu_ps(p + 4, a.q1);
	_mm_storeu_ps(p + 8, a.q2);
	_mm_storeu_ps(p + 12, a.q3);
}

static inline vf v_load_n(const float *p, int n)
{
	float f[16] = { 0 };

	for (int i = 0; i < 16 && i < n; i++)
		f[i] = p[i];
	return v_load(f);
}

static inline void v_store_n(float *p, vf a, int n)
{
	float f[16];

	v_store(f, a);
	for (int i = 0; i < 16 && i < n; i++)
		p[i] = f[i];
}

static inline vi vi_load(const int32_t *p)
{
	const __m128i *q = (const __m128i *)(const void *)p;

	return (vi){ _mm_loadu_si128(q), _mm_loadu_si128(q + 1), _mm_loadu_si128(q + 2),
		     _mm_loadu_si128(q + 3) };
}

static inline void vi_store(int32_t *p, vi a)
{
	__m128i *q = (__m128i *)(void *)p;

	_mm_storeu_si128(q, a.q0);
	_mm_storeu_si128(q + 1, a.q1);
	_mm_storeu_si128(q + 2, a.q2);
	_mm_storeu_si128(q + 3, a.q3);
}

static inline float v_get(vf a, int lane)
{
	float f[16];

	v_store(f, a);
	return f[lane];
}

static inline vf v_set1(float x)
{
	__m128 q = _mm_set1_ps(x);

	return (vf){ q, q, q, q };
}

static inline vf v_zero(void) { return v_set1(0.0f); }

static inline vi vi_set1(int32_t x)
{
	__m128i q = _mm_set1_epi32(x);

	return (vi){ q, q, q, q };
}

static inline vm vm_first(int n)
{
	__m128i k = _mm_set1_epi32(n);

	return (vm){ _mm_castsi128_ps(_mm_cmpgt_epi32(k, _mm_setr_epi32(0, 1, 2, 3))),
		     _mm_castsi128_ps(_mm_cmpgt_epi32(k, _mm_setr_epi32(4, 5, 6, 7))),
		     _mm_castsi128_ps(_mm_cmpgt_epi32(k, _mm_setr_epi32(8, 9, 10, 11))),
		     _mm_castsi128_ps(_mm_cmpgt_epi32(k, _mm_setr_epi32(12, 13, 14, 15))) };
}

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b)
{
	return (vf){ _mm_add_ps(a.q0, b.q0), _mm_add_ps(a.q1, b.q1),
		     _mm_add_ps(a.q2, b.q2), _mm_add_ps(a.q3, b.q3) };
}

static inline vf v_sub(vf a, vf b)
{
	return (vf){ _mm_sub_ps(a.q0, b.q0), _mm_sub_ps(a.q1, b.q1),
		     _mm_sub_ps(a.q2, b.q2), _mm_sub_ps(a.q3, b.q3) };
}

static inline vf v_mul(vf a, vf b)
{
	return (vf){ _mm_mul_ps(a.q0, b.q0), _mm_mul_ps(a.q1, b.q1),
		     _mm_mul_ps(a.q2, b.q2), _mm_mul_ps(a.q3, b.q3) };
}

static inline vf v_div(vf a, vf b)
{
	return (vf){ _mm_div_ps(a.q0, b.q0), _mm_div_ps(a.q1, b.q1),
		     _mm_div_ps(a.q2, b.q2), _mm_div_ps(a.q3, b.q3) };
}

static inline vf v_max(vf a, vf b)
{
	return (vf){ _mm_max_ps(a.q0, b.q0), _mm_max_ps(a.q1, b.q1),
		     _mm_max_ps(a.q2, b.q2), _mm_max_ps(a.q3, b.q3) };
}

static inline vf v_min(vf a, vf b)
{
	return (vf){ _mm_min_ps(a.q0, b.q0), _mm_min_ps(a.q1, b.q1),
		     _mm_min_ps(a.q2, b.q2), _mm_min_ps(a.q3, b.q3) };
}

static inline vf v_sqrt(vf a)
{
	return (vf){ _mm_sqrt_ps(a.q0), _mm_sqrt_ps(a.q1),
		     _mm_sqrt_ps(a.q2), _mm_sqrt_ps(a.q3) };
}

/* the low and the high two of four lanes, as doubles */
static inline __m128d amp_wide_low(__m128 a) { return _mm_cvtps_pd(a); }
static inline __m128d amp_wide_high(__m128 a) { return _mm_cvtps_pd(_mm_movehl_ps(a, a)); }

/* four lanes of a * b + c where *rare is 0; ones where that may be wrong (scalar.h, s_fma_rare) */
static inline __m128 amp_fma_quick4(__m128 a, __m128 b, __m128 c, __m128i *rare)
{
#if defined __AVX__
	__m256d s = _mm256_add_pd(_mm256_mul_pd(_mm256_cvtps_pd(a), _mm256_cvtps_pd(b)), _mm256_cvtps_pd(c));
	__m128 lp = _mm_castpd_ps(_mm256_castpd256_pd128(s)), hp = _mm_castpd_ps(_mm256_extractf128_pd(s, 1));
	__m128 r = _mm256_cvtpd_ps(s);
#else
	__m128d l = _mm_add_pd(_mm_mul_pd(amp_wide_low(a), amp_wide_low(b)), amp_wide_low(c));
	__m128d h = _mm_add_pd(_mm_mul_pd(amp_wide_high(a), amp_wide_high(b)), amp_wide_high(c));
	__m128 lp = _mm_castpd_ps(l), hp = _mm_castpd_ps(h);
	__m128 r = _mm_movelh_ps(_mm_cvtpd_ps(l), _mm_cvtpd_ps(h));
#endif
	__m128i low = _mm_castps_si128(_mm_shuffle_ps(lp, hp, 0x88));
	__m128i top = _mm_castps_si128(_mm_shuffle_ps(lp, hp, 0xdd));
	__m128i tie, small, zero;

	top = _mm_and_si128(top, _mm_set1_epi32(0x7fffffff));
	tie = _mm_cmpeq_epi32(_mm_and_si128(low, _mm_set1_epi32(0x1fffffff)),
			      _mm_set1_epi32(0x10000000));
	small = _mm_cmplt_epi32(top, _mm_set1_epi32(0x38100000));
	zero = _mm_cmpeq_epi32(_mm_or_si128(top, low), _mm_setzero_si128());
	*rare = _mm_or_si128(tie, _mm_andnot_si128(zero, small));
	return r;
}

/* two lanes of p + c rounded to odd: scalar.h, s_fma_odd.  Where the sum is no number, neither is t. */
static inline __m128d amp_add_odd(__m128d p, __m128d c)
{
	__m128d s = _mm_add_pd(p, c), b = _mm_sub_pd(s, p);
	__m128d t = _mm_add_pd(_mm_sub_pd(p, _mm_sub_pd(s, b)), _mm_sub_pd(c, b));
	__m128d lost = _mm_cmplt_pd(_mm_setzero_pd(), _mm_andnot_pd(_mm_set1_pd(-0.0), t));
	__m128i one = _mm_set_epi32(0, 1, 0, 1), u = _mm_castpd_si128(s);
	__m128i even = _mm_sub_epi64(_mm_and_si128(u, one), one);
	__m128i down = _mm_srai_epi32(_mm_xor_si128(u, _mm_castpd_si128(t)), 31);

	down = _mm_or_si128(_mm_shuffle_epi32(down, 0xf5), one); /* -1 if the signs differ, else 1 */
	down = _mm_and_si128(_mm_and_si128(down, even), _mm_castpd_si128(lost));
	return _mm_castsi128_pd(_mm_add_epi64(u, down));
}

static inline __m128 amp_fma_exact4(__m128 a, __m128 b, __m128 c)
{
	__m128d l = amp_add_odd(_mm_mul_pd(amp_wide_low(a), amp_wide_low(b)), amp_wide_low(c));
	__m128d h = amp_add_odd(_mm_mul_pd(amp_wide_high(a), amp_wide_high(b)), amp_wide_high(c));

	return _mm_movelh_ps(_mm_cvtpd_ps(l), _mm_cvtpd_ps(h));
}

/* A call for four lanes: this is much code for one operation, and kernels have many. */
AMP_OUTLINE __m128 amp_fma4(__m128 a, __m128 b, __m128 c)
{
	__m128i rare;
	const __m128 r = amp_fma_quick4(a, b, c, &rare);

	return _mm_movemask_epi8(rare) ? amp_fma_exact4(a, b, c) : r;
}

static inline vf v_fma(vf a, vf b, vf c)
{
	return (vf){ amp_fma4(a.q0, b.q0, c.q0), amp_fma4(a.q1, b.q1, c.q1), amp_fma4(a.q2, b.q2, c.q2),
		     amp_fma4(a.q3, b.q3, c.q3) };
}

static inline vf v_neg(vf a)
{
	__m128 s = _mm_set1_ps(-0.0f);

	return (vf){ _mm_xor_ps(a.q0, s), _mm_xor_ps(a.q1, s), _mm_xor_ps(a.q2, s),
		     _mm_xor_ps(a.q3, s) };
}

static inline vf v_abs(vf a)
{
	__m128 s = _mm_set1_ps(-0.0f);

	return (vf){ _mm_andnot_ps(s, a.q0), _mm_andnot_ps(s, a.q1), _mm_andnot_ps(s, a.q2),
		     _mm_andnot_ps(s, a.q3) };
}

/* sel(m, a, b) of four lanes */
static inline __m128 amp_sel4(__m128 m, __m128 a, __m128 b)
{
	return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b));
}

/* rounding by way of 2^23, and the steps of one from there: scalar.h's s_rint, s_floor, ... */
static inline __m128 amp_rint4(__m128 x)
{
	__m128 sign = _mm_set1_ps(-0.0f), big = _mm_set1_ps(8388608.0f);
	__m128 a = _mm_andnot_ps(sign, x), r = _mm_sub_ps(_mm_add_ps(a, big), big);

	r = amp_sel4(_mm_cmplt_ps(a, big), r, a);
	return _mm_or_ps(r, _mm_and_ps(sign, x));
}

static inline __m128 amp_floor4(__m128 x)
{
	__m128 sign = _mm_set1_ps(-0.0f), r = amp_rint4(x);

	r = _mm_sub_ps(r, _mm_and_ps(_mm_cmpgt_ps(r, x), _mm_set1_ps(1.0f)));
	return _mm_or_ps(_mm_andnot_ps(sign, r), _mm_and_ps(sign, x));
}

static inline __m128 amp_ceil4(__m128 x)
{
	__m128 sign = _mm_set1_ps(-0.0f), r = amp_rint4(x);

	r = _mm_add_ps(r, _mm_and_ps(_mm_cmplt_ps(r, x), _mm_set1_ps(1.0f)));
	return _mm_or_ps(_mm_andnot_ps(sign, r), _mm_and_ps(sign, x));
}

static inline __m128 amp_trunc4(__m128 x)
{
	__m128 sign = _mm_set1_ps(-0.0f), a = _mm_andnot_ps(sign, x);

	return _mm_or_ps(amp_floor4(a), _mm_and_ps(sign, x));
}

static inline vf v_rint(vf a)
{
	return (vf){ amp_rint4(a.q0), amp_rint4(a.q1),
		     amp_rint4(a.q2), amp_rint4(a.q3) };
}

static inline vf v_floor(vf a)
{
	return (vf){ amp_floor4(a.q0), amp_floor4(a.q1),
		     amp_floor4(a.q2), amp_floor4(a.q3) };
}

static inline vf v_ceil(vf a)
{
	return (vf){ amp_ceil4(a.q0), amp_ceil4(a.q1),
		     amp_ceil4(a.q2), amp_ceil4(a.q3) };
}

static inline vf v_trunc(vf a)
{
	return (vf){ amp_trunc4(a.q0), amp_trunc4(a.q1),
		     amp_trunc4(a.q2), amp_trunc4(a.q3) };
}

/* guard.h, AMP_OPAQUE */
static inline vf v_opaque(vf a)
{
	AMP_OPAQUE(a.q0);
	AMP_OPAQUE(a.q1);
	AMP_OPAQUE(a.q2);
	AMP_OPAQUE(a.q3);
	return a;
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b)
{
	return (vm){ _mm_cmplt_ps(a.q0, b.q0), _mm_cmplt_ps(a.q1, b.q1),
		     _mm_cmplt_ps(a.q2, b.q2), _mm_cmplt_ps(a.q3, b.q3) };
}

static inline vm v_le(vf a, vf b)
{
	return (vm){ _mm_cmple_ps(a.q0, b.q0), _mm_cmple_ps(a.q1, b.q1),
		     _mm_cmple_ps(a.q2, b.q2), _mm_cmple_ps(a.q3, b.q3) };
}

static inline vm v_eq(vf a, vf b)
{
	return (vm){ _mm_cmpeq_ps(a.q0, b.q0), _mm_cmpeq_ps(a.q1, b.q1),
		     _mm_cmpeq_ps(a.q2, b.q2), _mm_cmpeq_ps(a.q3, b.q3) };
}

static inline vm v_gt(vf a, vf b)
{
	return (vm){ _mm_cmpgt_ps(a.q0, b.q0), _mm_cmpgt_ps(a.q1, b.q1),
		     _mm_cmpgt_ps(a.q2, b.q2), _mm_cmpgt_ps(a.q3, b.q3) };
}

static inline vm v_ge(vf a, vf b)
{
	return (vm){ _mm_cmpge_ps(a.q0, b.q0), _mm_cmpge_ps(a.q1, b.q1),
		     _mm_cmpge_ps(a.q2, b.q2), _mm_cmpge_ps(a.q3, b.q3) };
}

static inline vm v_ne(vf a, vf b)
{
	return (vm){ _mm_cmpneq_ps(a.q0, b.q0), _mm_cmpneq_ps(a.q1, b.q1),
		     _mm_cmpneq_ps(a.q2, b.q2), _mm_cmpneq_ps(a.q3, b.q3) };
}

static inline vm vm_and(vm a, vm b)
{
	return (vm){ _mm_and_ps(a.q0, b.q0), _mm_and_ps(a.q1, b.q1),
		     _mm_and_ps(a.q2, b.q2), _mm_and_ps(a.q3, b.q3) };
}

static inline vm vm_or(vm a, vm b)
{
	return (vm){ _mm_or_ps(a.q0, b.q0), _mm_or_ps(a.q1, b.q1),
		     _mm_or_ps(a.q2, b.q2), _mm_or_ps(a.q3, b.q3) };
}

static inline vm vm_not(vm a)
{
	__m128 m = _mm_castsi128_ps(_mm_set1_epi32(-1));

	return (vm){ _mm_xor_ps(a.q0, m), _mm_xor_ps(a.q1, m), _mm_xor_ps(a.q2, m),
		     _mm_xor_ps(a.q3, m) };
}

static inline int vm_any(vm a)
{
	return _mm_movemask_ps(_mm_or_ps(_mm_or_ps(a.q0, a.q1), _mm_or_ps(a.q2, a.q3))) != 0;
}

static inline int vm_all(vm a)
{
	return _mm_movemask_ps(_mm_and_ps(_mm_and_ps(a.q0, a.q1), _mm_and_ps(a.q2, a.q3))) == 15;
}

static inline vf v_sel(vm m, vf a, vf b)
{
	return (vf){ amp_sel4(m.q0, a.q0, b.q0), amp_sel4(m.q1, a.q1, b.q1),
		     amp_sel4(m.q2, a.q2, b.q2), amp_sel4(m.q3, a.q3, b.q3) };
}

/* ---- integers ---- */

static inline vi v_bits(vf a)
{
	return (vi){ _mm_castps_si128(a.q0), _mm_castps_si128(a.q1),
		     _mm_castps_si128(a.q2), _mm_castps_si128(a.q3) };
}

static inline vf v_float(vi a)
{
	return (vf){ _mm_castsi128_ps(a.q0), _mm_castsi128_ps(a.q1),
		     _mm_castsi128_ps(a.q2), _mm_castsi128_ps(a.q3) };
}

static inline vi vi_sel(vm m, vi a, vi b) { return v_bits(v_sel(m, v_float(a), v_float(b))); }

static inline vi vi_add(vi a, vi b)
{
	return (vi){ _mm_add_epi32(a.q0, b.q0), _mm_add_epi32(a.q1, b.q1),
		     _mm_add_epi32(a.q2, b.q2), _mm_add_epi32(a.q3, b.q3) };
}

static inline vi vi_sub(vi a, vi b)
{
	return (vi){ _mm_sub_epi32(a.q0, b.q0), _mm_sub_epi32(a.q1, b.q1),
		     _mm_sub_epi32(a.q2, b.q2), _mm_sub_epi32(a.q3, b.q3) };
}

static inline vi vi_and(vi a, vi b)
{
	return (vi){ _mm_and_si128(a.q0, b.q0), _mm_and_si128(a.q1, b.q1),
		     _mm_and_si128(a.q2, b.q2), _mm_and_si128(a.q3, b.q3) };
}

static inline vi vi_or(vi a, vi b)
{
	return (vi){ _mm_or_si128(a.q0, b.q0), _mm_or_si128(a.q1, b.q1),
		     _mm_or_si128(a.q2, b.q2), _mm_or_si128(a.q3, b.q3) };
}

static inline vi vi_xor(vi a, vi b)
{
	return (vi){ _mm_xor_si128(a.q0, b.q0), _mm_xor_si128(a.q1, b.q1),
		     _mm_xor_si128(a.q2, b.q2), _mm_xor_si128(a.q3, b.q3) };
}

static inline vi vi_shl(vi a, int k)
{
	return (vi){ _mm_slli_epi32(a.q0, k), _mm_slli_epi32(a.q1, k),
		     _mm_slli_epi32(a.q2, k), _mm_slli_epi32(a.q3, k) };
}

static inline vi vi_shr(vi a, int k)
{
	return (vi){ _mm_srli_epi32(a.q0, k), _mm_srli_epi32(a.q1, k),
		     _mm_srli_epi32(a.q2, k), _mm_srli_epi32(a.q3, k) };
}

static inline vi vi_sar(vi a, int k)
{
	return (vi){ _mm_srai_epi32(a.q0, k), _mm_srai_epi32(a.q1, k),
		     _mm_srai_epi32(a.q2, k), _mm_srai_epi32(a.q3, k) };
}

static inline vm amp_mask(vi a)
{
	vf f = v_float(a);

	return (vm){ f.q0, f.q1, f.q2, f.q3 };
}

static inline vm vi_lt(vi a, vi b)
{
	return amp_mask((vi){ _mm_cmplt_epi32(a.q0, b.q0), _mm_cmplt_epi32(a.q1, b.q1),
			      _mm_cmplt_epi32(a.q2, b.q2), _mm_cmplt_epi32(a.q3, b.q3) });
}

static inline vm vi_eq(vi a, vi b)
{
	return amp_mask((vi){ _mm_cmpeq_epi32(a.q0, b.q0), _mm_cmpeq_epi32(a.q1, b.q1),
			      _mm_cmpeq_epi32(a.q2, b.q2), _mm_cmpeq_epi32(a.q3, b.q3) });
}

static inline vf v_from_i(vi a)
{
	return (vf){ _mm_cvtepi32_ps(a.q0), _mm_cvtepi32_ps(a.q1),
		     _mm_cvtepi32_ps(a.q2), _mm_cvtepi32_ps(a.q3) };
}

/* r is the hardware's answer, 0x80000000 for all that does not fit: right if negative */
static inline __m128i amp_saturate4(__m128 x, __m128i r)
{
	r = _mm_xor_si128(r, _mm_castps_si128(_mm_cmpge_ps(x, _mm_set1_ps(2147483648.0f))));
	return _mm_and_si128(r, _mm_castps_si128(_mm_cmpord_ps(x, x)));
}

static inline vi v_to_i(vf a)
{
	return (vi){ amp_saturate4(a.q0, _mm_cvtps_epi32(a.q0)),
		     amp_saturate4(a.q1, _mm_cvtps_epi32(a.q1)),
		     amp_saturate4(a.q2, _mm_cvtps_epi32(a.q2)),
		     amp_saturate4(a.q3, _mm_cvtps_epi32(a.q3)) };
}

static inline vi v_to_i_trunc(vf a)
{
	return (vi){ amp_saturate4(a.q0, _mm_cvttps_epi32(a.q0)),
		     amp_saturate4(a.q1, _mm_cvttps_epi32(a.q1)),
		     amp_saturate4(a.q2, _mm_cvttps_epi32(a.q2)),
		     amp_saturate4(a.q3, _mm_cvttps_epi32(a.q3)) };
}

static inline vf v_ldexp(vf a, vf nf, vi n)
{
	vi bias = vi_set1(127), h = vi_sar(n, 1), l = vi_sub(n, h);

	(void)nf;
	a = v_mul(a, v_float(vi_shl(vi_add(h, bias), 23)));
	return v_mul(a, v_float(vi_shl(vi_add(l, bias), 23)));
}

/* ---- the combining tree of rule 4: lanes 8 apart, then 4, 2, 1 ---- */

static inline float v_tree_add(vf a)
{
	__m128 q = _mm_add_ps(_mm_add_ps(a.q0, a.q2), _mm_add_ps(a.q1, a.q3));

	q = _mm_add_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_mul(vf a)
{
	__m128 q = _mm_mul_ps(_mm_mul_ps(a.q0, a.q2), _mm_mul_ps(a.q1, a.q3));

	q = _mm_mul_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_mul_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_max(vf a)
{
	__m128 q = _mm_max_ps(_mm_max_ps(a.q0, a.q2), _mm_max_ps(a.q1, a.q3));

	q = _mm_max_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_min(vf a)
{
	__m128 q = _mm_min_ps(_mm_min_ps(a.q0, a.q2), _mm_min_ps(a.q1, a.q3));

	q = _mm_min_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_min_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#endif
