/* spatial.h - windows over spatial axes: the attributes that convolutions and poolings share. */
#ifndef AMP_OPS_SPATIAL_H
#define AMP_OPS_SPATIAL_H

#include "ops/op.h"

#define SPATIAL_MAX 6

struct spatial {
	int rank;
	int64_t in[SPATIAL_MAX], out[SPATIAL_MAX], kernel[SPATIAL_MAX], stride[SPATIAL_MAX];
	int64_t dilation[SPATIAL_MAX], pad[SPATIAL_MAX], pad_end[SPATIAL_MAX];
	int64_t output_padding[SPATIAL_MAX];	/* of ConvTranspose */
};

/*
 * Reads strides, dilations, pads, auto_pad and kernel_shape of node n for input type x [N, C, spatial...] and
 * computes s->out.  w: the weights' type, whose dimensions from 2 on are the kernel; NULL: kernel_shape is
 * required.  False after diagnostics.
 */
bool spatial_read(const struct node *n, const struct type *x, const struct type *w, bool ceil_mode,
		  struct spatial *s);
/* The same for ConvTranspose (output_shape, output_padding). */
bool spatial_read_transposed(const struct node *n, const struct type *x, const struct type *w,
			     struct spatial *s);

/* Is each output pixel made of the input pixel at its place alone? */
bool spatial_pointwise(const struct spatial *s);
/*
 * Do parts best share the output of n, a large map, by rows?  So convolutions do that read it (they sum over channels); a
 * reduction over space reads it by channels.  What another core has written costs a core as much as four or more
 * multiply-adds a byte.
 */
bool spatial_by_rows(const struct node *n, const struct spatial *s);
/* Constant float weights, all finite: then padding with zeros gives the bits of skipping (docs/numerics.md rule 2). */
bool spatial_finite(const struct value *v);
/* Input i (B: 2), a constant, padded with zeros to blocks of 16: a constant of its own; NULL: there is none. */
struct value *spatial_pad_c16(const struct node *n, int i);
struct value *spatial_bias_c16(const struct node *n);
/* Adds B and Z (input 3), the residual, as inputs of a step in c16, and the output, which may take the place of Z. */
void spatial_step_end(struct node *n, struct step *s);
/* W [m, c/group, kh, kw] -> [m/16][c/group/cs][kh][kw][cs][16], zeros beyond; depthwise: c/group = cs = 1 */
struct tensor *spatial_pack_c16(struct ctx *c, const struct tensor *w, int64_t cs);

/* The fused forms' attribute "activation" as enum amp_epilogue; -1 and an error when it is unknown. */
int op_activation(const struct node *n);
int op_activation_named(const struct node *n, const char *attribute);

#endif
