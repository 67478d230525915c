/* cumsum.c - CumSum and CumProd along the axis that constant input 1 names. */
#include "ops/axis.h"
#define AMP_T 1
#include "kernels/cumsum.inc"

static bool read(const struct node *n, const struct type **x, int *axis)
{
	const int64_t *a;
	int count;
	if (!op_in_type(n, 0, x) || !op_const_ints(n, 1, true, &a, &count))
		return false;
	const enum dtype t = (*x)->dtype;
	if (!dtype_is_float(t) && t != DT_INT32 && t != DT_INT64 && t != DT_UINT32 && t != DT_UINT64) {
		op_error(n, "%s inputs are not in the standard", dtype_name(t));
		return false;
	}
	if (count != 1) {
		op_error(n, "axis must be one number, not %d", count);
		return false;
	}
	return op_axis(n, a[0], (*x)->rank, axis);
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	int axis;
	if (!read(n, &x, &axis))
		return false;
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int axis;
	if (!read(n, &x, &axis))
		return false;
	struct amp_cumsum *p = step_kernel(s, "cumsum", x->dtype);
	axis_view(x, axis, &p->outer, &p->n, &p->inner);
	p->exclusive = attr_int(n, "exclusive", 0) != 0;
	p->product = str_eq(n->op_type, "CumProd");
	p->reverse = attr_int(n, "reverse", 0) != 0;
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_cumsum = {
	.domain = "", .name = "CumSum", .since = 14, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower,
};

const struct op op_cumprod = {
	.domain = "", .name = "CumProd", .since = 26, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower,
};
