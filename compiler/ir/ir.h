/*
 * ir.h - the graph, in ONNX's own words: graph, node, value, attribute, initializer, type.
 *
 * Identity is the pointer, never the name (two nodes may share a name).  A value is defined once (by a
 * node, as a graph input, or as constant data) and knows its uses.  Nodes form a list that is
 * always in topological order.  After import there is one form of every operator: the newest.
 */
#ifndef AMP_IR_H
#define AMP_IR_H

#include "core/core.h"

#define IR_MAX_RANK 16
#define IR_MAX_BYTES ((int64_t)1 << 40)		/* of one tensor */

/* ONNX TensorProto.DataType's numbers. */
enum dtype {
	DT_NONE = 0, DT_FLOAT = 1, DT_UINT8 = 2, DT_INT8 = 3, DT_UINT16 = 4, DT_INT16 = 5,
	DT_INT32 = 6, DT_INT64 = 7, DT_STRING = 8, DT_BOOL = 9, DT_FLOAT16 = 10, DT_DOUBLE = 11,
	DT_UINT32 = 12, DT_UINT64 = 13, DT_COMPLEX64 = 14, DT_COMPLEX128 = 15, DT_BFLOAT16 = 16,
	DT_FLOAT8E4M3FN = 17, DT_FLOAT8E4M3FNUZ = 18, DT_FLOAT8E5M2 = 19, DT_FLOAT8E5M2FNUZ = 20,
	DT_UINT4 = 21, DT_INT4 = 22, DT_FLOAT4E2M1 = 23, DT_FLOAT8E8M0 = 24, DT_UINT2 = 25,
	DT_INT2 = 26, DT_COUNT
};

const char *dtype_name(enum dtype t);		/* "float", "int64", ... ONNX's words */
const char *dtype_suffix(enum dtype t);		/* "f32", "i64", ... of kernels; NULL if none */
enum dtype dtype_by_name(const char *name);	/* DT_NONE if unknown */
int dtype_size(enum dtype t);			/* bytes of an element in memory (4-bit types: 1); 0 strings */
bool dtype_is_float(enum dtype t);		/* float, float16, bfloat16, double */
bool dtype_is_int(enum dtype t);		/* signed or unsigned, not bool */

enum kind { KIND_TENSOR, KIND_SEQUENCE, KIND_OPTIONAL, KIND_MAP };

/* A dimension: value >= 0 when known, else -1, perhaps with a symbol; max > 0 bounds a symbol. */
struct dim { int64_t value; const char *symbol; int64_t max; };

struct type {
	enum kind kind;
	enum dtype dtype;		/* of a tensor's elements, of a map's values */
	enum dtype key;			/* of a map's keys */
	int rank;			/* -1 unknown */
	struct dim dim[IR_MAX_RANK];
	const struct type *elem;	/* of a sequence or optional; of a map's values */
};

/* Dense row-major data.  Strings: data is `const char **`.  4-bit and 2-bit: a byte each. */
struct tensor {
	enum dtype dtype;
	int rank;
	int64_t dim[IR_MAX_RANK];
	int64_t n;			/* elements */
	void *data;
};

/* How a value lies in memory.  C16: [N, ceil(C/16), spatial..., 16], channel lanes beyond C are +0. */
enum layout { LAYOUT_PLAIN, LAYOUT_C16 };

struct value;
struct node;
struct graph;
struct use { struct node *node; int index; };	/* node->in[index]; node NULL: graph output `index` */

struct value {
	int id;				/* unique in its graph, in order of creation */
	const char *name;		/* ONNX's name; never NULL; maybe "" */
	struct type type;
	enum layout layout;
	const struct tensor *data;	/* a constant (initializer, folded), or NULL */
	struct node *def;		/* NULL: graph input or constant */
	int def_index;			/* def->out[def_index] is this */
	struct use *uses;		/* vec */
	struct graph *graph;		/* where it is defined */
	bool is_input;
};

enum attr_kind {
	ATTR_FLOAT = 1, ATTR_INT = 2, ATTR_STRING = 3, ATTR_TENSOR = 4, ATTR_GRAPH = 5,
	ATTR_FLOATS = 6, ATTR_INTS = 7, ATTR_STRINGS = 8, ATTR_TENSORS = 9, ATTR_GRAPHS = 10,
	ATTR_TYPE = 13
};

struct attr {
	const char *name;
	enum attr_kind kind;
	double f;
	int64_t i;
	const char *s;			/* ATTR_STRING; terminated; s_len counts bytes before it */
	size_t s_len;
	const struct tensor *t;
	struct graph *g;
	int n;				/* of the lists */
	double *floats;
	int64_t *ints;
	const char **strings;
	struct graph **graphs;
	const struct type *type;
};

struct op;				/* a row of the operator table: ops/op.h */

