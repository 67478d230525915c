/*
 * spell.c - what exporters spell out becomes the operator that it means.
 *
 * In: a typed graph.  Out:
 *	x * (1 + erf(x / sqrt(2))) * 0.5, the factors in any order, x * 0.7071 for the quotient	-> Gelu
 *	d = x - mean(x); d / sqrt(mean(d * d) + epsilon) * scale + bias over the last axis	-> LayerNormalization
 *	InstanceNormalization, scale 1, bias 0, of x as [N, groups, all], made [N, C, space..] again;
 *	then * scale, + bias for each channel, if they are there				-> GroupNormalization
 * Numbers are compared to 1e-6.
 *
 * Numeric plan: this changes bits.  Gelu multiplies by 1/sqrt(2) where the exporters divide; the
 * normalisation's kernel has its own order (runtime/kernels/norm.inc).
 */
#include "ops/op.h"
#include "passes/passes.h"

#include <math.h>

#define FACTORS 4

static bool near(const struct value *v, double x)
{
	double k;
	return v && v->data && v->data->n == 1 && const_splat(v, &k) && fabs(k - x) <= 1e-6 * fabs(x);
}

/* The single node that computes v for its single user, if it is op. */
static struct node *only(const struct value *v, const char *op)
{
	return v && v->def && node_is(v->def, op) && value_n_uses(v) == 1 && !value_is_output(v)
		? v->def : NULL;
}

static struct value *other_than_const(const struct node *n, double k)
{
	return near(n->in[1], k) ? n->in[0] : near(n->in[0], k) ? n->in[1] : NULL;
}

/* ---- Gelu ------------------------------------------------------------------------------------ */

/* The leaves of a tree of Mul, at most FACTORS; each inner product has one user. */
static bool factors(struct value *v, bool root, struct value **leaf, int *n)
{
	struct node *m = root ? v->def : only(v, "Mul");
	if (m && node_is(m, "Mul"))
		return factors(m->in[0], false, leaf, n) && factors(m->in[1], false, leaf, n);
	if (*n == FACTORS)
		return false;
	leaf[(*n)++] = v;
	return true;
}

/* x of 1 + erf(x / sqrt(2)) */
static struct value *erf_of(const struct value *v)
{
	struct node *add = only(v, "Add"), *erf;
	struct value *e = add ? other_than_const(add, 1) : NULL;
	if (!e || !(erf = only(e, "Erf")))
		return NULL;
	struct node *div = only(erf->in[0], "Div"), *mul = only(erf->in[0], "Mul");
	if (div && near(div->in[1], sqrt(2)))
		return div->in[0];
	return mul ? other_than_const(mul, sqrt(0.5)) : NULL;
}

static void find_gelu(struct node *n)
{
	struct value *leaf[FACTORS];
	int count = 0;
	if (!node_is(n, "Mul") || !dtype_is_float(n->out[0]->type.dtype) ||
	    !factors(n->out[0], true, leaf, &count) || count != 3)
		return;
	for (int i = 0; i < 3; i++) {
		struct value *x = erf_of(leaf[i]);
		struct value *p = leaf[(i + 1) % 3], *q = leaf[(i + 2) % 3];
		if (!x || !((p == x && near(q, 0.5)) || (q == x && near(p, 0.5))) ||
		    !type_equal(&x->type, &n->out[0]->type))
			continue;
		struct node *g = node_make(n, "", "Gelu", n->name, x, NULL);
		node_take_out(g, 0, n->out[0]);
		node_remove(n);
		return;
	}
}

/* ---- LayerNormalization ---------------------------------------------------------------------- */

static bool mean_of_last(const struct node *n)
{
	const struct tensor *t = n ? op_const(n, 1) : NULL;
	return t && t->n == 1 && attr_int(n, "keepdims", 1) &&
	       (tensor_get_i(t, 0) == -1 || tensor_get_i(t, 0) == n->in[0]->type.rank - 1);
}

/* d * d or d to the power 2, averaged over the last axis */
static bool is_variance(const struct value *v, const struct value *d)
{
	const struct node *mean = only(v, "ReduceMean");
	if (!mean_of_last(mean))
		return false;
	const struct node *pow = only(mean->in[0], "Pow"), *mul = only(mean->in[0], "Mul");
	return (pow && pow->in[0] == d && near(pow->in[1], 2)) ||
	       (mul && mul->in[0] == d && mul->in[1] == d);
}

static struct value *last_axis_const(const struct node *n, const struct value *x)
{
	const int64_t c = x->type.dim[x->type.rank - 1].value;
	for (int i = 0; i < 2; i++) {
		struct value *k = n->in[i];
		if (k->data && k->type.rank == 1 && k->data->n == c && k->type.dtype == x->type.dtype)
			return k;
	}
	return NULL;
}

