/*
 * test_reduce.c - reductions, softmax, normalisations, argmax, cumsum, topk, einsum.
 * Orders that the contract states are written out in float and compared by bits; values by a bound
 * against double.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/reduce.inc"
#include "kernels/softmax.inc"
#include "kernels/norm.inc"
#include "kernels/batchnorm.inc"
#include "kernels/argreduce.inc"
#include "kernels/cumsum.inc"
#include "kernels/topk.inc"
#include "kernels/einsum.inc"

/* 16 lanes by number mod 16, lanes joined 8, 4, 2, 1 */
static float lanes_sum(const float *v, int64_t n)
{
	float s[16] = { 0 };
	for (int64_t i = 0; i < n; i++)
		s[i % 16] += v[i];
	for (int l = 8; l; l /= 2)
		for (int j = 0; j < l; j++)
			s[j] += s[j + l];
	return s[0];
}

/* ---- reduce ---------------------------------------------------------------------------------------- */

/* x [a, b, c] reduced over b (columns), or over c (rows), or over a and c; the elements of output o in order */
static int64_t gather(const float *x, const int64_t *d, int form, int64_t o, float *to)
{
	int64_t n = 0;
	if (form == 0)
		for (int64_t b = 0; b < d[1]; b++)
			to[n++] = x[(o / d[2] * d[1] + b) * d[2] + o % d[2]];
	else if (form == 1)
		for (int64_t c = 0; c < d[2]; c++)
			to[n++] = x[o * d[2] + c];
	else
		for (int64_t a = 0; a < d[0]; a++)
			for (int64_t c = 0; c < d[2]; c++)
				to[n++] = x[(a * d[1] + o) * d[2] + c];
	return n;
}

static void reduce(const int64_t *d, int form, int mode, int nan)
{
	struct amp_reduce p = { .mode = mode, .p = 3 };
	const int64_t stride[3] = { d[1] * d[2], d[2], 1 }, n = d[0] * d[1] * d[2];
	static const int reduced[3][3] = { { 0, 1, 0 }, { 0, 0, 1 }, { 1, 0, 1 } };
	float *x = floats(n), *v = get((size_t)(n + 1) * 4);
	int64_t ny = 1;
	char text[100];
	p.count = 1;
	for (int i = 0; i < 3; i++)
		if (reduced[form][i]) {
			p.dim[p.rank] = d[i];
			p.stride[p.rank++] = stride[i];
			p.count *= d[i];
		} else {
			p.kept[p.rank_kept] = d[i];
			p.kept_stride[p.rank_kept++] = stride[i];
			ny *= d[i];
		}
	snprintf(text, sizeof text, "reduce %lldx%lldx%lld form %d mode %d", (long long)d[0], (long long)d[1],
		 (long long)d[2], form, mode);
	what = text;
	if (nan)
		x[random_int(0, n - 1)] = NAN;
	float *y = get((size_t)ny * 4);
	const void *in[1] = { x };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	call("reduce", "f32", &p, in, out, bytes, 1, 0);
	for (int64_t o = 0; o < ny; o++) {
		const int64_t m = gather(x, d, form, o, v);
		double t = 0, size = 0, max = -INFINITY;
		float s[16], want;
		if (mode == AMP_RED_SUM || mode == AMP_RED_MEAN) {
			want = lanes_sum(v, m);
			if (mode == AMP_RED_MEAN)
				want /= (float)m;
			EXPECT(same_bits(y[o], want), "output %lld is %.9g, in order %.9g", (long long)o,
			       (double)y[o], (double)want);
		} else if (mode == AMP_RED_L2) {
			for (int j = 0; j < 16; j++)
				s[j] = 0;
			for (int64_t i = 0; i < m; i++)
				s[i % 16] = fmaf(v[i], v[i], s[i % 16]);
			for (int l = 8; l; l /= 2)
				for (int j = 0; j < l; j++)
					s[j] += s[j + l];
			EXPECT(same_bits(y[o], sqrtf(s[0])), "output %lld: order", (long long)o);
		}
		for (int64_t i = 0; i < m; i++)
			max = isnan(v[i]) || isnan(max) ? NAN : fmax(max, (double)v[i]);
		for (int64_t i = m - 1; i >= 0; i--) {
			const double e = (double)v[i];
			switch (mode) {
			case AMP_RED_MAX: t = max; break;
			case AMP_RED_MIN: t = i == m - 1 ? e : isnan(e) || isnan(t) ? NAN : fmin(t, e); break;
			case AMP_RED_PROD: t = i == m - 1 ? e : t * e; break;
			case AMP_RED_SUM_SQUARE:
			case AMP_RED_L2: t += e * e; break;
			case AMP_RED_L1: t += fabs(e); break;
			case AMP_RED_LOG_SUM_EXP: t += exp(e - max); break;
			case AMP_RED_LP: t += fabs(e * e * e); break;
			default: t += e;
			}
			size += fabs(e);
		}
		switch (mode) {
		case AMP_RED_MEAN: t /= (double)m; size /= (double)m; break;
		case AMP_RED_L2: t = sqrt(t); break;
		case AMP_RED_LOG_SUM: t = log(t); size = size / fabs(exp(t)) + 1; break;
		case AMP_RED_LOG_SUM_EXP: t = log(t) + max; size = 4; break;
		case AMP_RED_LP: t = pow(t, 1.0 / 3.0); break;
		case AMP_RED_PROD: size = fabs(t); break;
		default: break;
		}
		/* and a product's steps below the normal range, in absolute size */
		const double bound = (double)(m + 8) * (EPS * size + 1.5e-45);
		EXPECT(isnan(t) ? isnan(y[o]) : fabs((double)y[o] - t) <= bound,
		       "output %lld is %.9g, expected %.17g", (long long)o, (double)y[o], t);
	}
	free(x), free(v), free(y);
}

