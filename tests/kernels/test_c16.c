/*
 * test_c16.c - convolution, depthwise convolution, both in one, and pooling in layout c16: the bits of the plain kernels, which
 * test_conv.c and test_pool.c judge, on random and edge shapes, with +0 in every lane beyond the channels; in all
 * builds and numbers of parts (kernel_test.h).
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/conv.inc"
#include "kernels/conv_c16.inc"
#include "kernels/convtranspose.inc"
#include "kernels/convtranspose_c16.inc"
#include "kernels/dwconv_c16.inc"
#include "kernels/pwdw_c16.inc"
#include "kernels/maxpool.inc"
#include "kernels/avgpool.inc"
#include "kernels/pool_c16.inc"

struct shape {
	int n, c, m, g;			/* channels in and out, groups */
	int in[2], k[2], s[2], d[2], p[2], pe[2], out[2];
};

static int fit(struct shape *h)
{
	for (int i = 0; i < 2; i++) {
		const int room = h->in[i] + h->p[i] + h->pe[i] - ((h->k[i] - 1) * h->d[i] + 1);
		h->out[i] = room < 0 ? 0 : room / h->s[i] + 1;
		if (h->out[i] < 1)
			return 0;
	}
	return 1;
}

/* plain [n, c, space] -> [n, c/16, space, 16], lanes beyond c +0 */
static float *to_c16(const float *x, int64_t n, int64_t c, int64_t space)
{
	const int64_t blocks = (c + 15) / 16;
	float *y = get((size_t)(n * blocks * space * 16) * 4);
	for (int64_t i = 0; i < n; i++)
		for (int64_t ch = 0; ch < blocks * 16; ch++)
			for (int64_t s = 0; s < space; s++)
				y[((i * blocks + ch / 16) * space + s) * 16 + ch % 16] =
					ch < c ? x[(i * c + ch) * space + s] : 0;
	return y;
}

/* every byte of y as c16 of `want` */
static void compare(const float *y, const float *want, int64_t n, int64_t c, int64_t space)
{
	float *w = to_c16(want, n, c, space);
	const int64_t count = n * ((c + 15) / 16) * space * 16;
	for (int64_t i = 0; i < count; i++)
		EXPECT(same_bits(y[i], w[i]), "float %lld is %.9g, the plain kernel's %.9g", (long long)i, (double)y[i],
		       (double)w[i]);
	free(w);
}

static void name(char *text, size_t size, const char *kind, const struct shape *h, int act)
{
	snprintf(text, size, "%s n%d c%d m%d g%d in%dx%d k%dx%d s%dx%d d%dx%d p%d,%d+%d,%d act%d", kind, h->n, h->c, h->m,
		 h->g, h->in[0], h->in[1], h->k[0], h->k[1], h->s[0], h->s[1], h->d[0], h->d[1], h->p[0], h->p[1],
		 h->pe[0], h->pe[1], act);
	what = text;
}

/* weights [m, c/g, kh, kw] -> [m/16][c/16/g][kh][kw][cs][16], zeros beyond m and c/g */
static float *pack(const float *w, const struct shape *h, int cs)
{
	const int cg = h->c / h->g, taps = h->k[0] * h->k[1], blocks = (cg + cs - 1) / cs, mb = (h->m + 15) / 16;
	float *p = get((size_t)(mb * blocks * taps * cs * 16) * 4);
	for (int o = 0; o < mb * 16; o++)
		for (int i = 0; i < blocks * cs; i++)
			for (int t = 0; t < taps; t++)
				p[((((int64_t)o / 16 * blocks + i / cs) * taps + t) * cs + i % cs) * 16 + o % 16] =
					o < h->m && i < cg ? w[((int64_t)o * cg + i) * taps + t] : 0;
	return p;
}

static float *pad16(const float *b, int n)
{
	float *p = b ? get((size_t)((n + 15) / 16) * 64) : NULL;
	for (int i = 0; b && i < (n + 15) / 16 * 16; i++)
		p[i] = i < n ? b[i] : 0;
	return p;
}

