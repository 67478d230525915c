/*
 * parse.c - reads the text form of a graph (described in ir.h).
 *
 * In: text, from print.c or written by hand for tests.  Out: a graph in topological order, or
 * NULL and diagnostics that name the line.  A recursive descent over the characters; nested
 * graphs see the names of the outer ones.  The first error ends the reading: what follows it
 * could not be trusted.
 */
#include "ir/ir.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32		/* of nested graphs and types */
#define MAX_OUT 4096

struct scope {
	struct scope *outer;
	struct graph *g;
	struct map values;
};

struct parser {
	struct ctx *c;
	const char *file, *text, *s;
	struct scope *scope;
	int depth;
	bool failed;
};

static void error(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void error(struct parser *p, const char *fmt, ...)
{
	int line = 1;
	va_list ap;
	if (p->failed)
		return;
	p->failed = true;
	for (const char *s = p->text; s < p->s; s++)
		line += *s == '\n';
	va_start(ap, fmt);
	diag_v(p->c, SEV_ERROR, "parse", str_printf(p->c, "%s:%d", p->file, line), fmt, ap);
	va_end(ap);
}

static void space(struct parser *p)
{
	for (;;) {
		while (*p->s && strchr(" \t\r\n", *p->s))
			p->s++;
		if (*p->s != '#')
			return;
		while (*p->s && *p->s != '\n')
			p->s++;
	}
}

/* The next thing is `t`, which is consumed.  A word must end where t ends. */
static bool accept(struct parser *p, const char *t)
{
	const size_t n = strlen(t);
	space(p);
	if (p->failed || strncmp(p->s, t, n))
		return false;
	if (isalpha((unsigned char)t[0]) && (isalnum((unsigned char)p->s[n]) || p->s[n] == '_'))
		return false;
	p->s += n;
	return true;
}

static void expect(struct parser *p, const char *t)
{
	if (!accept(p, t))
		error(p, "\"%s\" is expected before \"%.12s\"", t, p->s);
}

static bool looking_at(struct parser *p, const char *t)
{
	const char *s;
	space(p);
	s = p->s;
	const bool yes = accept(p, t);
	p->s = s;
	return yes;
}

static const char *take(struct parser *p, const char *more)
{
	const char *s = p->s;
	while (isalnum((unsigned char)*p->s) || (*p->s && strchr(more, *p->s)))
		p->s++;
	if (p->s == s)
		error(p, "a name is expected before \"%.12s\"", s);
	return str_dup_n(p->c, s, (size_t)(p->s - s));
}

static int hex(int ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 :
	       ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static const char *quoted(struct parser *p, size_t *len)
{
	struct text t = { .c = p->c };
	text_add(&t, "", 0);
	expect(p, "\"");
	while (!p->failed && *p->s != '"') {
		char ch = *p->s;
		if (!ch) {
			error(p, "a string has no end");
			break;
		}
		p->s++;
		if (ch == '\\') {
			ch = *p->s;
			if (!ch)
				continue;
			p->s++;
			if (ch == 'n') {
				ch = '\n';
			} else if (ch == 'x') {
				if (hex(p->s[0]) < 0 || hex(p->s[1]) < 0) {
					error(p, "\\x needs two hexadecimal digits");
					break;
				}
				ch = (char)(hex(p->s[0]) * 16 + hex(p->s[1]));
				p->s += 2;
			}
		}
		text_add(&t, &ch, 1);
	}
	if (!p->failed)
		p->s++;
	if (len)
		*len = t.n;
	return t.s;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* %name, %"name", %name@7: the key tells values apart, the name is what stands before '@'. */
static const char *value_name(struct parser *p, const char **name)
{
	expect(p, "%");
	if (p->failed)
		return "";
	*name = *p->s == '"' ? quoted(p, NULL) : *p->s == '@' ? "" : take(p, "_./:-");
	if (*p->s != '@')
		return *name;
	const char *mark = p->s++;
	while (isdigit((unsigned char)*p->s) || *p->s == '.')
		p->s++;
	return str_printf(p->c, "%s%.*s", *name, (int)(p->s - mark), mark);
}

static void define(struct parser *p, const char *key, struct value *v)
{
	if (map_get(&p->scope->values, key))
		error(p, "%%%s is defined twice", key);
	else
		map_put(p->c, &p->scope->values, key, v);
}

static struct value *known_value(struct parser *p)
{
	const char *name;
	const char *key = value_name(p, &name);
	for (struct scope *s = p->scope; s && !p->failed; s = s->outer) {
		struct value *v = map_get(&s->values, key);
		if (v)
			return v;
	}
	error(p, "%%%s is not defined above", key);
	return NULL;
}

/* ---- types and numbers ----------------------------------------------------------------------- */

static int64_t integer(struct parser *p)
{
	char *end;
	space(p);
	if (!isdigit((unsigned char)*p->s) && *p->s != '-' && *p->s != '+') {
		error(p, "a number is expected before \"%.12s\"", p->s);
		return 0;
	}
	const int64_t v = *p->s == '-' ? strtoll(p->s, &end, 10) : (int64_t)strtoull(p->s, &end, 10);
	if (end == p->s)
		error(p, "a number is expected before \"%.12s\"", p->s);
	p->s = end;
	return v;
}

/* *whole: it has no mark of a float. */
static double number(struct parser *p, bool *whole)
{
	char *end;
	space(p);
	const double v = strtod(p->s, &end);
	if (end == p->s)
		error(p, "a number is expected before \"%.12s\"", p->s);
	*whole = true;
	for (const char *s = p->s; s < end; s++)
		if (!isdigit((unsigned char)*s) && *s != '-' && *s != '+')
			*whole = false;
	p->s = end;
	return v;
}

static enum dtype dtype(struct parser *p)
{
	space(p);
	const char *name = take(p, "");
	const enum dtype t = dtype_by_name(name);
	if (t == DT_NONE && !str_eq(name, "none"))
		error(p, "there is no element type \"%s\"", name);
	return t;
}

static struct type type(struct parser *p);

static const struct type *inner_type(struct parser *p)
{
	struct type *t = NEW(p->c, struct type);
	if (++p->depth > MAX_DEPTH)
		error(p, "types are nested too deep");
	else if (!looking_at(p, ")"))
		*t = type(p);
	p->depth--;
	expect(p, ")");
	return t;
}

static struct type type(struct parser *p)
{
	struct type t = { .kind = KIND_TENSOR };
	if (accept(p, "seq") || looking_at(p, "optional")) {
		t.kind = accept(p, "optional") ? KIND_OPTIONAL : KIND_SEQUENCE;
		expect(p, "(");
		t.elem = inner_type(p);
		return t;
	}
	if (accept(p, "map")) {
		t.kind = KIND_MAP;
		expect(p, "(");
		t.key = dtype(p);
		expect(p, ",");
		t.elem = inner_type(p);
		t.dtype = t.elem->dtype;
		return t;
	}
	t.dtype = dtype(p);
	expect(p, "[");
	if (accept(p, "...")) {
		t.rank = -1;
		expect(p, "]");
		return t;
	}
	while (!p->failed && !accept(p, "]")) {
		if (t.rank)
			expect(p, ",");
		if (t.rank == IR_MAX_RANK) {
			error(p, "a rank over %d", IR_MAX_RANK);
			break;
		}
		struct dim *d = &t.dim[t.rank++];
		space(p);
		const size_t digits = strspn(p->s, "0123456789");
		if (digits && strchr(",]", p->s[digits])) {	/* "2*h" is a symbol */
			d->value = integer(p);
			if (d->value < 0)
				error(p, "a dimension is too large");
			continue;
		}
		d->value = -1;
		if (!accept(p, "?")) {
			char *sym = (char *)(uintptr_t)take(p, "_.+-*/ ()");
			for (size_t n = strlen(sym); n && sym[n - 1] == ' '; n--)
				sym[n - 1] = 0;
			d->symbol = sym;
		}
		if (accept(p, "<="))
			d->max = integer(p);
	}
	return t;
}

/* ---- data ------------------------------------------------------------------------------------ */

static void list_data(struct parser *p, struct tensor *t)
{
	int64_t i = 0;
	while (!p->failed && !accept(p, "]")) {
		if (i)
			expect(p, ",");
		if (i == t->n) {
			error(p, "more than %lld elements", (long long)t->n);
			return;
		}
		if (t->dtype == DT_STRING) {
			((const char **)t->data)[i++] = quoted(p, NULL);
			continue;
		}
		bool whole;
		const char *s = p->s;
		const double x = number(p, &whole);
		if (whole && (dtype_is_int(t->dtype) || t->dtype == DT_BOOL)) {
			p->s = s;
			tensor_set_i(t, i++, integer(p));
		} else {
			tensor_set_f(t, i++, x);
		}
	}
	if (!p->failed && i != t->n)
		error(p, "%lld elements, %lld are expected", (long long)i, (long long)t->n);
}

static void hex_data(struct parser *p, struct tensor *t)
{
	unsigned char *b = t->data;
	const int64_t bytes = tensor_bytes(t);
	for (int64_t i = 0; i < bytes; i++, p->s += 2) {
		if (hex(p->s[0]) < 0 || hex(p->s[1]) < 0) {
			error(p, "%lld bytes of data, %lld are expected", (long long)i, (long long)bytes);
			return;
		}
		b[i] = (unsigned char)(hex(p->s[0]) * 16 + hex(p->s[1]));
	}
	if (hex(*p->s) >= 0)
		error(p, "more than %lld bytes of data", (long long)bytes);
}

static const struct tensor *data(struct parser *p, const struct type *ty)
{
	int64_t dims[IR_MAX_RANK];
	if (p->failed)
		return NULL;
	if (type_bytes(ty) < 0 || type_bytes(ty) > INT32_MAX) {
		error(p, "constant data of type %s", type_text(p->c, ty));
		return NULL;
	}
	for (int i = 0; i < ty->rank; i++)
		dims[i] = ty->dim[i].value;
	struct tensor *t = tensor_new(p->c, ty->dtype, ty->rank, dims);
	if (accept(p, "zeros"))
		return t;
	if (accept(p, "fill")) {
		expect(p, "(");
		ir_fill(t, (uint64_t)integer(p));
		expect(p, ")");
	} else if (accept(p, "[")) {
		list_data(p, t);
	} else if (t->dtype != DT_STRING && accept(p, "0x")) {
		hex_data(p, t);
	} else if (accept(p, "...")) {
		error(p, "the data was left out when this was printed");
	} else {
		error(p, "data is expected before \"%.12s\"", p->s);
	}
	return t;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static struct graph *graph(struct parser *p);

static void list_attr(struct parser *p, struct attr *a)
{
	double *f = NULL;
	int64_t *v = NULL;
	const char **s = NULL;
	bool whole = true;
	while (!p->failed && !accept(p, "]")) {
		bool w;
		if (a->n++)
			expect(p, ",");
		if (looking_at(p, "\"")) {
			a->kind = ATTR_STRINGS;
			vec_add(p->c, s, quoted(p, NULL));
			continue;
		}
		const char *at = (space(p), p->s);
		vec_add(p->c, f, number(p, &w));
		const char *end = p->s;
		p->s = at;
		vec_add(p->c, v, w ? integer(p) : 0);
		p->s = end;
		whole = whole && w;
	}
	a->floats = f;
	a->ints = v;
	a->strings = s;
	if (a->kind == ATTR_INTS && !whole)
		a->kind = ATTR_FLOATS;
	if (vec_len(s) && vec_len(f))
		error(p, "a list of strings and numbers");
	/* one list only, as everywhere else */
	if (a->kind != ATTR_INTS)
		a->ints = NULL;
	if (a->kind != ATTR_FLOATS)
		a->floats = NULL;
}

static bool at_type(struct parser *p)
{
	space(p);
	const char *s = p->s;
	while (isalnum((unsigned char)*s))
		s++;
	if (*s == '(')
		return true;
	return *s == '[' && dtype_by_name(str_dup_n(p->c, p->s, (size_t)(s - p->s))) != DT_NONE;
}

static void attribute(struct parser *p, struct node *n)
{
	struct attr a = { 0 };
	space(p);
	a.name = take(p, "_");
	expect(p, "=");
	space(p);
	if (attr_find(n, a.name))
		error(p, "attribute %s is given twice", a.name);
	if (looking_at(p, "graph")) {
		a.kind = ATTR_GRAPH;
		a.g = graph(p);
		if (a.g) {
			a.g->parent = n->graph;
			a.g->owner = n;
		}
	} else if (looking_at(p, "\"")) {
		a.kind = ATTR_STRING;
		a.s = quoted(p, &a.s_len);
	} else if (accept(p, "strings")) {
		expect(p, "[");
		a.kind = ATTR_STRINGS;
		list_attr(p, &a);
	} else if (accept(p, "floats")) {
		expect(p, "[");
		a.kind = ATTR_FLOATS;
		list_attr(p, &a);
	} else if (accept(p, "[")) {
		a.kind = ATTR_INTS;
		list_attr(p, &a);
	} else if (at_type(p)) {
		struct type t = type(p);
		if (accept(p, "=")) {
			a.kind = ATTR_TENSOR;
			a.t = data(p, &t);
		} else {
			a.kind = ATTR_TYPE;
			a.type = mem_copy(p->c, &t, sizeof t);
		}
	} else {
		bool whole;
		const char *s = p->s;
		a.kind = ATTR_FLOAT;
		a.f = number(p, &whole);
		if (whole) {
			p->s = s;
			a.kind = ATTR_INT;
			a.f = 0;
			a.i = integer(p);
		}
	}
	if (!p->failed)
		vec_add(p->c, n->attrs, a);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void type_and_layout(struct parser *p, struct value *v)
{
	if (accept(p, ":"))
		v->type = type(p);
	if (accept(p, "c16"))
		v->layout = LAYOUT_C16;
}

static void input_line(struct parser *p)
{
	const char *name = "";
	const char *key = value_name(p, &name);
	struct value *v = graph_add_input(p->scope->g, name, NULL);
	type_and_layout(p, v);
	define(p, key, v);
}

static void const_line(struct parser *p)
{
	const char *name = "";
	const char *key = value_name(p, &name);
	expect(p, ":");
	const struct type t = type(p);
	const bool c16 = accept(p, "c16");
	expect(p, "=");
	const struct tensor *d = data(p, &t);
	if (p->failed)
		return;
	struct value *v = value_const(p->scope->g, name, d);
	if (c16)
		v->layout = LAYOUT_C16;
	define(p, key, v);
}

static void split_op_name(struct parser *p, const char **domain, const char **op)
{
	space(p);
	char *s = (char *)(uintptr_t)take(p, "_.");
	char *dot = strrchr(s, '.');
	*domain = "";
	*op = s;
	if (dot) {
		*dot = 0;
		*domain = s;
		*op = dot + 1;
	}
}

static void node_line(struct parser *p)
{
	struct graph *g = p->scope->g;
	struct value **out = NULL;
	const char **keys = NULL, *domain, *op;
	while (!p->failed && (looking_at(p, "%") || looking_at(p, "_"))) {
		const char *name = "", *key = "";
		struct value *v = NULL;
		if (!accept(p, "_")) {
			key = value_name(p, &name);
			v = value_new(g, name);
			type_and_layout(p, v);
		}
		vec_add(p->c, out, v);
		vec_add(p->c, keys, key);
		if (vec_len(out) > MAX_OUT)
			error(p, "too many outputs");
		if (!accept(p, ","))
			break;
	}
	if (out)
		expect(p, "=");
	split_op_name(p, &domain, &op);
	if (p->failed)
		return;
	struct node *n = node_new(g, NULL, domain, op, "");
	expect(p, "(");
	while (!p->failed && !accept(p, ")")) {
		if (vec_len(n->in))
			expect(p, ",");
		node_add_in(n, accept(p, "_") ? NULL : known_value(p));
	}
	if (accept(p, "{"))
		for (bool first = true; !p->failed && !accept(p, "}"); first = false) {
			if (!first)
				expect(p, ",");
			attribute(p, n);
		}
	if (looking_at(p, "\""))
		n->name = quoted(p, NULL);
	for (int i = 0; i < vec_len(out) && !p->failed; i++) {
		node_adopt_out(n, out[i]);
		if (out[i])
			define(p, keys[i], out[i]);
	}
}

static struct graph *graph(struct parser *p)
{
	struct graph *g = graph_new(p->c, "");
	struct scope scope = { p->scope, g, { 0 } };
	p->scope = &scope;
	if (p->scope->outer)
		g->opset = p->scope->outer->g->opset;
	if (++p->depth > MAX_DEPTH)
		error(p, "graphs are nested too deep");
	expect(p, "graph");
	if (looking_at(p, "\""))
		g->name = quoted(p, NULL);
	else if (!looking_at(p, "{") && !p->failed)
		g->name = take(p, "_./:-");
	expect(p, "{");
	while (!p->failed && !accept(p, "}")) {
		if (!*p->s)
			error(p, "the graph has no closing brace");
		else if (accept(p, "input"))
			input_line(p);
		else if (accept(p, "const"))
			const_line(p);
		else if (accept(p, "output")) {
			struct value *v = known_value(p);
			if (v)
				graph_add_output(g, v);
		} else
			node_line(p);
	}
	p->depth--;
	p->scope = scope.outer;
	return p->failed ? NULL : g;
}

struct graph *graph_parse(struct ctx *c, const char *text, const char *file)
{
	struct parser p = { .c = c, .file = file, .text = text, .s = text };
	struct graph *g = graph(&p);
	space(&p);
	if (g && *p.s)
		error(&p, "text after the graph: \"%.12s\"", p.s);
	return p.failed ? NULL : g;
}
