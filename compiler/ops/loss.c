/*
 * loss.c - NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss as simpler operators.
 *
 * x [N, C, D...] (log probabilities; scores for the second, which takes LogSoftmax over C first),
 * target [N, D...], weight [C] or none.  Each element's loss is -x[n, target, d] * weight[target];
 * targets equal to ignore_index count nothing.  reduction: none, sum, or mean (sum / sum of the
 * weights).
 */
#include "ops/expand.h"

static bool is_softmax(const struct node *n)
{
	return str_eq(n->op_type, "SoftmaxCrossEntropyLoss");
}

static bool infer(struct node *n)
{
	const struct type *x, *t, *w;
	int64_t dims[IR_MAX_RANK];
	const char *r = attr_str(n, "reduction", "mean");
	if (!op_in_type(n, 0, &x) || !op_in_type(n, 1, &t))
		return false;
	bool ok = dtype_is_float(x->dtype) && (t->dtype == DT_INT32 || t->dtype == DT_INT64) &&
		  x->rank >= 2 && t->rank == x->rank - 1 && t->dim[0].value == x->dim[0].value;
	for (int d = 1; ok && d < t->rank; d++)
		ok = t->dim[d].value == x->dim[d + 1].value;
	if (ok && node_in(n, 2)) {
		if (!op_in_type(n, 2, &w))
			return false;
		ok = w->dtype == x->dtype && w->rank == 1 && w->dim[0].value == x->dim[1].value;
	}
	if (!ok || !(str_eq(r, "mean") || str_eq(r, "sum") || str_eq(r, "none"))) {
		op_error(n, "scores, targets, weights or reduction \"%s\" do not fit", r);
		return false;
	}
	op_out_type(n, 0, x->dtype, str_eq(r, "none") ? type_dims(t, dims) : 0, dims);
	op_out_type(n, 1, x->dtype, type_dims(x, dims), dims);
	return true;
}

static struct value *total(struct node *n, const char *op_type, struct value *x)
{
	struct value *y = expand_node(n, op_type, x, NULL);
	attr_set_int(y->def, "keepdims", 0);
	return y;
}

static struct value *where(struct node *n, struct value *cond, struct value *a, struct value *b)
{
	struct value *y = expand_node(n, "Where", cond, a);
	node_add_in(y->def, b);
	return y;
}

static bool expand(struct node *n)
{
	struct value *x = node_in(n, 0), *target = node_in(n, 1), *weight = node_in(n, 2), *ignored = NULL;
	const enum dtype t = x->type.dtype;
	const char *r = attr_str(n, "reduction", "mean");
	const struct type shape = target->type;
	const int64_t one = 1;
	int64_t dims[IR_MAX_RANK];
	if (is_softmax(n)) {
		x = expand_node(n, "LogSoftmax", x, NULL);
		attr_set_int(x->def, "axis", 1);
		expand_result(n, 1, x);
	}
	if (attr_find(n, "ignore_index")) {
		struct tensor *i = tensor_scalar_i64(n->graph->c, attr_int(n, "ignore_index", 0));
		struct tensor *zero = tensor_scalar_i64(n->graph->c, 0);
		i = tensor_convert(n->graph->c, i, shape.dtype);
		zero = tensor_convert(n->graph->c, zero, shape.dtype);
		ignored = expand_node(n, "Equal", target, value_const(n->graph, "", i));
		target = where(n, ignored, value_const(n->graph, "", zero), target);
	}
	struct value *at = expand_node(n, "Unsqueeze", target, expand_ints(n, &one, 1));
	struct value *loss = expand_node(n, "GatherElements", x, at);
	attr_set_int(loss->def, "axis", 1);
	const int rank = type_dims(&shape, dims);
	loss = expand_node(n, "Neg", expand_reshape(n, loss, rank, dims), NULL);
	struct value *w = weight ? expand_node(n, "Gather", weight, target) : NULL;
	if (ignored) {
		struct value *zero = expand_scalar(n, t, 0);
		loss = where(n, ignored, zero, loss);
		w = where(n, ignored, zero, w ? w : expand_scalar(n, t, 1));
	}
	if (w)
		loss = expand_node(n, "Mul", loss, w);
	if (str_eq(r, "sum"))
		loss = total(n, "ReduceSum", loss);
	else if (str_eq(r, "mean") && w)
		loss = expand_node(n, "Div", total(n, "ReduceSum", loss), total(n, "ReduceSum", w));
	else if (str_eq(r, "mean"))
		loss = total(n, "ReduceMean", loss);
	expand_result(n, 0, loss);
	node_remove(n);
	return true;
}

const struct op op_nllloss = {
	.domain = "", .name = "NegativeLogLikelihoodLoss", .since = 22, .min_in = 2, .max_in = 3,
	.min_out = 1, .max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
const struct op op_softmaxcrossentropyloss = {
	.domain = "", .name = "SoftmaxCrossEntropyLoss", .since = 13, .min_in = 2, .max_in = 3,
	.min_out = 1, .max_out = 2, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
