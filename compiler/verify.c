/*
 * verify.c - `ampoule verify`: emits the model as a library, builds it with the machine's C compiler, runs it on
 * stored or seeded inputs, and compares what it gives with the stored outputs, with the truth (the
 * evaluator in double precision) and, byte for byte, with the contract (`run --exact`).
 */
#include "compile.h"
#include "eval/exec.h"
#include "host.h"
#include "import/import.h"
#include "report/report.h"
#include "verify/compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Reads in0.bin, in1.bin, ...; writes out0.bin, ..., and stack.txt: how much stack NAME_run() used, by running it on
 * a stack of its own that was painted before.  The arena starts full of NaN.
 */
static const char driver[] =
	"#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
	"#include <ucontext.h>\n#include \"model.h\"\n"
	"#define STACK (4 << 20)\n"
	"static ucontext_t back, there;\nstatic const struct amp_model *m = &model_model;\n"
	"static void *state, *arena;\nstatic const void **in;\nstatic void **out;\n"
	"static enum amp_status s;\n"
	"static void on_own_stack(void)\n{\n\ts = m->run(state, arena, in, out);\n}\n"
	"int main(int argc, char **argv)\n{\n"
	"\tstate = malloc((size_t)m->state_bytes + 1);\n"
	"\tin = calloc((size_t)m->n_in + 1, sizeof *in);\n"
	"\tout = calloc((size_t)m->n_out + 1, sizeof *out);\n"
	"\tunsigned char *stack = malloc(STACK);\n"
	"\tchar name[64];\n"
	"\tsize_t arena_bytes = ((size_t)m->arena_bytes + AMP_ALIGN) / AMP_ALIGN * AMP_ALIGN;\n"
	"\tsize_t prepared_bytes = ((size_t)m->prepared_bytes + AMP_ALIGN) / AMP_ALIGN * AMP_ALIGN;\n"
	"\tvoid *prepared = aligned_alloc(AMP_ALIGN, prepared_bytes);\n"
	"\tif (!state || !in || !out || !stack || !prepared || !(arena = aligned_alloc(AMP_ALIGN, arena_bytes)))\n\t\treturn 9;\n"
	"\tmemset(arena, 0xff, arena_bytes);\n"
	"\tfor (int i = 0; i < m->n_in; i++) {\n"
	"\t\tvoid *p = malloc((size_t)m->in[i].bytes + 1);\n"
	"\t\tsnprintf(name, sizeof name, \"in%d.bin\", i);\n\t\tFILE *f = fopen(name, \"rb\");\n"
	"\t\tif (!p || !f || fread(p, 1, (size_t)m->in[i].bytes, f) != (size_t)m->in[i].bytes)\n"
	"\t\t\treturn 8;\n\t\tfclose(f);\n\t\tin[i] = p;\n\t}\n"
	"\tfor (int i = 0; i < m->n_out; i++)\n"
	"\t\tif (!(out[i] = malloc((size_t)m->out[i].bytes + 1)))\n\t\t\treturn 9;\n"
	"\tint isa = argc > 1 ? atoi(argv[1]) : -1;\n"
	"\tstruct amp_pool *pool = NULL;\n#ifdef THREADS\n"
	"\tif (amp_pool_new(THREADS, &pool))\n\t\treturn 9;\n#endif\n"
	"\ts = m->prepare(state, m->weights, prepared, pool, isa);\n"
	"\tmemset(stack, 0xa5, STACK);\n"
	"\tif (s == AMP_OK) {\n\t\tgetcontext(&there);\n\t\tthere.uc_stack.ss_sp = stack;\n"
	"\t\tthere.uc_stack.ss_size = STACK;\n\t\tthere.uc_link = &back;\n"
	"\t\tmakecontext(&there, on_own_stack, 0);\n\t\tswapcontext(&back, &there);\n\t}\n"
	"\tif (s != AMP_OK)\n\t\treturn 10 + (int)s;\n"
	"\tfor (int i = 0; i < m->n_out; i++) {\n"
	"\t\tsnprintf(name, sizeof name, \"out%d.bin\", i);\n\t\tFILE *f = fopen(name, \"wb\");\n"
	"\t\tif (!f || fwrite(out[i], 1, (size_t)m->out[i].bytes, f) != (size_t)m->out[i].bytes || fclose(f))\n"
	"\t\t\treturn 7;\n\t}\n"
	"\tlong used = STACK;\n\twhile (used > 0 && stack[STACK - used] == 0xa5)\n\t\tused--;\n"
	"\tFILE *f = fopen(\"stack.txt\", \"wb\");\n"
	"\treturn !f || fprintf(f, \"%ld\\n\", used) < 0 || fclose(f) ? 7 : 0;\n}\n";

