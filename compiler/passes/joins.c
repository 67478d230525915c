/*
 * joins.c - a Concat that begins with all the inputs of another Concat begins with that one's result.
 *
 * In: Concat(a, b), Concat(a, b, c), Concat(a, b, c, d) along one axis, as DenseNet's blocks are written.
 * Out: each takes the longest one before it: Concat(Concat(Concat(a, b), c), d).  Then every tensor is a part of
 * one result only, and the memory plan can let all of them be written where they end up (views), with no
 * copy.  Exact: it moves elements only.
 */
#include "ops/op.h"
#include "passes/passes.h"

#define MAX_USERS 4096			/* looked at, so that no model makes this quadratic */

/* The number of n's leading inputs that are all of a's; 0: not so. */
static int prefix(const struct node *a, const struct node *n)
{
	const int k = vec_len(a->in);
	if (!node_is(a, "Concat") || k < 2 || k >= vec_len(n->in) || !node_out(a, 0) ||
	    attr_int(a, "axis", 0) != attr_int(n, "axis", 0))
		return 0;
	for (int i = 0; i < k; i++)
		if (a->in[i] != n->in[i])
			return 0;
	return k;
}

static void nest(struct node *n, const struct node *first, int k)
{
	node_set_in(n, 0, first->out[0]);
	for (int i = k; i < vec_len(n->in); i++)
		node_set_in(n, i - k + 1, n->in[i]);
	for (int i = 0; i < k - 1; i++) {
		node_set_in(n, vec_len(n->in) - 1, NULL);
		vec_pop(n->in);
	}
}

bool pass_joins(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	int *place = NEW_ARRAY(g->c, g->n_nodes + 1, int);
	for (int i = 0; i < vec_len(nodes); i++)
		place[nodes[i]->id] = i;
	/* from the last to the first: those in front are still as they were written */
	for (int i = vec_len(nodes) - 1; i >= 0; i--) {
		struct node *n = nodes[i];
		const struct node *best = NULL;
		int most = 0;
		if (!node_is(n, "Concat") || !node_in(n, 0))
			continue;
		const struct value *x = n->in[0];
		for (int u = 0; u < vec_len(x->uses) && u < MAX_USERS; u++) {
			const struct node *m = x->uses[u].node;
			if (!m || m->graph != g || place[m->id] >= i)
				continue;
			const int k = prefix(m, n);
			if (k > most) {
				most = k;
				best = m;
			}
		}
		if (best)
			nest(n, best, most);
	}
	return true;
}
