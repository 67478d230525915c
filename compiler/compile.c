/*
 * compile.c - the stages in order: the file to read first.
 *
 *	model.onnx -> import -> graph -> passes -> schedule -> plan -> emit -> folder of C
 */
#include "compile.h"

#include "eval/exec.h"
#include "import/config.h"
#include "import/import.h"
#include "passes/passes.h"
#include "plan/plan.h"
#include "report/report.h"
#include "tune.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

FILE *output_of(const struct options *o)
{
	return o->to ? o->to : stdout;
}

bool stage_load(struct ctx *c, const struct options *o, struct compiled *k)
{
	const struct import_options io = { .dims = o->dims, .shapes = o->shapes, .folder = o->folder };
	c->file = o->model;
	k->source = o->bytes ? import_onnx_bytes(c, o->bytes, o->n_bytes, &io) : import_onnx(c, o->model, &io);
	/* types of every value; shapes that the model computes become constants on the way */
	return k->source && pass_infer(k->source) && c->n_errors == 0;
}

/* A step that takes less (ns) is done by one thread: the others would come too late. */
#define STEP_WORTH_SHARING 1500

bool stage_build(struct ctx *c, const struct options *o, struct compiled *k)
{
	const struct pass_options po = { .dump_after = o->dump_after, .dump = output_of(o) };
	k->g = graph_clone(c, k->source);
	k->g->plan = o->plan ? o->plan : "speed";
	k->g->tuning = o->tuning;
	if (k->target && k->target->cache > 0)
		k->g->cache = k->target->cache;
	if (k->target && k->target->prefetch >= 0)
		k->g->prefetch = k->target->prefetch;
	k->g->at_start = o->at_start;
	if (!run_passes(k->g, &po))
		return false;
	k->s = make_schedule(k->g);
	if (!k->s)
		return false;
	if (o->threads > 1)
		schedule_parts(k->s, o->threads, STEP_WORTH_SHARING);
	k->p = plan_memory(c, k->s);
	return c->n_errors == 0;
}

/* Words that a model cannot be called by: C's and C++'s own, and what the emitted folder calls otherwise. */
static bool reserved(const char *name)
{
	static const char words[] = " "
		"alignas alignof and and_eq asm auto bitand bitor bool break case catch "
		"char class compl const constexpr const_cast continue decltype default "
		"delete do double dynamic_cast else enum explicit export extern false "
		"float for friend goto if inline int long mutable namespace new noexcept "
		"not not_eq nullptr operator or or_eq private protected public register "
		"reinterpret_cast restrict return short signed sizeof static "
		"static_assert static_cast struct switch template this thread_local throw "
		"true try typedef typeid typename typeof union unsigned using virtual "
		"void volatile wchar_t while xor xor_eq all clean app kernels main obj "
		"simd third_party amp ";
	char key[24];
	const int n = snprintf(key, sizeof key, " %s ", name);
	return n < (int)sizeof key && strstr(words, key);
}

const struct tensor *seeded_input(struct ctx *c, const struct graph *g, int i, int64_t seed)
{
	const struct type *t = &g->inputs[i]->type;
	int64_t dims[IR_MAX_RANK];
	for (int d = 0; d < t->rank; d++)
		dims[d] = t->dim[d].value;
	struct tensor *x = tensor_new(c, t->dtype, t->rank, dims);
	ir_fill(x, (uint64_t)seed + (uint64_t)i * 1000003u);
	return x;
}

/* A C identifier from --name or the model's file name. */
static const char *model_name(struct ctx *c, const struct options *o)
{
	const char *s = o->name, *slash;
	if (!s) {
		s = (slash = strrchr(o->model, '/')) != NULL ? slash + 1 : o->model;
		s = str_ends(s, ".onnx") ? str_dup_n(c, s, strlen(s) - 5) : s;
	}
	char *n = str_dup(c, s);
	bool same = *n != 0;
	for (char *p = n; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_') {
			*p = '_';
			same = false;
		}
	if (isdigit((unsigned char)*n) || *n == '_' || !*n) {
		n = str_printf(c, "m%s", n);
		same = false;
	}
	if (reserved(n)) {
		n = str_printf(c, "%s_model", n);
		same = false;
	}
	if (o->name && !same) {
		diag(c, SEV_ERROR, "options", NULL, "--name %s: expected a C identifier, for example %s", o->name, n);
		return NULL;
	}
	return n;
}

