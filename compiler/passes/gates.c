/*
 * gates.c - CBAM's channel gate multiplied where it is used, in place of a sweep of its own.
 *
 * In: a typed graph.  Out: where ampoule.ChannelMeanMax and one elementwise node, and nothing else, use
 * Mul(x, gate [N or 1, C, 1..]), the reduction takes x and the gate.  The Mul has one user then, with which the pass
 * chain joins it: x * gate is not written to memory, and twice it is a product in registers.
 * Exact: the reduction rounds the product as Mul stores it.
 */
#include "ir/ew.h"
#include "ops/reduce.h"
#include "passes/passes.h"

static bool elementwise(const struct node *n, const struct type *as)
{
	const struct value *y = node_out(n, 0);
	return n->op && !(n->op->flags & OP_NO_FOLD) && vec_len(n->out) == 1 && y && type_equal(&y->type, as) &&
	       (n->op->expr || n->op->expr_of) && ew_node_expr(n);
}

static void take_gate(struct node *n)
{
	struct node *mul = n->in[0] ? n->in[0]->def : NULL;
	if (!mul || mul->graph != n->graph || node_in(n, 1) || !node_is(mul, "Mul"))
		return;
	const struct value *product = mul->out[0];
	bool swept = false;
	for (int i = 0; i < vec_len(product->uses); i++) {
		const struct node *u = product->uses[i].node;
		if (u == n)
			continue;
		if (!u || u->graph != n->graph || !elementwise(u, &product->type) || swept)
			return;
		swept = true;
	}
	for (int i = 0; swept && i < 2; i++) {
		struct value *x = mul->in[i], *gate = mul->in[!i];
		if (type_equal(&x->type, &product->type) && meanmax_takes_gate(&x->type, &gate->type)) {
			node_set_in(n, 0, x);
			node_add_in(n, gate);
			return;
		}
	}
}

bool pass_gates(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++)
		if (node_is(nodes[i], "ampoule.ChannelMeanMax"))
			take_gate(nodes[i]);
	return true;
}
