/*
 * passes.c - runs the table of pipeline.def, and what passes share.
 *
 * In: a graph as imported.  Out: the graph rewritten, verified after each pass; false as soon as
 * a pass has reported errors (its own list is complete: infer names every fault of a model at
 * once).
 */
#include "passes/passes.h"
#include "ir/ew.h"
#include "ops/op.h"

#include <math.h>

const struct pass pass_table[] = {
#define PASS(name, level, what) { #name, level, what, pass_##name },
#include "passes/pipeline.def"
#undef PASS
	{ 0 }
};

const struct pass *pass_find(const char *name)
{
	for (const struct pass *p = pass_table; p->name; p++)
		if (str_eq(p->name, name))
			return p;
	return NULL;
}

void passes_help(FILE *f)
{
	for (const struct pass *p = pass_table; p->name; p++)
		fprintf(f, "  %-14s %s%s\n", p->name, p->what, p->level > 1 ? " [plan]" : "");
	fprintf(f, "  [plan]: changes roundings; part of the numeric plan\n");
}

static void dump(const struct graph *g, const struct pass *p, FILE *f)
{
	struct text t = { .c = g->c };
	graph_print(g, &t);
	fprintf(f, "# after %s\n%s", p->name, t.s);
}

bool run_passes(struct graph *g, const struct pass_options *o)
{
	const int before = g->c->n_errors;
	for (const struct pass *p = pass_table; p->name; p++) {
		if (o && o->exact_only && p->level > 1)
			continue;
		if (!p->run(g) || g->c->n_errors > before)
			return false;
		graph_verify(g, p->name);
		if (o && o->dump_after && o->dump &&
		    (str_eq(o->dump_after, "all") || str_eq(o->dump_after, p->name)))
			dump(g, p, o->dump);
	}
	return true;
}

bool node_infer(struct node *n)
{
	if (n->op->infer)
		return n->op->infer(n);
	if (ew_node_expr(n))
		return ew_infer(n);
	node_error(n, "infer", "the operator has no rule for its types");
	return false;
}

bool node_is(const struct node *n, const char *name)
{
	if (!n)
		return false;
	const char *dot = str_starts(name, "ampoule.") ? name + 8 : NULL;
	return dot ? str_eq(n->domain, "ampoule") && str_eq(n->op_type, dot)
		   : !n->domain[0] && str_eq(n->op_type, name);
}

struct node *node_make(struct node *before, const char *domain, const char *op_type,
		       const char *name, struct value *a, struct value *b)
{
	struct node *n = node_new(before->graph, before, domain, op_type, name);
	if (!n->op)
		fatal(n->graph->c, R_INTERNAL, "a pass makes %s.%s, which does not exist", domain,
		      op_type);
	node_add_in(n, a);
	if (b)
		node_add_in(n, b);
	return n;
}

bool const_splat(const struct value *v, double *x)
{
	if (!v || !v->data || v->data->n == 0 || !dtype_suffix(v->data->dtype))
		return false;
	const double first = tensor_get_f(v->data, 0);
	for (int64_t i = 1; i < v->data->n; i++) {
		const double y = tensor_get_f(v->data, i);
		if (y != first || signbit(y) != signbit(first))
			return false;
	}
	*x = first;
	return true;
}

void node_replace(struct node *n, struct value *new_)
{
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i] && vec_len(n->out[i]->uses))
			value_replace(n->out[i], new_);
	node_remove(n);
}

bool only_reshapes(const struct node *n)
{
	int count, last = -1;
	const struct value *x = node_in(n, 0);
	if (node_is(n, "Reshape") || node_is(n, "Squeeze") || node_is(n, "Unsqueeze") || node_is(n, "Flatten"))
		return true;
	if (!node_is(n, "Transpose") || !type_known(&x->type))
		return false;
	const int64_t *perm = attr_ints(n, "perm", &count);
	for (int d = 0; d < count; d++) {
		if (x->type.dim[perm[d]].value == 1)
			continue;
		if (perm[d] < last)
			return false;
		last = (int)perm[d];
	}
	return count == x->type.rank;
}

static struct value *moved(struct node *n)
{
	struct value *y = node_add_out(n, "");
	if (!node_infer(n))
		fatal(n->graph->c, R_INTERNAL, "%s, which a pass has made, has no type", node_where(n));
	return y;
}

struct value *make_transpose(struct node *before, struct value *v, const int64_t *perm)
{
	int at = 0;
	while (at < v->type.rank && perm[at] == at)
		at++;
	if (at == v->type.rank)
		return v;
	struct node *n = node_make(before, "", "Transpose", "", v, NULL);
	attr_set_ints(n, "perm", perm, v->type.rank);
	return moved(n);
}

struct value *make_reshape(struct node *before, struct value *v, int rank, const int64_t *dims)
{
	const struct type to = type_tensor(v->type.dtype, rank, dims);
	if (type_equal(&to, &v->type))
		return v;
	struct graph *g = before->graph;
	struct value *shape = value_const(g, "", tensor_ints(g->c, dims, rank));
	return moved(node_make(before, "", "Reshape", "", v, shape));
}

void graph_drop_dead(struct graph *g)
{
	for (struct node *n = g->last, *prev; n; n = prev) {
		bool used = false;
		prev = n->prev;
		for (int i = 0; i < vec_len(n->out); i++) {
			struct value *v = n->out[i];
			if (v && value_n_uses(v))
				used = true;
		}
		if (!used)
			node_remove(n);
	}
	for (int i = 0; i < vec_len(g->values); i++) {
		struct value *v = g->values[i];
		if (v && v->data && !value_n_uses(v))
			g->values[i] = NULL;
	}
}

bool pass_dce(struct graph *g)
{
	graph_drop_dead(g);
	/* outputs of a remaining node that nobody wants: trailing optional results are not computed */
	for (struct node *n = g->first; n; n = n->next)
		for (int i = 0; i < vec_len(n->out); i++)
			if (i > 0 && n->out[i] && !value_n_uses(n->out[i]) &&
			    n->op && i >= n->op->min_out) {
				g->values[n->out[i]->id] = NULL;
				n->out[i]->def = NULL;
				n->out[i] = NULL;
			}
	return true;
}
