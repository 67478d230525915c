/*
 * passes.h - rewriting a graph: the table of passes, running them, and what pass files share.
 *
 * A pass takes a graph whose types are known and leaves one: nodes that it makes get types by
 * node_infer(). graph_verify() runs after each.  Passes do not depend on target, threads or time:
 * what they do is a function of the model alone.
 */
#ifndef AMP_PASSES_H
#define AMP_PASSES_H

#include "ir/ir.h"

struct pass {
	const char *name;
	int level;			/* see pipeline.def */
	const char *what;
	bool (*run)(struct graph *g);	/* false: it reported errors */
};
extern const struct pass pass_table[];		/* in the order of running; ends with name NULL */
const struct pass *pass_find(const char *name);

struct pass_options {
	const char *dump_after;		/* print the graph after the passes of this name ("all": after each) */
	FILE *dump;
	bool exact_only;		/* leave out what changes roundings: passes above level 1 */
};
/* All of them (o NULL: no dumps); false when one reported errors. */
bool run_passes(struct graph *g, const struct pass_options *o);
void passes_help(FILE *f);			/* the table, for --help */

#define PASS(name, level, what) bool pass_##name(struct graph *g);
#include "passes/pipeline.def"
#undef PASS

/* ---- for pass files -------------------------------------------------------------------------- */

/* Types of the node's outputs; false and diagnostics when they cannot be told. */
bool node_infer(struct node *n);
/* The same for all nodes, errors for each operator that does not exist.  Folds nothing. */
bool infer_types(struct graph *g);

/* n is ONNX's `name` (or domain.name with the domain given). */
bool node_is(const struct node *n, const char *name);
/* A new node with these inputs (NULL ends), before `before`; its outputs are added by the caller. */
struct node *node_make(struct node *before, const char *domain, const char *op_type,
		       const char *name, struct value *a, struct value *b);
/* A constant scalar, or a tensor whose elements are all equal: its value.  False otherwise. */
bool const_splat(const struct value *v, double *x);
/* new_ takes the place of n's only output; n is removed. */
void node_replace(struct node *n, struct value *new_);
/*
 * n computes what `user`, the only user of n's only output, has computed: n stands where user
 * stood and gives user's first output under its name.  user is removed.
 */
void node_absorb(struct node *n, struct node *user);
/* The same node as another operator. */
void node_retype(struct node *n, const char *domain, const char *op_type);
/*
 * Does constant k, broadcast to type y (and not widening it), change along `axis` only?  Then
 * v[0..channels) are its numbers.
 */
bool const_channels(const struct value *k, const struct type *y, int axis, double *v);
/*
 * Is n a BatchNormalization of constants only, one number for each channel, not in training, with one output in use?
 * Then t[1..4] are scale, B, mean and variance.
 */
bool const_batch_norm(const struct node *n, int64_t channels, const struct tensor *t[5]);
/* n is a sum of products with a bias and has float type: (ampoule.)Conv, ConvTranspose, Gemm, MatMul. */
bool node_is_linear(const struct node *n);
/* The axis of a linear node's output along which its bias lies. */
int linear_axis(const struct node *n);
/* Does it end in a residual or an activation already? */
bool linear_is_closed(const struct node *n);
/* The other operand of a node with two, when one is v. */
struct value *other_in(const struct node *n, const struct value *v);
/* v moved, by new nodes before `before`; v itself where nothing would move.  Sizes must not be 0. */
struct value *make_transpose(struct node *before, struct value *v, const int64_t *perm);
struct value *make_reshape(struct node *before, struct value *v, int rank, const int64_t *dims);
/* Are the elements in memory as its input's: Reshape, Squeeze, .., a Transpose that moves axes of size 1 only? */
bool only_reshapes(const struct node *n);
/* Nodes and constants that nothing needs. */
void graph_drop_dead(struct graph *g);

#endif