struct job {
	struct ctx *c;
	const struct options *o;
	struct compiled k;
	const char *dir;
	struct schedule *truth;
	struct text json;
	enum result result;
	struct verification r;
};

/* The built program on these inputs. */
static bool run_built(struct job *j, const struct tensor *const *in, struct tensor **out)
{
	struct ctx *c = j->c;
	const struct graph *g = j->k.g;
	if (!host_inputs(c, j->dir, g, in))
		return false;
	char *argv[] = { "./driver", NULL };
	const int r = host_call(j->dir, j->o->quiet, argv);
	if (r != 0) {
		diag(c, SEV_ERROR, "verify", NULL, "the built program failed with exit code %d; see %s", r, j->dir);
		return false;
	}
	size_t n_text;
	const unsigned char *text = file_read(c, str_printf(c, "%s/stack.txt", j->dir), 64, &n_text);
	const long used = text ? strtol((const char *)text, NULL, 10) : 0;
	j->r.stack = used > j->r.stack ? used : j->r.stack;
	for (int i = 0; i < vec_len(g->outputs); i++) {
		size_t n;
		int64_t dims[IR_MAX_RANK];
		const struct type *t = &g->outputs[i]->type;
		for (int d = 0; d < t->rank; d++)
			dims[d] = t->dim[d].value;
		out[i] = tensor_new(c, t->dtype, t->rank, dims);
		const unsigned char *p = file_read(c, str_printf(c, "%s/out%d.bin", j->dir, i), SIZE_MAX / 4, &n);
		if (!p || (int64_t)n != tensor_bytes(out[i])) {
			diag(c, SEV_ERROR, "verify", NULL, "output %d has %zu bytes, expected %" PRId64, i, n,
			     tensor_bytes(out[i]));
			return false;
		}
		if (n)
			memcpy(out[i]->data, p, n);
	}
	return true;
}

static void line(struct job *j, const char *set, const struct value *v, const char *against,
		 const struct comparison *r, bool ok)
{
	struct ctx *c = j->c;
	vec_add(c, j->r.compared, ((struct verified){ set, v->name, against, r->max_abs, r->max_rel, r->max_ulp, r->rows,
						      r->top1_same, ok }));
	if (j->o->json) {
		text_printf(&j->json, "%s\n    {\"set\": ", j->json.n ? "," : "");
		text_json(&j->json, set);
		text_printf(&j->json, ", \"output\": ");
		text_json(&j->json, v->name);
		text_printf(&j->json, ", \"against\": \"%s\", \"max_abs\": %.9g, \"max_rel\": %.9g, \"max_ulp\": %.9g, "
			    "\"elements\": %" PRId64 ", \"outside\": %" PRId64 ", \"rows\": %" PRId64
			    ", \"top1_same\": %" PRId64 ", \"same_bytes\": %s, \"ok\": %s}", against, r->max_abs,
			    r->max_rel == r->max_rel && r->max_rel < 1e300 ? r->max_rel : 1e300, r->max_ulp, r->n,
			    r->n_outside, r->rows, r->top1_same, r->same_bytes ? "true" : "false",
			    ok ? "true" : "false");
		return;
	}
	if (str_eq(against, "exact"))
		fprintf(output_of(j->o), "%-22s %-14s %-8s %s\n", set, v->name, against, ok ? "same bytes" : "BYTES DIFFER");
	else if (!r->same_type)
		fprintf(output_of(j->o), "%-22s %-14s %-8s OTHER SHAPE OR TYPE, expected %s\n", set, v->name, against,
		       type_text(c, &v->type));
	else
		fprintf(output_of(j->o), "%-22s %-14s %-8s max abs %-10.3g max rel %-10.3g max ulp %-10.3g top-1 %" PRId64 "/%" PRId64
		       " %s\n", set, v->name, against, r->max_abs, r->max_rel, r->max_ulp, r->top1_same, r->rows,
		       ok ? "ok" : str_printf(c, "OUTSIDE: %" PRId64 " of %" PRId64 " elements", r->n_outside, r->n));
}

