/*
 * emit_model.c - prints NAME_model.c: one function a step, in the order of execution, each a kernel called with
 * constant parameters, or an elementwise loop.  This is the file that a reviewer reads.
 */
#include "emit/emit.h"
#include "emit/emit_ew.h"
#include "ir/ew.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *comment_text(struct ctx *c, const char *s)
{
	struct text t = { .c = c };
	text_add(&t, "", 0);
	for (; *s; s++) {
		const unsigned char ch = (unsigned char)*s;
		if (ch < 0x20 || ch == 0x7f || ch == '\\')
			text_add(&t, " ", 1);
		else if ((ch == '/' && t.n && t.s[t.n - 1] == '*') || (ch == '*' && t.n && t.s[t.n - 1] == '/') ||
			 (ch == '?' && t.n && t.s[t.n - 1] == '?'))
			text_add(&t, " ", 1), text_add(&t, s, 1);
		else
			text_add(&t, s, 1);
	}
	return t.s;
}

const char *value_text(struct ctx *c, const struct value *v)
{
	return str_printf(c, "%s%s", type_text(c, &v->type), v->layout == LAYOUT_C16 ? " c16" : "");
}

/* An operand as a C expression of type (const) void *. */
static const char *operand(struct emission *e, const struct value *v)
{
	struct ctx *c = e->c;
	const struct place *p = &e->p->place[v->id];
	switch (p->kind) {
	case PLACE_ARENA: return str_printf(c, "r->arena + %" PRId64, p->offset);
	case PLACE_WEIGHTS: return str_printf(c, "r->weights + %" PRId64, p->offset);
	case PLACE_PREPARED: return str_printf(c, "r->prepared + %" PRId64, p->offset);
	case PLACE_INPUT:
		return p->offset ? str_printf(c, "(const unsigned char *)r->in[%d] + %" PRId64, p->index,
					      p->offset)
				 : str_printf(c, "r->in[%d]", p->index);
	case PLACE_OUTPUT:
		return p->offset ? str_printf(c, "(unsigned char *)r->out[%d] + %" PRId64, p->index, p->offset)
				 : str_printf(c, "r->out[%d]", p->index);
	default:
		fatal(c, R_INTERNAL, "value \"%s\" has no place", v->name);
	}
}

static const char *float_text(struct ctx *c, double f, bool is_float)
{
	const char *s = is_float ? "f" : "";
	if (f != f)
		return str_printf(c, "__builtin_nan%s(\"\")", s);
	if (f > 1.7976931348623157e308 || f < -1.7976931348623157e308)
		return str_printf(c, "%s__builtin_inf%s()", f < 0 ? "-" : "", s);
	if (f == (double)(int64_t)f && f < 1e6 && f > -1e6 && !(f == 0 && signbit(f)))
		return str_printf(c, "%.1f%s", f, s);
	return str_printf(c, "%a%s /* %.9g */", f, s, f);
}

static const char *field_text(struct emission *e, const struct field *f, const char *p)
{
	switch (f->type) {
	case 'i': {
		int32_t x;
		memcpy(&x, p, sizeof x);
		return x == INT32_MIN ? "INT32_MIN" : str_printf(e->c, "%" PRId32, x);
	}
	case 'l': {
		int64_t x;
		memcpy(&x, p, sizeof x);
		if (x == INT64_MIN)
			return "INT64_MIN";
		if (x > INT32_MAX || x < INT32_MIN)
			return str_printf(e->c, "INT64_C(%" PRId64 ")", x);
		return str_printf(e->c, "%" PRId64, x);
	}
	case 'f': {
		float x;
		memcpy(&x, p, sizeof x);
		return float_text(e->c, (double)x, true);
	}
	default: {
		double x;
		memcpy(&x, p, sizeof x);
		return float_text(e->c, x, false);
	}
	}
}

