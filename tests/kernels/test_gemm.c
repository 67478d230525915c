/*
 * test_gemm.c - the generic matrix product: every transposition, batch and broadcast by strides.
 * Against k ascending by fma in float (equal bits) and a double loop from the other end with a
 * bound.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/gemm.inc"

static void run(int64_t batch, int64_t m, int64_t n, int64_t k, int ta, int tb, int kind_c, int with_z,
		double alpha, double beta)
{
	struct amp_gemm p = { .rank = 1, .m = m, .n = n, .k = k, .alpha = alpha, .beta = beta };
	const int shared_b = batch > 1 && k % 2;	/* b without a batch axis */
	float *a = floats(batch * m * k), *b = floats(batch * k * n), *c = floats(batch * m * n);
	float *z = with_z ? floats(batch * m * n) : NULL;
	const int64_t ny = batch * m * n;
	float *y = get((size_t)ny * 4), *order = get((size_t)ny * 4);
	double *truth = get((size_t)ny * 8), *bound = get((size_t)ny * 8);
	char text[200];
	snprintf(text, sizeof text, "batch %lld m %lld n %lld k %lld ta %d tb %d c %d z %d", (long long)batch,
		 (long long)m, (long long)n, (long long)k, ta, tb, kind_c, with_z);
	what = text;
	p.batch[0] = batch;
	p.a_batch[0] = m * k;
	p.a_m = ta ? 1 : k;
	p.a_k = ta ? m : 1;
	p.b_batch[0] = shared_b ? 0 : k * n;
	p.b_k = tb ? 1 : n;
	p.b_n = tb ? k : 1;
	/* c: 0 none, 1 scalar, 2 a row, 3 a column, 4 whole */
	p.c_m = kind_c == 3 ? 1 : kind_c == 4 ? n : 0;
	p.c_n = kind_c == 2 || kind_c == 4 ? 1 : 0;
	p.c_batch[0] = kind_c == 4 ? m * n : 0;
	p.z_batch[0] = p.y_batch[0] = m * n;
	p.z_m = p.y_m = n;
	p.z_n = p.y_n = 1;
	for (int64_t i = 0; i < ny; i++) {
		const int64_t col = i % n, row = i / n % m, q = i / n / m;
		const float *pa = a + q * p.a_batch[0] + row * p.a_m, *pb = b + q * p.b_batch[0] + col * p.b_n;
		const float cv = kind_c ? c[q * p.c_batch[0] + row * p.c_m + col * p.c_n] : 0;
		float s = 0;
		double t = 0, size = 0;
		for (int64_t j = 0; j < k; j++)
			s = fmaf(pa[j * p.a_k], pb[j * p.b_k], s);
		for (int64_t j = k - 1; j >= 0; j--) {
			const double v = (double)pa[j * p.a_k] * (double)pb[j * p.b_k];
			t += v;
			size += fabs(v);
		}
		if (alpha != 1)
			s = fmaf((float)alpha, s, (float)beta * cv) + 0.0f;
		else
			s = beta == 1 || !kind_c ? s + (cv + 0.0f) : fmaf((float)beta, cv, s) + 0.0f;
		t = alpha * t + beta * (double)cv;
		size = fabs(alpha) * size + fabs(beta * (double)cv);
		if (z) {
			s += z[i];
			t += (double)z[i];
			size += fabs((double)z[i]);
		}
		order[i] = s;
		truth[i] = t;
		bound[i] = (double)(k + 5) * EPS * size;
	}
	const void *in[4] = { a, b, kind_c ? c : NULL, z };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	call("gemm", "f32", &p, in, out, bytes, 1, (size_t)(k * 32) * 4);
	check(y, order, truth, bound, ny);
	free(a), free(b), free(c), free(z), free(y), free(order), free(truth), free(bound);
}

/* integers wrap, and gemv is gemm's row */
static void integers(void)
{
	struct amp_gemm p = { .m = 3, .n = 5, .k = 7, .a_m = 7, .a_k = 1, .b_k = 5, .b_n = 1, .y_m = 5,
			      .y_n = 1, .alpha = 1, .beta = 1 };
	int32_t a[21], b[35], y[15];
	what = "int32";
	for (int i = 0; i < 21; i++)
		a[i] = (int32_t)random_bits();
	for (int i = 0; i < 35; i++)
		b[i] = (int32_t)random_bits();
	const void *in[4] = { a, b, NULL, NULL };
	void *out[1] = { y };
	const size_t bytes[1] = { sizeof y };
	call("gemm", "i32", &p, in, out, bytes, 1, 7 * 16 * 4);
	for (int i = 0; i < 15; i++) {
		uint32_t s = 0;
		for (int k = 0; k < 7; k++)
			s += (uint32_t)a[i / 5 * 7 + k] * (uint32_t)b[k * 5 + i % 5];
		EXPECT((uint32_t)y[i] == s, "element %d", i);
	}
}

int main(void)
{
	run(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
	run(1, 1, 37, 100, 0, 1, 2, 0, 1, 1);
	run(1, 37, 1, 100, 0, 0, 3, 1, 1, 1);
	run(1, 4, 16, 300, 0, 0, 0, 0, 1, 1);
	run(2, 5, 17, 0, 0, 0, 4, 0, 1, 1);	/* an empty sum */
	run(1, 6, 20, 9, 1, 1, 1, 1, 0.5, 2);
	for (int i = 0; i < 200; i++)
		run(random_int(1, 3), random_int(1, 19), random_int(1, 40), random_int(0, 50), (int)random_int(0, 1),
		    (int)random_int(0, 1), (int)random_int(0, 4), (int)random_int(0, 1),
		    random_int(0, 3) ? 1 : 0.75, random_int(0, 3) ? 1 : -1.5);
	integers();
	return finish("test_gemm");
}
