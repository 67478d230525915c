/*
 * test_winograd.c - winograd_c16 with the compiler's weights: the bits of the order that docs/numerics.md states
 * (transforms written here once for any set of points, sums one channel at a time), equal in both builds (call), and near
 * the direct sum in double; a batch is its images one after the other; rule 18 refuses what is not exact enough.
 * stem_c16, of a plain picture, likewise; with MaxPool it is itself and pool_c16.
 */
#include "kernel_test.h"
#include "ops/stem.h"
#include "ops/winograd.h"
#define AMP_T 1
#include "kernels/conv_c16.inc"
#include "kernels/pool_c16.inc"
#include "kernels/stem_c16.inc"
#include "kernels/winograd_c16.inc"

#define MAX 8			/* points a side */

static const double point[9][3] = {
	[5] = { 3. / 8, 3. / 2 }, [6] = { 3. / 4, 3. / 2 }, [7] = { 1. / 4, 7. / 8, 7. / 4 }, [8] = { 1, 9. / 16, 7. / 4 },
};

static float f(double exact)	/* every constant of the transforms is a float */
{
	EXPECT((double)(float)exact == exact, "%.17g is no float", exact);
	return (float)exact;
}

/* n inputs, s apart, to n points, ts apart */
static void in1(const float *d, int s, int n, float *t, int ts)
{
	const int pairs = (n - 1) / 2, zero = n - 1 - 2 * pairs;
	double q[3] = { 0 };
	if (n == 4) {
		t[0] = d[0] - d[2 * s], t[ts] = d[s] + d[2 * s], t[2 * ts] = d[2 * s] - d[s], t[3 * ts] = d[s] - d[3 * s];
		return;
	}
	for (int i = 0; i < pairs; i++)
		q[i] = point[n][i] * point[n][i];
	for (int i = 0; i < pairs; i++) {
		const double a = q[i == 0], b = q[i == 2 ? 1 : 2];	/* the others */
		float half[2];
		for (int h = 0; h < 2; h++) {
			const float *x = d + (h + zero) * s;
			half[h] = pairs == 2 ? fmaf(f(-a), x[0], x[2 * s]) :
				  fmaf(f(a * b), x[0], fmaf(f(-(a + b)), x[2 * s], x[4 * s]));
		}
		t[(zero + 2 * i) * ts] = fmaf(f(point[n][i]), half[0], half[1]);
		t[(zero + 2 * i + 1) * ts] = fmaf(f(-point[n][i]), half[0], half[1]);
	}
	for (int h = 0; h <= zero; h++, d += s) {	/* at 0, where that is a point, and at infinity */
		float *to = h == zero ? t + (n - 1) * ts : t;
		*to = pairs == 2 ? fmaf(f(q[0] * q[1]), d[0], fmaf(f(-(q[0] + q[1])), d[2 * s], d[4 * s])) :
		      fmaf(f(-(q[0] * q[1] * q[2])), d[0], fmaf(f(q[0] * q[1] + q[0] * q[2] + q[1] * q[2]), d[2 * s],
			   fmaf(f(-(q[0] + q[1] + q[2])), d[4 * s], d[6 * s])));
	}
}

/* p^k / f, f the product of p's distances from the other finite points, for the i-th pair; -1: for 0 */
static float share(int n, int i, int k)
{
	const int pairs = (n - 1) / 2, zero = n - 1 - 2 * pairs;
	double f = 1;
	for (int j = 0; j < pairs; j++)
		f *= i < 0 ? -point[n][j] * point[n][j] : j == i ? 2 * point[n][i] * (zero ? point[n][i] : 1) :
		     point[n][i] * point[n][i] - point[n][j] * point[n][j];
	return (float)(i < 0 ? 1 / f : pow(point[n][i], k) / f);
}

/* n points to `tile` sums; divides: by f, which the weights are not divided by */
static void out1(const float *m, int s, int n, int tile, bool divides, float *y, int ys)
{
	const int pairs = (n - 1) / 2, zero = n - 1 - 2 * pairs;
	if (n == 4) {
		y[0] = (m[0] + m[s]) + m[2 * s], y[ys] = (m[s] - m[2 * s]) - m[3 * s];
		return;
	}
	for (int k = 0; divides && k < tile; k++) {
		float sum = 0;
		bool first = true;
		for (int i = k == 0 && zero ? -1 : 0; i < pairs; i++, first = false) {
			const float u = i < 0 ? 0 : m[(zero + 2 * i) * s], v = i < 0 ? 0 : m[(zero + 2 * i + 1) * s];
			const float w = i < 0 ? m[0] : (k % 2 != 0) == (zero != 0) ? u - v : u + v;
			sum = first ? share(n, i, k) * w : fmaf(share(n, i, k), w, sum);
		}
		y[k * ys] = k == tile - 1 ? sum + m[(n - 1) * s] : sum;
	}
	for (int k = 0; !divides && k < tile; k++) {
		float sum = k == 0 && zero ? m[0] : 0;
		for (int i = 0; i < pairs; i++) {
			const float u = m[(zero + 2 * i) * s], v = m[(zero + 2 * i + 1) * s], w = k % 2 ? u - v : u + v;
			if (i == 0 && !(k == 0 && zero))
				sum = k == 0 ? w : f(pow(point[n][i], k)) * w;
			else
				sum = k == 0 ? sum + w : fmaf(f(pow(point[n][i], k)), w, sum);
		}
		y[k * ys] = k == tile - 1 ? sum + m[(n - 1) * s] : sum;
	}
}

static int64_t at16(int64_t ch, int64_t h, int64_t w, int64_t y, int64_t x)
{
	return ((ch / 16 * h + y) * w + x) * 16 + ch % 16;
}

/* three weights, s apart, to n points, us apart, at each run */
static void weights1(const float *g, int64_t s, int n, float *u, int us)
{
	const int pairs = (n - 1) / 2, zero = n - 1 - 2 * pairs;
	u[0] = g[0];
	u[(n - 1) * us] = g[2 * s];
	for (int i = 0; i < pairs; i++) {
		const float p = f(point[n][i]), e = fmaf(p * p, g[2 * s], g[0]);
		const volatile float o = p * g[s];
		u[(zero + 2 * i) * us] = e + o;
		u[(zero + 2 * i + 1) * us] = e - o;
	}
}

/* F(4, 2): the weights g of an input, of a phase, at all points */
static void weights2(const float *g, int phase, float *u)
{
	static const float p[4] = { 0.375f, -0.375f, 1.5f, -1.5f };
	float h[5][2];
	for (int b = 0; b < 2 - phase % 2; b++) {
		const float *at = g + phase / 2 * 3 + 2 * b + phase % 2;
		for (int i = 0; i < 4; i++) {
			const volatile float o = phase / 2 ? 0 : p[i] * at[6];
			h[i][b] = phase / 2 ? at[0] : at[0] + o;
		}
		h[4][b] = phase / 2 ? NAN : at[6];
	}
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < 5; j++) {
			const volatile float o = phase % 2 || j == 4 ? 0 : p[j] * h[i][1];
			u[i * 5 + j] = phase % 2 ? j < 4 ? h[i][0] : NAN : j < 4 ? h[i][0] + o : h[i][1];
		}
}

/* The weights of output o and term i at all points; w as the kernel reads them, g as the layer has them.  NAN: no term there. */
static void weights(const float *w, const float *layer, int form, int stride, int n, int64_t c, int64_t mb, int64_t o, int64_t i,
		    float *u)
{
	const int64_t kk = c * stride * stride, lane = o % 16, b = o / 16, phase = i / c;
	static const int order[4] = { 1, 0, 2, 3 };
	if (n == 5) {
		weights2(layer + (o * c + i % c) * 9, order[phase], u);
		return;
	}
	if (form == 4 + WINOGRAD_LATE) {
		float h[6 * 3];
		for (int k = 0; k < 3; k++)
			weights1(layer + (o * c + i) * 9 + k, 3, n, h + k, 3);
		for (int k = 0; k < n; k++)
			weights1(h + k * 3, 1, n, u + k * n, 1);
		return;
	}
	for (int q = 0; q < n * n; q++) {
		const int row = q / n, column = q % n;
		const bool none = stride == 2 && ((phase > 1 && row == n - 1) || (phase % 3 == 0 && column == n - 1));
		if (form & WINOGRAD_LATE) {
			if (column == 0)
				weights1(w + (((row * ((kk + 15) / 16) + i / 16) * mb + b) * 48 + i % 16) * 16 + lane, 256, n, u + q, 1);
		} else {
			u[q] = w[((q * mb + b) * kk + i) * 16 + lane];
			EXPECT(!none || u[q] == 0, "a weight that is left out");
		}
		if (none)
			u[q] = NAN;
	}
}

