/*
 * attribute.c - AttributeProto into struct attr, and the data of Constant nodes.
 *
 * Goes in: an attribute, perhaps one that refers to an attribute of the call that is being inlined.
 * Comes out: the attribute on the node, its subgraph built in the scope that it was written in.
 * Files of before IR version 2 may leave the attribute's type out: then the filled field tells it.
 */
#include "import/internal.h"

#include <string.h>

typedef Onnx__AttributeProto__AttributeType attr_type;

#define T(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

static attr_type type_of(const Onnx__AttributeProto *a)
{
	if (a->type != T(UNDEFINED))
		return a->type;
	return a->has_f ? T(FLOAT) : a->has_i ? T(INT) : a->has_s ? T(STRING) : a->t ? T(TENSOR)
	     : a->g ? T(GRAPH) : a->n_floats ? T(FLOATS) : a->n_ints ? T(INTS)
	     : a->n_strings ? T(STRINGS) : a->n_tensors ? T(TENSORS) : a->n_graphs ? T(GRAPHS)
	     : a->sparse_tensor ? T(SPARSE_TENSOR) : a->tp ? T(TYPE_PROTO) : T(UNDEFINED);
}

static const Onnx__AttributeProto *find(Onnx__AttributeProto **a, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (a[i]->name && str_eq(a[i]->name, name))
			return a[i];
	return NULL;
}

const Onnx__AttributeProto *attribute_resolve(struct scope **s, const Onnx__AttributeProto *a,
					      const char *where)
{
	while (a && a->ref_attr_name && *a->ref_attr_name) {
		const struct call *call = (*s)->call;
		if (!call) {
			diag((*s)->im->c, SEV_ERROR, STAGE, where, "attribute \"%s\" refers to \"%s\" of "
			     "a calling node, but no function is being called", a->name,
			     a->ref_attr_name);
			return NULL;
		}
		const char *name = a->ref_attr_name;
		a = find(call->site->attribute, call->site->n_attribute, name);
		if (a) {
			*s = call->site_scope;
			continue;
		}
		a = find(call->function->attribute_proto, call->function->n_attribute_proto, name);
		break;		/* a default refers to nothing */
	}
	return a && !(a->ref_attr_name && *a->ref_attr_name) ? a : NULL;
}

static char *bytes_dup(struct scope *s, const ProtobufCBinaryData *b, const char *where,
		       const char *name)
{
	if (b->len && memchr(b->data, 0, b->len))
		diag(s->im->c, SEV_ERROR, STAGE, where, "attribute \"%s\" holds a zero byte", name);
	return str_dup_n(s->im->c, b->len ? (const char *)b->data : "", b->len);
}

static struct graph *subgraph(struct scope *s, struct node *n, const Onnx__GraphProto *p)
{
	struct graph *g = graph_new(s->im->c, p->name);
	g->parent = n->graph;
	g->owner = n;
	g->opset = n->graph->opset;
	struct scope inner = { .im = s->im, .outer = s, .g = g, .opsets = s->opsets,
			       .call = s->call, .prefix = s->prefix };
	graph_build(&inner, p, false);
	return g;
}

static struct tensor *floats_tensor(struct ctx *c, const float *v, size_t count, int rank)
{
	struct tensor *t = tensor_new(c, DT_FLOAT, rank, &(int64_t){ (int64_t)count });
	if (count)
		memcpy(t->data, v, count * sizeof *v);
	return t;
}

