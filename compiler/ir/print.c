/*
 * print.c - the text form of a graph (described in ir.h), which parse.c reads back.
 *
 * In: a graph.  Out: text.  Nodes come in order; a constant is printed just before the first node
 * that reads it, and not at all when nobody does.  Names that are empty or not unique get "@id". 
 * In canonical form values are numbered in order of appearance and node names are left out, so
 * two graphs that differ in names and ids only give one text.
 */
#include "ir/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 64		/* longer constants are printed in hexadecimal */
#define BRIEF_MAX 8

struct printer {
	struct text *o;
	unsigned flags;
	const struct printer *outer;
	const struct graph *g;
	struct map names;		/* name -> the only value that has it, or `ambiguous` */
	unsigned char *printed;		/* constants, by value id */
	int *number;			/* canonical: 1 + number, by value id */
	int *count;			/* canonical numbers given, shared by all nested graphs */
};

static int ambiguous;

static void put(struct text *o, const char *s)
{
	text_add(o, s, strlen(s));
}

static void indent(const struct printer *p)
{
	for (const struct printer *q = p; q; q = q->outer)
		put(p->o, "  ");
}

static bool plain_name(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("_./:-", *s)))
			return false;
	return true;
}

static void add_quoted(struct text *o, const char *s, size_t n)
{
	put(o, "\"");
	for (size_t i = 0; i < n; i++) {
		const unsigned char ch = (unsigned char)s[i];
		if (ch == '"' || ch == '\\')
			text_printf(o, "\\%c", ch);
		else if (ch == '\n')
			put(o, "\\n");
		else if (ch < 32 || ch == 127)
			text_printf(o, "\\x%02x", ch);
		else
			text_add(o, s + i, 1);
	}
	put(o, "\"");
}

static void add_name(struct text *o, const char *s)
{
	if (plain_name(s))
		text_printf(o, "%s", s);
	else
		add_quoted(o, s, strlen(s));
}

static const struct printer *printer_of(const struct printer *p, const struct graph *g)
{
	while (p && p->g != g)
		p = p->outer;
	return p;
}

static void add_value(const struct printer *p, const struct value *v)
{
	if (!v) {
		put(p->o, "_");
		return;
	}
	const struct printer *home = printer_of(p, v->graph);
	if (!home) {			/* a subgraph printed alone */
		text_printf(p->o, "%%outer:");
		add_name(p->o, v->name);
		return;
	}
	text_printf(p->o, "%%");
	if (p->flags & PRINT_CANONICAL) {
		if (!home->number[v->id])
			home->number[v->id] = ++*home->count;
		text_printf(p->o, "%d", home->number[v->id] - 1);
		return;
	}
	if (v->name[0])
		add_name(p->o, v->name);
	/* a name that an outer graph has too would hide the outer value: the inner one is marked */
	bool unique = v->name[0] && map_get(&home->names, v->name) == v;
	for (const struct printer *q = home->outer; unique && q; q = q->outer)
		unique = !map_get(&q->names, v->name);
	if (!unique) {
		int depth = 0;
		for (const struct printer *q = home->outer; q; q = q->outer)
			depth++;
		text_printf(p->o, "@%d", v->id);
		if (depth)
			text_printf(p->o, ".%d", depth);
	}
}

static void add_value_typed(const struct printer *p, const struct value *v)
{
	add_value(p, v);
	if (!v)
		return;
	if (v->type.kind != KIND_TENSOR || v->type.dtype != DT_NONE || v->type.rank >= 0)
		text_printf(p->o, " : %s", type_text(p->g->c, &v->type));
	if (v->layout == LAYOUT_C16)
		put(p->o, " c16");
}

/* Shortest of 6, 9 and 17 digits that reads back the same; with a mark of a float if wanted. */
static void add_number(struct text *o, double x, bool narrow, bool mark)
{
	char s[40];
	if (isnan(x)) {
		put(o, "nan");
		return;
	}
	for (int digits = 6; ; digits += digits == 6 ? 3 : 8) {
		snprintf(s, sizeof s, "%.*g", digits, x);
		if (digits == 17 || strtod(s, NULL) == x ||
		    (narrow && (double)(float)strtod(s, NULL) == x))
			break;
	}
	text_printf(o, "%s%s", s, mark && !strpbrk(s, ".einf") ? ".0" : "");
}

