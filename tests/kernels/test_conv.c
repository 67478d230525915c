/*
 * test_conv.c - the generic convolution, its form for rows, and transposed convolution.
 *
 * Against two independent loops: one in float with the contract's order written out (equal bits),
 * one in double in plain order with the bound (terms + 3) * eps * sum |x w| (rounding of each of
 * the fused steps).
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/conv.inc"
#include "kernels/conv_rows.inc"
#include "kernels/convtranspose.inc"

struct shape { int64_t n, c, m, g, in[3], k[3], s[3], d[3], p[3], pe[3], out[3]; int rank; };

static float activated(float x, int act)
{
	if (act == AMP_EPI_RELU)
		return (0.0f > x ? 0.0f : x) + 0.0f;
	if (act == AMP_EPI_CLIP) {
		x = 0.0f > x ? 0.0f : x;
		return (0.25f < x ? 0.25f : x) + 0.0f;
	}
	return x;
}

/* x position of tap t (0..prod k) for output o; false when it lies outside */
static int position(const struct shape *h, int64_t o, int64_t t, int transposed, int64_t *at)
{
	int64_t pos[3], stride = 1;
	for (int d = h->rank - 1; d >= 0; d--) {
		const int64_t oo = o % h->out[d], tt = t % h->k[d];
		o /= h->out[d];
		t /= h->k[d];
		if (!transposed) {
			pos[d] = oo * h->s[d] - h->p[d] + tt * h->d[d];
		} else {
			const int64_t v = oo + h->p[d] - tt * h->d[d];
			if (v < 0 || v % h->s[d])
				return 0;
			pos[d] = v / h->s[d];
		}
		if (pos[d] < 0 || pos[d] >= h->in[d])
			return 0;
	}
	*at = 0;
	for (int d = h->rank - 1; d >= 0; d--) {
		*at += pos[d] * stride;
		stride *= h->in[d];
	}
	return 1;
}

static int64_t product(const int64_t *v, int n)
{
	int64_t r = 1;
	for (int i = 0; i < n; i++)
		r *= v[i];
	return r;
}

static int rows_seen;	/* shapes that conv_rows takes */

