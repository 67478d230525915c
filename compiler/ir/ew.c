/*
 * ew.c - elementwise programs as text and as instructions.
 *
 * In:  an expression (grammar in ew.h), the types of the inputs, the node for its attributes.
 * Out: instructions in order, each computed once (equal ones are found by search: programs are short),
 *      numbers in the type of their neighbour, nothing that no output needs.
 * Method: recursive descent.  A number has no type until it meets an operand that has one; then the
 * untyped part of the program below it is built again in that type.
 */
#include "ir/ew.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ew_prims.def"

#define ROW(n, args, cmp, f, i, b) { #n, args, cmp, f, i, b },
#define UN_F(n) ROW(n, 1, false, true, false, false)
#define UN_FI(n) ROW(n, 1, false, true, true, false)
#define UN_IB(n) ROW(n, 1, false, false, true, true)
#define BIN_FI(n) ROW(n, 2, false, true, true, false)
#define BIN_I(n) ROW(n, 2, false, false, true, false)
#define BIN_IB(n) ROW(n, 2, false, false, true, true)
#define TER_FI(n) ROW(n, 3, false, true, true, false)
#define CMP_FI(n) ROW(n, 2, true, true, true, false)
#define CMP_FIB(n) ROW(n, 2, true, true, true, true)
#define TST_F(n) ROW(n, 1, true, true, false, false)
#define SEL_FIB(n) ROW(n, 3, false, true, true, true)

const struct ew_prim ew_prims[] = {
	EW_UN_F(UN_F) EW_UN_FI(UN_FI) EW_UN_IB(UN_IB) EW_BIN_FI(BIN_FI) EW_BIN_I(BIN_I)
	EW_BIN_IB(BIN_IB) EW_TER_FI(TER_FI) EW_CMP_FI(CMP_FI) EW_CMP_FIB(CMP_FIB) EW_TST_F(TST_F)
	EW_SEL_FIB(SEL_FIB)
	{ NULL, 0, false, false, false, false }
};

enum dtype ew_register(enum dtype t)
{
	return t == DT_FLOAT16 || t == DT_BFLOAT16 ? DT_FLOAT : t;
}

#define MAX_DEPTH 200			/* of nested parentheses */
#define MAX_INS 10000
#define MAX_OUT 64

struct name { const char *s; int ins; };

struct parser {
	struct ctx *c;
	const struct node *n;
	const char *text, *p;
	struct ew *e;
	struct name *names;		/* vec */
	int outs[MAX_OUT];
	bool failed, wide;		/* wide: every float type means double */
	int depth;
};

static int fail(struct parser *p, const char *what)
{
	if (!p->failed)
		node_error(p->n, "infer", "expression \"%s\", at \"%.20s\": %s", p->text, p->p, what);
	p->failed = true;
	return 0;
}

static enum dtype type_of(const struct parser *p, int i)
{
	return p->e->ins[i].type;
}

static bool same(const struct ew_ins *a, const struct ew_ins *b)
{
	return a->kind == b->kind && a->type == b->type && a->prim == b->prim &&
	       memcmp(a->arg, b->arg, sizeof a->arg) == 0 && a->i == b->i &&
	       memcmp(&a->f, &b->f, sizeof a->f) == 0;
}

static int add(struct parser *p, struct ew_ins x)
{
	for (int i = 0; i < vec_len(p->e->ins); i++)
		if (same(&p->e->ins[i], &x))
			return i;
	if (vec_len(p->e->ins) >= MAX_INS)
		return fail(p, "the program is too long");
	vec_add(p->c, p->e->ins, x);
	return vec_len(p->e->ins) - 1;
}

/* Instruction i, which has no type, in type t. */
static int typed(struct parser *p, int i, enum dtype t)
{
	struct ew_ins x = p->e->ins[i];
	if (x.type != DT_NONE)
		return i;
	x.type = t;
	if (x.kind == EW_CONST) {
		if (dtype_is_float(t))
			x.i = 0;
		else if (t == DT_BOOL)
			x.i = x.f != 0;
	} else {
		for (int k = 0; k < x.prim->n_args; k++)
			x.arg[k] = typed(p, x.arg[k], t);
	}
	return add(p, x);
}

