/*
 * test_math.c - the error of the elementary functions, in units of the last place (ULP).
 *
 * In:  runtime/simd; FULL=1 in the environment for every float, otherwise a stride that meets every
 *      exponent, and the neighbourhoods of the points where the functions change their formula.
 * Out: a line per function with its largest error, and CUnit's verdict against the bounds that
 *      docs/numerics.md states.
 *
 * The oracle is libm: its double for float, its long double for double. Where the result is known
 * without it (1, infinity, the first terms of a series), it is not asked: FULL takes minutes.
 * That the one-lane functions equal the sixteen-lane ones is tests/cli/simd_digest.sh's part.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

#include "simd/simd.h"

/* ---- the oracles on float */

static double o_exp(double x)
{
	return x > 89 ? INFINITY : x < -105 ? 0 : fabs(x) < 0x1p-27 ? 1 + x : exp(x);
}
/* Softmax's x is at most 0 */
static vf softmax_exp(vf x)
{
	return v_exp_softmax(v_min(v_zero(), x));
}
static double o_softmax_exp(double x)
{
	return x > 0 ? 1 : x < -87 ? 0 : o_exp(x);
}
static double o_exp2(double x)
{
	return x > 129 ? INFINITY : x < -152 ? 0 : fabs(x) < 0x1p-27 ? 1 + x * M_LN2 : exp2(x);
}
static double o_expm1(double x)
{
	return x > 89 ? INFINITY : x < -40 ? -1 : fabs(x) < 0x1p-16 ? x * (1 + x * (0.5 + x / 6)) : expm1(x);
}
static double o_log(double x) { return x < 0 ? (double)NAN : log(x); }
static double o_log1p(double x)
{
	return x < -1 ? (double)NAN : fabs(x) < 0x1p-16 ? x * (1 - x * (0.5 - x / 3)) : log1p(x);
}
static double o_softplus(double x)
{
	return x > 40 ? x : x < -105 ? 0 : (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}
static double o_sigmoid(double x)
{
	return x > 40 ? 1 : x < -105 ? 0 : fabs(x) < 0x1p-14 ? 0.5 + x / 4 : 1 / (1 + exp(-x));
}
static double o_tanh(double x)
{
	return fabs(x) > 20 ? copysign(1, x) : fabs(x) < 0x1p-13 ? x * (1 - x * x / 3) : tanh(x);
}
static double o_erf(double x)
{
	return fabs(x) > 6 ? copysign(1, x) :
	       fabs(x) < 0x1p-14 ? x * (1 - x * x / 3) * 1.1283791670955126 : erf(x);
}
static double o_sin(double x) { return fabs(x) < 0x1p-13 ? x * (1 - x * x / 6) : sin(x); }
static double o_cos(double x) { return fabs(x) < 0x1p-14 ? 1 - x * x / 2 : cos(x); }
static double o_tan(double x) { return fabs(x) < 0x1p-13 ? x * (1 + x * x / 3) : tan(x); }
static double o_asin(double x)
{
	return fabs(x) > 1 ? (double)NAN : fabs(x) < 0x1p-13 ? x * (1 + x * x / 6) : asin(x);
}
static double o_acos(double x)
{
	return fabs(x) > 1 ? (double)NAN : fabs(x) < 0x1p-14 ? M_PI_2 - x : acos(x);
}
static double o_atan(double x)
{
	return fabs(x) < 0x1p-13 ? x * (1 - x * x / 3) : fabs(x) > 0x1p20 ? copysign(M_PI_2, x) - 1 / x : atan(x);
}
static double o_sinh(double x)
{
	return fabs(x) > 90 ? copysign(INFINITY, x) : fabs(x) < 0x1p-13 ? x * (1 + x * x / 6) : sinh(x);
}
static double o_cosh(double x) { return fabs(x) > 90 ? INFINITY : fabs(x) < 0x1p-14 ? 1 + x * x / 2 : cosh(x); }
static double o_asinh(double x) { return fabs(x) < 0x1p-13 ? x * (1 - x * x / 6) : asinh(x); }
static double o_acosh(double x) { return x < 1 ? (double)NAN : acosh(x); }
static double o_atanh(double x)
{
	return fabs(x) > 1 ? (double)NAN : fabs(x) < 0x1p-13 ? x * (1 + x * x / 3) : atanh(x);
}

struct f32_case {
	const char *name;
	vf (*run)(vf);
	double (*oracle)(double);
	double bound; /* ULP, over all floats */
	double edge[4]; /* where the formula changes; 0: none */
};

static const struct f32_case f32_cases[] = {
	{ "exp", v_exp, o_exp, 0.80, { 0.34657, 88.72, -103.97, -87.3 } },
	{ "exp_softmax", softmax_exp, o_softmax_exp, 0.80, { -0.34657, -87, -86.99, 0 } },
	{ "exp2", v_exp2, o_exp2, 0.90, { 0.5, 128, -149, -126 } },
	{ "expm1", v_expm1, o_expm1, 1.0, { 0.34657, 88.72, -17.3, 17 } },
	{ "log", v_log, o_log, 0.90, { 1, 1.3333333, 0.6666667, 1.1754944e-38 } },
	{ "log1p", v_log1p, o_log1p, 0.90, { -1, 0.3333333, -0.3333333, 5.96e-8 } },
	{ "softplus", v_softplus, o_softplus, 1.0, { 0.2876, -16.6, 104, -103.97 } },
	{ "sigmoid", v_sigmoid, o_sigmoid, 0.97, { -16.98, -88, -103.97, 17 } },
	{ "tanh", v_tanh, o_tanh, 0.97, { 1, -1, 9.01, 10 } },
	{ "erf", v_erf, o_erf, 1.0, { 1, -1, 3.93, 3.83 } },
	{ "sin", v_sin, o_sin, 0.86, { 0.7853982, 65536, 0.000244, 3.1415927 } },
	{ "cos", v_cos, o_cos, 0.86, { 0.7853982, 65536, 1.5707964, 3.1415927 } },
	{ "tan", v_tan, o_tan, 0.501, { 0.7853982, 1.5707964, 3.1415927, 1048576 } },
	{ "asin", v_asin, o_asin, 0.501, { 1, -1, 0.5, 0 } },
	{ "acos", v_acos, o_acos, 0.501, { 1, -1, 0.5, -0.5 } },
	{ "atan", v_atan, o_atan, 0.501, { 0.4375, 0.6875, 1.1875, 2.4375 } },
	{ "sinh", v_sinh, o_sinh, 0.501, { 0.35, 40, 89.4, 0 } },
	{ "cosh", v_cosh, o_cosh, 0.501, { 0, 40, 89.4, 0 } },
	{ "asinh", v_asinh, o_asinh, 0.501, { 268435456, 1, 0, 0 } },
	{ "acosh", v_acosh, o_acosh, 0.501, { 1, 268435456, 2, 0 } },
	{ "atanh", v_atanh, o_atanh, 0.501, { 1, -1, 0.17, 0 } },
};

struct worst {
	double ulp, at, second; /* second: pow's other operand */
	long wrong; /* NaN, infinity or sign where another was due */
};

/* one result against the truth, in units of float's or double's last place there */
static void judge(struct worst *w, double x, double got, long double want, int bits)
{
	double rounded = bits == 24 ? (double)(float)want : (double)want, e;
	int exponent;

	if (isnan(rounded) || isnan(got)) {
		w->wrong += !isnan(rounded) != !isnan(got);
		return;
	}
	if (isinf(rounded) || isinf(got)) {
		w->wrong += rounded != got;
		return;
	}
	w->wrong += !signbit(rounded) != !signbit(got);
	frexpl(want, &exponent);
	exponent -= bits;
	exponent = bits == 24 ? (exponent < -149 ? -149 : exponent) :
				(exponent < -1074 ? -1074 : exponent);
	e = (double)ldexpl(fabsl((long double)got - want), -exponent);
	if (e > w->ulp) {
		w->ulp = e;
		w->at = x;
	}
}

/* the same for float, fast: `bits of want` give the exponent */
static void judge_float(struct worst *w, float x, float got, double want)
{
	float rounded = (float)want;
	uint64_t u = d_ubits(want);
	int e = (int)(u >> 52 & 2047) - 1023 - 23;
	double err;

	if (!(rounded - rounded == 0) || !(got - got == 0)) {
		judge(w, (double)x, (double)got, (long double)want, 24);
		return;
	}
	w->wrong += (int)(s_ubits(got) >> 31) != (int)(u >> 63);
	e = e < -149 ? -149 : e;
	err = fabs((double)got - want) * d_ufloat((uint64_t)(1023 - e) << 52);
	if (err > w->ulp) {
		w->ulp = err;
		w->at = (double)x;
	}
}

static void sweep(const struct f32_case *c, struct worst *w, uint64_t first, uint64_t end, uint64_t step)
{
	for (uint64_t u = first; u < end; u += 16 * step) {
		float x[16], y[16];

		for (int i = 0; i < 16; i++)
			x[i] = s_ufloat((uint32_t)(u + (uint64_t)i * step));
		v_store(y, c->run(v_load(x)));
		for (int i = 0; i < 16; i++)
			judge_float(w, x[i], y[i], c->oracle((double)x[i]));
	}
}

static int full(void)
{
	const char *s = getenv("FULL");

	return s && s[0] == '1';
}

/* ONLY=name in the environment: one function, to share a full run among processors */
static int wanted(const char *name)
{
	const char *only = getenv("ONLY");

	return !only || strcmp(only, name) == 0;
}

static void test_float(void)
{
	for (size_t k = 0; k < sizeof f32_cases / sizeof *f32_cases; k++) {
		const struct f32_case *c = f32_cases + k;
		struct worst w = { 0, 0, 0, 0 };

		if (!wanted(c->name))
			continue;
		if (full()) {
			sweep(c, &w, 0, 0x100000000u, 1);
		} else {
			sweep(c, &w, 0, 0x100000000u, 40009);
			for (uint32_t e = 0; e < 512; e++) /* both ends of each binade */
				sweep(c, &w, ((uint64_t)e << 23) + 0xfffffff8u,
				      ((uint64_t)e << 23) + 0x100000008u, 1);
			for (int i = 0; i < 4; i++)
				sweep(c, &w, (uint64_t)s_ubits((float)c->edge[i]) + 0x100000000u - 512,
				      (uint64_t)s_ubits((float)c->edge[i]) + 0x100000000u + 512, 1);
		}
		printf("  %-9s %.4f ULP at %a, bound %.3f%s\n", c->name, w.ulp, w.at, c->bound,
		       w.wrong ? ", WRONG KIND" : "");
		fflush(stdout);
		CU_ASSERT(w.ulp <= c->bound);
		CU_ASSERT_EQUAL(w.wrong, 0);
	}
}

/* ---- double */

static long double l_sigmoid(long double x)
{
	return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}
static long double l_softplus(long double x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }

struct f64_case {
	const char *name;
	double (*run)(double);
	long double (*oracle)(long double);
	double bound;
};

static const struct f64_case f64_cases[] = {
	{ "exp", d_exp, expl, 0.75 }, { "expm1", d_expm1, expm1l, 0.95 },
	{ "log", d_log, logl, 0.51 }, { "log1p", d_log1p, log1pl, 0.51 },
	{ "softplus", d_softplus, l_softplus, 1.75 }, { "sigmoid", d_sigmoid, l_sigmoid, 0.75 },
	{ "tanh", d_tanh, tanhl, 0.75 }, { "erf", d_erf, erfl, 1.0 },
	{ "sin", d_sin, sinl, 0.75 }, { "cos", d_cos, cosl, 0.75 }, { "tan", d_tan, tanl, 0.85 },
	{ "asin", d_asin, asinl, 0.65 }, { "acos", d_acos, acosl, 0.65 },
	{ "atan", d_atan, atanl, 0.65 }, { "sinh", d_sinh, sinhl, 0.85 },
	{ "cosh", d_cosh, coshl, 0.65 }, { "asinh", d_asinh, asinhl, 0.51 },
	{ "acosh", d_acosh, acoshl, 0.51 }, { "atanh", d_atanh, atanhl, 0.51 },
};

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static const double specials[] = {
	0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, INFINITY, -INFINITY, NAN, 5e-324, -5e-324, 1e-310,
	DBL_MAX, -DBL_MAX, DBL_MIN, 709.78, 710, -745.1, -745.2, 0.34, 0.35, 6, 1048576, 1e22, 0.17
};
#define SPECIALS ((long)(sizeof specials / sizeof *specials))

/* specials; any bits; magnitudes of 2^-12 to 2^12; near 1 and -1 */
static double input(long i)
{
	uint64_t r = next();
	double one = ldexp(1 + (double)(next() >> 12) * 0x1p-52, -(int)(r % 50));

	if (i < SPECIALS)
		return specials[i];
	switch (i & 3) {
	case 0:
		return d_ufloat(r);
	case 1:
		return ldexp((double)(int64_t)next() * 0x1p-63, (int)(r % 24) - 12);
	case 2:
		return ldexp((double)(int64_t)next() * 0x1p-63, (int)(r % 3));
	default:
		one = r & 1 << 21 ? 1 + one / 2 : r & 1 << 20 ? 1 - one / 2 : one;
		return r & 1 << 22 ? -one : one;
	}
}

static void report(const char *name, const struct worst *w, double bound)
{
	printf("  %-9s %.4f ULP at %a, bound %.3f%s\n", name, w->ulp, w->at, bound,
	       w->wrong ? ", WRONG KIND" : "");
	CU_ASSERT(w->ulp <= bound);
	CU_ASSERT_EQUAL(w->wrong, 0);
}

static void test_double(void)
{
	long n = full() ? 10000000 : 20000;

	if (!wanted("double"))
		return;
	if (LDBL_MANT_DIG < 64) {
		puts("  not run: long double is no wider than double here, there is no oracle");
		return;
	}
	for (size_t k = 0; k < sizeof f64_cases / sizeof *f64_cases; k++) {
		struct worst w = { 0, 0, 0, 0 };

		for (long i = 0; i < n; i++) {
			double x = input(i);
			judge(&w, x, f64_cases[k].run(x), f64_cases[k].oracle((long double)x), 53);
		}
		report(f64_cases[k].name, &w, f64_cases[k].bound);
	}
}

static void test_pow(void)
{
	struct worst w = { 0, 0, 0, 0 }, f = { 0, 0, 0, 0 };
	long n = full() ? 10000000 : 40000;

	if (!wanted("pow"))
		return;

	for (long i = 0; i < SPECIALS * SPECIALS; i++) {
		double x = specials[i / SPECIALS], y = specials[i % SPECIALS];

		judge(&f, x, (double)s_pow((float)x, (float)y), powl((float)x, (float)y), 24);
		judge(&w, x, d_pow(x, y), powl(x, y), 53);
	}
	for (long i = 0; i < n; i++) {
		double x = ldexp(1 + (double)(next() >> 12) * 0x1p-52, (int)(next() % 40) - 20), y;

		if (i & 1)
			x = 1 + ldexp(x, -30);
		if (i & 8)
			x = ldexp(x, -(int)(next() % 1000));
		y = (double)(int64_t)next() * 0x1p-63 * (745 / fabs(log(x)));
		judge(&w, x, d_pow(x, y), powl(x, y), 53);
		x = (double)(float)ldexp(1 + (double)(next() >> 12) * 0x1p-52, (int)(next() % 40) - 20);
		y = (double)(float)((double)(int64_t)next() * 0x1p-63 * (104 / (fabs(log(x)) + 1e-6)));
		judge(&f, x, (double)s_pow((float)x, (float)y), powl(x, y), 24);
		x = -x;
		y = (double)(int)(next() % 64) - 32;
		judge(&f, x, (double)s_pow((float)x, (float)y), powl(x, y), 24);
	}
	report("pow", &w, 0.80);
	report("pow float", &f, 0.501);
}

int main(void)
{
	CU_pSuite s;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite("math", NULL, NULL);
	if (!s || !CU_add_test(s, "float functions", test_float) ||
	    !CU_add_test(s, "double functions", test_double) || !CU_add_test(s, "pow", test_pow))
		return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
