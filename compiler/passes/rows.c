/*
 * rows.c - movements of one tensor that meet are one Gather of its rows.
 *
 * In: Slice, Concat, Transpose and changes of shape, all of one value x, that end in one value y: a roll (two Slices and a
 * Concat for each axis), windows cut out of the rolled image, Swin's merging of four patches into one.
 * Out: Gather(x as [rows, row], constant indices) as y's shape, where that copies less: each of these nodes copies
 * its elements, but for those that only name a part of the memory.
 * A row is the longest run of elements that none of them divides.  Exact: elements move, none is computed anew.
 */
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/view.h"

#define MAX_NODES 64
#define MIN_ROW 32			/* bytes: below, an index costs more than what it moves */

struct region {
	struct node *node[MAX_NODES];	/* the last one is y's */
	int n;
	struct value *x;
	int64_t row;			/* elements */
	int64_t copied;			/* elements, by all nodes together */
};

static bool plain(const struct value *v)
{
	return v && type_known(&v->type) && v->layout == LAYOUT_PLAIN && type_elements(&v->type) > 0;
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		const int64_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

/* Elements behind the axes up to d: from one index of axis d to the next. */
static int64_t inner(const struct value *v, int d)
{
	int64_t n = 1;
	for (int k = d + 1; k < v->type.rank; k++)
		n *= v->type.dim[k].value;
	return n;
}

static bool axis_of(const struct node *n, int64_t axis, int *d)
{
	const int rank = n->in[0]->type.rank;
	axis += axis < 0 ? rank : 0;
	*d = (int)axis;
	return axis >= 0 && axis < rank;
}

/* Can n be one of a region's nodes?  Then: the run that it leaves whole, and what it copies. */
static bool is_move(const struct node *n, int64_t *run, int64_t *copied)
{
	int64_t start[IR_MAX_RANK], step[IR_MAX_RANK];
	int d, count;
	if (!n || !plain(node_in(n, 0)) || !plain(node_out(n, 0)))
		return false;
	const struct value *x = n->in[0], *y = n->out[0];
	const int64_t all = type_elements(&y->type);
	*run = 0;
	*copied = 0;
	if (only_reshapes(n))
		return true;
	if (node_is(n, "Transpose")) {
		const int64_t *perm = attr_ints(n, "perm", &count);
		if (count != x->type.rank)
			return false;
		for (d = count; d > 0 && perm[d - 1] == d - 1;)
			d--;
		*run = inner(x, d - 1);
		*copied = all;
		return true;
	}
	if (node_is(n, "Concat")) {
		if (!axis_of(n, attr_int(n, "axis", 0), &d))
			return false;
		for (int i = 0; i < vec_len(n->in); i++) {
			if (!plain(n->in[i]))
				return false;
			*run = gcd(*run, n->in[i]->type.dim[d].value * inner(y, d));
		}
		*copied = all;
		return true;
	}
	if (!node_is(n, "Slice") || !view_slice(n, start, step))
		return false;
	int cut = -1;			/* the last axis of which something is left out */
	for (d = 0; d < x->type.rank; d++)
		if (y->type.dim[d].value != x->type.dim[d].value)
			cut = d;
	const bool one = cut < 0 || (all == y->type.dim[cut].value * inner(y, cut) &&
				     (step[cut] == 1 || y->type.dim[cut].value == 1));
	*run = cut < 0 ? 0 : inner(x, cut);
	*copied = one ? 0 : all;	/* one run of the memory is only named */
	return true;
}

static bool holds(const struct region *r, const struct node *n)
{
	for (int i = 0; i < r->n; i++)
		if (r->node[i] == n)
			return true;
	return false;
}

static bool only_in(const struct region *r, const struct value *v)
{
	if (value_is_output(v))
		return false;
	for (int i = 0; i < vec_len(v->uses); i++)
		if (v->uses[i].node && !holds(r, v->uses[i].node))
			return false;
	return true;
}

/* All that y is made of by movements, back to the first value that is none, or that others use too. */
static bool collect(struct region *r, struct node *last)
{
	int64_t run, copied;
	if (!is_move(last, &run, &copied) || !copied)
		return false;
	*r = (struct region){ .node = { last }, .n = 1, .row = run, .copied = copied };
	for (bool more = true; more;) {
		more = false;
		for (int i = 0; i < r->n; i++) {
			const struct node *n = r->node[i];
			const int operands = node_is(n, "Concat") ? vec_len(n->in) : 1;
			for (int k = 0; k < operands; k++) {
				struct node *def = n->in[k]->def;
				if (!def || def->graph != n->graph || holds(r, def) || !is_move(def, &run, &copied) ||
				    !only_in(r, def->out[0]))
					continue;
				if (r->n == MAX_NODES)
					return false;
				r->node[r->n++] = def;
				r->row = gcd(r->row, run);
				r->copied += copied;
				more = true;
			}
		}
	}
	for (int i = 0; i < r->n; i++) {
		const struct node *n = r->node[i];
		for (int k = 0; k < (node_is(n, "Concat") ? vec_len(n->in) : 1); k++) {
			struct value *v = n->in[k];
			if (v->def && holds(r, v->def))
				continue;
			if (v->data || (r->x && r->x != v))
				return false;
			r->x = v;
		}
	}
	return r->x != NULL;
}

static void unravel(const struct value *v, int64_t at, int64_t *index)
{
	for (int d = v->type.rank - 1; d >= 0; d--) {
		index[d] = at % v->type.dim[d].value;
		at /= v->type.dim[d].value;
	}
}

/* The element of x that comes to lie at `at` of y. */
static int64_t origin(const struct region *r, const struct value *y, int64_t at)
{
	int64_t index[IR_MAX_RANK], start[IR_MAX_RANK], step[IR_MAX_RANK];
	int d, count;
	while (y != r->x) {
		const struct node *n = y->def;
		const struct value *x = n->in[0];
		unravel(y, at, index);
		if (only_reshapes(n)) {
			y = x;
			continue;
		}
		if (node_is(n, "Concat")) {
			axis_of(n, attr_int(n, "axis", 0), &d);
			for (int k = 0; index[d] >= x->type.dim[d].value; x = n->in[++k])
				index[d] -= x->type.dim[d].value;
		}
		const int64_t *perm = node_is(n, "Transpose") ? attr_ints(n, "perm", &count) : NULL;
		if (node_is(n, "Slice"))
			view_slice(n, start, step);
		at = 0;
		for (d = 0; d < x->type.rank; d++)
			if (perm)
				at += index[d] * inner(x, (int)perm[d]);
			else if (node_is(n, "Slice"))
				at += (start[d] + index[d] * step[d]) * inner(x, d);
			else
				at += index[d] * inner(x, d);
		y = x;
	}
	return at;
}

static bool join(struct node *last)
{
	struct region r;
	int64_t dims[IR_MAX_RANK];
	if (!collect(&r, last))
		return false;
	struct value *y = last->out[0], *x = r.x;
	const int64_t all = type_elements(&y->type);
	if (r.copied <= all || r.row * dtype_size(y->type.dtype) < MIN_ROW || type_elements(&x->type) % r.row ||
	    type_elements(&x->type) / r.row > INT32_MAX)
		return false;
	struct ctx *c = last->graph->c;
	struct tensor *t = tensor_new(c, DT_INT32, 1, (int64_t[]){ all / r.row });
	for (int64_t i = 0; i < t->n; i++)
		tensor_set_i(t, i, origin(&r, y, i * r.row) / r.row);
	struct value *flat = make_reshape(last, x, 2, (int64_t[]){ type_elements(&x->type) / r.row, r.row });
	struct node *g = node_make(last, "", "Gather", last->name, flat, value_const(last->graph, "", t));
	attr_set_int(g, "axis", 0);
	struct value *rows = node_add_out(g, "");
	if (!node_infer(g))
		fatal(c, R_INTERNAL, "%s: the rows have no type", node_where(g));
	const int rank = type_dims(&y->type, dims);
	struct node *shape = node_make(last, "", "Reshape", last->name, rows,
				       value_const(last->graph, "", tensor_ints(c, dims, rank)));
	node_take_out(shape, 0, y);
	node_remove(last);
	return true;
}

bool pass_rows(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	for (int i = vec_len(nodes) - 1; i >= 0; i--) {
		if (nodes[i]->removed || !node_out(nodes[i], 0) || !join(nodes[i]))
			continue;
		graph_drop_dead(g);
	}
	return true;
}