static int cast(struct parser *p, int a, enum dtype t)
{
	struct ew_ins x = { .kind = EW_CAST, .type = t, .arg = { a } };
	if (p->wide && (t == DT_FLOAT || t == DT_FLOAT16 || t == DT_BFLOAT16))
		x.type = t = DT_DOUBLE;
	if (!dtype_suffix(t))
		return fail(p, "no arithmetic in this type");
	if (type_of(p, a) == DT_NONE) {
		a = typed(p, a, t);
		/* a number that float16 does not have is rounded as a computed one would be */
		if (t != DT_FLOAT16 && t != DT_BFLOAT16)
			return a;
		x.arg[0] = a;
	}
	/* float16 registers are floats that may need rounding; any other type is already itself */
	if (type_of(p, a) == t && t != DT_FLOAT16 && t != DT_BFLOAT16)
		return a;
	return add(p, x);
}

/* The arguments of a call brought to one type, and the call. */
static int call(struct parser *p, const struct ew_prim *prim, int *arg)
{
	const int first = strcmp(prim->name, "sel") == 0 ? 1 : 0;
	enum dtype t = DT_NONE;
	for (int k = first; k < prim->n_args; k++) {
		const enum dtype u = type_of(p, arg[k]);
		/* among floats that are held alike the storage type is the one that ONNX means */
		if (t == DT_NONE || (t == DT_FLOAT && ew_register(u) == DT_FLOAT))
			t = u;
	}
	if (t == DT_NONE && (prim->gives_bool || first)) {
		t = p->e->n_in > 0 && p->e->in_type[0] != DT_NONE && p->e->in_type[0] != DT_BOOL ?
			p->e->in_type[0] : DT_FLOAT;
	}
	for (int k = first; k < prim->n_args && t != DT_NONE; k++) {
		arg[k] = typed(p, arg[k], t);
		if (ew_register(type_of(p, arg[k])) != ew_register(t)) {
			if (!p->failed)
				node_error(p->n, "infer", "%s: operands of types %s and %s", prim->name,
					   dtype_name(t), dtype_name(type_of(p, arg[k])));
			p->failed = true;
			return 0;
		}
	}
	if (first) {
		arg[0] = typed(p, arg[0], DT_BOOL);
		if (type_of(p, arg[0]) != DT_BOOL)
			return fail(p, "sel: the condition must be bool");
	}
	if (t != DT_NONE && !(dtype_is_float(t) ? prim->floats : t == DT_BOOL ? prim->bools : prim->ints)) {
		if (!p->failed)
			node_error(p->n, "infer", "%s does not take %s", prim->name, dtype_name(t));
		p->failed = true;
		return 0;
	}
	struct ew_ins x = { .kind = EW_PRIM, .type = prim->gives_bool ? DT_BOOL : t, .prim = prim };
	for (int k = 0; k < prim->n_args; k++)
		x.arg[k] = arg[k];
	return add(p, x);
}

/* ---- the grammar ------------------------------------------------------------------------------- */

static void space(struct parser *p)
{
	while (*p->p == ' ' || *p->p == '\t' || *p->p == '\n')
		p->p++;
}

static bool eat(struct parser *p, char ch)
{
	space(p);
	if (*p->p != ch)
		return false;
	p->p++;
	return true;
}

static bool letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static size_t word(const char *s)
{
	size_t n = 0;
	if (letter(s[0]))
		while (letter(s[n]) || digit(s[n]))
			n++;
	return n;
}

static bool is_word(const char *s, size_t n, const char *w)
{
	return strlen(w) == n && strncmp(s, w, n) == 0;
}

/* strtod with a point in every locale */
static double number(const char *s, char **end)
{
	static locale_t c_locale;
	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return c_locale ? strtod_l(s, end, c_locale) : strtod(s, end);
}

