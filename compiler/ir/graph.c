/*
 * graph.c - building and changing a graph: nodes, values, use lists, order, copies.
 *
 * In: calls that import and the passes make.  Out: a graph whose invariants (verify.c) hold after
 * every call.  Nodes are a doubly linked list; a value's uses are a vector of (node, index) kept
 * in step with node->in by node_add_in(), node_set_in() and value_replace(); nothing else writes
 * node->in.
 *
 * A node in a subgraph may read a value of an outer graph: the value's use list then holds a node
 * whose graph is another one.  A graph's own outputs are always values of that graph:
 * graph_add_output() puts an Identity in between where they are not, so a use with node NULL
 * means an output of value->graph.
 */
#include "ir/ir.h"

#include <string.h>

/* ops/op.h declares it; the table of operators lies above this folder. */
const struct op *op_find(const char *domain, const char *name);

struct graph *graph_new(struct ctx *c, const char *name)
{
	struct graph *g = NEW(c, struct graph);
	g->c = c;
	g->name = name ? name : "";
	g->producer = "";
	g->cache = GRAPH_CACHE;
	g->prefetch = GRAPH_PREFETCH;
	return g;
}

struct value *value_new(struct graph *g, const char *name)
{
	struct value *v = NEW(g->c, struct value);
	v->id = vec_len(g->values);
	v->name = name ? name : "";
	v->type.rank = -1;
	v->graph = g;
	vec_add(g->c, g->values, v);
	return v;
}

static struct type type_of_tensor(const struct tensor *t)
{
	return type_tensor(t->dtype, t->rank, t->dim);
}

struct value *value_const(struct graph *g, const char *name, const struct tensor *t)
{
	struct value *v = value_new(g, name);
	v->data = t;
	v->type = type_of_tensor(t);
	return v;
}

struct value *graph_add_input(struct graph *g, const char *name, const struct type *t)
{
	struct value *v = value_new(g, name);
	v->is_input = true;
	if (t)
		v->type = *t;
	vec_add(g->c, g->inputs, v);
	return v;
}

static void use_add(struct value *v, struct node *n, int index)
{
	struct use *u = vec_push(v->graph->c, v->uses);
	u->node = n;
	u->index = index;
}

/* Order of the remaining uses is kept: passes must not depend on luck. */
static void use_drop(struct value *v, const struct node *n, int index)
{
	int len = vec_len(v->uses);
	for (int i = 0; i < len; i++)
		if (v->uses[i].node == n && v->uses[i].index == index) {
			memmove(v->uses + i, v->uses + i + 1,
				(size_t)(len - i - 1) * sizeof *v->uses);
			vec_pop(v->uses);
			return;
		}
	fatal(v->graph->c, R_INTERNAL, "value \"%s\": a use to be dropped is not in the list",
	      v->name);
}

/* A copy of v that belongs to g by a node: Identity, placed last. */
static struct value *identity_of(struct graph *g, struct value *v, const char *name)
{
	struct node *n = node_new(g, NULL, "", "Identity", name);
	node_add_in(n, v);
	struct value *y = node_add_out(n, name);
	y->type = v->type;
	return y;
}

void graph_add_output(struct graph *g, struct value *v)
{
	if (v->graph != g)
		v = identity_of(g, v, v->name);
	vec_add(g->c, g->outputs, v);
	use_add(v, NULL, vec_len(g->outputs) - 1);
}

void graph_set_output(struct graph *g, int i, struct value *v)
{
	struct value *old = g->outputs[i];
	if (v->graph != g)
		v = identity_of(g, v, old->name);
	if (v == old)
		return;
	use_drop(old, NULL, i);
	g->outputs[i] = v;
	use_add(v, NULL, i);
}

struct node *node_new(struct graph *g, struct node *before, const char *domain,
		      const char *op_type, const char *name)
{
	struct node *n = NEW(g->c, struct node);
	n->id = g->n_nodes++;
	n->name = name ? name : "";
	n->domain = domain ? domain : "";
	n->op_type = op_type;
	n->op = op_find(n->domain, op_type);
	n->version = g->opset;
	n->graph = g;
	n->next = before;
	n->prev = before ? before->prev : g->last;
	if (n->prev)
		n->prev->next = n;
	else
		g->first = n;
	if (before)
		before->prev = n;
	else
		g->last = n;
	return n;
}

