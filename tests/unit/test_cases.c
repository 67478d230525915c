/*
 * test_cases.c - runs the text cases of the passes: every tests/cases/FOLDER/NAME.ir.
 *
 * A case is a header, a graph, and what the passes must make of it:
 *	pass: noop, dce			the passes to run
 *	bits: equal | close | none	what the outputs must keep (none: it cannot be run; say why)
 *	plan: speed			the numeric plan, when it is not direct
 *	data: fill | special		inputs: seeded values of order 1, or NaN, infinities, zeros of both signs
 *	---
 *	graph { ... }
 *	---
 *	graph { ... }			or the word `same`
 * Both graphs get types by inference and are compared in canonical form, so names and ids do not
 * matter. Then the graph before and the graph made by the passes are run by the compiler's
 * executor on equal inputs. Arguments: files to run instead of all; they also print what came out.
 */
#include <CUnit/Basic.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/exec.h"
#include "passes/passes.h"

struct test {
	struct ctx *c;
	const char *file, *passes, *bits, *data, *plan;
	char *before, *after;
};

static int n_args;
static char **args;

static bool fail(const struct test *t, const char *what)
{
	fprintf(stderr, "\n%s: %s\n", t->file, what);
	diag_print(t->c, stderr);
	return false;
}

static const char *header(struct ctx *c, const char *text, const char *key)
{
	const char *end = strstr(text, "\n---"), *s = strstr(text, key);
	if (!s || s > end)
		return "";
	s += strlen(key);
	s += strspn(s, " \t");
	return str_dup_n(c, s, strcspn(s, "\n"));
}

static bool read_case(struct test *t)
{
	size_t n;
	unsigned char *bytes = file_read(t->c, t->file, 1 << 20, &n);
	if (!bytes)
		return fail(t, "cannot be read");
	char *text = str_dup_n(t->c, (const char *)bytes, n);
	t->before = strstr(text, "\n---\n");
	t->after = t->before ? strstr(t->before + 5, "\n---\n") : NULL;
	if (!t->after)
		return fail(t, "two lines --- are expected");
	t->passes = header(t->c, text, "pass:");
	t->bits = header(t->c, text, "bits:");
	t->data = header(t->c, text, "data:");
	t->plan = header(t->c, text, "plan:");
	if (!str_eq(t->bits, "equal") && !str_eq(t->bits, "close") && !str_starts(t->bits, "none"))
		return fail(t, "bits: equal, close or none is expected");
	t->before += 5;
	*t->after = 0;
	t->after += 5;
	return true;
}

static bool apply(const struct test *t, struct graph *g)
{
	char *list = str_dup(t->c, t->passes);
	for (char *s = strtok(list, ", "); s; s = strtok(NULL, ", ")) {
		const struct pass *p = pass_find(s);
		if (!p)
			return fail(t, str_printf(t->c, "there is no pass \"%s\"", s));
		if (!p->run(g))
			return fail(t, "the pass reports errors");
		graph_verify(g, s);
	}
	return true;
}

static const char *text_of(struct ctx *c, const struct graph *g, unsigned flags)
{
	struct text t = { .c = c };
	graph_print_as(g, &t, flags);
	return t.s;
}

static void fill(struct tensor *x, uint64_t seed, bool special)
{
	static const double odd[] = { 0.0, -0.0, 1, -1, (double)INFINITY, -(double)INFINITY, (double)NAN,
				      1e-40, -1e-40, 3e38, -3e38, 0.5, -2.5 };
	ir_fill(x, seed);
	if (special && dtype_is_float(x->dtype))
		for (int64_t i = 0; i < x->n; i++)
			tensor_set_f(x, i, odd[((uint64_t)i * 7 + seed * 5) % 13]);
}

static bool execute(const struct test *t, struct graph *g, const struct tensor **in,
		    struct tensor **out)
{
	const struct schedule *s = make_schedule(g);
	if (!s)
		return fail(t, "cannot be scheduled");
	return exec_run(t->c, s, in, out, NULL, NULL) == R_SUCCESS || fail(t, "cannot be run");
}

static bool compare(const struct test *t, int i, const struct tensor *a, const struct tensor *b)
{
	if (a->dtype != b->dtype || a->n != b->n)
		return fail(t, str_printf(t->c, "output %d has another type", i));
	if (str_eq(t->bits, "equal"))
		return tensor_equal(a, b) || fail(t, str_printf(t->c, "output %d has other bits", i));
	double scale = 0, diff = 0;
	for (int64_t k = 0; k < a->n; k++) {
		const double x = tensor_get_f(a, k), y = tensor_get_f(b, k);
		scale = fmax(scale, fabs(x));
		diff = isnan(x) && isnan(y) ? diff : !(fabs(x - y) <= diff) ? fabs(x - y) : diff;
	}
	if (!(diff <= 1e-5 * scale))
		return fail(t, str_printf(t->c, "output %d differs by %g of %g", i, diff, scale));
	return true;
}