/* One set of inputs; expected[i] may be NULL. */
static enum result check(struct job *j, const char *set, const struct tensor **in, struct tensor *const *expected)
{
	struct ctx *c = j->c;
	const struct graph *g = j->k.g;
	const int n_in = vec_len(g->inputs), n_out = vec_len(g->outputs);
	struct tensor **got = NEW_ARRAY(c, n_out + 1, struct tensor *);
	struct tensor **exact = NEW_ARRAY(c, n_out + 1, struct tensor *);
	struct tensor **truth = NEW_ARRAY(c, n_out + 1, struct tensor *);
	enum result r = exec_run(c, j->k.s, in, exact, NULL, NULL);
	if (r != R_SUCCESS)
		return r;
	if (!run_built(j, in, got))
		return R_INPUT;
	const struct tensor **wide = NEW_ARRAY(c, n_in + 1, const struct tensor *);
	for (int i = 0; i < n_in; i++)
		wide[i] = dtype_is_float(in[i]->dtype) ? tensor_convert(c, in[i], DT_DOUBLE) : in[i];
	r = exec_run(c, j->truth, wide, truth, NULL, NULL);
	if (r != R_SUCCESS)
		return r;
	const double rtol = j->o->rtol >= 0 ? j->o->rtol : 1e-3, atol = j->o->atol >= 0 ? j->o->atol : 1e-5;
	for (int i = 0; i < n_out; i++) {
		const struct value *v = j->k.source->outputs[i];
		if (expected[i]) {
			const struct comparison m = compare(got[i], expected[i], rtol, atol);
			const bool ok = m.same_type && m.n_outside == 0;
			line(j, set, v, "stored", &m, ok);
			r = ok ? r : R_TOLERANCE;
		}
		const struct comparison m = compare(got[i], truth[i], rtol, atol);
		const bool ok = m.same_type && m.n_outside == 0;
		line(j, set, v, "double", &m, ok);
		const struct comparison x = compare(got[i], exact[i], 0, 0);
		line(j, set, v, "exact", &x, x.same_bytes);
		r = ok && x.same_bytes ? r : R_TOLERANCE;
	}
	if (j->r.n_sets++ == 0 && (j->o->layers || j->o->html))
		j->r.layers = layer_errors(c, j->k.s, j->truth, in);
	return r;
}

static void show_layers(struct job *j)
{
	FILE *f = output_of(j->o);
	fprintf(f, "\n%-44s %-28s %9s %9s %9s\n", "layer", "step", "max abs", "max rel", "rms rel");
	for (int i = 0; i < vec_len(j->r.layers); i++) {
		const struct layer_error *e = &j->r.layers[i];
		fprintf(f, "%-44s %-28s %9.2g %9.2g %9.2g%s\n", e->value->name, report_node(e->step->node), e->max_abs,
			e->max_rel, e->rms_rel, e->not_finite ? "  NOT FINITE" : "");
	}
	fprintf(f, "\n");
}

static void layers_json(struct job *j, struct text *t)
{
	text_printf(t, ",\n  \"layers\": [");
	for (int i = 0; i < vec_len(j->r.layers); i++) {
		const struct layer_error *e = &j->r.layers[i];
		text_printf(t, "%s\n    {\"value\": ", i ? "," : "");
		text_json(t, e->value->name);
		text_printf(t, ", \"operator\": ");
		text_json(t, e->step->node->op_type);
		text_printf(t, ", \"algorithm\": ");
		text_json(t, attr_str(e->step->node, "algorithm", ""));
		text_printf(t, ", \"elements\": %" PRId64 ", \"greatest\": %.9g, \"max_abs\": %.9g, \"max_rel\": %.9g, "
			    "\"rms_rel\": %.9g, \"not_finite\": %" PRId64 "}", e->n, e->greatest, e->max_abs,
			    e->max_rel < 1e300 ? e->max_rel : 1e300, e->rms_rel < 1e300 ? e->rms_rel : 1e300, e->not_finite);
	}
	text_printf(t, "\n  ]");
}

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static void worse(struct job *j, enum result r)
{
	if (r == R_INPUT || j->result == R_INPUT)
		j->result = R_INPUT;
	else if (r != R_SUCCESS)
		j->result = r;
}

