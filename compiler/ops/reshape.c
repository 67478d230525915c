/*
 * reshape.c - the same elements under another shape: Reshape, Flatten, Squeeze, Unsqueeze, Identity, BitCast.
 * All are views.
 */
#include "ops/move.h"

#include <string.h>

/* ---- Reshape ----------------------------------------------------------------------------------- */

static bool reshape_infer(struct node *n)
{
	const struct type *x;
	const int64_t *want;
	int64_t dims[IR_MAX_RANK], known = 1;
	int count, open = -1;
	if (!op_in_type(n, 0, &x) || !op_const_ints(n, 1, true, &want, &count))
		return false;
	if (count > IR_MAX_RANK) {
		op_error(n, "%d axes are too many", count);
		return false;
	}
	for (int d = 0; d < count; d++) {
		dims[d] = want[d];
		if (want[d] == 0 && !attr_int(n, "allowzero", 0)) {
			if (d >= x->rank) {
				op_error(n, "shape[%d] is 0, but X has %d axes", d, x->rank);
				return false;
			}
			dims[d] = x->dim[d].value;
		}
		if (want[d] == -1 && open < 0) {
			open = d;
			continue;
		}
		if (dims[d] < 0 || !mul_i64(known, dims[d], &known)) {
			op_error(n, "shape[%d] is %lld", d, (long long)want[d]);
			return false;
		}
	}
	const int64_t total = type_elements(x);
	if (open >= 0)
		dims[open] = known > 0 ? total / known : 0;
	if (open >= 0 ? (known == 0 ? total != 0 : total % known != 0) : known != total) {
		op_error(n, "%lld elements of %s do not fit the new shape", (long long)total,
			 type_text(n->graph->c, x));
		return false;
	}
	op_out_type(n, 0, x->dtype, count, dims);
	return true;
}

const struct op op_reshape = { .domain = "", .name = "Reshape", .since = 25, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .infer = reshape_infer, .lower = move_view, .c16 = move_view_c16 };

/* ---- Flatten: [outer, inner] around an axis -------------------------------------------------------- */

static bool flatten_infer(struct node *n)
{
	const struct type *x;
	int64_t d[IR_MAX_RANK], dims[2];
	if (!op_in_type(n, 0, &x))
		return false;
	int64_t axis = attr_int(n, "axis", 1);
	if (axis < -x->rank || axis > x->rank) {
		op_error(n, "axis %lld is outside a tensor of rank %d", (long long)axis, x->rank);
		return false;
	}
	axis += axis < 0 ? x->rank : 0;
	type_dims(x, d);
	dims[0] = move_product(d, 0, (int)axis);
	dims[1] = move_product(d, (int)axis, x->rank);
	op_out_type(n, 0, x->dtype, 2, dims);
	return true;
}

const struct op op_flatten = { .domain = "", .name = "Flatten", .since = 25, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = flatten_infer, .lower = move_view, .c16 = move_view_c16 };

/* ---- Squeeze, Unsqueeze ------------------------------------------------------------------------------ */

/* Before opset 13 the axes were an attribute. */
static void axes_upgrade(struct node *n)
{
	if (n->version < 13)
		op_attr_ints_to_input(n, "axes", 1);
}

/* Marks the axes that input 1 names in a tensor of this rank. */
static bool marked_axes(const struct node *n, int rank, bool *mark)
{
	const int64_t *axes;
	int count, axis;
	memset(mark, 0, IR_MAX_RANK * sizeof *mark);
	if (!op_const_ints(n, 1, true, &axes, &count))
		return false;
	for (int k = 0; k < count; k++) {
		if (!op_axis(n, axes[k], rank, &axis))
			return false;
		if (mark[axis]) {
			op_error(n, "axis %lld stands twice", (long long)axes[k]);
			return false;
		}
		mark[axis] = true;
	}
	return true;
}

static bool squeeze_infer(struct node *n)
{
	const struct type *x;
	bool mark[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK];
	int rank = 0;
	if (!op_in_type(n, 0, &x))
		return false;
	if (!node_in(n, 1))
		for (int d = 0; d < x->rank; d++)
			mark[d] = x->dim[d].value == 1;
	else if (!marked_axes(n, x->rank, mark))
		return false;
	for (int d = 0; d < x->rank; d++) {
		if (!mark[d]) {
			dims[rank++] = x->dim[d].value;
		} else if (x->dim[d].value != 1) {
			op_error(n, "axis %d has size %lld, not 1", d, (long long)x->dim[d].value);
			return false;
		}
	}
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

const struct op op_squeeze = { .domain = "", .name = "Squeeze", .since = 25, .min_in = 1, .max_in = 2,
	.min_out = 1, .max_out = 1, .upgrade = axes_upgrade, .infer = squeeze_infer, .lower = move_view,
	.c16 = move_view_c16 };

static bool unsqueeze_infer(struct node *n)
{
	const struct type *x;
	const int64_t *axes;
	bool mark[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK];
	int count, from = 0;
	if (!op_in_type(n, 0, &x) || !op_const_ints(n, 1, true, &axes, &count))
		return false;
	const int rank = x->rank + count;
	if (rank > IR_MAX_RANK) {
		op_error(n, "%d axes are too many", rank);
		return false;
	}
	if (!marked_axes(n, rank, mark))
		return false;
	for (int d = 0; d < rank; d++)
		dims[d] = mark[d] ? 1 : x->dim[from++].value;
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

const struct op op_unsqueeze = { .domain = "", .name = "Unsqueeze", .since = 25, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .upgrade = axes_upgrade, .infer = unsqueeze_infer, .lower = move_view,
	.c16 = move_view_c16 };

/* ---- Identity ------------------------------------------------------------------------------------------ */

static bool identity_infer(struct node *n)
{
	const struct value *x = node_in(n, 0);
	if (x && node_out(n, 0))
		n->out[0]->type = x->type;
	return x != NULL;
}

static bool identity_lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!move_in(n, 0, &x))
		return false;
	/* layout and all */
	struct move m = { .rank = 1, .dim = { value_bytes(n->in[0]) / dtype_size(x->dtype) },
			  .in_stride = { 1 } };
	return move_lower(n, s, &m);
}

static bool identity_c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	if (n->in[0]->type.rank < 3 || n->in[0]->type.dtype != DT_FLOAT)
		return false;
	want_in[0] = want_out[0] = LAYOUT_C16;
	return true;
}

const struct op op_identity = { .domain = "", .name = "Identity", .since = 25, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = identity_infer, .lower = identity_lower,
	.c16 = identity_c16 };

/* ---- BitCast: the same bits as another type of the same size --------------------------------------------- */

static bool bit_cast_infer(struct node *n)
{
	const struct type *x;
	int64_t d[IR_MAX_RANK];
	const enum dtype to = (enum dtype)attr_int(n, "to", DT_NONE);
	if (!move_in(n, 0, &x))
		return false;
	if (!dtype_suffix(to) || dtype_size(to) != dtype_size(x->dtype)) {
		op_error(n, "the bits of %s are not a %s", dtype_name(x->dtype), dtype_name(to));
		return false;
	}
	op_out_type(n, 0, to, type_dims(x, d), d);
	return true;
}

const struct op op_bit_cast = { .domain = "", .name = "BitCast", .since = 26, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = bit_cast_infer, .lower = move_view };
