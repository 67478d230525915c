/*
 * winograd_raw.h - the products of winograd_c16.inc for F(4, 3) with the weights as the model has them: their whole
 * transform is done at each run, on its way into the product.
 *
 * A map of 7x7 has four tiles: each transformed weight would be read from memory for four multiplications.  The model's own
 * are a quarter of that.
 *
 * in:  g [m/16][c/16][9][16][16], as conv_c16.inc has them; v [36 points][c/16][chunk][16], chunk a multiple of four
 * out: m [36][m/16][chunk][16] = sum of v u over the inputs, ascending, from +0, by fma.  Down each column of the kernel, with
 *	its weights g0 g1 g2: e = fma(p^2, g2, g0), o = p g1, rounded; at p and -p h = e + o and e - o, at 0 g0, at infinity g2;
 *	along each row of h u likewise.
 *
 * AVX-512: the six points of a row and four tiles in registers, the weights made there.  An input of four tiles is read at a
 * time, and a core loads more where they lie side by side: so there V is turned, [16][4] in place of [4][16] (amp_wino_turn).
 * Elsewhere u of a row of points and some inputs lies on the stack, then tile.h.
 */
#ifndef AMP_WINOGRAD_RAW_H
#define AMP_WINOGRAD_RAW_H

#include "kernels/winograd_forms.h"

/* do any of the model's layers need it? */
#define AMP_WINO_RAWS AMP_USES(FORM, AMP_WINO_RAW)

#define AMP_WINO_RAW_ROWS 6
#define AMP_WINO_RAW_K 32	/* inputs at a time: what six rows need of them stays in the first cache */
#define AMP_WINO_RAW_BLOCK (9 * 256)	/* floats: weights of 16 inputs */

struct amp_wino_raw {
	int32_t k, m_blocks, nt;		/* inputs; blocks of columns; tiles */
	int64_t v_block, v_point, m_point;	/* floats: to the next block of inputs (columns), point */
	int64_t ahead;				/* floats: weights that far behind these are fetched into the second cache */
};

/* x at point c, x0 and x3 the first and the fourth: two pointers and multiples of `point` reach all; four tiles of it */
#define AMP_RAW_X0 x0
#define AMP_RAW_X1 (x0 + point)
#define AMP_RAW_X2 (x0 + 2 * point)
#define AMP_RAW_X3 x3
#define AMP_RAW_X4 (x3 + point)
#define AMP_RAW_X5 (x3 + 2 * point)
#define AMP_RAW_TILES(M, c) M(c, 0) M(c, 1) M(c, 2) M(c, 3)
#define AMP_RAW_NEW(c, t) vf a##c##t = v_zero();
#define AMP_RAW_GO(c, t) a##c##t = v_load(sum + c * sum_point + t * 16);
#define AMP_RAW_PUT(c, t) v_store(sum + c * sum_point + t * 16, a##c##t);
#define AMP_RAW_FMA(c, t) a##c##t = v_fma(v_set1(AMP_RAW_X##c[t]), u, a##c##t);
#define AMP_RAW_AT(c, value) { const vf u = (value); AMP_RAW_TILES(AMP_RAW_FMA, c) }

#ifdef AMP_ISA_AVX512
#define AMP_WINO_TURNS 1
/* Of the tiles of a block of 16 inputs, each four, where they lie; the last four may be fewer: zeros are beside them */
AMP_INLINE void amp_wino_turn(float *v, int32_t nt)
{
	for (int32_t t = nt; t % 4; t++)
		v_store(v + t * 16, v_zero());
	for (; nt > 0; nt -= 4, v += 64)
		v_turn4(v, v);
}
#else
#define AMP_WINO_TURNS 0
#endif

#if AMP_WINO_RAWS
/* Row r of the points: p, and 0 at its ends */
AMP_INLINE float amp_wino_raw_point(int32_t r)
{
	return r == 0 || r == 5 ? 0 : (r % 2 ? 1 : -1) * (r < 3 ? 0.75f : 1.5f);
}

/* h0 h1 h2 of a row between the ends, and of one of the two at the ends, from the weights g of an input */
#define AMP_RAW_H(j) const vf h##j = v_add(v_fma(square, v_load(g + (6 + j) * 256), v_load(g + j * 256)), \
					    v_opaque(v_mul(p, v_load(g + (3 + j) * 256))));
