/*
 * winograd_tiles.h - what the kernels of Winograd's algorithm (winograd_c16.inc, stem_c16.inc) do with a chunk of tiles
 * once V is made: the products, and the outputs.
 *
 * V [point][k/16][tile][16] and the sums M [point][m/16][tile][16] lie in scratch, a line after each point (caches alias);
 * k is the input channel, with stride 2 (phase, channel) as winograd_c16.inc says.
 */
#ifndef AMP_WINOGRAD_TILES_H
#define AMP_WINOGRAD_TILES_H

#include "kernels/type.h"
#include "kernels/conv_finish.h"
#include "kernels/tile.h"
#include "kernels/winograd_late.h"
#include "kernels/winograd_raw_phases.h"

struct amp_wino {
	/* of the layer */
	int32_t c, m, oh, ow, stride, tile, form, chunk, act;
	int64_t ahead;
	float alpha, beta;
	/* what follows from that */
	int32_t size, points, k, blocks, m_blocks, across, down;
	int64_t v_point, m_point, m_block, m_tile;
	float *v, *sums;
	amp_wino_out_fn *out;
};

/* Returns where V and M end. */
AMP_INLINE float *amp_wino_sizes(struct amp_wino *w, float *scratch)
{
	w->size = AMP_WINO_SIDE(w->form);
	w->m_blocks = (w->m + 15) / 16;
	w->points = w->size * w->size;
	w->k = w->c * w->stride * w->stride;
	w->blocks = (w->k + 15) / 16;
	w->across = (w->ow + w->tile - 1) / w->tile;
	w->down = (w->oh + w->tile - 1) / w->tile;
	w->v_point = (int64_t)w->blocks * w->chunk * 16 + 16;
	w->m_block = (int64_t)w->chunk * 16;
	w->m_tile = 16;
	w->m_point = w->m_blocks * w->m_block + 16;
	w->v = scratch;
	w->sums = w->v + w->points * w->v_point;
	w->out = amp_wino_out(w->form);
	return w->sums + w->points * w->m_point;
}

/* k from *from to *to are the terms at point q; the others have no weight there */
AMP_INLINE void amp_wino_terms(const struct amp_wino *w, int32_t q, int32_t *from, int32_t *to)
{
	const int32_t low = q / w->size == w->size - 1, right = q % w->size == w->size - 1;
	*from = w->stride == 2 && right ? w->c : 0;
	*to = w->stride == 1 ? w->k : low ? 2 * w->c : right ? 3 * w->c : w->k;
}

/*
 * F(4, 2)'s products.  Its phases of odd rows have a kernel of one row, whose transform is the same at each finite point of the
 * vertical direction, those of odd columns likewise: so of 81 weights 36 differ, and no others are stored.
 *	u [6][m/32][6][2][c][16], the last pair of blocks alone where they are odd in number:
 *	row i < 5 of points:	phase 1 at (i, any), phase 0 at (i, 0) to (i, 4)
 *	the last:		phase 2 at (any, 0) to (any, 4), phase 3
 * A row's weights are read once, the others', which each row reads, stay in a cache.
 */
