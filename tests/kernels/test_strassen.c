/*
 * test_strassen.c - strassen with the compiler's weights: the bits of the order that docs/numerics.md states (written here
 * one pair of rows and columns at a time), equal in every build and any number of parts (call), near the sum in double; a
 * batch is its matrices one after the other; weights made at start are those made ahead; rule 18 and the cost refuse.
 */
#include "kernel_test.h"
#include "ops/strassen.h"
#define AMP_T 1
#include "kernels/conv_c16.inc"
#include "kernels/strassen.inc"
#include "kernels/strassen_weights.inc"

struct shape { int n, rows, k, m, chunk, act, z, plain; };

/* sum from s on of `count` products: x `xs` apart, w `ws` apart */
static float go_on(float s, const float *x, const float *w, int64_t ws, int count)
{
	for (int i = 0; i < count; i++)
		s = fmaf(x[i], w[i * ws], s);
	return s;
}

/* [k][m] as read by rows of 1 matrix; y [rows][m]: the sums of the definition, before bias */
static void definition(const float *x, const float *w, int rows, int k, int m, float *y)
{
	const int half = k / 32 * 16, rest = k - 2 * half, h = (rows + 1) / 2, blocks = (m + 15) / 16, q = (blocks + 1) / 2;
	float *t = get((size_t)(half + 1) * 16), *s = get((size_t)(half + 1) * 16);
	for (int i = 0; i < h; i++)
		for (int j = 0; j < q * 16; j++) {
			const int i2 = i + rows - h, j2 = j + (blocks - q) * 16;
			const float *b1 = x + (int64_t)i * k, *b2 = x + (int64_t)i2 * k;
			float *t1 = t, *t2 = t + half, *t3 = t + 2 * half, *t4 = t + 3 * half;
			float *s1 = s, *s2 = s + half, *s3 = s + 2 * half, *s4 = s + 3 * half;
#define A(row, col) ((col) < m ? w[(int64_t)(row) * m + (col)] : 0)
			for (int c = 0; c < half; c++) {
				const double a11 = (double)A(c, j), a21 = (double)A(c, j2), a12 = (double)A(c + half, j);
				const double one = a21 + (double)A(c + half, j2), two = one - a11;
				s1[c] = (float)one, s2[c] = (float)two, s3[c] = (float)(a11 - a21), s4[c] = (float)(a12 - two);
				t1[c] = b2[c] - b1[c], t2[c] = b2[half + c] - t1[c], t3[c] = b2[half + c] - b2[c];
				t4[c] = b1[half + c] - t2[c];
			}
			float p1 = 0, c11, c12, c21, c22;
			for (int c = 0; c < half; c++)
				p1 = fmaf(b1[c], A(c, j), p1);
			c11 = p1;
			for (int c = half; c < 2 * half; c++)
				c11 = fmaf(b1[c], A(c, j), c11);
			const float u2 = go_on(p1, t2, s2, 1, half), p5 = go_on(0, t1, s1, 1, half), u3 = go_on(u2, t3, s3, 1, half);
			c12 = go_on(u2 + p5, b2 + half, s4, 1, half);
			c21 = u3;
			for (int c = half; c < 2 * half; c++)
				c21 = fmaf(t4[c - half], A(c, j2), c21);
			c22 = u3 + p5;
			for (int c = 2 * half; c < k; c++) {
				c11 = fmaf(b1[c], A(c, j), c11), c12 = fmaf(b2[c], A(c, j), c12);
				c21 = fmaf(b1[c], A(c, j2), c21), c22 = fmaf(b2[c], A(c, j2), c22);
			}
			/* the middle row, the middle block: what the pair makes that has them as its second stays */
			const int first_row = !(rows % 2 && i == h - 1), first_block = !(blocks % 2 && j / 16 == q - 1);
			if (first_row && first_block && j < m)
				y[(int64_t)i * m + j] = c11;
			if (first_block && j < m)
				y[(int64_t)i2 * m + j] = c12;
			if (first_row && j2 < m)
				y[(int64_t)i * m + j2] = c21;
			if (j2 < m)
				y[(int64_t)i2 * m + j2] = c22;
			(void)rest;
#undef A
		}
	free(t), free(s);
}

/* where element (row, col) of matrix i lies: rows of `width`, or c16 */
static int64_t place(int plain, int64_t i, int64_t row, int64_t col, int64_t rows, int64_t width)
{
	const int64_t blocks = (width + 15) / 16;
	return plain ? (i * rows + row) * width + col : ((i * blocks + col / 16) * rows + row) * 16 + col % 16;
}

