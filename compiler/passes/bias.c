/*
 * bias.c - a constant that is added behind a convolution or matrix product becomes its bias.
 *
 * In: a typed graph.  Out: Conv, ConvTranspose and Gemm with a bias, ampoule.MatMul instead of
 * MatMul. Exact: an absent bias is +0 by the contract, and (sum + +0) + b has the bits of sum + b.
 */
#include "ops/op.h"
#include "passes/passes.h"

static void take_bias(struct node *n)
{
	struct ctx *c = n->graph->c;
	struct node *add = value_only_user(n->out[0]);
	const int axis = linear_axis(n);
	const struct type *y = &n->out[0]->type;
	if (node_in(n, 2) || linear_is_closed(n) || !add || add->graph != n->graph || !node_is(add, "Add"))
		return;
	struct value *k = other_in(add, n->out[0]);
	double *b = NEW_ARRAY(c, y->dim[axis].value, double);
	if (!k || !type_equal(y, &add->out[0]->type) || !const_channels(k, y, axis, b))
		return;
	if (node_is(n, "Gemm") && attr_float(n, "beta", 1) != 1)
		attr_remove(n, "beta");		/* there was nothing that it would scale */
	struct tensor *t = tensor_new(c, y->dtype, 1, &y->dim[axis].value);
	for (int64_t i = 0; i < t->n; i++)
		tensor_set_f(t, i, b[i]);
	if (node_is(n, "MatMul"))
		node_retype(n, "ampoule", "MatMul");
	struct value *bias = k->data->rank == 1 && k->data->n == t->n ? k : value_const(n->graph, k->name, t);
	while (vec_len(n->in) < 2)
		node_add_in(n, NULL);
	node_set_in(n, 2, bias);
	node_absorb(n, add);
}

bool pass_bias(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed && node_is_linear(nodes[i]))
			take_bias(nodes[i]);
	graph_drop_dead(g);
	return true;
}
