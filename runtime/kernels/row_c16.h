/*
 * row_c16.h - a row of a c16 map with zeros beside it, for the convolutions whose tiles then need no test at its ends.
 *
 * in:  x, iw pixels of 16 floats
 * out: to, wp pixels: `left` zeros (at most wp), then x as far as it fits, then zeros
 */
#ifndef AMP_ROW_C16_H
#define AMP_ROW_C16_H

#include "kernels/type.h"

AMP_INLINE void amp_row_c16(const float *x, int32_t iw, int32_t left, int32_t wp, float *restrict to)
{
	left = left < wp ? left : wp;
	const int32_t n = wp - left < iw ? wp - left : iw;
	for (int32_t i = 0; i < left; i++)
		v_store(to + (int64_t)i * 16, v_zero());
	for (int32_t i = 0; i < n; i++)
		v_store(to + (int64_t)(left + i) * 16, v_load(x + (int64_t)i * 16));
	for (int32_t i = left + n; i < wp; i++)
		v_store(to + (int64_t)i * 16, v_zero());
}

#endif
