/*
 * attr.c - attributes of a node: lookup by name, typed access with a default, setting.
 *
 * A lookup of the wrong kind gives the default: import has checked kinds against ONNX's.  Pointers
 * into the list hold until the next attr_set_*() on the same node.
 */
#include "ir/ir.h"

#include <string.h>

const struct attr *attr_find(const struct node *n, const char *name)
{
	for (int i = 0; i < vec_len(n->attrs); i++)
		if (str_eq(n->attrs[i].name, name))
			return &n->attrs[i];
	return NULL;
}

static const struct attr *find_kind(const struct node *n, const char *name, enum attr_kind k)
{
	const struct attr *a = attr_find(n, name);
	return a && a->kind == k ? a : NULL;
}

int64_t attr_int(const struct node *n, const char *name, int64_t otherwise)
{
	const struct attr *a = find_kind(n, name, ATTR_INT);
	return a ? a->i : otherwise;
}

double attr_float(const struct node *n, const char *name, double otherwise)
{
	const struct attr *a = find_kind(n, name, ATTR_FLOAT);
	return a ? a->f : otherwise;
}

const char *attr_str(const struct node *n, const char *name, const char *otherwise)
{
	const struct attr *a = find_kind(n, name, ATTR_STRING);
	return a ? a->s : otherwise;
}

const int64_t *attr_ints(const struct node *n, const char *name, int *count)
{
	const struct attr *a = find_kind(n, name, ATTR_INTS);
	*count = a ? a->n : 0;
	return a ? a->ints : NULL;
}

const double *attr_floats(const struct node *n, const char *name, int *count)
{
	const struct attr *a = find_kind(n, name, ATTR_FLOATS);
	*count = a ? a->n : 0;
	return a ? a->floats : NULL;
}

const struct tensor *attr_tensor(const struct node *n, const char *name)
{
	const struct attr *a = find_kind(n, name, ATTR_TENSOR);
	return a ? a->t : NULL;
}

struct graph *attr_graph(const struct node *n, const char *name)
{
	const struct attr *a = find_kind(n, name, ATTR_GRAPH);
	return a ? a->g : NULL;
}

/* The attribute, new or emptied. */
static struct attr *slot(struct node *n, const char *name, enum attr_kind kind)
{
	struct attr *a = NULL;
	for (int i = 0; i < vec_len(n->attrs) && !a; i++)
		if (str_eq(n->attrs[i].name, name))
			a = &n->attrs[i];
	if (!a)
		a = vec_push(n->graph->c, n->attrs);
	memset(a, 0, sizeof *a);
	a->name = name;
	a->kind = kind;
	return a;
}

void attr_set_int(struct node *n, const char *name, int64_t i)
{
	slot(n, name, ATTR_INT)->i = i;
}

void attr_set_float(struct node *n, const char *name, double f)
{
	slot(n, name, ATTR_FLOAT)->f = f;
}

void attr_set_str(struct node *n, const char *name, const char *s)
{
	struct attr *a = slot(n, name, ATTR_STRING);
	a->s = s;
	a->s_len = strlen(s);
}

void attr_set_ints(struct node *n, const char *name, const int64_t *v, int count)
{
	struct ctx *c = n->graph->c;
	int64_t *copy = NEW_ARRAY(c, count, int64_t);	/* v may be the old list */
	if (count)
		memcpy(copy, v, (size_t)count * sizeof *v);
	struct attr *a = slot(n, name, ATTR_INTS);
	a->n = count;
	a->ints = copy;
}

void attr_set_floats(struct node *n, const char *name, const double *v, int count)
{
	struct ctx *c = n->graph->c;
	double *copy = NEW_ARRAY(c, count, double);
	if (count)
		memcpy(copy, v, (size_t)count * sizeof *v);
	struct attr *a = slot(n, name, ATTR_FLOATS);
	a->n = count;
	a->floats = copy;
}

void attr_set_tensor(struct node *n, const char *name, const struct tensor *t)
{
	slot(n, name, ATTR_TENSOR)->t = t;
}

void attr_set_graph(struct node *n, const char *name, struct graph *g)
{
	slot(n, name, ATTR_GRAPH)->g = g;
	g->parent = n->graph;
	g->owner = n;
}

void attr_remove(struct node *n, const char *name)
{
	int len = vec_len(n->attrs);
	for (int i = 0; i < len; i++)
		if (str_eq(n->attrs[i].name, name)) {
			memmove(n->attrs + i, n->attrs + i + 1,
				(size_t)(len - i - 1) * sizeof *n->attrs);
			vec_pop(n->attrs);
			return;
		}
}

void attr_copy_all(struct node *to, const struct node *from)
{
	for (int i = 0; i < vec_len(from->attrs); i++) {
		const struct attr a = from->attrs[i];
		struct attr *b = slot(to, a.name, a.kind);
		*b = a;
		if (a.g) {
			a.g->parent = to->graph;
			a.g->owner = to;
		}
	}
}

static bool same_attr(const struct attr *a, const struct attr *b)
{
	if (a->kind != b->kind || a->n != b->n)
		return false;
	switch (a->kind) {
	case ATTR_FLOAT:
		return !memcmp(&a->f, &b->f, sizeof a->f);
	case ATTR_INT:
		return a->i == b->i;
	case ATTR_STRING:
		return a->s_len == b->s_len && !memcmp(a->s, b->s, a->s_len);
	case ATTR_TENSOR:
		return tensor_equal(a->t, b->t);
	case ATTR_FLOATS:
		return !a->n || !memcmp(a->floats, b->floats, (size_t)a->n * sizeof *a->floats);
	case ATTR_INTS:
		return !a->n || !memcmp(a->ints, b->ints, (size_t)a->n * sizeof *a->ints);
	case ATTR_STRINGS:
		for (int i = 0; i < a->n; i++)
			if (!str_eq(a->strings[i], b->strings[i]))
				return false;
		return true;
	case ATTR_TYPE:
		return type_equal(a->type, b->type);
	default:
		return false;		/* graphs: not compared */
	}
}

bool attr_equal_all(const struct node *a, const struct node *b)
{
	if (vec_len(a->attrs) != vec_len(b->attrs))
		return false;
	for (int i = 0; i < vec_len(a->attrs); i++) {
		const struct attr *x = attr_find(b, a->attrs[i].name);
		if (!x || !same_attr(&a->attrs[i], x))
			return false;
	}
	return true;
}
