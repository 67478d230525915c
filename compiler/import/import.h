/*
 * import.h - ONNX files into our graph.  Goes in: the bytes of a model or of a tensor, and the sizes
 * that the user gives to symbolic dimensions.  Comes out: a graph in which functions are inlined,
 * every operator has its newest form and every input a known shape; or NULL, after diagnostics
 * that list everything that is wrong with the model.  Types of inner values are found by `infer`.
 */
#ifndef AMP_IMPORT_H
#define AMP_IMPORT_H

#include "ir/ir.h"

struct import_options {
	const char **dims;		/* vec: "batch=1" */
	const char **shapes;		/* vec: "image=1x3x224x224"; "x=" is a scalar */
	struct map fixed;		/* input -> const struct tensor *: taken as a constant */
	const char *folder;		/* of external data, for import_onnx_bytes; NULL: none allowed */
};

/* o may be NULL.  Sets c->file to path where it is not set. */
struct graph *import_onnx(struct ctx *c, const char *path, const struct import_options *o);
/* `bytes` must live as long as the call only. */
struct graph *import_onnx_bytes(struct ctx *c, const void *bytes, size_t n,
				const struct import_options *o);

/*
 * One tensor of a test_data_set folder (input_0.pb, output_0.pb).  *name (may be NULL) gets the name
 * that the file gives it, "" when it gives none.  NULL and a diagnostic when the file is damaged,
 * or holds a sequence, an optional or a map.
 */
struct tensor *import_tensor_file(struct ctx *c, const char *path, const char **name);
struct tensor *import_tensor_bytes(struct ctx *c, const void *bytes, size_t n, const char **name);

#endif
