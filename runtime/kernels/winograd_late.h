/*
 * winograd_late.h - the products of winograd_c16.inc for F(5, 3) with late weights: of their transform only the columns'
 * half lies ready, the rows' is done at each run, on its way into the product.
 *
 * Such weights are 21 floats for each 9 of the model in place of 49.  Where a layer has few tiles, its weights' way from
 * memory takes longer than the arithmetic with them; that is where this pays.
 *
 * in:  h [row of 7 points][k/16][m/16][3][16][16]: G g, columns only (winograd_weights.inc); v [points][k/16][chunk][16]
 * out: m [points][m/16][chunk][16] = sum of v u over k ascending, from +0, by fma.  With h0 h1 h2 of one row and column:
 *	at p and -p:	e = fma(p^2, h2, h0)   o = p h1, rounded   u = e + o and e - o
 *	at infinity:	u = h2
 *
 * A row's inputs are taken some at a time, and all blocks of columns pass over them: so what lies of them in v stays in the
 * first cache, what lies in h comes there once, and the sums go on.
 * AVX-512: two points in one register tile, u made in registers from h at each step.  Elsewhere: u of some inputs at a time,
 * on the stack, then tile.h.
 */
#ifndef AMP_WINOGRAD_LATE_H
#define AMP_WINOGRAD_LATE_H

#include "kernels/winograd_forms.h"

/* do any of the model's layers need it? */
#define AMP_WINO_LATES AMP_USES(FORM, 7 + AMP_WINO_LATE)

#if AMP_WINO_LATES

#define AMP_WINO_LATE_ROWS 7
#define AMP_WINO_LATE_K 64		/* inputs at a time */
#define AMP_WINO_LATE_BLOCK (3 * 256)	/* floats of h: 16 inputs, one block of columns */

struct amp_wino_late {
	int32_t k, m_blocks, nt;		/* inputs; blocks of columns; tiles */
	int64_t v_block, v_point, m_point;	/* floats: to the next block of inputs (columns), point */
	int64_t ahead;				/* floats: weights that far behind these are fetched into the second cache */
};

/* One row of points and some inputs: where they begin in h, v and the sums, for the first block of columns */
struct amp_wino_late_part {
	const float *h, *v;
	float *m;
	int64_t next;			/* floats of h: to the next 16 inputs */
	int32_t inputs;
	int go;				/* do the sums go on? */
};

/* The i-th pair of points */
AMP_INLINE float amp_wino_late_point(int32_t i)
{
	return i == 0 ? 0.25f : i == 1 ? 0.875f : 1.75f;
}

/* u at p and at -p */
#define AMP_WINO_LATE_PAIR(h) \
	const vf e = v_fma(square, v_load(h + 512), v_load(h)), o = v_opaque(v_mul(point, v_load(h + 256))); \
	const vf plus = v_add(e, o), minus = v_sub(e, o);

/* A tile at the point at infinity: h2 of some inputs */
AMP_INLINE struct amp_tile amp_wino_late_last(const struct amp_wino_late *l, const struct amp_wino_late_part *a)
{
	struct amp_tile g = {
		.w_block = AMP_WINO_LATE_BLOCK, .x_block = l->v_block, .x_pixel = 16, .sum_block = l->v_block,
		.blocks = (a->inputs + 15) / 16, .cs = 16, .ky1 = 1, .kh = 3 * l->m_blocks, .kw = 1,
	};
	g.last = a->inputs - (g.blocks - 1) * 16;
	return g;
}

/* The tiles of g, nv blocks of columns, from the t-th on */
AMP_INLINE void amp_wino_late_tiles(const struct amp_wino_late *l, struct amp_tile g, int nv, int32_t t, int go, const float *v,
				    float *m)
{
	while (t < l->nt) {
		const int32_t n = amp_tile_width(l->nt - t);
		g.x = v + t * 16;
		g.start = go ? m + t * 16 : NULL;
		amp_tiles[nv - 1][n - 1](&g, m + t * 16);
		t += n;
	}
}

#ifdef AMP_ISA_AVX512

/* T tiles at two points: x at p, y at -p */
struct amp_wino_pair {
	const float *h, *x, *y;
	int64_t next, x_block;		/* floats: to the next 16 inputs in h, in x and y */
	int32_t k;
	float point;
	int go;
	float *sum_x, *sum_y;
	int64_t ahead;			/* from h: what each step fetches */
};

