/*
 * api.c - include/ampoule.h on the commands of compile.h.
 *
 * Each call gets a fresh context, which lives until the next call: messages and results lie in its arena.  The
 * commands write to a FILE of ours instead of standard output; a fault jumps back here, not out of the program.
 */
#include "ampoule.h"
#include "compile.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

struct ampoule {
	struct ctx *c;			/* of the last call */
	struct ampoule_message *messages;	/* vec, in c */
};

const char *ampoule_version(void)
{
	return AMPOULE_VERSION;
}

struct ampoule *ampoule_new(void)
{
	return calloc(1, sizeof(struct ampoule));
}

void ampoule_free(struct ampoule *a)
{
	if (a)
		ctx_free(a->c);
	free(a);
}

int ampoule_messages(const struct ampoule *a)
{
	return vec_len(a->messages);
}

const struct ampoule_message *ampoule_message(const struct ampoule *a, int i)
{
	return i >= 0 && i < vec_len(a->messages) ? &a->messages[i] : NULL;
}

/* One call: what it asks for, and what it gives. */
struct call {
	struct ampoule *a;
	const struct ampoule_model *model;
	const struct ampoule_options *o;
	const char *folder;
	ampoule_put *put;
	void *arg;
	FILE *to;
	const struct ampoule_tensor *in;
	int n_in;
	struct ampoule_tensor *out;	/* vec */
	enum result (*command)(struct ctx *, void *);
};

static bool put_file(void *arg, const char *path, const void *data, size_t n)
{
	const struct call *k = arg;
	return k->put(k->arg, path, data, n) == 0;
}

static _Noreturn void usage(struct ctx *c, const char *what)
{
	fatal(c, R_USAGE, "%s", what);
}

static const char **list(struct ctx *c, const char *const *from)
{
	const char **v = NULL;
	for (int i = 0; from && from[i]; i++)
		vec_add(c, v, from[i]);
	return v;
}

static void take_options(struct ctx *c, const struct ampoule_options *from, struct options *o)
{
	struct ampoule_options x = AMPOULE_OPTIONS;
	if (from) {
		if (from->size < sizeof from->size)
			usage(c, "options: size is not set; begin with AMPOULE_OPTIONS");
		memcpy(&x, from, from->size < sizeof x ? from->size : sizeof x);
	}
	static const char *const activations[] = { "none", "softmax", "sigmoid" };
	bool known = !x.activation;
	for (int i = 0; i < 3; i++)
		known = known || str_eq(x.activation, activations[i]);
	if (!known)
		usage(c, "options: activation is softmax, sigmoid or none");
	if (x.plan && !str_eq(x.plan, "speed") && !str_eq(x.plan, "size") && !str_eq(x.plan, "direct"))
		usage(c, "options: plan is speed, size or direct");
	if (x.transform && !str_eq(x.transform, "ahead") && !str_eq(x.transform, "start"))
		usage(c, "options: transform is ahead or start");
	if (x.threads < 0 || x.threads > AMP_MAX_THREADS)
		usage(c, "options: threads is 1 to 64");
	if ((int)x.weights < 0 || x.weights > AMPOULE_FILE_BESIDE)
		usage(c, "options: weights is none of enum ampoule_weights");
	o->target = x.target;
	o->dims = list(c, x.dims);
	o->shapes = list(c, x.shapes);
	o->plan = x.plan;
	o->name = x.name;
	o->weights = x.weights == AMPOULE_ARRAY ? WEIGHTS_ARRAY :
		     x.weights == AMPOULE_FILE_BESIDE ? WEIGHTS_FILE : WEIGHTS_EMBED;
	o->library = x.library != 0;
	o->labels = x.labels;
	o->preprocess = x.preprocess;
	o->activation = x.activation;
	o->exact = x.exact != 0;
	o->seed = x.seed;
	o->data = list(c, x.data);
	o->rtol = x.rtol > 0 ? x.rtol : x.rtol < 0 || x.atol ? 0 : -1;
	o->atol = x.atol > 0 ? x.atol : x.atol < 0 || x.rtol ? 0 : -1;
	o->cc = x.cc;
	o->threads = x.threads;
	o->at_start = x.transform && str_eq(x.transform, "start");
}

static struct given given(struct ctx *c, const struct ampoule_tensor *t)
{
	if (t->rank < 0 || t->rank > AMPOULE_MAX_RANK || t->dtype <= 0 || t->dtype >= DT_COUNT ||
	    dtype_size((enum dtype)t->dtype) == 0)
		usage(c, "run: an input's rank or dtype is outside its range");
	const struct type ty = type_tensor((enum dtype)t->dtype, t->rank, t->dim);
	if (type_bytes(&ty) < 0 || (uint64_t)type_bytes(&ty) != t->bytes || (t->bytes && !t->data))
		usage(c, "run: an input's bytes do not fit its dims");
	struct tensor *x = tensor_new(c, ty.dtype, t->rank, t->dim);
	if (t->bytes)
		memcpy(x->data, t->data, t->bytes);
	return (struct given){ t->name, x };
}

