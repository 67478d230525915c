/*
 * compile.h - the stages in order, and the commands that stand on them.  Only compile.c knows all stages.
 */
#ifndef AMP_COMPILE_H
#define AMP_COMPILE_H

#include "emit/emit.h"

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
	const char **dims, **shapes;	/* vec: "batch=1", "image=1x3x224x224" */
	enum weights_mode weights;
	bool library;
	const char *labels, *preprocess;
	const char *activation;		/* NULL: by config.json, else softmax unless the graph ends in one */
	const char *plan;		/* numeric plan */
	const char *dump_after;
	bool json, exact, keep, verbose;
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

/* Commands; each is called through ctx_run() with a struct options. */
enum result cmd_compile(struct ctx *c, void *options);
enum result cmd_inspect(struct ctx *c, void *options);
enum result cmd_run(struct ctx *c, void *options);
enum result cmd_verify(struct ctx *c, void *options);
enum result cmd_targets(struct ctx *c, void *options);

#endif
