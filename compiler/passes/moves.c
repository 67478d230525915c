/*
 * moves.c - movements that meet are one, or none.
 *
 * In: a typed graph.  Out:
 *	Reshape, Squeeze, Unsqueeze, Flatten, and Transpose that moves axes of size 1 only, one behind the
 *	other	-> one Reshape with a constant shape
 *	Transpose behind Transpose	-> one, or none
 *	Transpose behind elementwise operators all of whose operands come from a Transpose or are constant
 *		-> in front of them, where it meets the others: at least one movement less
 *	MatMul and Gemm of an operand whose last two axes a Transpose swaps	-> transA, transB
 * Exact: elements move, none is computed anew.
 */
#include "ir/ew.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <string.h>

static bool plain(const struct value *v)
{
	return v && type_known(&v->type) && v->layout == LAYOUT_PLAIN && type_elements(&v->type) > 0;
}

/* Outputs keep their names. */
static bool may_stand_for(const struct value *x, const struct value *y)
{
	return !value_is_output(y) || (x->graph == y->graph && value_may_be_output(x));
}

static bool join_reshapes(struct node *n)
{
	struct value *y = node_out(n, 0), *x = n->in[0];
	int64_t dims[IR_MAX_RANK];
	if (!only_reshapes(n) || !plain(y) || !plain(x))
		return false;
	while (x->def && x->def->graph == n->graph && only_reshapes(x->def) && plain(x->def->in[0]))
		x = x->def->in[0];
	if (type_equal(&x->type, &y->type) && may_stand_for(x, y)) {
		node_replace(n, x);
		return true;
	}
	const int rank = type_dims(&y->type, dims);
	const struct tensor *shape = op_const(n, 1);
	bool same = node_is(n, "Reshape") && x == n->in[0] && shape && shape->n == rank;
	for (int d = 0; same && d < rank; d++)
		same = tensor_get_i(shape, d) == dims[d];
	if (same)
		return false;
	struct node *r = node_make(n, "", "Reshape", n->name, x,
				   value_const(n->graph, "", tensor_ints(n->graph->c, dims, rank)));
	node_set_in(n, 0, NULL);
	node_take_out(r, 0, y);
	node_remove(n);
	return true;
}

static const int64_t *perm_of(const struct node *n)
{
	int count;
	const int64_t *perm = attr_ints(n, "perm", &count);
	return node_is(n, "Transpose") && plain(node_in(n, 0)) && plain(node_out(n, 0)) &&
	       count == n->in[0]->type.rank ? perm : NULL;
}

static bool join_transposes(struct node *n)
{
	const int64_t *p = perm_of(n), *q;
	struct node *m = p ? n->in[0]->def : NULL;
	int64_t perm[IR_MAX_RANK];
	bool identity = true;
	if (!m || m->graph != n->graph || (q = perm_of(m)) == NULL)
		return false;
	const int rank = n->in[0]->type.rank;
	for (int d = 0; d < rank; d++) {
		perm[d] = q[p[d]];
		identity = identity && perm[d] == d;
	}
	struct value *x = m->in[0];
	if (identity && may_stand_for(x, n->out[0])) {
		node_replace(n, x);
		return true;
	}
	attr_set_ints(n, "perm", perm, rank);
	node_set_in(n, 0, x);
	return true;
}

/* ---- in front of elementwise operators ------------------------------------------------------- */

static bool same_dims(const struct value *a, const struct value *b)
{
	if (a->type.rank != b->type.rank)
		return false;
	for (int d = 0; d < a->type.rank; d++)
		if (a->type.dim[d].value != b->type.dim[d].value)
			return false;
	return true;
}

