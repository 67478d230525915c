/*
 * tile_half.h - tile.h for a last block of columns that has at most 8: half a register of AVX-512.  A core that does 512
 * bits in two turns (Zen 4) does half in one: 24 columns cost three quarters of 32.
 *
 * in:  struct amp_tile, whose start and y are not looked at; T of AMP_TILE_HALF or more rows, V blocks, the last one half
 * out: the sums as amp_tiles give them; lanes 8 to 15 of the last block are 0
 * amp_tile_halves[V - 1][T - AMP_TILE_HALF]; elsewhere there is none, and AMP_TILE_HALF is more than any T.
 */
#ifndef AMP_TILE_HALF_H
#define AMP_TILE_HALF_H

#include "kernels/tile.h"

#ifndef AMP_ISA_AVX512
#define AMP_TILE_HALF (AMP_TILE_T + 1)
#define amp_tile_halves amp_tiles
#else
#define AMP_TILE_HALF 12

#define AMP_HALF_ACC1(t) __m256 b##t = _mm256_setzero_ps();
#define AMP_HALF_ACC2(t) vf a##t = v_zero(); __m256 b##t = _mm256_setzero_ps();
#define AMP_HALF_W1 const __m256 w1 = _mm256_loadu_ps(w); __builtin_prefetch(w + ahead0, 0, 2);
#define AMP_HALF_W2 const vf w0 = v_load(w); const __m256 w1 = _mm256_loadu_ps(w + wb); \
	__builtin_prefetch(w + ahead0, 0, 2); __builtin_prefetch(w + ahead1, 0, 2); __builtin_prefetch(xn, 0, 3);
#define AMP_HALF_FMA1(t) b##t = _mm256_fmadd_ps(_mm256_set1_ps(AMP_AT##t), w1, b##t);
#define AMP_HALF_FMA2(t) { \
	const vf s = v_set1(AMP_AT##t); \
	a##t = v_fma(s, w0, a##t); \
	b##t = _mm256_fmadd_ps(_mm512_castps512_ps256(s), w1, b##t); \
}
#define AMP_HALF_PUT1(t) v_store(sum + t * 16, _mm512_zextps256_ps512(b##t));
#define AMP_HALF_PUT2(t) v_store(sum + t * 16, a##t); v_store(sum + sb + t * 16, _mm512_zextps256_ps512(b##t));

#define AMP_TILE_HALF_FN(T, V) \
static __attribute__((noinline)) void amp_tile_half_##T##_##V(const struct amp_tile *p, float *restrict sum) \
{ \
	AMP_TILE_VARS \
	AMP_REP##T(AMP_HALF_ACC##V) \
	AMP_TILE_SUMS(T, AMP_HALF_W##V AMP_REP##T(AMP_HALF_FMA##V)) \
	AMP_REP##T(AMP_HALF_PUT##V) \
}

AMP_TILE_HALF_FN(12, 1)
AMP_TILE_HALF_FN(13, 1)
AMP_TILE_HALF_FN(14, 1)
AMP_TILE_HALF_FN(12, 2)
AMP_TILE_HALF_FN(13, 2)
AMP_TILE_HALF_FN(14, 2)

static amp_tile_fn *const amp_tile_halves[2][3] = {
	{ amp_tile_half_12_1, amp_tile_half_13_1, amp_tile_half_14_1 },
	{ amp_tile_half_12_2, amp_tile_half_13_2, amp_tile_half_14_2 },
};
#endif
#endif