/* A number, and its value cut to an integer (exact for integers written in full). */
static bool read_number(struct parser *p, double *x, int64_t *i)
{
	space(p);
	char *end;
	const char *s = p->p + (*p->p == '-');
	if (!digit(*s) && *s != '.' && !(word(s) == 3 && (strncmp(s, "inf", 3) == 0 ||
							    strncmp(s, "nan", 3) == 0)))
		return false;
	*x = number(p->p, &end);
	if (end == p->p)
		return false;
	*i = *x != *x ? 0 : *x >= 9.2e18 ? INT64_MAX : *x <= -9.2e18 ? INT64_MIN : (int64_t)*x;
	if (strspn(s, "0123456789") == (size_t)(end - s))
		*i = strtoll(p->p, NULL, 10);
	p->p = end;
	return true;
}

static int untyped(struct parser *p, double x, int64_t i)
{
	return add(p, (struct ew_ins){ .kind = EW_CONST, .type = DT_NONE, .f = x, .i = i });
}

static int input(struct parser *p, int k)
{
	if (k < 0 || k >= p->e->n_in || p->e->in_type[k] == DT_NONE)
		return fail(p, "there is no such input");
	if (!dtype_suffix(p->e->in_type[k])) {
		if (!p->failed)
			node_error(p->n, "infer", "input %d: no arithmetic on %s", k,
				   dtype_name(p->e->in_type[k]));
		p->failed = true;
		return 0;
	}
	return add(p, (struct ew_ins){ .kind = EW_LOAD, .type = p->e->in_type[k], .arg = { k } });
}

static int expression(struct parser *p);

static int attribute(struct parser *p)
{
	const size_t n = word(p->p);
	const char *name = str_dup_n(p->c, p->p, n);
	double x = 0;
	int64_t i = 0;
	p->p += n;
	if (!n || !eat(p, ':') || !read_number(p, &x, &i))
		return fail(p, "expected $name:number");
	x = attr_float(p->n, name, x);
	i = x != x ? 0 : x >= 9.2e18 ? INT64_MAX : x <= -9.2e18 ? INT64_MIN : (int64_t)x;
	return untyped(p, x, i);
}

static const struct { const char *name; enum dtype type; } casts[] = {
	{ "f32", DT_FLOAT }, { "f64", DT_DOUBLE }, { "f16", DT_FLOAT16 }, { "bf16", DT_BFLOAT16 },
	{ "i8", DT_INT8 }, { "i16", DT_INT16 }, { "i32", DT_INT32 }, { "i64", DT_INT64 },
	{ "u8", DT_UINT8 }, { "u16", DT_UINT16 }, { "u32", DT_UINT32 }, { "u64", DT_UINT64 },
	{ "b8", DT_BOOL }, { NULL, DT_NONE }
};

static int function(struct parser *p, const char *name, size_t n)
{
	int arg[3] = { 0 }, n_args = 0;
	do {
		const int a = expression(p);
		if (n_args == 3)
			return fail(p, "too many arguments");
		arg[n_args++] = a;
	} while (!p->failed && eat(p, ','));
	if (!p->failed && !eat(p, ')'))
		return fail(p, "expected ')'");
	if (p->failed)
		return 0;
	for (int k = 0; casts[k].name; k++)
		if (is_word(name, n, casts[k].name))
			return n_args == 1 ? cast(p, arg[0], casts[k].type) :
			       fail(p, "a cast has one argument");
	if (is_word(name, n, "like"))
		return n_args == 2 && type_of(p, arg[0]) != DT_NONE ?
			cast(p, arg[1], type_of(p, arg[0])) : fail(p, "like(typed, x)");
	for (const struct ew_prim *f = ew_prims; f->name; f++)
		if (is_word(name, n, f->name))
			return n_args == f->n_args ? call(p, f, arg) :
			       fail(p, "wrong number of arguments");
	return fail(p, "unknown function");
}

