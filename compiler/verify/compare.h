/* compare.h - how far one tensor is from another. */
#ifndef AMP_COMPARE_H
#define AMP_COMPARE_H

#include "ir/ir.h"

struct comparison {
	bool same_type;			/* shape; dtype up to the width of floats */
	int64_t n, n_outside;		/* elements; those with |a - b| > atol + rtol |b|, or NaN on one side only */
	double max_abs, max_rel;	/* of elements that are finite on both sides; rel: |a - b| / max |b| */
	double max_ulp;			/* in units of the last place of b as float32 (float64 if both are) */
	int64_t rows, top1_same;	/* rows along the last axis; those with the same greatest element */
	bool same_bytes;
};

struct comparison compare(const struct tensor *a, const struct tensor *b, double rtol, double atol);

#endif