static void find_layer_norm(struct node *div)
{
	double epsilon;
	if (!node_is(div, "Div") || !type_known(&div->out[0]->type) || div->out[0]->type.rank < 1 ||
	    !dtype_is_float(div->out[0]->type.dtype))
		return;
	struct value *d = div->in[0];
	struct node *sub = d->def, *sqrt_ = only(div->in[1], "Sqrt");
	struct node *add = sqrt_ ? only(sqrt_->in[0], "Add") : NULL;
	if (!add || !sub || !node_is(sub, "Sub"))
		return;
	const int k = const_splat(add->in[1], &epsilon) ? 1 : 0;
	struct node *mean = only(sub->in[1], "ReduceMean");
	if (!const_splat(add->in[k], &epsilon) || add->in[k]->data->n != 1 ||
	    !is_variance(add->in[1 - k], d) || !mean_of_last(mean) || mean->in[0] != sub->in[0])
		return;
	struct value *x = sub->in[0];
	struct node *mul = value_only_user(div->out[0]);
	struct value *scale = mul && node_is(mul, "Mul") ? last_axis_const(mul, x) : NULL;
	struct node *plus = scale ? value_only_user(mul->out[0]) : NULL;
	struct value *bias = plus && node_is(plus, "Add") ? last_axis_const(plus, x) : NULL;
	if (!bias || plus->graph != div->graph || !type_equal(&x->type, &plus->out[0]->type))
		return;
	struct node *n = node_make(plus, "", "LayerNormalization", plus->name, x, scale);
	node_add_in(n, bias);
	attr_set_int(n, "axis", -1);
	attr_set_float(n, "epsilon", epsilon);
	node_take_out(n, 0, plus->out[0]);
	node_remove(plus);
}

/* ---- GroupNormalization ---------------------------------------------------------------------- */

static bool all_are(const struct value *v, double k)
{
	double x;
	return v && const_splat(v, &x) && x == k;
}

/* The constant factor or summand of each channel in the single node behind v, if it is op */
static struct node *for_channels(const struct value *v, const char *op, const struct type *x, double *each)
{
	struct node *n = value_only_user(v);
	if (!n || n->graph != v->graph || !node_is(n, op) || !type_equal(&n->out[0]->type, x))
		return NULL;
	return const_channels(other_in(n, v), x, 1, each) ? n : NULL;
}

static struct value *numbers(struct graph *g, const char *name, enum dtype type, int64_t n, const double *x)
{
	struct tensor *t = tensor_new(g->c, type, 1, &n);
	for (int64_t i = 0; i < n; i++)
		tensor_set_f(t, i, x[i]);
	return value_const(g, name, t);
}

static void find_group_norm(struct node *back)
{
	struct node *norm = node_is(back, "Reshape") ? only(back->in[0], "InstanceNormalization") : NULL;
	struct node *split = norm ? norm->in[0]->def : NULL;
	if (!split || !node_is(split, "Reshape") || split->graph != back->graph ||
	    !all_are(node_in(norm, 1), 1) || !all_are(node_in(norm, 2), 0))
		return;
	struct value *x = split->in[0];
	const struct type *flat = &norm->in[0]->type, *t = &x->type;
	if (!type_known(t) || !type_known(flat) || t->rank < 3 || flat->rank != 3 || !type_equal(t, &back->out[0]->type) ||
	    type_elements(t) < 1 || flat->dim[0].value != t->dim[0].value || t->dim[1].value % flat->dim[1].value)
		return;
	const int64_t c = t->dim[1].value;
	double *scale = NEW_ARRAY(back->graph->c, c, double), *bias = NEW_ARRAY(back->graph->c, c, double);
	struct node *last = back, *mul = for_channels(back->out[0], "Mul", t, scale);
	for (int64_t i = 0; !mul && i < c; i++)
		scale[i] = 1;
	last = mul ? mul : last;
	struct node *add = for_channels(last->out[0], "Add", t, bias);
	for (int64_t i = 0; !add && i < c; i++)
		bias[i] = 0;
	last = add ? add : last;
	struct node *n = node_make(last, "", "GroupNormalization", norm->name, x,
				   numbers(last->graph, str_printf(last->graph->c, "%s.scale", norm->name), t->dtype, c, scale));
	node_add_in(n, numbers(last->graph, str_printf(last->graph->c, "%s.bias", norm->name), t->dtype, c, bias));
	attr_set_int(n, "num_groups", flat->dim[1].value);
	attr_set_float(n, "epsilon", attr_float(norm, "epsilon", (double)1e-5f));
	node_take_out(n, 0, last->out[0]);
	node_remove(last);
}

bool pass_spell(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = vec_len(nodes) - 1; i >= 0; i--)
		if (!nodes[i]->removed && node_out(nodes[i], 0)) {
			find_gelu(nodes[i]);
			if (!nodes[i]->removed)
				find_layer_norm(nodes[i]);
			if (!nodes[i]->removed)
				find_group_norm(nodes[i]);
			graph_drop_dead(g);
		}
	return true;
}
