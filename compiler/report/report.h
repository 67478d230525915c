/* report.h - what a compilation tells: the manifest, the summary, inspect. */
#ifndef AMP_REPORT_H
#define AMP_REPORT_H

#include "compile.h"

/* Adds manifest.json (and plan.txt) to the emission: binds model, compiler, options, plan and every file. */
void report_manifest(struct emission *e, const struct compiled *k);
/* Elements of the floating constants that the graph uses. */
int64_t report_parameters(const struct graph *g);
/* What a node computes, and by which of its algorithms where it has several: "Conv, winograd4". */
const char *report_node(const struct node *n);
/* [{"file":, "bytes":, "sha256":}, ...]: the files of external data. */
void report_data_files(struct text *t, const struct graph *g);
/* A few lines for the terminal after a compilation. */
void report_summary(const struct emission *e, const struct compiled *k, const char *dir, FILE *f);

/* "layers": [...], of the layers for which the numeric plan had a choice */
void report_layers(struct text *t, const struct graph *g);

/* The page of --html; r NULL: nothing has been verified.  `file` is the model's. */
void report_page(struct text *t, const struct compiled *k, const char *file, const struct verification *r);

/* `ampoule inspect`. */
void report_inspect(struct ctx *c, const struct compiled *k, bool json, FILE *f);

#endif