static void convert(struct scope *s, struct node *n, const Onnx__AttributeProto *a,
		    const char *name, const char *where)
{
	struct ctx *c = s->im->c;
	const char *what = str_printf(c, "%s: attribute \"%s\"", where, name);
	struct attr *to = vec_push(c, n->attrs);
	to->name = name;
	switch (type_of(a)) {
	case T(FLOAT):
		to->kind = ATTR_FLOAT;
		to->f = a->f;
		break;
	case T(INT):
		to->kind = ATTR_INT;
		to->i = a->i;
		break;
	case T(STRING):
		to->kind = ATTR_STRING;
		to->s = bytes_dup(s, &a->s, where, name);
		to->s_len = a->s.len;
		break;
	case T(FLOATS):
		to->kind = ATTR_FLOATS;
		to->n = (int)a->n_floats;
		to->floats = NEW_ARRAY(c, to->n, double);
		for (int i = 0; i < to->n; i++)
			to->floats[i] = a->floats[i];
		break;
	case T(INTS):
		to->kind = ATTR_INTS;
		to->n = (int)a->n_ints;
		to->ints = NEW_ARRAY(c, to->n, int64_t);
		if (to->n)
			memcpy(to->ints, a->ints, a->n_ints * sizeof *a->ints);
		break;
	case T(STRINGS):
		to->kind = ATTR_STRINGS;
		to->n = (int)a->n_strings;
		to->strings = NEW_ARRAY(c, to->n, const char *);
		for (int i = 0; i < to->n; i++)
			to->strings[i] = bytes_dup(s, &a->strings[i], where, name);
		break;
	case T(TENSOR):
		to->kind = ATTR_TENSOR;
		if (!a->t)
			diag(c, SEV_ERROR, STAGE, what, "the tensor is missing");
		else
			to->t = tensor_import(s->im, a->t, what);
		break;
	case T(SPARSE_TENSOR):
		to->kind = ATTR_TENSOR;
		if (!a->sparse_tensor)
			diag(c, SEV_ERROR, STAGE, what, "the tensor is missing");
		else
			to->t = sparse_import(s->im, a->sparse_tensor, what);
		break;
	case T(GRAPH):
		to->kind = ATTR_GRAPH;
		if (!a->g) {
			diag(c, SEV_ERROR, STAGE, what, "the graph is missing");
			break;
		}
		struct graph *g = subgraph(s, n, a->g);
		n->attrs[vec_len(n->attrs) - 1].g = g;
		break;
	case T(TYPE_PROTO):
		to->kind = ATTR_TYPE;
		struct type *t = NEW(c, struct type);
		type_import(s->im, a->tp, what, t);
		to->type = t;
		break;
	default:
		vec_pop(n->attrs);
		diag(c, SEV_ERROR, STAGE, what, "an attribute of type %d is not supported",
		     (int)type_of(a));
	}
}

void attributes_import(struct scope *s, struct node *n, const Onnx__NodeProto *p,
		       const char *where)
{
	for (size_t i = 0; i < p->n_attribute; i++) {
		const Onnx__AttributeProto *a = p->attribute[i];
		struct scope *at = s;
		if (!a->name || !*a->name) {
			diag(s->im->c, SEV_ERROR, STAGE, where, "an attribute without a name");
			continue;
		}
		if (attr_find(n, a->name)) {
			diag(s->im->c, SEV_ERROR, STAGE, where, "attribute \"%s\" is given twice",
			     a->name);
			continue;
		}
		const Onnx__AttributeProto *found = attribute_resolve(&at, a, where);
		if (found)
			convert(at, n, found, a->name, where);
	}
}

struct tensor *constant_import(struct scope *s, const Onnx__NodeProto *p, const char *where)
{
	struct ctx *c = s->im->c;
	const Onnx__AttributeProto *a = NULL;
	for (size_t i = 0; i < p->n_attribute && !a; i++)
		a = attribute_resolve(&s, p->attribute[i], where);
	switch (a ? type_of(a) : T(UNDEFINED)) {
	case T(TENSOR):
		return a->t ? tensor_import(s->im, a->t, where) : NULL;
	case T(SPARSE_TENSOR):
		return a->sparse_tensor ? sparse_import(s->im, a->sparse_tensor, where) : NULL;
	case T(FLOAT):
		return floats_tensor(c, &a->f, 1, 0);
	case T(FLOATS):
		return floats_tensor(c, a->floats, a->n_floats, 1);
	case T(INT):
		return tensor_scalar_i64(c, a->i);
	case T(INTS):
		return tensor_ints(c, a->ints, (int)a->n_ints);
	case T(STRING):
	case T(STRINGS): {
		const bool one = type_of(a) == T(STRING);
		const int64_t n = one ? 1 : (int64_t)a->n_strings;
		struct tensor *t = tensor_new(c, DT_STRING, one ? 0 : 1, &n);
		const char **to = NEW_ARRAY(c, n, const char *);
		for (int64_t i = 0; i < n; i++)
			to[i] = bytes_dup(s, one ? &a->s : &a->strings[i], where, "value");
		t->data = to;
		return t;
	}
	default:
		diag(c, SEV_ERROR, STAGE, where, "a Constant without a value");
		return NULL;
	}
}