static void conv(const struct shape *h, int act, int with_b, int with_z)
{
	const int depthwise = h->g > 1 && h->g == h->c && h->m == h->c, cg = h->c / h->g;
	const int64_t space_in = (int64_t)h->in[0] * h->in[1], space = (int64_t)h->out[0] * h->out[1];
	const int64_t ny = h->n * h->m * space, n16 = (int64_t)h->n * ((h->m + 15) / 16) * space * 16;
	float *x = floats(h->n * h->c * space_in), *w = floats((int64_t)h->m * cg * h->k[0] * h->k[1]);
	float *b = with_b ? floats(h->m) : NULL, *z = with_z ? floats(ny) : NULL, *y = get((size_t)ny * 4);
	float *y16 = get((size_t)n16 * 4), *z16 = z ? to_c16(z, h->n, h->m, space) : NULL, *b16 = pad16(b, h->m);
	char text[200];
	name(text, sizeof text, depthwise ? "depthwise" : "conv", h, act);
	struct amp_conv p = { .n = h->n, .c = h->c, .m = h->m, .group = h->g, .rank = 2, .act = act, .alpha = -0.5, .beta = 0.25 };
	for (int i = 0; i < 2; i++) {
		p.in[i] = h->in[i], p.out[i] = h->out[i], p.kernel[i] = h->k[i];
		p.stride[i] = h->s[i], p.dilation[i] = h->d[i], p.pad[i] = h->p[i];
	}
	const size_t plain_scratch = ((size_t)cg * (size_t)h->k[0] * (size_t)h->k[1] * 16 +
		(size_t)cg * (size_t)h->k[0] * (size_t)(h->out[1] + (h->k[1] - 1) * h->d[1] + 80)) * 4;
	const void *plain[4] = { x, w, b, z };
	void *out[1] = { y }, *out16[1] = { y16 };
	const size_t bytes[1] = { (size_t)ny * 4 }, bytes16[1] = { (size_t)n16 * 4 };
	call("conv", "f32", &p, plain, out, bytes, 1, plain_scratch);
	const int cs = depthwise ? 1 : h->c < 16 ? h->c : 16, blocks = (cg + cs - 1) / cs;
	float *w16 = pack(w, h, cs), *x16 = !depthwise && h->c < 16 ? NULL : to_c16(x, h->n, h->c, space_in);
	const void *in[4] = { x16 ? x16 : x, w16, b16, z16 };
	if (depthwise) {
		struct amp_dwconv_c16 q = {
			.n = h->n, .c = h->c, .ih = h->in[0], .iw = h->in[1], .oh = h->out[0], .ow = h->out[1], .kh = h->k[0],
			.kw = h->k[1], .sh = h->s[0], .sw = h->s[1], .dh = h->d[0], .dw = h->d[1], .ph = h->p[0],
			.pw = h->p[1], .by_rows = (int32_t)random_int(0, 1), .act = act, .alpha = -0.5f, .beta = 0.25f,
		};
		call("dwconv_c16", "f32", &q, in, out16, bytes16, 1, 0);
		compare(y16, y, h->n, h->m, space);
		strcat(text, " copied");
		q.copy = 1;
		call("dwconv_c16", "f32", &q, in, out16, bytes16, 1, (size_t)((h->k[0] - 1) * h->d[0] + 1) *
		     (size_t)((h->out[1] - 1) * h->s[1] + (h->k[1] - 1) * h->d[1] + 1) * 64);
	} else {
		const int wp = (h->out[1] - 1) * h->s[1] + (h->k[1] - 1) * h->d[1] + 1, band = (int)random_int(1, h->out[0]);
		struct amp_conv_c16 q = {
			.n = h->n, .c = h->c, .m = h->m, .group = h->g, .ih = h->in[0], .iw = h->in[1], .oh = h->out[0],
			.ow = h->out[1], .kh = h->k[0], .kw = h->k[1], .sh = h->s[0], .sw = h->s[1], .dh = h->d[0],
			.dw = h->d[1], .ph = h->p[0], .pw = h->p[1], .x_plain = h->c < 16, .band = band, .act = act,
			.last_half = h->m % 16 >= 1 && h->m % 16 <= 8,
			.copy = h->c < 16 || h->p[1] > 0 || wp > h->in[1], .alpha = -0.5f, .beta = 0.25f,
		};
		const size_t row = (size_t)blocks * (size_t)cs * (size_t)wp * 4;
		const size_t rows = (size_t)((band - 1) * h->s[0] + (h->k[0] - 1) * h->d[0] + 1);
		call("conv_c16", "f32", &q, in, out16, bytes16, 1, q.copy ? rows * row : 0);
		if (h->c >= 16) {	/* the map as one row of gathered taps */
			compare(y16, y, h->n, h->m, space);
			strcat(text, " gathered");
			test_shared = (size_t)((h->c + 15) / 16 * h->k[0] * h->k[1]) * (size_t)space * 64;
			test_phases = 2 * h->n;
			q.copy = AMP_CONV_TAPS;
			q.band = 1;
			q.ahead = 64;
			call("conv_c16", "f32", &q, in, out16, bytes16, 1, 0);
			test_shared = 0;
			test_phases = 1;
		}
	}
	compare(y16, y, h->n, h->m, space);
	free(x), free(w), free(b), free(z), free(y), free(y16), free(z16), free(b16), free(w16), free(x16);
}

