/*
 * ew.h - elementwise programs: straight-line code over primitives, applied to every index of a space.
 *
 * Text form (operators' expr, attribute `expr` of ampoule.Elementwise):
 *	statements separated by ';':  x = exp(a); o0 = div(x, add(x, 1)); o1 = neg(a)
 * a lone expression is o0.  Inputs are a..z (i26.. after that: any input k is also ik).  $name:default is
 * a float attribute of the node.  Numbers take the type of their neighbour.  f32(x), i64(x), ... cast as
 * ONNX's Cast.  Primitives (prim.h in runtime/kernels defines each for each type):
 *	neg abs add sub mul div fma max min sqrt exp log tanh erf sigmoid sin cos ... floor ceil rint
 *	lt le eq gt ge ne (bool) and or not xor sel(bool, x, y) isnan isinf
 * No inexact product may feed add or sub: write fma (docs/numerics.md rule 8).
 */
#ifndef AMP_EW_H
#define AMP_EW_H

#include "ir/schedule.h"

enum ew_kind { EW_LOAD, EW_CONST, EW_PRIM, EW_CAST };

struct ew_prim {
	const char *name;		/* "fma" */
	int n_args;
	bool gives_bool;		/* comparisons */
	bool floats, ints, bools;	/* types that it takes */
};
extern const struct ew_prim ew_prims[];	/* ends with name NULL */

struct ew_ins {
	enum ew_kind kind;
	enum dtype type;		/* of the result */
	const struct ew_prim *prim;
	int arg[4];			/* instructions; EW_LOAD: arg[0] = input index */
	double f;			/* EW_CONST */
	int64_t i;
};

struct ew {
	struct ew_ins *ins;		/* vec */
	int n_in, n_out;
	int *out;			/* vec: instruction stored to output k */
	enum dtype *in_type, *out_type;	/* vec; storage types */
	/* index space, outermost first, coalesced; the strides of each operand in elements, 0: broadcast */
	int rank;
	int64_t dim[AMP_MAX_RANK];
	int64_t (*in_stride)[AMP_MAX_RANK];	/* vec by input */
	int64_t (*out_stride)[AMP_MAX_RANK];
	/*
	 * c16: channels > 0: the last dimension is the 16 lanes, and dimension `block_dim` is the channel block;
	 * lanes beyond `channels` are stored as +0.
	 */
	int64_t channels;
	int block_dim;
};

/* Parses text for these input types; NULL and a diagnostic at n. */
struct ew *ew_parse(const struct node *n, const char *text, int n_in, const enum dtype *in_type);
/* The program of a node whose op has expr (or ampoule.Elementwise), with spaces and strides set. */
struct ew *ew_of_node(const struct node *n);
/* The expression of an elementwise node (op's expr or expr_of, ampoule.Elementwise's attribute), or NULL. */
const char *ew_node_expr(const struct node *n);
/* infer() of every elementwise node: numpy broadcasting, and the types of the expression's results. */
bool ew_infer(struct node *n);
/* lower() of every elementwise node: s->ew, operands, in-place pairs. */
bool ew_lower(struct node *n, struct step *s);
/* c16() of every elementwise node (see struct op). */
bool ew_c16(const struct node *n, enum layout *want_in, enum layout *want_out);
/* Runs the program over all indices with contract arithmetic (double types: double arithmetic). */
void ew_run(const struct ew *e, const void *const in[], void *const out[]);
/* Back to text (for fusion): inputs renamed by map[k]. */
const char *ew_text(struct ctx *c, const struct ew *e);

#endif