static void reduce_integers(void)
{
	struct amp_reduce p = { .mode = AMP_RED_SUM, .rank = 1, .dim = { 21 }, .stride = { 1 }, .count = 21 };
	int64_t x[21], y, s = 0;
	uint8_t b[21], m = 0, yb;
	what = "integers";
	for (int i = 0; i < 21; i++) {
		x[i] = random_int(-1000, 1000);
		b[i] = (uint8_t)random_bits();
		s += x[i];
		m = b[i] > m ? b[i] : m;
	}
	const void *in[1] = { x };
	void *out[1] = { &y };
	const size_t bytes[1] = { 8 }, one[1] = { 1 };
	call("reduce", "i64", &p, in, out, bytes, 1, 0);
	EXPECT(y == s, "sum");
	p.mode = AMP_RED_MEAN;
	call("reduce", "i64", &p, in, out, bytes, 1, 0);
	EXPECT(y == s / 21, "mean");
	p.mode = AMP_RED_MAX;
	in[0] = b;
	out[0] = &yb;
	call("reduce", "u8", &p, in, out, one, 1, 0);
	EXPECT(yb == m, "max");
	/* an empty set */
	p.count = p.dim[0] = 0;
	p.mode = AMP_RED_MIN;
	call("reduce", "u8", &p, in, out, one, 1, 0);
	EXPECT(yb == 255, "the minimum of nothing is %d", yb);
}

/* ---- softmax, norm, batchnorm --------------------------------------------------------------------------- */

/* the bits of Softmax in the contract's order: the exact maximum, exp, 16 lanes, 8 4 2 1, the quotient */
static void softmax_order(const float *x, const float *y, int64_t n, int64_t step)
{
	float top = -INFINITY, s[16] = { 0 };
	for (int64_t i = 0; i < n; i++)
		top = x[i * step] > top ? x[i * step] : top;
	for (int64_t i = 0; i < n; i++)
		s[i % 16] += s_exp(x[i * step] - top);
	for (int l = 8; l; l /= 2)
		for (int j = 0; j < l; j++)
			s[j] += s[j + l];
	for (int64_t i = 0; i < n; i++) {
		const float want = s_exp(x[i * step] - top) / s[0];
		EXPECT(same_bits(y[i * step], want), "element %lld is %.9g, in the contract's order %.9g", (long long)i,
		       (double)y[i * step], (double)want);
	}
}

