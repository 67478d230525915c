/*
 * op.h - the operator table.  One operator (or close family) = one file in this folder that defines
 * `const struct op op_NAME` (or several); the build finds every line that starts with "const struct op op_"
 * and generates the table.  Nothing else knows operators by name, except fusion passes.
 *
 * upgrade() brings a node of an older opset to the newest form; it runs once after import, and
 * may turn attributes into constant inputs (helpers below), or set n->op_type anew.
 *
 * infer() sets the types of n->out from n->in and attributes, or reports everything wrong with
 * op_error() and returns false.  It runs again after passes: it must not depend on the first time.
 * Values needed at compile time (shapes, axes) come from op_const().
 *
 * lower() turns the node into one step: a kernel instance, filled parameters, operands.  It must do so for
 * EVERY legal shape, type and attribute with layout plain (the generic kernels); where a c16 kernel exists and
 * the values' layouts say c16 it picks that.  It prints nothing.  The same lower(), on a graph whose float
 * types have been replaced by double, gives the truth that `verify` measures against, and on constant
 * inputs it gives constant folding: there is no second implementation to keep in step.
 *
 * expr: elementwise operators need no lower(): one expression over primitives (ir/ew.h), with a, b, c.. for
 * the inputs (broadcast as numpy does) and $name for float attributes with defaults ("$alpha:0.01").  Where the
 * expression depends on attributes or on the number of inputs, expr_of() writes it and expr is NULL.  Whether
 * a node is elementwise is asked with ew_node_expr(); ew_infer() and ew_lower() serve them all (elementwise.c).
 */
#ifndef AMP_OP_H
#define AMP_OP_H

#include "ir/ir.h"
#include "ir/schedule.h"

enum op_flags {
	OP_COMMUTATIVE = 1,
	OP_NO_FOLD = 2,			/* never fold (random, or stateful) */
	OP_EXPAND = 4,			/* has no lower(): expand() must rewrite it */
	OP_C16_PAYS = 8			/* its c16 form pays, even where an input of 16 channels or more is converted for it */
};

struct op {
	const char *domain, *name;	/* "" and "Conv"; "ampoule" for fused forms */
	int since;			/* opset version of this, the newest, form */
	int min_in, max_in;		/* max -1: variadic */
	int min_out, max_out;
	unsigned flags;
	void (*upgrade)(struct node *n);	/* from n->version; NULL: all older forms are the same */
	bool (*infer)(struct node *n);	/* NULL for expr: broadcast, type of the expression */
	bool (*lower)(struct node *n, struct step *s);
	/*
	 * Rewrites the node, its types known, into simpler operators, and removes it: true.  False: it stays.
	 * The inference goes on with the new nodes.
	 */
	bool (*expand)(struct node *n);
	/*
	 * Layout: may this node run with these of its inputs and outputs in c16?  Sets want_in[i] and
	 * want_out[i]; NULL: plain only.  Called when all types are known.
	 */
	bool (*c16)(const struct node *n, enum layout *want_in, enum layout *want_out);
	/*
	 * Plan "speed": the algorithm that computes this node at less cost, for the attribute "algorithm" that
	 * lower() reads; NULL: as it is written.  Called when types and layouts are known.  *tried, if set: each form
	 * that was measured for rule 18 and its error in units of the direct form's, "winograd6 17.1, winograd4 3.2".
	 */
	const char *(*algorithm)(const struct node *n, const char **tried);
	const char *expr;
	const char *(*expr_of)(const struct node *n);	/* NULL when it reports an error */
	/* sum of multiply-accumulates, for inspect; NULL: 0 */
	int64_t (*macs)(const struct node *n);
};

extern const struct op *const op_table[];	/* generated; ends with NULL */
const struct op *op_find(const char *domain, const char *name);

/* ---- helpers for op files ------------------------------------------------------------------- */

void op_error(const struct node *n, const char *fmt, ...)	/* [infer] diagnostic at this node */
	__attribute__((format(printf, 2, 3)));

/* Constant data of input i, NULL when absent or not constant. */
const struct tensor *op_const(const struct node *n, int i);
/* Constant integers of input i; false and (if `required`) an error when not constant. */
bool op_const_ints(const struct node *n, int i, bool required, const int64_t **v, int *count);
/* The type of input i; false and an error when absent, not a tensor or of unknown shape. */
bool op_in_type(const struct node *n, int i, const struct type **t);
/* Sets the type of output i (nothing if nobody wants it). */
void op_out_type(struct node *n, int i, enum dtype t, int rank, const int64_t *dims);
/* Numpy broadcasting of two shapes; false and an error when they do not. */
bool op_broadcast(const struct node *n, int rank_a, const int64_t *a, int rank_b, const int64_t *b,
		  int *rank, int64_t *dims);
/* Fills v[] with a type's dims, gives the rank. */
int type_dims(const struct type *t, int64_t *v);
/* Normalises a possibly negative axis; false and an error when out of range. */
bool op_axis(const struct node *n, int64_t axis, int rank, int *out);
/* upgrade(): attribute `name` becomes constant input `index` (ints: int64 [n]; float: scalar of dtype). */
void op_attr_ints_to_input(struct node *n, const char *name, int index);
void op_attr_float_to_input(struct node *n, const char *name, int index);

/* ---- helpers for lower() ---------------------------------------------------------------------- */

/* Picks instance `base` for dtype; an internal error when there is none.  Allocates s->params. */
void *step_kernel(struct step *s, const char *base, enum dtype t);
/* For pure movement of elements: the unsigned integer type of the same size. */
enum dtype dtype_bits(enum dtype t);
void step_in(struct step *s, struct value *v);		/* v may be NULL */
void step_out(struct step *s, struct value *v);
void step_inplace(struct step *s, int out, int in);
/* A view: see struct step. */
void step_view_of_in(struct step *s, int64_t offset);	/* one call an output */
void step_view_of_out(struct step *s, int64_t offset);	/* one call an input */
/* A new constant in the node's graph (packed weights); the same tensor contents give the same value. */
struct value *step_const(const struct node *n, const char *name, const struct tensor *t);

/*
 * A value that changes time and memory but no bit, for --tune (ir/tuning.h): the usual one, or the one that was
 * measured for work like this node's.  candidates: what is worth trying.
 */
int64_t op_choice(const struct node *n, const char *what, int64_t usual, const int64_t *candidates, int count);

/* Bytes that suit a second-level cache of 1 MB -> those that suit the target's; g NULL: as they are. */
int64_t op_cache(const struct graph *g, int64_t of_a_megabyte);
/* Floats that weights are fetched ahead, no more than the target takes. */
int64_t op_prefetch(const struct graph *g, int64_t floats);

/* Multiply-accumulates as the node's row counts them; 0 where it counts none. */
int64_t op_macs(const struct node *n);

/* dim as int32 for kernel parameters; fatal() with a message naming the node when too large. */
int32_t op_i32(const struct node *n, int64_t v);

#endif
