/*
 * Elementwise programs: text to instructions and back, broadcasting, c16 layouts, every primitive against C's
 * own arithmetic, and emitted loops against the interpreter, bit for bit (compiled with $CC).
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emit/emit_ew.h"
#include "ir/ew.h"
#include "ops/op.h"

static struct ctx *c;

/* A node ampoule.Elementwise with these inputs. */
static struct node *node(const char *expr, int n_in, const struct type *in, const struct type *out)
{
	struct graph *g = graph_new(c, "g");
	struct node *n = node_new(g, NULL, "ampoule", "Elementwise", "n");
	attr_set_str(n, "expr", expr);
	for (int k = 0; k < n_in; k++)
		node_add_in(n, graph_add_input(g, str_printf(c, "x%d", k), &in[k]));
	node_add_out(n, "y");
	if (out)
		n->out[0]->type = *out;
	return n;
}

static struct type type(enum dtype t, int rank, int64_t a, int64_t b, int64_t d, int64_t e)
{
	const int64_t dims[] = { a, b, d, e };
	return type_tensor(t, rank, dims);
}

static struct type scalar(enum dtype t)
{
	return type(t, 0, 0, 0, 0, 0);
}

/* Runs expr on the elements of one type; inputs and output n elements. */
static bool run1(const char *expr, enum dtype t, int64_t n, const void *const *in, int n_in, void *out,
		 enum dtype to)
{
	struct type ty[4];
	for (int k = 0; k < n_in; k++)
		ty[k] = type(t, 1, n, 0, 0, 0);
	struct node *nd = node(expr, n_in, ty, NULL);
	if (!ew_infer(nd) || nd->out[0]->type.dtype != to)
		return false;
	const struct ew *e = ew_of_node(nd);
	if (!e)
		return false;
	ew_run(e, in, &out);
	return true;
}

static double f64(const char *expr, double a, double b)
{
	double r = -77;
	const void *in[] = { &a, &b };
	CU_ASSERT_TRUE(run1(expr, DT_DOUBLE, 1, in, 2, &r, DT_DOUBLE));
	return r;
}

static float f32(const char *expr, float a, float b)
{
	float r = -77;
	const void *in[] = { &a, &b };
	CU_ASSERT_TRUE(run1(expr, DT_FLOAT, 1, in, 2, &r, DT_FLOAT));
	return r;
}

static int64_t i64(const char *expr, int64_t a, int64_t b)
{
	int64_t r = -77;
	const void *in[] = { &a, &b };
	CU_ASSERT_TRUE(run1(expr, DT_INT64, 1, in, 2, &r, DT_INT64));
	return r;
}

static int8_t i8(const char *expr, int8_t a, int8_t b)
{
	int8_t r = -77;
	const void *in[] = { &a, &b };
	CU_ASSERT_TRUE(run1(expr, DT_INT8, 1, in, 2, &r, DT_INT8));
	return r;
}

static uint8_t u8(const char *expr, uint8_t a, uint8_t b)
{
	uint8_t r = 77;
	const void *in[] = { &a, &b };
	CU_ASSERT_TRUE(run1(expr, DT_UINT8, 1, in, 2, &r, DT_UINT8));
	return r;
}