/* NaN, infinities, zeros of both signs among the rows; nothing to compare with but the order */
static void softmax_special(int64_t outer, int64_t n, int64_t inner)
{
	static const float odd[] = { NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 3e38f, -3e38f };
	struct amp_softmax p = { .mode = AMP_SOFTMAX, .outer = outer, .n = n, .inner = inner };
	const int64_t ny = outer * n * inner;
	float *x = floats(ny), *y = get((size_t)ny * 4);
	const void *in[1] = { x };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	for (int64_t i = 0; i < ny; i++) {
		const int64_t k = random_int(0, 4 * n);
		x[i] = k < 7 ? odd[k] : x[i];
	}
	what = "softmax of special values";
	call("softmax", "f32", &p, in, out, bytes, 1, (size_t)n * 4);
	for (int64_t r = 0; r < outer * inner; r++)
		softmax_order(x + r / inner * n * inner + r % inner, y + r / inner * n * inner + r % inner, n, inner);
	free(x), free(y);
}

static void softmax(int64_t outer, int64_t n, int64_t inner, int mode)
{
	const int64_t ny = outer * n * inner;
	struct amp_softmax p = { .mode = mode, .outer = outer, .n = n, .inner = inner };
	float *x = floats(ny), *y = get((size_t)ny * 4);
	for (int64_t i = 0; i < ny; i++)
		x[i] *= 20;
	what = "softmax";
	const void *in[1] = { x };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	call("softmax", "f32", &p, in, out, bytes, 1, (size_t)n * 4);
	for (int64_t r = 0; r < outer * inner; r++) {
		const float *px = x + r / inner * n * inner + r % inner;
		const float *py = y + r / inner * n * inner + r % inner;
		double max = -INFINITY, s = 0;
		if (mode == AMP_SOFTMAX)
			softmax_order(px, py, n, inner);
		for (int64_t i = 0; i < n; i++)
			max = fmax(max, (double)px[i * inner]);
		for (int64_t i = 0; i < n; i++)
			s += exp((double)px[i * inner] - max);
		int seen = 0;
		for (int64_t i = 0; i < n; i++) {
			const double d = (double)px[i * inner] - max;
			double want = mode == AMP_SOFTMAX ? exp(d) / s : d - log(s);
			if (mode == AMP_HARDMAX) {
				want = d == 0 && !seen;
				seen = seen || d == 0;
			}
			/* exp within 1 ulp of an argument off by half an ulp of 40 */
			const double bound = mode == AMP_SOFTMAX ? want * EPS * (48 + (double)n) + 1e-45 :
					     EPS * (48 + 2 * fabs(want) + (double)n);
			EXPECT(fabs((double)py[i * inner] - want) <= bound, "%.9g, expected %.17g",
			       (double)py[i * inner], want);
		}
	}
	free(x), free(y);
}

static void norm(int64_t rows, int64_t len, int rms, int affine)
{
	struct amp_norm p = { .rows = rows, .len = len, .rms = rms, .stat = AMP_FLOAT, .rank = 2,
			      .epsilon = 1e-5, .dim = { rows, len }, .scale_stride = { 0, 1 },
			      .bias_stride = { 0, 1 } };
	const int64_t ny = rows * len;
	float *x = floats(ny), *scale = floats(len), *bias = floats(len), *y = get((size_t)ny * 4);
	float *mean = get((size_t)rows * 4), *inv = get((size_t)rows * 4), *d = get((size_t)len * 4);
	const void *in[3] = { x, affine ? scale : NULL, affine > 1 ? bias : NULL };
	void *out[3] = { y, mean, inv };
	const size_t bytes[3] = { (size_t)ny * 4, (size_t)rows * 4, (size_t)rows * 4 };
	what = "norm";
	for (int64_t i = 0; i < ny; i++)
		x[i] = x[i] * 3 + 5;
	call("norm", "f32", &p, in, out, bytes, 3, 0);
	for (int64_t r = 0; r < rows; r++) {
		const float *px = x + r * len;
		const float m = rms ? 0 : lanes_sum(px, len) / (float)len;
		float s[16] = { 0 };
		for (int64_t i = 0; i < len; i++) {
			d[i] = px[i] - m;
			s[i % 16] = fmaf(d[i], d[i], s[i % 16]);
		}
		for (int l = 8; l; l /= 2)
			for (int j = 0; j < l; j++)
				s[j] += s[j + l];
		const float k = 1.0f / sqrtf(s[0] / (float)len + 1e-5f);
		EXPECT(same_bits(mean[r], m), "mean %.9g, in order %.9g", (double)mean[r], (double)m);
		EXPECT(same_bits(inv[r], k), "1/deviation %.9g, in order %.9g", (double)inv[r], (double)k);
		for (int64_t i = 0; i < len; i++) {
			const float v = d[i] * k;
			const float want = affine > 1 ? fmaf(v, scale[i], bias[i]) : affine ? v * scale[i] : v;
			EXPECT(same_bits(y[r * len + i], want), "element %lld", (long long)i);
		}
	}
	free(x), free(scale), free(bias), free(y), free(mean), free(inv), free(d);
}