static void run(const struct shape *h, int transposed, int act, int with_b, int with_z)
{
	const int64_t plane = product(h->in, h->rank), taps = product(h->k, h->rank);
	const int64_t out = product(h->out, h->rank), cg = h->c / h->g, mg = h->m / h->g;
	const int64_t ny = h->n * h->m * out;
	float *x = floats(h->n * h->c * plane), *w = floats(h->m * cg * taps);
	float *b = with_b ? floats(h->m) : NULL, *z = with_z ? floats(ny) : NULL;
	float *y = get((size_t)ny * 4), *order = get((size_t)ny * 4);
	double *truth = get((size_t)ny * 8), *bound = get((size_t)ny * 8);
	char text[200];
	snprintf(text, sizeof text, "%s n%lld c%lld m%lld g%lld in%lldx%lldx%lld k%lldx%lld s%lld d%lld p%lld act%d",
		 transposed ? "transposed" : "conv", (long long)h->n, (long long)h->c, (long long)h->m,
		 (long long)h->g, (long long)h->in[0], (long long)h->in[1], (long long)h->in[2],
		 (long long)h->k[0], (long long)h->k[1], (long long)h->s[0], (long long)h->d[0],
		 (long long)h->p[0], act);
	what = text;
	for (int64_t i = 0; i < ny; i++) {
		const int64_t o = i % out, m = i / out % h->m, n = i / out / h->m, g = m / mg;
		float s = 0;
		double t = 0, size = 0;
		for (int64_t c0 = 0; c0 < cg; c0 += 16)
			for (int64_t k = 0; k < taps; k++)
				for (int64_t c = c0; c < cg && c < c0 + 16; c++) {
					int64_t at;
					if (!position(h, o, k, transposed, &at))
						continue;
					const float xv = x[(n * h->c + g * cg + c) * plane + at];
					const float wv = transposed ?
						w[((g * cg + c) * mg + m % mg) * taps + k] :
						w[(m * cg + c) * taps + k];
					s = fmaf(xv, wv, s);
				}
		for (int64_t c = cg - 1; c >= 0; c--)	/* another order, in double */
			for (int64_t k = 0; k < taps; k++) {
				int64_t at;
				if (!position(h, o, k, transposed, &at))
					continue;
				const double v = (double)x[(n * h->c + g * cg + c) * plane + at] *
					(double)(transposed ? w[((g * cg + c) * mg + m % mg) * taps + k] :
						 w[(m * cg + c) * taps + k]);
				t += v;
				size += fabs(v);
			}
		s += (b ? b[m] : 0) + 0.0f;
		t += b ? (double)b[m] : 0;
		size += b ? fabs((double)b[m]) : 0;
		if (z) {
			s += z[i];
			t += (double)z[i];
			size += fabs((double)z[i]);
		}
		order[i] = activated(s, act);
		truth[i] = act == AMP_EPI_RELU || act == AMP_EPI_CLIP ? fmax(t, 0) : t;
		if (act == AMP_EPI_CLIP)
			truth[i] = fmin(truth[i], 0.25);
		bound[i] = (double)(cg * taps + 3) * EPS * size;
	}
	const void *in[4] = { x, w, b, z };
	void *outs[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	const size_t scratch = (size_t)(cg * taps * 16) * 4;
	if (transposed) {
		struct amp_convtranspose p = { .n = h->n, .c = h->c, .m = h->m, .group = h->g,
					       .rank = h->rank, .act = act, .alpha = 0, .beta = 0.25 };
		memcpy(p.in, h->in, sizeof h->in);
		memcpy(p.out, h->out, sizeof h->out);
		memcpy(p.kernel, h->k, sizeof h->k);
		memcpy(p.stride, h->s, sizeof h->s);
		memcpy(p.dilation, h->d, sizeof h->d);
		memcpy(p.pad, h->p, sizeof h->p);
		call("convtranspose", "f32", &p, in, outs, bytes, 1, scratch);
	} else {
		struct amp_conv p = { .n = h->n, .c = h->c, .m = h->m, .group = h->g, .rank = h->rank,
				      .act = act, .alpha = 0, .beta = 0.25 };
		memcpy(p.in, h->in, sizeof h->in);
		memcpy(p.out, h->out, sizeof h->out);
		memcpy(p.kernel, h->k, sizeof h->k);
		memcpy(p.stride, h->s, sizeof h->s);
		memcpy(p.dilation, h->d, sizeof h->d);
		memcpy(p.pad, h->p, sizeof h->p);
		call("conv", "f32", &p, in, outs, bytes, 1, mg >= 8 ? scratch : 0);
		if (h->rank == 2 && h->s[1] == 1 && mg < 8) {
			const struct amp_conv_rows r = {
				.n = h->n, .c = h->c, .m = h->m, .group = h->g, .ih = h->in[0], .iw = h->in[1],
				.oh = h->out[0], .ow = h->out[1], .kh = h->k[0], .kw = h->k[1], .sh = h->s[0],
				.dh = h->d[0], .dw = h->d[1], .ph = h->p[0], .pw = h->p[1], .act = act, .alpha = 0,
				.beta = 0.25f,
			};
			const int64_t window = cg * h->k[0] * (h->out[1] + (h->k[1] - 1) * h->d[1] + 80);
			check(y, order, truth, bound, ny);
			memset(y, 0xff, (size_t)ny * 4);
			what = "conv_rows";
			call("conv_rows", "f32", &r, in, outs, bytes, 1, (size_t)window * 4);
			rows_seen++;
		}
	}
	check(y, order, truth, bound, ny);
	free(x), free(w), free(b), free(z), free(y), free(order), free(truth), free(bound);
}

/* Output sizes; 0 when the kernel does not fit. */
static int fit(struct shape *h, int transposed)
{
	for (int d = 0; d < h->rank; d++) {
		const int64_t reach = (h->k[d] - 1) * h->d[d] + 1;
		const int64_t room = h->in[d] + h->p[d] + h->pe[d] - reach;
		h->out[d] = transposed ? (h->in[d] - 1) * h->s[d] + reach - h->p[d] - h->pe[d] :
			    room < 0 ? 0 : room / h->s[d] + 1;
		if (h->out[d] < 1)
			return 0;
	}
	return 1;
}

/* A weight that is not finite must not meet the padding: skipped taps give no NaN. */
static void infinite_weight(void)
{
	struct amp_conv p = { .n = 1, .c = 1, .m = 8, .group = 1, .rank = 1 };
	float x[3] = { 1, 2, 3 }, w[24], y[24];
	const void *in[4] = { x, w, NULL, NULL };
	void *out[1] = { y };
	const size_t bytes[1] = { sizeof y };
	what = "infinite weight beside padding";
	for (int i = 0; i < 24; i++)
		w[i] = i % 3 == 0 ? INFINITY : 0;
	p.in[0] = p.out[0] = p.kernel[0] = 3;
	p.stride[0] = p.dilation[0] = p.pad[0] = 1;
	call("conv", "f32", &p, in, out, bytes, 1, 3 * 16 * 4);
	for (int m = 0; m < 8; m++) {
		EXPECT(y[m * 3] == 0, "output 0 is %g", (double)y[m * 3]);
		EXPECT(isinf(y[m * 3 + 1]), "output 1 is %g", (double)y[m * 3 + 1]);
	}
	/* the same for few output channels */
	p.m = 2;
	p.rank = 2;
	p.in[1] = p.out[1] = p.kernel[1] = 3;
	p.in[0] = p.out[0] = p.kernel[0] = p.stride[1] = p.dilation[1] = p.pad[1] = 1;
	p.pad[0] = 0;
	const size_t narrow[1] = { 6 * 4 };
	call("conv", "f32", &p, in, out, narrow, 1, 0);
	for (int m = 0; m < 2; m++)
		EXPECT(y[m * 3] == 0 && isinf(y[m * 3 + 1]), "output 0 is %g, output 1 %g", (double)y[m * 3],
		       (double)y[m * 3 + 1]);
}

int main(void)
{
	static const struct shape extremes[] = {
		/* n c m g in k s d p pe */
		{ 1, 1, 1, 1, { 1 }, { 1 }, { 1 }, { 1 }, { 0 }, { 0 }, { 0 }, 1 },
		{ 1, 3, 8, 1, { 1, 1 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, 2 },
		{ 2, 17, 17, 1, { 9, 7 }, { 3, 3 }, { 1, 1 }, { 4, 3 }, { 4, 3 }, { 4, 3 }, { 0 }, 2 },
		{ 1, 4, 9, 1, { 2, 3 }, { 3, 2 }, { 1, 1 }, { 1, 1 }, { 5, 6 }, { 7, 0 }, { 0 }, 2 },
		{ 1, 33, 40, 1, { 5, 5 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 0 }, 2 },
		{ 1, 12, 12, 12, { 6, 70 }, { 3, 3 }, { 1, 2 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, 2 },
		{ 1, 36, 54, 3, { 4, 4, 4 }, { 2, 2, 2 }, { 1, 2, 1 }, { 1, 1, 2 }, { 1, 0, 1 }, { 0, 1, 1 },
		  { 0 }, 3 },
		{ 3, 20, 10, 10, { 8 }, { 5 }, { 3 }, { 2 }, { 4 }, { 4 }, { 0 }, 1 },
		{ 1, 2, 1, 1, { 56, 56 }, { 7, 7 }, { 1, 1 }, { 1, 1 }, { 3, 3 }, { 3, 3 }, { 0 }, 2 },
		{ 1, 2, 1, 1, { 14, 14 }, { 7, 7 }, { 1, 1 }, { 1, 1 }, { 3, 3 }, { 3, 3 }, { 0 }, 2 },
		{ 2, 6, 4, 2, { 5, 131 }, { 3, 5 }, { 2, 1 }, { 1, 2 }, { 1, 4 }, { 1, 4 }, { 0 }, 2 },
		{ 1, 35, 3, 1, { 3, 30 }, { 2, 4 }, { 1, 1 }, { 2, 3 }, { 0, 40 }, { 0, 1 }, { 0 }, 2 },
		{ 1, 16, 16, 1, { 2, 2 }, { 2, 2 }, { 5, 5 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 0 }, 2 },
	};
	for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++)
		for (int t = 0; t < 2; t++) {
			struct shape h = extremes[i];
			if (fit(&h, t))
				run(&h, t, AMP_EPI_NONE, i % 2, 0);
		}
	int done = 0;
	while (done < 120) {
		static const int acts[] = { AMP_EPI_NONE, AMP_EPI_RELU, AMP_EPI_CLIP };
		struct shape h = { .rank = (int)random_int(1, 3), .n = random_int(1, 2), .g = random_int(1, 3) };
		h.c = h.g * random_int(1, 21);
		h.m = h.g * random_int(1, 21);
		for (int d = 0; d < h.rank; d++) {
			h.in[d] = random_int(1, h.rank == 3 ? 5 : 9);
			h.k[d] = random_int(1, 3);
			h.s[d] = random_int(1, 3);
			h.d[d] = random_int(1, 2);
			h.p[d] = random_int(0, 3);
			h.pe[d] = random_int(0, 3);
		}
		const int transposed = done % 3 == 0;
		if (done % 3 == 1) {	/* one for conv_rows */
			h.rank = 2;
			h.m = h.g * random_int(1, 7);
			h.in[1] = random_int(1, 80);
			h.k[1] = random_int(1, 5);
			h.d[1] = h.s[1] = 1;
			h.p[1] = random_int(0, 6);
			h.pe[1] = random_int(0, 3);
		}
		if (!fit(&h, transposed))
			continue;
		run(&h, transposed, acts[random_int(0, 2)], (int)random_int(0, 1), (int)random_int(0, 1));
		done++;
	}
	infinite_weight();
	what = "conv_rows";
	EXPECT(rows_seen > 20, "only %d shapes", rows_seen);
	return finish("test_conv");
}