/* h: the depthwise convolution; in front of it 1x1 from c0 channels */
static void pwdw(const struct shape *h, int c0, int act, int act2, int biases, int huge)
{
	const int64_t space_in = (int64_t)h->in[0] * h->in[1], space = (int64_t)h->out[0] * h->out[1];
	const int64_t n_mid = h->n * h->c * space_in, ny = h->n * h->c * space;
	const int64_t n16 = (int64_t)h->n * ((h->c + 15) / 16) * space * 16;
	float *x = floats(h->n * c0 * space_in), *w = floats((int64_t)h->c * c0), *v = floats((int64_t)h->c * h->k[0] * h->k[1]);
	float *b = biases & 1 ? floats(h->c) : NULL, *d = biases & 2 ? floats(h->c) : NULL;
	float *mid = get((size_t)n_mid * 4), *y = get((size_t)ny * 4), *y16 = get((size_t)n16 * 4);
	char text[200];
	name(text, sizeof text, "pwdw", h, act);
	snprintf(text + strlen(text), sizeof text - strlen(text), ",%d c0 %d b%d huge%d", act2, c0, biases, huge);
	for (int64_t i = 0; huge && i < h->n * c0 * space_in; i++)
		x[i] = random_int(0, 9) == 0 ? INFINITY : random_int(0, 9) == 0 ? NAN : random_int(0, 9) == 0 ? -0.0f : x[i] * 1e30f;
	const struct shape one = { .n = h->n, .c = c0, .m = h->c, .g = 1, .in = { h->in[0], h->in[1] }, .k = { 1, 1 } };
	const struct amp_conv p = {
		.n = h->n, .c = c0, .m = h->c, .group = 1, .rank = 2, .act = act, .alpha = -0.5, .beta = 0.25,
		.in = { h->in[0], h->in[1] }, .out = { h->in[0], h->in[1] }, .kernel = { 1, 1 }, .stride = { 1, 1 },
		.dilation = { 1, 1 },
	};
	const struct amp_conv q = {
		.n = h->n, .c = h->c, .m = h->c, .group = h->c, .rank = 2, .act = act2, .alpha = 0.125, .beta = 0.75,
		.in = { h->in[0], h->in[1] }, .out = { h->out[0], h->out[1] }, .kernel = { h->k[0], h->k[1] },
		.stride = { h->s[0], h->s[1] }, .dilation = { h->d[0], h->d[1] }, .pad = { h->p[0], h->p[1] },
	};
	const void *in1[4] = { x, w, b, NULL }, *in2[4] = { mid, v, d, NULL };
	void *out1[1] = { mid }, *out2[1] = { y }, *out3[1] = { y16 };
	const size_t bytes1[1] = { (size_t)n_mid * 4 }, bytes2[1] = { (size_t)ny * 4 }, bytes3[1] = { (size_t)n16 * 4 };
	call("conv", "f32", &p, in1, out1, bytes1, 1, (size_t)c0 * 64);
	call("conv", "f32", &q, in2, out2, bytes2, 1, (size_t)(h->k[0] * h->k[1]) * 64);
	const struct amp_pwdw_c16 r = {
		.n = h->n, .c = c0, .m = h->c, .ih = h->in[0], .iw = h->in[1], .oh = h->out[0], .ow = h->out[1], .kh = h->k[0],
		.kw = h->k[1], .sh = h->s[0], .sw = h->s[1], .dh = h->d[0], .dw = h->d[1], .ph = h->p[0], .pw = h->p[1],
		.by_rows = (int32_t)random_int(0, 1), .act = { act, act2 }, .alpha = -0.5f, .beta = 0.25f, .alpha2 = 0.125f, .beta2 = 0.75f,
	};
	const int tall = (h->k[0] - 1) * h->d[0] + 1, wp = (h->out[1] - 1) * h->s[1] + (h->k[1] - 1) * h->d[1] + 1;
	float *x16 = to_c16(x, h->n, c0, space_in), *w16 = pack(w, &one, 16), *v16 = pack(v, h, 1);
	float *b16 = pad16(b, h->c), *d16 = pad16(d, h->c);
	const void *in3[5] = { x16, w16, b16, v16, d16 };
	call("pwdw_c16", "f32", &r, in3, out3, bytes3, 1, (size_t)AMP_PWDW_BLOCKS * (size_t)tall * (size_t)wp * 64);
	compare(y16, y, h->n, h->c, space);
	free(x), free(w), free(v), free(b), free(d), free(mid), free(y), free(y16);
	free(x16), free(w16), free(v16), free(b16), free(d16);
}

