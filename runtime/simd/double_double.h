/*
 * double_double.h - numbers as unevaluated sums h + l of two doubles: about 106 bits.
 *
 * In:  double.  Out: struct amp_dd and dd_*: what the elementary functions on double need between
 *      their reductions and their one final rounding.
 *
 * The error-free transformations of Knuth, Dekker and Kahan; products are made opaque, because a
 * compiler that contracts h = a * b into a later sum would count the error term twice.
 */
#ifndef AMP_SIMD_DOUBLE_DOUBLE_H
#define AMP_SIMD_DOUBLE_DOUBLE_H

#include "double.h"

struct amp_dd {
	double h, l; /* |l| at most half an ulp of h */
};

static inline struct amp_dd dd_make(double h, double l)
{
	struct amp_dd r = { h, l };
	return r;
}

/* a + b, exactly */
static inline struct amp_dd dd_sum(double a, double b)
{
	double h = a + b, d = h - a;

	return dd_make(h, (a - (h - d)) + (b - d));
}

/* a + b, exactly, for |a| >= |b| or a = 0 */
static inline struct amp_dd dd_fast(double a, double b)
{
	double h = a + b;

	return dd_make(h, b - (h - a));
}

/* a * b, exactly */
static inline struct amp_dd dd_prod(double a, double b)
{
	double h = d_opaque(a * b);

	return dd_make(h, d_fma(a, b, -h));
}

static inline struct amp_dd dd_neg(struct amp_dd a) { return dd_make(-a.h, -a.l); }
/* by a power of two */
static inline struct amp_dd dd_scale(struct amp_dd a, double s)
{
	return dd_make(a.h * s, a.l * s);
}

static inline struct amp_dd dd_add(struct amp_dd a, struct amp_dd b)
{
	struct amp_dd s = dd_sum(a.h, b.h);

	return dd_fast(s.h, s.l + (a.l + b.l));
}

static inline struct amp_dd dd_mul(struct amp_dd a, struct amp_dd b)
{
	struct amp_dd p = dd_prod(a.h, b.h);

	return dd_fast(p.h, d_fma(a.h, b.l, d_fma(a.l, b.h, p.l)));
}

static inline struct amp_dd dd_div(struct amp_dd a, struct amp_dd b)
{
	double q = a.h / b.h, r = d_fma(-q, b.h, a.h);

	return dd_fast(q, d_fma(-q, b.l, r + a.l) / b.h);
}

/* a >= 0 */
static inline struct amp_dd dd_sqrt(struct amp_dd a)
{
	double s = d_sqrt(a.h), r = d_fma(-s, s, a.h);

	return s == 0 ? dd_make(s, 0) : dd_fast(s, (r + a.l) / (2.0 * s));
}

#endif