/* Can v, of the shape that is transposed, be had transposed without a new movement?  Counts those saved. */
static bool can_turn(const struct value *v, const struct graph *g, int depth, int *saved)
{
	const struct node *n = v->def;
	if (v->data)
		return v->type.rank <= 8;
	if (!n || n->graph != g || !plain(v) || value_n_uses(v) != 1 || depth > 8)
		return false;
	if (perm_of(n)) {
		++*saved;
		return true;
	}
	if (vec_len(n->out) != 1 || !n->op || n->op->flags & OP_NO_FOLD || !ew_node_expr(n))
		return false;
	for (int i = 0; i < vec_len(n->in); i++) {
		const struct value *x = n->in[i];
		if (x && !(x->data ? x->type.rank <= v->type.rank : same_dims(x, v)))
			return false;
		if (x && !can_turn(x, g, depth + 1, saved))
			return false;
	}
	return true;
}

/* v transposed, where v has (or broadcasts to) `rank` axes. */
static struct value *turn(struct node *before, struct value *v, const int64_t *perm, int rank)
{
	int64_t dims[IR_MAX_RANK];
	if (v->data && v->data->n == 1)
		return v;
	if (v->data) {
		const int more = rank - v->type.rank;
		for (int d = 0; d < rank; d++)
			dims[d] = d < more ? 1 : v->type.dim[d - more].value;
		return make_transpose(before, make_reshape(before, v, rank, dims), perm);
	}
	struct node *n = v->def;
	if (perm_of(n))
		return make_transpose(before, v, perm);
	struct node *m = node_new(n->graph, before, n->domain, n->op_type, n->name);
	attr_copy_all(m, n);
	for (int i = 0; i < vec_len(n->in); i++)
		node_add_in(m, NULL);
	for (int i = 0; i < vec_len(n->in); i++)
		if (n->in[i])
			node_set_in(m, i, turn(m, n->in[i], perm, rank));
	struct value *y = node_add_out(m, v->name);
	node_infer(m);
	return y;
}

static bool lift(struct node *n)
{
	const int64_t *perm = perm_of(n);
	int64_t copy[IR_MAX_RANK];
	int saved = 0;
	struct value *x = perm ? n->in[0] : NULL;
	if (!x || !x->def || perm_of(x->def) || x->data || !can_turn(x, n->graph, 0, &saved) || !saved)
		return false;
	memcpy(copy, perm, (size_t)x->type.rank * sizeof *copy);
	node_replace(n, turn(n, x, copy, x->type.rank));
	return true;
}

/* ---- into matrix products -------------------------------------------------------------------- */

static bool swaps_last(const struct node *n)
{
	const int64_t *perm = perm_of(n);
	const int rank = perm ? n->in[0]->type.rank : 0;
	if (rank < 2)
		return false;
	for (int d = 0; d < rank; d++)
		if (perm[d] != (d < rank - 2 ? d : 2 * rank - 3 - d))
			return false;
	return true;
}

static bool into_product(struct node *n)
{
	const bool matmul = str_eq(n->op_type, "MatMul");
	bool changed = false;
	if (!node_is_linear(n) || (!matmul && !str_eq(n->op_type, "Gemm")))
		return false;
	for (int i = 0; i < 2; i++) {
		struct node *t = n->in[i]->def;
		const char *name = i ? "transB" : "transA";
		if (!t || t->graph != n->graph || n->in[i]->type.rank < 2 || !swaps_last(t))
			continue;
		if (matmul && !n->domain[0])
			node_retype(n, "ampoule", "MatMul");
		if (attr_int(n, name, 0))
			attr_remove(n, name);
		else
			attr_set_int(n, name, 1);
		node_set_in(n, i, t->in[0]);
		changed = true;
	}
	return changed;
}

bool pass_moves(struct graph *g)
{
	bool changed = true;
	for (int round = 0; changed && round < 8; round++) {
		struct node **nodes = graph_nodes(g);
		changed = false;
		for (int i = 0; i < vec_len(nodes); i++) {
			struct node *n = nodes[i];
			if (n->removed || !node_out(n, 0))
				continue;
			if (join_reshapes(n) || join_transposes(n) || lift(n) || into_product(n))
				changed = true;
		}
		graph_drop_dead(g);
	}
	return true;
}
