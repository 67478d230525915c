/*
 * winograd_raw_phases.h - the products of winograd_c16.inc for F(4, 2), a 3x3 convolution of stride 2, with the weights as the
 * model has them, as winograd_raw.h does it for F(4, 3): for maps of few tiles.
 *
 * in:  g [m/16][c/16][9][16][16], as conv_c16.inc has them; v [25 points][4 phases][c/16][chunk][16],
 *      chunk a multiple of four
 * out: m [25][m/16][chunk][16] = sum of v u over (phase, channel), the phases in the order 1, 0, 2, 3, from +0, by fma.  A phase
 *	of the kernel has one or two rows and columns.  Down two rows, g0 g1: o = p g1, rounded; at p and -p h = g0 + o and g0 - o, at
 *	infinity g1; one row: at each finite point the weight itself.  Along h u likewise.
 *
 * AVX-512: the points of a row and four tiles in registers, the weights made there, V turned.  Elsewhere u of a row of points and some
 * inputs lies on the stack, then tile.h.
 */
#ifndef AMP_WINOGRAD_RAW_PHASES_H
#define AMP_WINOGRAD_RAW_PHASES_H

#include "kernels/winograd_raw.h"

/* do any of the model's layers need it? */
#define AMP_WINO_RAWS2 AMP_USES(FORM, AMP_WINO_RAW2)

#if AMP_WINO_RAWS2

#define AMP_WINO_RAW2_ROWS 5
#define AMP_WINO_RAW2_FAR (6 * 256)	/* floats of g: from the kernel's first row to its last */

/* One phase of a row of points, some inputs, one block of columns */
struct amp_wino_raw2 {
	const float *g, *x;		/* the phase's first weight that the row has; first point */
	int64_t point, x_block;		/* floats: to x's next point; to the next block of 16 inputs */
	int32_t k;
	int two;			/* has the phase two columns? */
	int mixed;			/* are its two rows to be added, the second one by p? */
	float p;
	int go;				/* do the sums go on? */
	float *sum;
	int64_t sum_point;
	int64_t ahead;			/* from g: what each step fetches */
};

/* Row r of the points between the first and infinity */
AMP_INLINE float amp_wino_raw2_point(int32_t r)
{
	return (r % 2 ? -1 : 1) * (r < 2 ? 0.375f : 1.5f);
}

#define AMP_RAW2_mixed(at) v_add(v_load(g + (at)), v_opaque(v_mul(p, v_load(g + AMP_WINO_RAW2_FAR + (at)))))
#define AMP_RAW2_plain(at) v_load(g + (at))

#ifdef AMP_ISA_AVX512

/* Four tiles at the five points of a row, or the four finite ones of a phase of one column, which have one weight */
#define AMP_RAW2_ALL4(M) AMP_RAW_TILES(M, 0) AMP_RAW_TILES(M, 1) AMP_RAW_TILES(M, 2) AMP_RAW_TILES(M, 3)
#define AMP_RAW2_ALL5(M) AMP_RAW2_ALL4(M) AMP_RAW_TILES(M, 4)
#define AMP_RAW2_STEP4(H) { const vf u = AMP_RAW2_##H(0); AMP_RAW2_ALL4(AMP_RAW_FMA) }
#define AMP_RAW2_STEP5(H) { \
	const vf h0 = AMP_RAW2_##H(0), h1 = AMP_RAW2_##H(512), o1 = v_opaque(v_mul(p1, h1)), o2 = v_opaque(v_mul(p2, h1)); \
	AMP_RAW_AT(0, v_add(h0, o1)) \
	AMP_RAW_AT(1, v_sub(h0, o1)) \
	AMP_RAW_AT(2, v_add(h0, o2)) \
	AMP_RAW_AT(3, v_sub(h0, o2)) \
	AMP_RAW_AT(4, h1) }
#define AMP_RAW2_FN(H, N) \
static __attribute__((noinline)) void amp_wino_raw2_##H##_##N(const struct amp_wino_raw2 *r) \
{ \
	const vf p = v_set1(r->p), p1 = v_set1(0.375f), p2 = v_set1(1.5f); \
	const int64_t point = r->point, sum_point = r->sum_point, ahead = r->ahead; \
	const float *g = r->g, *x = r->x; \
	float *const sum = r->sum; \
	AMP_RAW2_ALL##N(AMP_RAW_NEW) \
	if (r->go) { \
		AMP_RAW2_ALL##N(AMP_RAW_GO) \
	} \
	for (int32_t left = r->k; left > 0; left -= 16, x += r->x_block, g += AMP_WINO_RAW_BLOCK - 256) { \
		const float *x0 = x, *x3 = x + 3 * point; \
		__asm__("" : "+r"(x3)); \
		for (const float *end = g + 256; g != end; g += 16, x0 += 4, x3 += 4) { \
			__builtin_prefetch(g + ahead, 0, 2); \
			AMP_RAW2_STEP##N(H) \
		} \
	} \
	(void)p, (void)p1, (void)p2; \
	AMP_RAW2_ALL##N(AMP_RAW_PUT) \
}
AMP_RAW2_FN(mixed, 4)
AMP_RAW2_FN(plain, 4)
AMP_RAW2_FN(mixed, 5)
AMP_RAW2_FN(plain, 5)

