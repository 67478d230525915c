/*
 * topk.c - TopK along one axis: values and indices of the k largest or smallest, k a constant
 * input.
 * sorted=0 allows any order; ours is sorted then too.
 */
#include "ops/axis.h"
#define AMP_T 1
#include "kernels/topk.inc"

static void upgrade(struct node *n)
{
	if (n->version >= 10 || !attr_find(n, "k"))
		return;
	const int64_t k = attr_int(n, "k", 0);
	attr_remove(n, "k");
	while (vec_len(n->in) < 2)
		node_add_in(n, NULL);
	node_set_in(n, 1, value_const(n->graph, "", tensor_ints(n->graph->c, &k, 1)));
}

static bool read(const struct node *n, const struct type **x, int *axis, int64_t *k)
{
	const int64_t *v;
	int count;
	if (!op_in_type(n, 0, x) || !op_axis(n, attr_int(n, "axis", -1), (*x)->rank, axis) ||
	    !op_const_ints(n, 1, true, &v, &count))
		return false;
	if (!dtype_is_float((*x)->dtype) && !dtype_is_int((*x)->dtype)) {
		op_error(n, "%s inputs are not in the standard", dtype_name((*x)->dtype));
		return false;
	}
	if (count != 1 || v[0] < 0 || v[0] > (*x)->dim[*axis].value) {
		op_error(n, "k must be one number from 0 to %lld", (long long)(*x)->dim[*axis].value);
		return false;
	}
	*k = v[0];
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK], k;
	int axis;
	if (!read(n, &x, &axis, &k))
		return false;
	const int rank = type_dims(x, dims);
	dims[axis] = k;
	op_out_type(n, 0, x->dtype, rank, dims);
	op_out_type(n, 1, DT_INT64, rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t k;
	int axis;
	if (!read(n, &x, &axis, &k))
		return false;
	struct amp_topk *p = step_kernel(s, "topk", x->dtype);
	axis_view(x, axis, &p->outer, &p->n, &p->inner);
	p->k = k;
	p->largest = attr_int(n, "largest", 1) != 0;
	s->scratch = 2 * p->n * 8;
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	step_out(s, node_out(n, 1));
	return true;
}

const struct op op_topk = {
	.domain = "", .name = "TopK", .since = 24, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 2,
	.upgrade = upgrade, .infer = infer, .lower = lower,
};