struct shape { int form, kernel, stride, c, m, ih, iw, pad; };

static struct winograd_layer layer_of(struct ctx *ctx, const struct shape *s, bool identity)
{
	const int64_t dims[] = { s->m, s->c, s->kernel, s->kernel };
	struct tensor *w = tensor_new(ctx, DT_FLOAT, 4, dims);
	ir_fill(w, random_bits());
	if (identity) {
		memset(w->data, 0, (size_t)w->n * 4);
		for (int64_t i = 0; i < s->m && i < s->c; i++)
			((float *)w->data)[(i * s->c + i) * s->kernel * s->kernel + s->kernel * s->kernel / 2] = 1;
	}
	return (struct winograd_layer){ .c = s->c, .m = s->m, .oh = (s->ih + 2 * s->pad - s->kernel) / s->stride + 1,
					.ow = (s->iw + 2 * s->pad - s->kernel) / s->stride + 1, .kernel = s->kernel,
					.stride = s->stride, .w = w };
}

static struct amp_winograd_c16 params_of(const struct shape *s, const struct winograd_layer *l, int n, int chunk, int act)
{
	return (struct amp_winograd_c16){
		.n = n, .c = s->c, .m = s->m, .ih = s->ih, .iw = s->iw, .oh = (int)l->oh, .ow = (int)l->ow, .ph = s->pad,
		.pw = s->pad, .stride = s->stride, .tile = WINOGRAD_T(s->form),
		.form = winograd_kernel_form(l, s->form), .chunk = chunk,
		.whole = s->c >= 16 && chunk >= winograd_tiles(l, s->form),
		.act = act, .alpha = 0.1f, .beta = 0.4f,
	};
}

/* scratch for a chunk of any size */
static size_t scratch_of(const struct winograd_layer *l, int form, int chunk)
{
	const int64_t n = winograd_side(l, form), k = l->c * l->stride * l->stride;
	const int64_t more = chunk - winograd_chunk(l, form);
	return (size_t)(winograd_scratch(l, form) + more * n * n * ((k + 15) / 16 + (l->m + 15) / 16) * 64);
}

static struct amp_stem_c16 stem_of(const struct amp_winograd_c16 *p)
{
	return (struct amp_stem_c16){
		.n = p->n, .c = p->c, .m = p->m, .ih = p->ih, .iw = p->iw, .oh = p->oh, .ow = p->ow, .ph = p->ph, .pw = p->pw,
		.form = p->form, .act = p->act, .alpha = p->alpha, .beta = p->beta,
	};
}

/* In any number of parts (call), with scratch of their own or, where a chunk is the image, shared */
static void invoke(const struct amp_winograd_c16 *p, const void *const in[], void *const out[], const size_t bytes[],
		   size_t scratch, int images)
{
	if (p->c < 16) {
		const struct amp_stem_c16 stem = stem_of(p);
		call("stem_c16", "f32", &stem, in, out, bytes, 1, scratch);
		return;
	}
	test_shared = p->whole ? scratch : 0;
	test_phases = p->whole ? 3 * images : 1;
	call("winograd_c16", "f32", p, in, out, bytes, 1, p->whole ? 0 : scratch);
	test_shared = 0;
	test_phases = 1;
}

