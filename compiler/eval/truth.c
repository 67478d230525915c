/*
 * truth.c - the double-precision evaluator: the same graph with every float type replaced by double, so that
 * the one lowering of each operator, run on double kernels, is the truth.
 */
#include "eval/exec.h"
#include "ops/op.h"

static enum dtype wide(enum dtype t)
{
	return t == DT_FLOAT || t == DT_FLOAT16 || t == DT_BFLOAT16 ? DT_DOUBLE : t;
}

/* A node that looks at bits keeps its types: Cast before and after it. */
struct bits { struct node *n; enum dtype in, out; };

static struct node *cast_node(struct graph *g, struct node *before, enum dtype to)
{
	struct node *cast = node_new(g, before, "", "Cast", "");
	cast->version = cast->op ? cast->op->since : 0;
	attr_set_int(cast, "to", to);
	return cast;
}

static void keep_bits(struct graph *g, const struct bits *b)
{
	struct value *x = node_in(b->n, 0), *y = node_out(b->n, 0);
	if (x && wide(b->in) != b->in) {
		struct node *cast = cast_node(g, b->n, b->in);
		node_add_in(cast, x);
		struct value *v = node_add_out(cast, "");
		v->type = x->type;
		v->type.dtype = b->in;
		node_set_in(b->n, 0, v);
	}
	if (y && wide(b->out) != b->out) {
		vec_pop(b->n->out);
		y->def = NULL;
		struct value *v = node_add_out(b->n, "");
		v->type = y->type;
		v->type.dtype = b->out;
		struct node *cast = cast_node(g, b->n->next, DT_DOUBLE);
		node_add_in(cast, v);
		node_adopt_out(cast, y);
	}
}

static void widen(struct ctx *c, struct graph *g)
{
	struct bits *bits = NULL;
	for (struct node *n = g->first; n; n = n->next)
		if (!*n->domain && str_eq(n->op_type, "BitCast") && node_in(n, 0) && node_out(n, 0)) {
			struct bits *b = vec_push(c, bits);
			*b = (struct bits){ n, n->in[0]->type.dtype, n->out[0]->type.dtype };
		}
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
	for (int i = 0; i < vec_len(bits); i++) {
		attr_set_int(bits[i].n, "to", bits[i].out);
		keep_bits(g, &bits[i]);
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