struct node {
	int id;				/* unique in its graph, in order of creation */
	const char *name;		/* ONNX's name; maybe "" */
	const char *domain;		/* "" is ONNX's own; "ampoule" is ours (fused forms) */
	const char *op_type;
	const struct op *op;		/* NULL until resolved */
	int version;			/* opset version that the node is written in */
	struct value **in;		/* vec; NULL: an absent optional input */
	struct value **out;		/* vec; NULL: an output that nobody wants */
	struct attr *attrs;		/* vec */
	struct graph *graph;
	struct node *prev, *next;
	bool removed;			/* out of its graph: passes that walk a list of nodes skip it */
};

/* A file that a model's tensors came from. */
struct source_file {
	const char *name;		/* as the model names it, relative to its folder */
	int64_t bytes;
	const char *sha256;
};

struct graph {
	struct ctx *c;
	const char *name;
	struct node *first, *last;	/* topological order */
	struct value **inputs;		/* vec, without initializers that are also inputs */
	struct value **outputs;		/* vec */
	struct value **values;		/* vec: all, by id; deleted ones are NULL */
	int n_nodes;			/* ids given so far */
	struct graph *parent;		/* of a subgraph: where its outer names resolve */
	struct node *owner;
	const char *producer;		/* "pytorch 2.13" */
	int64_t ir_version;
	int opset;			/* of the default domain as imported */
	const char *model_sha256;
	struct source_file *data_files;	/* vec: external data beside the model */
	/* vec: weights that the choice of an algorithm has transformed already; the lowering takes them */
	struct packed { const struct tensor *from, *to; int how; } *packed;
	struct tuning *tuning;		/* ir/tuning.h; NULL: every choice has its usual value */
	int64_t cache, prefetch;	/* the target's, for choices that change no bit (target/target.h): bytes */
	const char *plan;		/* the numeric plan: speed, size, direct; NULL: "direct" */
	bool at_start;			/* constants that the emitted model can compute when it is prepared are not stored */
};

#define GRAPH_CACHE (1 << 20)		/* what a graph has until it is told its target's */
#define GRAPH_PREFETCH (256 << 10)

/* ---- types and tensors --------------------------------------------------------------------- */

struct type type_tensor(enum dtype t, int rank, const int64_t *dims);	/* rank -1: unknown */
bool type_known(const struct type *t);		/* a tensor whose every dimension is known */
int64_t type_elements(const struct type *t);	/* -1 when unknown or absurd */
int64_t type_bytes(const struct type *t);	/* plain layout; -1 when unknown */
bool type_equal(const struct type *a, const struct type *b);
const char *type_text(struct ctx *c, const struct type *t);	/* "float[1,3,h,224]" */
/* Bytes of a value as it lies (layout included), and of its plain form. */
int64_t value_bytes(const struct value *v);

/* Zeroed tensor; fatal() when the size is absurd. */
struct tensor *tensor_new(struct ctx *c, enum dtype t, int rank, const int64_t *dims);
struct tensor *tensor_scalar_i64(struct ctx *c, int64_t x);
struct tensor *tensor_ints(struct ctx *c, const int64_t *x, int n);	/* int64 [n] */
struct tensor *tensor_convert(struct ctx *c, const struct tensor *t, enum dtype to);	/* saturating as Cast */
int64_t tensor_bytes(const struct tensor *t);
bool tensor_equal(const struct tensor *a, const struct tensor *b);	/* bit for bit */
struct tensor *tensor_copy(struct ctx *c, const struct tensor *t);	/* may be written */
/* Element i as a number, from any numeric dtype. */
double tensor_get_f(const struct tensor *t, int64_t i);
int64_t tensor_get_i(const struct tensor *t, int64_t i);
/* Stores a number in any numeric dtype: rounded once to nearest even, or saturated; NaN to integer is 0. */
void tensor_set_f(struct tensor *t, int64_t i, double x);
void tensor_set_i(struct tensor *t, int64_t i, int64_t x);	/* integers keep the low bits, as Cast */
uint16_t f16_of_double(double x);		/* rounded once */
double f16_to_double(uint16_t h);
uint16_t bf16_of_double(double x);
double bf16_to_double(uint16_t h);

/* ---- graph ----------------------------------------------------------------------------------- */

struct graph *graph_new(struct ctx *c, const char *name);
struct value *value_new(struct graph *g, const char *name);
struct value *value_const(struct graph *g, const char *name, const struct tensor *t);
struct value *graph_add_input(struct graph *g, const char *name, const struct type *t);
void graph_add_output(struct graph *g, struct value *v);
void graph_set_output(struct graph *g, int i, struct value *v);
/* Appends before `before` (NULL: at the end).  Resolves node->op. */
struct node *node_new(struct graph *g, struct node *before, const char *domain,
		      const char *op_type, const char *name);
