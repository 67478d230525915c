/*
 * internal.h - what the files of this folder share.  Nothing outside includes it: protobuf's structs
 * end here.
 *
 *   wire.c       bytes -> protobuf structs, after a check of depth and lengths
 *   tensor.c     TensorProto, SparseTensorProto -> struct tensor
 *   external.c   data that lies in files beside the model
 *   type.c       TypeProto -> struct type; symbolic dimensions and their sizes
 *   build.c      GraphProto -> struct graph: names, scopes, subgraphs
 *   attribute.c  AttributeProto -> struct attr
 *   functions.c  calls of model-local functions, inlined
 *   upgrade.c    every node to its newest form; the list of unsupported operators
 *   import.c     the entry points and their order
 */
#ifndef AMP_IMPORT_INTERNAL_H
#define AMP_IMPORT_INTERNAL_H

#include "core/core.h"
#include "import/import.h"
#include "ir/ir.h"
#include "onnx.pb-c.h"

#define STAGE "import"
#define MAX_TOLD 50			/* undefined names; the rest is counted */

struct importer {
	struct ctx *c;
	const struct import_options *o;
	const char *folder;		/* of external data; NULL: none allowed */
	const char *model_path;		/* NULL: from memory */
	struct map functions;		/* key of function_key() -> Onnx__FunctionProto */
	struct map opsets;		/* of the model: domain -> version + 1, as a pointer */
	struct map symbols;		/* name -> struct symbol */
	struct map shapes;		/* input -> struct shape */
	struct map unsupported;		/* "domain op" -> struct missing_op */
	struct map data_files;		/* true path -> struct data_file: external data read so far */
	struct map warned;		/* domains that no opset_import names */
	struct map prefixes;		/* names of inlined calls so far -> count */
	int n_inlined;			/* nodes out of function bodies */
	int n_undefined;		/* names that no node before their use makes */
};

/* A symbolic dimension and the size that --dim or --shape gave it. */
struct symbol {
	const char *name;
	int64_t value;			/* 0: none yet */
	const char *origin;		/* the option's text */
	bool by_dim, in_model, told;
};

/* A call of a function: where attribute references inside its body look. */
struct call {
	const Onnx__FunctionProto *function;
	const Onnx__NodeProto *site;
	struct scope *site_scope;
	const struct call *outer;
	int depth;
};

/*
 * Names of one graph or function body.  A subgraph sees its outer scope's names, a function body sees
 * its parameters only.  A name bound to `absent` is an optional parameter that the caller left out.
 */
struct scope {
	struct importer *im;
	struct scope *outer;
	struct graph *g;		/* where nodes go */
	struct map names;		/* -> struct value */
	struct map missing;		/* reported names -> placeholders */
	struct map made_by;		/* filled for messages only */
	struct map renamed;		/* a function's output -> the caller's name for it */
	const struct map *opsets;
	const struct call *call;	/* NULL outside functions */
	const char *prefix;		/* of names in an inlined body: "caller/"; "" outside */
};

extern struct value *const absent;

/* ---- wire.c ---- */
/* A message of descriptor d, NULL and a diagnostic when the bytes are damaged or want too much memory. */
ProtobufCMessage *wire_unpack(struct ctx *c, const ProtobufCMessageDescriptor *d,
			      const void *bytes, size_t n, const char *what);
/* Checks only: NULL when the bytes are a well-formed message, else what is wrong. */
const char *wire_check(struct ctx *c, const ProtobufCMessageDescriptor *d,
		       const void *bytes, size_t n);

/* ---- tensor.c; `where` names the tensor in messages ---- */
struct tensor *tensor_import(struct importer *im, const Onnx__TensorProto *p, const char *where);
struct tensor *sparse_import(struct importer *im, const Onnx__SparseTensorProto *p,
			     const char *where);
bool dtype_import(int data_type, enum dtype *t);	/* false: unknown to us */

/* ---- external.c ---- */
/* `want` bytes of external data; NULL and a diagnostic. */
void *external_read(struct importer *im, const Onnx__TensorProto *p, int64_t want,
		    const char *where);
/* The files that tensors came from, in the order of their first use: a vec.  Gives their bytes back. */
struct source_file *external_files(struct importer *im);

/* ---- type.c ---- */
void symbols_read_options(struct importer *im);
void type_import(struct importer *im, const Onnx__TypeProto *p, const char *where,
		 struct type *t);
/* Binds --shape and --dim to the main graph's inputs; reports every dimension left open. */
void symbols_collect(struct importer *im, const Onnx__GraphProto *p);
void input_type(struct importer *im, const Onnx__ValueInfoProto *v, struct type *t);
const struct tensor *input_fixed(const struct importer *im, const char *name);
void symbols_check_unused(struct importer *im, const Onnx__GraphProto *p);

/* ---- build.c ---- */
void graph_build(struct scope *s, const Onnx__GraphProto *p, bool main_graph);
void nodes_build(struct scope *s, Onnx__NodeProto **nodes, size_t n);
void scope_define(struct scope *s, const char *name, struct value *v, const char *where);
struct value *scope_find(const struct scope *s, const char *name);
const char *scope_value_name(const struct scope *s, const char *name);
const char *proto_where(struct ctx *c, const Onnx__NodeProto *p, const char *prefix);
const char *domain_of(const char *domain);	/* "ai.onnx" and NULL are "" */
int opset_of(struct scope *s, const char *domain, const char *where);
void opsets_read(struct importer *im, struct map *m, Onnx__OperatorSetIdProto **p, size_t n);

/* ---- attribute.c ---- */
/*
 * Follows references to the caller's attributes; *s becomes the scope in which the result's subgraphs
 * resolve.  NULL: the caller gave none and there is no default.
 */
const Onnx__AttributeProto *attribute_resolve(struct scope **s, const Onnx__AttributeProto *a,
					      const char *where);
void attributes_import(struct scope *s, struct node *n, const Onnx__NodeProto *p,
		       const char *where);
/* The data of a Constant node; NULL and a diagnostic. */
struct tensor *constant_import(struct scope *s, const Onnx__NodeProto *p, const char *where);

/* ---- functions.c ---- */
void functions_read(struct importer *im, Onnx__FunctionProto **f, size_t n);
const Onnx__FunctionProto *function_find(const struct importer *im, const Onnx__NodeProto *p);
void function_inline(struct scope *s, const Onnx__NodeProto *p, const Onnx__FunctionProto *f,
		     const char *where);

/* ---- upgrade.c ---- */
void graph_upgrade(struct importer *im, struct graph *g);
void unsupported_report(struct importer *im);

#endif
