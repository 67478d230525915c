/*
 * split.c - Split: a tensor cut along an axis.  Where nothing but axes of size 1 stands before the axis, the parts
 * are views.
 */
#include "ops/move.h"

#define AMP_T 12
#include "kernels/split.inc"

/* Before opset 13 the sizes were an attribute; without any (until 18) the outputs' number said it. */
static void upgrade(struct node *n)
{
	if (n->version < 13)
		op_attr_ints_to_input(n, "split", 1);
	if (!node_in(n, 1) && !attr_find(n, "num_outputs"))
		attr_set_int(n, "num_outputs", vec_len(n->out));
}

/* The size of each part along the axis; as many as there are outputs. */
static bool sizes(const struct node *n, const struct type **x, int *axis, int *parts, int64_t *size)
{
	const int64_t *v;
	int64_t sum = 0;
	int count;
	if (!move_in(n, 0, x) || !op_axis(n, attr_int(n, "axis", 0), (*x)->rank, axis))
		return false;
	const int64_t total = (*x)->dim[*axis].value;
	const int64_t num = attr_int(n, "num_outputs", vec_len(n->out));
	if (node_in(n, 1)) {
		if (!op_const_ints(n, 1, true, &v, &count))
			return false;
	} else {
		count = num < 1 || num > INT32_MAX ? -1 : (int)num;
		v = NULL;
	}
	if (count < vec_len(n->out) || count > AMP_SPLIT_PARTS) {
		op_error(n, "%d parts for %d outputs (at most %d parts are supported)", count,
			 vec_len(n->out), AMP_SPLIT_PARTS);
		return false;
	}
	const int64_t each = count > 0 ? (total + count - 1) / count : 0;
	for (int k = 0; k < count; k++) {
		/* equal parts; the last ones are smaller when it does not go evenly */
		size[k] = v ? v[k] : total - sum < each ? total - sum : each;
		if (size[k] < 0 || !add_i64(sum, size[k], &sum)) {
			op_error(n, "part %d has size %lld", k, (long long)size[k]);
			return false;
		}
	}
	if (sum != total) {
		op_error(n, "the parts have %lld elements in all, axis %d has %lld", (long long)sum, *axis,
			 (long long)total);
		return false;
	}
	*parts = count;
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t size[AMP_SPLIT_PARTS], dims[IR_MAX_RANK];
	int axis, parts;
	if (!sizes(n, &x, &axis, &parts, size))
		return false;
	const enum dtype t = x->dtype;
	const int rank = type_dims(x, dims);
	for (int k = 0; k < vec_len(n->out); k++) {
		dims[axis] = size[k];
		op_out_type(n, k, t, rank, dims);
	}
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t size[AMP_SPLIT_PARTS], d[IR_MAX_RANK + 1], at = 0;
	int axis, parts;
	if (!sizes(n, &x, &axis, &parts, size))
		return false;
	struct amp_split *p = step_kernel(s, "split", dtype_bits(x->dtype));
	int rank = type_dims(x, d);
	int64_t per = 1;
	if (n->in[0]->layout == LAYOUT_C16) {
		/* [N, C/16, space.., 16] */
		d[1] = (d[1] + 15) / 16;
		d[rank++] = 16;
		per = axis == 1 ? 16 : 1;
	}
	p->n = parts;
	p->outer = move_product(d, 0, axis);
	const int64_t inner = move_product(d, axis + 1, rank);
	step_in(s, n->in[0]);
	for (int k = 0; k < parts; k++) {
		p->size[k] = (size[k] + per - 1) / per * inner;
		step_out(s, node_out(n, k));
		if (p->outer == 1)
			step_view_of_in(s, at * dtype_size(x->dtype));
		at += p->size[k];
	}
	return true;
}

/* Blocks of channels can be cut between blocks. */
static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct type *x;
	int64_t size[AMP_SPLIT_PARTS];
	int axis, parts;
	if (n->in[0]->type.rank < 3 || n->in[0]->type.dtype != DT_FLOAT ||
	    !sizes(n, &x, &axis, &parts, size))
		return false;
	for (int k = 0; k + 1 < parts && axis == 1; k++)
		if (size[k] % 16)
			return false;
	for (int k = 0; k < vec_len(n->in); k++)
		want_in[k] = k ? LAYOUT_PLAIN : LAYOUT_C16;
	for (int k = 0; k < vec_len(n->out); k++)
		want_out[k] = LAYOUT_C16;
	return true;
}

const struct op op_split = { .domain = "", .name = "Split", .since = 18, .min_in = 1, .max_in = 2,
	.min_out = 1, .max_out = -1, .upgrade = upgrade, .infer = infer, .lower = lower, .c16 = c16 };
