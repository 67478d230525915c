/*
 * tile_soft.h - the inner loop of the register tile on x86-64 without fma: SSE2, or AVX.
 *
 * in:  rows of x spread over vectors of doubles, 16 weights a step, T rows of 16 sums (doubles that hold floats)
 * out: the sums after n steps of fma; true if some step may not be the correctly rounded fma
 *
 * A product of floats is exact in double.  The sum with it, rounded to double and then to float, is wrong only if
 *   - it is a tie between floats (low 29 bits 1 and 28 zeros): the steps collect whether one was;
 *   - it has a subnormal magnitude: then the conversion to float raises the underflow flag, unless it is exact, and
 *     then right: the double's own error is too small to reach the middle of two floats.
 * The CPU keeps that flag until it is cleared, so it costs nothing in the loop.  One doubtful step, and the caller does
 * the whole tile again by v_fma.  Overflow, infinities and NaN are right as they are.
 */
#ifndef AMP_TILE_SOFT_H
#define AMP_TILE_SOFT_H

#include "kernels/type.h"

#ifdef __AVX__
#define AMP_VD 4		/* doubles in a vector */
typedef __m256d amp_vd;
typedef __m256 amp_ties;	/* lanes all ones where a tie was */

AMP_INLINE amp_vd amp_vd_load(const double *p) { return _mm256_load_pd(p); }
AMP_INLINE void amp_vd_store(double *p, amp_vd a) { _mm256_store_pd(p, a); }
AMP_INLINE amp_vd amp_vd_floats(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
AMP_INLINE amp_vd amp_vd_spread(const float *p) { return _mm256_cvtps_pd(_mm_broadcast_ss(p)); }
AMP_INLINE amp_vd amp_vd_step(amp_vd x, amp_vd w, amp_vd a) { return _mm256_add_pd(_mm256_mul_pd(x, w), a); }
AMP_INLINE amp_vd amp_vd_round(amp_vd s) { return _mm256_cvtps_pd(_mm256_cvtpd_ps(s)); }
AMP_INLINE amp_ties amp_ties_none(void) { return _mm256_setzero_ps(); }
AMP_INLINE int amp_ties_any(amp_ties f) { return _mm256_movemask_ps(f); }
AMP_INLINE void amp_vd_put(float *p, amp_vd a) { _mm_storeu_ps(p, _mm256_cvtpd_ps(a)); }

/* AVX has no integers of this width: the low bits are compared as floats, made normal ones by a bit above them */
AMP_INLINE amp_ties amp_ties_of(amp_ties f, amp_vd s0, amp_vd s1)
{
	__m256 low = _mm256_shuffle_ps(_mm256_castpd_ps(s0), _mm256_castpd_ps(s1), 0x88);
	low = _mm256_and_ps(low, _mm256_castsi256_ps(_mm256_set1_epi32(0x1fffffff)));
	low = _mm256_or_ps(low, _mm256_castsi256_ps(_mm256_set1_epi32(0x40000000)));
	return _mm256_or_ps(f, _mm256_cmp_ps(low, _mm256_castsi256_ps(_mm256_set1_epi32(0x50000000)), _CMP_EQ_OQ));
}
#else
#define AMP_VD 2
typedef __m128d amp_vd;
typedef __m128i amp_ties;

AMP_INLINE amp_vd amp_vd_load(const double *p) { return _mm_load_pd(p); }
AMP_INLINE void amp_vd_store(double *p, amp_vd a) { _mm_store_pd(p, a); }
AMP_INLINE amp_vd amp_vd_floats(const float *p)
{
	return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}
AMP_INLINE amp_vd amp_vd_spread(const float *p) { return _mm_cvtps_pd(_mm_load1_ps(p)); }
AMP_INLINE amp_vd amp_vd_step(amp_vd x, amp_vd w, amp_vd a) { return _mm_add_pd(_mm_mul_pd(x, w), a); }
AMP_INLINE amp_vd amp_vd_round(amp_vd s) { return _mm_cvtps_pd(_mm_cvtpd_ps(s)); }
AMP_INLINE amp_ties amp_ties_none(void) { return _mm_setzero_si128(); }
AMP_INLINE int amp_ties_any(amp_ties f) { return _mm_movemask_epi8(f); }
AMP_INLINE void amp_vd_put(float *p, amp_vd a)
{
	_mm_storel_epi64((__m128i *)(void *)p, _mm_castps_si128(_mm_cvtpd_ps(a)));
}

AMP_INLINE amp_ties amp_ties_of(amp_ties f, amp_vd s0, amp_vd s1)
{
	const __m128i low = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(s0), _mm_castpd_ps(s1), 0x88));
	return _mm_or_si128(f, _mm_cmpeq_epi32(_mm_slli_epi32(low, 3), _mm_set1_epi32(INT32_MIN)));
}
#endif

#define AMP_SOFT_STEPS 16	/* at once: what x is spread over stays in the first cache */

