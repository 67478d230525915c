/*
 * view.h - a value seen as strides over another value's memory.
 *
 * Transpose, Reshape, Squeeze, Unsqueeze, Flatten, Slice, Split and Gather of one index only say
 * where elements lie.  A view walks up such nodes: element (i0, i1, ..) of the value is
 * base[offset + sum of index * stride]. An axis that a Reshape made of several is a list of
 * atoms, outermost first; one of size 1 has none.
 */
#ifndef AMP_VIEW_H
#define AMP_VIEW_H

#include "ir/ir.h"

#define VIEW_ATOMS 6
#define VIEW_DEPTH 12

struct atom { int64_t size, stride; };
struct axis { int n; struct atom atom[VIEW_ATOMS]; };
struct view {
	struct value *base;
	struct value *scale;		/* every element is multiplied by this scalar constant; or NULL */
	int64_t offset;
	int rank;
	struct axis axis[IR_MAX_RANK];
};

/* The value itself, row-major. */
void view_identity(struct view *w, struct value *v);
/*
 * v seen `depth` nodes further up; false when there are not so many, or one of them does not fit.
 *  A Mul by a scalar constant counts as such a node when `scales`; at most one is passed.
 */
bool view_of(struct view *w, struct value *v, int depth, bool scales);
/* Back from a value to the memory that its user writes: v, through `depth` only users that move it. */
bool view_forward(struct view *w, struct value *v, int depth, struct value **last);

/*
 * First index and step of a Slice, whose result has elements, on every axis of its input; false where they are not constant
 * or it runs backwards.
 */
bool view_slice(const struct node *n, int64_t *start, int64_t *step);
bool view_transpose(struct view *w, const int64_t *perm, int n);
bool view_reshape(struct view *w, int rank, const int64_t *dims);
/* Numpy broadcasting: axes in front, and stride 0 where the size is 1. */
bool view_broadcast(struct view *w, int rank, const int64_t *dims);
/* The axis as at most `max` atoms after joining neighbours; false when it needs more. */
bool axis_join(struct axis *a, int max);

#endif
