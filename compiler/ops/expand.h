/* expand.h - for expand(): writing an operator as simpler ones.  New nodes get their types when the inference goes on. */
#ifndef AMP_OPS_EXPAND_H
#define AMP_OPS_EXPAND_H

#include "ops/op.h"

/* A new node of ONNX's own domain before n, with inputs a, b (NULL: fewer); gives its output. */
struct value *expand_node(struct node *n, const char *op_type, struct value *a, struct value *b);
/* The same with a perm attribute, or x itself when it moves nothing. */
struct value *expand_transpose(struct node *n, struct value *x, int rank, const int64_t *perm);
struct value *expand_reshape(struct node *n, struct value *x, int rank, const int64_t *dims);
struct value *expand_ints(struct node *n, const int64_t *v, int count);
/* A scalar constant of a floating type. */
struct value *expand_scalar(struct node *n, enum dtype t, double x);
/* x takes the place of output i of n (through an Identity where n's output is an output of the graph). */
void expand_result(struct node *n, int i, struct value *x);

#endif
