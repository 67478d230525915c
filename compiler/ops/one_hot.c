/* one_hot.c - OneHot: a new axis that says by a hot element which index stood there. */
#include "ops/move.h"

#define AMP_T 12
#include "kernels/one_hot.inc"

static bool read(const struct node *n, const struct type **x, const struct type **v, int *axis, int64_t *depth)
{
	const struct tensor *d = op_const(n, 1);
	if (!op_in_type(n, 0, x) || !move_in(n, 2, v))
		return false;
	if (!d || d->n != 1) {
		op_error(n, "depth must be one number known at compile time");
		return false;
	}
	const double size = tensor_get_f(d, 0);
	if (!(size >= 1 && size <= 2147483647.0) || type_elements(*v) != 2 ||
	    (!dtype_is_int((*x)->dtype) && !dtype_is_float((*x)->dtype)) || (*x)->rank >= IR_MAX_RANK) {
		op_error(n, "depth %g, values %s, indices %s do not fit", size, type_text(n->graph->c, *v),
			 type_text(n->graph->c, *x));
		return false;
	}
	*depth = (int64_t)size;
	return op_axis(n, attr_int(n, "axis", -1), (*x)->rank + 1, axis);
}

static bool infer(struct node *n)
{
	const struct type *x, *v;
	int64_t depth, dims[IR_MAX_RANK + 1];
	int axis;
	if (!read(n, &x, &v, &axis, &depth))
		return false;
	for (int d = 0; d <= x->rank; d++)
		dims[d] = d < axis ? x->dim[d].value : d == axis ? depth : x->dim[d - 1].value;
	op_out_type(n, 0, v->dtype, x->rank + 1, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x, *v;
	int64_t depth, d[IR_MAX_RANK];
	int axis;
	if (!read(n, &x, &v, &axis, &depth))
		return false;
	type_dims(x, d);
	struct amp_one_hot *p = step_kernel(s, "one_hot", dtype_bits(v->dtype));
	p->kind = x->dtype;
	p->outer = move_product(d, 0, axis);
	p->depth = depth;
	p->inner = move_product(d, axis, x->rank);
	step_in(s, n->in[0]);
	step_in(s, n->in[2]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_one_hot = { .domain = "", .name = "OneHot", .since = 28, .min_in = 3, .max_in = 3, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower };
