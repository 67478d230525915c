/*
 * winograd_late.h - the products of winograd_c16.inc with late weights: of their transform only the columns' half lies
 * ready, the rows' is done at each run, on its way into the product.
 *
 * F(4, 3) reads 18 floats for each 9 weights of the model in place of 36, F(5, 3) 21 in place of 49.  Where a layer has few
 * tiles, its weights' way from memory takes longer than the arithmetic with them; that is where this pays.
 *
 * in:  h [row of N points][m/16][3][k][16]: G g, columns only (winograd_weights.inc); v [points][k/16][chunk][16]
 * out: m [points][m/16][chunk][16] = sum of v u over k ascending, from +0, by fma.  With h0 h1 h2 of one row and column:
 *	at p and -p:	e = fma(p^2, h2, h0)   o = p h1, rounded   u = e + o and e - o
 *	at 0: u = h0	at infinity: u = h2
 *
 * AVX-512: two points in one register tile, u made in registers from h at each step.  Elsewhere: u of some inputs at a time,
 * on the stack, then tile.h.
 */
#ifndef AMP_WINOGRAD_LATE_H
#define AMP_WINOGRAD_LATE_H

#include "kernels/winograd_forms.h"

/* do any of the model's layers? */
#define AMP_WINO_LATES (AMP_USES(FORM, 6 + AMP_WINO_LATE) || AMP_USES(FORM, 7 + AMP_WINO_LATE))

struct amp_wino_late {
	int32_t size, k, m_blocks, nt;		/* N; inputs; blocks of columns; tiles */
	int64_t v_block, v_point, m_point;	/* floats: to the next block of inputs (columns), point */
	int64_t ahead;				/* floats: weights that far behind these are fetched into the second cache */
};

/* The i-th pair of points of N */
AMP_INLINE float amp_wino_late_point(int32_t size, int32_t i)
{
	return size == 6 ? (i == 0 ? 0.75f : 1.5f) : i == 0 ? 0.25f : i == 1 ? 0.875f : 1.75f;
}

/* u at p and at -p */
#define AMP_WINO_LATE_PAIR(h0, h1, h2) \
	const vf e = v_fma(square, v_load(h2), v_load(h0)), o = v_opaque(v_mul(point, v_load(h1))); \
	const vf plus = v_add(e, o), minus = v_sub(e, o);

#ifdef AMP_ISA_AVX512

/* T tiles at two points: x at p or 0, y at -p or infinity */
struct amp_wino_pair {
	const float *h, *x, *y;
	int64_t plane, x_block;		/* floats: from h0 to h1 to h2; to the next block of 16 inputs */
	int32_t k;
	float point;
	float *sum_x, *sum_y;
	int64_t ahead;			/* from h: what each step fetches */
};

#define AMP_PAIRS 4			/* widths: 2 x 2 and 3 x 3 tiles are what small maps have; the rest is made of what there is */
static const int32_t amp_pair_widths[AMP_PAIRS] = { 9, 4, 2, 1 };
#define AMP_PAIR_ACC(t) vf a##t = v_zero(), b##t = v_zero();
#define AMP_PAIR_X(t) a##t = v_fma(v_set1(x0[t * 16]), plus, a##t);
#define AMP_PAIR_Y(t) b##t = v_fma(v_set1(y0[t * 16]), minus, b##t);
#define AMP_PAIR_PUT(t) v_store(p->sum_x + t * 16, a##t); v_store(p->sum_y + t * 16, b##t);
#define AMP_PAIR_both AMP_WINO_LATE_PAIR(h, h + plane, h + 2 * plane)
#define AMP_PAIR_ends const vf plus = v_load(h), minus = v_load(h + 2 * plane);
#define AMP_PAIR_FN(WHICH, T) \
static __attribute__((noinline)) void amp_wino_##WHICH##_##T(const struct amp_wino_pair *p) \
{ \
	const vf point = v_set1(p->point), square = v_set1(p->point * p->point);	/* exact */ \
	const int64_t plane = p->plane, ahead = p->ahead; \
	const float *h = p->h, *x = p->x, *y = p->y; \
	AMP_REP##T(AMP_PAIR_ACC) \
	for (int32_t left = p->k; left > 0; left -= 16, x += p->x_block, y += p->x_block) { \
		const float *x0 = x, *y0 = y; \
		for (const float *end = h + (left < 16 ? left : 16) * 16; h != end; h += 16, x0++, y0++) { \
			AMP_PAIR_##WHICH \
			__builtin_prefetch(h + ahead, 0, 2); \
			AMP_REP##T(AMP_PAIR_X) \
			AMP_REP##T(AMP_PAIR_Y) \
		} \
	} \
	(void)point, (void)square; \
	AMP_REP##T(AMP_PAIR_PUT) \
}
#define AMP_PAIR_FNS(WHICH) \
	AMP_PAIR_FN(WHICH, 1) AMP_PAIR_FN(WHICH, 2) AMP_PAIR_FN(WHICH, 4) AMP_PAIR_FN(WHICH, 9) \
	static amp_wino_pair_fn *const amp_wino_##WHICH[AMP_PAIRS] = { \
		amp_wino_##WHICH##_9, amp_wino_##WHICH##_4, amp_wino_##WHICH##_2, amp_wino_##WHICH##_1, \
	};