static bool zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* .name = value for every member that is not zero, wrapped at 100 columns */
static void params(struct emission *e, struct text *t, const char *indent, const struct step *st)
{
	const struct kernel *k = st->kernel;
	size_t column = 0;
	bool any = false;
	for (int i = 0; i < k->n_fields; i++) {
		const struct field *f = &k->fields[i];
		const size_t size = f->type == 'i' || f->type == 'f' ? 4 : 8;
		const char *p = (const char *)st->params + f->offset;
		int n = f->count ? f->count : 1;
		while (n > 0 && zero(p + (size_t)(n - 1) * size, size))
			n--;
		if (n == 0)
			continue;
		struct text m = { .c = e->c };
		text_printf(&m, ".%s = %s", f->name, f->count ? "{ " : "");
		for (int j = 0; j < n; j++)
			text_printf(&m, "%s%s", j ? ", " : "", field_text(e, f, p + (size_t)j * size));
		text_printf(&m, "%s,", f->count ? " }" : "");
		if (!any || column + m.n + 1 > 84) {
			text_printf(t, "%s%s", any ? "\n" : "", indent);
			column = 0;
		} else {
			text_add(t, " ", 1);
		}
		text_add(t, m.s, m.n);
		column += m.n + 1;
		any = true;
	}
	if (!any)
		text_printf(t, "\t\t0");
	text_add(t, "\n", 1);
}

static const char *op_text(struct ctx *c, const struct node *n)
{
	return *n->domain ? str_printf(c, "%s.%s", n->domain, n->op_type) : n->op_type;
}

/* The attributes that a reader of ONNX expects: "pads=[1,1,1,1] activation=relu", at most some 300 characters. */
static const char *attrs_text(struct ctx *c, const struct node *n)
{
	struct text t = { .c = c };
	text_add(&t, "", 0);
	for (int k = 0; k < vec_len(n->attrs) && t.n < 240; k++) {
		const struct attr *a = &n->attrs[k];
		if (str_eq(a->name, "expr"))		/* has a line of its own */
			continue;
		if (a->kind == ATTR_INT)
			text_printf(&t, " %s=%" PRId64, a->name, a->i);
		else if (a->kind == ATTR_FLOAT)
			text_printf(&t, " %s=%.9g", a->name, a->f);
		else if (a->kind == ATTR_STRING)
			text_printf(&t, " %s=%.40s", a->name, a->s);
		else if (a->kind == ATTR_INTS && a->n <= 8) {
			text_printf(&t, " %s=[", a->name);
			for (int i = 0; i < a->n; i++)
				text_printf(&t, "%s%" PRId64, i ? "," : "", a->ints[i]);
			text_add(&t, "]", 1);
		}
	}
	return comment_text(c, t.s);
}

static void step_comment(struct emission *e, struct text *t, int i, const struct step *st)
{
	struct ctx *c = e->c;
	text_printf(t, "/*\n * %d: %s", i, op_text(c, st->node));
	if (*st->node->name)
		text_printf(t, " \"%s\"", comment_text(c, st->node->name));
	const char *attrs = attrs_text(c, st->node);
	if (*attrs)
		text_printf(t, "\n *   %s", attrs);
	const struct attr *expr = attr_find(st->node, "expr");
	if (expr && expr->kind == ATTR_STRING)
		text_printf(t, "\n *    %s", comment_text(c, expr->s));
	for (int k = 0; k < vec_len(st->in); k++)
		if (st->in[k])
			text_printf(t, "\n *    in  %s  %s", comment_text(c, st->in[k]->name),
				    value_text(c, st->in[k]));
	for (int k = 0; k < vec_len(st->out); k++)
		if (st->out[k])
			text_printf(t, "\n *    out %s  %s", comment_text(c, st->out[k]->name),
				    value_text(c, st->out[k]));
	text_printf(t, "\n */\n");
}

