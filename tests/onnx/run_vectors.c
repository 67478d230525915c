/*
 * run_vectors.c - the ONNX backend tests: every operator is judged by vectors that others made.
 *
 * In: folders; each folder below them with model.onnx and test_data_set_N is a test.  Out: what
 * failed, and how many passed, failed or are unsupported; exit code 0 only if exactly the tests
 * listed in unsupported.txt (one "NAME reason" a line) are unsupported and all others pass.
 *
 * A test passes when three evaluations agree with every stored output of every data set: the truth
 * (the graph in double), the exact one (the contract's own bytes), and the same after the passes.
 * Floats: |a - b| <= 1e-7 + 1e-3 |b| (bfloat16 and float16: two
 * units in the last place, as ONNX's own runner does for bfloat16), NaN only for NaN; integers and
 * bools: equal (8- and 16-bit integers may differ by 1 in the truth alone: it rounds another real
 * number).
 * Operators whose shape, axes, ... arrive as inputs of the model are
 * compiled with these inputs as constants, as the compiler demands; the report says how many needed
 * that.
 *
 * Each test runs in a process of its own: a crash is a failure of that test.
 */
#include "eval/exec.h"
#include "import/import.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome { PASSED, PASSED_BOUND, UNSUPPORTED, FAILED, N_OUTCOMES };

struct name_list { char **name; char **why; int n, room; };

static void add_name(struct name_list *l, const char *name, const char *why)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->name = realloc(l->name, (size_t)l->room * sizeof *l->name);
		l->why = realloc(l->why, (size_t)l->room * sizeof *l->why);
		if (!l->name || !l->why)
			exit(4);
	}
	l->name[l->n] = strdup(name);
	l->why[l->n++] = strdup(why);
}

static bool has_name(const struct name_list *l, const char *name)
{
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->name[i], name) == 0)
			return true;
	return false;
}

/* ---- one data set -------------------------------------------------------------------------------- */

struct data_set {
	const char *model, *folder;
	bool bind;			/* small inputs become constants */
	bool shapes;			/* the model leaves shapes open: they are the data's, as by --shape */
	char why[400];			/* of a failure or a refusal */
	enum outcome outcome;
};

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

/* the tensors PREFIX_0.pb, PREFIX_1.pb, ...; false when one cannot be read */
static bool read_tensors(struct ctx *c, const char *folder, const char *prefix,
			 struct tensor ***t, const char ***names)
{
	for (int i = 0; ; i++) {
		const char *path = str_printf(c, "%s/%s_%d.pb", folder, prefix, i), *name = NULL;
		if (!exists(path))
			return true;
		struct tensor *x = import_tensor_file(c, path, &name);
		if (!x)
			return false;
		vec_add(c, *t, x);
		vec_add(c, *names, name ? name : "");
	}
}

static double of_maximum;		/* -r: |a - b| <= of_maximum * max |b|, for whole models; 0: not */

static bool close_to_maximum(const struct tensor *got, const struct tensor *want)
{
	double max = 0, worst = 0;
	for (int64_t i = 0; i < want->n; i++) {
		const double a = tensor_get_f(got, i), b = tensor_get_f(want, i);
		if (!(isfinite(a) && isfinite(b)))
			return false;
		max = fmax(max, fabs(b));
		worst = fmax(worst, fabs(a - b));
	}
	return worst <= of_maximum * max;
}

static bool close_to(double a, double b, double rtol)
{
	if (isnan(b) || isnan(a))
		return isnan(a) && isnan(b);
	if (isinf(b) || isinf(a))
		return a == b;
	return fabs(a - b) <= 1e-7 + rtol * fabs(b);
}

static bool compare(struct data_set *d, const char *form, int k, const struct tensor *got,
		    const struct tensor *want, bool truth)
{
	bool same_shape = got->rank == want->rank;
	for (int i = 0; same_shape && i < got->rank; i++)
		same_shape = got->dim[i] == want->dim[i];
	const bool same_type = got->dtype == want->dtype ||
			       (truth && got->dtype == DT_DOUBLE && dtype_is_float(want->dtype));
	if (!same_shape || !same_type) {
		snprintf(d->why, sizeof d->why, "%s: output %d is %s of rank %d, expected %s of rank %d",
			 form, k, dtype_name(got->dtype), got->rank, dtype_name(want->dtype), want->rank);
		return false;
	}
	if (of_maximum > 0 && dtype_is_float(want->dtype) && close_to_maximum(got, want))
		return true;
	for (int64_t i = 0; i < want->n; i++) {
		bool ok;
		if (want->dtype == DT_STRING)
			ok = str_eq(((const char **)got->data)[i], ((const char **)want->data)[i]);
		else if (dtype_is_float(want->dtype))
			ok = close_to(tensor_get_f(got, i), tensor_get_f(want, i),
				      want->dtype == DT_BFLOAT16 ? 0x1p-6 :
				      want->dtype == DT_FLOAT16 ? 0x1p-9 : 1e-3);
		else if (truth && dtype_size(want->dtype) <= 2 && want->dtype != DT_BOOL)
			/* a quantised result near a tie, which float arithmetic and double decide differently */
			ok = llabs(tensor_get_i(got, i) - tensor_get_i(want, i)) <= 1;
		else
			ok = tensor_get_i(got, i) == tensor_get_i(want, i);
		if (!ok && want->dtype == DT_STRING) {
			snprintf(d->why, sizeof d->why, "%s: output %d differs at %lld", form, k, (long long)i);
			return false;
		}
		if (!ok) {
			snprintf(d->why, sizeof d->why, "%s: output %d differs at %lld: %.9g, expected %.9g",
				 form, k, (long long)i, tensor_get_f(got, i), tensor_get_f(want, i));
			return false;
		}
	}
	return true;
}

