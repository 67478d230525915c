/*
 * test_winograd.c - winograd_c16 with the compiler's weights: the bits of the order that docs/numerics.md states
 * (transforms and sums written again here, one channel at a time), equal in both builds (call), and near the direct
 * sum in double: |error| <= (9 c + 3) eps max(sum |x w|), the direct form's own bound over the map.
 */
#include "kernel_test.h"
#include "ops/winograd.h"
#define AMP_T 1
#include "kernels/conv_c16.inc"
#include "kernels/winograd_c16.inc"

static void in1(const float *d, int s, int tile, float *t, int ts)
{
	const float d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s];
	if (tile == 2) {
		t[0] = d0 - d2, t[ts] = d1 + d2, t[2 * ts] = d2 - d1, t[3 * ts] = d1 - d3;
		return;
	}
	const float d4 = d[4 * s], d5 = d[5 * s];
	const float a = fmaf(-4, d2, d4), b = fmaf(-4, d1, d3), e = d4 - d2, f = d3 - d1;
	t[0] = fmaf(4, d0, fmaf(-5, d2, d4));
	t[ts] = a + b, t[2 * ts] = a - b;
	t[3 * ts] = fmaf(2, f, e), t[4 * ts] = fmaf(-2, f, e);
	t[5 * ts] = fmaf(4, d1, fmaf(-5, d3, d5));
}

static void out1(const float *m, int s, int tile, float *y, int ys)
{
	const float m0 = m[0], m1 = m[s], m2 = m[2 * s], m3 = m[3 * s];
	if (tile == 2) {
		y[0] = (m0 + m1) + m2, y[ys] = (m1 - m2) - m3;
		return;
	}
	const float p = m1 + m2, q = m1 - m2, u = m3 + m[4 * s], v = m3 - m[4 * s];
	y[0] = (m0 + p) + u, y[ys] = fmaf(2, v, q), y[2 * ys] = fmaf(4, u, p);
	y[3 * ys] = fmaf(8, v, q) + m[5 * s];
}

static int64_t at16(int64_t ch, int64_t h, int64_t w, int64_t y, int64_t x)
{
	return ((ch / 16 * h + y) * w + x) * 16 + ch % 16;
}