/* struct amp_env: scratch of this part, and its share */
static void environment(struct emission *e, struct text *t, int i, const struct step *st)
{
	const int64_t at = e->p->scratch[i], slice = step_slice(st);
	const bool split = st->parts > 1;
	text_printf(t, "\tstruct amp_env env = { ");
	if (st->scratch && split)
		text_printf(t, "r->arena + %" PRId64 " + r->part * INT64_C(%" PRId64 ")", at, slice);
	else if (st->scratch)
		text_printf(t, "r->arena + %" PRId64, at);
	else
		text_printf(t, "NULL");
	text_printf(t, ", %s, AMP_OK, %s, ", split ? "r->part, r->parts" : "0, 1",
		    e->s->threads > 1 && st->phases > 1 ? "r->phase" : "0");
	if (st->shared)
		text_printf(t, "r->arena + %" PRId64, at + (split ? st->parts : 1) * slice);
	else
		text_printf(t, "NULL");
	text_printf(t, " };\n");
}

/* What a step's parameters are called: "p" if no other step has the same, else by the first that has them. */
struct shared { int users; const char *name; };

static const char *params_key(struct emission *e, const struct step *st)
{
	struct text t = { .c = e->c };
	text_printf(&t, "static const struct amp_%s ", st->kernel->base);
	params(e, &t, "\t", st);
	return t.s;
}

static void count_params(struct emission *e, struct map *all, const struct step *st)
{
	if (st->ew)
		return;
	const char *key = params_key(e, st);
	struct shared *s = map_get(all, key);
	if (!s)
		map_put(e->c, all, key, s = NEW(e->c, struct shared));
	s->users++;
}

/* `what` and its number are the function's name */
static void emit_step(struct emission *e, struct text *t, const struct map *all, const char *what, int i,
		      const struct step *st)
{
	struct ctx *c = e->c;
	const int n_in = vec_len(st->in), n_out = vec_len(st->out);
	struct shared *s = st->ew ? NULL : map_get(all, params_key(e, st));
	step_comment(e, t, i, st);
	if (s && s->users > 1 && !s->name) {
		s->name = str_printf(c, "%s_%03d_p", what, i);
		text_printf(t, "static const struct amp_%s %s = {\n", st->kernel->base, s->name);
		params(e, t, "\t", st);
		text_printf(t, "};\n\n");
	}
	text_printf(t, "static enum amp_status %s_%03d(const struct run *r)\n{\n", what, i);
	if (st->ew) {
		const char **in = NEW_ARRAY(c, n_in + 1, const char *);
		const char **out = NEW_ARRAY(c, n_out + 1, const char *);
		for (int k = 0; k < n_in; k++)
			in[k] = st->in[k] ? operand(e, st->in[k]) : NULL;
		for (int k = 0; k < n_out; k++)
			out[k] = st->out[k] ? operand(e, st->out[k]) : NULL;
		emit_ew(t, st->ew, in, out, st->parts);
		text_printf(t, "\treturn AMP_OK;\n}\n\n");
		return;
	}
	if (!s->name) {
		text_printf(t, "\tstatic const struct amp_%s p = {\n", st->kernel->base);
		params(e, t, "\t\t", st);
		text_printf(t, "\t};\n");
	}
	text_printf(t, "\tconst void *const in[] = { ");
	for (int k = 0; k < n_in; k++)
		text_printf(t, "%s%s", k ? ", " : "", st->in[k] ? operand(e, st->in[k]) : "NULL");
	text_printf(t, "%s };\n\tvoid *const out[] = { ", n_in ? "" : "NULL");
	for (int k = 0; k < n_out; k++)
		text_printf(t, "%s%s", k ? ", " : "", st->out[k] ? operand(e, st->out[k]) : "NULL");
	text_printf(t, " };\n");
	environment(e, t, i, st);
	text_printf(t, "\n");
	if (e->s->threads == 1 && st->phases > 1)
		text_printf(t, "\tfor (; env.phase < %d; env.phase++)\n\t", st->phases);
	text_printf(t, "\tamp_%s_%s(&%s, in, out, &env);\n\treturn env.status;\n}\n\n", st->kernel->base,
		    st->kernel->type, s->name ? s->name : "p");
}