/* Older releases store bfloat16 data as the uint16 of its bits. */
static void bfloat16_bits(const struct type *t, struct tensor *x)
{
	if (t->dtype == DT_BFLOAT16 && x->dtype == DT_UINT16)
		x->dtype = DT_BFLOAT16;
}

/* The model's input becomes a constant; in[] loses it. */
static void bind_input(struct graph *g, int k, struct tensor **in)
{
	struct value *v = g->inputs[k];
	const int n = vec_len(g->inputs);
	v->is_input = false;
	value_make_const(v, in[k]);
	for (int i = k; i + 1 < n; i++) {
		g->inputs[i] = g->inputs[i + 1];
		in[i] = in[i + 1];
	}
	vec_pop(g->inputs);
}

static void first_error(struct ctx *c, struct data_set *d)
{
	d->outcome = UNSUPPORTED;
	for (int i = 0; i < vec_len(c->diags); i++)
		if (c->diags[i].severity == SEV_ERROR) {
			snprintf(d->why, sizeof d->why, "%s: %s [%s]",
				 c->diags[i].where ? c->diags[i].where : "-", c->diags[i].text,
				 c->diags[i].stage ? c->diags[i].stage : "-");
			return;
		}
	snprintf(d->why, sizeof d->why, "refused without an error");
	d->outcome = FAILED;
}

static enum result evaluate(struct ctx *c, void *arg)
{
	struct data_set *d = arg;
	struct tensor **in = NULL, **want = NULL, **ordered;
	const char **in_names = NULL, **want_names = NULL;
	d->outcome = FAILED;
	if (!read_tensors(c, d->folder, "input", &in, &in_names) ||
	    !read_tensors(c, d->folder, "output", &want, &want_names))
		return first_error(c, d), R_INPUT;
	struct import_options io = { 0 };
	for (int i = 0; d->shapes && i < vec_len(in); i++) {
		struct text t = { .c = c };
		if (!in_names[i][0])
			continue;
		text_printf(&t, "%s=", in_names[i]);
		for (int k = 0; k < in[i]->rank; k++)
			text_printf(&t, "%s%lld", k ? "x" : "", (long long)in[i]->dim[k]);
		vec_add(c, io.shapes, t.s);
	}
	struct graph *g = import_onnx(c, d->model, &io);
	if (!g || c->n_errors)
		return first_error(c, d), R_INPUT;
	/* inputs by name, or by position where the file gives none */
	const int n = vec_len(g->inputs);
	ordered = NEW_ARRAY(c, n + 1, struct tensor *);
	for (int k = 0; k < n; k++) {
		for (int i = 0; i < vec_len(in) && !ordered[k]; i++)
			if (in_names[i][0] && strcmp(in_names[i], g->inputs[k]->name) == 0)
				ordered[k] = in[i];
		if (!ordered[k] && k < vec_len(in))
			ordered[k] = in[k];
		if (!ordered[k]) {
			snprintf(d->why, sizeof d->why, "there is no data for input \"%s\"",
				 g->inputs[k]->name);
			return R_INPUT;
		}
		bfloat16_bits(&g->inputs[k]->type, ordered[k]);
		/* an open shape is the data's: what --shape would say */
		if (g->inputs[k]->type.kind == KIND_TENSOR && !type_known(&g->inputs[k]->type))
			g->inputs[k]->type = type_tensor(g->inputs[k]->type.dtype, ordered[k]->rank,
							 ordered[k]->dim);
	}
	if (d->bind) {
		/* all but the first, unless it is alone: shapes, axes, k, scales, conditions ... */
		for (int k = n - 1; k >= 0; k--)
			if (k > 0 || n == 1 || ordered[k]->n == 1 || !dtype_is_float(ordered[k]->dtype))
				bind_input(g, k, ordered);
	}
	pass_infer(g);
	if (c->n_errors)
		return first_error(c, d), R_INPUT;
	for (int k = 0; k < vec_len(want) && k < vec_len(g->outputs); k++)
		bfloat16_bits(&g->outputs[k]->type, want[k]);
	static const char *const names[] = { "truth", "exact", "after the passes" };
	struct graph *forms[3] = { graph_to_double(c, g), g, graph_clone(c, g) };
	if (!run_passes(forms[2], NULL))
		return first_error(c, d), R_INPUT;
	for (int f = 0; f < 3; f++) {
		const char *form = names[f];
		struct graph *x = forms[f];
		struct tensor **given = NEW_ARRAY(c, n + 1, struct tensor *);
		struct tensor **got = NEW_ARRAY(c, vec_len(x->outputs) + 1, struct tensor *);
		struct schedule *s = make_schedule(x);
		if (!s)
			return first_error(c, d), R_INPUT;
		for (int k = 0; k < vec_len(x->inputs); k++)
			given[k] = ordered[k]->dtype == x->inputs[k]->type.dtype ? ordered[k] :
				   tensor_convert(c, ordered[k], x->inputs[k]->type.dtype);
		if (exec_run(c, s, (const struct tensor *const *)given, got, NULL, NULL) != R_SUCCESS)
			return first_error(c, d), R_INPUT;
		if (vec_len(x->outputs) != vec_len(want)) {
			snprintf(d->why, sizeof d->why, "%d outputs, expected %d", vec_len(x->outputs),
				 vec_len(want));
			return R_INPUT;
		}
		for (int k = 0; k < vec_len(want); k++)
			if (!compare(d, form, k, got[k], want[k], f == 0))
				return R_INPUT;
		/* three threads' parts, one after another: the same bytes */
		struct tensor **shared = NEW_ARRAY(c, vec_len(x->outputs) + 1, struct tensor *);
		schedule_parts(s, 3, 0);
		if (exec_run(c, s, (const struct tensor *const *)given, shared, NULL, NULL) != R_SUCCESS)
			return first_error(c, d), R_INPUT;
		for (int k = 0; k < vec_len(want); k++)
			if (got[k]->n && memcmp(got[k]->data, shared[k]->data, (size_t)tensor_bytes(got[k]))) {
				snprintf(d->why, sizeof d->why, "output %d, %s: three parts give other bytes", k, form);
				return R_INPUT;
			}
	}
	d->outcome = d->bind ? PASSED_BOUND : PASSED;
	return R_SUCCESS;
}

