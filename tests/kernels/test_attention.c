/*
 * test_attention.c - the fused attention against its operators one after another (products with k ascending by fma,
 * scales, biases, softmax in 16 lanes, product with v), and against a plain double loop with exp of libm.
 *
 * Random shapes, strides (heads side by side in rows, transposed keys), offsets, batches, programs with two
 * products, up to three biases and scales; many threads' parts (kernel_test.h); scores that are huge or infinite.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/attention.inc"

#define MAX_S 256			/* columns */

/* one operand: its memory and strides over batch, two axes */
struct view { float *data; int64_t n, offset, batch, a, b; };

static struct view matrix(int64_t batches, int64_t rows, int64_t cols, int turned, float scale)
{
	struct view v = { .offset = random_int(0, 3) };
	const int64_t gap = random_int(0, 5);	/* between rows */
	v.a = turned ? 1 : cols + gap;
	v.b = turned ? rows + gap : 1;
	const int64_t one = turned ? cols * v.b : rows * v.a;
	v.batch = random_int(0, 4) ? one : 0;
	v.n = v.offset + batches * one;
	v.data = floats(v.n);
	for (int64_t i = 0; i < v.n; i++)
		v.data[i] *= scale;
	return v;
}

static float at(const struct view *v, int64_t b, int64_t i, int64_t j)
{
	return v->data[v->offset + b * v->batch + i * v->a + j * v->b];
}

/* Softmax of n scores in the order of docs/numerics.md. */
static void softmax(const float *s, float *p, int64_t n)
{
	float max = -INFINITY, lane[16] = { 0 };
	for (int64_t i = 0; i < n; i++)
		if (s[i] > max || (s[i] != s[i] && max == max))
			max = s[i];
	for (int64_t i = 0; i < n; i++) {
		p[i] = s[i] - max < -87 ? 0 : s_exp(s[i] - max);
		lane[i % 16] += p[i];
	}
	for (int l = 8; l; l /= 2)
		for (int j = 0; j < l; j++)
			lane[j] += lane[j + l];
	for (int64_t i = 0; i < n; i++)
		p[i] /= lane[0];
}