typedef void amp_wino_pair_fn(const struct amp_wino_pair *p);
#if AMP_WINO_LATES
AMP_PAIR_FNS(both)
#endif
#if AMP_USES(FORM, 22)			/* N = 6 has the point 0 */
AMP_PAIR_FNS(ends)
#endif

/* Two points, all tiles; p's x, y and sums at the first */
AMP_OUTLINE void amp_wino_late_pair(struct amp_wino_pair p, amp_wino_pair_fn *const *fns, int32_t nt)
{
	for (int i = 0; nt > 0; ) {
		const int32_t n = amp_pair_widths[i];
		if (n > nt) {
			i++;
			continue;
		}
		fns[i](&p);
		p.x += n * 16;
		p.y += n * 16;
		p.sum_x += n * 16;
		p.sum_y += n * 16;
		p.ahead = 0;
		nt -= n;
	}
}

#if AMP_WINO_LATES
/*
 * One row of points, nv blocks of columns: h, v and m at their first.  The three pairs of points that there are, with 0 and
 * infinity as one, each fetch one plane of what comes next.
 */
AMP_INLINE void amp_wino_late_row(const struct amp_wino_late *l, const float *h, const float *v, float *m, int nv)
{
	const int64_t plane = (int64_t)l->k * 16;
	for (int b = 0; b < nv; b++)
		for (int32_t j = 0; j < 3; j++) {
			const int ends = AMP_USES(FORM, 22) && l->size == 6 && j == 2;
			const int64_t q = ends ? 0 : l->size == 6 ? 1 + 2 * j : 2 * j, far = ends ? 5 : 1;
			const struct amp_wino_pair p = {
				.h = h + 3 * b * plane, .plane = plane, .x = v + q * l->v_point, .y = v + (q + far) * l->v_point,
				.x_block = l->v_block, .k = l->k, .point = ends ? 0 : amp_wino_late_point(l->size, j),
				.sum_x = m + q * l->m_point + b * l->v_block, .sum_y = m + (q + far) * l->m_point + b * l->v_block,
				.ahead = l->ahead ? l->ahead + j * plane : 0,
			};
#if AMP_USES(FORM, 22)
			amp_wino_late_pair(p, ends ? amp_wino_ends : amp_wino_both, l->nt);
#else
			amp_wino_late_pair(p, amp_wino_both, l->nt);
#endif
		}
	if (l->size == 6)
		return;
	struct amp_tile g = {
		.w = h + 2 * plane, .x_block = l->v_block, .x_pixel = 16, .w_block = 3 * plane, .sum_block = l->v_block,
		.blocks = (l->k + 15) / 16, .cs = 16, .ky1 = 1, .kh = 1, .kw = 1,
	};
	g.last = l->k - (g.blocks - 1) * 16;
	for (int32_t t = 0; t < l->nt; ) {
		const int32_t n = amp_tile_width(l->nt - t);
		g.x = v + 6 * l->v_point + t * 16;
		amp_tiles[nv - 1][n - 1](&g, m + 6 * l->m_point + t * 16);
		t += n;
	}
}
#endif

#elif AMP_WINO_LATES

#define AMP_WINO_LATE_K 64		/* inputs at a time: what lies of them in h, u and v stays in the first cache */

#ifdef AMP_ISA_AVX2
/*
 * The first tiles at one point: t->x, t->w = h, the sums go on from t->start; u at that point (a pair's second: -p) is used
 * as it is made, and kept for further tiles.
 */