void node_add_in(struct node *n, struct value *v)
{
	vec_add(n->graph->c, n->in, v);
	if (v)
		use_add(v, n, vec_len(n->in) - 1);
}

void node_set_in(struct node *n, int i, struct value *v)
{
	while (vec_len(n->in) <= i)
		node_add_in(n, NULL);
	if (n->in[i] == v)
		return;
	if (n->in[i])
		use_drop(n->in[i], n, i);
	n->in[i] = v;
	if (v)
		use_add(v, n, i);
}

struct value *node_add_out(struct node *n, const char *name)
{
	struct value *v = value_new(n->graph, name);
	node_adopt_out(n, v);
	return v;
}

void node_adopt_out(struct node *n, struct value *v)
{
	if (v && (v->def || v->is_input || v->data))
		fatal(n->graph->c, R_INTERNAL, "value \"%s\" would be defined twice", v->name);
	vec_add(n->graph->c, n->out, v);
	if (v) {
		v->def = n;
		v->def_index = vec_len(n->out) - 1;
	}
}

void node_take_out(struct node *n, int i, struct value *v)
{
	struct node *old = v->def;
	if (old)
		old->out[v->def_index] = NULL;
	while (vec_len(n->out) <= i)
		vec_add(n->graph->c, n->out, NULL);
	if (n->out[i])
		fatal(n->graph->c, R_INTERNAL, "%s: output %d is taken", node_where(n), i);
	n->out[i] = v;
	v->def = n;
	v->def_index = i;
}

struct value *node_in(const struct node *n, int i)
{
	return i >= 0 && i < vec_len(n->in) ? n->in[i] : NULL;
}

struct value *node_out(const struct node *n, int i)
{
	return i >= 0 && i < vec_len(n->out) ? n->out[i] : NULL;
}

bool value_is_output(const struct value *v)
{
	for (int i = 0; i < vec_len(v->uses); i++)
		if (!v->uses[i].node)
			return true;
	return false;
}

int value_n_uses(const struct value *v)
{
	return vec_len(v->uses);
}

struct node *value_only_user(const struct value *v)
{
	return vec_len(v->uses) == 1 ? v->uses[0].node : NULL;
}

bool value_may_be_output(const struct value *v)
{
	return v->def && !value_is_output(v);
}

/*
 * The name of a graph's output is the model's interface: where `old` is an output the new value
 * takes its name, or, when it cannot (an input, a constant, another output), an Identity with
 * that name follows.
 */
void value_replace(struct value *old, struct value *new_)
{
	if (old == new_)
		return;
	struct use *uses = old->uses;
	int n = vec_len(uses);
	old->uses = NULL;
	for (int i = 0; i < n; i++) {
		struct use u = uses[i];
		if (u.node) {
			u.node->in[u.index] = new_;
			use_add(new_, u.node, u.index);
			continue;
		}
		struct graph *g = old->graph;
		struct value *y = new_;
		if (new_->graph == g && value_may_be_output(new_))
			new_->name = old->name;
		else
			y = identity_of(g, new_, old->name);
		g->outputs[u.index] = y;
		use_add(y, NULL, u.index);
	}
}

static void drop_inner_uses(struct graph *g)
{
	for (struct node *n = g->first; n; n = n->next) {
		for (int i = 0; i < vec_len(n->in); i++)
			if (n->in[i])
				node_set_in(n, i, NULL);
		for (int i = 0; i < vec_len(n->attrs); i++)
			if (n->attrs[i].kind == ATTR_GRAPH && n->attrs[i].g)
				drop_inner_uses(n->attrs[i].g);
	}
}

static void node_unlink(struct node *n)
{
	struct graph *g = n->graph;
	if (n->prev)
		n->prev->next = n->next;
	else
		g->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		g->last = n->prev;
	n->prev = n->next = NULL;
}