static bool same_results(const struct test *t, struct graph *a, struct graph *b)
{
	const int n_in = vec_len(a->inputs), n_out = vec_len(a->outputs);
	if (n_in != vec_len(b->inputs) || n_out != vec_len(b->outputs))
		return fail(t, "the number of inputs or outputs has changed");
	const struct tensor **in = NEW_ARRAY(t->c, n_in + 1, const struct tensor *);
	struct tensor **x = NEW_ARRAY(t->c, n_out + 1, struct tensor *);
	struct tensor **y = NEW_ARRAY(t->c, n_out + 1, struct tensor *);
	for (int i = 0; i < n_in; i++) {
		int64_t d[IR_MAX_RANK];
		const struct type *ty = &a->inputs[i]->type;
		for (int k = 0; k < ty->rank; k++)
			d[k] = ty->dim[k].value;
		struct tensor *f = tensor_new(t->c, ty->dtype, ty->rank, d);
		fill(f, (uint64_t)i + 100, str_eq(t->data, "special"));
		in[i] = f;
	}
	for (int i = 0; i < n_out; i++)
		if (!str_eq(a->outputs[i]->name, b->outputs[i]->name))
			return fail(t, "an output has lost its name");
	if (!execute(t, a, in, x) || !execute(t, b, in, y))
		return false;
	for (int i = 0; i < n_out; i++)
		if (!compare(t, i, x[i], y[i]))
			return false;
	return true;
}

static bool run_test(struct test *t)
{
	struct ctx *c = t->c;
	if (!read_case(t))
		return false;
	struct graph *g = graph_parse(c, t->before, t->file);
	/* a case of `infer` itself may hold shapes that only its folding makes known */
	const bool inferred = str_starts(t->passes, "infer");
	if (!g || (!inferred && !infer_types(g)))
		return fail(t, "the graph before is wrong");
	struct graph *before = graph_clone(c, g), *want = NULL;
	if (inferred && !pass_infer(before))
		return fail(t, "the graph before is wrong");
	g->plan = *t->plan ? t->plan : NULL;
	if (!apply(t, g))
		return false;
	const char *got = text_of(c, g, PRINT_CANONICAL), *expected;
	if (str_starts(t->after, "same"))
		want = graph_clone(c, before);
	else
		want = graph_parse(c, t->after, t->file);
	if (!want || !infer_types(want))
		return fail(t, "the graph after is wrong");
	expected = text_of(c, want, PRINT_CANONICAL);
	if (n_args)
		printf("%s\n", text_of(c, g, 0));
	if (!str_eq(got, expected)) {
		const unsigned brief = PRINT_CANONICAL | PRINT_BRIEF;
		fprintf(stderr, "\n--- expected\n%s\n--- got\n%s", text_of(c, want, brief), text_of(c, g, brief));
		return fail(t, "another graph is expected");
	}
	return str_starts(t->bits, "none") || same_results(t, before, g);
}

static enum result protected(struct ctx *c, void *arg)
{
	struct test *t = arg;
	t->c = c;
	return run_test(t) ? R_SUCCESS : R_INPUT;
}

static bool run_file(const char *file)
{
	struct test t = { .file = file };
	struct ctx *c = ctx_new();
	const enum result r = ctx_run(c, protected, &t);
	if (r == R_INTERNAL)
		fail(&t, "internal error");
	ctx_free(c);
	return r == R_SUCCESS;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int run_folder(const char *folder)
{
	struct dirent **list;
	int ran = 0;
	const int n = scandir(folder, &list, visible, alphasort);
	for (int i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		if (str_ends(path, ".ir")) {
			CU_ASSERT(run_file(path));
			ran++;
		} else if (!strchr(list[i]->d_name, '.')) {
			ran += run_folder(path);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return ran;
}

static void test_all(void)
{
	for (int i = 0; i < n_args; i++)
		CU_ASSERT(run_file(args[i]));
	if (!n_args)
		CU_ASSERT(run_folder("tests/cases") >= 10);	/* they are there at all */
}

int main(int argc, char **argv)
{
	n_args = argc - 1;
	args = argv + 1;
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("cases of the passes", NULL, NULL);
	CU_add_test(s, "tests/cases", test_all);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	int failed = (int)CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
