/*
 * lpnorm.c - LpNormalization along one axis: x / (sum |x|^p)^(1/p), p 1 or 2; 0 where the norm is
 * 0.
 * Becomes ReduceL1 or ReduceL2, then Div; Where guards the division by 0.
 */
#include "ops/expand.h"

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	int axis;
	const int64_t p = attr_int(n, "p", 2);
	if (!op_in_type(n, 0, &x) || !op_axis(n, attr_int(n, "axis", -1), x->rank, &axis))
		return false;
	if (!dtype_is_float(x->dtype) || (p != 1 && p != 2)) {
		op_error(n, "the input must be of a floating type and p 1 or 2, not %s and %lld",
			 dtype_name(x->dtype), (long long)p);
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool expand(struct node *n)
{
	struct value *x = node_in(n, 0);
	int axis;
	if (!op_axis(n, attr_int(n, "axis", -1), x->type.rank, &axis))
		return false;
	const int64_t axes = axis;
	const bool one = attr_int(n, "p", 2) == 1;
	struct value *norm = expand_node(n, one ? "ReduceL1" : "ReduceL2", x, expand_ints(n, &axes, 1));
	struct value *zero = expand_scalar(n, x->type.dtype, 0);
	struct value *is_zero = expand_node(n, "Equal", norm, zero);
	struct value *ratio = expand_node(n, "Div", x, norm);
	struct value *y = expand_node(n, "Where", is_zero, zero);
	node_add_in(y->def, ratio);
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_lpnormalization = {
	.domain = "", .name = "LpNormalization", .since = 22, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
