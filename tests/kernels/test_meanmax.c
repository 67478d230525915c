/*
 * test_meanmax.c - mean and maximum in one sweep, plain and c16, over channels and over space, against the order that
 * docs/numerics.md states, one lane after the other, and against sums in double; with a gate,
 * whose products are rounded first; NaN, infinities, zeros of both signs.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/meanmax.inc"

static int special;			/* what the inputs hold besides ordinary numbers */

static float draw(void)
{
	static const float odd[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-42f, -1e-42f };
	const int64_t k = special ? random_int(0, special == 1 ? 1 : 40) : 99;
	if (special == 1 && k < 2)
		return odd[k];		/* zeros only: which one is the maximum? */
	return k < 9 ? odd[k] : random_float() * 4;
}

/* n elements in their order: the mean and the maximum of lanes r mod 16, combined 8, 4, 2, 1 */
static void reference(const float *x, int64_t n, int window, float *mean, float *most, double *truth, double *size)
{
	float s[16] = { 0 }, m[16];
	for (int j = 0; j < 16; j++)
		m[j] = -INFINITY;
	*truth = *size = 0;
	for (int64_t r = 0; r < n; r++) {
		const int j = (int)(r % 16), k = window ? 0 : j;
		s[j] += x[r];
		if (x[r] > m[k] || x[r] != x[r])
			m[k] = x[r];
		*truth += (double)x[r];
		*size += fabs((double)x[r]);
	}
	for (int l = 8; l; l /= 2)
		for (int j = 0; j < l; j++) {
			s[j] += s[j + l];
			if (m[j + l] > m[j] || m[j + l] != m[j + l])
				m[j] = m[j + l];
		}
	*mean = s[0] / (float)n;
	*most = m[0];
	*truth /= (double)n;
	*size /= (double)n;
}

/* gated: 1 a factor for each image's channel, 2 for every image's */
static void run(int mode, int c16, int64_t n, int64_t c, int64_t s, int max_first, int window, int gated)
{
	const int64_t blocks = (c + 15) / 16, plane = c16 ? blocks * 16 * s : c * s;
	struct amp_meanmax p = { .mode = mode, .max_first = max_first, .window = window, .n = n, .c = c, .s = s,
				 .x_s = c16 ? 16 : 1, .x_l = c16 ? 1 : s, .x_b = 16 * s, .x_n = plane, .gated = gated != 0,
				 .g_n = gated == 1 ? (c16 ? blocks * 16 : c) : 0 };
	float *x = get((size_t)(n * plane) * 4), *row = get((size_t)(mode ? s : c) * 4);
	const int64_t each = mode ? c : 2 * s, lines = mode ? c : s;
	float *y[2] = { get((size_t)(n * each) * 4), get((size_t)(n * each) * 4) };
	const int64_t factors = n * blocks * 16;
	float *gate = get((size_t)factors * 4);
	const void *in[2] = { x, gate };
	void *out[2] = { y[0], mode ? y[1] : NULL };
	const size_t bytes[2] = { (size_t)(n * each) * 4, (size_t)(n * each) * 4 };
	char text[160];
	snprintf(text, sizeof text, "mode %d c16 %d n %lld c %lld s %lld first %d window %d gated %d special %d", mode, c16,
		 (long long)n, (long long)c, (long long)s, max_first, window, gated, special);
	what = text;
	for (int64_t i = 0; i < n * plane; i++)
		x[i] = c16 && i / (16 * s) % blocks * 16 + i % 16 >= c ? 0 : draw();
	for (int64_t i = 0; i < factors; i++)
		gate[i] = draw();
	call("meanmax", "f32", &p, in, out, bytes, mode ? 2 : 1, 0);
	for (int64_t b = 0; b < n; b++)
		for (int64_t i = 0; i < lines; i++) {
			float mean, most;
			double truth, size;
			for (int64_t k = 0; k < (mode ? s : c); k++) {
				const int64_t ch = mode ? i : k, at = mode ? k : i;
				row[k] = x[b * plane + (c16 ? (ch / 16 * s + at) * 16 + ch % 16 : ch * s + at)];
				if (gated) {
					volatile float product = row[k] * gate[b * p.g_n + ch];
					row[k] = product;
				}
			}
			reference(row, mode ? s : c, window, &mean, &most, &truth, &size);
			const float got_mean = mode ? y[0][b * c + i] : y[0][b * 2 * s + (max_first ? s : 0) + i];
			const float got_most = mode ? y[1][b * c + i] : y[0][b * 2 * s + (max_first ? 0 : s) + i];
			EXPECT(same_bits(got_mean, mean), "mean %lld is %.9g, in order %.9g", (long long)i,
			       (double)got_mean, (double)mean);
			EXPECT(same_bits(got_most, most), "maximum %lld is %.9g, in order %.9g", (long long)i,
			       (double)got_most, (double)most);
			if (special < 2)
				EXPECT(fabs((double)got_mean - truth) <= (double)((mode ? s : c) + 5) * EPS * size,
				       "mean %lld is %.9g, truth %.17g", (long long)i, (double)got_mean, truth);
		}
	free(x), free(gate), free(row), free(y[0]), free(y[1]);
}

int main(void)
{
	static const int64_t edge[] = { 1, 2, 15, 16, 17, 31, 33, 48 };
	for (special = 0; special < 3; special++)
		for (int mode = 0; mode < 2; mode++)
			for (int c16 = 0; c16 < 2; c16++) {
				for (int i = 0; i < 8; i++)
					for (int j = 0; j < 8; j++)
						run(mode, c16, 1 + (i + j) % 2, edge[i], edge[j], i & 1, mode && (j & 1),
						    mode ? 0 : (i * 3 + j) % 3);
				run(mode, c16, 2, 64, 196, 0, mode, 0);
				run(mode, c16, 2, 64, 196, 0, mode, !mode);
			}
	for (int i = 0; i < 100; i++) {
		special = (int)random_int(0, 2);
		const int mode = (int)random_int(0, 1);
		run(mode, (int)random_int(0, 1), random_int(1, 3), random_int(1, 70), random_int(1, 130),
		    (int)random_int(0, 1), mode ? (int)random_int(0, 1) : 0, mode ? 0 : (int)random_int(0, 2));
	}
	return finish("test_meanmax");
}
