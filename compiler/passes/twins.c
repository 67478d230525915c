/*
 * twins.c - CBAM's twin reductions in one sweep over their tensor.
 *
 * In: a typed graph.  Out:
 *	Concat(ReduceMean(x over channels), ReduceMax(x over channels)), in either order -> ampoule.ChannelMeanMax
 *	the mean of x over space (ReduceMean, GlobalAveragePool) and its maximum over space (ReduceMax,
 *	GlobalMaxPool, MaxPool of a window as large as x)	-> ampoule.SpaceMeanMax
 * Exact: the same 16 lanes, the same comparisons.  (AveragePool of a full window sums in another
 * order: it stays.)
 */
#include "ops/op.h"
#include "passes/passes.h"

/* The reduced axes of a Reduce*, as bits; 0 when they are not known or there is no tensor of 3 axes or more. */
static unsigned axes_of(const struct node *n)
{
	const struct value *x = node_in(n, 0);
	const struct tensor *t = op_const(n, 1);
	unsigned axes = 0;
	if (!x || !type_known(&x->type) || x->type.rank < 3 || type_elements(&x->type) < 1 ||
	    !dtype_is_float(x->type.dtype) || x->layout != LAYOUT_PLAIN)
		return 0;
	if (!node_in(n, 1) || (t && t->n == 0))
		return attr_int(n, "noop_with_empty_axes", 0) ? 0 : (1u << x->type.rank) - 1;
	for (int64_t i = 0; t && i < t->n; i++) {
		const int64_t a = tensor_get_i(t, i);
		axes |= 1u << ((a < 0 ? a + x->type.rank : a) & 31);
	}
	return axes;
}

static unsigned space_of(const struct value *x)
{
	return ((1u << x->type.rank) - 1) & ~3u;
}

/* ---- over channels --------------------------------------------------------------------------- */

static bool of_channels(const struct node *n, const char *op, const struct node *concat)
{
	return n && node_is(n, op) && axes_of(n) == 2 && attr_int(n, "keepdims", 1) &&
	       value_only_user(n->out[0]) == concat;
}

static void join_channels(struct node *n)
{
	if (!node_is(n, "Concat") || vec_len(n->in) != 2 || !n->in[0] || !n->in[1] ||
	    (attr_int(n, "axis", 0) != 1 && attr_int(n, "axis", 0) != 1 - n->out[0]->type.rank))
		return;
	struct node *a = n->in[0]->def, *b = n->in[1]->def;
	const bool mean_first = of_channels(a, "ReduceMean", n) && of_channels(b, "ReduceMax", n);
	const bool max_first = of_channels(a, "ReduceMax", n) && of_channels(b, "ReduceMean", n);
	if ((!mean_first && !max_first) || a->graph != n->graph || a->in[0] != b->in[0])
		return;
	struct node *m = node_make(n, "ampoule", "ChannelMeanMax", n->name, a->in[0], NULL);
	if (max_first)
		attr_set_int(m, "max_first", 1);
	node_take_out(m, 0, n->out[0]);
	node_remove(n);
}

/* ---- over space ------------------------------------------------------------------------------ */

static bool full_window(const struct node *n)
{
	const struct type *x = &n->in[0]->type;
	int k, p;
	const int64_t *kernel = attr_ints(n, "kernel_shape", &k), *pads = attr_ints(n, "pads", &p);
	const char *automatic = attr_str(n, "auto_pad", "NOTSET");
	if (k != x->rank - 2 || (vec_len(n->out) > 1 && n->out[1]) ||
	    (!str_eq(automatic, "NOTSET") && !str_eq(automatic, "VALID")))
		return false;
	for (int d = 0; d < k; d++)
		if (kernel[d] != x->dim[d + 2].value || n->out[0]->type.dim[d + 2].value != 1)
			return false;
	for (int d = 0; d < p; d++)
		if (pads[d])
			return false;
	return true;
}

static bool known(const struct value *x)
{
	return x && type_known(&x->type) && x->type.rank >= 3 && type_elements(&x->type) > 0 &&
	       dtype_is_float(x->type.dtype) && x->layout == LAYOUT_PLAIN;
}

static bool is_mean(const struct node *n)
{
	if (!known(node_in(n, 0)) || !node_out(n, 0))
		return false;
	return node_is(n, "GlobalAveragePool") ||
	       (node_is(n, "ReduceMean") && axes_of(n) == space_of(n->in[0]));
}

static bool is_max(const struct node *n)
{
	if (!known(node_in(n, 0)) || !node_out(n, 0))
		return false;
	return node_is(n, "GlobalMaxPool") || (node_is(n, "MaxPool") && full_window(n)) ||
	       (node_is(n, "ReduceMax") && axes_of(n) == space_of(n->in[0]));
}

static void join_space(struct node *mean)
{
	struct value *x = node_in(mean, 0);
	struct node *max = NULL;
	if (!is_mean(mean))
		return;
	for (int i = 0; i < vec_len(x->uses) && !max; i++) {
		struct node *u = x->uses[i].node;
		if (u && u->graph == mean->graph && is_max(u) &&
		    type_equal(&u->out[0]->type, &mean->out[0]->type))
			max = u;
	}
	if (!max)
		return;
	struct node *first = mean->graph->first;	/* the earlier of the two */
	while (first != mean && first != max)
		first = first->next;
	struct node *n = node_make(first, "ampoule", "SpaceMeanMax", mean->name, x, NULL);
	if (mean->out[0]->type.rank == 2)
		attr_set_int(n, "keepdims", 0);
	if (node_is(max, "MaxPool"))
		attr_set_int(n, "window", 1);
	node_take_out(n, 0, mean->out[0]);
	node_take_out(n, 1, max->out[0]);
	node_remove(mean);
	node_remove(max);
}

bool pass_twins(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed && node_out(nodes[i], 0)) {
			join_channels(nodes[i]);
			if (!nodes[i]->removed)
				join_space(nodes[i]);
		}
	graph_drop_dead(g);
	return true;
}
