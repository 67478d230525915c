/*
 * verify.c - checks every invariant that ir.h states; run after import and after each pass.
 *
 * In: a graph and the name of what ran last.  Out: nothing, or an internal error that names both
 * and the breach.  The checks: the node list is linked both ways and in topological order; every
 * value has one definition and a true id; use lists and operand lists agree in both directions;
 * constants have the type of their data; outputs belong to the graph; subgraphs know their parent.
 */
#include "ir/ir.h"

struct check {
	const struct graph *g;
	const char *after;
	const struct check *outer;
	unsigned char *defined;		/* by value id */
};

static _Noreturn void breach(const struct check *k, const char *what, const char *which)
{
	fatal(k->g->c, R_INTERNAL, "graph \"%s\" is broken after %s: %s: %s", k->g->name, k->after,
	      which, what);
}

static bool is_defined(const struct check *k, const struct value *v)
{
	for (; k; k = k->outer)
		if (k->g == v->graph)
			return k->defined[v->id];
	return false;
}

static void check_uses(const struct check *k, const struct value *v)
{
	for (int i = 0; i < vec_len(v->uses); i++) {
		const struct use *u = &v->uses[i];
		if (!u->node) {
			if (u->index >= vec_len(k->g->outputs) || k->g->outputs[u->index] != v)
				breach(k, "is listed as an output that it is not", v->name);
		} else if (node_in(u->node, u->index) != v) {
			breach(k, "lists a use that is not there", v->name);
		}
		for (int j = 0; j < i; j++)
			if (v->uses[j].node == u->node && v->uses[j].index == u->index)
				breach(k, "lists a use twice", v->name);
	}
}

static void check_value(const struct check *k, const struct value *v, int id)
{
	const struct graph *g = k->g;
	if (v->id != id || v->graph != g)
		breach(k, "has a wrong id or graph", v->name);
	if (!v->name)
		breach(k, "has no name", "a value");
	if (v->def && (node_out(v->def, v->def_index) != v || v->def->graph != g))
		breach(k, "is not an output of its definition", v->name);
	if ((v->def != NULL) + (v->data != NULL) + v->is_input > 1)
		breach(k, "is defined twice", v->name);
	if (v->data && (v->type.dtype != v->data->dtype || v->type.rank != v->data->rank))
		breach(k, "has not the type of its data", v->name);
	for (int i = 0; v->data && i < v->data->rank; i++)
		if (v->type.dim[i].value != v->data->dim[i])
			breach(k, "has not the shape of its data", v->name);
	if (v->type.rank > IR_MAX_RANK)
		breach(k, "has too high a rank", v->name);
	if (vec_len(v->uses) <= 64)	/* quadratic; a shared constant may have thousands */
		check_uses(k, v);
}

static bool lists_use(const struct value *v, const struct node *n, int index)
{
	for (int i = 0; i < vec_len(v->uses); i++)
		if (v->uses[i].node == n && v->uses[i].index == index)
			return true;
	return false;
}

static void check_graph(const struct graph *g, const char *after, const struct check *outer);

static void check_node(const struct check *k, const struct node *n)
{
	if (n->graph != k->g || (n->prev ? n->prev->next : k->g->first) != n)
		breach(k, "is not linked right", node_where(n));
	if (n->id < 0 || n->id >= k->g->n_nodes)
		breach(k, "has a wrong id", node_where(n));
	for (int i = 0; i < vec_len(n->in); i++) {
		const struct value *v = n->in[i];
		if (!v)
			continue;
		if (!lists_use(v, n, i))
			breach(k, "reads a value that does not list it", node_where(n));
		if (!is_defined(k, v))
			breach(k, "reads a value before it is defined", node_where(n));
	}
	for (int i = 0; i < vec_len(n->attrs); i++) {
		const struct attr *a = &n->attrs[i];
		for (int j = 0; j < i; j++)
			if (str_eq(a->name, n->attrs[j].name))
				breach(k, "has an attribute twice", node_where(n));
		if (a->kind != ATTR_GRAPH)
			continue;
		if (!a->g || a->g->owner != n || a->g->parent != k->g)
			breach(k, "has a subgraph that does not know it", node_where(n));
		check_graph(a->g, k->after, k);
	}
	for (int i = 0; i < vec_len(n->out); i++) {
		const struct value *v = n->out[i];
		if (!v)
			continue;
		if (v->def != n || v->def_index != i)
			breach(k, "has an output that does not know it", node_where(n));
		k->defined[v->id] = 1;
	}
}

static void check_graph(const struct graph *g, const char *after, const struct check *outer)
{
	const int n_values = vec_len(g->values);
	struct check k = { g, after, outer, mem_array(g->c, n_values + 1, 1) };
	for (int i = 0; i < n_values; i++) {
		if (!g->values[i])
			continue;
		check_value(&k, g->values[i], i);
		k.defined[i] = !g->values[i]->def;
	}
	for (int i = 0; i < vec_len(g->inputs); i++)
		if (!g->inputs[i]->is_input || g->inputs[i]->graph != g)
			breach(&k, "is no input of this graph", g->inputs[i]->name);
	const struct node *last = NULL;
	for (const struct node *n = g->first; n; last = n, n = n->next)
		check_node(&k, n);
	if (last != g->last)
		breach(&k, "does not end the list", "the last node");
	for (int i = 0; i < vec_len(g->outputs); i++) {
		const struct value *v = g->outputs[i];
		if (!v || v->graph != g || !k.defined[v->id] || !lists_use(v, NULL, i))
			breach(&k, "is no value of this graph or does not list this use",
			       v ? v->name : "an output");
	}
}

void graph_verify(const struct graph *g, const char *after)
{
	check_graph(g, after, NULL);
}