static void batchnorm(int64_t n, int64_t c, int64_t space, int training)
{
	struct amp_batchnorm p = { .n = n, .c = c, .space = space, .training = training, .epsilon = 1e-3,
				   .momentum = 0.75 };
	const int64_t ny = n * c * space;
	float *x = floats(ny), *y = get((size_t)ny * 4), *v[4], *m = get((size_t)c * 4), *s = get((size_t)c * 4);
	for (int i = 0; i < 4; i++)
		v[i] = floats(c);
	for (int64_t i = 0; i < c; i++)
		v[3][i] = v[3][i] * v[3][i];
	const void *in[5] = { x, v[0], v[1], v[2], v[3] };
	void *out[3] = { y, training ? m : NULL, training ? s : NULL };
	const size_t bytes[3] = { (size_t)ny * 4, (size_t)c * 4, (size_t)c * 4 };
	what = "batchnorm";
	call("batchnorm", "f32", &p, in, out, bytes, 3, 0);
	for (int64_t ch = 0; ch < c; ch++) {
		double mean = (double)v[2][ch], variance = (double)v[3][ch];
		if (training) {
			mean = variance = 0;
			for (int64_t i = 0; i < n * space; i++)
				mean += (double)x[(i / space * c + ch) * space + i % space];
			mean /= (double)(n * space);
			for (int64_t i = 0; i < n * space; i++)
				variance += pow((double)x[(i / space * c + ch) * space + i % space] - mean, 2);
			variance /= (double)(n * space);
			EXPECT(fabs((double)m[ch] - (0.75 * (double)v[2][ch] + 0.25 * mean)) < 1e-6, "running mean");
			EXPECT(fabs((double)s[ch] - (0.75 * (double)v[3][ch] + 0.25 * variance)) < 1e-6,
			       "running variance");
		}
		for (int64_t i = 0; i < n * space; i++) {
			const int64_t at = (i / space * c + ch) * space + i % space;
			const double k = (double)v[0][ch] / sqrt(variance + (double)1e-3f);
			const double want = ((double)x[at] - mean) * k + (double)v[1][ch];
			const double bound = (8 + (double)(n * space)) * EPS * (2 * fabs(k) + fabs((double)v[1][ch]));
			EXPECT(fabs((double)y[at] - want) <= bound, "%.9g, expected %.17g", (double)y[at], want);
		}
	}
	free(x), free(y), free(m), free(s);
	for (int i = 0; i < 4; i++)
		free(v[i]);
}

/* ---- argmax, topk, cumsum, einsum ------------------------------------------------------------------------ */

