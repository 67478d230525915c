/*
 * winograd_columns.h - F(4, 4) of a plain picture: products and the columns' half of the output's transform in one.
 *
 * A sum of a dozen products is hardly worth its way to memory and back: the seven points of a column are summed for four
 * tiles at a time in 28 registers, and only the four sums that the transform makes of them are stored.  The operations and
 * their order are those of winograd_c16.inc.  AVX-512 has the registers.
 *
 * in:  v [points][tile][16]; u [point][m/16][k][16]
 * out: c [tile][column][4][16] of one block of 16 outputs, from which amp_wino_rows4x4 makes the pixels
 */
#ifndef AMP_WINOGRAD_COLUMNS_H
#define AMP_WINOGRAD_COLUMNS_H

#include "kernels/winograd_forms.h"

#if AMP_WINO_BY_COLUMNS

#define AMP_COLUMN_FLOATS (7 * 4 * 16)		/* of c, for a tile */

struct amp_wino_column {
	const float *v, *u;		/* first tile, the column's first point, its first term */
	int64_t v_row, u_row;		/* to the next point of the column */
	int32_t most, last;		/* terms of its points, and of the last one: not more */
	float *c;
};

AMP_INLINE void amp_wino_column_put(const vf *m, float *c)
{
	vf r[4];
	amp_wino_a4x4(m, r);
	for (int i = 0; i < 4; i++)
		v_store(c + i * 16, r[i]);
}

#define AMP_COLUMN_START(i) \
	const float *const v##i = p->v + i * vs, *const u##i = p->u + i * us; \
	vf a##i##0 = v_zero(), a##i##1 = v_zero(), a##i##2 = v_zero(), a##i##3 = v_zero();
#define AMP_COLUMN_SUM(i, t) a##i##t = v_fma(v_set1(v##i[t * 16 + k]), w, a##i##t);
#define AMP_COLUMN_TERM(i) { \
	const vf w = v_load(u##i + k * 16); \
	AMP_COLUMN_SUM(i, 0) AMP_COLUMN_SUM(i, 1) AMP_COLUMN_SUM(i, 2) AMP_COLUMN_SUM(i, 3) }
#define AMP_COLUMN_PUT(t) { \
	const vf m[7] = { a0##t, a1##t, a2##t, a3##t, a4##t, a5##t, a6##t }; \
	amp_wino_column_put(m, c + t * AMP_COLUMN_FLOATS); }
static __attribute__((noinline)) void amp_wino_column_4(const struct amp_wino_column *p)
{
	const int64_t vs = p->v_row, us = p->u_row, most = p->most, last = p->last;
	float *const c = p->c;
	int64_t k = 0;
	AMP_REP7(AMP_COLUMN_START)
	for (; k < last; k++) {
		AMP_REP7(AMP_COLUMN_TERM)
	}
	for (; k < most; k++) {
		AMP_REP6(AMP_COLUMN_TERM)
	}
	AMP_REP4(AMP_COLUMN_PUT)
}

/* where fewer than four tiles are left */
static __attribute__((noinline)) void amp_wino_column_1(const struct amp_wino_column *p)
{
	vf m[7];
	for (int i = 0; i < 7; i++) {
		const float *v = p->v + i * p->v_row, *u = p->u + i * p->u_row;
		vf sum = v_zero();
		for (int32_t k = 0; k < (i < 6 ? p->most : p->last); k++)
			sum = v_fma(v_set1(v[k]), v_load(u + k * 16), sum);
		m[i] = sum;
	}
	amp_wino_column_put(m, p->c);
}

/* nt tiles at one column */
AMP_INLINE void amp_wino_columns(struct amp_wino_column g, int32_t nt)
{
	for (int32_t t = 0; t < nt;) {
		const int32_t n = nt - t < 4 ? 1 : 4;
		(n == 4 ? amp_wino_column_4 : amp_wino_column_1)(&g);
		g.v += n * 16;
		g.c += n * AMP_COLUMN_FLOATS;
		t += n;
	}
}

/* An amp_wino_out_fn of c; point is not read */
#define AMP_COLUMN_GET(k) d[k] = v_opaque(v_load(m + i * 16 + (k) * 64));
static __attribute__((noinline, unused)) void amp_wino_rows4x4(const float *m, int64_t point, const struct amp_wino_end *e,
								float *y, int64_t row)
{
	const int64_t next = 16;
	vf d[7], r[4];
	(void)point;
	AMP_WINO_ROWS(4, 4, 7, , AMP_COLUMN_GET)
}

#endif
#endif
