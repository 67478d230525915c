/* winograd.h - 3x3 convolutions by Winograd's algorithm: when, and with which weights. */
#ifndef AMP_OPS_WINOGRAD_H
#define AMP_OPS_WINOGRAD_H

#include "ir/ir.h"

/* Of one image in layout c16; kernel 3x3, strides, dilations and group 1. */
struct winograd_layer {
	int64_t c, m, oh, ow;
	const struct tensor *w;		/* float [m, c, 3, 3] */
	const struct tensor *w_direct;	/* the same, packed for conv_c16 */
};

/* 4, 2: F(4x4, 3x3), F(2x2, 3x3); 0: direct.  By cost, among what rule 18 admits.  *tried: as struct op says. */
int winograd_choose(struct ctx *c, const struct winograd_layer *l, const char **tried);
const char *winograd_name(int tile);			/* of the algorithm */

/* float [point][m/16][c][16]; lanes beyond m are 0 */
struct tensor *winograd_weights(struct ctx *c, const struct tensor *w, int tile);

/* Tiles worked on together, for the caches: no part of the numeric plan. */
int64_t winograd_chunk(int64_t c, int64_t m, int tile, int64_t tiles);
int64_t winograd_scratch(int64_t c, int64_t m, int tile, int64_t chunk);	/* bytes */

#endif