/* ---- one test -------------------------------------------------------------------------------------- */

static enum outcome run_data_set(const char *model, const char *folder, char *why, size_t room)
{
	struct data_set d = { .model = model, .folder = folder };
	for (int attempt = 0; attempt < 3; attempt++) {
		struct ctx *c = ctx_new();
		if (!c)
			exit(4);
		char kept[sizeof d.why];
		memcpy(kept, d.why, sizeof kept);
		d.why[0] = 0;
		if (attempt == 1 && !(d.shapes = strstr(kept, "has no size") != NULL)) {
			ctx_free(c);
			memcpy(d.why, kept, sizeof kept);
			continue;
		}
		d.bind = attempt == 2;
		const enum result r = ctx_run(c, evaluate, &d);
		if (r == R_INTERNAL) {
			first_error(c, &d);
			d.outcome = FAILED;
		} else if (r != R_SUCCESS && d.outcome == FAILED && c->n_errors && !d.why[0]) {
			first_error(c, &d);
		}
		ctx_free(c);
		if (d.outcome != UNSUPPORTED)
			break;
		if (attempt == 2)	/* the first reason is the better one, unless it is about inputs */
			if (!strstr(kept, "known at compile time") && !strstr(kept, "constant"))
				memcpy(d.why, kept, sizeof kept);
	}
	snprintf(why, room, "%s", d.why);
	return d.outcome;
}

static enum outcome run_test(const char *folder, char *why, size_t room)
{
	char model[4096], set[4096];
	enum outcome worst = PASSED;
	snprintf(model, sizeof model, "%s/model.onnx", folder);
	for (int i = 0; i < 1000; i++) {
		snprintf(set, sizeof set, "%s/test_data_set_%d", folder, i);
		if (!exists(set))
			break;
		const enum outcome o = run_data_set(model, set, why, room);
		if (o > worst)
			worst = o;
		if (o >= UNSUPPORTED)
			break;
	}
	return worst;
}

