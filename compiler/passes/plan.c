/*
 * plan.c - the numeric plans "speed" and "size": which algorithm computes each layer (docs/numerics.md, rules 17 and 18).
 *
 * In: a graph with layouts; graph->plan.  Out: operators whose op->algorithm() names one carry it as the attribute
 * "algorithm", in their form ampoule.NAME, and what rule 18 measured as "tried"; nothing changes under plan "direct".
 * The choice looks at the node, its shapes of one image and its constants alone.
 */
#include "ops/op.h"
#include "passes/passes.h"

bool pass_plan(struct graph *g)
{
	for (struct node *n = g->first; n; n = n->next) {
		if (!n->op || !n->op->algorithm)
			continue;
		attr_remove(n, "algorithm");	/* a model has no say in it */
		attr_remove(n, "tried");
		const char *tried = NULL;
		const char *name = g->plan && !str_eq(g->plan, "direct") ? n->op->algorithm(n, &tried) : NULL;
		if (tried)
			attr_set_str(n, "tried", tried);
		if (!name)
			continue;
		if (!*n->domain)
			node_retype(n, "ampoule", n->op_type);
		attr_set_str(n, "algorithm", name);
	}
	return true;
}
