/*
 * scatter.c - ScatterElements, ScatterND: a copy of X in which updates are written or joined (add, mul, max,
 * min), in the order of the updates.  An index outside its axis is an error at run time.
 */
#include "ops/move.h"

#include <string.h>

#define AMP_T 1
#include "kernels/scatter_elements.inc"
#include "kernels/scatter_nd.inc"

static bool reduction(const struct node *n, int *how)
{
	static const char *const names[] = { "none", "add", "mul", "max", "min" };
	const char *s = attr_str(n, "reduction", "none");
	for (int k = 0; k < 5; k++)
		if (str_eq(s, names[k])) {
			*how = k;
			return true;
		}
	op_error(n, "reduction must be none, add, mul, max or min, not \"%s\"", s);
	return false;
}

static bool operands(const struct node *n, const struct type **x, const struct type **i,
		     const struct type **u)
{
	if (!move_in(n, 0, x) || !move_index(n, 1, i) || !move_in(n, 2, u))
		return false;
	if ((*u)->dtype != (*x)->dtype || !dtype_suffix((*x)->dtype)) {
		op_error(n, "updates are %s, X is %s", type_text(n->graph->c, *u),
			 type_text(n->graph->c, *x));
		return false;
	}
	return true;
}

/* ---- ScatterElements --------------------------------------------------------------------------------- */

static bool elements_infer(struct node *n)
{
	const struct type *x, *i, *u;
	int64_t dims[IR_MAX_RANK];
	int axis, how;
	if (!operands(n, &x, &i, &u) || !reduction(n, &how) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	bool ok = i->rank == x->rank && u->rank == x->rank;
	for (int d = 0; d < x->rank && ok; d++)
		ok = i->dim[d].value == u->dim[d].value &&
		     (d == axis ? x->dim[d].value > 0 || type_elements(i) == 0 :
				  i->dim[d].value <= x->dim[d].value);
	if (!ok) {
		op_error(n, "indices %s and updates %s do not fit X %s", type_text(n->graph->c, i),
			 type_text(n->graph->c, u), type_text(n->graph->c, x));
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool elements_lower(struct node *n, struct step *s)
{
	const struct type *x, *i, *u;
	int64_t d[IR_MAX_RANK], dims[IR_MAX_RANK], stride[IR_MAX_RANK];
	int axis, how, r = 0;
	if (!operands(n, &x, &i, &u) || !reduction(n, &how) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	struct amp_scatter_elements *p = step_kernel(s, "scatter_elements", x->dtype);
	type_dims(x, d);
	type_dims(i, dims);
	move_strides(x->rank, d, stride);
	p->wide = i->dtype == DT_INT64;
	p->reduction = how;
	p->axis = d[axis];
	p->step = stride[axis];
	p->total = type_elements(x);
	for (int k = 0; k < x->rank; k++) {
		if (dims[k] == 1)
			continue;
		if (r == AMP_MAX_RANK) {
			node_error(n, "schedule", "more than %d axes", AMP_MAX_RANK);
			return false;
		}
		p->dim[r] = dims[k];
		p->stride[r++] = k == axis ? 0 : stride[k];
	}
	p->rank = r;
	for (int k = 0; k < 3; k++)
		step_in(s, n->in[k]);
	step_out(s, n->out[0]);
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_scatter_elements = { .domain = "", .name = "ScatterElements", .since = 18, .min_in = 3,
	.max_in = 3, .min_out = 1, .max_out = 1, .infer = elements_infer, .lower = elements_lower };

/* ---- ScatterND ------------------------------------------------------------------------------------------ */

static bool nd_infer(struct node *n)
{
	const struct type *x, *i, *u;
	int64_t dims[IR_MAX_RANK];
	int how;
	if (!operands(n, &x, &i, &u) || !reduction(n, &how))
		return false;
	const int64_t depth = i->rank ? i->dim[i->rank - 1].value : 0;
	bool ok = i->rank >= 1 && depth >= 1 && depth <= x->rank &&
		  u->rank == i->rank - 1 + x->rank - depth;
	for (int k = 0; ok && k < u->rank; k++)
		ok = u->dim[k].value == (k < i->rank - 1 ? i->dim[k].value :
					 x->dim[k - (i->rank - 1) + depth].value);
	for (int k = 0; ok && k < depth; k++)
		ok = x->dim[k].value > 0 || type_elements(i) == 0;
	if (!ok) {
		op_error(n, "indices %s and updates %s do not fit X %s", type_text(n->graph->c, i),
			 type_text(n->graph->c, u), type_text(n->graph->c, x));
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool nd_lower(struct node *n, struct step *s)
{
	const struct type *x, *i, *u;
	int64_t d[IR_MAX_RANK], e[IR_MAX_RANK];
	int how;
	if (!operands(n, &x, &i, &u) || !reduction(n, &how))
		return false;
	struct amp_scatter_nd *p = step_kernel(s, "scatter_nd", x->dtype);
	type_dims(x, d);
	type_dims(i, e);
	p->wide = i->dtype == DT_INT64;
	p->reduction = how;
	p->depth = (int)e[i->rank - 1];
	p->count = move_product(e, 0, i->rank - 1);
	p->inner = move_product(d, p->depth, x->rank);
	memcpy(p->dim, d, (size_t)p->depth * sizeof *d);
	for (int k = 0; k < 3; k++)
		step_in(s, n->in[k]);
	step_out(s, n->out[0]);
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_scatter_nd = { .domain = "", .name = "ScatterND", .since = 18, .min_in = 3, .max_in = 3,
	.min_out = 1, .max_out = 1, .infer = nd_infer, .lower = nd_lower };
