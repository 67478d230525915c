/* reduce.h - what the reductions share with each other and with the passes that make them. */
#ifndef AMP_OPS_REDUCE_H
#define AMP_OPS_REDUCE_H

#include "ops/op.h"

/* To the kernel reduce, for Reduce* and Global*Pool: one step that reduces input 0 over the marked axes; mode: enum amp_reduce_mode; p: of the Lp norm. */
bool reduce_lower(struct node *n, struct step *s, int mode, int p, const bool *reduced);

/* May x, of rank 3 or more, be multiplied by it as by one factor for each image's, or every image's, channel? */
bool meanmax_takes_gate(const struct type *x, const struct type *gate);

#endif
