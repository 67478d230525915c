/* expand.c - nodes that take the place of another; see expand.h. */
#include "ops/expand.h"

struct value *expand_node(struct node *n, const char *op_type, struct value *a, struct value *b)
{
	struct node *m = node_new(n->graph, n, "", op_type, n->name);
	m->version = m->op ? m->op->since : 0;
	if (a || b)
		node_add_in(m, a);
	if (b)
		node_add_in(m, b);
	return node_add_out(m, "");
}

struct value *expand_transpose(struct node *n, struct value *x, int rank, const int64_t *perm)
{
	bool moves = false;
	for (int i = 0; i < rank; i++)
		moves = moves || perm[i] != i;
	if (!moves)
		return x;
	struct value *y = expand_node(n, "Transpose", x, NULL);
	attr_set_ints(y->def, "perm", perm, rank);
	return y;
}

struct value *expand_reshape(struct node *n, struct value *x, int rank, const int64_t *dims)
{
	struct value *y = expand_node(n, "Reshape", x, expand_ints(n, dims, rank));
	attr_set_int(y->def, "allowzero", 1);
	return y;
}

struct value *expand_ints(struct node *n, const int64_t *v, int count)
{
	return value_const(n->graph, "", tensor_ints(n->graph->c, v, count));
}

struct value *expand_scalar(struct node *n, enum dtype t, double x)
{
	struct tensor *f = tensor_new(n->graph->c, DT_DOUBLE, 0, NULL);
	*(double *)f->data = x;
	return value_const(n->graph, "", tensor_convert(n->graph->c, f, t));
}

void expand_result(struct node *n, int i, struct value *x)
{
	struct value *y = node_out(n, i);
	if (!y)
		return;
	if (!value_is_output(y)) {
		value_replace(y, x);
		return;
	}
	/* the graph's output keeps its value, and so its name */
	struct node *id = node_new(n->graph, n, "", "Identity", n->name);
	id->version = id->op ? id->op->since : 0;
	node_add_in(id, x);
	value_replace(y, node_add_out(id, y->name));
}