static void transposed(const struct shape *h, int act, int with_b, int with_z)
{
	const int64_t space_in = (int64_t)h->in[0] * h->in[1], space = (int64_t)h->out[0] * h->out[1];
	const int64_t ny = h->n * h->m * space, n16 = (int64_t)h->n * ((h->m + 15) / 16) * space * 16;
	const int blocks = (h->c + 15) / 16, mb = (h->m + 15) / 16, sh = h->s[0], sw = h->s[1];
	float *x = floats(h->n * h->c * space_in), *w = floats((int64_t)h->c * h->m * h->k[0] * h->k[1]);
	float *b = with_b ? floats(h->m) : NULL, *z = with_z ? floats(ny) : NULL, *y = get((size_t)ny * 4);
	float *y16 = get((size_t)n16 * 4), *z16 = z ? to_c16(z, h->n, h->m, space) : NULL, *b16 = pad16(b, h->m);
	float *x16 = to_c16(x, h->n, h->c, space_in), *w16 = get((size_t)h->k[0] * h->k[1] * mb * blocks * 1024), *to = w16;
	char text[200];
	name(text, sizeof text, "transposed", h, act);
	struct amp_convtranspose p = { .n = h->n, .c = h->c, .m = h->m, .group = 1, .rank = 2, .act = act, .alpha = -0.5, .beta = 0.25 };
	for (int i = 0; i < 2; i++) {
		p.in[i] = h->in[i], p.out[i] = h->out[i], p.kernel[i] = h->k[i];
		p.stride[i] = h->s[i], p.dilation[i] = 1, p.pad[i] = h->p[i];
	}
	const void *plain[4] = { x, w, b, z };
	void *out[1] = { y }, *out16[1] = { y16 };
	const size_t bytes[1] = { (size_t)ny * 4 }, bytes16[1] = { (size_t)n16 * 4 };
	call("convtranspose", "f32", &p, plain, out, bytes, 1, (size_t)(h->c * h->k[0] * h->k[1]) * 64);
	for (int r = 0; r < sh * sw; r++)
		for (int i = 0; i < mb * blocks; i++)
			for (int ky = r / sw; ky < h->k[0]; ky += sh)
				for (int kx = r % sw; kx < h->k[1]; kx += sw)
					for (int l = 0; l < 256; l++) {
						const int c = i % blocks * 16 + l / 16, m = i / blocks * 16 + l % 16;
						*to++ = c < h->c && m < h->m ?
							w[(((int64_t)c * h->m + m) * h->k[0] + ky) * h->k[1] + kx] : 0;
					}
	const int low = h->p[1] / sw - ((h->k[1] + sw - 1) / sw - 1), high = (h->out[1] - 1 + h->p[1]) / sw;
	const int left = low < 0 ? -low : 0, wp = left + (high >= h->in[1] ? high + 1 : h->in[1]);
	const int band = (int)random_int(1, h->out[0]), rows = (band + sh - 2) / sh + (h->k[0] + sh - 1) / sh;
	const struct amp_convtranspose_c16 q = {
		.n = h->n, .c = h->c, .m = h->m, .ih = h->in[0], .iw = h->in[1], .oh = h->out[0], .ow = h->out[1],
		.kh = h->k[0], .kw = h->k[1], .sh = sh, .sw = sw, .ph = h->p[0], .pw = h->p[1], .left = left, .wp = wp,
		.copy = low < 0 || high >= h->in[1], .band = band, .act = act, .alpha = -0.5f, .beta = 0.25f,
	};
	const void *in[4] = { x16, w16, b16, z16 };
	call("convtranspose_c16", "f32", &q, in, out16, bytes16, 1, q.copy ? (size_t)(blocks * rows * wp) * 64 : 0);
	compare(y16, y, h->n, h->m, space);
	free(x), free(w), free(b), free(z), free(y), free(y16), free(z16), free(b16), free(w16), free(x16);
}