/* What can be said of the options before the model is read: the target, the passes' names. */
static bool settle(struct ctx *c, const struct options *o, struct compiled *k)
{
	if (o->dump_after && !str_eq(o->dump_after, "all") && !pass_find(o->dump_after)) {
		diag(c, SEV_ERROR, "options", NULL, "--dump-after %s: there is no such pass; see `ampoule help "
		     "compile`", o->dump_after);
		return false;
	}
	if (o->triple && !o->target)
		k->target = target_of_triple(c, o->triple);
	else
		k->target = target_find(c, o->target);
	if (k->target && k->target->no_threads && o->threads > 1) {
		diag(c, SEV_ERROR, "options", NULL, "--threads %d: target %s has no threads", o->threads, k->target->name);
		return false;
	}
	if (!k->target || o->emit == EMIT_C)
		return k->target != NULL;
	if (!o->library) {
		diag(c, SEV_ERROR, "options", NULL, "--emit needs --library: clang alone has no C library for the classifier's "
		     "program");
		return false;
	}
	if (!o->triple) {
		diag(c, SEV_ERROR, "options", NULL, "--emit needs --triple, for example --triple aarch64-none-elf");
		return false;
	}
	k->clang = clang_find(c);
	if (!k->clang)
		diag(c, SEV_ERROR, "options", NULL, "--emit needs clang, and there is none: no clang, clang-30 ... clang-11 in "
		     "$PATH (Debian: apt-get install clang; or set AMPOULE_CLANG)");
	return k->clang != NULL;
}

static bool emit_settings(struct ctx *c, const struct options *o, const struct compiled *k,
			  struct emit_options *e)
{
	const char *slash = strrchr(o->model, '/');
	*e = (struct emit_options){
		.name = k->name, .model_file = slash ? slash + 1 : o->model,
		.model_sha256 = k->source->model_sha256 ? k->source->model_sha256 : "",
		.version = AMPOULE_VERSION, .target = k->target, .weights = o->weights, .library = o->library,
	};
	if (o->labels) {
		e->labels = config_labels(c, o->labels, &e->n_labels, &e->activation, &e->activation_given);
		if (!e->labels)
			return false;
		const struct value *out = vec_len(k->g->outputs) ? k->g->outputs[0] : NULL;
		const int64_t classes = out && out->type.rank > 0 ? out->type.dim[out->type.rank - 1].value : 1;
		if (classes != e->n_labels) {
			diag(c, SEV_ERROR, "labels", NULL, "%s has %d labels but output \"%s\" is %s", o->labels,
			     e->n_labels, out ? out->name : "", out ? type_text(c, &out->type) : "absent");
			return false;
		}
	}
	if (o->preprocess && !(e->preprocess = config_preprocess(c, o->preprocess)))
		return false;
	if (o->activation) {
		static const char *const names[] = { "none", "softmax", "sigmoid" };
		e->activation_given = true;
		for (int i = 0; i < 3; i++)
			if (str_eq(o->activation, names[i]))
				e->activation = (enum amp_activation)i;
	}
	return true;
}

static bool fit(struct ctx *c, struct value *const *v, const char *what)
{
	bool ok = true;
	for (int i = 0; i < vec_len(v); i++)
		if (v[i]->type.rank > AMP_MAX_RANK) {
			diag(c, SEV_ERROR, "emit", NULL, "%s \"%s\" is %s: emitted models take at most %d axes; reshape "
			     "it in the model", what, v[i]->name, type_text(c, &v[i]->type), AMP_MAX_RANK);
			ok = false;
		}
	return ok;
}

bool ranks_fit(struct ctx *c, const struct graph *g)
{
	const bool in = fit(c, g->inputs, "input"), out = fit(c, g->outputs, "output");
	return in && out;
}

/* What 32-bit pointers cannot address is refused here rather than by the C compiler. */
static bool addresses_fit(struct ctx *c, const struct compiled *k)
{
	int64_t most = k->p->arena_bytes > k->p->weights_bytes ? k->p->arena_bytes : k->p->weights_bytes;
	most = k->p->prepared_bytes > most ? k->p->prepared_bytes : most;
	for (int i = 0; i < vec_len(k->g->inputs); i++)
		most = type_bytes(&k->g->inputs[i]->type) > most ? type_bytes(&k->g->inputs[i]->type) : most;
	for (int i = 0; i < vec_len(k->g->outputs); i++)
		most = type_bytes(&k->g->outputs[i]->type) > most ? type_bytes(&k->g->outputs[i]->type) : most;
	if (k->target->bits == 64 || most <= INT32_MAX)
		return true;
	diag(c, SEV_ERROR, "target", NULL, "target %s has pointers of 32 bits, and the model needs a piece of memory of "
	     "%" PRId64 " bytes (arena, weights, what is made of them at start, an input or an output)", k->target->name, most);
	return false;
}

