/*
 * concat.c - Concat: tensors one after the other along an axis.  Where nothing but axes of size 1 stands before
 * the axis, the inputs can be written straight into the result (a view).
 */
#include "ops/move.h"

#define AMP_T 12
#include "kernels/concat.inc"

/* More parts than the kernel takes become groups, and the node joins the groups. */
static void upgrade(struct node *n)
{
	while (vec_len(n->in) > AMP_CONCAT_PARTS) {
		const int count = vec_len(n->in);
		int groups = 0;
		for (int k = 0; k < count; k += AMP_CONCAT_PARTS) {
			struct node *part = node_new(n->graph, n, "", "Concat", n->name);
			part->version = n->version;
			attr_set_int(part, "axis", attr_int(n, "axis", 0));
			for (int i = k; i < count && i < k + AMP_CONCAT_PARTS; i++)
				node_add_in(part, n->in[i]);
			node_set_in(n, groups++, node_add_out(part, ""));
		}
		for (int k = groups; k < count; k++)
			node_set_in(n, k, NULL);
		while (vec_len(n->in) > groups)
			vec_pop(n->in);
	}
}

static bool read(const struct node *n, int *axis, int64_t *dims)
{
	const struct type *first, *x;
	bool ok = true;
	if (!move_in(n, 0, &first))
		return false;
	const int rank = type_dims(first, dims);
	if (!attr_find(n, "axis")) {
		op_error(n, "attribute axis is required");
		return false;
	}
	if (!op_axis(n, attr_int(n, "axis", 0), rank, axis))
		return false;
	for (int k = 1; k < vec_len(n->in); k++) {
		if (!move_in(n, k, &x))
			return false;
		bool fits = x->rank == rank && x->dtype == first->dtype;
		for (int d = 0; d < rank && fits; d++)
			fits = d == *axis || x->dim[d].value == dims[d];
		if (!fits) {
			op_error(n, "input %d is %s, input 0 is %s: they do not join at axis %d", k,
				 type_text(n->graph->c, x), type_text(n->graph->c, first), *axis);
			ok = false;
		} else if (!add_i64(dims[*axis], x->dim[*axis].value, &dims[*axis])) {
			op_error(n, "the result is too large");
			return false;
		}
	}
	return ok;
}

static bool infer(struct node *n)
{
	int64_t dims[IR_MAX_RANK];
	int axis;
	if (!read(n, &axis, dims))
		return false;
	op_out_type(n, 0, n->in[0]->type.dtype, n->in[0]->type.rank, dims);
	return true;
}

/* The sizes of a value as it lies: [N, C/16, space.., 16] in blocks of channels. */
static int lying(const struct value *v, int64_t *d)
{
	int rank = type_dims(&v->type, d);
	if (v->layout == LAYOUT_C16) {
		d[1] = (d[1] + 15) / 16;
		d[rank++] = 16;
	}
	return rank;
}

static bool lower(struct node *n, struct step *s)
{
	int64_t dims[IR_MAX_RANK], d[IR_MAX_RANK + 1], at = 0;
	int axis;
	if (!read(n, &axis, dims))
		return false;
	const enum dtype t = n->out[0]->type.dtype;
	struct amp_concat *p = step_kernel(s, "concat", dtype_bits(t));
	p->n = vec_len(n->in);
	if (p->n > AMP_CONCAT_PARTS) {
		node_error(n, "schedule", "more than %d inputs", AMP_CONCAT_PARTS);
		return false;
	}
	lying(n->out[0], d);
	p->outer = move_product(d, 0, axis);
	for (int k = 0; k < p->n; k++) {
		const int rank = lying(n->in[k], d);
		p->size[k] = move_product(d, axis, rank);
		step_in(s, n->in[k]);
		if (p->outer == 1)
			step_view_of_out(s, at * dtype_size(t));
		at += p->size[k];
	}
	step_out(s, n->out[0]);
	return true;
}

/* Blocks of channels join if all parts but the last fill their blocks. */
static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	int64_t dims[IR_MAX_RANK];
	int axis;
	const struct type *x = &n->in[0]->type;
	if (x->rank < 3 || x->dtype != DT_FLOAT || !read(n, &axis, dims))
		return false;
	for (int k = 0; k < vec_len(n->in); k++) {
		if (axis == 1 && k + 1 < vec_len(n->in) && n->in[k]->type.dim[1].value % 16)
			return false;
		want_in[k] = LAYOUT_C16;
	}
	want_out[0] = LAYOUT_C16;
	return true;
}

const struct op op_concat = { .domain = "", .name = "Concat", .since = 13, .min_in = 1, .max_in = -1,
	.min_out = 1, .max_out = 1, .upgrade = upgrade, .infer = infer, .lower = lower, .c16 = c16 };
