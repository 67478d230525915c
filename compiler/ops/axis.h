/* axis.h - the view [outer, n, inner] of a tensor around one axis. */
#ifndef AMP_OPS_AXIS_H
#define AMP_OPS_AXIS_H

#include "ops/op.h"

static inline void axis_view(const struct type *t, int axis, int64_t *outer, int64_t *n, int64_t *inner)
{
	*outer = *n = *inner = 1;
	for (int d = 0; d < t->rank; d++)
		*(d < axis ? outer : d == axis ? n : inner) *= t->dim[d].value;
}

#endif
