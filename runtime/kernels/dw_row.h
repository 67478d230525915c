/*
 * dw_row.h - a row of outputs of a depthwise convolution in c16, for a block of 16 channels.
 *
 * in:  struct amp_dw_row: the rows of x under it, the weights, bias and clamp
 * out: one row of y: each output a sum over (ky, kx) by fma from +0, taps outside x skipped; then epilogue.h
 * Several outputs stand side by side in registers where all their taps lie inside x.
 */
#ifndef AMP_DW_ROW_H
#define AMP_DW_ROW_H

#include "kernels/type.h"
#include "kernels/conv_finish.h"
#include "kernels/tile.h"

#define AMP_DW_ROW 56	/* sums of a row that wait for their epilogue together */

/* One row of a block of 16 channels.  All strides in floats. */
struct amp_dw_row {
	const float *x, *w;		/* kernel row 0 at offset `from` of x; w: the weights of the first row inside */
	int64_t from, row, wrap;	/* offsets to the first row inside and to the next row; a ring's end */
	int64_t tap, col;		/* to the next kernel column, output */
	int32_t rows, kw, iw, dw;	/* rows: kernel rows inside x */
	int clamp;			/* the epilogue is a clamp of sum + bias: done in registers */
	vf bias, low, high;
	vm lanes;
};

/* A part's output rows, of planes of oh rows, numbered (plane, row): for (s = ...; s.at < s.end; amp_dw_next(&s)) */
struct amp_dw_share {
	int64_t at, end;
	int64_t oh, last, skip;		/* behind row `last` of a plane its rows of the next one follow, so far on */
};

/* All from at on */
AMP_INLINE struct amp_dw_share amp_dw_share_all(int64_t at, int64_t end)
{
	return (struct amp_dw_share){ at, end, 1, -1, 1 };
}

/* The same rows of each plane */
AMP_INLINE struct amp_dw_share amp_dw_share_rows(int64_t planes, int64_t oh, const struct amp_env *env)
{
	int64_t from, to;
	amp_share(oh, env->part, env->parts, &from, &to);
	return (struct amp_dw_share){ from, from < to ? planes * oh : from, oh, to - 1, oh - (to - from) + 1 };
}

AMP_INLINE void amp_dw_next(struct amp_dw_share *s)
{
	s->at += s->at % s->oh == s->last ? s->skip : 1;
}

