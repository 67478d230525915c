/*
 * fold.c - constant folding.
 *
 * In: a typed graph.  Out: nodes whose inputs are all constant are replaced by their results,
 * computed by the generic kernels in the value's own dtype: the bits are those that the emitted
 * code would compute (rule 19).  A node whose result is much larger than what it is made of
 * (Expand, ConstantOfShape) stays: the weights would grow.
 */
#include "eval/exec.h"
#include "passes/passes.h"

#define GROWTH_FREE (1 << 16)	/* bytes that may grow in any case */

static bool grows(const struct node *n)
{
	int64_t in = 0, out = 0;
	for (int i = 0; i < vec_len(n->in); i++)
		if (n->in[i])
			in += type_bytes(&n->in[i]->type);
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i])
			out += type_bytes(&n->out[i]->type);
	return out > GROWTH_FREE && out > in;
}

bool pass_fold(struct graph *g)
{
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		if (!grows(n) && exec_fold(n))
			node_remove(n);
	}
	graph_drop_dead(g);
	return true;
}
