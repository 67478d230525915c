/* winograd.h - convolutions by Winograd's algorithm: when, and with which weights. */
#ifndef AMP_OPS_WINOGRAD_H
#define AMP_OPS_WINOGRAD_H

#include "ops/op.h"

/* Of one image; square kernel, one stride, dilations and group 1; c16, with c < 16 plain. */
struct winograd_layer {
	int64_t c, m, oh, ow, kernel, stride;
	const struct tensor *w;		/* float [m, c, kernel, kernel] */
	int64_t chunk;			/* tiles in a chunk; 0: winograd_chunk() decides */
	struct graph *graph;		/* keeps the transformed weights, knows the target's caches; may be NULL */
	const struct tensor *w_direct;	/* the same, packed for conv_c16; for winograd_choose() */
};

/* Is there any form: 3x3 of stride 1, 3x3 or 7x7 of stride 2? */
bool winograd_fits(const struct winograd_layer *l);

/* T of F(T x T): 2, 4, 5, or 0: direct.  By cost, among what rule 18 admits.  *tried: as struct op says. */
int winograd_choose(struct ctx *c, const struct winograd_layer *l, const char **tried);
const char *winograd_name(int tile);			/* of the algorithm */
int winograd_tile(const struct winograd_layer *l, const char *name);	/* 0: none of ours */
int winograd_taps(const struct winograd_layer *l);	/* of one phase's kernel */

/* float [point][m/16][k][16], k as winograd_c16.inc says; lanes beyond m are 0 */
const struct tensor *winograd_weights(struct ctx *c, const struct winograd_layer *l, int tile);

/* The step that computes these weights, u, when the emitted model is prepared, from a constant that it adds. */
struct step *winograd_maker(const struct node *n, const struct winograd_layer *l, int tile, struct value *u);

/* For the caches, no part of the numeric plan: tiles worked on together; floats that weights are prefetched ahead. */
int64_t winograd_tiles(const struct winograd_layer *l, int tile);	/* of an image */
int64_t winograd_chunk(const struct winograd_layer *l, int tile);
bool winograd_whole(const struct winograd_layer *l, int tile);	/* one chunk: three phases, scratch shared */
int64_t winograd_ahead(const struct winograd_layer *l, int tile);
int64_t winograd_scratch(const struct winograd_layer *l, int tile);	/* bytes */

#endif
