/* compare.c - distances between tensors, element by element, in double. */
#include "verify/compare.h"

#include <math.h>
#include <string.h>

/* The distance between neighbours at x in a format with `digits` bits of mantissa and least exponent e_min. */
static double ulp_at(double x, int digits, int e_min)
{
	int e;
	if (x == 0 || !isfinite(x))
		return ldexp(1, e_min - digits + 1);
	frexp(x, &e);
	e = e - 1 < e_min ? e_min : e - 1;
	return ldexp(1, e - digits + 1);
}

static void top1(const struct tensor *a, const struct tensor *b, struct comparison *r)
{
	const int64_t k = a->rank ? a->dim[a->rank - 1] : 1;
	if (k < 2)
		return;
	r->rows = a->n / k;
	for (int64_t i = 0; i < r->rows; i++) {
		int64_t x = 0, y = 0;
		for (int64_t j = 1; j < k; j++) {
			if (tensor_get_f(a, i * k + j) > tensor_get_f(a, i * k + x))
				x = j;
			if (tensor_get_f(b, i * k + j) > tensor_get_f(b, i * k + y))
				y = j;
		}
		r->top1_same += x == y;
	}
}

struct comparison compare(const struct tensor *a, const struct tensor *b, double rtol, double atol)
{
	struct comparison r = { 0 };
	r.same_type = a->rank == b->rank && a->n == b->n &&
		      (a->dtype == b->dtype || (dtype_is_float(a->dtype) && dtype_is_float(b->dtype)));
	for (int d = 0; r.same_type && d < a->rank; d++)
		r.same_type = a->dim[d] == b->dim[d];
	r.n = b->n;
	if (!r.same_type) {
		r.n_outside = b->n;
		return r;
	}
	r.same_bytes = a->dtype == b->dtype && a->dtype != DT_STRING &&
		       (!a->n || memcmp(a->data, b->data, (size_t)tensor_bytes(a)) == 0);
	const bool wide = a->dtype == DT_DOUBLE && b->dtype == DT_DOUBLE;
	double greatest = 0;
	for (int64_t i = 0; i < a->n; i++) {
		const double x = tensor_get_f(a, i), y = tensor_get_f(b, i), d = fabs(x - y);
		if (isfinite(y) && fabs(y) > greatest)
			greatest = fabs(y);
		if (isnan(x) || isnan(y) || isinf(x) || isinf(y)) {
			r.n_outside += !(x == y || (isnan(x) && isnan(y)));
			continue;
		}
		const double u = d / (wide ? ulp_at(y, 53, -1022) : ulp_at(y, 24, -126));
		r.max_abs = d > r.max_abs ? d : r.max_abs;
		r.max_ulp = u > r.max_ulp ? u : r.max_ulp;
		r.n_outside += d > atol + rtol * fabs(y);
	}
	r.max_rel = greatest > 0 ? r.max_abs / greatest : r.max_abs > 0 ? INFINITY : 0;
	top1(a, b, &r);
	return r;
}
