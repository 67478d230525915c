/*
 * emit_ew.c - prints an elementwise program as a readable loop nest.
 *
 * In:  a program with its space, a C expression of pointer type for each operand.
 * Out: the body of a function.  Where every register is float (or a mask made by comparing floats) and
 *      every operand is contiguous or constant along the last axis: sixteen lanes at a time, the rest of a
 *      row by v_load_n and v_store_n.  Otherwise one element at a time with prim.h's functions.
 * A product that feeds a sum passes through *_opaque (docs/numerics.md rule 8), so that a compiler cannot
 * contract them: interpreter and emitted code round alike.
 */
#include "emit/emit_ew.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct printer {
	struct text *t;
	const struct ew *e;
	const char *const *in, *const *out;
	bool vector;
	int depth;			/* of tabs */
	const char *rest;		/* in the rest of a row: its length, else NULL */
	int split;			/* the axis that parts share: from <= index < to; -1: none */
};

static void line(struct printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void line(struct printer *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	for (int i = 0; i < p->depth; i++)
		text_add(p->t, "\t", 1);
	const char *s = str_vprintf(p->t->c, fmt, ap);
	text_add(p->t, s, strlen(s));
	text_add(p->t, "\n", 1);
	va_end(ap);
}

static const char *c_type(enum dtype t)
{
	switch (t) {
	case DT_FLOAT: return "float";
	case DT_DOUBLE: return "double";
	case DT_INT8: return "int8_t";
	case DT_INT16: return "int16_t";
	case DT_INT32: return "int32_t";
	case DT_INT64: return "int64_t";
	case DT_UINT32: return "uint32_t";
	case DT_UINT64: return "uint64_t";
	case DT_UINT16: case DT_FLOAT16: case DT_BFLOAT16: return "uint16_t";
	default: return "uint8_t";
	}
}

/* ---- numbers ----------------------------------------------------------------------------------- */

/* Exact, and the same in every locale: small whole numbers in decimal, others from their bits. */
static const char *float_text(struct ctx *c, double x, bool wide)
{
	const char *suffix = wide ? "" : "f", *sign = signbit(x) ? "-" : "";
	int e;
	if (x != x)
		return wide ? "d_ufloat(0x7ff8000000000000u)" : "s_ufloat(0x7fc00000u)";
	if (x - x != 0)
		return str_printf(c, "%s%s", sign, wide ? "__builtin_inf()" : "__builtin_inff()");
	const double a = fabs(x);
	if (a == floor(a) && a < 1e6)
		return str_printf(c, "%s%d.0%s", sign, (int)a, suffix);
	uint64_t m = (uint64_t)ldexp(frexp(a, &e), 53);
	m = (m - ((uint64_t)1 << 52)) & (((uint64_t)1 << 52) - 1);
	int digits = 13;
	for (; digits > 0 && m % 16 == 0; digits--)
		m /= 16;
	if (digits == 0)
		return str_printf(c, "%s0x1p%d%s", sign, e - 1, suffix);
	return str_printf(c, "%s0x1.%0*" PRIx64 "p%d%s", sign, digits, m, e - 1, suffix);
}

static const char *constant_text(struct ctx *c, const struct ew_ins *x)
{
	if (ew_register(x->type) == DT_FLOAT)
		return float_text(c, (double)(float)x->f, false);
	switch (x->type) {
	case DT_DOUBLE: return float_text(c, x->f, true);
	case DT_INT64:
		return x->i == INT64_MIN ? "INT64_MIN" : str_printf(c, "INT64_C(%" PRId64 ")", x->i);
	case DT_UINT64: return str_printf(c, "UINT64_C(%" PRIu64 ")", (uint64_t)x->i);
	case DT_UINT32: return str_printf(c, "%" PRIu32 "u", (uint32_t)x->i);
	case DT_INT32:
		return (int32_t)x->i == INT32_MIN ? "INT32_MIN" : str_printf(c, "%" PRId32, (int32_t)x->i);
	case DT_INT16: return str_printf(c, "%d", (int)(int16_t)x->i);
	case DT_UINT16: return str_printf(c, "%d", (int)(uint16_t)x->i);
	case DT_INT8: return str_printf(c, "%d", (int)(int8_t)x->i);
	default: return str_printf(c, "%d", (int)(uint8_t)x->i);
	}
}

/* The decimal form as a comment, for those that are no whole numbers. */
static const char *constant_comment(struct ctx *c, const struct ew_ins *x)
{
	if (!dtype_is_float(x->type) || x->f - x->f != 0 || (x->f == floor(x->f) && fabs(x->f) < 1e6))
		return "";
	char *s = str_printf(c, "\t/* %.9g */", x->f);
	for (char *p = s; *p; p++)
		if (*p == ',')
			*p = '.';
	return s;
}

/* ---- one instruction ----------------------------------------------------------------------------- */

/* "x0 + i0 * 784 + i": where the operand's element lies; `row` leaves the last axis out */
static const char *place(struct printer *p, const char *base, const int64_t *stride, bool row)
{
	struct text t = { .c = p->t->c };
	text_printf(&t, "%s", base);
	for (int d = 0; d < p->e->rank - (row ? 1 : 0); d++) {
		const char *i = d == p->e->rank - 1 ? "i" : str_printf(t.c, "i%d", d);
		if (stride[d] == 1)
			text_printf(&t, " + %s", i);
		else if (stride[d])
			text_printf(&t, " + %s * %" PRId64, i, stride[d]);
	}
	return t.s;
}

static int64_t last_stride(const struct ew *e, const int64_t *stride)
{
	return e->rank ? stride[e->rank - 1] : 0;
}

static bool whole_constant(const struct ew *e, const int64_t *stride)
{
	for (int d = 0; d < e->rank; d++)
		if (stride[d])
			return false;
	return true;
}

/* Does some sum read instruction k, which ends in a product that may be inexact? */
static bool feeds_sum(const struct ew *e, int k)
{
	static const char *const exact[] = {
		"add", "sub", "fma", "div", "max", "min", "maximum", "minimum", "sel", "neg", "abs",
		"sqrt", "floor", "ceil", "rint", "trunc", "mod", "fmod", NULL
	};
	const struct ew_prim *f = e->ins[k].prim;
	if (!f || !dtype_is_float(e->ins[k].type))
		return false;
	for (int i = 0; exact[i]; i++)
		if (strcmp(f->name, exact[i]) == 0)
			return false;
	for (int i = k + 1; i < vec_len(e->ins); i++) {
		const struct ew_ins *x = &e->ins[i];
		if (!x->prim)
			continue;
		/* through what passes a value on, too */
		const bool sum = strcmp(x->prim->name, "add") == 0 || strcmp(x->prim->name, "sub") == 0;
		const bool pass = strcmp(x->prim->name, "neg") == 0 || strcmp(x->prim->name, "sel") == 0;
		for (int a = 0; a < x->prim->n_args; a++)
			if (x->arg[a] == k && (sum || pass))
				return true;
	}
	return false;
}

static const char *load_text(struct printer *p, const struct ew_ins *x)
{
	struct ctx *c = p->t->c;
	const int k = x->arg[0];
	const int64_t *s = p->e->in_stride[k];
	const char *at = place(p, str_printf(c, "x%d", k), s, false);
	if (p->vector) {
		if (last_stride(p->e, s) == 0)
			return str_printf(c, "v_set1(*(%s))", place(p, str_printf(c, "x%d", k), s, true));
		return p->rest ? str_printf(c, "v_load_n(%s, %s)", at, p->rest) :
				 str_printf(c, "v_load(%s)", at);
	}
	switch (p->e->in_type[k]) {
	case DT_FLOAT16: return str_printf(c, "amp_f16_to_f32(*(%s))", at);
	case DT_BFLOAT16: return str_printf(c, "amp_bf16_to_f32(*(%s))", at);
	case DT_BOOL: return str_printf(c, "*(%s) != 0", at);
	default: return str_printf(c, "*(%s)", at);
	}
}

static const char *cast_text(struct printer *p, const struct ew_ins *x)
{
	struct ctx *c = p->t->c;
	const enum dtype from = ew_register(p->e->ins[x->arg[0]].type), to = x->type;
	const bool real = dtype_is_float(from);
	const int a = x->arg[0];
	const char *half = to == DT_FLOAT16 ? "f16" : "bf16";
	if (to == DT_FLOAT16 || to == DT_BFLOAT16)
		return str_printf(c, from == DT_FLOAT ? "round_%s_f32(t%d)" : real ? "round_%s_f64(t%d)" :
				  "round_%s_f64((double)t%d)", half, a);
	if (from == to)
		return str_printf(c, "t%d", a);
	if (to == DT_BOOL)
		return str_printf(c, "t%d != 0", a);
	if (real && dtype_is_int(to))
		return str_printf(c, "%s_of_f64(t%d)", dtype_suffix(to), a);
	return str_printf(c, "(%s)t%d", c_type(to), a);
}

static const char *prim_text(struct printer *p, int k)
{
	struct ctx *c = p->t->c;
	const struct ew_ins *x = &p->e->ins[k];
	const enum dtype of = ew_register(p->e->ins[x->arg[x->prim->n_args - 1]].type);
	struct text t = { .c = c };
	if (p->vector)
		text_printf(&t, "%s_%s(", of == DT_BOOL ? "vm" : "v", x->prim->name);
	else
		text_printf(&t, "p_%s_%s(", x->prim->name, dtype_suffix(of));
	for (int a = 0; a < x->prim->n_args; a++)
		text_printf(&t, "%st%d", a ? ", " : "", x->arg[a]);
	text_printf(&t, ")");
	if (feeds_sum(p->e, k))
		return str_printf(c, "%s_opaque(%s)", p->vector ? "v" : of == DT_DOUBLE ? "d" : "s", t.s);
	return t.s;
}

/* Is the instruction the same for every element of a row (2: of the whole space)? */
static int invariance(const struct printer *p, const struct ew_ins *x)
{
	if (x->kind == EW_CONST)
		return 2;
	if (x->kind != EW_LOAD)
		return 0;
	const int64_t *s = p->e->in_stride[x->arg[0]];
	return whole_constant(p->e, s) ? 2 : last_stride(p->e, s) == 0 ? 1 : 0;
}

/* The instructions of one invariance. */
static void instructions(struct printer *p, int which)
{
	struct ctx *c = p->t->c;
	for (int k = 0; k < vec_len(p->e->ins); k++) {
		const struct ew_ins *x = &p->e->ins[k];
		const char *type = !p->vector ? c_type(ew_register(x->type)) :
				   x->type == DT_BOOL ? "vm" : "vf", *s, *note = "";
		if (invariance(p, x) != which)
			continue;
		if (x->kind == EW_CONST) {
			s = constant_text(c, x);
			if (p->vector)
				s = str_printf(c, "v_set1(%s)", s);
			note = constant_comment(c, x);
		} else if (x->kind == EW_LOAD) {
			s = load_text(p, x);
		} else if (x->kind == EW_CAST) {
			s = cast_text(p, x);
		} else {
			s = prim_text(p, k);
		}
		line(p, "const %s t%d = %s;%s", type, k, s, note);
	}
}

/* ---- the loop nest -------------------------------------------------------------------------------- */

static void stores(struct printer *p)
{
	struct ctx *c = p->t->c;
	for (int k = 0; k < p->e->n_out; k++) {
		if (!p->out[k])
			continue;
		const char *at = place(p, str_printf(c, "y%d", k), p->e->out_stride[k], false);
		const int v = p->e->out[k];
		if (p->vector && p->e->channels > 0)
			line(p, "v_store(%s, v_sel(live, t%d, v_zero()));", at, v);
		else if (p->vector && p->rest)
			line(p, "v_store_n(%s, t%d, %s);", at, v, p->rest);
		else if (p->vector)
			line(p, "v_store(%s, t%d);", at, v);
		else if (p->e->out_type[k] == DT_FLOAT16)
			line(p, "*(%s) = amp_f32_to_f16(t%d);", at, v);
		else if (p->e->out_type[k] == DT_BFLOAT16)
			line(p, "*(%s) = amp_f32_to_bf16(t%d);", at, v);
		else
			line(p, "*(%s) = t%d;", at, v);
	}
}

/* The innermost axis, sixteen elements at a time. */
static void vector_row(struct printer *p)
{
	const struct ew *e = p->e;
	const int64_t n = e->rank ? e->dim[e->rank - 1] : 1, full = n / 16 * 16;
	if (e->channels > 0) {
		/* one block of lanes; of the last block only the first have a channel */
		line(p, "const int64_t i = 0;");
		instructions(p, 0);
		stores(p);
		return;
	}
	if (full) {
		if (full == 16)
			line(p, "{");
		else if (p->split == e->rank - 1)
			line(p, "for (int64_t i = from * 16; i < to * 16; i += 16) {");
		else
			line(p, "for (int64_t i = 0; i < %" PRId64 "; i += 16) {", full);
		p->depth++;
		if (full == 16)
			line(p, "const int64_t i = 0;");
		instructions(p, 0);
		stores(p);
		p->depth--;
		line(p, "}");
	}
	if (n % 16) {
		p->rest = str_printf(p->t->c, "%d", (int)(n % 16));
		line(p, p->split == e->rank - 1 ? "if (r->part == r->parts - 1) {" : "{");
		p->depth++;
		line(p, "const int64_t i = %" PRId64 ";\t/* the last %s */", full, p->rest);
		line(p, "(void)i;");
		instructions(p, 0);
		stores(p);
		p->depth--;
		line(p, "}");
		p->rest = NULL;
	}
}

static void scalar_row(struct printer *p)
{
	const struct ew *e = p->e;
	if (e->rank == 0) {
		instructions(p, 0);
		stores(p);
		return;
	}
	if (p->split == e->rank - 1)
		line(p, "for (int64_t i = from; i < to; i++) {");
	else
		line(p, "for (int64_t i = 0; i < %" PRId64 "; i++) {", e->dim[e->rank - 1]);
	p->depth++;
	if (e->channels > 0) {
		line(p, "if (i >= lanes) {\t/* no channel there */");
		p->depth++;
		for (int k = 0; k < e->n_out; k++)
			if (p->out[k])
				line(p, "*(%s) = 0;", place(p, str_printf(p->t->c, "y%d", k),
							     e->out_stride[k], false));
		line(p, "continue;");
		p->depth--;
		line(p, "}");
	}
	instructions(p, 0);
	stores(p);
	p->depth--;
	line(p, "}");
}

static bool can_vector(const struct ew *e)
{
	for (int k = 0; k < vec_len(e->ins); k++) {
		const struct ew_ins *x = &e->ins[k];
		if (x->kind == EW_LOAD) {
			const int64_t s = last_stride(e, e->in_stride[x->arg[0]]);
			if (e->in_type[x->arg[0]] != DT_FLOAT || (s != 0 && s != 1))
				return false;
		} else if (x->kind == EW_PRIM && x->type == DT_BOOL) {
			const enum dtype of = e->ins[x->arg[0]].type;
			if (of != DT_FLOAT && !(of == DT_BOOL && (strcmp(x->prim->name, "and") == 0 ||
			    strcmp(x->prim->name, "or") == 0 || strcmp(x->prim->name, "xor") == 0 ||
			    strcmp(x->prim->name, "not") == 0)))
				return false;
		} else if (x->kind == EW_CAST || x->type != DT_FLOAT) {
			return false;
		}
	}
	for (int k = 0; k < e->n_out; k++)
		if (e->out_type[k] != DT_FLOAT || (e->rank && last_stride(e, e->out_stride[k]) != 1))
			return false;
	return e->rank > 0;
}

/* The pieces that an axis can be shared by: indices, of the last one in vectors whole vectors, of lanes none. */
static int64_t pieces(const struct printer *p, int d)
{
	const struct ew *e = p->e;
	if (d < e->rank - 1)
		return e->dim[d];
	return e->channels > 0 ? 1 : p->vector ? e->dim[d] / 16 > 1 ? e->dim[d] / 16 : 1 : e->dim[d];
}

/* The outermost axis whose pieces are enough for even shares, else the one with the most; -1: all have one. */
static int shared_axis(const struct printer *p, int threads)
{
	int best = -1;
	for (int d = 0; d < p->e->rank; d++) {
		const int64_t n = pieces(p, d);
		if (n > 1 && (n % threads == 0 || n >= 10 * threads))
			return d;
		if (n > 1 && (best < 0 || n > pieces(p, best)))
			best = d;
	}
	return best;
}

void emit_ew(struct text *t, const struct ew *e, const char *const *in, const char *const *out, int threads)
{
	struct printer p = { t, e, in, out, can_vector(e), 1, NULL, -1 };
	bool *used = NEW_ARRAY(t->c, e->n_in + 1, bool);
	for (int d = 0; d < e->rank; d++)
		if (e->dim[d] == 0) {
			line(&p, "/* no elements */");
			line(&p, "(void)r;");
			return;
		}
	for (int k = 0; k < vec_len(e->ins); k++)
		if (e->ins[k].kind == EW_LOAD)
			used[e->ins[k].arg[0]] = true;
	for (int k = 0; k < e->n_in; k++)
		if (used[k])
			line(&p, "const %s *x%d = (const %s *)(%s);", c_type(e->in_type[k]), k,
			     c_type(e->in_type[k]), in[k]);
	for (int k = 0; k < e->n_out; k++)
		if (out[k])
			line(&p, "%s *y%d = (%s *)(%s);", c_type(e->out_type[k]), k,
			     c_type(e->out_type[k]), out[k]);
	/* invariants are always whole vectors: nothing of the last axis is in them */
	instructions(&p, 2);
	if (threads > 1) {
		p.split = shared_axis(&p, threads);
		line(&p, "int64_t from, to;");
		line(&p, "amp_share(%" PRId64 ", r->part, r->parts, &from, &to);",
		     p.split < 0 ? 1 : pieces(&p, p.split));
		if (p.split < 0)
			line(&p, "if (from == to)\n\t\treturn AMP_OK;");
	}
	text_add(t, "\n", 1);
	for (int d = 0; d + 1 < e->rank; d++) {
		if (d == p.split)
			line(&p, "for (int64_t i%d = from; i%d < to; i%d++) {", d, d, d);
		else
			line(&p, "for (int64_t i%d = 0; i%d < %" PRId64 "; i%d++) {", d, d, e->dim[d], d);
		p.depth++;
		if (e->channels > 0 && d == e->block_dim) {
			if (e->dim[d] == 1)
				line(&p, "const int lanes = %d;", (int)e->channels);
			else
				line(&p, "const int lanes = i%d < %" PRId64 " ? 16 : %d;", d, e->dim[d] - 1,
				     (int)(e->channels - 16 * (e->dim[d] - 1)));
			if (p.vector)
				line(&p, "const vm live = vm_first(lanes);");
		}
	}
	if (p.vector && e->channels > 0)
		p.rest = "lanes";
	instructions(&p, 1);
	if (p.vector)
		vector_row(&p);
	else
		scalar_row(&p);
	while (p.depth > 1) {
		p.depth--;
		line(&p, "}");
	}
}