/* SUMS, an array in memory, is an operand, so that the flag is cleared before and read after all conversions */
#define AMP_UNDERFLOW 0x10u
#define AMP_CSR_GET(M, SUMS) __asm__ volatile("stmxcsr %0" : "=m"(M), "+m"(SUMS) :: "memory")
#define AMP_CSR_SET(M, SUMS) __asm__ volatile("ldmxcsr %1" : "+m"(SUMS) : "m"(M) : "memory")

#define AMP_SOFT_GET(t) amp_vd a##t = amp_vd_load(sum[t] + j), b##t = amp_vd_load(sum[t] + j + AMP_VD);
#define AMP_SOFT_PUT(t) amp_vd_store(sum[t] + j, a##t); amp_vd_store(sum[t] + j + AMP_VD, b##t);
#define AMP_SOFT_FMA(t) { \
	const amp_vd s = amp_vd_load(xs + t * AMP_VD); \
	a##t = amp_vd_step(s, w0, a##t); \
	b##t = amp_vd_step(s, w1, b##t); \
	ties = amp_ties_of(ties, a##t, b##t); \
	a##t = amp_vd_round(a##t); \
	b##t = amp_vd_round(b##t); \
}

/* n <= AMP_SOFT_STEPS steps of T rows; x: step k of row t is x[t * x_pixel + k] */
#define AMP_SOFT_FN(T) \
static __attribute__((noinline, unused)) int amp_soft_##T(const float *x, int64_t x_pixel, const float *w, int n, \
							  double (*sum)[16]) \
{ \
	_Alignas(32) double spread[AMP_SOFT_STEPS * T * AMP_VD]; \
	amp_ties ties = amp_ties_none(); \
	for (int k = 0; k < n; k++) \
		for (int t = 0; t < T; t++) \
			amp_vd_store(spread + (k * T + t) * AMP_VD, amp_vd_spread(x + t * x_pixel + k)); \
	for (int j = 0; j < 16; j += 2 * AMP_VD) { \
		const float *wj = w + j; \
		const double *xs = spread; \
		AMP_REP##T(AMP_SOFT_GET) \
		for (int k = 0; k < n; k++, wj += 16, xs += T * AMP_VD) { \
			const amp_vd w0 = amp_vd_floats(wj), w1 = amp_vd_floats(wj + AMP_VD); \
			AMP_REP##T(AMP_SOFT_FMA) \
		} \
		AMP_REP##T(AMP_SOFT_PUT) \
	} \
	return amp_ties_any(ties); \
}

/* rare: a row at a time keeps the code small */
static __attribute__((noinline, unused)) void amp_tile_exact(const struct amp_tile *p, int rows, float *sum)
{
	struct amp_tile row = *p;
	for (int t = 0; t < rows; t++, row.x += p->x_pixel) {
		row.start = p->start ? p->start + t * 16 : NULL;
		amp_tile_exact_1_1(&row, sum + t * 16);
	}
}

#define AMP_TILE_SOFT_FN(T, V) \
AMP_SOFT_FN(T) \
static __attribute__((noinline, unused)) void amp_tile_##T##_##V(const struct amp_tile *p, float *restrict sum) \
{ \
	_Alignas(32) double acc[T][16] = { { 0 } }; \
	unsigned csr; \
	AMP_CSR_GET(csr, acc); \
	csr &= ~AMP_UNDERFLOW; \
	AMP_CSR_SET(csr, acc); \
	if (p->start) \
		for (int t = 0; t < T; t++) \
			for (int j = 0; j < 16; j += AMP_VD) \
				amp_vd_store(acc[t] + j, amp_vd_floats(p->start + t * 16 + j)); \
	for (int32_t ib = 0; ib < p->blocks; ib++) { \
		const int32_t cn = ib + 1 < p->blocks ? p->cs : p->last; \
		for (int32_t ky = p->ky0; ky < p->ky1; ky++) \
			for (int32_t kx = 0; kx < p->kw; kx++) { \
				const float *x = p->x + ib * p->x_block + (ky - p->ky0) * p->x_row + kx * p->x_col; \
				const float *w = p->w + (((int64_t)ib * p->kh + ky) * p->kw + kx) * p->cs * 16; \
				for (int32_t c = 0; c < cn; c += AMP_SOFT_STEPS) { \
					const int n = cn - c < AMP_SOFT_STEPS ? cn - c : AMP_SOFT_STEPS; \
					if (amp_soft_##T(x + c, p->x_pixel, w + (int64_t)c * 16, n, acc)) { \
						amp_tile_exact(p, T, sum); \
						return; \
					} \
				} \
			} \
	} \
	AMP_CSR_GET(csr, acc); \
	if (csr & AMP_UNDERFLOW) { \
		amp_tile_exact(p, T, sum); \
		return; \
	} \
	for (int t = 0; t < T; t++) \
		for (int j = 0; j < 16; j += AMP_VD) \
			amp_vd_put(sum + t * 16 + j, amp_vd_load(acc[t] + j)); \
}

#endif