static void run(struct ctx *ctx, int tile, int64_t c, int64_t m, int64_t ih, int64_t iw, int pad, int chunk, int act,
		int with_z)
{
	const int size = tile + 2, points = size * size;
	const int64_t oh = ih + 2 * pad - 2, ow = iw + 2 * pad - 2, cb = (c + 15) / 16, mb = (m + 15) / 16;
	const int64_t nx = cb * ih * iw * 16, ny = mb * oh * ow * 16, dims[] = { m, c, 3, 3 };
	struct tensor *w = tensor_new(ctx, DT_FLOAT, 4, dims);
	ir_fill(w, random_bits());
	const float *u = winograd_weights(ctx, w, tile)->data, *g = w->data;
	float *x = floats(nx), *b = floats(mb * 16), *z = with_z ? floats(ny) : NULL, *y = get((size_t)ny * 4);
	float *want = get((size_t)ny * 4);
	double *truth = get((size_t)ny * 8), *bound = get((size_t)ny * 8), most = 0;
	char text[160];
	snprintf(text, sizeof text, "F%d c%d m%d %dx%d pad%d chunk%d act%d z%d", tile, (int)c, (int)m, (int)ih, (int)iw, pad,
		 chunk, act, with_z);
	what = text;
	for (int64_t i = 0; i < nx; i++)
		if (i / (ih * iw * 16) * 16 + i % 16 >= c)
			x[i] = 0;
	memset(want, 0, (size_t)ny * 4);
	memset(truth, 0, (size_t)ny * 8);
	const struct amp_winograd_c16 p = {
		.n = 1, .c = (int)c, .m = (int)m, .ih = (int)ih, .iw = (int)iw, .oh = (int)oh, .ow = (int)ow, .ph = pad,
		.pw = pad, .tile = tile, .chunk = chunk, .act = act, .alpha = 0.1f, .beta = 0.4f,
	};
	float *v = get((size_t)(c * points) * 4);
	for (int64_t ty = 0; ty < oh; ty += tile)
		for (int64_t tx = 0; tx < ow; tx += tile) {
			for (int64_t i = 0; i < c; i++) {
				float d[36], h[36];
				for (int k = 0; k < points; k++) {
					const int64_t r = ty - pad + k / size, s = tx - pad + k % size;
					d[k] = r < 0 || r >= ih || s < 0 || s >= iw ? 0 : x[at16(i, ih, iw, r, s)];
				}
				for (int k = 0; k < size; k++)
					in1(d + k, size, tile, h + k, size);
				for (int k = 0; k < size; k++)
					in1(h + k * size, 1, tile, v + i * points + k * size, 1);
			}
			for (int64_t o = 0; o < m; o++) {
				float s[36], h[24], r[16];
				for (int k = 0; k < points; k++) {
					s[k] = 0;
					for (int64_t i = 0; i < c; i++)
						s[k] = fmaf(v[i * points + k], u[((k * mb + o / 16) * c + i) * 16 + o % 16], s[k]);
				}
				for (int k = 0; k < size; k++)
					out1(s + k, size, tile, h + k, size);
				for (int k = 0; k < tile; k++)
					out1(h + k * size, 1, tile, r + k * tile, 1);
				for (int k = 0; k < tile * tile; k++) {
					const int64_t yy = ty + k / tile, xx = tx + k % tile;
					if (yy >= oh || xx >= ow)
						continue;
					const int64_t at = at16(o, oh, ow, yy, xx);
					float e[16] = { r[k] + (b[o] + 0.0f) }, done[16];
					e[0] = z ? e[0] + z[at] : e[0];
					v_store(done, amp_v_activation(v_load(e), act, 0.1f, 0.4f));
					want[at] = done[0];
					double t = (double)b[o] + (z ? (double)z[at] : 0), sum = fabs(t);
					for (int64_t i = 0; i < c * 9; i++) {
						const int64_t sy = yy - pad + i % 9 / 3, sx = xx - pad + i % 3;
						if (sy < 0 || sy >= ih || sx < 0 || sx >= iw)
							continue;
						const double q = (double)g[o * c * 9 + i] * (double)x[at16(i / 9, ih, iw, sy, sx)];
						t += q, sum += fabs(q);
					}
					truth[at] = act == AMP_EPI_RELU ? fmax(t, 0) : act == AMP_EPI_NONE ? t : (double)done[0];
					most = sum > most ? sum : most;
				}
			}
		}
	for (int64_t i = 0; i < ny; i++)
		bound[i] = (double)(9 * c + 3) * EPS * most;
	const void *in[4] = { x, u, b, z };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	call("winograd_c16", "f32", &p, in, out, bytes, 1, (size_t)winograd_scratch(c, m, tile, chunk));
	check(y, want, truth, bound, ny);
	free(x), free(b), free(z), free(y), free(want), free(truth), free(bound), free(v);
}

static enum result all(struct ctx *ctx, void *arg)
{
	static const struct { int c, m, h, w, pad, chunk; } cases[] = {
		{ 16, 16, 8, 8, 1, 4 }, { 16, 32, 7, 7, 1, 3 }, { 33, 40, 5, 9, 1, 14 }, { 17, 18, 3, 3, 1, 1 },
		{ 48, 20, 13, 6, 0, 5 }, { 16, 50, 4, 31, 2, 16 }, { 20, 16, 1, 1, 1, 1 }, { 64, 64, 14, 14, 1, 15 },
	};
	(void)arg;
	for (int i = 0; i < 8; i++)
		for (int tile = 2; tile <= 4; tile += 2)
			for (int z = 0; z < 2; z++)
				run(ctx, tile, cases[i].c, cases[i].m, cases[i].h, cases[i].w, cases[i].pad, cases[i].chunk,
				    z ? AMP_EPI_RELU : AMP_EPI_NONE, z);
	for (int act = AMP_EPI_NONE; act <= AMP_EPI_LEAKYRELU; act++)
		run(ctx, 2 + act % 2 * 2, 19, 21, 6, 7, 1, 2, act, 1);
	return R_SUCCESS;
}

int main(void)
{
	struct ctx *c = ctx_new();
	const enum result r = c ? ctx_run(c, all, NULL) : R_INTERNAL;
	ctx_free(c);
	return finish("test_winograd") || r != R_SUCCESS;
}