#define AMP_RAW_H_pair AMP_REP3(AMP_RAW_H)
#define AMP_RAW_H_end const vf h0 = v_load(g), h1 = v_load(g + 256), h2 = v_load(g + 512);

#ifdef AMP_ISA_AVX512

/* Four tiles at the points of a row, some inputs, one block of columns */
struct amp_wino_raw_row {
	const float *g, *x;		/* at the end at infinity: g's last row */
	int64_t point, x_block;		/* floats: to x's next point; to the next block of 16 inputs */
	int32_t k;
	float p;
	int go;				/* do the sums go on? */
	float *sum;
	int64_t sum_point;
	int64_t ahead, ahead2;		/* from g: what each step fetches */
};

#define AMP_RAW_POINTS(M) AMP_RAW_TILES(M, 0) AMP_RAW_TILES(M, 1) AMP_RAW_TILES(M, 2) AMP_RAW_TILES(M, 3) \
	AMP_RAW_TILES(M, 4) AMP_RAW_TILES(M, 5)
#define AMP_RAW_PAIR(p, square, plus, minus) { \
	const vf e = v_fma(square, h2, h0), o = v_opaque(v_mul(p, h1)); \
	AMP_RAW_AT(plus, v_add(e, o)) \
	AMP_RAW_AT(minus, v_sub(e, o)) }
#define AMP_RAW_FN(WHICH) \
static __attribute__((noinline)) void amp_wino_raw_##WHICH(const struct amp_wino_raw_row *r) \
{ \
	const vf p = v_set1(r->p), square = v_set1(r->p * r->p);	/* exact */ \
	const vf p1 = v_set1(0.75f), square1 = v_set1(0.5625f), p2 = v_set1(1.5f), square2 = v_set1(2.25f); \
	const int64_t point = r->point, sum_point = r->sum_point, ahead = r->ahead, ahead2 = r->ahead2; \
	const float *g = r->g, *x = r->x; \
	float *const sum = r->sum; \
	AMP_RAW_POINTS(AMP_RAW_NEW) \
	if (r->go) { \
		AMP_RAW_POINTS(AMP_RAW_GO) \
	} \
	for (int32_t left = r->k; left > 0; left -= 16, x += r->x_block, g += AMP_WINO_RAW_BLOCK - 256) { \
		const float *x0 = x, *x3 = x + 3 * point; \
		__asm__("" : "+r"(x3)); \
		for (const float *end = g + (left < 16 ? left : 16) * 16; g != end; g += 16, x0 += 4, x3 += 4) { \
			AMP_RAW_H_##WHICH \
			__builtin_prefetch(g + ahead, 0, 2); \
			__builtin_prefetch(g + ahead2, 0, 2); \
			AMP_RAW_AT(0, h0) \
			AMP_RAW_AT(5, h2) \
			AMP_RAW_PAIR(p1, square1, 1, 2) \
			AMP_RAW_PAIR(p2, square2, 3, 4) \
		} \
	} \
	(void)p, (void)square; \
	AMP_RAW_POINTS(AMP_RAW_PUT) \
}
AMP_RAW_FN(pair)
AMP_RAW_FN(end)

/* One row of points, `inputs` inputs from the k-th on, one block of columns: g, v and m at their first */
AMP_INLINE void amp_wino_raw_row(const struct amp_wino_raw *l, const float *g, const float *v, float *m, int32_t r,
				 int32_t k, int32_t inputs)
{
	const int end = r == 0 || r == 5;
	struct amp_wino_raw_row a = {
		.g = g + (r == 5 ? 6 * 256 : 0), .x = v, .point = l->v_point, .x_block = l->v_block, .k = inputs,
		.p = amp_wino_raw_point(r), .go = k > 0, .sum = m, .sum_point = l->m_point,
	};
	/* the rows between them fetch the nine weights of what comes next: 0 3, 1 4, 2 5, 6 7; the last end 8 */
	if (l->ahead && !end) {
		a.ahead = l->ahead + (r < 4 ? r - 1 : 6) * 256;
		a.ahead2 = l->ahead + (r < 4 ? r + 2 : 7) * 256;
	} else if (l->ahead && r == 5) {
		a.ahead = a.ahead2 = l->ahead + 2 * 256;
	}
	for (int32_t t = 0; t < l->nt; t += 4) {
		(end ? amp_wino_raw_end : amp_wino_raw_pair)(&a);
		a.x += 64;
		a.sum += 64;
		a.ahead = a.ahead2 = 0;
	}
}

