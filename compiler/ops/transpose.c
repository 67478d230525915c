/*
 * transpose.c - Transpose: axes in another order.  One strided copy, or a view where only axes of size 1 move.  Of
 * blocks of channels, [N, C/16, space.., 16], where the channels go last: their runs of 16 stay whole.
 */
#include "ops/move.h"

/* perm, or the reversed order; false and an error when it is no permutation */
static bool permutation(const struct node *n, int rank, int *perm)
{
	int count;
	const int64_t *p = attr_ints(n, "perm", &count);
	bool seen[IR_MAX_RANK] = { false };
	if (p && count != rank) {
		op_error(n, "perm has %d axes, X has %d", count, rank);
		return false;
	}
	for (int d = 0; d < rank; d++) {
		perm[d] = rank - 1 - d;
		if (!p)
			continue;
		if (!op_axis(n, p[d], rank, &perm[d]))
			return false;
		if (seen[perm[d]]) {
			op_error(n, "axis %d stands twice in perm", perm[d]);
			return false;
		}
		seen[perm[d]] = true;
	}
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int perm[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK];
	if (!move_in(n, 0, &x) || !permutation(n, x->rank, perm))
		return false;
	for (int d = 0; d < x->rank; d++)
		dims[d] = x->dim[perm[d]].value;
	op_out_type(n, 0, x->dtype, x->rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int perm[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK], stride[IR_MAX_RANK];
	struct move m = { 0 };
	if (!move_in(n, 0, &x) || !permutation(n, x->rank, perm))
		return false;
	m.rank = type_dims(x, dims);
	move_strides(m.rank, dims, stride);
	const bool blocks = n->in[0]->layout == LAYOUT_C16;
	for (int d = 0; d < m.rank; d++) {
		m.dim[d] = dims[perm[d]];
		m.in_stride[d] = stride[perm[d]] * (blocks && perm[d] > 1 ? 16 : 1);
	}
	if (blocks) {			/* the channels, last: blocks, and 16 within */
		const int64_t channels = dims[1], space = stride[1];
		m.dim[m.rank - 1] = channels / 16;
		m.in_stride[m.rank - 1] = 16 * space;
		m.dim[m.rank] = 16;
		m.in_stride[m.rank++] = 1;
	}
	return move_lower(n, s, &m);
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct type *x;
	int perm[IR_MAX_RANK];
	if (!move_in(n, 0, &x) || !permutation(n, x->rank, perm) || x->rank < 3 || x->dtype != DT_FLOAT ||
	    x->dim[1].value % 16 || perm[x->rank - 1] != 1 || type_elements(x) == 0)
		return false;
	want_in[0] = LAYOUT_C16;
	want_out[0] = LAYOUT_PLAIN;
	return true;
}

const struct op op_transpose = { .domain = "", .name = "Transpose", .since = 25, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = infer, .lower = lower, .c16 = c16 };
