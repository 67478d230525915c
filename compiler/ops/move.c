/* move.c - moving elements: strided copies, brought to few axes, or recognised as views (move.h). */
#include "ops/move.h"

#include <string.h>

#define AMP_T 12
#include "kernels/copy.inc"

void move_strides(int rank, const int64_t *dim, int64_t *stride)
{
	int64_t step = 1;
	for (int d = rank - 1; d >= 0; d--) {
		stride[d] = step;
		step *= dim[d];
	}
}

int64_t move_product(const int64_t *dim, int from, int to)
{
	int64_t n = 1;
	for (int d = from; d < to; d++)
		n *= dim[d];
	return n;
}

bool move_in(const struct node *n, int i, const struct type **t)
{
	if (!op_in_type(n, i, t))
		return false;
	if (dtype_bits((*t)->dtype) == DT_NONE) {
		op_error(n, "input %d: %s tensors are not supported", i, dtype_name((*t)->dtype));
		return false;
	}
	return true;
}

bool move_index(const struct node *n, int i, const struct type **t)
{
	if (!op_in_type(n, i, t))
		return false;
	if ((*t)->dtype != DT_INT32 && (*t)->dtype != DT_INT64) {
		op_error(n, "indices must be int32 or int64, not %s", dtype_name((*t)->dtype));
		return false;
	}
	return true;
}

/* Drops axes of size 1, joins neighbours that are walked evenly in both tensors. */
static void coalesce(struct move *m)
{
	int r = 0;
	for (int d = 0; d < m->rank; d++) {
		if (m->dim[d] == 1)
			continue;
		if (r > 0 && m->in_stride[r - 1] == m->in_stride[d] * m->dim[d]) {
			m->dim[r - 1] *= m->dim[d];
			m->in_stride[r - 1] = m->in_stride[d];
			continue;
		}
		m->dim[r] = m->dim[d];
		m->in_stride[r++] = m->in_stride[d];
	}
	m->rank = r;
}

bool move_lower(struct node *n, struct step *s, struct move *m)
{
	const enum dtype t = n->in[0]->type.dtype;
	bool empty = false;
	for (int d = 0; d < m->rank; d++)
		empty = empty || m->dim[d] == 0;
	if (empty) {
		m->rank = 1;
		m->dim[0] = 0;
	} else {
		coalesce(m);
	}
	if (m->rank > AMP_MAX_RANK) {
		node_error(n, "schedule", "the copy needs %d axes; %d is the most", m->rank, AMP_MAX_RANK);
		return false;
	}
	struct amp_copy *p = step_kernel(s, "copy", dtype_bits(t));
	p->rank = m->rank;
	p->in_offset = m->in_offset;
	memcpy(p->dim, m->dim, (size_t)m->rank * sizeof p->dim[0]);
	memcpy(p->in_stride, m->in_stride, (size_t)m->rank * sizeof p->dim[0]);
	move_strides(m->rank, m->dim, p->out_stride);
	step_in(s, n->in[0]);
	step_out(s, node_out(n, 0));
	if (!empty && (m->rank == 0 || (m->rank == 1 && m->in_stride[0] == 1)))
		step_view_of_in(s, m->in_offset * dtype_size(t));
	return true;
}

bool move_view(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct move m = { .rank = 1, .dim = { type_elements(x) }, .in_stride = { 1 } };
	return move_lower(n, s, &m);
}

bool move_view_c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct value *x = node_in(n, 0);
	if (!x || x->type.rank < 3 || x->type.dtype != DT_FLOAT)
		return false;
	int64_t d[IR_MAX_RANK];
	const int rank = type_dims(&x->type, d);
	if (move_product(d, 2, rank) != 1 || (d[1] % 16 && d[0] != 1))
		return false;
	for (int k = 0; k < vec_len(n->in); k++)
		want_in[k] = k == 0 ? LAYOUT_C16 : LAYOUT_PLAIN;
	want_out[0] = LAYOUT_PLAIN;
	return true;
}