/* In a child: what it says, or FAILED when it dies or takes more than two minutes. */
static enum outcome run_apart(const char *folder, char *why, size_t room)
{
	struct { enum outcome outcome; char why[400]; } answer;
	int fd[2], status = 0;
	fflush(NULL);
	if (pipe(fd) != 0)
		exit(4);
	const pid_t pid = fork();
	if (pid < 0)
		exit(4);
	if (pid == 0) {
		alarm(120);
		memset(&answer, 0, sizeof answer);
		answer.outcome = run_test(folder, answer.why, sizeof answer.why);
		if (write(fd[1], &answer, sizeof answer) != (ssize_t)sizeof answer)
			_exit(9);
		_exit(0);
	}
	close(fd[1]);
	const ssize_t got = read(fd[0], &answer, sizeof answer);
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (got != (ssize_t)sizeof answer || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		snprintf(why, room, "the test's process died (status %d)", status);
		return FAILED;
	}
	snprintf(why, room, "%.399s", answer.why);
	return answer.outcome;
}

/* ---- all tests -------------------------------------------------------------------------------------- */

struct run {
	struct name_list unsupported;
	const char *only;		/* names that contain this */
	bool verbose, list;
	int count[N_OUTCOMES], wrong;
};

static void judge(struct run *r, const char *folder)
{
	const char *slash = strrchr(folder, '/'), *name = slash ? slash + 1 : folder;
	char why[400] = "";
	if (r->only && !strstr(name, r->only))
		return;
	const enum outcome o = run_apart(folder, why, sizeof why);
	const bool listed = has_name(&r->unsupported, name);
	r->count[o]++;
	if (r->list) {
		if (o == UNSUPPORTED)
			printf("%s %s\n", name, why);
	} else if (o == FAILED) {
		printf("FAILED %s: %s\n", name, why);
	} else if (o == UNSUPPORTED && !listed) {
		printf("UNSUPPORTED, not listed: %s: %s\n", name, why);
	} else if (o <= PASSED_BOUND && listed) {
		printf("PASSED, but listed as unsupported: %s\n", name);
	} else if (r->verbose) {
		printf("%s %s%s%s\n", o == UNSUPPORTED ? "unsupported" : "passed", name,
		       o == UNSUPPORTED ? ": " : "", o == UNSUPPORTED ? why : "");
	}
	if (o == FAILED || (o == UNSUPPORTED) != listed)
		r->wrong++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(struct run *r, const char *folder, int depth)
{
	char path[4096];
	struct dirent **entries;
	snprintf(path, sizeof path, "%s/model.onnx", folder);
	if (exists(path)) {
		snprintf(path, sizeof path, "%s/test_data_set_0", folder);
		if (exists(path))
			judge(r, folder);
		return;
	}
	const int n = depth < 6 ? scandir(folder, &entries, NULL, by_name) : 0;
	for (int i = 0; i < n; i++) {
		struct stat st;
		if (entries[i]->d_name[0] != '.' &&
		    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < (int)sizeof path &&
		    stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			walk(r, path, depth + 1);
		free(entries[i]);
	}
	if (n >= 0 && depth < 6)
		free(entries);
}

static void read_unsupported(struct run *r, const char *path)
{
	char line[1000];
	FILE *f = fopen(path, "r");
	if (!f) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *space = strchr(line, ' ');
		if (line[0] == '#' || !line[0])
			continue;
		if (!space || !space[1]) {
			fprintf(stderr, "%s: \"%s\" has no reason\n", path, line);
			exit(2);
		}
		*space = 0;
		add_name(&r->unsupported, line, space + 1);
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	struct run r = { 0 };
	int folders = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0) {
			r.verbose = true;
		} else if (strcmp(argv[i], "-l") == 0) {
			r.list = true;
		} else if (strcmp(argv[i], "-u") == 0 && i + 1 < argc) {
			read_unsupported(&r, argv[++i]);
		} else if (strcmp(argv[i], "-r") == 0 && i + 1 < argc) {
			of_maximum = strtod(argv[++i], NULL);
		} else if (strcmp(argv[i], "-k") == 0 && i + 1 < argc) {
			r.only = argv[++i];
		} else {
			folders++;
			walk(&r, argv[i], 0);
		}
	}
	const int total = r.count[PASSED] + r.count[PASSED_BOUND] + r.count[UNSUPPORTED] + r.count[FAILED];
	if (!folders || !total) {
		fprintf(stderr, "usage: run_vectors [-u UNSUPPORTED] [-k PART OF NAME] [-r R] [-v] [-l] FOLDER...\n"
			"       -l lists what is unsupported; -r R: of floats, max |a - b| <= R max |b| is enough\n"
			"       (for whole models); no test found is an error\n");
		return 2;
	}
	fprintf(r.list ? stderr : stdout,
		"%d tests: %d passed (%d of them with inputs bound as constants), %d unsupported, %d failed\n",
		total, r.count[PASSED] + r.count[PASSED_BOUND], r.count[PASSED_BOUND],
		r.count[UNSUPPORTED], r.count[FAILED]);
	if (r.wrong)
		fprintf(r.list ? stderr : stdout, "%d differ from what is expected\n", r.wrong);
	return r.wrong ? 1 : 0;
}
