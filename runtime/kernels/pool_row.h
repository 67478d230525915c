/*
 * pool_row.h - a row of MaxPool's outputs in layout c16, from the rows of the map that its windows reach.
 */
#ifndef AMP_POOL_ROW_H
#define AMP_POOL_ROW_H

#include "kernels/type.h"

struct amp_pool_row {
	const float *x;			/* the map's pixel 0 in the windows' first row */
	int32_t rows;			/* how many rows of the map they reach, `row` floats apart; 0: none */
	int64_t row;
	int32_t iw, kw, sw, dw, pw;
};

/* the columns of the map that the window from ix on reaches: taps in [*lo, *hi) */
AMP_INLINE void amp_pool_columns(const struct amp_pool_row *p, int32_t ix, int32_t *lo, int32_t *hi)
{
	int32_t first = 0, end = p->kw;
	while (first < end && ix + first * p->dw < 0)
		first++;
	while (end > first && ix + (end - 1) * p->dw >= p->iw)
		end--;
	*lo = first;
	*hi = end;
}

/* In window order the first largest, NaN over everything: of rows and columns `row` and `col` floats apart */
AMP_OUTLINE void amp_pool_max_nan(const float *x, int32_t rows, int64_t row, int32_t cols, int64_t col, float *y)
{
	for (int lane = 0; lane < 16; lane++, x++) {
		float s = *x;
		for (int32_t i = 0; i < rows; i++)
			for (int32_t j = 0; j < cols; j++) {
				const float v = x[i * row + j * col];
				s = v > s || (v != v && s == s) ? v : s;
			}
		y[lane] = s;
	}
}

/*
 * A row of ow outputs, `none` where a window reaches nothing.  What sums up to a number holds no NaN; infinities of both
 * signs do not, and lose time.
 */
#define AMP_POOL_TAP(at) { \
	const vf v = v_load(at); \
	s = v_max(v, s);	/* of equal ones the first */ \
	sum = v_add(sum, v); }
#define AMP_POOL_TAP_3X3(k) AMP_POOL_TAP(x + k / 3 * row + k % 3 * col)
AMP_OUTLINE void amp_pool_max_row(const struct amp_pool_row *p, int32_t ow, vf none, float *y)
{
	const int32_t rows = p->rows;
	const int64_t row = p->row, col = (int64_t)p->dw * 16;
	for (int32_t ox = 0; ox < ow; ox++, y += 16) {
		const int32_t ix = ox * p->sw - p->pw;
		int32_t lo, hi;
		amp_pool_columns(p, ix, &lo, &hi);
		if (rows == 0 || lo == hi) {
			v_store(y, none);
			continue;
		}
		const float *x = p->x + ((int64_t)ix + lo * p->dw) * 16;
		vf s = v_load(x), sum = v_zero();
#ifndef AMP_ISA_SSE2
		if (rows == 3 && hi - lo == 3) {
			AMP_REP9(AMP_POOL_TAP_3X3)
		} else
#endif
			for (int32_t i = 0; i < rows; i++)
				for (int32_t j = 0; j < hi - lo; j++)
					AMP_POOL_TAP(x + i * row + j * col)
		v_store(y, s);
		if (vm_any(v_ne(sum, sum)))
			amp_pool_max_nan(x, rows, row, hi - lo, col, y);
	}
}

#endif
