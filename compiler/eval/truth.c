/*
 * truth.c - the double-precision evaluator: the same graph with every float type replaced by double, so that
 * the one lowering of each operator, run on double kernels, is the truth.
 */
#include "eval/exec.h"

static enum dtype wide(enum dtype t)
{
	return t == DT_FLOAT || t == DT_FLOAT16 || t == DT_BFLOAT16 ? DT_DOUBLE : t;
}

static void widen(struct ctx *c, struct graph *g)
{
	for (int i = 0; i < vec_len(g->values); i++) {
		struct value *v = g->values[i];
		if (!v || v->type.kind != KIND_TENSOR)
			continue;
		const enum dtype t = wide(v->type.dtype);
		if (t == v->type.dtype)
			continue;
		v->type.dtype = t;
		if (v->data)
			v->data = tensor_convert(c, v->data, t);
	}
	for (struct node *n = g->first; n; n = n->next) {
		if (str_eq(n->domain, "ampoule") && str_eq(n->op_type, "Elementwise"))
			attr_set_int(n, "double", 1);	/* casts in its expression: ir/ew.h */
		for (int i = 0; i < vec_len(n->attrs); i++) {
			struct attr *a = &n->attrs[i];
			if (a->kind == ATTR_TENSOR && a->t && wide(a->t->dtype) != a->t->dtype)
				a->t = tensor_convert(c, a->t, DT_DOUBLE);
			else if (a->kind == ATTR_GRAPH && a->g)
				widen(c, a->g);
			else if (a->kind == ATTR_INT && (str_eq(a->name, "to") || str_eq(a->name, "dtype") ||
				 str_eq(a->name, "output_dtype")))
				a->i = wide((enum dtype)a->i);
		}
	}
}

struct graph *graph_to_double(struct ctx *c, const struct graph *g)
{
	struct graph *d = graph_clone(c, g);
	widen(c, d);
	return d;
}

struct schedule *truth_schedule(struct ctx *c, const struct graph *g)
{
	return make_schedule(graph_to_double(c, g));
}
