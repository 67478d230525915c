/* product.h - one batched matrix product as a step of the `gemm` kernel, for Gemm, MatMul and Einsum. */
#ifndef AMP_OPS_PRODUCT_H
#define AMP_OPS_PRODUCT_H

#include "ops/op.h"

/* strides of one operand; 0 broadcasts */
struct product_operand { int64_t batch[IR_MAX_RANK], row, col; };

struct product {
	int rank;			/* batch dimensions */
	int64_t batch[IR_MAX_RANK], m, n, k;
	struct product_operand a;	/* row: m, col: k */
	struct product_operand b;	/* row: k, col: n */
	struct product_operand c, z, y;	/* row: m, col: n */
	double alpha, beta;
	bool turned;			/* set by product_lower(): a and b have changed places */
};

/* Fills the step: kernel, parameters, scratch and operands a, b, c, z (c, z NULL: absent) -> y. */
bool product_lower(struct node *n, struct step *s, enum dtype t, struct product *p,
		   struct value *a, struct value *b, struct value *c, struct value *z,
		   struct value *y);

/* b, float, k x n by strides -> [n/16][k][16] as the register tile reads it, zeros beyond n */
struct tensor *product_pack(struct ctx *c, const struct tensor *b, int64_t k, int64_t n, int64_t row, int64_t col);

/* The strides of a contiguous operand of type t whose axes, counted from the last, are col, row, batch. */
void product_strides(const struct type *t, int rank, struct product_operand *o);

#endif