static void pool(const struct shape *h, int max, int count_pad, int nan)
{
	const int64_t space_in = (int64_t)h->in[0] * h->in[1], space = (int64_t)h->out[0] * h->out[1];
	const int64_t ny = (int64_t)h->n * h->c * space, n16 = (int64_t)h->n * ((h->c + 15) / 16) * space * 16;
	float *x = floats(h->n * h->c * space_in), *y = get((size_t)ny * 4), *y16 = get((size_t)n16 * 4);
	char text[200];
	name(text, sizeof text, max ? "maxpool" : "avgpool", h, 0);
	for (int64_t i = 0; nan && i < h->n * h->c * space_in; i++)
		x[i] = random_int(0, 9) == 0 ? (nan == 1 ? NAN : INFINITY) : random_int(0, 9) == 0 ? (nan == 1 ? -0.0f : -INFINITY) :
		       random_int(0, 9) == 0 ? 0.0f : random_int(0, 9) == 0 ? -0.0f : x[i];
	struct amp_maxpool pm = { .planes = h->n * h->c, .rank = 2 };
	struct amp_avgpool pa = { .planes = h->n * h->c, .rank = 2, .count_pad = count_pad };
	for (int i = 0; i < 2; i++) {
		pm.in[i] = pa.in[i] = h->in[i], pm.out[i] = pa.out[i] = h->out[i], pm.kernel[i] = pa.kernel[i] = h->k[i];
		pm.stride[i] = pa.stride[i] = h->s[i], pm.dilation[i] = pa.dilation[i] = h->d[i];
		pm.pad[i] = pa.pad[i] = h->p[i], pm.pad_end[i] = pa.pad_end[i] = h->pe[i];
	}
	const void *in[1] = { x };
	void *out[2] = { y, NULL }, *out16[1] = { y16 };
	const size_t bytes[2] = { (size_t)ny * 4, 0 }, bytes16[1] = { (size_t)n16 * 4 };
	call(max ? "maxpool" : "avgpool", "f32", max ? (void *)&pm : (void *)&pa, in, out, bytes, max ? 2 : 1, 0);
	float *x16 = to_c16(x, h->n, h->c, space_in);
	const void *in16[1] = { x16 };
	const struct amp_pool_c16 q = {
		.max = max, .count_pad = count_pad, .blocks = h->n * ((h->c + 15) / 16), .c = h->c, .ih = h->in[0],
		.iw = h->in[1], .oh = h->out[0], .ow = h->out[1], .kh = h->k[0], .kw = h->k[1], .sh = h->s[0],
		.sw = h->s[1], .dh = h->d[0], .dw = h->d[1], .ph = h->p[0], .pw = h->p[1], .ph_end = h->pe[0],
		.pw_end = h->pe[1],
	};
	call("pool_c16", "f32", &q, in16, out16, bytes16, 1, 0);
	compare(y16, y, h->n, h->c, space);
	free(x), free(y), free(y16), free(x16);
}