static int expression(struct parser *p)
{
	double x;
	int64_t whole;
	int r;
	if (p->failed || ++p->depth > MAX_DEPTH)
		return fail(p, "nested too deeply");
	if (read_number(p, &x, &whole)) {
		r = untyped(p, x, whole);
	} else if (eat(p, '$')) {
		r = attribute(p);
	} else {
		const char *s = p->p;
		const size_t n = word(s);
		if (!n)
			return fail(p, "expected an expression");
		p->p += n;
		if (eat(p, '(')) {
			r = function(p, s, n);
		} else {
			int k = vec_len(p->names) - 1;
			while (k >= 0 && !is_word(s, n, p->names[k].s))
				k--;
			if (k >= 0)
				r = p->names[k].ins;
			else if (n == 1 && *s >= 'a' && *s <= 'z')
				r = input(p, *s - 'a');
			else if (*s == 'i' && n < 8 && strspn(s + 1, "0123456789") == n - 1)
				r = input(p, atoi(s + 1));
			else
				return fail(p, "unknown name");
		}
	}
	p->depth--;
	return r;
}

static void statement(struct parser *p)
{
	const char *s, *start;
	size_t n;
	int out = 0;
	space(p);
	start = s = p->p;
	n = word(s);
	p->p += n;
	if (n && eat(p, '=')) {
		out = -1;
		if (*s == 'o' && n > 1 && n < 8 && strspn(s + 1, "0123456789") == n - 1)
			out = atoi(s + 1);
	} else {
		p->p = start;
		n = 0;
	}
	const int r = expression(p);
	if (p->failed)
		return;
	if (out >= 0) {
		if (out >= MAX_OUT) {
			fail(p, "too many outputs");
			return;
		}
		p->outs[out] = r;
		if (out >= p->e->n_out)
			p->e->n_out = out + 1;
	}
	if (n) {
		struct name *w = vec_push(p->c, p->names);
		w->s = str_dup_n(p->c, s, n);
		w->ins = r;
	}
}

/* Keeps what the outputs need, in order. */
static void sweep(struct parser *p)
{
	struct ew *e = p->e;
	const int n = vec_len(e->ins);
	int *to = NEW_ARRAY(p->c, n + 1, int);
	for (int k = 0; k < e->n_out; k++)
		to[e->out[k]] = 1;
	for (int i = n - 1; i >= 0; i--)
		if (to[i] && e->ins[i].prim)
			for (int k = 0; k < e->ins[i].prim->n_args; k++)
				to[e->ins[i].arg[k]] = 1;
		else if (to[i] && e->ins[i].kind == EW_CAST)
			to[e->ins[i].arg[0]] = 1;
	struct ew_ins *kept = NULL;
	for (int i = 0; i < n; i++) {
		if (!to[i])
			continue;
		struct ew_ins x = e->ins[i];
		const int n_args = x.prim ? x.prim->n_args : x.kind == EW_CAST ? 1 : 0;
		for (int k = 0; k < n_args; k++)
			x.arg[k] = to[x.arg[k]];
		vec_add(p->c, kept, x);
		to[i] = vec_len(kept) - 1;
	}
	for (int k = 0; k < e->n_out; k++)
		e->out[k] = to[e->out[k]];
	e->ins = kept;
}

struct ew *ew_parse(const struct node *n, const char *text, int n_in, const enum dtype *in_type)
{
	struct ctx *c = n->graph->c;
	struct parser p = { .c = c, .n = n, .text = text, .p = text, .e = NEW(c, struct ew) };
	p.wide = attr_int(n, "double", 0) != 0;
	p.e->n_in = n_in;
	p.e->block_dim = -1;
	for (int k = 0; k < n_in; k++)
		vec_add(c, p.e->in_type, in_type[k]);
	for (int k = 0; k < MAX_OUT; k++)
		p.outs[k] = -1;
	do {
		space(&p);
		if (!*p.p)
			break;
		statement(&p);
	} while (!p.failed && eat(&p, ';'));
	space(&p);
	if (!p.failed && *p.p)
		fail(&p, "expected ';' or the end");
	for (int k = 0; k < p.e->n_out && !p.failed; k++) {
		if (p.outs[k] < 0) {
			fail(&p, "an output is not assigned");
			break;
		}
		const int o = typed(&p, p.outs[k], n_in > 0 && in_type[0] != DT_NONE ? in_type[0] : DT_FLOAT);
		vec_add(c, p.e->out, o);
		vec_add(c, p.e->out_type, type_of(&p, o));
	}
	if (!p.failed && p.e->n_out == 0)
		fail(&p, "no output");
	if (p.failed)
		return NULL;
	sweep(&p);
	return p.e;
}