static bool is_whole(enum dtype t)
{
	return dtype_is_int(t) || t == DT_BOOL;
}

/* May it be written as numbers?  NaN has bits that numbers do not carry. */
static bool as_numbers(const struct tensor *t)
{
	if (t->dtype == DT_COMPLEX64 || t->dtype == DT_COMPLEX128)
		return false;
	if (is_whole(t->dtype))
		return true;
	for (int64_t i = 0; i < t->n; i++)
		if (isnan(tensor_get_f(t, i)))
			return false;
	return true;
}

static void add_data(struct text *o, const struct tensor *t, unsigned flags)
{
	const unsigned char *b = t->data;
	const int64_t bytes = tensor_bytes(t);
	if (t->dtype == DT_STRING) {
		put(o, "[");
		for (int64_t i = 0; i < t->n; i++) {
			const char *s = ((const char *const *)t->data)[i];
			put(o, i ? ", " : "");
			add_quoted(o, s, strlen(s));
		}
		put(o, "]");
		return;
	}
	int64_t k = 0;
	while (k < bytes && !b[k])
		k++;
	if (k == bytes && t->n > 1) {
		put(o, "zeros");
		return;
	}
	if (flags & PRINT_BRIEF && t->n > BRIEF_MAX) {
		put(o, "...");
		return;
	}
	if (t->n <= LIST_MAX && as_numbers(t)) {
		put(o, "[");
		for (int64_t i = 0; i < t->n; i++) {
			put(o, i ? ", " : "");
			if (t->dtype == DT_UINT64)
				text_printf(o, "%llu", (unsigned long long)tensor_get_i(t, i));
			else if (is_whole(t->dtype))
				text_printf(o, "%lld", (long long)tensor_get_i(t, i));
			else
				add_number(o, tensor_get_f(t, i), t->dtype != DT_DOUBLE, false);
		}
		put(o, "]");
		return;
	}
	static const char digit[] = "0123456789abcdef";
	char line[512];
	put(o, "0x");
	for (int64_t i = 0; i < bytes;) {
		int n = 0;
		for (; i < bytes && n < 512; i++) {
			line[n++] = digit[b[i] >> 4];
			line[n++] = digit[b[i] & 15];
		}
		text_add(o, line, (size_t)n);
	}
}

static void add_tensor(struct text *o, const struct tensor *t, unsigned flags)
{
	struct type ty = type_tensor(t->dtype, t->rank, t->dim);
	text_printf(o, "%s=", type_text(o->c, &ty));
	add_data(o, t, flags);
}

static void add_graph(struct text *o, const struct graph *g, unsigned flags,
		      const struct printer *outer);

static void add_attr(const struct printer *p, const struct attr *a)
{
	struct text *o = p->o;
	text_printf(o, "%s=", a->name);
	switch (a->kind) {
	case ATTR_INT:
		text_printf(o, "%lld", (long long)a->i);
		return;
	case ATTR_FLOAT:
		add_number(o, a->f, false, true);
		return;
	case ATTR_STRING:
		add_quoted(o, a->s, a->s_len);
		return;
	case ATTR_TENSOR:
		add_tensor(o, a->t, p->flags);
		return;
	case ATTR_TYPE:
		text_printf(o, "%s", type_text(o->c, a->type));
		return;
	case ATTR_GRAPH:
		add_graph(o, a->g, p->flags, p);
		return;
	default:
		break;
	}
	put(o, a->kind == ATTR_FLOATS && !a->n ? "floats[" :
	       a->kind == ATTR_STRINGS && !a->n ? "strings[" : "[");
	for (int i = 0; i < a->n; i++) {
		put(o, i ? "," : "");
		if (a->kind == ATTR_INTS)
			text_printf(o, "%lld", (long long)a->ints[i]);
		else if (a->kind == ATTR_FLOATS)
			add_number(o, a->floats[i], false, true);
		else if (a->kind == ATTR_STRINGS)
			add_quoted(o, a->strings[i], strlen(a->strings[i]));
	}
	put(o, "]");
}

