/*
 * epilogue.c - what follows a convolution or matrix product is done before its result is stored.
 *
 * In: a typed graph.  Out: ampoule.Conv, ampoule.Gemm and ampoule.MatMul with
 *	input 3 (the residual)	from an Add of a tensor of the result's own shape
 *	activation, act_alpha, act_beta	from Relu, Clip, Sigmoid, Tanh, LeakyRelu, HardSigmoid, HardSwish, Gelu,
 *				and SiLU: x * Sigmoid(x)
 * first the one, then the other (rule 2).  Exact: the kernels' epilogue computes these operators'
 * own expressions.  Of two operands of an Add that both could take the other, the later one does.
 */
#include "ops/op.h"
#include "passes/passes.h"

#include <math.h>

static bool is_target(const struct node *n)
{
	return node_is_linear(n) && !str_eq(n->op_type, "ConvTranspose");
}

static void to_ampoule(struct node *n)
{
	if (!n->domain[0])
		node_retype(n, "ampoule", n->op_type);
}

/* A later node that could take over the same Add. */
static bool later_target(const struct node *n, const struct value *other)
{
	if (!other->def || other->graph != n->graph || !is_target(other->def) ||
	    linear_is_closed(other->def) || value_n_uses(other) != 1)
		return false;
	for (const struct node *m = n->next; m; m = m->next)
		if (m == other->def)
			return true;
	return false;
}

static void take_residual(struct node *n)
{
	struct node *add = value_only_user(n->out[0]);
	if (linear_is_closed(n) || !add || add->graph != n->graph || !node_is(add, "Add"))
		return;
	struct value *z = other_in(add, n->out[0]);
	if (!z || !type_equal(&z->type, &n->out[0]->type) || z->layout != n->out[0]->layout ||
	    later_target(n, z))
		return;
	to_ampoule(n);
	while (vec_len(n->in) < 3)
		node_add_in(n, NULL);
	node_set_in(n, 3, z);
	node_absorb(n, add);
}

static bool bound(const struct node *clip, int i, double otherwise, double *v)
{
	*v = otherwise;
	return !node_in(clip, i) || (op_const(clip, i) && op_const(clip, i)->n == 1 &&
				     const_splat(node_in(clip, i), v));
}

/* The epilogue's name of node u, with its numbers; NULL when it has none. */
static const char *activation_of(const struct node *u, double *alpha, double *beta)
{
	*alpha = *beta = 0;
	if (node_is(u, "Relu"))
		return "relu";
	if (node_is(u, "Sigmoid"))
		return "sigmoid";
	if (node_is(u, "Tanh"))
		return "tanh";
	if (node_is(u, "HardSwish"))
		return "hardswish";
	if (node_is(u, "Gelu"))
		return str_eq(attr_str(u, "approximate", "none"), "tanh") ? "gelu_tanh" : "gelu";
	if (node_is(u, "LeakyRelu")) {
		*alpha = (double)(float)attr_float(u, "alpha", 0.01);
		return "leakyrelu";
	}
	if (node_is(u, "HardSigmoid")) {
		*alpha = (double)(float)attr_float(u, "alpha", 0.2);
		*beta = (double)(float)attr_float(u, "beta", 0.5);
		return "hardsigmoid";
	}
	if (node_is(u, "Clip") && bound(u, 1, -(double)INFINITY, alpha) &&
	    bound(u, 2, (double)INFINITY, beta))
		return "clip";
	return NULL;
}

static void set_activation(struct node *n, const char *name, double alpha, double beta)
{
	to_ampoule(n);
	attr_set_str(n, "activation", name);
	if (alpha != 0)
		attr_set_float(n, "act_alpha", alpha);
	if (beta != 0)
		attr_set_float(n, "act_beta", beta);
}

/* x * Sigmoid(x), where nobody else reads either. */
static bool take_silu(struct node *n)
{
	struct value *x = n->out[0];
	if (value_n_uses(x) != 2 || value_is_output(x))
		return false;
	for (int i = 0; i < 2; i++) {
		struct node *s = x->uses[i].node, *m = x->uses[1 - i].node;
		if (s == m || !node_is(s, "Sigmoid") || !node_is(m, "Mul") || s->graph != n->graph ||
		    m->graph != n->graph || value_only_user(s->out[0]) != m ||
		    other_in(m, x) != s->out[0])
			continue;
		set_activation(n, "silu", 0, 0);
		node_set_in(m, m->in[0] == s->out[0] ? 0 : 1, NULL);
		node_remove(s);
		node_absorb(n, m);
		return true;
	}
	return false;
}

static void take_activation(struct node *n)
{
	double alpha, beta;
	if (attr_str(n, "activation", "")[0])
		return;
	if (take_silu(n))
		return;
	struct node *u = value_only_user(n->out[0]);
	if (!u || u->graph != n->graph || node_in(u, 0) != n->out[0])
		return;
	const char *name = activation_of(u, &alpha, &beta);
	if (!name || !type_equal(&n->out[0]->type, &u->out[0]->type))
		return;
	set_activation(n, name, alpha, beta);
	node_absorb(n, u);
}

bool pass_epilogue(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++) {
		struct node *n = nodes[i];
		if (n->removed || !is_target(n))
			continue;
		take_residual(n);
		take_activation(n);
	}
	graph_drop_dead(g);
	return true;
}
