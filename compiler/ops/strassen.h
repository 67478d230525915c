/* strassen.h - matrix products and 1x1 convolutions by Strassen's algorithm: when, with which weights, as which step. */
#ifndef AMP_OPS_STRASSEN_H
#define AMP_OPS_STRASSEN_H

#include "ops/op.h"

#define STRASSEN "strassen"	/* of the attribute "algorithm" */

/*
 * n matrices of `rows` rows and k columns times a constant of k x m; float.  Rows are paired within a matrix: a batch
 * must be n, no part of rows, for a run of batch N to equal N runs of batch 1.
 */
struct strassen_layer {
	int64_t n, rows, k, m;
	const struct tensor *w;
	int64_t w_k, w_m;			/* element [k][m] of the constant lies at k * w_k + m * w_m */
	int64_t x_matrix, x_row, x_block;	/* in floats; 16 neighbouring columns are a block */
	int64_t y_matrix, y_row, y_block;	/* the residual, too */
	struct graph *graph;			/* keeps the weights; may be NULL */
};

bool strassen_fits(const struct strassen_layer *l);

/* By cost, if rule 18 admits it.  *tried: as struct op says. */
bool strassen_choose(struct ctx *c, const struct strassen_layer *l, const char **tried);

/* Kernel, parameters, scratch, and inputs x, weights, bias [m/16][16] or NULL, z or NULL -> y of the step */
void strassen_lower(struct node *n, struct step *s, const struct strassen_layer *l, struct value *bias);

#endif