/* one include a kernel instance, sorted by first use */
static void includes(struct emission *e, struct text *t)
{
	struct map seen = { 0 };
	const int n = vec_len(e->s->steps);
	for (int i = 0; i < n + vec_len(e->s->makers); i++) {
		const struct kernel *k = (i < n ? e->s->steps[i] : e->s->makers[i - n])->kernel;
		if (!k)
			continue;
		const char *key = str_printf(e->c, "%s %s", k->base, k->type);
		if (map_get(&seen, key))
			continue;
		map_put(e->c, &seen, key, (void *)(uintptr_t)k);
		text_printf(t, "#define AMP_T %d\t/* %s */\n#include \"kernels/%s.inc\"\n#undef AMP_T\n",
			    k->dtype, k->type, k->base);
	}
}

/* NaN in the outputs has one form */
static void canonical(struct emission *e, struct text *t)
{
	const struct graph *g = e->s->g;
	for (int i = 0; i < vec_len(g->outputs); i++) {
		const struct value *v = g->outputs[i];
		if (dtype_is_float(v->type.dtype))
			text_printf(t, "\tamp_canonical_nan_%s(out[%d], %" PRId64 ");\n",
				    dtype_suffix(v->type.dtype), i, type_elements(&v->type));
	}
}

/* The member of struct run, where there is one. */
static const char *prepared(const struct emission *e)
{
	return e->p->prepared_bytes ? ", m->prepared" : "";
}

/* What NAME_prepare() does for a variant: all that is made of the weights. */
static void make_all(struct emission *e, struct text *t)
{
	const char *name = e->o->name;
	text_printf(t, "/* All that is made of the weights, once. */\n"
		    "enum amp_status CAT(%s_make, AMP_VARIANT)(const unsigned char *weights, unsigned char *prepared);\n\n"
		    "enum amp_status CAT(%s_make, AMP_VARIANT)(const unsigned char *weights, unsigned char *prepared)\n{\n"
		    "\tconst struct run r = { .weights = weights, .prepared = prepared };\n"
		    "\tenum amp_status status = AMP_OK;\n\tconst uint64_t saved = amp_fenv_enter();\n\n", name, name);
	for (int i = 0; i < vec_len(e->s->makers); i++)
		text_printf(t, "\tif (status == AMP_OK)\n\t\tstatus = make_%03d(&r);\n", i);
	text_printf(t, "\tAMP_STEP_ENDS;\n\tamp_fenv_leave(saved);\n\treturn status;\n}\n\n");
}

/* The last function for one thread. */
static void run_alone(struct emission *e, struct text *t)
{
	const char *name = e->o->name;
	const int n = vec_len(e->s->steps);
	text_printf(t, "/* All steps in order.  The caller's rounding and flush modes are set aside and restored. */\n"
		    "enum amp_status CAT(%s_run, AMP_VARIANT)(const struct %s *m, unsigned char *arena,\n"
		    "\tconst void *const in[], void *const out[])\n{\n"
		    "\tstatic enum amp_status (*const steps[])(const struct run *) = {\n", name, name);
	for (int i = 0; i < n; i += 8) {
		text_printf(t, "\t\t");
		for (int j = i; j < n && j < i + 8; j++)
			text_printf(t, "step_%03d,%s", j, j + 1 < n && j + 1 < i + 8 ? " " : "");
		text_printf(t, "\n");
	}
	if (!n)
		text_printf(t, "\t\tNULL\n");
	text_printf(t, "\t};\n\tconst struct run r = { arena, m->weights, in, out%s };\n"
		    "\tenum amp_status status = AMP_OK;\n\tconst uint64_t saved = amp_fenv_enter();\n\n"
		    "\tfor (int i = 0; i < %d && status == AMP_OK; i++) {\n"
		    "\t\tif (m->watch)\n\t\t\tm->watch(m->watch_arg, i);\n"
		    "\t\tstatus = steps[i](&r);\n\t\tAMP_STEP_ENDS;\n\t}\n"
		    "\tif (m->watch)\n\t\tm->watch(m->watch_arg, %d);\n", prepared(e), n, n);
	canonical(e, t);
	text_printf(t, "\tamp_fenv_leave(saved);\n\treturn status;\n}\n");
}

