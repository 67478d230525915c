/*
 * affine.c - a BatchNormalization that no weights could take is one fma for each channel.
 *
 * In: BatchNormalization with constant statistics, not in training (DenseNet's stand behind a Concat).
 * Out: ampoule.Elementwise fma(x, k, s), which `chain` joins with the activation behind it and which has a
 * c16 form.  In double, in this order, rounded once at the end:
 *	k = scale / sqrt(variance + epsilon);  s = bias - mean * k
 * Numeric plan: this changes bits.  Where k or s is not finite the node stays.
 */
#include "passes/passes.h"

#include <math.h>

static void rewrite(struct node *n)
{
	const struct value *x = node_in(n, 0);
	const struct tensor *t[5] = { NULL };
	int64_t dims[IR_MAX_RANK];
	if (!x || !type_known(&x->type) || x->type.rank < 2 || !node_out(n, 0))
		return;
	const int64_t channels = x->type.dim[1].value;
	if (!const_batch_norm(n, channels, t))
		return;
	for (int d = 0; d < x->type.rank; d++)
		dims[d] = d == 1 ? channels : 1;
	struct graph *g = n->graph;
	struct tensor *k = tensor_new(g->c, x->type.dtype, x->type.rank, dims);
	struct tensor *s = tensor_new(g->c, x->type.dtype, x->type.rank, dims);
	const double epsilon = attr_float(n, "epsilon", (double)1e-5f);
	for (int64_t i = 0; i < channels; i++) {
		const double q = tensor_get_f(t[1], i) / sqrt(tensor_get_f(t[4], i) + epsilon);
		tensor_set_f(k, i, q);
		tensor_set_f(s, i, tensor_get_f(t[2], i) - tensor_get_f(t[3], i) * q);
		if (!isfinite(tensor_get_f(k, i)) || !isfinite(tensor_get_f(s, i)))
			return;
	}
	struct node *e = node_new(g, n, "ampoule", "Elementwise", n->name);
	node_add_in(e, n->in[0]);
	node_add_in(e, value_const(g, str_printf(g->c, "%s.scale", n->in[1]->name), k));
	node_add_in(e, value_const(g, str_printf(g->c, "%s.shift", n->in[2]->name), s));
	attr_set_str(e, "expr", "o0 = fma(a, b, c)");
	node_take_out(e, 0, n->out[0]);
	node_remove(n);
}

bool pass_affine(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed)
			rewrite(nodes[i]);
	graph_drop_dead(g);
	return true;
}