#define AMP_PAIRS 4			/* widths: 2 x 2 and 3 x 3 tiles are what small maps have; the rest is made of what there is */
static const int32_t amp_pair_widths[AMP_PAIRS] = { 9, 4, 2, 1 };
#define AMP_PAIR_ACC(t) vf a##t = v_zero(), b##t = v_zero();
#define AMP_PAIR_GO(t) a##t = v_load(p->sum_x + t * 16), b##t = v_load(p->sum_y + t * 16);
#define AMP_PAIR_X(t) a##t = v_fma(v_set1(x0[t * 16]), plus, a##t);
#define AMP_PAIR_Y(t) b##t = v_fma(v_set1(y0[t * 16]), minus, b##t);
#define AMP_PAIR_PUT(t) v_store(p->sum_x + t * 16, a##t); v_store(p->sum_y + t * 16, b##t);
#define AMP_PAIR_FN(T) \
static __attribute__((noinline)) void amp_wino_pair_##T(const struct amp_wino_pair *p) \
{ \
	const vf point = v_set1(p->point), square = v_set1(p->point * p->point);	/* exact */ \
	const int64_t ahead = p->ahead; \
	const float *h = p->h, *x = p->x, *y = p->y; \
	AMP_REP##T(AMP_PAIR_ACC) \
	if (p->go) { \
		AMP_REP##T(AMP_PAIR_GO) \
	} \
	for (int32_t left = p->k; left > 0; left -= 16, x += p->x_block, y += p->x_block, h += p->next - 256) { \
		const float *x0 = x, *y0 = y; \
		for (const float *end = h + (left < 16 ? left : 16) * 16; h != end; h += 16, x0++, y0++) { \
			AMP_WINO_LATE_PAIR(h) \
			__builtin_prefetch(h + ahead, 0, 2); \
			AMP_REP##T(AMP_PAIR_X) \
			AMP_REP##T(AMP_PAIR_Y) \
		} \
	} \
	AMP_REP##T(AMP_PAIR_PUT) \
}
AMP_PAIR_FN(1)
AMP_PAIR_FN(2)
AMP_PAIR_FN(4)
AMP_PAIR_FN(9)
typedef void amp_wino_pair_fn(const struct amp_wino_pair *p);
static amp_wino_pair_fn *const amp_wino_pairs[AMP_PAIRS] = { amp_wino_pair_9, amp_wino_pair_4, amp_wino_pair_2, amp_wino_pair_1 };

/* Blocks of columns [b0, b1).  Each of the three pairs of points fetches one plane of what comes next. */
AMP_INLINE void amp_wino_late_columns(const struct amp_wino_late *l, const struct amp_wino_late_part *a, int32_t b0, int32_t b1)
{
	struct amp_tile last = amp_wino_late_last(l, a);
	for (int32_t b = b0; b < b1; b++)
		for (int32_t j = 0; j < 3; j++) {
			struct amp_wino_pair p = {
				.h = a->h + b * AMP_WINO_LATE_BLOCK, .next = a->next, .x = a->v + 2 * j * l->v_point,
				.y = a->v + (2 * j + 1) * l->v_point, .x_block = l->v_block, .k = a->inputs,
				.point = amp_wino_late_point(j), .go = a->go, .sum_x = a->m + 2 * j * l->m_point + b * l->v_block,
				.sum_y = a->m + (2 * j + 1) * l->m_point + b * l->v_block, .ahead = l->ahead ? l->ahead + j * 256 : 0,
			};
			for (int32_t i = 0, left = l->nt; left > 0; ) {
				const int32_t n = amp_pair_widths[i];
				if (n > left) {
					i++;
					continue;
				}
				amp_wino_pairs[i](&p);
				p.x += n * 16;
				p.y += n * 16;
				p.sum_x += n * 16;
				p.sum_y += n * 16;
				p.ahead = 0;
				left -= n;
			}
		}
	for (int32_t b = b0; b < b1; b += AMP_TILE_V) {
		last.w = a->h + b * AMP_WINO_LATE_BLOCK + 512;
		amp_wino_late_tiles(l, last, b1 - b < AMP_TILE_V ? b1 - b : AMP_TILE_V, 0, a->go, a->v + 6 * l->v_point,
				    a->m + 6 * l->m_point + b * l->v_block);
	}
}

#else

#ifdef AMP_ISA_AVX2
/*
 * The first tiles at one point: t->x, h at t->w, which lies t->kh * 256 floats on for the next 16 inputs; the sums go on from
 * t->start.  u at that point (a pair's second: -p) is used as it is made, and kept for further tiles.
 * 5: 10 registers of sums, 2 of weights, 2 constants
 */