/* The last functions for a pool's threads. */
static void run_in_parts(struct emission *e, struct text *t)
{
	const char *name = e->o->name;
	const int n = vec_len(e->s->steps);
	text_printf(t, "/* What the threads of a run have in common. */\nstruct work {\n\tstruct amp_team team;\n"
		    "\tconst struct %s *m;\n\tunsigned char *arena;\n\tconst void *const *in;\n"
		    "\tvoid *const *out;\n};\n\n", name);
	text_printf(t, "/* Each step, the number of its phases, and whether all parts share it; else part 0 does it. */\n"
		    "static const struct {\n\tenum amp_status (*call)(const struct run *);\n\tint phases, shared;\n"
		    "} steps[] = {\n");
	for (int i = 0; i < n; i++) {
		const struct step *st = e->s->steps[i];
		text_printf(t, "%s{ step_%03d, %d, %d },%s", i % 4 ? " " : "\t", i, st->phases > 1 ? st->phases : 1,
			    st->parts > 1, i % 4 == 3 || i == n - 1 ? "\n" : "");
	}
	if (!n)
		text_printf(t, "\t{ NULL, 0, 0 }\n");
	text_printf(t, "};\n\n"
		    "/*\n * What one thread does of all steps in order: its own part of each job - a phase of a step - and those that\n"
		    " * nobody has taken.  The thread's rounding and flush modes are set aside and restored.\n */\n"
		    "static void work(void *arg, int part, int parts)\n{\n"
		    "\tstruct work *const w = (struct work *)arg;\n\tconst struct %s *const m = w->m;\n"
		    "\tstruct run r = { w->arena, m->weights, w->in, w->out, 0, parts, 0%s };\n"
		    "\tstruct amp_team_member me = amp_team_join(part, m->watch != NULL);\n"
		    "\tconst uint64_t saved = amp_fenv_enter();\n\n"
		    "\tfor (int i = 0; i < %d; i++)\n"
		    "\t\tfor (r.phase = 0; r.phase < steps[i].phases; r.phase++) {\n"
		    "\t\t\tamp_team_begin(&w->team, &me, steps[i].shared ? parts : 1);\n"
		    "\t\t\tif (part == 0 && r.phase == 0 && m->watch && amp_team_status(&w->team) == AMP_OK)\n"
		    "\t\t\t\tm->watch(m->watch_arg, i);\n"
		    "\t\t\twhile ((r.part = amp_team_next(&w->team, &me)) >= 0) {\n"
		    "\t\t\t\tenum amp_status s = amp_team_status(&w->team);\n"
		    "\t\t\t\tif (s == AMP_OK)\n\t\t\t\t\ts = steps[i].call(&r);\n"
		    "\t\t\t\tAMP_STEP_ENDS;\n\t\t\t\tamp_team_done(&w->team, s);\n\t\t\t}\n\t\t}\n"
		    "\tamp_team_begin(&w->team, &me, 0);\n"
		    "\tif (part == 0 && m->watch)\n\t\tm->watch(m->watch_arg, %d);\n"
		    "\tamp_fenv_leave(saved);\n}\n\n", name, prepared(e), n, n);
	text_printf(t, "enum amp_status CAT(%s_run, AMP_VARIANT)(const struct %s *m, unsigned char *arena,\n"
		    "\tconst void *const in[], void *const out[])\n{\n"
		    "\tstruct work w = { .m = m, .arena = arena, .in = in, .out = out };\n\n"
		    "\tamp_team_init(&w.team, m->pool ? m->pool->yield : NULL);\n"
		    "\tif (!m->pool || m->pool->run(m->pool, work, &w))\n"
		    "\t\twork(&w, 0, 1);\t/* no pool, or it is busy with another run */\n", name, name);
	canonical(e, t);
	text_printf(t, "\treturn amp_team_status(&w.team);\n}\n");
}

