/*
 * gather.c - Gather, GatherElements, GatherND: elements picked by index.  Indices come from data or are
 * constant; one outside its axis is an error at run time.  Gather of one constant index is a strided copy, often
 * a view.
 */
#include "ops/move.h"

#include <string.h>

#define AMP_T 12
#include "kernels/gather.inc"
#include "kernels/gather_elements.inc"
#include "kernels/gather_nd.inc"

/* ---- Gather --------------------------------------------------------------------------------------- */

static bool gather_infer(struct node *n)
{
	const struct type *x, *i;
	int64_t d[IR_MAX_RANK], e[IR_MAX_RANK], dims[2 * IR_MAX_RANK];
	int axis, rank = 0;
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	type_dims(x, d);
	type_dims(i, e);
	for (int k = 0; k < axis; k++)
		dims[rank++] = d[k];
	for (int k = 0; k < i->rank; k++)
		dims[rank++] = e[k];
	for (int k = axis + 1; k < x->rank; k++)
		dims[rank++] = d[k];
	if (rank > IR_MAX_RANK) {
		op_error(n, "the result has %d axes; %d is the most", rank, IR_MAX_RANK);
		return false;
	}
	if (d[axis] == 0 && type_elements(i) > 0) {
		op_error(n, "axis %d has no elements to pick from", axis);
		return false;
	}
	const struct tensor *c = op_const(n, 1);
	for (int64_t k = 0; c && k < c->n; k++) {
		const int64_t at = tensor_get_i(c, k);
		if (at < -d[axis] || at >= d[axis]) {
			op_error(n, "index %lld is outside axis %d of size %lld", (long long)at, axis,
				 (long long)d[axis]);
			return false;
		}
	}
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

static bool gather_lower(struct node *n, struct step *s)
{
	const struct type *x, *i;
	int64_t d[IR_MAX_RANK];
	int axis;
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	type_dims(x, d);
	const int64_t outer = move_product(d, 0, axis), inner = move_product(d, axis + 1, x->rank);
	const struct tensor *c = op_const(n, 1);
	if (c && c->n == 1) {
		const int64_t at = tensor_get_i(c, 0);
		struct move m = { .rank = 2, .dim = { outer, inner }, .in_stride = { d[axis] * inner, 1 },
				  .in_offset = (at < 0 ? at + d[axis] : at) * inner };
		return move_lower(n, s, &m);
	}
	struct amp_gather *p = step_kernel(s, "gather", dtype_bits(x->dtype));
	p->wide = i->dtype == DT_INT64;
	p->outer = outer;
	p->axis = d[axis];
	p->inner = inner;
	p->count = type_elements(i);
	step_in(s, n->in[0]);
	step_in(s, n->in[1]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_gather = { .domain = "", .name = "Gather", .since = 13, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .infer = gather_infer, .lower = gather_lower };

/* ---- GatherElements ---------------------------------------------------------------------------------- */

static bool elements_infer(struct node *n)
{
	const struct type *x, *i;
	int64_t dims[IR_MAX_RANK];
	int axis;
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	if (i->rank != x->rank) {
		op_error(n, "indices have %d axes, X has %d", i->rank, x->rank);
		return false;
	}
	type_dims(i, dims);
	for (int d = 0; d < x->rank; d++)
		if ((d != axis && dims[d] > x->dim[d].value) ||
		    (d == axis && x->dim[d].value == 0 && type_elements(i) > 0)) {
			op_error(n, "indices are %s, X is %s", type_text(n->graph->c, i),
				 type_text(n->graph->c, x));
			return false;
		}
	op_out_type(n, 0, x->dtype, x->rank, dims);
	return true;
}

static bool elements_lower(struct node *n, struct step *s)
{
	const struct type *x, *i;
	int64_t d[IR_MAX_RANK], dims[IR_MAX_RANK], stride[IR_MAX_RANK];
	int axis, r = 0;
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i) ||
	    !op_axis(n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	struct amp_gather_elements *p = step_kernel(s, "gather_elements", dtype_bits(x->dtype));
	type_dims(x, d);
	type_dims(i, dims);
	move_strides(x->rank, d, stride);
	p->wide = i->dtype == DT_INT64;
	p->axis = d[axis];
	p->step = stride[axis];
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
	step_in(s, n->in[0]);
	step_in(s, n->in[1]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_gather_elements = { .domain = "", .name = "GatherElements", .since = 13, .min_in = 2,
	.max_in = 2, .min_out = 1, .max_out = 1, .infer = elements_infer, .lower = elements_lower };

/* ---- GatherND ------------------------------------------------------------------------------------------ */

static bool nd_infer(struct node *n)
{
	const struct type *x, *i;
	int64_t dims[2 * IR_MAX_RANK];
	int rank = 0;
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i))
		return false;
	const int64_t batch = attr_int(n, "batch_dims", 0);
	const int64_t depth = i->rank ? i->dim[i->rank - 1].value : 0;
	bool ok = i->rank >= 1 && batch >= 0 && batch < i->rank && depth >= 1 && batch + depth <= x->rank;
	for (int k = 0; ok && k < batch; k++)
		ok = i->dim[k].value == x->dim[k].value;
	if (ok && type_elements(i) > 0)
		for (int k = 0; k < depth; k++)
			ok = ok && x->dim[batch + k].value > 0;
	if (!ok) {
		op_error(n, "indices %s with batch_dims %lld do not fit X %s", type_text(n->graph->c, i),
			 (long long)batch, type_text(n->graph->c, x));
		return false;
	}
	for (int k = 0; k + 1 < i->rank; k++)
		dims[rank++] = i->dim[k].value;
	for (int k = (int)(batch + depth); k < x->rank; k++)
		dims[rank++] = x->dim[k].value;
	if (rank > IR_MAX_RANK) {
		op_error(n, "the result has %d axes; %d is the most", rank, IR_MAX_RANK);
		return false;
	}
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

static bool nd_lower(struct node *n, struct step *s)
{
	const struct type *x, *i;
	int64_t d[IR_MAX_RANK], e[IR_MAX_RANK];
	if (!move_in(n, 0, &x) || !move_index(n, 1, &i))
		return false;
	struct amp_gather_nd *p = step_kernel(s, "gather_nd", dtype_bits(x->dtype));
	type_dims(x, d);
	type_dims(i, e);
	const int batch = (int)attr_int(n, "batch_dims", 0), depth = (int)e[i->rank - 1];
	p->wide = i->dtype == DT_INT64;
	p->depth = depth;
	p->batch = move_product(d, 0, batch);
	p->count = move_product(e, batch, i->rank - 1);
	p->inner = move_product(d, batch + depth, x->rank);
	memcpy(p->dim, d + batch, (size_t)depth * sizeof *d);
	step_in(s, n->in[0]);
	step_in(s, n->in[1]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_gather_nd = { .domain = "", .name = "GatherND", .since = 13, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .infer = nd_infer, .lower = nd_lower };
