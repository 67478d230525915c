/*
 * compile.h - the stages in order, and the commands that stand on them.  Only compile.c knows all stages.
 */
#ifndef AMP_COMPILE_H
#define AMP_COMPILE_H

#include "emit/emit.h"
#include "target/clang.h"

#include <stdio.h>

#define AMPOULE_VERSION "0.1.0"

/* A tensor for an input: by name, or NULL: by its place in the list. */
struct given { const char *name; const struct tensor *t; };

/* What a user can ask for; every command uses a part of it. */
struct options {
	const char *model;
	const char *out;		/* -o */
	const char *name;
	const char *target;		/* NULL: native */
	const char *triple;		/* LLVM's name of a target, or NULL */
	enum emit_kind emit;		/* objects beside the C, by clang */
	const char *probe;		/* triple that targets describes */
	const char **dims, **shapes;	/* vec: "batch=1", "image=1x3x224x224" */
	enum weights_mode weights;
	bool library;
	const char *labels, *preprocess;
	const char *activation;		/* NULL: by config.json, else softmax unless the graph ends in one */
	const char *plan;		/* numeric plan */
	int threads;			/* 0 and 1: none but the caller's */
	bool at_start;			/* Winograd's and Strassen's weights are transformed when the model is prepared */
	const char *tune;		/* file of measured choices; NULL: none */
	struct tuning *tuning;		/* the same, read */
	const char *dump_after;
	const char *html;		/* file of the report's page */
	bool json, layers, exact, keep, verbose;
	const char **data;		/* vec: test data folders of verify */
	const char **inputs;		/* vec: NAME=FILE or FILE of run */
	double rtol, atol;
	int64_t seed;
	const char *cc;			/* compiler that verify calls */
	/* only through the library (api.c) */
	const void *bytes;		/* the model in memory; NULL: read it from the file */
	size_t n_bytes;
	const char *folder;		/* of its external data */
	FILE *to;			/* what is printed; NULL: standard output */
	bool quiet;			/* child processes print nothing */
	struct given *given;		/* vec: inputs of run */
	bool (*put)(void *arg, const char *path, const void *data, size_t n);	/* instead of a folder */
	void (*result)(void *arg, const char *name, const struct tensor *t);	/* run's outputs */
	void *arg;
};

/* What the stages made. */
struct compiled {
	struct graph *source;		/* as imported, with types: what the truth is computed from */
	struct graph *g;		/* after the passes */
	struct schedule *s;
	struct plan *p;
	const struct target *target;
	const struct clang *clang;	/* for --emit, or NULL */
	const char *name;
};

/* Import, operators expanded, types.  False after diagnostics. */
bool stage_load(struct ctx *c, const struct options *o, struct compiled *k);
/* Passes, schedule, memory plan. */
bool stage_build(struct ctx *c, const struct options *o, struct compiled *k);

/* Can the emitted interface describe the inputs and outputs?  False after diagnostics. */
bool ranks_fit(struct ctx *c, const struct graph *g);
/* Where a command prints. */
FILE *output_of(const struct options *o);

/* Input i of a graph, generated from a seed: the same on every machine (ir_fill()). */
const struct tensor *seeded_input(struct ctx *c, const struct graph *g, int i, int64_t seed);

/* A value of the planned graph beside the same value of the truth, both computed from the model's inputs. */
struct layer_error {
	const struct value *value;
	const struct step *step;	/* that wrote it */
	int64_t n, not_finite;		/* elements; those that are NaN or infinite in one of the two only */
	double greatest;		/* of the truth's absolute values */
	double max_abs, max_rel;	/* max_rel: max_abs / greatest */
	double rms_rel;			/* root of sum (a - b)^2 / sum b^2 */
};
/* One line of what verify compared. */
struct verified {
	const char *set, *output;
	const char *against;		/* "stored", "double", "exact" */
	double max_abs, max_rel, max_ulp;
	int64_t rows, top1_same;
	bool ok;
};
struct verification {
	bool ok;
	int n_sets;
	long stack;			/* bytes, measured */
	struct verified *compared;	/* vec */
	struct layer_error *layers;	/* vec, of the first set */
};
/* Writes the page that --html asks for, if it does; false and a diagnostic when it cannot. */
bool page_write(struct ctx *c, const struct options *o, const struct compiled *k, const struct verification *r);
/* A vec in the order of the model's nodes; NULL when a run failed. */
struct layer_error *layer_errors(struct ctx *c, const struct schedule *s, const struct schedule *truth,
				 const struct tensor *const *in);

/* Commands; each is called through ctx_run() with a struct options. */
enum result cmd_compile(struct ctx *c, void *options);
enum result cmd_inspect(struct ctx *c, void *options);
enum result cmd_run(struct ctx *c, void *options);
enum result cmd_verify(struct ctx *c, void *options);
enum result cmd_targets(struct ctx *c, void *options);

#endif
