/*
 * repeat.c - Expand, Tile, ConstantOfShape: elements repeated.  Each is one copy with strides of 0.
 */
#include "ops/move.h"

#include <string.h>

/* ---- Expand: numpy's broadcast to a shape --------------------------------------------------------- */

static bool expand_infer(struct node *n)
{
	const struct type *x;
	const int64_t *shape;
	int64_t d[IR_MAX_RANK], dims[IR_MAX_RANK];
	int count, rank;
	if (!move_in(n, 0, &x) || !op_const_ints(n, 1, true, &shape, &count))
		return false;
	for (int k = 0; k < count; k++)
		if (shape[k] < 0 || count > IR_MAX_RANK) {
			op_error(n, "shape[%d] is %lld", k, (long long)shape[k]);
			return false;
		}
	type_dims(x, d);
	if (!op_broadcast(n, x->rank, d, count, shape, &rank, dims))
		return false;
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

static bool expand_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t d[IR_MAX_RANK], stride[IR_MAX_RANK];
	struct move m = { 0 };
	if (!move_in(n, 0, &x))
		return false;
	const int rank = type_dims(x, d);
	move_strides(rank, d, stride);
	m.rank = type_dims(&n->out[0]->type, m.dim);
	for (int k = 0; k < rank; k++)
		m.in_stride[m.rank - rank + k] = d[k] == 1 ? 0 : stride[k];
	return move_lower(n, s, &m);
}

const struct op op_expand = { .domain = "", .name = "Expand", .since = 13, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .infer = expand_infer, .lower = expand_lower };

/* ---- Tile: axis d of size n becomes [repeats, n] ------------------------------------------------------ */

static bool tile_infer(struct node *n)
{
	const struct type *x;
	const int64_t *repeats;
	int64_t dims[IR_MAX_RANK];
	int count;
	if (!move_in(n, 0, &x) || !op_const_ints(n, 1, true, &repeats, &count))
		return false;
	if (count != x->rank) {
		op_error(n, "repeats has %d elements, X has %d axes", count, x->rank);
		return false;
	}
	for (int d = 0; d < count; d++)
		if (repeats[d] < 0 || !mul_i64(repeats[d], x->dim[d].value, &dims[d])) {
			op_error(n, "repeats[%d] is %lld", d, (long long)repeats[d]);
			return false;
		}
	op_out_type(n, 0, x->dtype, x->rank, dims);
	return true;
}

static bool tile_lower(struct node *n, struct step *s)
{
	const struct type *x;
	const int64_t *repeats;
	int64_t d[IR_MAX_RANK], stride[IR_MAX_RANK];
	struct move m = { 0 };
	int count;
	if (!move_in(n, 0, &x) || !op_const_ints(n, 1, true, &repeats, &count))
		return false;
	const int rank = type_dims(x, d);
	move_strides(rank, d, stride);
	m.rank = 2 * rank;
	for (int k = 0; k < rank; k++) {
		m.dim[2 * k] = repeats[k];
		m.dim[2 * k + 1] = d[k];
		m.in_stride[2 * k + 1] = stride[k];
	}
	return move_lower(n, s, &m);
}

const struct op op_tile = { .domain = "", .name = "Tile", .since = 13, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .infer = tile_infer, .lower = tile_lower };

/* ---- ConstantOfShape: one element everywhere ------------------------------------------------------------ */

static bool fill_infer(struct node *n)
{
	const int64_t *shape;
	int count;
	const struct tensor *v = attr_tensor(n, "value");
	if (!op_const_ints(n, 0, true, &shape, &count))
		return false;
	for (int d = 0; d < count; d++)
		if (shape[d] < 0 || count > IR_MAX_RANK) {
			op_error(n, "shape[%d] is %lld", d, (long long)shape[d]);
			return false;
		}
	if (v && (v->n != 1 || dtype_bits(v->dtype) == DT_NONE)) {
		op_error(n, "value must be one number");
		return false;
	}
	op_out_type(n, 0, v ? v->dtype : DT_FLOAT, count, shape);
	return true;
}

static bool fill_lower(struct node *n, struct step *s)
{
	struct move m = { .rank = 1, .dim = { type_elements(&n->out[0]->type) }, .in_stride = { 0 } };
	const enum dtype t = n->out[0]->type.dtype;
	struct tensor *one = tensor_new(n->graph->c, t, 1, &(int64_t){ 1 });
	const struct tensor *v = attr_tensor(n, "value");
	if (v)
		memcpy(one->data, tensor_convert(n->graph->c, v, t)->data, (size_t)dtype_size(t));
	struct node like = *n;
	struct value *in[] = { step_const(n, "fill", one) };
	/* the copy reads the constant in place of the shape */
	like.in = NULL;
	vec_add(n->graph->c, like.in, in[0]);
	return move_lower(&like, s, &m);
}

const struct op op_constant_of_shape = { .domain = "", .name = "ConstantOfShape", .since = 25,
	.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = fill_infer, .lower = fill_lower };