static void run(struct ctx *ctx, const struct shape *s, int chunk, int act, int with_z)
{
	const struct winograd_layer l = layer_of(ctx, s, false);
	const int tile = WINOGRAD_T(s->form), n = winograd_side(&l, s->form), points = n * n, st = s->stride, plain = s->c < 16;
	const int64_t oh = l.oh, ow = l.ow, c = s->c, m = s->m, cb = (c + 15) / 16, mb = (m + 15) / 16, kk = c * st * st;
	const int64_t nx = (plain ? c : cb * 16) * s->ih * s->iw, ny = mb * oh * ow * 16, area = s->kernel * s->kernel;
	const float *u = winograd_weights(ctx, &l, s->form)->data, *g = l.w->data;
	float *x = floats(nx), *b = floats(mb * 16), *z = with_z ? floats(ny) : NULL, *y = get((size_t)ny * 4);
	float *want = get((size_t)ny * 4), *v = get((size_t)(kk * points) * 4);
	float *all = get((size_t)(kk * points) * 4);		/* the weights of one output */
	double *truth = get((size_t)ny * 8), *bound = get((size_t)ny * 8), most = 0;
	char text[160];
	if (plain && chunk)
		chunk = (int)winograd_chunk(&l, s->form);
	struct winograd_layer chunked = l;
	chunked.chunk = chunk;
	chunk = (int)winograd_chunk(&chunked, s->form);
	snprintf(text, sizeof text, "F%d%s k%d s%d c%d m%d %dx%d pad%d chunk%d act%d z%d", tile,
		 s->form & WINOGRAD_LATE ? " late" : "", s->kernel, st, s->c, s->m,
		 s->ih, s->iw, s->pad, chunk, act, with_z);
	what = text;
	EXPECT(winograd_fits(&l), "no form fits");
	for (int64_t i = 0; !plain && i < nx; i++)
		if (i / (s->ih * s->iw * 16) * 16 + i % 16 >= c)
			x[i] = 0;
	memset(want, 0, (size_t)ny * 4);
	memset(truth, 0, (size_t)ny * 8);
	const struct amp_winograd_c16 p = params_of(s, &l, 1, chunk, act);
	for (int64_t ty = 0; ty < oh; ty += tile)
		for (int64_t tx = 0; tx < ow; tx += tile) {
			for (int64_t i = 0; i < kk; i++) {
				float d[MAX * MAX], h[MAX * MAX];
				static const int order[4] = { 1, 0, 2, 3 };
				const int64_t ph = st == 1 ? 0 : order[i / c], ch = i % c;
				for (int k = 0; k < points; k++) {
					const int64_t r = st * (ty + k / n) + ph / 2 - s->pad, q = st * (tx + k % n) + ph % 2 - s->pad;
					d[k] = r < 0 || r >= s->ih || q < 0 || q >= s->iw ? 0 :
					       x[plain ? (ch * s->ih + r) * s->iw + q : at16(ch, s->ih, s->iw, r, q)];
				}
				for (int k = 0; k < n; k++)
					in1(d + k, n, n, h + k, n);
				for (int k = 0; k < n; k++)
					in1(h + k * n, 1, n, v + i * points + k * n, 1);
			}
			for (int64_t o = 0; o < m; o++) {
				float sum[MAX * MAX], h[MAX * MAX], r[MAX * MAX];
				for (int64_t i = 0; i < kk; i++)
					weights(u, g, s->form, st, n, c, mb, o, i, all + i * points);
				for (int k = 0; k < points; k++) {
					sum[k] = 0;
					for (int64_t i = 0; i < kk; i++)
						if (all[i * points + k] == all[i * points + k])
							sum[k] = fmaf(v[i * points + k], all[i * points + k], sum[k]);
				}
				for (int k = 0; k < n; k++)
					out1(sum + k, n, n, tile, n == 5 || s->form == 4 + WINOGRAD_LATE, h + k, n);
				for (int k = 0; k < tile; k++)
					out1(h + k * n, 1, n, tile, n == 5 || s->form & WINOGRAD_LATE, r + k * tile, 1);
				for (int k = 0; k < tile * tile; k++) {
					const int64_t yy = ty + k / tile, xx = tx + k % tile;
					if (yy >= oh || xx >= ow)
						continue;
					const int64_t at = at16(o, oh, ow, yy, xx);
					float e[16] = { r[k] + (b[o] + 0.0f) }, done[16];
					e[0] = z ? e[0] + z[at] : e[0];
					v_store(done, amp_v_activation(v_load(e), act, 0.1f, 0.4f));
					want[at] = done[0];
					double t = (double)b[o] + (z ? (double)z[at] : 0), size = fabs(t);
					for (int64_t i = 0; i < c * area; i++) {
						const int64_t sy = yy * st - s->pad + i % area / s->kernel;
						const int64_t sx = xx * st - s->pad + i % s->kernel, ch = i / area;
						if (sy < 0 || sy >= s->ih || sx < 0 || sx >= s->iw)
							continue;
						const double q = (double)g[o * c * area + i] * (double)x[plain ? (ch * s->ih + sy) * s->iw + sx :
							at16(ch, s->ih, s->iw, sy, sx)];
						t += q, size += fabs(q);
					}
					truth[at] = act == AMP_EPI_RELU ? fmax(t, 0) : act == AMP_EPI_NONE ? t : (double)done[0];
					most = size > most ? size : most;
				}
			}
		}
	for (int64_t i = 0; i < ny; i++)	/* the direct form's own bound, over the map */
		bound[i] = (double)(area * c + 3) * EPS * most;
	const void *in[4] = { x, u, b, z };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	invoke(&p, in, out, bytes, scratch_of(&l, s->form, chunk), 1);
	check(y, want, truth, bound, ny);
	free(x), free(b), free(z), free(y), free(want), free(truth), free(bound), free(v), free(all);
}

