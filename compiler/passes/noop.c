/*
 * noop.c - removes nodes whose output is an input, bit for bit.
 *
 * In: a typed graph.  Out: the graph without them.  Bits decide, not algebra:
 *	x + 0	only with -0, or where x is never -0 (-0 + +0 is +0); for integers always
 *	x - 0	only with +0
 *	x * 1, x / 1	always
 * and movements (Reshape, Slice, Pad, Expand, Transpose, Concat, ...) that move nothing.  A node
 * that gives a graph output its name stays when its input cannot carry that name (an input, a
 * constant, another output).
 */
#include "ops/op.h"
#include "passes/passes.h"

#include <math.h>

static bool same_type(const struct node *n, int i)
{
	const struct value *x = node_in(n, i), *y = node_out(n, 0);
	return x && y && type_known(&x->type) && type_equal(&x->type, &y->type);
}

static bool op_among(const struct node *n, const char *const *names)
{
	for (; *names; names++)
		if (node_is(n, *names))
			return true;
	return false;
}

/* Operators that are the identity when the shape stays. */
static bool moves_nothing(const struct node *n)
{
	static const char *const by_shape[] = { "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand",
						"Tile", NULL };
	int count;
	const int64_t *v;
	if (!same_type(n, 0))
		return false;
	if (op_among(n, by_shape))
		return true;
	if (node_is(n, "Slice")) {
		const struct tensor *step = op_const(n, 4);
		for (int64_t i = 0; step && i < step->n; i++)
			if (tensor_get_i(step, i) != 1)
				return false;
		return step || !node_in(n, 4);
	}
	if (node_is(n, "Pad")) {
		const struct tensor *pads = op_const(n, 1);
		for (int64_t i = 0; pads && i < pads->n; i++)
			if (tensor_get_i(pads, i) != 0)
				return false;
		return pads != NULL;
	}
	if (node_is(n, "Transpose")) {
		v = attr_ints(n, "perm", &count);
		for (int i = 0; i < count; i++)
			if (v[i] != i)
				return false;
		return v || n->in[0]->type.rank <= 1;
	}
	return false;
}

/* -0 never comes out of these: sums that end in + (+0), and values above 0. */
static bool never_negative_zero(const struct value *v)
{
	static const char *const ops[] = { "Relu", "Abs", "Sigmoid", "Exp", "Softmax", "Conv", "MatMul", NULL };
	return !dtype_is_float(v->type.dtype) || (v->def && op_among(v->def, ops));
}

/* The operand that an arithmetic node hands on. */
static struct value *arithmetic(const struct node *n)
{
	double k;
	const bool add = node_is(n, "Add"), sub = node_is(n, "Sub");
	const bool mul = node_is(n, "Mul"), div = node_is(n, "Div");
	if (!add && !sub && !mul && !div)
		return NULL;
	for (int i = 0; i < 2; i++) {
		struct value *x = node_in(n, i);
		if (!x || !same_type(n, i) || !const_splat(node_in(n, 1 - i), &k))
			continue;
		if (i == 1 && (sub || div))
			continue;	/* 0 - x, 1 / x */
		if ((mul || div) && k == 1)
			return x;
		if (add && k == 0 && (signbit(k) || never_negative_zero(x)))
			return x;
		if (sub && k == 0 && (!signbit(k) || never_negative_zero(x)))
			return x;
	}
	return NULL;
}

static struct value *handed_on(const struct node *n)
{
	static const char *const of_one[] = { "Concat", "Sum", "Max", "Min", "Mean", NULL };
	const struct value *second = node_out(n, 1);
	double k;
	if (second && value_n_uses(second))
		return NULL;
	if (node_is(n, "Identity"))
		return node_in(n, 0);
	if (node_is(n, "Dropout")) {
		const struct value *training = node_in(n, 2);
		if (!training || (const_splat(training, &k) && k == 0))
			return node_in(n, 0);
	}
	if (node_is(n, "Cast") || node_is(n, "CastLike") || moves_nothing(n))
		return same_type(n, 0) ? node_in(n, 0) : NULL;
	if (node_is(n, "Clip") && !node_in(n, 1) && !node_in(n, 2))
		return node_in(n, 0);
	if (op_among(n, of_one) && vec_len(n->in) == 1 && same_type(n, 0))
		return node_in(n, 0);
	if (node_is(n, "Split") && same_type(n, 0))
		return node_in(n, 0);
	if (node_is(n, "Where") && const_splat(node_in(n, 0), &k))
		return same_type(n, k != 0 ? 1 : 2) ? node_in(n, k != 0 ? 1 : 2) : NULL;
	return arithmetic(n);
}

/* Can x stand where y stands?  Outputs keep their names. */
static bool fits(const struct value *y, const struct value *x)
{
	if (!value_is_output(y))
		return true;
	return x->graph == y->graph && value_may_be_output(x);
}

bool pass_noop(struct graph *g)
{
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		struct value *y = node_out(n, 0), *x = y ? handed_on(n) : NULL;
		if (x && x->layout == y->layout && fits(y, x))
			node_replace(n, x);
	}
	graph_drop_dead(g);
	return true;
}