/* 5: 10 registers of sums, 2 of weights, 2 constants */
#define AMP_FIRST_FMA(t) a##t = v_fma(v_set1(x0[t * 16]), w, a##t);
#define AMP_FIRST_FN(T) \
static __attribute__((noinline)) void amp_wino_first_##T(const struct amp_tile *p, float at, float *restrict u, float *sum) \
{ \
	const vf point = v_set1(at), square = v_set1(at * at);	/* exact */ \
	const int64_t sb = 0, plane = p->w_block, ahead = p->ahead[0]; \
	const float *const start = p->start, *h = p->w, *x = p->x; \
	AMP_REP##T(AMP_ACC1) \
	if (start) { \
		AMP_REP##T(AMP_GO1) \
	} \
	for (int32_t ib = p->blocks; ib > 0; ib--, x += p->x_block) { \
		const float *x0 = x; \
		for (const float *end = h + (ib > 1 ? 16 : p->last) * 16; h != end; h += 16, u += 16, x0++) { \
			const vf o = v_opaque(v_mul(point, v_load(h + plane))); \
			const vf w = v_add(v_fma(square, v_load(h + 2 * plane), v_load(h)), o); \
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
AMP_INLINE void amp_wino_late_weights(const float *h, int64_t plane, int32_t inputs, float p, int64_t ahead,
				      float u[2][AMP_WINO_LATE_K * 16])
{
	const vf point = v_set1(p), square = v_set1(p * p);	/* exact */
	for (int64_t c = 0; c < inputs * 16; c += 16) {
		AMP_WINO_LATE_PAIR(h + c, h + plane + c, h + 2 * plane + c)
		__builtin_prefetch(h + c + ahead, 0, 2);
		v_store(u[0] + c, plus);
		v_store(u[1] + c, minus);
	}
}
#endif

/*
 * One row of points, nv blocks of columns: h, v and m at their first.  u of some inputs at two points lies on the stack, the
 * sums go on with the next inputs.
 */
AMP_INLINE void amp_wino_late_row(const struct amp_wino_late *l, const float *h, const float *v, float *m, int nv)
{
	const int32_t zero = l->size == 6, pairs = (l->size - 1) / 2;
	const int64_t plane = (int64_t)l->k * 16;
	_Alignas(64) float u[2][AMP_WINO_LATE_K * 16];
	struct amp_tile g = {
		.x_block = l->v_block, .x_pixel = 16, .sum_block = l->v_block, .cs = 16, .ky1 = 1, .kh = 1, .kw = 1,
	};
	for (int b = 0; b < nv; b++, h += 3 * plane, m += l->v_block)
		for (int32_t k = 0; k < l->k; k += AMP_WINO_LATE_K) {
			const int32_t inputs = l->k - k < AMP_WINO_LATE_K ? l->k - k : AMP_WINO_LATE_K;
			const float *const h0 = h + k * 16, *const h1 = h0 + plane, *const h2 = h1 + plane;
			g.blocks = (inputs + 15) / 16;
			g.last = inputs - (g.blocks - 1) * 16;
			for (int32_t q = 0; q < l->size; q++) {
				const int32_t i = q - zero, pair = i >= 0 && i < 2 * pairs;	/* pairs: 2 j and 2 j + 1 */
				const float p = amp_wino_late_point(l->size, i / 2);
				const int64_t next = l->ahead ? l->ahead + (pair ? i / 2 : 2) * plane : 0;
				int32_t t = 0;
				g.start = k ? m + q * l->m_point : NULL;
				g.x = v + q * l->v_point + k / 16 * l->v_block;
				g.ahead[0] = pair && i % 2 ? 0 : i < 0 || pair ? next : 0;
#ifdef AMP_ISA_AVX2
				if (pair) {
					t = l->nt >= 5 ? 5 : l->nt == 4 ? 4 : 1;
					g.w = h0;
					g.w_block = plane;
					(t == 5 ? amp_wino_first_5 : t == 4 ? amp_wino_first_4 : amp_wino_first_1)(
						&g, i % 2 ? -p : p, u[0], m + q * l->m_point);
					g.ahead[0] = 0;
				}
				g.w = i < 0 ? h0 : pair ? u[0] : h2;
#else
				if (pair && i % 2 == 0)
					amp_wino_late_weights(h0, plane, inputs, p, g.ahead[0], u);
				g.w = i < 0 ? h0 : pair ? u[i % 2] : h2;
				g.ahead[0] = pair ? 0 : g.ahead[0];
#endif
				while (t < l->nt) {
					const int32_t n = amp_tile_width(l->nt - t);
					float *const sum = m + q * l->m_point + t * 16;
					g.x = v + q * l->v_point + k / 16 * l->v_block + t * 16;
					g.start = k ? sum : NULL;
					amp_tiles[0][n - 1](&g, sum);
					g.ahead[0] = 0;
					t += n;
				}
			}
		}
}
#endif

#if AMP_WINO_LATES
/* Of all (row of points, AMP_TILE_V blocks of columns), those numbered [from, to) */
AMP_INLINE void amp_wino_late_products(const struct amp_wino_late *l, const float *h, const float *v, float *m,
				       int64_t from, int64_t to)
{
	const int32_t each = (l->m_blocks + AMP_TILE_V - 1) / AMP_TILE_V;
	for (int64_t i = from; i < to; i++) {
		const int64_t row = i / each, mb = i % each * AMP_TILE_V;
		const int nv = l->m_blocks - mb < AMP_TILE_V ? (int)(l->m_blocks - mb) : AMP_TILE_V;
		amp_wino_late_row(l, h + (row * l->m_blocks + mb) * 3 * l->k * 16, v + row * l->size * l->v_point,
				  m + row * l->size * l->m_point + mb * l->v_block, nv);
	}
}
#endif

#endif
