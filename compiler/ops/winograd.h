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

/*
 * A form: T of F(T x T), with WINOGRAD_LATE where the last half of its weights' transform is done at each run
 * (runtime/kernels/winograd_late.h); 0: direct.
 */
#define WINOGRAD_LATE 16
#define WINOGRAD_T(form) ((form) & 15)

struct spatial;
/* The layer of these sizes, without weights; false: no form of the algorithm can compute it. */
bool winograd_read(const struct spatial *w, int64_t c, int64_t m, int64_t group, struct winograd_layer *l);
/* Is there any form: 3x3 of stride 1, 3x3 or 7x7 of stride 2? */
bool winograd_fits(const struct winograd_layer *l);

/* The form of least cost among those that rule 18 admits.  *tried: as struct op says. */
int winograd_choose(struct ctx *c, const struct winograd_layer *l, const char **tried);
const char *winograd_name(int form);			/* of the algorithm */
int winograd_form(const struct winograd_layer *l, const char *name);	/* 0: none of ours */
int winograd_taps(const struct winograd_layer *l);	/* of one phase's kernel */
int winograd_side(const struct winograd_layer *l, int form);	/* N */
int32_t winograd_kernel_form(const struct winograd_layer *l, int form);	/* the parameter `form` of winograd_c16 */

/* float [point][m/16][k][16], k as winograd_c16.inc says, late: [row of points][m/16][tap][k][16]; lanes beyond m are 0 */
const struct tensor *winograd_weights(struct ctx *c, const struct winograd_layer *l, int form);

/* Adds them as an input of the step, computed ahead or by a step of their own when the emitted model is prepared. */
void winograd_step_weights(struct node *n, struct step *s, const struct winograd_layer *l, int form);

/* For the caches, no part of the numeric plan: tiles worked on together; floats that weights are prefetched ahead. */
int64_t winograd_tiles(const struct winograd_layer *l, int form);	/* of an image */
int64_t winograd_chunk(const struct winograd_layer *l, int form);
bool winograd_whole(const struct winograd_layer *l, int form);	/* one chunk: three phases, scratch shared */
int64_t winograd_ahead(const struct winograd_layer *l, int form);
int64_t winograd_scratch(const struct winograd_layer *l, int form);	/* bytes */

#endif
