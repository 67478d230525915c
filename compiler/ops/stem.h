/* stem.h - the first convolution of a network by Winograd's algorithm, and MaxPool behind it (runtime/kernels/stem_c16.inc). */
#ifndef AMP_OPS_STEM_H
#define AMP_OPS_STEM_H

#include "ops/spatial.h"
#include "ops/winograd.h"

/*
 * The step of n, a convolution of inputs X, W, B, Z and attributes of its activation: layer l as winograd_read() gives it,
 * with c < 16; its window; MaxPool's window on its output, or NULL.
 */
void stem_lower(struct node *n, struct step *s, struct winograd_layer *l, const struct spatial *conv,
		const struct spatial *pool);

/* Can the kernel do a MaxPool of this window behind a convolution? */
bool stem_pools(const struct spatial *pool);

#endif
