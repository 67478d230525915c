/*
 * softmax.c - Softmax, LogSoftmax, Hardmax along one axis.
 *
 * Before opset 13 the axes from `axis` (1 by default) on were taken together; such a node keeps
 * that meaning in our own attribute "together", which is dropped where one axis is the same.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/softmax.inc"

static void upgrade(struct node *n)
{
	if (n->version >= 13)
		return;
	attr_set_int(n, "axis", attr_int(n, "axis", 1));
	attr_set_int(n, "together", 1);
}

static bool read(struct node *n, const struct type **x, int *axis)
{
	if (!op_in_type(n, 0, x))
		return false;
	if (!dtype_is_float((*x)->dtype)) {
		op_error(n, "the input must be of a floating type, not %s", dtype_name((*x)->dtype));
		return false;
	}
	*axis = 0;
	const int64_t a = attr_int(n, "axis", -1);
	if ((*x)->rank == 0)
		return true;
	if (attr_int(n, "together", 0) && a == (*x)->rank) {	/* every element by itself */
		*axis = (int)a;
		return true;
	}
	return op_axis(n, a, (*x)->rank, axis);
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	int axis;
	if (!read(n, &x, &axis))
		return false;
	if (axis == x->rank - 1)
		attr_remove(n, "together");
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int axis;
	if (!read(n, &x, &axis))
		return false;
	struct amp_softmax *p = step_kernel(s, "softmax", x->dtype);
	p->mode = str_eq(n->op_type, "LogSoftmax") ? AMP_LOG_SOFTMAX :
		  str_eq(n->op_type, "Hardmax") ? AMP_HARDMAX : AMP_SOFTMAX;
	p->outer = p->n = p->inner = 1;
	for (int d = 0; d < x->rank; d++) {
		const int64_t size = x->dim[d].value;
		if (d < axis)
			p->outer *= size;
		else if (d == axis || attr_int(n, "together", 0))
			p->n *= size;
		else
			p->inner *= size;
	}
	s->scratch = p->n * (dtype_size(x->dtype) == 8 ? 8 : 4);
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	step_inplace(s, 0, 0);
	return true;
}

#define ROW .domain = "", .since = 13, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
	.upgrade = upgrade, .infer = infer, .lower = lower

const struct op op_softmax = { .name = "Softmax", ROW };
const struct op op_logsoftmax = { .name = "LogSoftmax", ROW };
const struct op op_hardmax = { .name = "Hardmax", ROW };
