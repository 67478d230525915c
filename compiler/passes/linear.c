/* linear.c - what the passes that fuse into convolutions and matrix products share: see passes.h. */
#include "ops/op.h"
#include "passes/passes.h"

void node_absorb(struct node *n, struct node *user)
{
	struct graph *g = n->graph;
	struct value *old = n->out[0], *v = user->out[0];
	for (int i = 0; i < vec_len(user->in); i++)
		if (user->in[i] == old)
			node_set_in(user, i, NULL);
	if (vec_len(old->uses))
		fatal(g->c, R_INTERNAL, "%s is absorbed but has other users", node_where(n));
	g->values[old->id] = NULL;
	old->def = NULL;
	n->out[0] = NULL;
	node_take_out(n, 0, v);
	node_move_before(n, user);
	node_remove(user);
}

void node_retype(struct node *n, const char *domain, const char *op_type)
{
	n->domain = domain;
	n->op_type = op_type;
	n->op = op_find(domain, op_type);
	if (!n->op)
		fatal(n->graph->c, R_INTERNAL, "a pass makes %s.%s, which does not exist", domain,
		      op_type);
}

bool const_channels(const struct value *k, const struct type *y, int axis, double *v)
{
	if (!k || !k->data || k->data->dtype != y->dtype || k->data->rank > y->rank)
		return false;
	const struct tensor *t = k->data;
	const int64_t channels = y->dim[axis].value;
	bool along = false;
	for (int d = 0; d < t->rank; d++) {
		const int at = d + y->rank - t->rank;
		if (t->dim[d] == 1)
			continue;
		if (at != axis || t->dim[d] != channels)
			return false;
		along = true;
	}
	for (int64_t i = 0; i < channels; i++)
		v[i] = tensor_get_f(t, along ? i : 0);
	return true;
}

bool const_batch_norm(const struct node *n, int64_t channels, const struct tensor *t[5])
{
	if (!node_is(n, "BatchNormalization") || attr_int(n, "training_mode", 0))
		return false;
	for (int i = 1; i < vec_len(n->out); i++)
		if (n->out[i])
			return false;
	for (int i = 1; i < 5; i++) {
		t[i] = op_const(n, i);
		if (!t[i] || t[i]->n != channels)
			return false;
	}
	return true;
}

bool node_is_linear(const struct node *n)
{
	static const char *const ops[] = { "Conv", "ampoule.Conv", "ConvTranspose", "Gemm", "ampoule.Gemm",
					   "MatMul", "ampoule.MatMul" };
	const struct value *y = node_out(n, 0);
	if (!y || !type_known(&y->type) || !dtype_is_float(y->type.dtype) || y->type.rank < 1)
		return false;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (node_is(n, ops[i]))
			return true;
	return false;
}

int linear_axis(const struct node *n)
{
	return str_eq(n->op_type, "Conv") || str_eq(n->op_type, "ConvTranspose")
		? 1 : n->out[0]->type.rank - 1;
}

bool linear_is_closed(const struct node *n)
{
	return node_in(n, 3) || attr_str(n, "activation", "")[0];
}

struct value *other_in(const struct node *n, const struct value *v)
{
	if (vec_len(n->in) != 2)
		return NULL;
	return n->in[0] == v ? n->in[1] : n->in[1] == v ? n->in[0] : NULL;
}