void node_add_in(struct node *n, struct value *v);		/* NULL: absent */
void node_set_in(struct node *n, int i, struct value *v);	/* keeps the use lists right */
struct value *node_add_out(struct node *n, const char *name);	/* a new value */
void node_adopt_out(struct node *n, struct value *v);		/* an existing undefined value */
/* v becomes output i of n; the node that defined it until now loses it (fused forms take outputs over). */
void node_take_out(struct node *n, int i, struct value *v);
void node_move_before(struct node *n, struct node *before);	/* NULL: to the end */
struct value *node_in(const struct node *n, int i);		/* NULL when absent or out of range */
struct value *node_out(const struct node *n, int i);
/* All uses of `old` (graph outputs too, which keep their names) become uses of `new_`. */
void value_replace(struct value *old, struct value *new_);
int value_n_uses(const struct value *v);			/* graph outputs count */
bool value_is_output(const struct value *v);
bool value_may_be_output(const struct value *v);		/* defined by a node and no output yet */
struct node *value_only_user(const struct value *v);	/* the single node use, or NULL (also if output) */
/* Removes a node whose outputs have no uses (an internal error otherwise). */
void node_remove(struct node *n);
/* Makes the constant data the value's definition; the node that defined it loses that output. */
void value_make_const(struct value *v, const struct tensor *t);
struct node **graph_nodes(const struct graph *g);	/* vec of all, in order, for walks that change the list */
void graph_sort(struct graph *g);				/* restores topological order, stably */
struct graph *graph_clone(struct ctx *c, const struct graph *g);	/* subgraphs too */
/* Checks every invariant stated above; a breach is an internal error naming `after`. */
void graph_verify(const struct graph *g, const char *after);

/* ---- attributes --------------------------------------------------------------------------------- */

const struct attr *attr_find(const struct node *n, const char *name);
int64_t attr_int(const struct node *n, const char *name, int64_t otherwise);
double attr_float(const struct node *n, const char *name, double otherwise);
const char *attr_str(const struct node *n, const char *name, const char *otherwise);
/* The list and its length, NULL and 0 when absent. */
const int64_t *attr_ints(const struct node *n, const char *name, int *count);
const double *attr_floats(const struct node *n, const char *name, int *count);
const struct tensor *attr_tensor(const struct node *n, const char *name);
struct graph *attr_graph(const struct node *n, const char *name);
void attr_set_int(struct node *n, const char *name, int64_t i);
void attr_set_float(struct node *n, const char *name, double f);
void attr_set_str(struct node *n, const char *name, const char *s);
void attr_set_ints(struct node *n, const char *name, const int64_t *v, int count);
void attr_set_floats(struct node *n, const char *name, const double *v, int count);
void attr_set_tensor(struct node *n, const char *name, const struct tensor *t);
void attr_set_graph(struct node *n, const char *name, struct graph *g);
void attr_remove(struct node *n, const char *name);
void attr_copy_all(struct node *to, const struct node *from);	/* subgraphs move */
bool attr_equal_all(const struct node *a, const struct node *b);	/* subgraphs never equal */

/* ---- messages ------------------------------------------------------------------------------------- */

const char *node_where(const struct node *n);		/* node "/layer4/conv1/Conv" (Conv-11) */
void node_error(const struct node *n, const char *stage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- text form (--dump-after, tests/cases) ----------------------------------------------------------- */

/*
 * graph NAME {
 *   input  %x : float[1,3,8,8]
 *   const  %w : float[16,3,3,3] = zeros | 0x<hex bytes> | [1, 2.5, ...] | fill(SEED)
 *   %y : float[1,16,8,8] c16, _ = Conv(%x, %w, _) {pads=[1,1,1,1], group=1} "node name"
 *   output %y
 * }
 * A name is [A-Za-z0-9_./:-]+ or quoted: %"any name"; %name@7 tells values of equal names apart.  `_` is an
 * absent input or output.  Ours: ampoule.NAME(...).  A type may be left out.  # starts a comment.
 * fill(SEED): data from ir_fill(), for tests.  Attributes: ints, floats (with '.' or 'e'), "strings",
 * lists, tensors float[2]=[1,2], types seq(float[2]), graph NAME {...}.
 */
enum print_flags {
	PRINT_BRIEF = 1,		/* long constants as "...": for people, cannot be read back */
	PRINT_CANONICAL = 2		/* no names, values numbered as they come: equal graphs, equal texts */
};
void graph_print(const struct graph *g, struct text *t);
void graph_print_as(const struct graph *g, struct text *t, unsigned flags);
/* NULL and diagnostics when the text is wrong. */
struct graph *graph_parse(struct ctx *c, const char *text, const char *file);
/* Seeded values of order 1 (floats in (-1, 1), ints in 0..9), the same on every machine. */
void ir_fill(struct tensor *t, uint64_t seed);

#endif