AMP_OUTLINE void amp_wino_phases(const struct amp_wino *w, const float *u, int32_t nt, int64_t from, int64_t to)
{
	const int64_t plane = (int64_t)w->c * 16, phase = w->c / 16 * (int64_t)w->chunk * 16, all = w->m_blocks * 6 * plane;
	const int32_t each = (w->m_blocks + AMP_TILE_V - 1) / AMP_TILE_V;
	struct amp_tile g = {
		.x_block = (int64_t)w->chunk * 16, .x_pixel = 16, .w_block = plane, .sum_block = (int64_t)w->chunk * 16,
		.blocks = w->c / 16, .last = 16, .ky1 = 1, .kh = 1, .kw = 1, .cs = 16,
	};
	for (int64_t i = from; i < to; i++) {
		const int32_t row = (int32_t)(i / each), mb = (int32_t)(i % each) * AMP_TILE_V;
		const int32_t nv = w->m_blocks - mb < AMP_TILE_V ? w->m_blocks - mb : AMP_TILE_V;
		const int64_t step = (mb / 2 * 2 + 1 < w->m_blocks ? 2 : 1) * plane;
		const float *const at = u + mb / 2 * 2 * 6 * plane + mb % 2 * plane;
		for (int32_t j = 0; j < 5; j++) {
			const int32_t q = row * 5 + j;
			/* the phases in the order of the sum: 1, 0, 2, 3; each is fetched ahead where it is read first */
			const float *const of[4] = { at + row * all, at + row * all + (1 + j) * step, at + 5 * all + j * step, at + 5 * all + 5 * step };
			const int has[4] = { j < 4, 1, row < 4, j < 4 && row < 4 }, fresh[4] = { j == 0, 1, 1, j == 0 };
			int first = 1;
			for (int p = 0; p < 4; p++) {
				if (!has[p])
					continue;
				g.w = of[p];
				for (int32_t t = 0, n; t < nt; t += n) {
					float *const sum = w->sums + q * w->m_point + ((int64_t)mb * w->chunk + t) * 16;
					n = amp_tile_width(nt - t);
					amp_tile_ahead(&g, fresh[p] && t == 0 ? w->ahead : 0, 0, 1);
					g.start = first ? NULL : sum;
					g.x = w->v + q * w->v_point + p * phase + t * 16;
					amp_tiles[nv - 1][n - 1](&g, sum);
				}
				first = 0;
			}
		}
	}
}

/* A layer of F(4, 2) whose weights lie by phases */
#define AMP_WINO_BY_PHASES(w) (AMP_USES(FORM, 5) && (w)->form == 5 && (w)->c >= 16)

/* How many pieces the products of a chunk have, which parts share */
AMP_INLINE int64_t amp_wino_pieces(const struct amp_wino *w)
{
	const int64_t groups = (w->m_blocks + AMP_TILE_V - 1) / AMP_TILE_V;
	return w->form >= AMP_WINO_LATE ? (int64_t)w->size * w->m_blocks :
	       groups * (AMP_WINO_BY_PHASES(w) ? w->size : w->points);
}

/*
 * M = V U: those numbered [from, to) of the (point, AMP_TILE_V blocks of output channels), by phases: (row of points, the
 * same), late: (row of points, block of output channels), raw: (block of output channels, row of points)
 */