/* --emit: clang, in the folder that is being made; what it makes joins the files that the manifest lists */
struct objects {
	const struct compiled *k;
	const struct options *o;
};
static bool objects(struct emission *e, void *arg, const char *dir)
{
	const struct objects *j = arg;
	const char **made = NULL;
	if (!clang_objects(e->c, j->k->clang, dir, j->k->name, j->o->triple, j->k->target, j->k->s->threads > 1, j->o->emit,
			   &made))
		return false;
	for (int i = 0; i < vec_len(made); i++) {
		size_t n = 0;
		const unsigned char *data = file_read(e->c, str_printf(e->c, "%s/%s", dir, made[i]), SIZE_MAX / 2, &n);
		if (!data)
			return false;
		emit_add(e, made[i], (const char *)data, n);
	}
	report_manifest(e, j->k);
	return true;
}

enum result cmd_compile(struct ctx *c, void *options)
{
	struct options *o = options;
	struct compiled k = { 0 };
	struct emit_options eo;
	struct tuning tuning = { { 0 }, NULL };
	k.name = model_name(c, o);
	if (!k.name || !settle(c, o, &k))
		return R_USAGE;
	if (o->tune && !tune_load(c, o, &tuning))
		return R_INPUT;
	o->tuning = o->tune ? &tuning : NULL;
	if (!stage_load(c, o, &k) || !stage_build(c, o, &k) || !emit_settings(c, o, &k, &eo))
		return R_INPUT;
	if (o->tune && !tune_measure(c, o, &k, &tuning))
		return R_INPUT;
	if (!ranks_fit(c, k.g) || !addresses_fit(c, &k))
		return R_INPUT;
	struct emission *e = emit_c(c, k.s, k.p, &eo);
	struct objects job = { &k, o };
	if (k.clang && !o->put) {
		e->finish = objects;
		e->finish_arg = &job;
	} else {
		report_manifest(e, &k);
	}
	for (int i = 0; o->put && i < vec_len(e->files); i++)
		if (!o->put(o->arg, e->files[i].path, e->files[i].data, e->files[i].n)) {
			diag(c, SEV_ERROR, "emit", NULL, "the caller did not take %s", e->files[i].path);
			return R_INPUT;
		}
	if (o->put)
		return R_SUCCESS;
	if (!emit_write(e, o->out))
		return R_INPUT;
	report_summary(e, &k, o->out, output_of(o));
	return R_SUCCESS;
}

bool page_write(struct ctx *c, const struct options *o, const struct compiled *k, const struct verification *r)
{
	struct text t = { .c = c };
	if (!o->html)
		return true;
	report_page(&t, k, o->model, r);
	return file_write(c, o->html, t.s, t.n);
}

enum result cmd_inspect(struct ctx *c, void *options)
{
	const struct options *o = options;
	struct compiled k = { 0 };
	if (!settle(c, o, &k))
		return R_USAGE;
	if (!stage_load(c, o, &k) || !stage_build(c, o, &k))
		return R_INPUT;
	report_inspect(c, &k, o->json, output_of(o));
	return page_write(c, o, &k, NULL) ? R_SUCCESS : R_INPUT;
}

enum result cmd_targets(struct ctx *c, void *options)
{
	const struct options *o = options;
	if (o->probe) {
		struct text t = { .c = c };
		if (!target_probe(c, o->probe, &t))
			return R_USAGE;
		fputs(t.s, stdout);
		return R_SUCCESS;
	}
	const struct target **all = target_all(c);
	for (int i = 0; i < vec_len(all); i++) {
		printf("%-10s %s\n", all[i]->name, all[i]->about);
		printf("%-10s   %s-endian, pointers of %d bits; %s%s%s%s%s\n", "",
		       all[i]->big_endian ? "big" : "little", all[i]->bits, all[i]->cc ? all[i]->cc : "gcc",
		       all[i]->cflags ? " " : "", all[i]->cflags ? all[i]->cflags : "",
		       all[i]->run ? "; run by " : "", all[i]->run ? all[i]->run : "");
		for (int v = 0; v < vec_len(all[i]->variants); v++)
			printf("%-10s   %-8s %s%s\n", "", all[i]->variants[v].name, all[i]->variants[v].flags,
			       all[i]->variants[v].detect ? "  (chosen at start)" : "");
	}
	const struct target *here = target_find(c, "native");
	if (here)
		printf("%-10s %s\n", "native", str_eq(here->name, "native") ? here->about : here->name);
	return R_SUCCESS;
}
