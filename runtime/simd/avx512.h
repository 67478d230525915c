/*
 * avx512.h - the sixteen-lane primitives on AVX-512F: one register.
 *
 * In:  -mavx512f -mfma.  Out: as generic.h, bit for bit; a mask is a mask register.
 */
#ifndef AMP_SIMD_AVX512_H
#define AMP_SIMD_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#include "scalar.h"

#if !defined __AVX512F__ || !defined __FMA__
#error "AMP_ISA_AVX512 needs -mavx512f -mfma"
#endif

#define AMP_ISA_NAME "avx512"

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

/* ---- memory and lanes ---- */

static inline vm vm_first(int n)
{
	return (vm)(n >= 16 ? 0xffffu : n <= 0 ? 0 : (1u << n) - 1);
}

static inline vf v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
static inline vf v_load_n(const float *p, int n) { return _mm512_maskz_loadu_ps(vm_first(n), p); }
static inline void v_store_n(float *p, vf a, int n) { _mm512_mask_storeu_ps(p, vm_first(n), a); }
static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void vi_store(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
static inline float v_get(vf a, int lane)
{
	float f[16];

	v_store(f, a);
	return f[lane];
}
static inline vf v_set1(float x) { return _mm512_set1_ps(x); }
static inline vf v_zero(void) { return _mm512_setzero_ps(); }
static inline vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf v_neg(vf a) { return -a; } /* compilers join it with an fma */
static inline vf v_abs(vf a)
{
	return _mm512_castsi512_ps(
		_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MAX)));
}
static inline vf v_rint(vf a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vf v_floor(vf a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
static inline vf v_ceil(vf a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
static inline vf v_trunc(vf a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
/* guard.h, AMP_OPAQUE */
static inline vf v_opaque(vf a)
{
	__asm__("" : "+v"(a));
	return a;
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm v_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline vm v_ge(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
static inline vm v_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline vm vm_not(vm a) { return (vm)~a; }
static inline int vm_any(vm a) { return a != 0; }
static inline int vm_all(vm a) { return a == 0xffffu; }
static inline vf v_sel(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vi vi_sel(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }

/* ---- integers ---- */

static inline vi v_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf v_float(vi a) { return _mm512_castsi512_ps(a); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
/* the count comes in a register: an immediate would not compile without optimisation */
static inline vi vi_shl(vi a, int k) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(k)); }
static inline vi vi_shr(vi a, int k) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(k)); }
static inline vi vi_sar(vi a, int k) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(k)); }
static inline vm vi_lt(vi a, vi b) { return _mm512_cmplt_epi32_mask(a, b); }
static inline vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }
static inline vf v_from_i(vi a) { return _mm512_cvtepi32_ps(a); }

/* r is the hardware's answer, 0x80000000 for all that does not fit: right for negative numbers */
static inline vi amp_saturate16(vf x, vi r)
{
	vm big = v_ge(x, v_set1(2147483648.0f)), num = v_eq(x, x);

	return _mm512_maskz_mov_epi32(num, _mm512_mask_mov_epi32(r, big, vi_set1(INT32_MAX)));
}

static inline vi v_to_i(vf a) { return amp_saturate16(a, _mm512_cvtps_epi32(a)); }
static inline vi v_to_i_trunc(vf a) { return amp_saturate16(a, _mm512_cvttps_epi32(a)); }

/* one instruction, rounded once like the two factors of scalar.h */
static inline vf v_ldexp(vf a, vf nf, vi n)
{
	(void)n;
	return _mm512_scalef_ps(a, nf);
}

/* ---- the combining tree of rule 4: lanes 8 apart, then 4, 2, 1 ---- */

static inline __m256 amp_high8(vf a)
{
	return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
}

static inline float v_tree_add(vf a)
{
	__m256 s = _mm256_add_ps(_mm512_castps512_ps256(a), amp_high8(a));
	__m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_add_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_mul(vf a)
{
	__m256 s = _mm256_mul_ps(_mm512_castps512_ps256(a), amp_high8(a));
	__m128 q = _mm_mul_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_mul_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_mul_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_max(vf a)
{
	__m256 s = _mm256_max_ps(_mm512_castps512_ps256(a), amp_high8(a));
	__m128 q = _mm_max_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_max_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline float v_tree_min(vf a)
{
	__m256 s = _mm256_min_ps(_mm512_castps512_ps256(a), amp_high8(a));
	__m128 q = _mm_min_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));

	q = _mm_min_ps(q, _mm_movehl_ps(q, q));
	return _mm_cvtss_f32(_mm_min_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#define AMP_HAS_TURN
#define AMP_TURN_LOAD(i) const __m512 a##i = _mm512_loadu_ps(from + i * step);
/* columns c, c + 4, c + 8, c + 12 of rows i .. i + 3 */
#define AMP_TURN4(r, i, k, l, m) \
	const __m512d r##p = _mm512_castps_pd(_mm512_unpacklo_ps(a##i, a##k)), \
		      r##q = _mm512_castps_pd(_mm512_unpackhi_ps(a##i, a##k)), \
		      r##s = _mm512_castps_pd(_mm512_unpacklo_ps(a##l, a##m)), \
		      r##t = _mm512_castps_pd(_mm512_unpackhi_ps(a##l, a##m)); \
	const __m512 r##0 = _mm512_castpd_ps(_mm512_unpacklo_pd(r##p, r##s)), \
		     r##1 = _mm512_castpd_ps(_mm512_unpackhi_pd(r##p, r##s)), \
		     r##2 = _mm512_castpd_ps(_mm512_unpacklo_pd(r##q, r##t)), \
		     r##3 = _mm512_castpd_ps(_mm512_unpackhi_pd(r##q, r##t));
#define AMP_TURN_STORE(c) { \
	const __m512 f = _mm512_shuffle_f32x4(r##c, s##c, 0x88), g = _mm512_shuffle_f32x4(t##c, u##c, 0x88); \
	const __m512 h = _mm512_shuffle_f32x4(r##c, s##c, 0xdd), k = _mm512_shuffle_f32x4(t##c, u##c, 0xdd); \
	_mm512_storeu_ps(to + c * 16, _mm512_shuffle_f32x4(f, g, 0x88)); \
	_mm512_storeu_ps(to + (4 + c) * 16, _mm512_shuffle_f32x4(h, k, 0x88)); \
	_mm512_storeu_ps(to + (8 + c) * 16, _mm512_shuffle_f32x4(f, g, 0xdd)); \
	_mm512_storeu_ps(to + (12 + c) * 16, _mm512_shuffle_f32x4(h, k, 0xdd)); }

/* to[c * 16 + r] = from[r * step + c] for rows r < 16, columns c < 16; names in place of arrays, which stay in memory */
static inline void v_turn(const float *from, ptrdiff_t step, float *to)
{
	AMP_TURN_LOAD(0) AMP_TURN_LOAD(1) AMP_TURN_LOAD(2) AMP_TURN_LOAD(3)
	AMP_TURN_LOAD(4) AMP_TURN_LOAD(5) AMP_TURN_LOAD(6) AMP_TURN_LOAD(7)
	AMP_TURN_LOAD(8) AMP_TURN_LOAD(9) AMP_TURN_LOAD(10) AMP_TURN_LOAD(11)
	AMP_TURN_LOAD(12) AMP_TURN_LOAD(13) AMP_TURN_LOAD(14) AMP_TURN_LOAD(15)
	AMP_TURN4(r, 0, 1, 2, 3)
	AMP_TURN4(s, 4, 5, 6, 7)
	AMP_TURN4(t, 8, 9, 10, 11)
	AMP_TURN4(u, 12, 13, 14, 15)
	AMP_TURN_STORE(0) AMP_TURN_STORE(1) AMP_TURN_STORE(2) AMP_TURN_STORE(3)
}
/* to[c * 4 + r] = from[r * 16 + c] for rows r < 4, columns c < 16; from and to may be the same */
static inline void v_turn4(const float *from, float *to)
{
	const ptrdiff_t step = 16;
	AMP_TURN_LOAD(0) AMP_TURN_LOAD(1) AMP_TURN_LOAD(2) AMP_TURN_LOAD(3)
	AMP_TURN4(r, 0, 1, 2, 3)
	const __m512 a = _mm512_shuffle_f32x4(r0, r1, 0x44), b = _mm512_shuffle_f32x4(r2, r3, 0x44);
	const __m512 c = _mm512_shuffle_f32x4(r0, r1, 0xee), d = _mm512_shuffle_f32x4(r2, r3, 0xee);

	_mm512_storeu_ps(to, _mm512_shuffle_f32x4(a, b, 0x88));
	_mm512_storeu_ps(to + 16, _mm512_shuffle_f32x4(a, b, 0xdd));
	_mm512_storeu_ps(to + 32, _mm512_shuffle_f32x4(c, d, 0x88));
	_mm512_storeu_ps(to + 48, _mm512_shuffle_f32x4(c, d, 0xdd));
}
#undef AMP_TURN_LOAD
#undef AMP_TURN4
#undef AMP_TURN_STORE

#endif
