/* reduce.h - lowering to the `reduce` kernel, shared by Reduce* and Global*Pool. */
#ifndef AMP_OPS_REDUCE_H
#define AMP_OPS_REDUCE_H

#include "ops/op.h"

/* One step that reduces input 0 over the marked axes; mode: enum amp_reduce_mode; p: of the Lp norm. */
bool reduce_lower(struct node *n, struct step *s, int mode, int p, const bool *reduced);

#endif