#define AMP_FIRST_FMA(t) a##t = v_fma(v_set1(x0[t * 16]), w, a##t);
#define AMP_FIRST_FN(T) \
static __attribute__((noinline)) void amp_wino_first_##T(const struct amp_tile *p, float at, float *restrict u, float *sum) \
{ \
	const vf point = v_set1(at), square = v_set1(at * at);	/* exact */ \
	const int64_t sb = 0, ahead = p->ahead[0]; \
	const float *const start = p->start, *h = p->w, *x = p->x; \
	AMP_REP##T(AMP_ACC1) \
	if (start) { \
		AMP_REP##T(AMP_GO1) \
	} \
	for (int32_t ib = p->blocks; ib > 0; ib--, x += p->x_block, h += (int64_t)(p->kh - 1) * 256) { \
		const float *x0 = x; \
		for (const float *end = h + (ib > 1 ? 16 : p->last) * 16; h != end; h += 16, u += 16, x0++) { \
			const vf o = v_opaque(v_mul(point, v_load(h + 256))); \
			const vf w = v_add(v_fma(square, v_load(h + 512), v_load(h)), o); \
			v_store(u, w); \
			__builtin_prefetch(h + ahead, 0, 2); \
			AMP_REP##T(AMP_FIRST_FMA) \
		} \
	} \
	(void)sb; \
	AMP_REP##T(AMP_PUT1) \
}
AMP_FIRST_FN(1)
AMP_FIRST_FN(4)
AMP_FIRST_FN(5)
#else
/* u of some inputs at a pair of points */
AMP_INLINE void amp_wino_late_weights(const struct amp_wino_late_part *a, const float *h, float p, int64_t ahead,
				      float u[2][AMP_WINO_LATE_K * 16])
{
	const vf point = v_set1(p), square = v_set1(p * p);	/* exact */
	for (int32_t i = 0; i < a->inputs; i += 16, h += a->next)
		for (int32_t at = 0; at < (a->inputs - i < 16 ? a->inputs - i : 16) * 16; at += 16) {
			AMP_WINO_LATE_PAIR(h + at)
			__builtin_prefetch(h + at + ahead, 0, 2);
			v_store(u[0] + i * 16 + at, plus);
			v_store(u[1] + i * 16 + at, minus);
		}
}
#endif

/* Blocks of columns [b0, b1); u at two points lies on the stack */
AMP_INLINE void amp_wino_late_columns(const struct amp_wino_late *l, const struct amp_wino_late_part *a, int32_t b0, int32_t b1)
{
	_Alignas(64) float u[2][AMP_WINO_LATE_K * 16];
	struct amp_tile last = amp_wino_late_last(l, a);
	for (int32_t b = b0; b < b1; b++) {
		const float *const h = a->h + b * AMP_WINO_LATE_BLOCK;
		float *const m = a->m + b * l->v_block;
		for (int32_t q = 0; q < 6; q++) {	/* 2 j and 2 j + 1 are p and -p */
			const float p = amp_wino_late_point(q / 2);
			const int64_t ahead = l->ahead && q % 2 == 0 ? l->ahead + q / 2 * 256 : 0;
			struct amp_tile g = last;
			int32_t t = 0;
#ifdef AMP_ISA_AVX2
			g.w = h;
			g.x = a->v + q * l->v_point;
			g.start = a->go ? m + q * l->m_point : NULL;
			g.ahead[0] = ahead;
			t = l->nt >= 5 ? 5 : l->nt == 4 ? 4 : 1;
			(t == 5 ? amp_wino_first_5 : t == 4 ? amp_wino_first_4 : amp_wino_first_1)(&g, q % 2 ? -p : p, u[0],
												m + q * l->m_point);
			g.ahead[0] = 0;
			g.w = u[0];
#else
			if (q % 2 == 0)
				amp_wino_late_weights(a, h, p, ahead, u);
			g.w = u[q % 2];
#endif
			g.kh = 1;
			amp_wino_late_tiles(l, g, 1, t, a->go, a->v + q * l->v_point, m + q * l->m_point);
		}
		last.w = h + 512;
		amp_wino_late_tiles(l, last, 1, 0, a->go, a->v + 6 * l->v_point, m + 6 * l->m_point);
	}
}
#endif

/* Of all (row of points, block of columns), those numbered [from, to) */
AMP_INLINE void amp_wino_late_products(const struct amp_wino_late *l, const float *h, const float *v, float *m,
				       int64_t from, int64_t to)
{
	struct amp_wino_late_part a = { .next = (int64_t)l->m_blocks * AMP_WINO_LATE_BLOCK };
	const int64_t blocks = (l->k + 15) / 16;
	for (int64_t i = from, end; i < to; i = end) {
		const int64_t row = i / l->m_blocks, first = row * l->m_blocks;
		end = first + l->m_blocks < to ? first + l->m_blocks : to;
		a.m = m + row * AMP_WINO_LATE_ROWS * l->m_point;
		for (int32_t k = 0; k < l->k; k += AMP_WINO_LATE_K) {
			a.h = h + (row * blocks + k / 16) * a.next;
			a.v = v + row * AMP_WINO_LATE_ROWS * l->v_point + k / 16 * l->v_block;
			a.inputs = l->k - k < AMP_WINO_LATE_K ? l->k - k : AMP_WINO_LATE_K;
			a.go = k > 0;
			amp_wino_late_columns(l, &a, (int32_t)(i - first), (int32_t)(end - first));
		}
	}
}
#endif

#endif