static struct shape any(int most_kernel)
{
	struct shape h = { .n = (int)random_int(1, 2), .g = 1 };
	do {
		for (int i = 0; i < 2; i++) {
			h.in[i] = (int)random_int(1, 19);
			h.k[i] = (int)random_int(1, most_kernel);
			h.s[i] = (int)random_int(1, 3);
			h.d[i] = random_int(0, 2) ? 1 : (int)random_int(2, 3);
			h.p[i] = random_int(0, 1) ? 0 : (int)random_int(0, h.k[i] - 1);
			h.pe[i] = random_int(0, 1) ? 0 : (int)random_int(0, h.k[i] - 1);
		}
	} while (!fit(&h));
	return h;
}

int main(void)
{
	static const int acts[] = { AMP_EPI_NONE, AMP_EPI_RELU, AMP_EPI_CLIP, AMP_EPI_SILU, AMP_EPI_SIGMOID, AMP_EPI_HARDSWISH,
				    AMP_EPI_HARDSIGMOID, AMP_EPI_LEAKYRELU, AMP_EPI_GELU, AMP_EPI_TANH };
	for (int i = 0; i < 160; i++) {
		const int act = acts[i % 10];
		struct shape h = any(5);
		/* depthwise */
		h.c = h.m = h.g = (int)random_int(2, 50);
		conv(&h, act, (int)random_int(0, 1), (int)random_int(0, 1));
		/* behind a 1x1 convolution; each tenth on a wider map */
		h = any(5);
		if (i % 10 == 9) {
			h.in[0] = 5, h.in[1] = (int)random_int(57, 70);
			while (!fit(&h))
				h = any(3);
		}
		h.c = h.m = h.g = (int)random_int(2, 90);
		pwdw(&h, (int)random_int(1, 50), act, acts[random_int(0, 9)], (int)random_int(0, 3), i % 8 == 7);
		/* groups of whole blocks, one group, few channels */
		h = any(4);
		h.g = i % 4 == 0 ? 2 : 1;
		h.c = h.g == 2 ? 32 * (int)random_int(1, 2) : i % 4 == 1 ? (int)random_int(1, 15) : (int)random_int(16, 50);
		h.m = h.g == 2 ? 32 * (int)random_int(1, 2) : (int)random_int(1, 50);
		conv(&h, act, (int)random_int(0, 1), (int)random_int(0, 1));
		/* transposed, with more at the end than the taps reach */
		h = any(5);
		h.c = (int)random_int(1, 50), h.m = (int)random_int(1, 50);
		h.s[0] = (int)random_int(1, 4);
		for (int k = 0; k < 2; k++) {
			h.d[k] = 1;
			h.in[k] = (int)random_int(1, 9);
			h.out[k] = (h.in[k] - 1) * h.s[k] + h.k[k] - h.p[k] + (int)random_int(0, 1) * (h.s[k] - 1);
			h.out[k] = h.out[k] < 1 ? 1 : h.out[k];
		}
		transposed(&h, act, (int)random_int(0, 1), (int)random_int(0, 1));
		h = any(4);
		h.c = h.m = (int)random_int(1, 40);
		/* a mean over padding alone has no elements: the standard's windows begin inside */
		pool(&h, 1, 0, i % 3);
		if (h.p[0] < h.k[0] && h.p[1] < h.k[1] && h.d[0] == 1 && h.d[1] == 1)
			pool(&h, 0, (int)random_int(0, 1), 0);
	}
	printf("test_c16: %d checks, %d failed\n", checks, bad);
	return bad != 0;
}