AMP_OUTLINE void amp_wino_products(const struct amp_wino *w, const float *u, int32_t nt, int64_t from, int64_t to)
{
#if AMP_WINO_RAWS || AMP_WINO_RAWS2
	const struct amp_wino_raw raw = {
		.k = w->c, .m_blocks = w->m_blocks, .nt = nt, .v_block = (int64_t)w->chunk * 16,
		.v_point = w->v_point, .m_point = w->m_point, .ahead = w->ahead,
	};
#endif
#if AMP_WINO_RAWS
	if (w->form == AMP_WINO_RAW) {
		amp_wino_raw_products(&raw, u, w->v, w->sums, from, to);
		return;
	}
#endif
#if AMP_WINO_RAWS2
	if (w->form == AMP_WINO_RAW2) {
		amp_wino_raw2_products(&raw, u, w->v, w->sums, from, to);
		return;
	}
#endif
#if AMP_WINO_LATES
	if (w->form == 7 + AMP_WINO_LATE) {
		const struct amp_wino_late l = {
			.k = w->k, .m_blocks = w->m_blocks, .nt = nt, .v_block = (int64_t)w->chunk * 16,
			.v_point = w->v_point, .m_point = w->m_point, .ahead = w->ahead,
		};
		amp_wino_late_products(&l, u, w->v, w->sums, from, to);
		return;
	}
#endif
	if (AMP_WINO_BY_PHASES(w)) {
		amp_wino_phases(w, u, nt, from, to);
		return;
	}
	struct amp_tile g = {
		.x_block = (int64_t)w->chunk * 16, .x_pixel = 16, .w_block = (int64_t)w->k * 16,
		.sum_block = (int64_t)w->chunk * 16,
		.ky1 = 1, .kh = 1, .kw = 1, .cs = 16,
	};
	const int32_t each = (w->m_blocks + AMP_TILE_V - 1) / AMP_TILE_V;
	for (int64_t i = from; i < to; i++) {
		const int32_t q = (int32_t)(i / each), mb = (int32_t)(i % each) * AMP_TILE_V;
		const int32_t nv = w->m_blocks - mb < AMP_TILE_V ? w->m_blocks - mb : AMP_TILE_V;
		int32_t k0, k1;
		amp_wino_terms(w, q, &k0, &k1);
		g.blocks = (k1 - k0 + 15) / 16;
		g.last = k1 - k0 - (g.blocks - 1) * 16;
		g.w = u + (((int64_t)q * w->m_blocks + mb) * w->k + k0) * 16;
		const float *v = w->v + q * w->v_point + (w->c < 16 ? k0 : k0 / 16 * g.x_block);
		const int32_t passes = (nt + AMP_TILE_T - 1) / AMP_TILE_T;
		for (int32_t t = 0, pass = 0; t < nt; pass++) {
			const int32_t n = amp_tile_width(nt - t);
			amp_tile_ahead(&g, w->ahead, pass, passes);
			g.x = v + (int64_t)t * 16;
			amp_tiles[nv - 1][n - 1](&g, w->sums + q * w->m_point + ((int64_t)mb * w->chunk + t) * 16);
			t += n;
		}
	}
}

/* y of tiles [t0, t0 + nt) of one image, blocks [b0, b1), `y_block` floats apart; z and y at row `top` of the map */
AMP_OUTLINE void amp_wino_outputs(const struct amp_wino *w, const float *bias, const float *z, float *y, int64_t y_block,
				 int32_t top, int32_t t0, int32_t nt, int64_t b0, int64_t b1)
{
	_Alignas(64) float pixels[AMP_WINO_MAX * AMP_WINO_MAX * 16];
	for (int32_t mb = (int32_t)b0; mb < (int32_t)b1; mb++) {
		const vf b = bias ? v_add(v_load(bias + mb * 16), v_zero()) : v_zero();
		const vm lanes = vm_first(w->m - mb * 16 < 16 ? w->m - mb * 16 : 16);
		const int simple = w->m - mb * 16 >= 16 && (w->act == AMP_EPI_RELU || w->act == AMP_EPI_NONE);
		int32_t oy = t0 / w->across * w->tile, ox = t0 % w->across * w->tile;
		for (int32_t t = 0; t < nt; t++) {
			const int32_t cols = w->ow - ox < w->tile ? w->ow - ox : w->tile;
			const int32_t rows = w->oh - oy < w->tile ? w->oh - oy : w->tile;
			const float *m = w->sums + mb * w->m_block + t * w->m_tile;
			const int64_t first = mb * y_block + ((int64_t)(oy - top) * w->ow + ox) * 16;
			const struct amp_wino_end e = { .bias = b, .z = z ? z + first : NULL, .relu = w->act == AMP_EPI_RELU };
			const int whole = simple && rows == w->tile && cols == w->tile;
			if (whole)
				w->out(m, w->m_point, &e, y + first, (int64_t)w->ow * 16);
			else
				w->out(m, w->m_point, NULL, pixels, (int64_t)w->tile * 16);
			for (int32_t i = 0; i < rows && !whole; i++) {
				const int64_t at = first + (int64_t)i * w->ow * 16;
				amp_conv_finish(w->act, w->alpha, w->beta, pixels + i * w->tile * 16, cols, b,
						z ? z + at : NULL, 16, lanes, y + at, 16);
			}
			ox += w->tile;
			if (ox >= w->ow) {
				ox = 0;
				oy += w->tile;
			}
		}
	}
}
#endif
