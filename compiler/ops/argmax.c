/* argmax.c - ArgMax and ArgMin along one axis; the result is int64. */
#include "ops/axis.h"
#define AMP_T 1
#include "kernels/argreduce.inc"

static bool read(const struct node *n, const struct type **x, int *axis)
{
	if (!op_in_type(n, 0, x) || !op_axis(n, attr_int(n, "axis", 0), (*x)->rank, axis))
		return false;
	if (!dtype_is_float((*x)->dtype) && !dtype_is_int((*x)->dtype)) {
		op_error(n, "%s inputs are not in the standard", dtype_name((*x)->dtype));
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	int axis, rank = 0;
	if (!read(n, &x, &axis))
		return false;
	for (int d = 0; d < x->rank; d++)
		if (d != axis)
			dims[rank++] = x->dim[d].value;
		else if (attr_int(n, "keepdims", 1))
			dims[rank++] = 1;
	if (x->dim[axis].value == 0) {
		op_error(n, "axis %d is empty", axis);
		return false;
	}
	op_out_type(n, 0, DT_INT64, rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int axis;
	if (!read(n, &x, &axis))
		return false;
	struct amp_argreduce *p = step_kernel(s, "argreduce", x->dtype);
	axis_view(x, axis, &p->outer, &p->n, &p->inner);
	p->min = str_eq(n->op_type, "ArgMin");
	p->last = attr_int(n, "select_last_index", 0) != 0;
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	return true;
}

#define ROW .domain = "", .since = 13, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
	.infer = infer, .lower = lower

const struct op op_argmax = { .name = "ArgMax", ROW };
const struct op op_argmin = { .name = "ArgMin", ROW };