static struct strassen_layer layer_of(struct ctx *ctx, const struct shape *s)
{
	const int64_t dims[] = { s->k, s->m };
	struct tensor *w = tensor_new(ctx, DT_FLOAT, 2, dims);
	ir_fill(w, random_bits());
	return (struct strassen_layer){ .n = s->n, .rows = s->rows, .k = s->k, .m = s->m, .w = w, .w_k = s->m, .w_m = 1 };
}

static void run(struct ctx *ctx, const struct shape *s)
{
	const int64_t n = s->n, rows = s->rows, k = s->k, m = s->m, kb = (k + 15) / 16, mb = (m + 15) / 16, q = (mb + 1) / 2;
	const int64_t nx = s->plain ? n * rows * k : n * kb * rows * 16, ny = s->plain ? n * rows * m : n * mb * rows * 16;
	const int64_t half = k / 32 * 16, nu = q * (7 * half + 2 * (k - 2 * half)) * 16, pairs = n * ((rows + 1) / 2);
	const struct strassen_layer l = layer_of(ctx, s);
	const float *w = l.w->data;
	float *x = floats(nx), *b = floats(mb * 16), *z = s->z ? floats(ny) : NULL, *y = get((size_t)ny * 4);
	float *want = get((size_t)ny * 4), *row = get((size_t)(rows * k) * 4), *sums = get((size_t)(rows * m) * 4);
	float *raw = get((size_t)(mb * k) * 64), *u = get((size_t)nu * 4);
	double *truth = get((size_t)ny * 8), *bound = get((size_t)ny * 8);
	char text[120];
	snprintf(text, sizeof text, "%dx%dx%dx%d chunk%d act%d z%d plain%d", s->n, s->rows, s->k, s->m, s->chunk, s->act, s->z, s->plain);
	what = text;
	memset(want, 0, (size_t)ny * 4);
	memset(truth, 0, (size_t)ny * 8);
	memset(raw, 0, (size_t)(mb * k) * 64);
	for (int64_t i = 0; i < ny; i++)
		bound[i] = 0;
	for (int64_t c = 0; c < k; c++)
		for (int64_t j = 0; j < m; j++)
			raw[(j / 16 * k + c) * 16 + j % 16] = w[c * m + j];
	{
		const struct amp_strassen_weights p = { .k = s->k, .m = s->m, .half = (int)half };
		const void *in[1] = { raw };
		void *out[1] = { u };
		const size_t bytes[1] = { (size_t)nu * 4 };
		call("strassen_weights", "f32", &p, in, out, bytes, 1, 0);
	}
	for (int64_t i = 0; i < n; i++) {
		for (int64_t r = 0; r < rows; r++)
			for (int64_t c = 0; c < k; c++)
				row[r * k + c] = x[place(s->plain, i, r, c, rows, k)];
		definition(row, w, s->rows, s->k, s->m, sums);
		for (int64_t r = 0; r < rows; r++)
			for (int64_t j = 0; j < m; j++) {
				const int64_t at = place(s->plain, i, r, j, rows, m);
				float e[16] = { sums[r * m + j] + (b[j] + 0.0f) }, done[16];
				double t = (double)b[j] + (z ? (double)z[at] : 0), size = fabs(t);
				e[0] = z ? e[0] + z[at] : e[0];
				v_store(done, amp_v_activation(v_load(e), s->act, 0.1f, 0.4f));
				want[at] = done[0];
				for (int64_t c = 0; c < k; c++) {
					const double p = (double)row[r * k + c] * (double)w[c * m + j];
					t += p, size += fabs(p);
				}
				truth[at] = s->act == AMP_EPI_RELU ? fmax(t, 0) : s->act == AMP_EPI_NONE ? t : (double)done[0];
				bound[at] = 24 * (double)(k + 3) * EPS * (size + (double)k);	/* inputs are below 1: so are the pair's */
			}
	}
	const struct amp_strassen p = {
		.n = s->n, .rows = s->rows, .k = s->k, .m = s->m, .half = (int)half,
		.chunk = (int)(s->chunk && s->chunk < pairs ? s->chunk : pairs), .whole = !s->chunk || s->chunk >= pairs, .act = s->act,
		.x_matrix = nx / n, .x_row = s->plain ? k : 16, .x_block = s->plain ? 16 : rows * 16, .y_matrix = ny / n,
		.y_row = s->plain ? m : 16, .y_block = s->plain ? 16 : rows * 16, .alpha = 0.1f, .beta = 0.4f,
	};
	const void *in[4] = { x, u, b, z };
	void *out[1] = { y };
	const size_t bytes[1] = { (size_t)ny * 4 }, scratch = (size_t)(4 * (half + 16) * p.chunk) * 4;
	test_shared = p.whole ? scratch : 0;
	test_phases = p.whole ? 2 : 1;
	call("strassen", "f32", &p, in, out, bytes, 1, p.whole ? 0 : scratch);
	test_shared = 0;
	test_phases = 1;
	check(y, want, truth, bound, ny);
	free(x), free(b), free(z), free(y), free(want), free(row), free(sums), free(raw), free(u), free(truth), free(bound);
}