static void order_ops(int64_t outer, int64_t n, int64_t inner)
{
	const int64_t nx = outer * n * inner, k = random_int(0, n);
	int32_t *x = get((size_t)nx * 4), *values = get((size_t)(outer * k * inner) * 4 + 1);
	int64_t *at = get((size_t)(outer * inner) * 8);
	int64_t *index = get((size_t)(outer * k * inner) * 8 + 1);
	int32_t *sum = get((size_t)nx * 4);
	for (int64_t i = 0; i < nx; i++)
		x[i] = (int32_t)random_int(-3, 3);	/* many ties */
	const void *in[1] = { x };
	for (int form = 0; form < 4; form++) {
		const int low = form & 1, flag = form >> 1;
		struct amp_argreduce pa = { .min = low, .last = flag, .outer = outer, .n = n, .inner = inner };
		struct amp_topk pt = { .largest = !low, .outer = outer, .n = n, .inner = inner, .k = k };
		struct amp_cumsum pc = { .exclusive = low, .reverse = flag, .outer = outer, .n = n, .inner = inner };
		void *out_a[1] = { at }, *out_t[2] = { values, index }, *out_c[1] = { sum };
		const size_t bytes_a[1] = { (size_t)(outer * inner) * 8 }, bytes_c[1] = { (size_t)nx * 4 };
		const size_t bytes_t[2] = { (size_t)(outer * k * inner) * 4, (size_t)(outer * k * inner) * 8 };
		what = "argreduce, topk, cumsum";
		call("argreduce", "i32", &pa, in, out_a, bytes_a, 1, 0);
		call("topk", "i32", &pt, in, out_t, bytes_t, 2, (size_t)n * 16);
		call("cumsum", "i32", &pc, in, out_c, bytes_c, 1, 0);
		for (int64_t r = 0; r < outer * inner; r++) {
			const int32_t *px = x + r / inner * n * inner + r % inner;
			const int64_t to = r / inner * n * inner + r % inner;
			int64_t best = 0;
			for (int64_t i = 1; i < n; i++) {
				const int32_t a = px[i * inner], b = px[best * inner];
				if (a == b ? flag : low ? a < b : a > b)
					best = i;
			}
			EXPECT(at[r] == best, "argreduce %lld, expected %lld", (long long)at[r], (long long)best);
			/* rank of each element: how many stand before it */
			for (int64_t i = 0; i < n; i++) {
				int64_t before = 0;
				for (int64_t j = 0; j < n; j++) {
					const int32_t a = px[j * inner], b = px[i * inner];
					before += a == b ? j < i : low ? a < b : a > b;
				}
				if (before >= k)
					continue;
				const int64_t slot = (r / inner * k + before) * inner + r % inner;
				EXPECT(index[slot] == i && values[slot] == px[i * inner], "topk");
			}
			int32_t s = 0;
			for (int64_t i = 0; i < n; i++) {
				const int64_t e = flag ? n - 1 - i : i;
				const int32_t old = s;
				s += px[e * inner];
				EXPECT(sum[to + e * inner] == (low ? old : s), "cumsum");
			}
		}
	}
	free(x), free(values), free(at), free(index), free(sum);
}

/* "aab,bc,c->ac" with a = 3, b = 5, c = 4: a diagonal, three operands */
static void einsum(void)
{
	float *a = floats(45), *b = floats(20), *c = floats(4), y[12];
	struct amp_einsum p = { .operands = 3, .rank_kept = 2, .kept = { 3, 4 }, .rank = 1, .dim = { 5 } };
	const int l = AMP_EINSUM_LABELS;
	p.kept_stride[0] = 15 + 5;
	p.kept_stride[l + 1] = 1;
	p.kept_stride[2 * l + 1] = 1;
	p.stride[0] = 1;
	p.stride[l] = 4;
	const void *in[3] = { a, b, c };
	void *out[1] = { y };
	const size_t bytes[1] = { sizeof y };
	what = "einsum";
	call("einsum", "f32", &p, in, out, bytes, 1, 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++) {
			float s = 0;
			for (int k = 0; k < 5; k++)
				s = fmaf(a[i * 20 + k] * b[k * 4 + j], c[j], s);
			EXPECT(same_bits(y[i * 4 + j], s), "element %d %d", i, j);
		}
	free(a), free(b), free(c);
}

int main(void)
{
	static const int64_t shapes[][3] = { { 1, 1, 1 }, { 2, 3, 17 }, { 1, 64, 33 }, { 5, 16, 16 }, { 3, 47, 1 },
					     { 2, 100, 40 } };
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		for (int form = 0; form < 3; form++)
			for (int mode = 0; mode <= AMP_RED_LP; mode++)
				if (mode != AMP_RED_LOG_SUM)
					reduce(shapes[i], form, mode, mode % 2 == 0 && i % 2);
	reduce_integers();
	for (int mode = 0; mode < 3; mode++) {
		softmax(1, 1, 1, mode);
		softmax(3, 1000, 1, mode);
		softmax(2, 37, 5, mode);
		softmax(3, 197, 1, mode);
		softmax(2, 48, 1, mode);
		softmax(2, 33, 67, mode);
		softmax(1, 4, 200, mode);
	}
	for (int i = 0; i < 40; i++)
		softmax_special(random_int(1, 3), random_int(1, 70), i % 2 ? 1 : random_int(1, 40));
	for (int i = 0; i < 12; i++) {
		norm(random_int(1, 5), random_int(1, 100), i % 2, i % 3);
		batchnorm(random_int(1, 3), random_int(1, 9), random_int(1, 40), i % 2);
		order_ops(random_int(1, 3), random_int(1, 30), random_int(1, 3));
	}
	einsum();
	return finish("test_reduce");
}