#else

/* One row of points, `inputs` inputs from the k-th on, one block of columns: g, v and m at their first */
AMP_OUTLINE void amp_wino_raw_row(const struct amp_wino_raw *l, const float *g, const float *v, float *m, int32_t r,
				  int32_t k, int32_t inputs)
{
	const float at_p = amp_wino_raw_point(r);
	const vf p = v_set1(at_p), square = v_set1(at_p * at_p);	/* exact */
	const int end = r == 0 || r == 5;
	const int64_t ahead = l->ahead && r < 5 ? l->ahead + 2 * r * 256 : 0;
	_Alignas(64) float u[AMP_WINO_RAW_ROWS][AMP_WINO_RAW_K * 16];
	struct amp_tile t = {
		.x_block = l->v_block, .x_pixel = 16, .sum_block = l->v_block, .cs = 16, .ky1 = 1, .kh = 1, .kw = 1,
		.blocks = (inputs + 15) / 16,
	};
	t.last = inputs - (t.blocks - 1) * 16;
	g += r == 5 ? 6 * 256 : 0;
	for (int32_t i = 0; i < inputs; i++, g += i % 16 ? 16 : AMP_WINO_RAW_BLOCK - 240) {
		vf h[3];
		for (int j = 0; j < 3; j++) {	/* loops: v_fma is long where it is software */
			const float *const at = g + j * 256;
			h[j] = end ? v_load(at) : v_add(v_fma(square, v_load(at + 6 * 256), v_load(at)),
							v_opaque(v_mul(p, v_load(at + 3 * 256))));
		}
		__builtin_prefetch(g + ahead, 0, 2);
		__builtin_prefetch(g + ahead + 256, 0, 2);
		v_store(u[0] + i * 16, h[0]);
		v_store(u[5] + i * 16, h[2]);
		for (int j = 1; j < 5; j += 2) {
			const float q = amp_wino_raw_point(j);
			const vf e = v_fma(v_set1(q * q), h[2], h[0]), o = v_opaque(v_mul(v_set1(q), h[1]));
			v_store(u[j] + i * 16, v_add(e, o));
			v_store(u[j + 1] + i * 16, v_sub(e, o));
		}
	}
	for (int32_t c = 0; c < AMP_WINO_RAW_ROWS; c++, v += l->v_point, m += l->m_point) {
		t.w = u[c];
		for (int32_t i = 0, n; i < l->nt; i += n) {
			n = amp_tile_width(l->nt - i);
			t.x = v + i * 16;
			t.start = k ? m + i * 16 : NULL;
			amp_tiles[0][n - 1](&t, m + i * 16);
		}
	}
}
#endif

/* Of all (block of columns, row of points), those numbered [from, to) */
AMP_INLINE void amp_wino_raw_products(const struct amp_wino_raw *l, const float *g, const float *v, float *m,
				      int64_t from, int64_t to)
{
	const int64_t block = (int64_t)((l->k + 15) / 16) * AMP_WINO_RAW_BLOCK, row_v = AMP_WINO_RAW_ROWS * l->v_point;
	for (int64_t i = from, end; i < to; i = end) {
		const int64_t b = i / AMP_WINO_RAW_ROWS;
		end = (b + 1) * AMP_WINO_RAW_ROWS < to ? (b + 1) * AMP_WINO_RAW_ROWS : to;
		for (int32_t k = 0; k < l->k; k += AMP_WINO_RAW_K) {
			const int32_t inputs = l->k - k < AMP_WINO_RAW_K ? l->k - k : AMP_WINO_RAW_K;
			for (int64_t j = i; j < end; j++) {
				const int32_t r = (int32_t)(j - b * AMP_WINO_RAW_ROWS);
				amp_wino_raw_row(l, g + b * block + k / 16 * AMP_WINO_RAW_BLOCK, v + r * row_v + k / 16 * l->v_block,
						 m + r * AMP_WINO_RAW_ROWS * l->m_point + b * l->v_block, r, k, inputs);
			}
		}
	}
}
#endif

#endif