static void run(int64_t batches, int64_t rows, int64_t columns, int64_t width, int64_t depth0, int64_t depth1,
		int biases, int scales, int split, float size)
{
	struct amp_attention p = { .rank = 1, .batch = { batches }, .rows = rows, .columns = columns, .width = width,
				   .depth0 = depth0, .depth1 = depth1, .split_i = 1, .split_j = 1 };
	struct view v = matrix(batches, columns, width, random_int(0, 3) == 0, 1);
	struct view q[2] = { matrix(batches, rows, depth0, random_int(0, 3) == 0, size),
			     matrix(batches, rows, depth1 ? depth1 : 1, 0, size) };
	struct view k[2] = { matrix(batches, depth0, columns, (int)random_int(0, 1), 1),
			     matrix(batches, depth1 ? depth1 : 1, columns, 1, 1) };
	struct view b[3] = { matrix(batches, rows, columns, 0, 2), matrix(batches, rows, columns, 1, 2),
			     matrix(batches, rows, columns, 0, 2) };
	float scale[6];
	const int64_t y_row = width + random_int(0, 3), ny = batches * rows * y_row;
	float *y = get((size_t)ny * 4);
	char text[200];
	snprintf(text, sizeof text, "batches %lld rows %lld columns %lld width %lld depth %lld %lld biases %d scales %x split "
		 "%d size %g", (long long)batches, (long long)rows, (long long)columns, (long long)width,
		 (long long)depth0, (long long)depth1, biases, (unsigned)scales, split, (double)size);
	what = text;
	for (int i = 0; i < 6; i++)
		scale[i] = 0.25f + 0.5f * fabsf(random_float());
	if (split && rows % 2 == 0 && columns % 3 == 0) {	/* rows and columns as two axes each */
		p.split_i = 2;
		p.split_j = columns / 3;
	}
	p.v_offset = v.offset, p.v_batch[0] = v.batch, p.v_j = v.a, p.v_n = v.b;
	p.q0_offset = q[0].offset, p.q0_batch[0] = q[0].batch, p.q0_i = q[0].a, p.q0_k = q[0].b;
	p.q1_offset = q[1].offset, p.q1_batch[0] = q[1].batch, p.q1_i = q[1].a, p.q1_k = q[1].b;
	p.k0_offset = k[0].offset, p.k0_batch[0] = k[0].batch, p.k0_k = k[0].a, p.k0_j = k[0].b;
	p.k1_offset = k[1].offset, p.k1_batch[0] = k[1].batch, p.k1_k = k[1].a, p.k1_j = k[1].b;
	p.v_b = 16 * p.v_n, p.q0_b = 16 * p.q0_k, p.q1_b = 16 * p.q1_k, p.k0_b = 16 * p.k0_k, p.k1_b = 16 * p.k1_k;
	int64_t *const offset[3] = { &p.b0_offset, &p.b1_offset, &p.b2_offset };
	int64_t *const batch[3] = { p.b0_batch, p.b1_batch, p.b2_batch }, *const ij[3] = { p.b0_ij, p.b1_ij, p.b2_ij };
	for (int i = 0; i < 3; i++) {
		*offset[i] = b[i].offset;
		batch[i][0] = b[i].batch;
		ij[i][0] = b[i].a * p.split_i;
		ij[i][1] = b[i].a;
		ij[i][2] = b[i].b * p.split_j;
		ij[i][3] = b[i].b;
	}
	p.y_batch[0] = rows * y_row, p.y_i = y_row, p.y_n = 1, p.y_b = 16;
	/* the program: product (scaled), a bias first or after, the second product, more biases, a division at the end */
	const int bias_first = biases && (scales & 1);
#define OP(o, a) (p.op[p.n_ops] = (o), p.arg[p.n_ops++] = (a))
	if (bias_first)
		OP(AMP_ATT_BIAS, 0);
	OP(AMP_ATT_PRODUCT, 0);
	if (scales & 2)
		OP(AMP_ATT_MUL, 0);
	if (bias_first)
		OP(AMP_ATT_ADD, 0);
	if (depth1) {
		OP(AMP_ATT_PRODUCT, 1);
		OP(AMP_ATT_ADD, 0);
	}
	for (int i = bias_first; i < biases; i++) {
		OP(AMP_ATT_BIAS, i);
		OP(AMP_ATT_ADD, 0);
	}
	if (scales & 4)
		OP(AMP_ATT_DIV, 1);
	const float *const of_q[2] = { scales & 8 ? &scale[2] : NULL, scales & 16 ? &scale[4] : NULL };
	const float *const of_k[2] = { scales & 32 ? &scale[3] : NULL, NULL };
	const void *in[14] = { v.data, q[0].data, k[0].data, depth1 ? q[1].data : NULL, depth1 ? k[1].data : NULL,
			       b[0].data, b[1].data, b[2].data, of_q[0], of_k[0], of_q[1], NULL, &scale[0], &scale[1] };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 };
	const int64_t deep = depth0 > depth1 ? depth0 : depth1, columns16 = (columns + 15) / 16 * 16;
	call("attention", "f32", &p, in, out, bytes, 1, (size_t)(AMP_ATTENTION_ROWS * (AMP_ATTENTION_STACK * columns16 + deep) +
	     columns16 * (depth0 + depth1) + (width + 15) / 16 * 16 * columns) * 4);
	for (int64_t n = 0; n < batches; n++)
		for (int64_t i = 0; i < rows; i++) {
			float s[MAX_S], prob[MAX_S];
			double t[MAX_S], high = -INFINITY, total = 0;
			for (int64_t j = 0; j < columns; j++) {
				double exact[2] = { 0, 0 };
				float product[2] = { 0, 0 };
				for (int o = 0; o < 2; o++)
					for (int64_t d = 0; d < (o ? depth1 : depth0); d++) {
						float x = at(&q[o], n, i, d), w = at(&k[o], n, d, j);
						double xd = (double)x, wd = (double)w;
						if (of_q[o])
							x *= *of_q[o], xd *= (double)*of_q[o];
						if (of_k[o])
							w *= *of_k[o], wd *= (double)*of_k[o];
						product[o] = fmaf(x, w, product[o]);
						exact[o] += xd * wd;
					}
				s[j] = product[0] + 0.0f;
				t[j] = exact[0];
				if (scales & 2)
					s[j] *= scale[0], t[j] *= (double)scale[0];
				if (bias_first)
					s[j] = at(&b[0], n, i, j) + s[j], t[j] += (double)at(&b[0], n, i, j);
				if (depth1)
					s[j] += product[1] + 0.0f, t[j] += exact[1];
				for (int m = bias_first; m < biases; m++)
					s[j] += at(&b[m], n, i, j), t[j] += (double)at(&b[m], n, i, j);
				if (scales & 4)
					s[j] /= scale[1], t[j] /= (double)scale[1];
				high = t[j] > high ? t[j] : high;
			}
			softmax(s, prob, columns);
			for (int64_t j = 0; j < columns; j++)
				total += t[j] = exp(t[j] - high);
			for (int64_t c = 0; c < width; c++) {
				const float got = y[(n * rows + i) * y_row + c];
				float sum = 0;
				double truth = 0, most = 0;
				for (int64_t j = 0; j < columns; j++) {
					sum = fmaf(prob[j], at(&v, n, j, c), sum);
					truth += t[j] / total * (double)at(&v, n, j, c);
					most = fmax(most, fabs((double)at(&v, n, j, c)));
				}
				EXPECT(same_bits(got, sum + 0.0f), "element %lld %lld %lld is %.9g, in order %.9g",
				       (long long)n, (long long)i, (long long)c, (double)got, (double)sum);
				/* errors of the scores are theirs times their size, and go into exponents */
				const double room = (double)(depth0 + depth1 + columns + 40) * EPS * most *
						    (4 + 8 * (double)size * (double)(depth0 + depth1 + 1));
				if (size < 100)
					EXPECT(fabs((double)got - truth) <= room, "element %lld %lld %lld is %.9g, "
					       "truth %.17g", (long long)n, (long long)i, (long long)c, (double)got, truth);
			}
		}
	free(v.data), free(y);
	for (int i = 0; i < 2; i++)
		free(q[i].data), free(k[i].data);
	for (int i = 0; i < 3; i++)
		free(b[i].data);
}

