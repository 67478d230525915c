/*
 * avx2.h - the sixteen-lane primitives on AVX2 and FMA: two registers of eight.
 *
 * In:  -mavx2 -mfma.  Out: as generic.h, bit for bit; l holds lanes 0 to 7, h lanes 8 to 15.
 */
#ifndef AMP_SIMD_AVX2_H
#define AMP_SIMD_AVX2_H

#include <immintrin.h>

#include "scalar.h"

#if !defined __AVX2__ || !defined __FMA__
#error "AMP_ISA_AVX2 needs -mavx2 -mfma"
#endif

#define AMP_ISA_NAME "avx2"

typedef struct { __m256 l, h; } vf;
typedef struct { __m256i l, h; } vi;
typedef struct { __m256 l, h; } vm; /* lanes all ones or zero */

/* ---- memory and lanes ---- */

static inline vf v_load(const float *p)
{
	return (vf){ _mm256_loadu_ps(p), _mm256_loadu_ps(p + 8) };
}

static inline void v_store(float *p, vf a)
{
	_mm256_storeu_ps(p, a.l);
	_mm256_storeu_ps(p + 8, a.h);
}

/* lanes lo .. lo + 7 compared with n, as all ones or zero */
static inline __m256i amp_first8(int n, int lo)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n),
				  _mm256_add_epi32(_mm256_set1_epi32(lo),
						   _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)));
}

static inline vf v_load_n(const float *p, int n)
{
	return (vf){ _mm256_maskload_ps(p, amp_first8(n, 0)),
		     n > 8 ? _mm256_maskload_ps(p + 8, amp_first8(n, 8)) : _mm256_setzero_ps() };
}

static inline void v_store_n(float *p, vf a, int n)
{
	_mm256_maskstore_ps(p, amp_first8(n, 0), a.l);
	if (n > 8)
		_mm256_maskstore_ps(p + 8, amp_first8(n, 8), a.h);
}

static inline vi vi_load(const int32_t *p)
{
	return (vi){ _mm256_loadu_si256((const __m256i *)(const void *)p),
		     _mm256_loadu_si256((const __m256i *)(const void *)(p + 8)) };
}

static inline void vi_store(int32_t *p, vi a)
{
	_mm256_storeu_si256((__m256i *)(void *)p, a.l);
	_mm256_storeu_si256((__m256i *)(void *)(p + 8), a.h);
}

static inline float v_get(vf a, int lane)
{
	float f[16];

	v_store(f, a);
	return f[lane];
}

static inline vf v_set1(float x) { return (vf){ _mm256_set1_ps(x), _mm256_set1_ps(x) }; }
static inline vf v_zero(void) { return (vf){ _mm256_setzero_ps(), _mm256_setzero_ps() }; }
static inline vi vi_set1(int32_t x) { return (vi){ _mm256_set1_epi32(x), _mm256_set1_epi32(x) }; }
static inline vm vm_first(int n)
{
	return (vm){ _mm256_castsi256_ps(amp_first8(n, 0)), _mm256_castsi256_ps(amp_first8(n, 8)) };
}

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b)
{
	return (vf){ _mm256_add_ps(a.l, b.l), _mm256_add_ps(a.h, b.h) };
}

static inline vf v_sub(vf a, vf b)
{
	return (vf){ _mm256_sub_ps(a.l, b.l), _mm256_sub_ps(a.h, b.h) };
}

static inline vf v_mul(vf a, vf b)
{
	return (vf){ _mm256_mul_ps(a.l, b.l), _mm256_mul_ps(a.h, b.h) };
}

static inline vf v_div(vf a, vf b)
{
	return (vf){ _mm256_div_ps(a.l, b.l), _mm256_div_ps(a.h, b.h) };
}

static inline vf v_max(vf a, vf b)
{
	return (vf){ _mm256_max_ps(a.l, b.l), _mm256_max_ps(a.h, b.h) };
}

static inline vf v_min(vf a, vf b)
{
	return (vf){ _mm256_min_ps(a.l, b.l), _mm256_min_ps(a.h, b.h) };
}

static inline vf v_fma(vf a, vf b, vf c)
{
	return (vf){ _mm256_fmadd_ps(a.l, b.l, c.l), _mm256_fmadd_ps(a.h, b.h, c.h) };
}

static inline vf v_sqrt(vf a)
{
	return (vf){ _mm256_sqrt_ps(a.l), _mm256_sqrt_ps(a.h) };
}

static inline vf v_neg(vf a)
{
	return (vf){ -a.l, -a.h };	/* compilers join it with an fma */
}

static inline vf v_abs(vf a)
{
	__m256 s = _mm256_set1_ps(-0.0f);

	return (vf){ _mm256_andnot_ps(s, a.l), _mm256_andnot_ps(s, a.h) };
}

static inline vf v_rint(vf a)
{
	return (vf){ _mm256_round_ps(a.l, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
		     _mm256_round_ps(a.h, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) };
}

static inline vf v_floor(vf a)
{
	return (vf){ _mm256_round_ps(a.l, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC),
		     _mm256_round_ps(a.h, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC) };
}

static inline vf v_ceil(vf a)
{
	return (vf){ _mm256_round_ps(a.l, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC),
		     _mm256_round_ps(a.h, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC) };
}

static inline vf v_trunc(vf a)
{
	return (vf){ _mm256_round_ps(a.l, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC),
		     _mm256_round_ps(a.h, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC) };
}

/* guard.h, AMP_OPAQUE */
static inline vf v_opaque(vf a)
{
	__asm__("" : "+x"(a.l), "+x"(a.h));
	return a;
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_LT_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_LT_OQ) };
}

static inline vm v_le(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_LE_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_LE_OQ) };
}

