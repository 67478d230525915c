/*
 * importing.h - what the tests of the import share: a model written in memory goes in, a graph or its
 * diagnostics come out.  Each import has a context of its own, freed by the next one.
 */
#ifndef IMPORTING_H
#define IMPORTING_H

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "onnx_writer.h"

struct imported {
	struct ctx *c;
	struct graph *g;
	enum result result;		/* of ctx_run: R_INPUT after any error */
};

static struct imported got;

struct import_job {
	const void *bytes;
	size_t n;
	const char *path;
	const struct import_options *o;
};

static enum result import_job_run(struct ctx *c, void *arg)
{
	const struct import_job *j = arg;
	got.g = j->path ? import_onnx(c, j->path, j->o) : import_onnx_bytes(c, j->bytes, j->n, j->o);
	return got.g ? R_SUCCESS : R_INPUT;
}

static void import_job_start(const struct import_job *j)
{
	ctx_free(got.c);
	got = (struct imported){ .c = ctx_new() };
	if (!got.c)
		exit(1);
	got.c->file = j->path ? j->path : "test.onnx";
	got.result = ctx_run(got.c, import_job_run, (void *)j);
}

static inline void import_bytes(const void *p, size_t n, const struct import_options *o)
{
	import_job_start(&(struct import_job){ .bytes = p, .n = n, .o = o });
}

static inline void import_path(const char *path, const struct import_options *o)
{
	import_job_start(&(struct import_job){ .path = path, .o = o });
}

/* Imports and frees the model. */
static inline struct graph *import_pb(struct pb m)
{
	import_bytes(m.p, m.n, NULL);
	pb_free(&m);
	return got.g;
}

/* ... with one --dim and one --shape, each perhaps NULL. */
static inline struct graph *import_with(struct pb m, const char *dim, const char *shape)
{
	struct ctx *c = ctx_new();
	struct import_options o = { 0 };
	if (dim)
		vec_add(c, o.dims, dim);
	if (shape)
		vec_add(c, o.shapes, shape);
	import_bytes(m.p, m.n, &o);
	pb_free(&m);
	ctx_free(c);
	return got.g;
}

/* How many diagnostics (of errors, or of all) hold the text, in their place or their message. */
static inline int told(const char *text)
{
	int n = 0;
	for (int i = 0; i < vec_len(got.c->diags); i++) {
		const struct diag *d = &got.c->diags[i];
		n += strstr(d->text, text) || (d->where && strstr(d->where, text));
	}
	return n;
}

/* The import must have failed with exactly n errors, one of which holds the text. */
static inline bool fails_with(int n, const char *text)
{
	const bool ok = !got.g && got.result == R_INPUT && got.c->n_errors == n && told(text) > 0;
	if (!ok) {
		printf("\n    wanted %d error(s) with \"%s\", got %d:\n", n, text, got.c->n_errors);
		diag_print(got.c, stdout);
	}
	return ok;
}

static inline bool imports(void)
{
	if (!got.g)
		diag_print(got.c, stdout);
	return got.g && got.c->n_errors == 0;
}

static inline struct node *node_of(const char *op, int which)
{
	for (struct node *n = got.g ? got.g->first : NULL; n; n = n->next)
		if (str_eq(n->op_type, op) && which-- == 0)
			return n;
	return NULL;
}

static inline int node_count(void)
{
	int k = 0;
	for (struct node *n = got.g ? got.g->first : NULL; n; n = n->next)
		k++;
	return k;
}

/* A graph that has inputs and outputs of float [2,3]: nodes are added by the caller. */
static inline struct pb graph_of(const char *inputs, const char *outputs)
{
	struct pb g = { 0 };
	char w[64];
	int used;
	pb_str(&g, GRAPH_NAME, "test");
	for (; sscanf(inputs, " %63s%n", w, &used) == 1; inputs += used)
		pb_sub(&g, GRAPH_INPUT, onnx_value(w, 1, "2 3"));
	for (; sscanf(outputs, " %63s%n", w, &used) == 1; outputs += used)
		pb_sub(&g, GRAPH_OUTPUT, onnx_value(w, 1, "2 3"));
	return g;
}

static inline void add_node(struct pb *g, const char *op, const char *in, const char *out,
			    const char *attrs)
{
	struct pb n = onnx_node(op, in, out, out);
	onnx_attrs(&n, attrs);
	pb_sub(g, GRAPH_NODE, n);
}

/* Runs a list of tests; what main() returns. */
struct test_row { const char *name; void (*fn)(void); };

static inline int run_tests(const char *suite, const struct test_row *rows, size_t n)
{
	CU_pSuite s;
	if (CU_initialize_registry() != CUE_SUCCESS || !(s = CU_add_suite(suite, NULL, NULL)))
		return 1;
	for (size_t i = 0; i < n; i++)
		if (!CU_add_test(s, rows[i].name, rows[i].fn))
			return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	const unsigned failed = CU_get_number_of_failures(), ran = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	ctx_free(got.c);
	got.c = NULL;
	return failed || ran != n;
}

#endif