/* Masks with -inf: whole rows of it give NaN, others leave those columns out; NaN stays in its row. */
static void masks(void)
{
	enum { R = 5, C = 37, D = 8 };
	float q[R * D], k[C * D], v[C], mask[R * C], y[R];
	struct amp_attention p = { .rank = 0, .n_ops = 3, .op = { AMP_ATT_PRODUCT, AMP_ATT_BIAS, AMP_ATT_ADD }, .rows = R,
				   .columns = C, .width = 1, .depth0 = D, .split_i = 1, .split_j = 1, .v_j = 1, .v_n = 1,
				   .v_b = 16, .q0_i = D, .q0_k = 1, .q0_b = 16, .k0_k = 1, .k0_j = D, .k0_b = 16,
				   .b0_ij = { C, C, 1, 1 }, .y_i = 1, .y_n = 1, .y_b = 16 };
	what = "masks";
	for (int i = 0; i < R * D; i++)
		q[i] = random_float();
	for (int i = 0; i < C * D; i++)
		k[i] = random_float();
	for (int i = 0; i < C; i++)
		v[i] = (float)i;
	for (int i = 0; i < R * C; i++)		/* row i sees column 7 i alone; row 3 nothing; row 4 a NaN */
		mask[i] = i / C == 4 ? (i % C == 20 ? NAN : 0.0f) : i / C != 3 && i % C == i / C * 7 ? 0.0f : -INFINITY;
	const void *in[14] = { v, q, k, NULL, NULL, mask };
	void *out[1] = { y };
	const size_t bytes[1] = { sizeof y };
	call("attention", "f32", &p, in, out, bytes, 1, (AMP_ATTENTION_ROWS * (3 * 48 + D) + 48 * D + 16 * C) * 4);
	for (int i = 0; i < 3; i++)
		EXPECT(y[i] == (float)(i * 7), "row %d is %g", i, (double)y[i]);
	EXPECT(y[3] != y[3] && y[4] != y[4], "rows without a maximum: %g %g", (double)y[3], (double)y[4]);
}

int main(void)
{
	masks();
	run(1, 1, 1, 1, 1, 0, 0, 0, 0, 1);
	run(2, 197, 197, 64, 64, 0, 0, 2, 0, 1);
	run(3, 49, 49, 32, 32, 0, 2, 8, 0, 1);
	run(1, 14, 196, 16, 16, 16, 1, 4, 0, 1);
	run(1, 17, 15, 33, 5, 0, 1, 1, 1, 1000);	/* exps that vanish */
	run(1, 3, 40, 8, 0, 0, 1, 0, 0, 1);		/* an empty sum */
	for (int i = 0; i < 150; i++)
		run(random_int(1, 3), random_int(1, 40), random_int(1, 70), random_int(1, 40), random_int(1, 40),
		    random_int(0, 2) ? 0 : random_int(1, 20), (int)random_int(0, 3), (int)random_int(0, 63),
		    (int)random_int(0, 1), random_int(0, 5) ? 1 : 300);
	return finish("test_attention");
}