/* Three images at once are each of them alone. */
static void batch(struct ctx *ctx, const struct shape *s)
{
	const struct winograd_layer l = layer_of(ctx, s, false);
	const int chunk = (int)winograd_chunk(&l, s->form);
	const struct amp_winograd_c16 all = params_of(s, &l, 3, chunk, AMP_EPI_RELU);
	const struct amp_winograd_c16 one = params_of(s, &l, 1, chunk, AMP_EPI_RELU);
	const int64_t nx = (s->c < 16 ? s->c : (s->c + 15) / 16 * 16) * s->ih * s->iw, nb = (l.m + 15) / 16 * 16;
	const int64_t ny = nb * l.oh * l.ow;
	float *x = floats(3 * nx), *b = floats(nb), *y = get((size_t)ny * 12), *alone = get((size_t)ny * 4);
	const void *in[4] = { x, winograd_weights(ctx, &l, s->form)->data, b, NULL };
	void *out[1] = { y };
	size_t bytes[1] = { (size_t)ny * 12 };
	what = "batch";
	invoke(&all, in, out, bytes, scratch_of(&l, s->form, chunk), 3);
	for (int i = 0; i < 3; i++) {
		in[0] = x + i * nx;
		out[0] = alone;
		bytes[0] = (size_t)ny * 4;
		invoke(&one, in, out, bytes, scratch_of(&l, s->form, chunk), 1);
		EXPECT(memcmp(alone, y + i * ny, (size_t)ny * 4) == 0, "image %d of 3 differs from the image alone", i);
	}
	free(x), free(b), free(y), free(alone);
}