/* A folder of input_*.pb and output_*.pb. */
static void one_set(struct job *j, const char *dir)
{
	struct ctx *c = j->c;
	const struct graph *g = j->k.source;
	const int n_in = vec_len(g->inputs), n_out = vec_len(g->outputs);
	const struct tensor **in = NEW_ARRAY(c, n_in + 1, const struct tensor *);
	struct tensor **out = NEW_ARRAY(c, n_out + 1, struct tensor *);
	bool ok = true;
	for (int i = 0; i < n_in; i++) {
		in[i] = import_tensor_file(c, str_printf(c, "%s/input_%d.pb", dir, i), NULL);
		ok = ok && in[i];
	}
	for (int i = 0; i < n_out; i++) {
		out[i] = import_tensor_file(c, str_printf(c, "%s/output_%d.pb", dir, i), NULL);
		ok = ok && out[i];
	}
	const char *slash = strrchr(dir, '/');
	worse(j, ok ? check(j, slash ? slash + 1 : dir, in, out) : R_INPUT);
}

static void data_folder(struct job *j, const char *dir)
{
	struct ctx *c = j->c;
	if (exists(str_printf(c, "%s/input_0.pb", dir)) || exists(str_printf(c, "%s/output_0.pb", dir))) {
		one_set(j, dir);
		return;
	}
	int i = 0;
	for (; exists(str_printf(c, "%s/test_data_set_%d", dir, i)); i++)
		one_set(j, str_printf(c, "%s/test_data_set_%d", dir, i));
	if (i == 0) {
		diag(c, SEV_ERROR, "verify", NULL, "%s holds neither input_0.pb nor test_data_set_0", dir);
		worse(j, R_INPUT);
	}
}

static void seeded(struct job *j)
{
	struct ctx *c = j->c;
	const struct graph *g = j->k.source;
	const struct tensor **in = NEW_ARRAY(c, vec_len(g->inputs) + 1, const struct tensor *);
	struct tensor **none = NEW_ARRAY(c, vec_len(g->outputs) + 1, struct tensor *);
	for (int i = 0; i < vec_len(g->inputs); i++)
		in[i] = seeded_input(c, g, i, j->o->seed);
	worse(j, check(j, str_printf(c, "seed %" PRId64, j->o->seed), in, none));
}

enum result cmd_verify(struct ctx *c, void *options)
{
	const struct options *o = options;
	struct job j = { .c = c, .o = o, .json = { .c = c } };
	j.k.target = target_find(c, o->target);
	if (!j.k.target)
		return R_USAGE;
	if (!stage_load(c, o, &j.k) || !stage_build(c, o, &j.k))
		return R_INPUT;
	j.truth = truth_schedule(c, j.k.source);
	if (!ranks_fit(c, j.k.g))
		return R_INPUT;
	if (!j.truth || !(j.dir = host_build(c, o, &j.k, driver, "verify")))
		return R_INPUT;
	for (int i = 0; i < vec_len(o->data); i++)
		data_folder(&j, o->data[i]);
	if (!vec_len(o->data))
		seeded(&j);
	struct text layers = { .c = c };
	if (o->layers && o->json)
		layers_json(&j, &layers);
	else if (o->layers)
		show_layers(&j);
	if (o->json)
		fprintf(output_of(o), "{\n  \"ok\": %s,\n  \"sets\": %d,\n  \"stack_bytes\": %ld,\n  \"comparisons\": [%s\n  ]"
			"%s\n}\n", j.result == R_SUCCESS ? "true" : "false", j.r.n_sets, j.r.stack,
			j.json.s ? j.json.s : "", layers.s ? layers.s : "");
	else
		fprintf(output_of(o), "%s: %d set%s, stack %ld bytes measured, %s\n", o->model, j.r.n_sets, j.r.n_sets == 1 ? "" : "s", j.r.stack,
		       j.result == R_SUCCESS ? "all within tolerance" : j.result == R_TOLERANCE ?
		       "NOT within tolerance" : "NOT all could be compared");
	if (o->keep || (j.result != R_SUCCESS && c->verbose))
		fprintf(output_of(o), "kept: %s\n", j.dir);
	else
		remove_tree(j.dir);
	j.r.ok = j.result == R_SUCCESS;
	if (!page_write(c, o, &j.k, &j.r))
		return R_INPUT;
	return j.result;
}
