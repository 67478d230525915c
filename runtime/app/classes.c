/*
 * classes.c - a model's output becomes probabilities and an order.
 *
 * In:  elements of any dtype.  Out: doubles; softmax or sigmoid of them; the indices, largest first.
 *
 * The printed numbers are the same on every machine: exp is computed here with + - * / in double, each
 * inexact product stored before it is added, sums go from the first class to the last.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

static double product(double a, double b)
{
	volatile double p = a * b;
	return p;
}

int app_is_finite(double x)
{
	return x - x == 0;
}

/* 2^n for n in the range of normal numbers */
static double power_of_two(int n)
{
	const uint64_t bits = (uint64_t)(n + 1023) << 52;
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/*
 * exp(x) = 2^n * exp(r): n = round(x / ln 2), r = x - n ln 2 with ln 2 in two parts (the first has 20
 * trailing zeros: n times it is exact), exp(r) by its Taylor series to the 14th power; |r| < 0.35, so the
 * rest is below 1e-18.  About one unit in the last place.
 */
double app_exp(double x)
{
	if (x != x)
		return x;
	if (x > 709.7)
		return x > 1e308 ? x : 1e308 * 10;	/* infinity */
	if (x < -745)
		return 0;
	const double scaled = product(x, 1.4426950408889634074);
	const int n = (int)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
	const double high = product(n, 0.693147180369123816490), low = product(n, 1.90821492927058770002e-10);
	const double r = (x - high) - low;
	double sum = 1;
	for (int k = 14; k > 0; k--)
		sum = 1 + product(sum, r) / k;
	return n < -1021 ? sum * power_of_two(n + 100) * power_of_two(-100) :
	       n > 1023 ? sum * 2 * power_of_two(n - 1) : sum * power_of_two(n);
}

float app_half(uint16_t h)
{
	const uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;
	uint32_t bits;
	float f;
	if (e == 31) {
		bits = sign | 0x7f800000 | m << 13;
	} else if (e) {
		bits = sign | (e + 112) << 23 | m << 13;
	} else {
		f = (float)m * (1.0f / 16777216.0f);	/* m * 2^-24, exact */
		memcpy(&bits, &f, 4);
		bits |= sign;
	}
	memcpy(&f, &bits, 4);
	return f;
}

#define VALUE(type) { type v; memcpy(&v, (const char *)data + (size_t)i * sizeof v, sizeof v); return (double)v; }

double app_value(enum amp_dtype t, const void *data, int64_t i)
{
	uint16_t half;
	uint32_t bits;
	float f;
	switch (t) {
	case AMP_FLOAT: VALUE(float)
	case AMP_DOUBLE: VALUE(double)
	case AMP_UINT8: case AMP_BOOL: VALUE(uint8_t)
	case AMP_INT8: VALUE(int8_t)
	case AMP_UINT16: VALUE(uint16_t)
	case AMP_INT16: VALUE(int16_t)
	case AMP_UINT32: VALUE(uint32_t)
	case AMP_INT32: VALUE(int32_t)
	case AMP_UINT64: VALUE(uint64_t)
	case AMP_INT64: VALUE(int64_t)
	case AMP_FLOAT16:
		memcpy(&half, (const char *)data + (size_t)i * 2, 2);
		return (double)app_half(half);
	case AMP_BFLOAT16:
		memcpy(&half, (const char *)data + (size_t)i * 2, 2);
		bits = (uint32_t)half << 16;
		memcpy(&f, &bits, 4);
		return (double)f;
	}
	return 0;
}

int app_probabilities(double *p, const double *out, int n, enum amp_activation a, char *err)
{
	double largest = 0, sum = 0;
	for (int i = 0; i < n; i++) {
		if (!app_is_finite(out[i]))
			return app_fail(err, "output %d of the model is not a finite number", i);
		if (i == 0 || out[i] > largest)
			largest = out[i];
	}
	for (int i = 0; i < n; i++) {
		if (a == AMP_ACT_SOFTMAX)
			sum += p[i] = app_exp(out[i] - largest);
		else
			p[i] = a == AMP_ACT_SIGMOID ? 1 / (1 + app_exp(-out[i])) : out[i];
	}
	if (a == AMP_ACT_SOFTMAX)
		for (int i = 0; i < n; i++)
			p[i] /= sum;
	return 0;
}

struct ranked {
	double p;
	int index;
};

static int by_probability(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int app_order(int *order, const double *p, int n, char *err)
{
	struct ranked *r = malloc((size_t)n * sizeof *r);
	if (!r)
		return app_fail(err, "not enough memory");
	for (int i = 0; i < n; i++)
		r[i] = (struct ranked){ p[i], i };
	qsort(r, (size_t)n, sizeof *r, by_probability);
	for (int i = 0; i < n; i++)
		order[i] = r[i].index;
	free(r);
	return 0;
}
