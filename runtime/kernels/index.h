/*
 * index.h - reading indices that come with the data.
 *
 * In:  an array of int32_t or int64_t (wide), a position, the size n of the axis that is indexed.
 * Out: an index in [0, n); negative ones count from the end.  One that is outside sets env->status and
 *      gives 0, so that nothing outside the tensor is read; n is at least 1.
 */
#ifndef AMP_INDEX_H
#define AMP_INDEX_H

#include "ampoule_rt.h"

static inline int64_t amp_index(const void *p, int wide, int64_t at, int64_t n, struct amp_env *env)
{
	int64_t i = wide ? ((const int64_t *)p)[at] : ((const int32_t *)p)[at];
	if (i < 0)
		i += n;
	if (i >= 0 && i < n)
		return i;
	env->status = AMP_ERR_INDEX;
	return 0;
}

#endif
