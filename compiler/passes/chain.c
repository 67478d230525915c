/*
 * chain.c - chains of elementwise operators become one loop.
 *
 * In: a typed graph.  Out: each group of elementwise nodes that lead to one result of one shape
 * is one ampoule.Elementwise, whose attribute expr is the nodes' expressions one after the other
 * (ir/ew.h); numbers that were constants of one element stand in it.  CBAM's gates, x *
 * sigmoid(g) + residual and what follows, become one sweep this way.  Exact: the same primitives
 * in the same order, float16 rounded where it was stored.
 *
 * From the last node to the first: a node not yet taken is the root of a group, which takes in
 * every elementwise node of the root's shape whose users all lie in the group, until there is none.
 */
#include "ir/ew.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <math.h>
#include <string.h>

#define MAX_INPUTS 16
#define MAX_NODES 64

struct group {
	struct graph *g;
	struct node *root;
	struct node **nodes;		/* vec; the root first */
	struct value **in;		/* vec: operands from outside */
	const char **name;		/* by value id: how the expression calls it */
	struct text text;
};

static bool elementwise(const struct node *n)
{
	const struct value *y = node_out(n, 0);
	return n->op && !(n->op->flags & OP_NO_FOLD) && vec_len(n->out) == 1 && y &&
	       type_known(&y->type) && (n->op->expr || n->op->expr_of) && ew_node_expr(n);
}

static bool holds(const struct group *k, const struct node *n)
{
	for (int i = 0; i < vec_len(k->nodes); i++)
		if (k->nodes[i] == n)
			return true;
	return false;
}

static bool same_shape(const struct type *a, const struct type *b)
{
	if (a->rank != b->rank)
		return false;
	for (int d = 0; d < a->rank; d++)
		if (a->dim[d].value != b->dim[d].value)
			return false;
	return true;
}

static bool users_inside(const struct group *k, const struct value *v)
{
	for (int i = 0; i < vec_len(v->uses); i++)
		if (!v->uses[i].node || !holds(k, v->uses[i].node))
			return false;
	return true;
}

/*
 * A number in the text: bits are kept.  Its type there is its neighbour's, so the node must have
 * another operand of that type.
 */
static bool literal(const struct node *n, const struct value *v, double *x)
{
	if (!v->data || v->data->n != 1 || v->type.dtype == DT_BOOL || v->type.dtype == DT_INT64 ||
	    v->type.dtype == DT_UINT64 || !const_splat(v, x) || !isfinite(*x))
		return false;
	for (int i = 0; i < vec_len(n->in); i++) {
		const struct value *w = n->in[i];
		if (w && w->type.dtype == v->type.dtype && !(w->data && w->data->n == 1))
			return true;
	}
	return false;
}

static bool widens(const struct value *v, const struct node *n)
{
	return v->type.rank > n->out[0]->type.rank;
}

/* Operands from outside, once each, that stay operands. */
static int count_inputs(const struct group *k)
{
	int count = 0;
	struct value **seen = NULL;
	double x;
	for (int i = 0; i < vec_len(k->nodes); i++)
		for (int j = 0; j < vec_len(k->nodes[i]->in); j++) {
			struct value *v = k->nodes[i]->in[j];
			if (!v || (v->def && holds(k, v->def)) || literal(k->nodes[i], v, &x))
				continue;
			bool known = false;
			for (int s = 0; s < vec_len(seen); s++)
				known = known || seen[s] == v;
			if (!known) {
				vec_add(k->g->c, seen, v);
				count++;
			}
		}
	return count;
}

static void grow(struct group *k)
{
	for (int i = 0; i < vec_len(k->nodes); i++) {
		struct node *n = k->nodes[i];
		for (int j = 0; j < vec_len(n->in); j++) {
			struct value *v = n->in[j];
			struct node *p = v ? v->def : NULL;
			if (!p || p->graph != k->g || holds(k, p) || !elementwise(p) ||
			    !same_shape(&v->type, &k->root->out[0]->type) || !users_inside(k, v) ||
			    v->layout != k->root->out[0]->layout || vec_len(k->nodes) >= MAX_NODES)
				continue;
			vec_add(k->g->c, k->nodes, p);
			if (count_inputs(k) > MAX_INPUTS) {
				vec_pop(k->nodes);
				continue;
			}
			i = -1;		/* its producers, and those that waited for it */
			break;
		}
	}
}

static const char *operand(struct group *k, struct value *v, const struct node *n)
{
	double x;
	if (!v)
		return NULL;
	if (v->graph == k->g && k->name[v->id])
		return k->name[v->id];
	if (literal(n, v, &x) && !widens(v, n))
		return dtype_is_int(v->type.dtype) ? str_printf(k->g->c, "%.0f", x)
						   : str_printf(k->g->c, "%a", x);
	int i = 0;
	while (i < vec_len(k->in) && k->in[i] != v)
		i++;
	if (i == vec_len(k->in))
		vec_add(k->g->c, k->in, v);
	return str_printf(k->g->c, "i%d", i);
}

static bool add_program(struct group *k, struct node *n, int number)
{
	struct ctx *c = k->g->c;
	const struct ew *e = ew_of_node(n);
	if (!e || e->n_out != 1)
		return false;
	const char **in = NEW_ARRAY(c, e->n_in + 1, const char *);
	const char *out = n == k->root ? "o0" : str_printf(c, "v%d", number);
	for (int i = 0; i < e->n_in; i++)
		in[i] = operand(k, node_in(n, i), n);
	k->name[n->out[0]->id] = out;
	const char *s = ew_inline(c, e, in, &out, str_printf(c, "t%d_", number));
	text_printf(&k->text, "%s", s);
	return true;
}

static void sort_nodes(struct group *k)
{
	struct node **sorted = NULL;
	for (struct node *n = k->g->first; n; n = n->next)
		if (holds(k, n))
			vec_add(k->g->c, sorted, n);
	k->nodes = sorted;
}

static void fuse(struct group *k)
{
	struct node *root = k->root;
	sort_nodes(k);
	for (int i = 0; i < vec_len(k->nodes); i++)
		if (!add_program(k, k->nodes[i], i))
			return;
	if (!vec_len(k->in))
		return;
	while (k->text.n && strchr("; ", k->text.s[k->text.n - 1]))
		k->text.s[--k->text.n] = 0;
	struct node *n = node_new(k->g, root, "ampoule", "Elementwise", root->name);
	for (int i = 0; i < vec_len(k->in); i++)
		node_add_in(n, k->in[i]);
	attr_set_str(n, "expr", k->text.s);
	for (int i = 0; i < vec_len(root->in); i++)
		node_set_in(root, i, NULL);
	node_take_out(n, 0, root->out[0]);
	node_remove(root);
}

bool pass_chain(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = vec_len(nodes) - 1; i >= 0; i--) {
		if (nodes[i]->removed || !elementwise(nodes[i]))
			continue;
		struct group k = { .g = g, .root = nodes[i], .text = { .c = g->c } };
		k.name = NEW_ARRAY(g->c, vec_len(g->values) + 1, const char *);
		vec_add(g->c, k.nodes, k.root);
		grow(&k);
		if (vec_len(k.nodes) > 1)
			fuse(&k);
		graph_drop_dead(g);	/* what the group was made of */
	}
	return true;
}
