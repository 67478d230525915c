/*
 * winograd.c - 3x3 convolutions by Winograd's algorithm: its weights, its cost, its admission (rules 6, 17, 18).
 *
 * In: a layer's sizes and weights.  Out: the tile size, or the packed weights.  Nothing here looks at the target.
 */
#include "ops/winograd.h"
#include "ir/schedule.h"
#define AMP_T 1
#include "kernels/conv_c16.inc"
#include "kernels/winograd_c16.inc"

#include <math.h>
#include <string.h>

/*
 * Weights u = G g G': in double, each column of g, then each row of the result, rounded to float once.  Products are
 * by powers of two, thus exact, and quotients are correctly rounded: every host gives the same bits.
 */
static void transform(const double *g, int64_t step, int tile, double *u, int64_t u_step)
{
	const double g0 = g[0], g1 = g[step], g2 = g[2 * step], e = g0 + g2;
	if (tile == 2) {
		u[0] = g0;
		u[u_step] = (e + g1) / 2;
		u[2 * u_step] = (e - g1) / 2;
		u[3 * u_step] = g2;
		return;
	}
	const double q = g0 + 4 * g2, d = 2 * g1;
	u[0] = g0 / 4;
	u[u_step] = (e + g1) / -6;
	u[2 * u_step] = (e - g1) / -6;
	u[3 * u_step] = (q + d) / 24;
	u[4 * u_step] = (q - d) / 24;
	u[5 * u_step] = g2;
}

struct tensor *winograd_weights(struct ctx *ctx, const struct tensor *w, int tile)
{
	const int size = tile + 2, points = size * size;
	const int64_t m = w->dim[0], c = w->dim[1], m_blocks = (m + 15) / 16;
	const int64_t dims[] = { points, m_blocks, c, 16 };
	struct tensor *t = tensor_new(ctx, DT_FLOAT, 4, dims);
	float *to = t->data;
	const float *from = w->data;
	for (int64_t o = 0; o < m; o++)
		for (int64_t i = 0; i < c; i++, from += 9) {
			double g[9], half[6 * 3], u[36];
			for (int k = 0; k < 9; k++)
				g[k] = (double)from[k];
			for (int k = 0; k < 3; k++)
				transform(g + k, 3, tile, half + k, 3);
			for (int k = 0; k < size; k++)
				transform(half + k * 3, 1, tile, u + k * size, 1);
			for (int k = 0; k < points; k++)
				to[((k * m_blocks + o / 16) * c + i) * 16 + o % 16] = (float)u[k];
		}
	return t;
}

/* ---- cost -------------------------------------------------------------------------------------- */

/*
 * In multiply-accumulates of one lane, for one image.  A step of a transform counts two, loads and stores too: about
 * 220 (input) and 200 (output) for F4, 64 and 50 for F2.  A weight is read once from memory and counts
 * eight: what makes late layers, with large weights and small maps, prefer the smaller tile.
 */
static double cost(const struct winograd_layer *l, int tile)
{
	const double c = (double)l->c, m = (double)l->m;
	if (tile == 0)
		return (double)l->oh * (double)l->ow * 9 * c * m + 8 * 9 * c * m;
	const double tiles = (double)((l->oh + tile - 1) / tile) * (double)((l->ow + tile - 1) / tile);
	const double points = tile == 4 ? 36 : 16, in = tile == 4 ? 440 : 128, out = tile == 4 ? 400 : 100;
	return tiles * (points * c * m + in * c + out * m) + 8 * points * c * m;
}

#define CHUNK_BYTES (384 << 10)		/* V and M of a chunk, where the weights fit into the cache beside them */
#define WHOLE_BYTES (2 << 20)		/* the same where the weights do not: they should stream once */
#define SMALL_WEIGHTS (1 << 20)

int64_t winograd_chunk(int64_t c, int64_t m, int tile, int64_t tiles)
{
	const int64_t points = tile == 4 ? 36 : 16;
	const int64_t each = points * ((c + 15) / 16 + (m + 15) / 16) * 64;
	const int64_t room = points * c * m * 4 <= SMALL_WEIGHTS ? CHUNK_BYTES : WHOLE_BYTES;
	int64_t n = room / each / 14 * 14;	/* 14: the widest register tile */
	if (n < 14)
		n = 14;
	return n < tiles ? n : tiles;
}

int64_t winograd_scratch(int64_t c, int64_t m, int tile, int64_t chunk)
{
	const int64_t points = tile == 4 ? 36 : 16;
	return points * (((c + 15) / 16 + (m + 15) / 16) * chunk * 64 + 2 * 64);
}

