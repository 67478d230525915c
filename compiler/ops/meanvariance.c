/*
 * meanvariance.c - MeanVarianceNormalization over `axes` (0, 2, 3 by default):
 * (x - E[x]) / (sqrt(E[(x - E[x])^2]) + 1e-9).  The standard writes the variance as E[x^2] -
 * E[x]^2, which cancels; this form has the same value and does not.
 */
#include "ops/expand.h"

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	int count, axis;
	const int64_t *axes = attr_ints(n, "axes", &count);
	if (!op_in_type(n, 0, &x))
		return false;
	for (int i = 0; i < count; i++)
		if (!op_axis(n, axes[i], x->rank, &axis))
			return false;
	if (!dtype_is_float(x->dtype) || (!count && x->rank != 4)) {
		op_error(n, "the input must be a floating tensor (of rank 4 where no axes are given), not %s",
			 type_text(n->graph->c, x));
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool expand(struct node *n)
{
	static const int64_t usual[] = { 0, 2, 3 };
	int count;
	const int64_t *given = attr_ints(n, "axes", &count);
	struct value *x = node_in(n, 0);
	struct value *axes = expand_ints(n, count ? given : usual, count ? count : 3);
	struct value *d = expand_node(n, "Sub", x, expand_node(n, "ReduceMean", x, axes));
	struct value *variance = expand_node(n, "ReduceMean", expand_node(n, "Mul", d, d), axes);
	struct value *deviation = expand_node(n, "Sqrt", variance, NULL);
	struct value *e = expand_scalar(n, x->type.dtype, (double)1e-9f);
	expand_result(n, 0, expand_node(n, "Div", d, expand_node(n, "Add", deviation, e)));
	node_remove(n);
	return true;
}

const struct op op_meanvariancenormalization = {
	.domain = "", .name = "MeanVarianceNormalization", .since = 13, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