/* MaxPool in the stem's sweep is MaxPool behind it: any window, any number of parts, NaN among the numbers */
static void pooled(struct ctx *ctx, int round)
{
	struct shape s = { 4, random_int(0, 2) ? 7 : 3, 2, (int)random_int(1, 4), (int)random_int(16, 40), 0, 0, (int)random_int(0, 3) };
	struct amp_pool_c16 q = { .max = 1, .dh = 1, .dw = 1 };
	const int images = (int)random_int(1, 2);
	struct winograd_layer l;
	do {
		s.ih = (int)random_int(s.kernel, 90);
		s.iw = (int)random_int(s.kernel, 60);
		q.kh = (int)random_int(1, 8), q.kw = (int)random_int(1, 8);
		if (round % 2)
			q.kh = q.kw = 3;
		q.sh = (int)random_int(1, round % 3 ? 3 : 8), q.sw = (int)random_int(1, 3);
		q.ph = (int)random_int(0, q.kh - 1), q.pw = (int)random_int(0, q.kw - 1);
		q.ph_end = (int)random_int(0, q.kh - 1), q.pw_end = (int)random_int(0, q.kw - 1);
		l = layer_of(ctx, &s, false);
		q.ih = (int)l.oh, q.iw = (int)l.ow;
		q.oh = (q.ih + q.ph + q.ph_end - q.kh) / q.sh + 1;
		q.ow = (q.iw + q.pw + q.pw_end - q.kw) / q.sw + 1;
		const struct spatial window = {
			.rank = 2, .in = { q.ih, q.iw }, .out = { q.oh, q.ow }, .kernel = { q.kh, q.kw }, .stride = { q.sh, q.sw },
			.dilation = { 1, 1 }, .pad = { q.ph, q.pw }, .pad_end = { q.ph_end, q.pw_end },
		};
		if (stem_pools(&window))
			break;
	} while (1);
	const int64_t mb = (l.m + 15) / 16, nx = (int64_t)images * s.c * s.ih * s.iw, nt = images * mb * l.oh * l.ow * 16;
	const int64_t ny = images * mb * q.oh * q.ow * 16;
	float *x = floats(nx), *b = floats(mb * 16), *t = get((size_t)nt * 4), *y = get((size_t)ny * 4), *want = get((size_t)ny * 4);
	for (int64_t i = l.m; i < mb * 16; i++)
		b[i] = 0;
	for (int i = 0; i < 3 && round % 4 == 0; i++)
		x[random_int(0, nx - 1)] = i ? NAN : INFINITY;
	const struct amp_winograd_c16 p = params_of(&s, &l, images, (int)winograd_chunk(&l, s.form),
						    round % 2 ? AMP_EPI_RELU : AMP_EPI_NONE);
	struct amp_stem_c16 stem = stem_of(&p);
	const size_t scratch = (size_t)winograd_scratch(&l, s.form), bytes_t[1] = { (size_t)nt * 4 }, bytes[1] = { (size_t)ny * 4 };
	const void *in[4] = { x, winograd_weights(ctx, &l, s.form)->data, b, NULL }, *map[1] = { t };
	void *out_t[1] = { t }, *out[1] = { y }, *out_want[1] = { want };
	char text[200];
	snprintf(text, sizeof text, "stem k%d c%d m%d %dx%d pad%d, MaxPool %dx%d stride %d %d pads %d %d %d %d, %d images", s.kernel, s.c,
		 s.m, s.ih, s.iw, s.pad, q.kh, q.kw, q.sh, q.sw, q.ph, q.pw, q.ph_end, q.pw_end, images);
	what = text;
	call("stem_c16", "f32", &stem, in, out_t, bytes_t, 1, scratch);
	q.blocks = (int)(images * mb);
	q.c = s.m;
	call("pool_c16", "f32", &q, map, out_want, bytes, 1, 0);
	stem.pool[0] = q.kh, stem.pool[1] = q.kw;
	stem.pool_stride[0] = q.sh, stem.pool_stride[1] = q.sw;
	stem.pool_pad[0] = q.ph, stem.pool_pad[1] = q.pw;
	stem.yh = q.oh, stem.yw = q.ow;
	call("stem_c16", "f32", &stem, in, out, bytes, 1, scratch + (size_t)(mb * (AMP_STEM_TILE + q.kh - 1) * l.ow) * 64);
	for (int64_t i = 0; i < ny; i++)
		if (memcmp(y + i, want + i, 4) != 0) {
			EXPECT(0, "element %lld is %.9g, not %.9g", (long long)i, (double)y[i], (double)want[i]);
			break;
		}
	free(x), free(b), free(t), free(y), free(want);
}

