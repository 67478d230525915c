/* run.c - `ampoule run`: the model evaluated inside the compiler, in double or with contract arithmetic. */
#include "compile.h"
#include "eval/exec.h"
#include "import/import.h"
#include "verify/npy.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static bool fits(struct ctx *c, const struct value *v, const struct tensor *x, const char *from)
{
	const struct type got = type_tensor(x->dtype, x->rank, x->dim);
	if (type_equal(&v->type, &got))
		return true;
	diag(c, SEV_ERROR, "run", NULL, "input \"%s\" must be %s, but %s holds %s", v->name, type_text(c, &v->type),
	     from, type_text(c, &got));
	return false;
}

/* Inputs: given as NAME=FILE or FILE, the rest seeded. */
static bool inputs(struct ctx *c, const struct options *o, const struct graph *g, const struct tensor **in)
{
	const int n = vec_len(g->inputs);
	for (int i = 0; i < vec_len(o->inputs); i++) {
		const char *eq = strchr(o->inputs[i], '='), *file = eq ? eq + 1 : o->inputs[i];
		int k = eq ? -1 : n == 1 ? 0 : -1;
		for (int j = 0; eq && j < n; j++)
			if (strlen(g->inputs[j]->name) == (size_t)(eq - o->inputs[i]) &&
			    str_starts(o->inputs[i], g->inputs[j]->name))
				k = j;
		if (k < 0) {
			diag(c, SEV_ERROR, "run", NULL, "--input %s: the model has %d inputs, the first is \"%s\"; "
			     "expected NAME=FILE", o->inputs[i], n, n ? g->inputs[0]->name : "");
			return false;
		}
		in[k] = str_ends(file, ".pb") ? import_tensor_file(c, file, NULL) : npy_read(c, file);
		if (!in[k])
			return false;
		if (!fits(c, g->inputs[k], in[k], file))
			return false;
	}
	for (int i = 0; i < vec_len(o->given); i++) {
		const struct given *x = &o->given[i];
		int k = x->name ? -1 : i < n ? i : -1;
		for (int j = 0; x->name && j < n; j++)
			if (str_eq(g->inputs[j]->name, x->name))
				k = j;
		if (k < 0) {
			diag(c, SEV_ERROR, "run", NULL, "the model has no input \"%s\"; it has %d, the first is \"%s\"",
			     x->name ? x->name : str_printf(c, "%d", i), n, n ? g->inputs[0]->name : "");
			return false;
		}
		in[k] = x->t;
		if (!fits(c, g->inputs[k], in[k], "the tensor"))
			return false;
	}
	for (int i = 0; i < n; i++)
		if (!in[i])
			in[i] = seeded_input(c, g, i, o->seed);
	return true;
}

/* A value's name as a file name. */
static const char *file_name(struct ctx *c, const char *name, int i)
{
	char *s = str_dup(c, *name ? name : str_printf(c, "output_%d", i));
	for (char *p = s; *p; p++)
		if (*p == '/' || *p == ':' || (unsigned char)*p < 0x20)
			*p = '_';
	return s[0] == '.' ? str_printf(c, "_%s", s) : s;
}

static void print_tensor(struct ctx *c, struct text *t, const struct value *v, const struct tensor *x, bool json)
{
	const char *hash = sha256_hex(c, x->data, (size_t)tensor_bytes(x));
	if (json) {
		text_printf(t, "{\"name\": ");
		text_json(t, v->name);
		text_printf(t, ", \"dtype\": \"%s\", \"shape\": [", dtype_name(x->dtype));
		for (int d = 0; d < x->rank; d++)
			text_printf(t, "%s%" PRId64, d ? ", " : "", x->dim[d]);
		text_printf(t, "], \"sha256\": \"%s\"}", hash);
		return;
	}
	struct type ty = type_tensor(x->dtype, x->rank, x->dim);
	text_printf(t, "%s %s  sha256 %s\n ", v->name, type_text(c, &ty), hash);
	const int64_t show = x->n < 16 ? x->n : 16;
	for (int64_t i = 0; i < show; i++) {
		if (dtype_is_float(x->dtype))
			text_printf(t, " %.*g", x->dtype == DT_DOUBLE ? 17 : 9, tensor_get_f(x, i));
		else
			text_printf(t, " %" PRId64, tensor_get_i(x, i));
	}
	text_printf(t, "%s\n", show < x->n ? " ..." : "");
}

enum result cmd_run(struct ctx *c, void *options)
{
	const struct options *o = options;
	struct compiled k = { 0 };
	if (!stage_load(c, o, &k))
		return R_INPUT;
	const struct graph *src = k.source;
	const struct tensor **in = NEW_ARRAY(c, vec_len(src->inputs) + 1, const struct tensor *);
	struct tensor **out = NEW_ARRAY(c, vec_len(src->outputs) + 1, struct tensor *);
	if (!inputs(c, o, src, in))
		return R_INPUT;
	const struct schedule *s;
	if (o->exact) {
		if (!stage_build(c, o, &k))
			return R_INPUT;
		s = k.s;
	} else {
		s = truth_schedule(c, src);
		for (int i = 0; i < vec_len(src->inputs); i++)
			if (in[i]->dtype == DT_FLOAT || in[i]->dtype == DT_FLOAT16 || in[i]->dtype == DT_BFLOAT16)
				in[i] = tensor_convert(c, in[i], DT_DOUBLE);
	}
	if (!s)
		return R_INPUT;
	const enum result r = exec_run(c, s, in, out, NULL, NULL);
	if (r != R_SUCCESS)
		return r;
	for (int i = 0; o->result && i < vec_len(src->outputs); i++)
		o->result(o->arg, src->outputs[i]->name, out[i]);
	struct text t = { .c = c };
	if (o->json)
		text_printf(&t, "{\"mode\": \"%s\", \"outputs\": [", o->exact ? "exact" : "double");
	for (int i = 0; i < vec_len(src->outputs); i++) {
		if (o->json && i)
			text_printf(&t, ", ");
		print_tensor(c, &t, src->outputs[i], out[i], o->json);
	}
	if (o->json)
		text_printf(&t, "]}\n");
	if (o->out) {
		mkdir(o->out, 0777);
		for (int i = 0; i < vec_len(src->outputs); i++)
			if (!npy_write(c, str_printf(c, "%s/%s.npy", o->out, file_name(c, src->outputs[i]->name, i)),
				       out[i]))
				return R_INPUT;
	}
	if (t.s)
		fputs(t.s, output_of(o));
	return R_SUCCESS;
}