/* Which products: by their sizes, and by rule 18. */
static void choice(struct ctx *ctx)
{
	static const struct { struct shape s; bool chosen; } cases[] = {
		{ { .n = 1, .rows = 196, .k = 256, .m = 512 }, true }, { { .n = 1, .rows = 197, .k = 768, .m = 192 }, true },
		{ { .n = 1, .rows = 3136, .k = 64, .m = 64 }, false },		/* sums would cost more than is won */
		{ { .n = 1, .rows = 1, .k = 512, .m = 512 }, false },		/* no pair */
		{ { .n = 1, .rows = 196, .k = 31, .m = 512 }, false }, { { .n = 1, .rows = 196, .k = 512, .m = 31 }, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct strassen_layer l = layer_of(ctx, &cases[i].s);
		const char *tried = NULL;
		what = "choice";
		EXPECT(strassen_choose(ctx, &l, &tried) == cases[i].chosen, "%d x %d x %d", cases[i].s.rows, cases[i].s.k, cases[i].s.m);
		EXPECT(!cases[i].chosen || (tried && strncmp(tried, "strassen ", 9) == 0), "what was tried: %s", tried ? tried : "nothing");
	}
	/* one weight a column that picks one input: the direct form is exact, this one is not */
	const struct shape s = { .n = 1, .rows = 196, .k = 256, .m = 256 };
	struct strassen_layer l = layer_of(ctx, &s);
	float *w = ((struct tensor *)(uintptr_t)l.w)->data;
	const char *tried = NULL;
	memset(w, 0, 256 * 256 * 4);
	for (int i = 0; i < 256; i++)
		w[i * 256 + i] = 1;
	what = "rule 18";
	EXPECT(!strassen_choose(ctx, &l, &tried) && tried && strcmp(tried, "strassen inf") == 0, "admitted: %s", tried ? tried : "");
	/* weights that are no numbers: sums of them would spread */
	l = layer_of(ctx, &s);
	((float *)((struct tensor *)(uintptr_t)l.w)->data)[7] = INFINITY;
	tried = NULL;
	EXPECT(!strassen_choose(ctx, &l, &tried), "infinite weights are admitted: %s", tried ? tried : "");
}

static enum result all(struct ctx *ctx, void *arg)
{
	static const struct shape cases[] = {
		{ 1, 2, 32, 32, 0, 0, 0, 0 }, { 1, 3, 32, 33, 0, 1, 1, 0 }, { 2, 29, 64, 48, 0, 0, 1, 0 }, { 1, 57, 95, 80, 9, 1, 0, 0 },
		{ 3, 28, 48, 64, 14, 0, 0, 0 }, { 1, 100, 40, 100, 20, 0, 1, 0 }, { 1, 27, 33, 16, 5, 0, 0, 0 }, { 2, 7, 100, 31, 3, 0, 0, 0 },
		{ 1, 1, 32, 32, 0, 0, 0, 0 }, { 1, 2, 32, 32, 0, 0, 0, 1 }, { 2, 29, 63, 48, 0, 0, 1, 1 }, { 1, 57, 95, 80, 9, 1, 0, 1 },
		{ 4, 49, 96, 96, 30, 0, 1, 1 }, { 3, 1, 40, 32, 2, 0, 0, 1 }, { 1, 61, 130, 16, 7, 1, 1, 1 }, { 5, 14, 33, 48, 0, 0, 0, 1 },
	};
	(void)arg;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		run(ctx, &cases[i]);
	for (int act = AMP_EPI_NONE; act <= AMP_EPI_LEAKYRELU; act++) {
		const struct shape s = { 1, 11, 37, 40, 4, act, act % 2, 0 }, t = { 2, 9, 37, 48, 4, act, act % 2, 1 };
		run(ctx, &s);
		run(ctx, &t);
	}
	for (int i = 0; i < 30; i++) {
		const int plain = (int)random_int(0, 1);
		const struct shape s = {
			(int)random_int(1, 3), (int)random_int(1, 70), (int)random_int(32, 150),
			plain ? 16 * (int)random_int(1, 6) : (int)random_int(1, 100), (int)random_int(0, 40), (int)random_int(0, 1),
			(int)random_int(0, 1), plain,
		};
		run(ctx, &s);
	}
	choice(ctx);
	return R_SUCCESS;
}

int main(void)
{
	struct ctx *c = ctx_new();
	const enum result r = c ? ctx_run(c, all, NULL) : R_INTERNAL;
	ctx_free(c);
	return finish("test_strassen") || r != R_SUCCESS;
}