static inline vm v_eq(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_EQ_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_EQ_OQ) };
}

static inline vm v_gt(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_GT_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_GT_OQ) };
}

static inline vm v_ge(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_GE_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_GE_OQ) };
}

static inline vm v_ne(vf a, vf b)
{
	return (vm){ _mm256_cmp_ps(a.l, b.l, _CMP_NEQ_UQ), _mm256_cmp_ps(a.h, b.h, _CMP_NEQ_UQ) };
}

static inline vm vm_and(vm a, vm b)
{
	return (vm){ _mm256_and_ps(a.l, b.l), _mm256_and_ps(a.h, b.h) };
}

static inline vm vm_or(vm a, vm b)
{
	return (vm){ _mm256_or_ps(a.l, b.l), _mm256_or_ps(a.h, b.h) };
}

static inline vm vm_not(vm a)
{
	__m256 ones = _mm256_castsi256_ps(_mm256_set1_epi32(-1));

	return (vm){ _mm256_xor_ps(a.l, ones), _mm256_xor_ps(a.h, ones) };
}

static inline int vm_any(vm a) { return _mm256_movemask_ps(_mm256_or_ps(a.l, a.h)) != 0; }
static inline int vm_all(vm a) { return _mm256_movemask_ps(_mm256_and_ps(a.l, a.h)) == 255; }

static inline vf v_sel(vm m, vf a, vf b)
{
	return (vf){ _mm256_blendv_ps(b.l, a.l, m.l), _mm256_blendv_ps(b.h, a.h, m.h) };
}

static inline vi vi_sel(vm m, vi a, vi b)
{
	return (vi){ _mm256_blendv_epi8(b.l, a.l, _mm256_castps_si256(m.l)),
		     _mm256_blendv_epi8(b.h, a.h, _mm256_castps_si256(m.h)) };
}

/* ---- integers ---- */

static inline vi v_bits(vf a)
{
	return (vi){ _mm256_castps_si256(a.l), _mm256_castps_si256(a.h) };
}

static inline vf v_float(vi a)
{
	return (vf){ _mm256_castsi256_ps(a.l), _mm256_castsi256_ps(a.h) };
}

static inline vi vi_add(vi a, vi b)
{
	return (vi){ _mm256_add_epi32(a.l, b.l), _mm256_add_epi32(a.h, b.h) };
}

static inline vi vi_sub(vi a, vi b)
{
	return (vi){ _mm256_sub_epi32(a.l, b.l), _mm256_sub_epi32(a.h, b.h) };
}

static inline vi vi_and(vi a, vi b)
{
	return (vi){ _mm256_and_si256(a.l, b.l), _mm256_and_si256(a.h, b.h) };
}

static inline vi vi_or(vi a, vi b)
{
	return (vi){ _mm256_or_si256(a.l, b.l), _mm256_or_si256(a.h, b.h) };
}

static inline vi vi_xor(vi a, vi b)
{
	return (vi){ _mm256_xor_si256(a.l, b.l), _mm256_xor_si256(a.h, b.h) };
}

static inline vi vi_shl(vi a, int k)
{
	return (vi){ _mm256_slli_epi32(a.l, k), _mm256_slli_epi32(a.h, k) };
}

static inline vi vi_shr(vi a, int k)
{
	return (vi){ _mm256_srli_epi32(a.l, k), _mm256_srli_epi32(a.h, k) };
}

static inline vi vi_sar(vi a, int k)
{
	return (vi){ _mm256_srai_epi32(a.l, k), _mm256_srai_epi32(a.h, k) };
}

static inline vm vi_lt(vi a, vi b)
{
	return (vm){ _mm256_castsi256_ps(_mm256_cmpgt_epi32(b.l, a.l)),
		     _mm256_castsi256_ps(_mm256_cmpgt_epi32(b.h, a.h)) };
}

static inline vm vi_eq(vi a, vi b)
{
	return (vm){ _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.l, b.l)),
		     _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.h, b.h)) };
}

static inline vf v_from_i(vi a)
{
	return (vf){ _mm256_cvtepi32_ps(a.l), _mm256_cvtepi32_ps(a.h) };
}

/* r is the hardware's answer, 0x80000000 for all that does not fit: right for negative numbers */
static inline __m256i amp_saturate8(__m256 x, __m256i r)
{
	__m256 big = _mm256_cmp_ps(x, _mm256_set1_ps(2147483648.0f), _CMP_GE_OQ);
	__m256 num = _mm256_cmp_ps(x, x, _CMP_ORD_Q);

	r = _mm256_xor_si256(r, _mm256_castps_si256(big)); /* 0x80000000 -> 0x7fffffff */
	return _mm256_and_si256(r, _mm256_castps_si256(num));
}

static inline vi v_to_i(vf a)
{
	return (vi){ amp_saturate8(a.l, _mm256_cvtps_epi32(a.l)),
		     amp_saturate8(a.h, _mm256_cvtps_epi32(a.h)) };
}

static inline vi v_to_i_trunc(vf a)
{
	return (vi){ amp_saturate8(a.l, _mm256_cvttps_epi32(a.l)),
		     amp_saturate8(a.h, _mm256_cvttps_epi32(a.h)) };
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
	__m256 s = _mm256_add_ps(a.l, a.h);
	__m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_add_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_mul(vf a)
{
	__m256 s = _mm256_mul_ps(a.l, a.h);
	__m128 q = _mm_mul_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_mul_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_mul_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_max(vf a)
{
	__m256 s = _mm256_max_ps(a.l, a.h);
	__m128 q = _mm_max_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_max_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_min(vf a)
{
	__m256 s = _mm256_min_ps(a.l, a.h);
	__m128 q = _mm_min_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_min_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_min_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#endif