void node_move_before(struct node *n, struct node *before)
{
	struct graph *g = n->graph;
	if (n == before)
		return;
	node_unlink(n);
	n->next = before;
	n->prev = before ? before->prev : g->last;
	if (n->prev)
		n->prev->next = n;
	else
		g->first = n;
	if (before)
		before->prev = n;
	else
		g->last = n;
}

void node_remove(struct node *n)
{
	struct graph *g = n->graph;
	for (int i = 0; i < vec_len(n->out); i++) {
		if (!n->out[i])
			continue;
		if (vec_len(n->out[i]->uses))
			fatal(g->c, R_INTERNAL, "%s is removed but its output %d (\"%s\") is used",
			      node_where(n), i, n->out[i]->name);
		g->values[n->out[i]->id] = NULL;
		n->out[i]->def = NULL;
	}
	for (int i = 0; i < vec_len(n->in); i++)
		if (n->in[i])
			node_set_in(n, i, NULL);
	for (int i = 0; i < vec_len(n->attrs); i++)
		if (n->attrs[i].kind == ATTR_GRAPH && n->attrs[i].g)
			drop_inner_uses(n->attrs[i].g);
	node_unlink(n);
	n->removed = true;
}

struct node **graph_nodes(const struct graph *g)
{
	struct node **v = NULL;
	for (struct node *n = g->first; n; n = n->next)
		vec_add(g->c, v, n);
	return v;
}

void value_make_const(struct value *v, const struct tensor *t)
{
	if (v->def)
		v->def->out[v->def_index] = NULL;
	v->def = NULL;
	v->data = t;
	v->layout = LAYOUT_PLAIN;
	v->type = type_of_tensor(t);
}

/* ---- order ----------------------------------------------------------------------------------- */

struct sorter {
	struct graph *g;
	unsigned char *state;		/* by node id: 0 new, 1 open, 2 done */
	struct node **stack;		/* vec */
	struct node **order;		/* vec */
};

static void push_def(struct sorter *s, const struct value *v)
{
	if (v && v->def && v->graph == s->g && s->state[v->def->id] != 2)
		vec_add(s->g->c, s->stack, v->def);
}

/* What a subgraph reads of graph s->g, at any depth. */
static void push_captured(struct sorter *s, const struct graph *sub)
{
	for (const struct node *n = sub->first; n; n = n->next) {
		for (int i = 0; i < vec_len(n->in); i++)
			push_def(s, n->in[i]);
		for (int i = 0; i < vec_len(n->attrs); i++)
			if (n->attrs[i].kind == ATTR_GRAPH && n->attrs[i].g)
				push_captured(s, n->attrs[i].g);
	}
}