/* T outputs, COL floats apart in x, whose taps all lie inside x; ix: the first output's tap (0, 0) */
#define AMP_DW_NEW(t) vf s##t = v_zero();
#define AMP_DW_FMA(t) s##t = v_fma(v_load(a + t * col), v, s##t);
#define AMP_DW_PUT(t) v_store(to + t * 16, s##t);
#define AMP_DW_CLAMP(t) \
	v_store(to + t * 16, v_sel(r->lanes, v_min(high, v_max(low, v_add(s##t, bias))), v_zero()));
/*
 * With 32 registers, kernels 3 and 5 wide without dilation load each pixel of a row once: x0, x1 .. are the pixels under the
 * taps and move on with the outputs.
 */
#if defined(AMP_ISA_AVX512)
#define AMP_DW_3(t) s##t = v_fma(x0, w0, s##t); s##t = v_fma(x1, w1, s##t); s##t = v_fma(x2, w2, s##t);
#define AMP_DW_5(t) AMP_DW_3(t) s##t = v_fma(x3, w3, s##t); s##t = v_fma(x4, w4, s##t);
#define AMP_DW_3_16(t) x2 = v_load(a + (t + 2) * 16); AMP_DW_3(t) x0 = x1; x1 = x2;
#define AMP_DW_3_32(t) x1 = v_load(a + (2 * t + 1) * 16); x2 = v_load(a + (2 * t + 2) * 16); AMP_DW_3(t) x0 = x2;
#define AMP_DW_5_16(t) x4 = v_load(a + (t + 4) * 16); AMP_DW_5(t) x0 = x1; x1 = x2; x2 = x3; x3 = x4;
#define AMP_DW_5_32(t) x3 = v_load(a + (2 * t + 3) * 16); x4 = v_load(a + (2 * t + 4) * 16); AMP_DW_5(t) \
	x0 = x2; x1 = x3; x2 = x4;
#define AMP_DW_SLIDES (r->tap == 16 && (r->kw == 3 || r->kw == 5))
#define AMP_DW_SLIDE(T, COL) \
	if (r->kw == 3) { \
		const vf w0 = v_load(w), w1 = v_load(w + 16), w2 = v_load(w + 32); \
		vf x0 = v_load(a), x1 = v_load(a + 16), x2; \
		AMP_REP##T(AMP_DW_3_##COL) \
		(void)x0, (void)x1; \
		w += 48; \
	} else { \
		const vf w0 = v_load(w), w1 = v_load(w + 16), w2 = v_load(w + 32), w3 = v_load(w + 48), w4 = v_load(w + 64); \
		vf x0 = v_load(a), x1 = v_load(a + 16), x2 = v_load(a + 32), x3 = v_load(a + 48), x4; \
		AMP_REP##T(AMP_DW_5_##COL) \
		(void)x0, (void)x1, (void)x2, (void)x3; \
		w += 80; \
	}
#else
#define AMP_DW_SLIDES 0
#define AMP_DW_SLIDE(T, COL)
#endif
#define AMP_DW_SLIDE_0(T)
#define AMP_DW_SLIDE_16(T) AMP_DW_SLIDE(T, 16)
#define AMP_DW_SLIDE_32(T) AMP_DW_SLIDE(T, 32)
#define AMP_DW_TILE(T, COL) \
static __attribute__((noinline)) void amp_dw_tile_##T##_##COL(const struct amp_dw_row *r, int64_t ix, float *restrict to) \
{ \
	const int64_t col = COL ? COL : r->col, tap = r->tap; \
	const int slides = AMP_DW_SLIDES; \
	const float *w = r->w; \
	int64_t at = r->from; \
	(void)col; \
	AMP_REP##T(AMP_DW_NEW) \
	for (int32_t ky = r->rows; ky > 0; ky--) { \
		const float *a = r->x + at + ix * 16; \
		if (COL && slides) { \
			AMP_DW_SLIDE_##COL(T) \
		} else { \
			for (int32_t kx = r->kw; kx > 0; kx--, a += tap, w += 16) { \
				const vf v = v_load(w); \
				AMP_REP##T(AMP_DW_FMA) \
			} \
		} \
		at += r->row; \
		at -= at >= r->wrap ? r->wrap : 0; \
	} \
	if (r->clamp) { \
		const vf bias = r->bias, low = r->low, high = r->high; \
		AMP_REP##T(AMP_DW_CLAMP) \
	} else { \
		AMP_REP##T(AMP_DW_PUT) \
	} \
}

typedef void amp_dw_tile(const struct amp_dw_row *r, int64_t ix, float *restrict to);

/* outputs side by side: their sums and a weight must fit the registers; strides 1 and 2, any other one by one */
#define AMP_DW_STRIDES(T) AMP_DW_TILE(T, 16) AMP_DW_TILE(T, 32)
#define AMP_DW_ROWS(T) { T, amp_dw_tile_##T##_16, amp_dw_tile_##T##_32 },
AMP_DW_TILE(1, 0)
AMP_DW_STRIDES(2)
#if !defined(AMP_ISA_SSE2)
AMP_DW_STRIDES(4)
#endif
#if defined(AMP_ISA_AVX512) || defined(AMP_ISA_AVX2)
AMP_DW_STRIDES(7)
#endif
#if defined(AMP_ISA_AVX512)
AMP_DW_STRIDES(14)
#endif
static const struct amp_dw_tiles {
	int32_t width;
	amp_dw_tile *stride1, *stride2;
} amp_dw_tiles[] = {
#if defined(AMP_ISA_AVX512)
	AMP_DW_ROWS(14)
#endif
#if defined(AMP_ISA_AVX512) || defined(AMP_ISA_AVX2)
	AMP_DW_ROWS(7)
#endif
#if !defined(AMP_ISA_SSE2)
	AMP_DW_ROWS(4)
#endif
	AMP_DW_ROWS(2)
	{ 1, amp_dw_tile_1_0, amp_dw_tile_1_0 },
};

/* one output at the edge: its first tap lies in column ix, which may be outside */
AMP_INLINE void amp_dw_edge(const struct amp_dw_row *r, int32_t ix, float *to)
{
	vf s = v_zero();
	for (int32_t ky = 0; ky < r->rows; ky++)
		for (int32_t kx = 0; kx < r->kw; kx++) {
			const int32_t i = ix + kx * r->dw;
			if (i >= 0 && i < r->iw)
				s = v_fma(v_load(r->x + r->from + ky * r->row + (int64_t)i * 16),
					  v_load(r->w + (ky * r->kw + kx) * 16), s);
		}
	if (r->clamp)
		s = v_sel(r->lanes, v_min(r->high, v_max(r->low, v_add(s, r->bias))), v_zero());
	v_store(to, s);
}

/*
 * The row y of ow outputs, sw apart in x; output 0 begins `shift` pixels in front of it.  Outputs lo .. hi - 1 have all
 * their taps inside x.
 */
AMP_INLINE void amp_dw_line(const struct amp_dw_row *r, int32_t ow, int32_t sw, int32_t shift, int32_t lo, int32_t hi,
			    int act, float alpha, float beta, const float *z, float *y)
{
	for (int32_t ox0 = 0, n; ox0 < ow; ox0 += n) {
		_Alignas(64) float sum[AMP_DW_ROW * 16];
		float *to = r->clamp ? y + (int64_t)ox0 * 16 : sum;
		const struct amp_dw_tiles *t = amp_dw_tiles;
		n = ow - ox0 < AMP_DW_ROW ? ow - ox0 : AMP_DW_ROW;
		for (int32_t i = 0, count; i < n; i += count) {
			const int32_t ox = ox0 + i, ix = ox * sw - shift;
			const int32_t left = (hi < ox0 + n ? hi : ox0 + n) - ox;
			count = 1;
			if (ox < lo || left <= 0) {
				amp_dw_edge(r, ix, to + i * 16);
				continue;
			}
			if (sw > 2) {
				amp_dw_tile_1_0(r, ix, to + i * 16);
				continue;
			}
			while (t->width > left)
				t++;
			count = t->width;
			(sw == 1 ? t->stride1 : t->stride2)(r, ix, to + i * 16);
		}
		if (!r->clamp)
			amp_conv_finish(act, alpha, beta, sum, n, r->bias, z ? z + (int64_t)ox0 * 16 : NULL, 16, r->lanes,
					y + (int64_t)ox0 * 16, 16);
	}
}

#endif
