/*
 * bn.c - BatchNormalization, and constant Mul, Add, Div, Sub for each channel, into weights and
 * bias.
 *
 * In: a typed graph.  Out: such nodes behind Conv, ConvTranspose, Gemm and MatMul with constant
 * weights, and in front of them, are gone; the weights and the bias are new constants.  What is
 * left (behind a Concat, say) stays an operator of its own.
 *
 * A run of such nodes is y = x * k + s for each channel.  In double, in this order, rounded once
 * at the end:
 *	BatchNormalization	q = scale / sqrt(variance + epsilon);  k = k * q;  s = (s - mean) * q + bias
 *	Mul m, Div m		k = k * m, s = s * m;  k = k / m, s = s / m
 *	Add a, Sub a		s = s + a;  s = s - a
 * behind:	w' = w * k[its output channel];  b' = b * k + s
 * in front:	b' = b + sum of w * s[its input channel], in the order of memory;
 *		w' = w * k[its input channel]
 *		(only where no padding puts zeros behind the shift)
 *
 * Numeric plan: this changes bits.  A run of Add alone in front of which there is no bias is left
 * to the pass bias, which changes none.
 */
#include "ops/op.h"
#include "passes/passes.h"

#include <math.h>

struct affine {
	int64_t n;
	double *k, *s;
	bool scales;			/* a Mul, Div or BatchNormalization was in it */
	int length;
};

static struct affine identity(struct ctx *c, int64_t n)
{
	struct affine a = { .n = n, .k = NEW_ARRAY(c, n, double), .s = NEW_ARRAY(c, n, double) };
	for (int64_t i = 0; i < n; i++)
		a.k[i] = 1;
	return a;
}

static bool batch_norm(const struct node *n, int axis, struct affine *a)
{
	const struct tensor *t[5];
	if (axis != 1 || !const_batch_norm(n, a->n, t))
		return false;
	const double epsilon = attr_float(n, "epsilon", 1e-5);
	for (int64_t i = 0; i < a->n; i++) {
		const double q = tensor_get_f(t[1], i) / sqrt(tensor_get_f(t[4], i) + epsilon);
		a->k[i] = a->k[i] * q;
		a->s[i] = (a->s[i] - tensor_get_f(t[3], i)) * q + tensor_get_f(t[2], i);
	}
	return true;
}

/* Puts node n, which acts on x, behind what `a` holds; false when it is none of ours. */
static bool compose(const struct node *n, const struct value *x, int axis, struct affine *a)
{
	double *v = NEW_ARRAY(n->graph->c, a->n, double);
	if (node_in(n, 0) == x && node_is(n, "BatchNormalization")) {
		a->scales = true;
		return batch_norm(n, axis, a);
	}
	const bool add = node_is(n, "Add"), sub = node_is(n, "Sub");
	const bool mul = node_is(n, "Mul"), div = node_is(n, "Div");
	if ((!add && !sub && !mul && !div) || ((sub || div) && n->in[0] != x))
		return false;
	const struct value *y = node_out(n, 0);
	if (!y || !type_equal(&x->type, &y->type) ||
	    !const_channels(other_in(n, x), &y->type, axis, v))
		return false;
	for (int64_t i = 0; i < a->n; i++) {
		if (mul || div)
			a->k[i] = mul ? a->k[i] * v[i] : a->k[i] / v[i];
		a->s[i] = add ? a->s[i] + v[i] : sub ? a->s[i] - v[i] :
			  mul ? a->s[i] * v[i] : a->s[i] / v[i];
	}
	a->scales = a->scales || mul || div;
	return true;
}

static bool all_finite(const struct affine *a)
{
	for (int64_t i = 0; i < a->n; i++)
		if (!isfinite(a->k[i]) || !isfinite(a->s[i]))
			return false;
	return true;
}