AMP_INLINE void amp_wino_raw2_tiles(struct amp_wino_raw2 a, int32_t nt, int64_t column)
{
	static void (*const fns[2][2])(const struct amp_wino_raw2 *) = {	/* [two columns][mixed] */
		{ amp_wino_raw2_plain_4, amp_wino_raw2_mixed_4 }, { amp_wino_raw2_plain_5, amp_wino_raw2_mixed_5 },
	};
	(void)column;
	for (; nt > 0; nt -= 4) {
		fns[a.two][a.mixed](&a);
		a.x += 64;
		a.sum += 64;
		a.ahead = 0;
	}
}

#else

AMP_OUTLINE void amp_wino_raw2_tiles(struct amp_wino_raw2 a, int32_t nt, int64_t column)
{
	const vf p = v_set1(a.p);
	_Alignas(64) float u[AMP_WINO_RAW2_ROWS][AMP_WINO_RAW_K * 16];
	struct amp_tile t = {
		.x_block = a.x_block, .x_pixel = 16, .sum_block = column, .cs = 16, .ky1 = 1, .kh = 1, .kw = 1, .blocks = a.k / 16,
		.last = 16,
	};
	const float *g = a.g;
	for (int32_t i = 0; i < a.k * 16; i += 16, g += i % 256 ? 16 : AMP_WINO_RAW_BLOCK - 240) {
		vf h[2];
		for (int j = 0; j <= a.two; j++)
			h[j] = a.mixed ? AMP_RAW2_mixed(j * 512) : AMP_RAW2_plain(j * 512);
		__builtin_prefetch(g + a.ahead, 0, 2);
		for (int32_t r = 0; a.two && r < 4; r += 2) {
			const vf o = v_opaque(v_mul(v_set1(amp_wino_raw2_point(r)), h[1]));
			v_store(u[r] + i, v_add(h[0], o));
			v_store(u[r + 1] + i, v_sub(h[0], o));
		}
		v_store(u[a.two ? 4 : 0] + i, h[a.two]);
	}
	for (int32_t c = 0; c < (a.two ? 5 : 4); c++, a.x += a.point, a.sum += a.sum_point) {
		t.w = u[a.two ? c : 0];
		for (int32_t i = 0, n; i < nt; i += n) {
			n = amp_tile_width(nt - i);
			t.x = a.x + i * 16;
			t.start = a.go ? a.sum + i * 16 : NULL;
			amp_tiles[0][n - 1](&t, a.sum + i * 16);
		}
	}
}
#endif

/* Of all (block of columns, row of points), those numbered [from, to); l->k is the number of channels */
AMP_INLINE void amp_wino_raw2_products(const struct amp_wino_raw *l, const float *g, const float *v, float *m,
				       int64_t from, int64_t to)
{
	/* of each phase, in the order of the sum: its first weight, and what its rows fetch of the next block of columns */
	static const struct { int first, mixed, two, fetch[4]; } phases[4] = {
		{ 1, 1, 0, { 1, 7, -1, -1 } }, { 0, 1, 1, { 0, 2, 6, 8 } }, { 3, 0, 1, { 3, 5, -1, -1 } }, { 4, 0, 0, { 4, -1, -1, -1 } },
	};
	const int64_t blocks = l->k / 16, block = blocks * AMP_WINO_RAW_BLOCK;
	for (int64_t i = from, end; i < to; i = end) {
		const int64_t b = i / AMP_WINO_RAW2_ROWS, first = b * AMP_WINO_RAW2_ROWS;
		end = first + AMP_WINO_RAW2_ROWS < to ? first + AMP_WINO_RAW2_ROWS : to;
		for (int q = 0; q < 4; q++)
			for (int32_t k = 0; k < l->k; k += AMP_WINO_RAW_K)
				for (int32_t r = (int32_t)(i - first); r < (int32_t)(end - first) && (r < 4 || q < 2); r++) {
					const int last = r == 4, plane = phases[q].first + (last ? 6 : 0);
					float *const sum = m + r * AMP_WINO_RAW2_ROWS * l->m_point + b * l->v_block;
					struct amp_wino_raw2 a = {
						.g = g + b * block + k / 16 * AMP_WINO_RAW_BLOCK + plane * 256,
						.x = v + r * AMP_WINO_RAW2_ROWS * l->v_point + (q * blocks + k / 16) * l->v_block,
						.point = l->v_point, .x_block = l->v_block, .two = phases[q].two,
						.k = l->k - k < AMP_WINO_RAW_K ? l->k - k : AMP_WINO_RAW_K,
						.mixed = phases[q].mixed && !last, .p = last ? 0 : amp_wino_raw2_point(r),
						.go = q > 0 || k > 0, .sum = sum, .sum_point = l->m_point,
					};
					if (l->ahead && !last && phases[q].fetch[r] >= 0)
						a.ahead = block + (phases[q].fetch[r] - plane) * 256;
					for (int32_t t = 0; t < (l->nt + 3) / 4 * 4 && !a.go; t++)	/* where phase 1 has no term */
						v_store(sum + 4 * l->m_point + t * 16, v_zero());
					amp_wino_raw2_tiles(a, l->nt, l->v_block);
				}
	}
}
#endif

#endif