/* Which values the parameters `name` take in all steps: AMP_USED_NAME (kernels/type.h). */
static void used(struct emission *e, struct text *t, const char *name)
{
	uint32_t bits = 0;
	for (int i = 0; i < vec_len(e->s->steps); i++) {
		const struct step *st = e->s->steps[i];
		for (int k = 0; st->kernel && k < st->kernel->n_fields; k++) {
			const struct field *f = &st->kernel->fields[k];
			for (int j = 0; str_eq(f->name, name) && f->type == 'i' && j < (f->count ? f->count : 1); j++) {
				int32_t x;
				memcpy(&x, (const char *)st->params + f->offset + (size_t)j * sizeof x, sizeof x);
				if (x < 0 || x > 31)
					fatal(e->c, R_INTERNAL, "%s: %s is %" PRId32, st->kernel->base, name, x);
				bits |= UINT32_C(1) << x;
			}
		}
	}
	text_printf(t, "#define AMP_USED_%s 0x%" PRIx32 "u\n", upper(e->c, name), bits);
}

void emit_model(struct emission *e)
{
	struct ctx *c = e->c;
	const char *name = e->o->name;
	struct text t = { .c = c };
	const int n = vec_len(e->s->steps);
	text_printf(&t, "/*\n * %s_model.c - the network of %s, step by step.  Emitted by Ampoule %s.\n *\n"
		    " * Model SHA-256 %s\n * Numeric plan: %s.  %d steps.  The same bits from every compiler, "
		    "instruction set and machine.\n *\n * This file is compiled once for each instruction set: "
		    "AMP_VARIANT ends the public symbols.\n"
		    " * arena: values between steps; weights: constants (%s.weights); in, out: the caller's.\n */\n",
		    name, comment_text(c, e->o->model_file), e->o->version, e->o->model_sha256,
		    e->s->plan_name, n, name);
	text_printf(&t, "#include \"%s.h\"\n\n/* Bit i: a call below has the parameter's value i.  Kernels leave out what no call "
		    "needs (kernels/type.h). */\n", name);
	static const char *const parameters[] = { "act", "mode", "op", "b_packed", "plain", "form", "last_half", "copy", "x_plain" };
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
		used(e, &t, parameters[i]);
	text_printf(&t, "\n#include \"kernels/type.h\"\n#include \"kernels/prim.h\"\n#include \"kernels/output.h\"\n");
	includes(e, &t);
	const bool threads = e->s->threads > 1;
	if (threads)
		text_printf(&t, "#define AMP_TEAM_PARTS %d\n#include \"pool/team.h\"\n", e->s->threads);
	text_printf(&t, "\nstruct run {\n\tunsigned char *arena;\n\tconst unsigned char *weights;\n"
		    "\tconst void *const *in;\n\tvoid *const *out;\n%s%s};\n\n",
		    threads ? "\tint part, parts, phase;\t/* of a thread: part `part` of `parts` */\n" : "",
		    e->p->prepared_bytes ? "\tunsigned char *prepared;\t/* what is made of the weights */\n" : "");
	struct map all = { 0 };
	for (int i = 0; i < n; i++)
		count_params(e, &all, e->s->steps[i]);
	for (int i = 0; i < vec_len(e->s->makers); i++)
		count_params(e, &all, e->s->makers[i]);
	for (int i = 0; i < n; i++)
		emit_step(e, &t, &all, "step", i, e->s->steps[i]);
	for (int i = 0; i < vec_len(e->s->makers); i++)
		emit_step(e, &t, &all, "make", i, e->s->makers[i]);

	text_printf(&t, "#define CAT_(a, b) a##_##b\n#define CAT(a, b) CAT_(a, b)\n\n");
	text_printf(&t, "enum amp_status CAT(%s_run, AMP_VARIANT)(const struct %s *m, unsigned char *arena,\n"
		    "\tconst void *const in[], void *const out[]);\n\n", name, name);
	if (e->p->prepared_bytes)
		make_all(e, &t);
	if (threads)
		run_in_parts(e, &t);
	else
		run_alone(e, &t);
	emit_add_text(e, str_printf(c, "%s_model.c", name), &t);
	emit_runtime(e, t.s);
}