static bool shifts(const struct affine *a)
{
	for (int64_t i = 0; i < a->n; i++)
		if (a->s[i] != 0)
			return true;
	return false;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Channels of weight element i, by operator. */
struct weights {
	const struct tensor *t;
	int64_t group, taps, out, in;	/* channels in all */
	enum { W_CONV, W_TRANSPOSED, W_ROWS_IN, W_ROWS_OUT } order;
};

static bool weights_of(const struct node *n, struct weights *w)
{
	*w = (struct weights){ .t = op_const(n, 1), .group = attr_int(n, "group", 1), .taps = 1 };
	if (!w->t || w->t->rank < 2 || w->t->n == 0 || w->group < 1)
		return false;
	const bool conv = str_eq(n->op_type, "Conv"), transposed = str_eq(n->op_type, "ConvTranspose");
	for (int i = 2; i < w->t->rank; i++)
		w->taps *= w->t->dim[i];
	if (conv || transposed) {
		w->order = conv ? W_CONV : W_TRANSPOSED;
		w->out = w->t->dim[!conv] * (conv ? 1 : w->group);
		w->in = w->t->dim[conv] * (conv ? w->group : 1);
		return true;
	}
	if (w->t->rank != 2 || attr_float(n, "alpha", 1) != 1 || attr_float(n, "beta", 1) != 1)
		return false;
	const bool turned = attr_int(n, "transB", 0) != 0;
	w->order = turned ? W_ROWS_OUT : W_ROWS_IN;
	w->group = 1;
	w->out = w->t->dim[!turned];
	w->in = w->t->dim[turned];
	return true;
}

static int64_t out_channel(const struct weights *w, int64_t i)
{
	const int64_t row = i / (w->t->dim[1] * w->taps), col = i / w->taps % w->t->dim[1];
	switch (w->order) {
	case W_CONV: case W_ROWS_OUT: return row;
	case W_ROWS_IN: return col;
	default: return row / (w->in / w->group) * w->t->dim[1] + col;
	}
}

static int64_t in_channel(const struct weights *w, int64_t i)
{
	const int64_t row = i / (w->t->dim[1] * w->taps), col = i / w->taps % w->t->dim[1];
	switch (w->order) {
	case W_CONV: return row / (w->out / w->group) * w->t->dim[1] + col;
	case W_ROWS_OUT: return col;
	default: return row;
	}
}

/* The bias in double, zeros when there is none; false when it is no constant of one number a channel. */
static bool bias_of(const struct node *n, const struct weights *w, double *b)
{
	const struct value *v = node_in(n, 2);
	if (!v)
		return true;
	if (w->order == W_ROWS_IN || w->order == W_ROWS_OUT)
		return const_channels(v, &n->out[0]->type, linear_axis(n), b);
	if (!v->data || v->data->n != w->out)
		return false;
	for (int64_t i = 0; i < w->out; i++)
		b[i] = tensor_get_f(v->data, i);
	return true;
}

static void set_weights(struct node *n, const struct weights *w, const double *k, bool by_out)
{
	struct ctx *c = n->graph->c;
	struct tensor *t = tensor_new(c, w->t->dtype, w->t->rank, w->t->dim);
	for (int64_t i = 0; i < t->n; i++)
		tensor_set_f(t, i, tensor_get_f(w->t, i) *
			     k[by_out ? out_channel(w, i) : in_channel(w, i)]);
	node_set_in(n, 1, value_const(n->graph, n->in[1]->name, t));
}

static void set_bias(struct node *n, const struct weights *w, const double *b)
{
	struct tensor *t = tensor_new(n->graph->c, w->t->dtype, 1, &w->out);
	const char *name = node_in(n, 2) ? n->in[2]->name : str_printf(n->graph->c, "%s.bias", n->in[1]->name);
	for (int64_t i = 0; i < w->out; i++)
		tensor_set_f(t, i, b[i]);
	if (node_is(n, "MatMul"))
		node_retype(n, "ampoule", "MatMul");
	node_set_in(n, 2, value_const(n->graph, name, t));
}

/* ---- behind ---------------------------------------------------------------------------------- */

static void fold_behind(struct node *n)
{
	struct ctx *c = n->graph->c;
	struct weights w;
	const int axis = linear_axis(n);
	if (linear_is_closed(n) || n->out[0]->type.rank <= axis || !weights_of(n, &w) ||
	    n->out[0]->type.dim[axis].value != w.out)
		return;
	struct affine a = identity(c, w.out), good = a;
	double *b = NEW_ARRAY(c, w.out, double);
	struct node *last = n;
	for (struct node *u; (u = value_only_user(last->out[0])) != NULL && u->graph == n->graph; last = u) {
		struct affine next = good;
		next.k = mem_copy(c, good.k, (size_t)w.out * sizeof *next.k);
		next.s = mem_copy(c, good.s, (size_t)w.out * sizeof *next.s);
		if (!compose(u, last->out[0], axis, &next) || !all_finite(&next))
			break;
		next.length++;
		good = next;
	}
	if (!good.length || !bias_of(n, &w, b) || (!good.scales && !node_in(n, 2)))
		return;
	for (int64_t i = 0; i < w.out; i++)
		b[i] = b[i] * good.k[i] + good.s[i];
	if (good.scales)
		set_weights(n, &w, good.k, true);
	set_bias(n, &w, b);
	for (int i = 0; i < good.length; i++)
		node_absorb(n, value_only_user(n->out[0]));
}

/* ---- in front -------------------------------------------------------------------------------- */

static bool pads(const struct node *n)
{
	int count;
	const int64_t *p = attr_ints(n, "pads", &count);
	const char *automatic = attr_str(n, "auto_pad", "NOTSET");
	if (!str_eq(n->op_type, "Conv"))
		return str_eq(n->op_type, "ConvTranspose");	/* its edges see fewer taps */
	if (!str_eq(automatic, "NOTSET") && !str_eq(automatic, "VALID"))
		return true;
	for (int i = 0; i < count; i++)
		if (p[i])
			return true;
	return false;
}

/* The chain that feeds n, nearest first, as far as it is ours and nobody else reads it. */
static struct affine chain_before(struct node *n, int axis, int64_t channels, struct value **source)
{
	struct ctx *c = n->graph->c;
	struct node **chain = NULL;
	struct value *x = n->in[0];
	*source = x;
	while (x->def && x->graph == n->graph && vec_len(x->def->out) >= 1 && value_n_uses(x) == 1) {
		struct node *m = x->def;
		struct affine probe = identity(c, channels);
		struct value *from = NULL;
		for (int i = 0; i < vec_len(m->in) && i < 2; i++)
			if (!from && m->in[i] && !m->in[i]->data)
				from = m->in[i];
		if (!from || !type_equal(&from->type, &x->type) || !compose(m, from, axis, &probe))
			break;
		vec_add(c, chain, m);
		x = from;
	}
	struct affine a = identity(c, channels);
	*source = x;
	for (int i = vec_len(chain) - 1; i >= 0; i--, a.length++)
		compose(chain[i], i == vec_len(chain) - 1 ? x : chain[i + 1]->out[0], axis, &a);
	return a;
}

static void fold_in_front(struct node *n)
{
	struct weights w;
	struct value *x = node_in(n, 0), *source;
	if (!weights_of(n, &w) || attr_int(n, "transA", 0) || !type_known(&x->type) || x->type.rank < 1)
		return;
	const int axis = w.order == W_CONV || w.order == W_TRANSPOSED ? 1 : x->type.rank - 1;
	if (x->type.rank <= axis || x->type.dim[axis].value != w.in)
		return;
	const struct affine a = chain_before(n, axis, w.in, &source);
	double *b = NEW_ARRAY(n->graph->c, w.out, double);
	if (!a.length || !a.scales || !all_finite(&a) || !bias_of(n, &w, b) || (shifts(&a) && pads(n)))
		return;
	if (shifts(&a)) {
		for (int64_t i = 0; i < w.t->n; i++)
			b[out_channel(&w, i)] += tensor_get_f(w.t, i) * a.s[in_channel(&w, i)];
		set_bias(n, &w, b);
	}
	set_weights(n, &w, a.k, false);
	node_set_in(n, 0, source);
}

bool pass_bn(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed && node_is_linear(nodes[i]))
			fold_behind(nodes[i]);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed && node_is_linear(nodes[i]))
			fold_in_front(nodes[i]);
	graph_drop_dead(g);
	return true;
}