/* ---- admission ----------------------------------------------------------------------------------- */

/* One tile of output, all channels: sums in double, in c16 as the kernels give them */
static void truth(const struct winograd_layer *l, int tile, const float *x, double *y)
{
	const int size = tile + 2, n = tile * tile;
	const float *w = l->w->data;
	for (int64_t o = 0; o < l->m; o++) {
		double sum[16] = { 0 };
		for (int64_t i = 0; i < l->c; i++)
			for (int k = 0; k < 9; k++, w++) {
				const float *from = x + ((i / 16 * size + k / 3) * size + k % 3) * 16 + i % 16;
				const double g = (double)*w;
				for (int r = 0; r < tile; r++)	/* products of floats are exact in double */
					for (int s = 0; s < tile; s++)
						sum[r * tile + s] += g * (double)from[(r * size + s) * 16];
			}
		for (int k = 0; k < n; k++)
			y[(o / 16 * n + k) * 16 + o % 16] = sum[k];
	}
}

static double distance(const struct winograd_layer *l, int tile, const float *y, const double *want)
{
	double most = 0;
	for (int64_t o = 0; o < l->m; o++)
		for (int k = 0; k < tile * tile; k++) {
			const int64_t at = (o / 16 * tile * tile + k) * 16 + o % 16;
			const double d = fabs((double)y[at] - want[at]);
			if (!(d <= most))	/* a NaN stays */
				most = d;
		}
	return most;
}

/*
 * Rule 18 on a crop: one tile of output with all input and output channels, no padding, x from ir_fill(1).
 * Both forms by the kernels that `run --exact` uses.  The error of Winograd's form in units of the direct form's.
 */
static double ratio(struct ctx *ctx, const struct winograd_layer *l, int tile)
{
	const int size = tile + 2;
	const int64_t blocks = (l->c + 15) / 16, m_blocks = (l->m + 15) / 16;
	const int64_t x_dims[] = { blocks, size, size, 16 }, y_dims[] = { m_blocks, tile, tile, 16 };
	struct tensor *x = tensor_new(ctx, DT_FLOAT, 4, x_dims), *y = tensor_new(ctx, DT_FLOAT, 4, y_dims);
	struct tensor *want = tensor_new(ctx, DT_DOUBLE, 4, y_dims);
	ir_fill(x, 1);
	for (int64_t i = l->c % 16 ? (blocks - 1) * size * size * 16 : x->n; i < x->n; i++)
		if (i % 16 >= l->c % 16)
			((float *)x->data)[i] = 0;
	truth(l, tile, x->data, want->data);

	const struct amp_conv_c16 d = {
		.n = 1, .c = (int32_t)l->c, .m = (int32_t)l->m, .group = 1, .ih = size, .iw = size, .oh = tile, .ow = tile,
		.kh = 3, .kw = 3, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .band = tile,
	};
	const struct amp_winograd_c16 p = {
		.n = 1, .c = (int32_t)l->c, .m = (int32_t)l->m, .ih = size, .iw = size, .oh = tile, .ow = tile,
		.tile = tile, .chunk = 1,
	};
	struct amp_env env = { .scratch = mem_alloc(ctx, (size_t)winograd_scratch(l->c, l->m, tile, 1)), .parts = 1 };
	const void *in[4] = { x->data, l->w_direct->data, NULL, NULL };
	void *out[1] = { y->data };
	kernel_find("conv_c16", "f32")->fn(&d, in, out, &env);
	const double direct = distance(l, tile, y->data, want->data);
	in[1] = winograd_weights(ctx, l->w, tile)->data;
	kernel_find("winograd_c16", "f32")->fn(&p, in, out, &env);
	const double far = distance(l, tile, y->data, want->data);
	return far == 0 ? 0 : far / direct;	/* of two doubles, correctly rounded: the same on every host */
}

const char *winograd_name(int tile)
{
	return tile == 4 ? "winograd4" : "winograd2";
}

int winograd_choose(struct ctx *ctx, const struct winograd_layer *l, const char **tried)
{
	const double c4 = cost(l, 4), c2 = cost(l, 2), c0 = cost(l, 0);
	const int order[2] = { c4 <= c2 ? 4 : 2, c4 <= c2 ? 2 : 4 };
	for (int i = 0; i < 2; i++)
		if ((order[i] == 4 ? c4 : c2) < c0) {
			const double r = ratio(ctx, l, order[i]);
			*tried = str_printf(ctx, "%s%s%s %.2f", *tried ? *tried : "", *tried ? ", " : "",
					    winograd_name(order[i]), r);
			if (r <= 16)
				return order[i];
		}
	return 0;
}