static void result(void *arg, const char *name, const struct tensor *x)
{
	struct call *k = arg;
	struct ampoule_tensor *t = vec_push(k->a->c, k->out);
	t->name = name;
	t->dtype = (int)x->dtype;
	t->rank = x->rank;
	memcpy(t->dim, x->dim, sizeof x->dim < sizeof t->dim ? sizeof x->dim : sizeof t->dim);
	t->data = x->data;
	t->bytes = (size_t)tensor_bytes(x);
}

/* Inside ctx_run(). */
static enum result inside(struct ctx *c, void *arg)
{
	struct call *k = arg;
	struct options *o = NEW(c, struct options);
	if (!k->model || !k->model->path)
		usage(c, "the model has no path");
	if (k->command == cmd_compile && !k->put && !*k->folder)
		usage(c, "compile needs a folder");
	take_options(c, k->o, o);
	o->model = k->model->path;
	o->bytes = k->model->bytes;
	o->n_bytes = k->model->n_bytes;
	o->folder = k->model->folder;
	o->out = k->folder;
	o->json = true;
	o->quiet = true;
	o->to = k->to;
	o->arg = k;
	o->put = k->put ? put_file : NULL;
	o->result = k->command == cmd_run ? result : NULL;
	for (int i = 0; i < k->n_in; i++)
		vec_add(c, o->given, given(c, &k->in[i]));
	return k->command(c, o);
}

/* What a call leaves for the caller: the text that the command wrote, and all messages. */
struct after { struct ampoule *a; const char *s; size_t n; char *text; };

static enum result after(struct ctx *c, void *arg)
{
	struct after *x = arg;
	struct ampoule *a = x->a;
	if (x->n)
		x->text = str_dup_n(c, x->s, x->n);
	for (int i = 0; i < vec_len(c->diags); i++) {
		const struct diag *d = &c->diags[i];
		struct ampoule_message *m = vec_push(c, a->messages);
		*m = (struct ampoule_message){ (enum ampoule_severity)d->severity, d->file, d->where, d->stage,
					       d->text };
	}
	return R_SUCCESS;
}

/* The call in a new context; *text (may be NULL) gets what the command wrote. */
static enum ampoule_result call(struct call *k, const char **text)
{
	struct ampoule *a = k->a;
	char *s = NULL;
	size_t n = 0;
	ctx_free(a->c);
	a->messages = NULL;
	a->c = ctx_new();
	k->to = a->c ? open_memstream(&s, &n) : NULL;
	const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	enum result r = R_INTERNAL;
	if (k->to && plain) {
		const locale_t users = uselocale(plain);
		r = ctx_run(a->c, inside, k);
		uselocale(users);
	}
	if (plain)
		freelocale(plain);
	if (k->to && fclose(k->to) != 0)
		r = R_INTERNAL;
	struct after x = { a, s, r == R_SUCCESS || r == R_TOLERANCE ? n : 0, NULL };
	if (a->c && ctx_run(a->c, after, &x) != R_SUCCESS)
		r = R_INTERNAL;
	free(s);
	if (text)
		*text = x.text;
	return (enum ampoule_result)r;
}

enum ampoule_result ampoule_compile(struct ampoule *a, const struct ampoule_model *model,
				    const struct ampoule_options *o, const char *folder)
{
	struct call k = { .a = a, .model = model, .o = o, .folder = folder ? folder : "", .command = cmd_compile };
	return call(&k, NULL);
}

enum ampoule_result ampoule_compile_to(struct ampoule *a, const struct ampoule_model *model,
				       const struct ampoule_options *o, ampoule_put *put, void *arg)
{
	struct call k = { .a = a, .model = model, .o = o, .put = put, .arg = arg, .command = cmd_compile };
	return call(&k, NULL);
}

enum ampoule_result ampoule_inspect(struct ampoule *a, const struct ampoule_model *model,
				    const struct ampoule_options *o, const char **json)
{
	struct call k = { .a = a, .model = model, .o = o, .command = cmd_inspect };
	return call(&k, json);
}

enum ampoule_result ampoule_verify(struct ampoule *a, const struct ampoule_model *model,
				   const struct ampoule_options *o, const char **json)
{
	struct call k = { .a = a, .model = model, .o = o, .command = cmd_verify };
	return call(&k, json);
}

enum ampoule_result ampoule_run(struct ampoule *a, const struct ampoule_model *model,
				const struct ampoule_options *o, const struct ampoule_tensor *in, int n_in,
				const struct ampoule_tensor **out, int *n_out)
{
	struct call k = { .a = a, .model = model, .o = o, .in = in, .n_in = n_in, .command = cmd_run };
	const enum ampoule_result r = call(&k, NULL);
	const bool ok = r == AMPOULE_SUCCESS;
	if (out)
		*out = ok ? k.out : NULL;
	if (n_out)
		*n_out = ok ? vec_len(k.out) : 0;
	return r;
}