/* Attributes sorted by name in canonical form: their order means nothing. */
static void add_attrs(const struct printer *p, const struct node *n)
{
	const int len = vec_len(n->attrs);
	if (!len)
		return;
	put(p->o, " {");
	const char *last = NULL;
	for (int k = 0; k < len; k++) {
		const struct attr *a = &n->attrs[k];
		if (p->flags & PRINT_CANONICAL) {
			a = NULL;
			for (int i = 0; i < len; i++) {
				const struct attr *b = &n->attrs[i];
				if ((!last || strcmp(b->name, last) > 0) &&
				    (!a || strcmp(b->name, a->name) < 0))
					a = b;
			}
			if (!a)
				break;
			last = a->name;
		}
		put(p->o, k ? ", " : "");
		add_attr(p, a);
	}
	put(p->o, "}");
}

/* The constant's line, in the graph that owns it, if v is one that has not been printed. */
static void need_const(const struct printer *p, const struct value *v)
{
	if (!v || !v->data || v->graph != p->g || p->printed[v->id])
		return;
	p->printed[v->id] = 1;
	indent(p);
	put(p->o, "const ");
	add_value_typed(p, v);
	put(p->o, " = ");
	add_data(p->o, v->data, p->flags);
	put(p->o, "\n");
}

static void need_consts_of(const struct printer *p, const struct node *n)
{
	for (int i = 0; i < vec_len(n->in); i++)
		need_const(p, n->in[i]);
	for (int i = 0; i < vec_len(n->attrs); i++)
		if (n->attrs[i].kind == ATTR_GRAPH)
			for (const struct node *m = n->attrs[i].g->first; m; m = m->next)
				need_consts_of(p, m);
}

static void add_node(const struct printer *p, const struct node *n)
{
	struct text *o = p->o;
	int n_out = vec_len(n->out), n_in = vec_len(n->in);
	while (n_out > 1 && !n->out[n_out - 1])
		n_out--;
	while (n_in && !n->in[n_in - 1])
		n_in--;
	need_consts_of(p, n);
	indent(p);
	for (int i = 0; i < n_out; i++) {
		put(o, i ? ", " : "");
		add_value_typed(p, n->out[i]);
	}
	text_printf(o, "%s%s%s%s(", n_out ? " = " : "", n->domain, n->domain[0] ? "." : "",
		    n->op_type);
	for (int i = 0; i < n_in; i++) {
		put(o, i ? ", " : "");
		add_value(p, n->in[i]);
	}
	put(o, ")");
	add_attrs(p, n);
	if (n->name[0] && !(p->flags & PRINT_CANONICAL)) {
		put(o, " ");
		add_quoted(o, n->name, strlen(n->name));
	}
	put(o, "\n");
}

static void add_graph(struct text *o, const struct graph *g, unsigned flags,
		      const struct printer *outer)
{
	struct ctx *c = g->c;
	const int n = vec_len(g->values);
	int count = 0;
	struct printer p = { o, flags, outer, g, { 0 }, mem_array(c, n + 1, 1),
			     NEW_ARRAY(c, n + 1, int), outer ? outer->count : &count };
	for (int i = 0; i < n; i++) {
		struct value *v = g->values[i];
		if (v && v->name[0])
			map_put(c, &p.names, v->name, map_get(&p.names, v->name) ? (void *)&ambiguous : v);
	}
	put(o, "graph ");
	if (!(flags & PRINT_CANONICAL) && g->name[0]) {
		add_name(o, g->name);
		put(o, " ");
	}
	put(o, "{\n");
	for (int i = 0; i < vec_len(g->inputs); i++) {
		indent(&p);
		put(o, "input ");
		add_value_typed(&p, g->inputs[i]);
		put(o, "\n");
	}
	for (const struct node *m = g->first; m; m = m->next)
		add_node(&p, m);
	for (int i = 0; i < vec_len(g->outputs); i++)
		need_const(&p, g->outputs[i]);
	for (int i = 0; i < vec_len(g->outputs); i++) {
		indent(&p);
		put(o, "output ");
		add_value(&p, g->outputs[i]);
		put(o, "\n");
	}
	for (const struct printer *q = outer; q; q = q->outer)
		put(o, "  ");
	put(o, outer ? "}" : "}\n");
}

void graph_print_as(const struct graph *g, struct text *t, unsigned flags)
{
	add_graph(t, g, flags, NULL);
}

void graph_print(const struct graph *g, struct text *t)
{
	graph_print_as(g, t, 0);
}