static void test_parse(void)
{
	const enum dtype f[2] = { DT_FLOAT, DT_FLOAT };
	struct type tf[2] = { scalar(DT_FLOAT), scalar(DT_FLOAT) };
	struct node *n = node("a", 2, tf, NULL);
	const struct ew *e = ew_parse(n, "x = exp(a); o1 = neg(x); div(x, add(x, 1))", 2, f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_EQUAL(e->n_out, 2);
	CU_ASSERT_EQUAL(vec_len(e->ins), 6);	/* a, exp, neg, 1, add, div */
	/* text, parsed again, is the same program */
	const char *s = ew_text(c, e);
	const struct ew *g = ew_parse(n, s, 2, f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(g);
	CU_ASSERT_STRING_EQUAL(ew_text(c, g), s);
	CU_ASSERT_EQUAL(vec_len(g->ins), vec_len(e->ins));
	/* numbers survive exactly */
	e = ew_parse(n, "fma(a, 0.1, -0x1.8p-149)", 2, f);
	g = ew_parse(n, ew_text(c, e), 2, f);
	CU_ASSERT_STRING_EQUAL(ew_text(c, g), ew_text(c, e));
	/* the default of an attribute, and the attribute */
	float a = 2, r = 0;
	CU_ASSERT_EQUAL((r = f32("mul($alpha:3, a)", a, 0)), 6);
	static const char *const wrong[] = {
		"", "add(a)", "add(a, b", "foo(a)", "c", "a b", "add(a, b) c", "1 +", "o1 = a", "not(a)",
		"sel(a, b, b)", "$x", "o999 = a", "like(1, a)", "=", "a;;;x", "f32(a, b)", NULL
	};
	for (int k = 0; wrong[k]; k++) {
		const int before = c->n_errors;
		if (ew_parse(n, wrong[k], 2, f) || c->n_errors == before)
			CU_FAIL(wrong[k]);
	}
	/* deep nesting is an error, no crash */
	struct text t = { .c = c };
	for (int k = 0; k < 100000; k++)
		text_printf(&t, "neg(");
	CU_ASSERT_PTR_NULL(ew_parse(n, t.s, 2, f));
	/* types must agree */
	const enum dtype mixed[2] = { DT_FLOAT, DT_INT64 };
	CU_ASSERT_PTR_NULL(ew_parse(n, "add(a, b)", 2, mixed));
	e = ew_parse(n, "like(b, a)", 2, mixed);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_EQUAL(e->out_type[0], DT_INT64);
}

static void test_integers(void)
{
	CU_ASSERT_EQUAL(i64("div(a, b)", -7, 2), -3);
	CU_ASSERT_EQUAL(i64("div(a, b)", 7, 0), 0);
	CU_ASSERT_EQUAL(i64("div(a, b)", INT64_MIN, -1), INT64_MIN);
	CU_ASSERT_EQUAL(i64("mod(a, b)", -7, 3), 2);
	CU_ASSERT_EQUAL(i64("mod(a, b)", 7, -3), -2);
	CU_ASSERT_EQUAL(i64("mod(a, b)", 7, 0), 0);
	CU_ASSERT_EQUAL(i64("fmod(a, b)", -7, 3), -1);
	CU_ASSERT_EQUAL(i64("fmod(a, b)", INT64_MIN, -1), 0);
	CU_ASSERT_EQUAL(i64("mul(a, b)", INT64_MAX, 2), -2);
	CU_ASSERT_EQUAL(i64("pow(a, b)", -3, 3), -27);
	CU_ASSERT_EQUAL(i64("pow(a, b)", -1, -3), -1);
	CU_ASSERT_EQUAL(i64("pow(a, b)", 2, -1), 0);
	CU_ASSERT_EQUAL(i64("add(a, 9223372036854775807)", 0, 0), INT64_MAX);
	CU_ASSERT_EQUAL(i8("add(a, b)", 127, 1), -128);
	CU_ASSERT_EQUAL(i8("neg(a)", -128, 0), -128);
	CU_ASSERT_EQUAL(i8("abs(a)", -5, 0), 5);
	CU_ASSERT_EQUAL(i8("shr(a, b)", -128, 1), -64);
	CU_ASSERT_EQUAL(i8("shr(a, b)", -128, 8), -1);
	CU_ASSERT_EQUAL(i8("shl(a, b)", 64, 1), -128);
	CU_ASSERT_EQUAL(i8("shl(a, b)", 1, -1), 0);
	CU_ASSERT_EQUAL(u8("shr(a, b)", 128, 7), 1);
	CU_ASSERT_EQUAL(u8("shr(a, b)", 128, 8), 0);
	CU_ASSERT_EQUAL(u8("sub(a, b)", 1, 2), 255);
	CU_ASSERT_EQUAL(u8("not(a)", 0x0f, 0), 0xf0);
	CU_ASSERT_EQUAL(u8("xor(a, b)", 0x0f, 0x3c), 0x33);
	for (int a = -128; a < 128; a++)
		for (int b = -128; b < 128; b += 7) {
			if (b == 0 || b == -1)
				continue;
			if (i8("div(a, b)", (int8_t)a, (int8_t)b) != (int8_t)(a / b) ||
			    i8("fmod(a, b)", (int8_t)a, (int8_t)b) != (int8_t)(a % b))
				CU_FAIL("int8 division");
		}
}

static void test_floats(void)
{
	/* NaN and zeros */
	CU_ASSERT_TRUE(isnan(f32("maximum(a, b)", NAN, 1)));
	CU_ASSERT_TRUE(isnan(f32("maximum(a, b)", 1, NAN)));
	CU_ASSERT_TRUE(isnan(f32("minimum(a, b)", 1, NAN)));
	CU_ASSERT_EQUAL(f32("minimum(a, b)", 1, -INFINITY), -INFINITY);
	CU_ASSERT_TRUE(isnan(f32("add(max(0, a), 0)", NAN, 0)));
	CU_ASSERT_FALSE(signbit(f32("add(max(0, a), 0)", -0.0f, 0)));
	CU_ASSERT_EQUAL(f32("sel(isnan(a), 5, b)", NAN, 1), 5);
	CU_ASSERT_EQUAL(f32("sel(isinf(a), 5, b)", -INFINITY, 1), 5);
	CU_ASSERT_EQUAL(f32("rint(a)", 2.5f, 0), 2);
	CU_ASSERT_EQUAL(f32("rint(a)", -3.5f, 0), -4);
	static const double v[] = { 0, 1, -1, 2.5, -2.5, 1e-3, 7.25, -100.5, 1e9, 0.1 };
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		for (size_t j = 0; j < sizeof v / sizeof *v; j++) {
			const double a = v[i], b = v[j];
			const double m = b == 0 ? NAN : fmod(a, b), r = f64("fmod(a, b)", a, b);
			CU_ASSERT_TRUE(m == r || (isnan(m) && isnan(r)));
			if (b == 0)
				continue;
			const double p = f64("mod(a, b)", a, b), q = a - floor(a / b) * b;
			CU_ASSERT_TRUE(fabs(p - q) <= 1e-6 * fabs(b) || fabs(fabs(p - q) - fabs(b)) < 1e-6);
			CU_ASSERT_TRUE(p == 0 || (p < 0) == (b < 0));
		}
	/* every float function against libm in double */
	static const struct { const char *name; double (*f)(double); double lo, hi; } fn[] = {
		{ "sqrt(a)", sqrt, 0, 1e6 }, { "exp(a)", exp, -700, 700 }, { "log(a)", log, 1e-300, 1e300 },
		{ "tanh(a)", tanh, -20, 20 }, { "erf(a)", erf, -6, 6 }, { "floor(a)", floor, -1e6, 1e6 },
		{ "ceil(a)", ceil, -1e6, 1e6 }, { "trunc(a)", trunc, -1e6, 1e6 },
		{ "expm1(a)", expm1, -5, 5 }, { "log1p(a)", log1p, -0.9, 10 }, { "sin(a)", sin, -100, 100 },
		{ "cos(a)", cos, -100, 100 }, { "tan(a)", tan, -1.5, 1.5 }, { "asin(a)", asin, -1, 1 },
		{ "acos(a)", acos, -1, 1 }, { "atan(a)", atan, -50, 50 }, { "sinh(a)", sinh, -20, 20 },
		{ "cosh(a)", cosh, -20, 20 }, { "asinh(a)", asinh, -50, 50 }, { "acosh(a)", acosh, 1, 50 },
		{ "atanh(a)", atanh, -0.99, 0.99 }, { NULL, NULL, 0, 0 }
	};
	for (int k = 0; fn[k].name; k++) {
		enum { N = 1000 };
		double x[N], y[N];
		float xf[N], yf[N];
		for (int i = 0; i < N; i++) {
			x[i] = fn[k].lo + (fn[k].hi - fn[k].lo) * i / (N - 1);
			xf[i] = (float)x[i];
		}
		const void *in[] = { x }, *inf[] = { xf };
		CU_ASSERT_TRUE_FATAL(run1(fn[k].name, DT_DOUBLE, N, in, 1, y, DT_DOUBLE));
		CU_ASSERT_TRUE_FATAL(run1(fn[k].name, DT_FLOAT, N, inf, 1, yf, DT_FLOAT));
		double worst = 0, worst_f = 0;
		for (int i = 0; i < N; i++) {
			const double want = fn[k].f(x[i]), wf = fn[k].f((double)xf[i]);
			worst = fmax(worst, fabs(y[i] - want) / fmax(fabs(want), 1e-3));
			if (fabs(wf) < 1e38 && fabs(wf) > 1e-37)
				worst_f = fmax(worst_f, fabs((double)yf[i] - wf) / fabs(wf));
		}
		if (worst > 1e-13 || worst_f > 3e-7) {
			fprintf(stderr, "%s: double %g float %g\n", fn[k].name, worst, worst_f);
			CU_FAIL("function is far from libm's");
		}
	}
	/* powers */
	static const double bases[] = { 0.5, 1, 2, 3.7, 10, -2, -3, 0, 1e-5 };
	static const double exps[] = { 0, 1, 2, 3, -1, -2, 0.5, 2.5, 10, -7 };
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
		for (size_t j = 0; j < sizeof exps / sizeof *exps; j++) {
			const double w = pow(bases[i], exps[j]), g = f64("pow(a, b)", bases[i], exps[j]);
			CU_ASSERT_TRUE((isnan(w) && isnan(g)) || w == g || fabs(w - g) <= 1e-14 * fabs(w));
		}
	/* a square by pow is a product: exact before it is rounded */
	uint32_t seed = 1;
	for (int k = 0; k < 20000; k++) {
		seed = seed * 1664525u + 1013904223u;
		const float x = ldexpf((float)(seed >> 8), -20);
		if (f32("pow(a, 2)", x, 0) != x * x)
			CU_FAIL("pow(x, 2)");
	}
}

static void test_casts(void)
{
	const double x[] = { 1.9, -1.9, 300, -300, 1e30, -1e30, NAN, 0, 70000, 2.5 };
	enum { N = 10 };
	const void *in[] = { x };
	int8_t a[N];
	uint8_t b[N], t[N];
	int32_t d[N];
	uint64_t u[N];
	int64_t l[N];
	uint16_t h[N];
	float f[N];
	CU_ASSERT_TRUE(run1("i8(a)", DT_DOUBLE, N, in, 1, a, DT_INT8));
	const int8_t wa[] = { 1, -1, 127, -128, 127, -128, 0, 0, 127, 2 };
	CU_ASSERT_EQUAL(memcmp(a, wa, sizeof a), 0);
	CU_ASSERT_TRUE(run1("u8(a)", DT_DOUBLE, N, in, 1, b, DT_UINT8));
	const uint8_t wb[] = { 1, 0, 255, 0, 255, 0, 0, 0, 255, 2 };
	CU_ASSERT_EQUAL(memcmp(b, wb, sizeof b), 0);
	CU_ASSERT_TRUE(run1("i32(a)", DT_DOUBLE, N, in, 1, d, DT_INT32));
	CU_ASSERT_EQUAL(d[4], INT32_MAX);
	CU_ASSERT_EQUAL(d[5], INT32_MIN);
	CU_ASSERT_TRUE(run1("u64(a)", DT_DOUBLE, N, in, 1, u, DT_UINT64));
	CU_ASSERT_EQUAL(u[4], UINT64_MAX);
	CU_ASSERT_EQUAL(u[5], 0);
	CU_ASSERT_TRUE(run1("i64(a)", DT_DOUBLE, N, in, 1, l, DT_INT64));
	CU_ASSERT_EQUAL(l[5], INT64_MIN);
	CU_ASSERT_TRUE(run1("b8(a)", DT_DOUBLE, N, in, 1, t, DT_BOOL));
	CU_ASSERT_EQUAL(t[6], 1);
	CU_ASSERT_EQUAL(t[7], 0);
	CU_ASSERT_TRUE(run1("f16(a)", DT_DOUBLE, N, in, 1, h, DT_FLOAT16));
	CU_ASSERT_EQUAL(h[8], 0x7c00);
	CU_ASSERT_EQUAL(h[9], 0x4100);
	/* a float16 register is a float: without a cast it is not rounded, with one it is */
	CU_ASSERT_TRUE(run1("f32(f16(add(f32(a), 1000.03125)))", DT_DOUBLE, N, in, 1, f, DT_FLOAT));
	CU_ASSERT_EQUAL(f[7], 1000);
	const int64_t wide[] = { -1, 256, 65537, INT64_MIN };
	const void *in2[] = { wide };
	CU_ASSERT_TRUE(run1("u8(a)", DT_INT64, 4, in2, 1, b, DT_UINT8));
	CU_ASSERT_EQUAL(b[0], 255);
	CU_ASSERT_EQUAL(b[1], 0);
	CU_ASSERT_EQUAL(b[2], 1);
}

/* Broadcasting against the definition, index by index. */
static void test_broadcast(void)
{
	static const int64_t shapes[][2][4] = {
		{ { 2, 3, 4, 5 }, { 2, 3, 4, 5 } }, { { 2, 3, 4, 5 }, { 1, 3, 1, 1 } },
		{ { 2, 1, 4, 1 }, { 1, 3, 1, 5 } }, { { 1, 1, 1, 1 }, { 2, 3, 4, 5 } },
		{ { 2, 3, 1, 37 }, { 1, 3, 4, 37 } }, { { 1, 1, 300, 1 }, { 2, 1, 1, 1 } }
	};
	for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
		const int64_t *p = shapes[k][0], *q = shapes[k][1];
		struct type ty[2] = { type(DT_INT64, 4, p[0], p[1], p[2], p[3]),
				      type(DT_INT64, 4, q[0], q[1], q[2], q[3]) };
		struct node *n = node("add(mul(a, 1000), b)", 2, ty, NULL);
		CU_ASSERT_TRUE_FATAL(ew_infer(n));
		const struct ew *e = ew_of_node(n);
		struct tensor *a = tensor_new(c, DT_INT64, 4, p), *b = tensor_new(c, DT_INT64, 4, q);
		int64_t d[4];
		type_dims(&n->out[0]->type, d);
		struct tensor *y = tensor_new(c, DT_INT64, 4, d);
		for (int64_t i = 0; i < a->n; i++)
			((int64_t *)a->data)[i] = i;
		for (int64_t i = 0; i < b->n; i++)
			((int64_t *)b->data)[i] = i;
		const void *in[] = { a->data, b->data };
		ew_run(e, in, &y->data);
		for (int64_t i = 0; i < y->n; i++) {
			int64_t r = i, ia = 0, ib = 0, x[4];
			for (int z = 3; z >= 0; z--, r /= d[z + 1 > 3 ? 3 : z + 1])
				x[z] = 0;
			r = i;
			for (int z = 3; z >= 0; z--) {
				x[z] = r % d[z];
				r /= d[z];
			}
			for (int z = 0; z < 4; z++) {
				ia = ia * p[z] + (p[z] == 1 ? 0 : x[z]);
				ib = ib * q[z] + (q[z] == 1 ? 0 : x[z]);
			}
			if (((int64_t *)y->data)[i] != ia * 1000 + ib) {
				CU_FAIL("broadcast");
				break;
			}
		}
	}
}

/* ---- emitted loops ------------------------------------------------------------------------------ */

struct trial {
	const char *expr;
	enum dtype type;
	int rank;
	int64_t shape[3][4];		/* of a, b, c; rank 0 in [0] < 0: absent */
	enum layout layout[3];		/* of a, b, c; the result's is the first's */
	bool vector;			/* the emitted loop must be the sixteen-lane one */
};

static const struct trial trials[] = {
	{ "add(max(0, a), 0)", DT_FLOAT, 4, { { 2, 3, 5, 7 }, { -1 } }, { 0 }, true },
	{ "mul(a, sigmoid(a))", DT_FLOAT, 2, { { 3, 32 }, { -1 } }, { 0 }, true },
	{ "add(mul(a, b), c)", DT_FLOAT, 3, { { 4, 5, 33 }, { 1, 5, 1 }, { 1, 1, 1 } }, { 0 }, true },
	{ "add(exp(a), mul(tanh(b), c))", DT_FLOAT, 4,
	  { { 2, 20, 3, 3 }, { 1, 20, 1, 1 }, { 2, 1, 3, 3 } },
	  { LAYOUT_C16, LAYOUT_PLAIN, LAYOUT_PLAIN }, true },
	{ "mul(a, b)", DT_FLOAT, 4, { { 2, 32, 3, 3 }, { 2, 32, 1, 1 }, { -1 } },
	  { LAYOUT_C16, LAYOUT_C16 }, true },
	{ "add(a, 1)", DT_FLOAT, 4, { { 1, 5, 3, 3 }, { -1 } }, { LAYOUT_C16 }, true },
	{ "add(max(0, add(a, b)), 0)", DT_FLOAT, 4, { { 1, 5, 3, 3 }, { 1, 5, 3, 3 }, { -1 } },
	  { LAYOUT_C16, LAYOUT_C16 }, true },
	{ "mul(a, b)", DT_FLOAT, 4, { { 1, 20, 2, 3 }, { 1, 20, 2, 3 }, { -1 } },
	  { LAYOUT_C16, LAYOUT_PLAIN }, false },
	{ "sel(and(lt(a, b), not(isnan(c))), erf(a), maximum(b, c))", DT_FLOAT, 2,
	  { { 5, 17 }, { 1, 17 }, { 5, 1 } }, { 0 }, true },
	{ "sin(a); o0 = pow(abs(a), 1.5)", DT_FLOAT, 1, { { 50 }, { -1 } }, { 0 }, true },
	{ "add(mul(a, b), c)", DT_FLOAT16, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "add(f16(mul(a, b)), c)", DT_FLOAT16, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "add(f16(mul(a, b)), c)", DT_BFLOAT16, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "add(mul(a, b), log(abs(c)))", DT_DOUBLE, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "div(mul(a, b), c)", DT_INT32, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "sub(mul(a, b), mod(a, c))", DT_INT64, 2, { { 4, 9 }, { 4, 1 }, { 1, 9 } }, { 0 }, false },
	{ "u8(f32(shr(a, b)))", DT_UINT8, 2, { { 4, 9 }, { 4, 1 }, { -1 } }, { 0 }, false },
	{ "f32(i16(a))", DT_FLOAT, 1, { { 40 }, { -1 } }, { 0 }, false },
	{ "b8(a)", DT_FLOAT, 1, { { 40 }, { -1 } }, { 0 }, false },
	{ "or(eq(a, b), gt(a, 3))", DT_INT8, 1, { { 40 }, { 40 }, { -1 } }, { 0 }, false },
	{ "mul(a, f32(i64(mul(b, 100))))", DT_FLOAT, 0, { { 0 }, { 0 }, { -1 } }, { 0 }, false },
	{ NULL, DT_NONE, 0, { { 0 } }, { 0 }, false }
};
#define ROOM 8192

static struct node *trial_node(const struct trial *t, int *n_in)
{
	struct type ty[3];
	*n_in = 0;
	for (int k = 0; k < 3 && t->shape[k][0] >= 0 && (k == 0 || t->rank == 0 || t->shape[k][0]); k++)
		ty[(*n_in)++] = type_tensor(t->type, t->rank, t->shape[k]);
	struct node *n = node(t->expr, *n_in, ty, NULL);
	for (int k = 0; k < *n_in; k++)
		n->in[k]->layout = t->layout[k];
	if (!ew_infer(n))
		return NULL;
	n->out[0]->layout = t->layout[0];
	return n;
}

static void fill(struct value *v, unsigned char *p, int trial, int k)
{
	struct tensor *t = tensor_new(c, v->type.dtype, 1, (int64_t[]){ value_bytes(v) / dtype_size(v->type.dtype) });
	ir_fill(t, (uint64_t)(trial * 7 + k + 1));
	memcpy(p, t->data, (size_t)tensor_bytes(t));
	if (v->type.dtype == DT_FLOAT && k == 0 && t->n > 8) {
		const float s[] = { NAN, INFINITY, -INFINITY, -0.0f, 1e-42f, 3e38f, 1e10f };
		memcpy(p, s, sizeof s);
	}
	/* as every value in blocks of channels: +0 beyond C */
	if (v->layout == LAYOUT_C16)
		for (int64_t i = 0; i < t->n; i++) {
			const int64_t space = v->type.dim[2].value * v->type.dim[3].value;
			const int64_t blocks = (v->type.dim[1].value + 15) / 16;
			const int64_t ch = i / 16 / space % blocks * 16 + i % 16;
			if (ch >= v->type.dim[1].value)
				memset(p + 4 * i, 0, 4);
		}
}

static int compile_and_run(const char *dir, const char *flags)
{
	const char *cc = getenv("CC");
	const char *cmd = str_printf(c, "%s -std=c11 -Wall -Wextra -Werror -Iinclude -Iruntime %s "
		"-o %s/t %s/t.c && %s/t > %s/out", cc && *cc ? cc : "gcc", flags, dir, dir, dir, dir);
	return system(cmd);
}

static void test_emitted(void)
{
	char dir[] = "/tmp/ampoule_ew_XXXXXX";
	static unsigned char in[3][ROOM], out[ROOM];
	struct text t = { .c = c };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	text_printf(&t, "#include <stdio.h>\n#include \"kernels/prim.h\"\nstruct run { int x; };\n"
		    "static _Alignas(64) unsigned char in[3][%d], out[%d];\n", ROOM, ROOM);
	struct text call = { .c = c }, want = { .c = c };
	for (int k = 0; trials[k].expr; k++) {
		int n_in;
		struct node *n = trial_node(&trials[k], &n_in);
		CU_ASSERT_PTR_NOT_NULL_FATAL(n);
		const struct ew *e = ew_of_node(n);
		CU_ASSERT_PTR_NOT_NULL_FATAL(e);
		const char *names[] = { "in[0]", "in[1]", "in[2]" }, *result[] = { "out" };
		struct text body = { .c = c };
		emit_ew(&body, e, names, result, 1);
		if ((strstr(body.s, "v_store") != NULL) != trials[k].vector) {
			fprintf(stderr, "%s\n%s", trials[k].expr, body.s);
			CU_FAIL("the loop has not the expected form");
		}
		text_printf(&t, "/* %s */\nstatic void f%d(const struct run *r)\n{\n\t(void)r;\n%s}\n",
			    trials[k].expr, k, body.s);
		text_printf(&call, "\tmemset(out, 0x55, sizeof out);\n");
		const void *pi[3];
		void *po[] = { out };
		for (int i = 0; i < n_in; i++) {
			const int64_t bytes = value_bytes(n->in[i]);
			CU_ASSERT_TRUE_FATAL(bytes <= ROOM);
			fill(n->in[i], in[i], k, i);
			text_printf(&t, "static const unsigned char x%d_%d[] = {", k, i);
			for (int64_t b = 0; b < bytes; b++)
				text_printf(&t, "%d,", in[i][b]);
			text_printf(&t, "};\n");
			text_printf(&call, "\tmemcpy(in[%d], x%d_%d, sizeof x%d_%d);\n", i, k, i, k, i);
			pi[i] = in[i];
		}
		memset(out, 0x55, sizeof out);
		ew_run(e, pi, po);
		const int64_t bytes = value_bytes(n->out[0]);
		CU_ASSERT_TRUE_FATAL(bytes < ROOM);
		CU_ASSERT_EQUAL(out[bytes], 0x55);	/* nothing written beyond the result */
		const int size = dtype_size(n->out[0]->type.dtype);
		text_printf(&call, "\tf%d(NULL);\n\tshow(%d, %d, %d);\n", k, k, (int)bytes, size);
		/* NaN's bits are not in the contract */
		for (int64_t b = 0; b <= bytes; b += size) {
			uint64_t u = 0;
			memcpy(&u, out + b, (size_t)(b < bytes ? size : 1));
			if (size == 4 && trials[k].type == DT_FLOAT && (u & 0x7fffffff) > 0x7f800000)
				u = 0x7fc00000;
			text_printf(&want, "%d %d %" PRIx64 "\n", k, (int)(b / size), u);
		}
	}
	text_printf(&t, "static void show(int k, int bytes, int size)\n{\n"
		    "\tfor (int b = 0; b <= bytes; b += size) {\n\t\tuint64_t u = 0;\n"
		    "\t\tmemcpy(&u, out + b, (size_t)(b < bytes ? size : 1));\n"
		    "\t\tif (size == 4 && (u & 0x7fffffff) > 0x7f800000)\n\t\t\tu = 0x7fc00000;\n"
		    "\t\tprintf(\"%%d %%d %%llx\\n\", k, b / size, (unsigned long long)u);\n\t}\n}\n\n"
		    "int main(void)\n{\n%s\treturn 0;\n}\n", call.s);
	CU_ASSERT_TRUE_FATAL(file_write(c, str_printf(c, "%s/t.c", dir), t.s, t.n));
	static const char *const flags[] = { "-O1", "-O2 -ffp-contract=fast",
#if defined(__x86_64__)
		"-O2 -DAMP_ISA_SSE2", "-O2 -mavx -DAMP_ISA_SSE2",
		"-O3 -ffp-contract=fast -mavx2 -mfma -mf16c -DAMP_ISA_AVX2",
#endif
		NULL };
	for (int f = 0; flags[f]; f++) {
#if defined(__x86_64__)
		if ((strstr(flags[f], "avx2") && !__builtin_cpu_supports("avx2")) ||
		    (strstr(flags[f], "-mavx ") && !__builtin_cpu_supports("avx")))
			continue;
#endif
		CU_ASSERT_EQUAL_FATAL(compile_and_run(dir, flags[f]), 0);
		size_t n;
		const unsigned char *got = file_read(c, str_printf(c, "%s/out", dir), 1 << 24, &n);
		CU_ASSERT_PTR_NOT_NULL_FATAL(got);
		if (n != want.n || memcmp(got, want.s, n) != 0) {
			const char *a = (const char *)got, *b = want.s;
			while (*a && *a == *b)
				a++, b++;
			while (a > (const char *)got && a[-1] != '\n')
				a--, b--;
			fprintf(stderr, "%s: got %.30s wanted %.30s\n", flags[f], a, b);
			CU_FAIL("emitted code differs from the interpreter");
		}
	}
	if (getenv("KEEP") == NULL)
		CU_ASSERT_EQUAL(system(str_printf(c, "rm -rf %s", dir)), 0);
}

static void test_inline(void)
{
	/* exp, then relu, fused by text, gives what the two give one after the other */
	const enum dtype f[] = { DT_FLOAT };
	struct type ty = type(DT_FLOAT, 1, 3, 0, 0, 0);
	struct node *n = node("a", 1, &ty, NULL);
	const struct ew *p = ew_parse(n, "x = exp(a); sub(x, div(1, x))", 1, f);
	const struct ew *q = ew_parse(n, "add(max(0, a), 0)", 1, f);
	const char *in[] = { "i0" }, *mid[] = { "m" }, *out[] = { "o0" };
	const char *s = str_printf(c, "%s%s", ew_inline(c, p, in, mid, "p"), ew_inline(c, q, mid, out, "q"));
	const float x[] = { -1, 0, 2 };
	float y[3], z[3], w[3];
	const void *px[] = { x }, *pz[] = { z };
	CU_ASSERT_TRUE_FATAL(run1(s, DT_FLOAT, 3, px, 1, y, DT_FLOAT));
	CU_ASSERT_TRUE_FATAL(run1("x = exp(a); sub(x, div(1, x))", DT_FLOAT, 3, px, 1, z, DT_FLOAT));
	CU_ASSERT_TRUE_FATAL(run1("add(max(0, a), 0)", DT_FLOAT, 3, pz, 1, w, DT_FLOAT));
	CU_ASSERT_EQUAL(memcmp(y, w, sizeof w), 0);
}

int main(void)
{
	c = ctx_new();
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("elementwise", NULL, NULL);
	CU_add_test(s, "parse", test_parse);
	CU_add_test(s, "integers", test_integers);
	CU_add_test(s, "floats", test_floats);
	CU_add_test(s, "casts", test_casts);
	CU_add_test(s, "broadcast", test_broadcast);
	CU_add_test(s, "inline", test_inline);
	CU_add_test(s, "emitted loops", test_emitted);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	const unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	ctx_free(c);
	return failures != 0;
}