/* Rule 18: where weights pick pixels the direct form is exact, and so is F2, but no other form. */
static void refusal(struct ctx *ctx)
{
	static const struct shape layer = { .kernel = 3, .stride = 1, .c = 64, .m = 64, .ih = 112, .iw = 112, .pad = 1 };
	for (int identity = 0; identity < 2; identity++) {
		struct winograd_layer l = layer_of(ctx, &layer, identity);
		const int64_t dims[] = { 4, 4, 9, 16, 16 };
		struct tensor *packed = tensor_new(ctx, DT_FLOAT, 5, dims);
		for (int64_t i = 0; i < l.w->n; i++)
			((float *)packed->data)[(((i / 9216 * 4 + i / 144 % 4) * 9 + i % 9) * 16 + i / 9 % 16) * 16 + i / 576 % 16] =
				((const float *)l.w->data)[i];
		l.w_direct = packed;
		const char *tried = NULL;
		const int form = winograd_choose(ctx, &l, &tried);
		what = "rule 18";
		EXPECT(tried, "no form was tried");
		if (identity)
			EXPECT(form == 2 && strcmp(tried, "winograd6 inf, winograd5 inf, winograd5late inf, winograd4 inf, "
						   "winograd4late inf, winograd2 0.00") == 0,
			       "form %d is admitted for weights that pick pixels: %s", form, tried);
		for (const char *t = tried; !identity && t; ) {	/* "FORM ERROR, FORM ERROR": all refused but the last, which is taken */
			char name[20];
			double error = NAN;
			const int fields = sscanf(t, "%19s %lf", name, &error);
			t = strchr(t, ',');
			EXPECT(fields == 2 && (t ? error > 8 : error <= 8 && winograd_form(&l, name) == form),
			       "form %d for random weights: %s", form, tried);
			t = t ? t + 2 : NULL;
		}
	}
}

static enum result all(struct ctx *ctx, void *arg)
{
	static const struct { int c, m, h, w, pad, chunk; } cases[] = {
		{ 16, 16, 8, 8, 1, 4 }, { 16, 32, 7, 7, 1, 3 }, { 33, 40, 5, 9, 1, 14 }, { 17, 18, 3, 3, 1, 1 },
		{ 48, 20, 13, 6, 0, 5 }, { 16, 50, 4, 31, 2, 16 }, { 20, 16, 1, 1, 1, 1 }, { 64, 64, 14, 14, 1, 0 },
		{ 150, 33, 14, 10, 1, 0 },
	};
	static const struct shape strided[] = {
		{ 4, 3, 2, 16, 16, 8, 8, 1 }, { 4, 3, 2, 32, 40, 15, 9, 1 }, { 4, 7, 2, 16, 24, 14, 17, 3 },
		{ 4, 7, 2, 3, 20, 22, 25, 3 }, { 4, 7, 2, 3, 16, 9, 8, 0 }, { 4, 3, 2, 3, 16, 11, 10, 1 },
		{ 4, 7, 2, 1, 17, 12, 30, 3 }, { 4, 7, 2, 4, 16, 5, 6, 2 }, { 4, 3, 2, 2, 16, 1, 1, 1 },
		{ 4, 3, 2, 48, 40, 38, 39, 1 }, { 4, 3, 2, 16, 33, 33, 70, 0 }, { 4, 3, 2, 80, 20, 14, 28, 1 },
	};
	static const int forms[] = { 2, 4, 5, 6, 4 + WINOGRAD_LATE, 5 + WINOGRAD_LATE };
	(void)arg;
	for (int i = 0; i < 9; i++)
		for (int t = 0; t < 6; t++)
			for (int z = 0; z < 2; z++) {
				const struct shape s = { forms[t], 3, 1, cases[i].c, cases[i].m, cases[i].h, cases[i].w, cases[i].pad };
				run(ctx, &s, cases[i].chunk, z ? AMP_EPI_RELU : AMP_EPI_NONE, z);
			}
	for (int i = 0; i < 12; i++)
		for (int z = 0; z < 2; z++)
			run(ctx, &strided[i], 1 + i, z ? AMP_EPI_RELU : AMP_EPI_NONE, z);
	for (int act = AMP_EPI_NONE; act <= AMP_EPI_LEAKYRELU; act++) {
		const struct shape s = { forms[act % 6], 3, 1, 19, 21, 6, 7, 1 };
		run(ctx, &s, 2, act, 1);
	}
	for (int t = 0; t < 6; t++) {
		const struct shape s = { forms[t], 3, 1, 32, 24, 9, 10, 1 };
		batch(ctx, &s);
	}
	batch(ctx, &strided[1]);
	batch(ctx, &strided[3]);
	batch(ctx, &strided[9]);
	refusal(ctx);
	for (int i = 0; i < 60; i++)
		pooled(ctx, i);
	return R_SUCCESS;
}

int main(void)
{
	struct ctx *c = ctx_new();
	const enum result r = c ? ctx_run(c, all, NULL) : R_INTERNAL;
	ctx_free(c);
	return finish("test_winograd") || r != R_SUCCESS;
}
