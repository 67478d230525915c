/*
 * infer.c - types and shapes of all values.
 *
 * In: a graph with typed inputs and constants.  Out: every value has a known type, or errors: one
 * for each operator that does not exist, each open dimension of an input, each node whose inputs
 * do not fit; nodes behind a fault are left alone, so that no fault is reported twice.
 *
 * Shapes are computed inside models too (Shape, Gather, Concat, Reshape): so on the way a node
 * whose inputs are all constant is folded at once when its result is small, Shape and Size of a
 * known type become constants, and Constant nodes give their data.  Large results are left to the
 * pass fold.  Operators that have expand() are rewritten here, as soon as their types are known.
 */
#include "eval/exec.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <string.h>

#define SMALL 4096		/* elements: what shapes, axes and masks are made of */

static bool unknown(const struct value *v)
{
	return v && v->type.kind == KIND_TENSOR && v->type.dtype == DT_NONE;
}

static bool behind_a_fault(const struct node *n)
{
	for (int i = 0; i < vec_len(n->in); i++)
		if (unknown(n->in[i]))
			return true;
	return false;
}

static void check_inputs(struct graph *g)
{
	for (int i = 0; i < vec_len(g->inputs); i++) {
		struct value *v = g->inputs[i];
		if (v->type.kind != KIND_TENSOR || type_known(&v->type))
			continue;
		if (v->type.rank < 0)
			diag(g->c, SEV_ERROR, "infer", str_printf(g->c, "input \"%s\"", v->name),
			     "its rank is not known; give its shape: --shape %s=1x3x224x224", v->name);
		for (int d = 0; d < v->type.rank; d++) {
			const struct dim *m = &v->type.dim[d];
			if (m->value >= 0)
				continue;
			const char *where = str_printf(g->c, "input \"%s\"", v->name);
			if (m->symbol && m->symbol[0])
				diag(g->c, SEV_ERROR, "infer", where,
				     "dimension %d (\"%s\") is open; bind it: --dim %s=1", d, m->symbol,
				     m->symbol);
			else
				diag(g->c, SEV_ERROR, "infer", where,
				     "dimension %d is open; give the shape: --shape %s=...", d, v->name);
		}
		v->type.dtype = DT_NONE;	/* nodes behind it stay silent */
	}
}

static bool infer_node(struct node *n)
{
	if (!n->op) {
		node_error(n, "infer", "operator %s%s%s (opset %d) is not supported", n->domain,
			   n->domain[0] ? "." : "", n->op_type, n->version);
		return false;
	}
	if (behind_a_fault(n))
		return false;
	return node_infer(n);
}

bool infer_types(struct graph *g)
{
	bool ok = true;
	check_inputs(g);
	for (struct node *n = g->first; n; n = n->next)
		if (!infer_node(n))
			ok = false;
	return ok;
}

/* Shape, Size and Constant need no arithmetic: their result, or NULL. */
static const struct tensor *plain_result(const struct node *n)
{
	struct ctx *c = n->graph->c;
	const struct value *x = node_in(n, 0);
	if (node_is(n, "Constant"))
		return attr_tensor(n, "value");
	if (!x || !type_known(&x->type))
		return NULL;
	if (node_is(n, "Size"))
		return tensor_scalar_i64(c, type_elements(&x->type));
	if (!node_is(n, "Shape"))
		return NULL;
	int64_t dims[IR_MAX_RANK], rank = type_dims(&x->type, dims);
	int64_t start = attr_int(n, "start", 0), end = attr_int(n, "end", rank);
	start = start < 0 ? start + rank : start;
	end = end < 0 ? end + rank : end;
	start = start < 0 ? 0 : start > rank ? rank : start;
	end = end < start ? start : end > rank ? rank : end;
	return tensor_ints(c, dims + start, (int)(end - start));
}

static bool small(const struct node *n)
{
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i] && type_elements(&n->out[i]->type) > SMALL)
			return false;
	return true;
}

bool pass_infer(struct graph *g)
{
	const int before = g->c->n_errors;
	check_inputs(g);
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		const struct tensor *t = plain_result(n);
		if (t && node_out(n, 0))
			value_make_const(n->out[0], t);
		else if (!infer_node(n))
			continue;
		else if (!small(n) || !exec_fold(n)) {
			/* types are known: what has a simpler form takes it; its nodes come next */
			struct node *before_n = n->prev;
			if (n->op->expand && n->op->expand(n))
				next = before_n ? before_n->next : g->first;
			continue;
		}
		node_remove(n);
	}
	return g->c->n_errors == before;
}