/* ---- back to text -------------------------------------------------------------------------------- */

static const char *cast_name(enum dtype t)
{
	for (int k = 0; casts[k].name; k++)
		if (casts[k].type == t)
			return casts[k].name;
	return "?";
}

/* Exact, independent of the locale: the significand is an integer. */
static void print_number(struct text *t, const struct ew_ins *x)
{
	int e;
	double m = x->f;
	if (!dtype_is_float(x->type)) {
		text_printf(t, "%s(%lld)", cast_name(x->type), (long long)x->i);
		return;
	}
	text_printf(t, "%s(", cast_name(ew_register(x->type)));
	if (m != m)
		text_printf(t, "nan)");
	else if (m - m != 0)
		text_printf(t, m < 0 ? "-inf)" : "inf)");
	else if (m == 0)
		text_printf(t, signbit(m) ? "-0)" : "0)");
	else if (m == floor(m) && fabs(m) < 1e15)
		text_printf(t, "%lld)", (long long)m);
	else {
		m = frexp(m, &e);
		for (; m != floor(m); e--)
			m *= 2;
		text_printf(t, "%s0x%llxp%d)", m < 0 ? "-" : "", (unsigned long long)fabs(m), e);
	}
}

const char *ew_inline(struct ctx *c, const struct ew *e, const char *const *in_name,
		      const char *const *out_name, const char *temp)
{
	const int n = vec_len(e->ins);
	const char **s = NEW_ARRAY(c, n + 1, const char *);
	int *uses = NEW_ARRAY(c, n + 1, int), n_temps = 0;
	struct text t = { .c = c };
	for (int i = 0; i < n; i++) {
		const struct ew_ins *x = &e->ins[i];
		for (int k = 0; k < (x->prim ? x->prim->n_args : x->kind == EW_CAST); k++)
			uses[x->arg[k]]++;
	}
	for (int k = 0; k < e->n_out; k++)
		uses[e->out[k]]++;
	for (int i = 0; i < n; i++) {
		const struct ew_ins *x = &e->ins[i];
		struct text w = { .c = c };
		if (x->kind == EW_LOAD) {
			s[i] = in_name[x->arg[0]];
			continue;
		}
		if (x->kind == EW_CONST) {
			print_number(&w, x);
			s[i] = w.s;
			continue;
		}
		text_printf(&w, "%s(", x->prim ? x->prim->name : cast_name(x->type));
		for (int k = 0; k < (x->prim ? x->prim->n_args : 1); k++)
			text_printf(&w, "%s%s", k ? ", " : "", s[x->arg[k]]);
		text_printf(&w, ")");
		s[i] = w.s;
		if (uses[i] > 1) {
			const char *name = str_printf(c, "%s%d", temp, n_temps++);
			text_printf(&t, "%s = %s; ", name, s[i]);
			s[i] = name;
		}
	}
	for (int k = 0; k < e->n_out; k++) {
		const enum dtype o = e->out_type[k];
		const bool round = o == DT_FLOAT16 || o == DT_BFLOAT16;
		const struct ew_ins *x = &e->ins[e->out[k]];
		if (round && !(x->kind == EW_CAST && x->type == o) && x->kind != EW_LOAD)
			text_printf(&t, "%s = %s(%s); ", out_name[k], cast_name(o), s[e->out[k]]);
		else
			text_printf(&t, "%s = %s; ", out_name[k], s[e->out[k]]);
	}
	return t.s;
}

const char *ew_text(struct ctx *c, const struct ew *e)
{
	const char **in = NEW_ARRAY(c, e->n_in + 1, const char *);
	const char **out = NEW_ARRAY(c, e->n_out + 1, const char *);
	for (int k = 0; k < e->n_in; k++)
		in[k] = str_printf(c, "i%d", k);
	for (int k = 0; k < e->n_out; k++)
		out[k] = str_printf(c, "o%d", k);
	return ew_inline(c, e, in, out, "t");
}