/* Depth first over definitions, roots in the present order: a sorted list stays as it is. */
void graph_sort(struct graph *g)
{
	struct sorter s = { g, mem_array(g->c, g->n_nodes + 1, 1), NULL, NULL };
	for (struct node *root = g->first; root; root = root->next) {
		vec_add(g->c, s.stack, root);
		while (vec_len(s.stack)) {
			struct node *n = s.stack[vec_len(s.stack) - 1];
			if (s.state[n->id] == 2) {
				vec_pop(s.stack);
				continue;
			}
			if (s.state[n->id] == 1) {
				vec_pop(s.stack);
				s.state[n->id] = 2;
				vec_add(g->c, s.order, n);
				continue;
			}
			s.state[n->id] = 1;
			int before = vec_len(s.stack);
			for (int i = vec_len(n->attrs) - 1; i >= 0; i--)
				if (n->attrs[i].kind == ATTR_GRAPH && n->attrs[i].g)
					push_captured(&s, n->attrs[i].g);
			for (int i = vec_len(n->in) - 1; i >= 0; i--)
				push_def(&s, n->in[i]);
			for (int i = before; i < vec_len(s.stack); i++)
				if (s.state[s.stack[i]->id] == 1)
					fatal(g->c, R_INPUT, "%s is part of a cycle",
					      node_where(s.stack[i]));
		}
	}
	g->first = g->last = NULL;
	for (int i = 0; i < vec_len(s.order); i++) {
		struct node *n = s.order[i];
		n->prev = g->last;
		n->next = NULL;
		if (g->last)
			g->last->next = n;
		else
			g->first = n;
		g->last = n;
	}
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* Open graphs of a copy, innermost first: where an old value finds its new one. */
struct clone {
	const struct clone *outer;
	const struct graph *from;
	struct graph *to;
	struct value **value;		/* by old id */
};

static struct value *clone_of(const struct clone *k, struct value *v)
{
	for (; v && k; k = k->outer)
		if (k->from == v->graph)
			return k->value[v->id];
	return v;			/* of a graph around the whole copy */
}

static struct graph *clone_graph(struct ctx *c, const struct graph *g, const struct clone *outer);

static struct attr clone_attr(struct ctx *c, const struct attr *a, const struct clone *k,
			      struct node *owner)
{
	struct attr b = *a;
	if (a->g) {
		b.g = clone_graph(c, a->g, k);
		b.g->parent = owner->graph;
		b.g->owner = owner;
	}
	if (a->kind == ATTR_GRAPHS && a->n) {
		b.graphs = NEW_ARRAY(c, a->n, struct graph *);
		for (int i = 0; i < a->n; i++) {
			b.graphs[i] = clone_graph(c, a->graphs[i], k);
			b.graphs[i]->parent = owner->graph;
			b.graphs[i]->owner = owner;
		}
	}
	return b;
}

static struct graph *clone_graph(struct ctx *c, const struct graph *g, const struct clone *outer)
{
	struct graph *d = NEW(c, struct graph);
	*d = *g;
	d->c = c;
	d->first = d->last = NULL;
	d->inputs = d->outputs = d->values = NULL;
	d->n_nodes = 0;
	struct clone k = { outer, g, d, NEW_ARRAY(c, vec_len(g->values) + 1, struct value *) };
	for (int i = 0; i < vec_len(g->values); i++) {
		const struct value *v = g->values[i];
		if (!v)
			continue;
		struct value *w = value_new(d, v->name);
		w->type = v->type;
		w->layout = v->layout;
		w->data = v->data;
		w->is_input = v->is_input;
		k.value[i] = w;
	}
	for (int i = 0; i < vec_len(g->inputs); i++)
		vec_add(c, d->inputs, k.value[g->inputs[i]->id]);
	for (const struct node *n = g->first; n; n = n->next) {
		struct node *m = node_new(d, NULL, n->domain, n->op_type, n->name);
		m->version = n->version;
		for (int i = 0; i < vec_len(n->in); i++)
			node_add_in(m, clone_of(&k, n->in[i]));
		for (int i = 0; i < vec_len(n->out); i++) {
			struct value *w = n->out[i] ? k.value[n->out[i]->id] : NULL;
			vec_add(c, m->out, w);
			if (w) {
				w->def = m;
				w->def_index = i;
			}
		}
		for (int i = 0; i < vec_len(n->attrs); i++)
			vec_add(c, m->attrs, clone_attr(c, &n->attrs[i], &k, m));
	}
	for (int i = 0; i < vec_len(g->outputs); i++)
		graph_add_output(d, k.value[g->outputs[i]->id]);
	return d;
}

struct graph *graph_clone(struct ctx *c, const struct graph *g)
{
	return clone_graph(c, g, NULL);
}

/* ---- messages -------------------------------------------------------------------------------- */

const char *node_where(const struct node *n)
{
	const char *dot = n->domain[0] ? "." : "";
	if (!n->name[0])
		return str_printf(n->graph->c, "node %s%s%s-%d", n->domain, dot, n->op_type, n->id);
	return str_printf(n->graph->c, "node \"%s\" (%s%s%s-%d)", n->name, n->domain, dot,
			  n->op_type, n->id);
}

void node_error(const struct node *n, const char *stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(n->graph->c, SEV_ERROR, stage, node_where(n), fmt, ap);
	va_end(ap);
}
