/* move.h - what the operators that only move elements share: one strided copy, or a view. */
#ifndef AMP_OPS_MOVE_H
#define AMP_OPS_MOVE_H

#include "ops/op.h"

/* The elements of in[0] that a step copies: y[i] = x[in_offset + sum i*in_stride], y row-major. */
struct move {
	int rank;
	int64_t dim[2 * IR_MAX_RANK];
	int64_t in_offset, in_stride[2 * IR_MAX_RANK];
};

/*
 * The step that does it, from n->in[0] to n->out[0]: a view where the elements lie in one run, else kernel
 * "copy".  False and an error when more than AMP_MAX_RANK axes remain after joining neighbours.
 */
bool move_lower(struct node *n, struct step *s, struct move *m);
/* The same bytes under another shape: a view of in[0]. */
bool move_view(struct node *n, struct step *s);
/* c16() of a change of shape: [N, C, 1, 1] in blocks of channels holds its elements in plain order. */
bool move_view_c16(const struct node *n, enum layout *want_in, enum layout *want_out);

/* Row-major strides. */
void move_strides(int rank, const int64_t *dim, int64_t *stride);
/* Product of dim[from..to). */
int64_t move_product(const int64_t *dim, int from, int to);
/* The element type of in[i] can be moved: a numeric tensor of known shape; else an error. */
bool move_in(const struct node *n, int i, const struct type **t);
/* Indices: int32 or int64; else an error. */
bool move_index(const struct node *n, int i, const struct type **t);

#endif
