/*
 * ew.h - elementwise programs: straight-line code over primitives, applied to every index of a space.
 *
 * Text form (operators' expr, attribute `expr` of ampoule.Elementwise):
 *	statements separated by ';':  x = exp(a); o0 = div(x, add(x, 1)); o1 = neg(a)
 * a lone expression is o0.  Inputs are a..z (i26.. after that: any input k is also ik).  $name:default is
 * a float attribute of the node.  Numbers (12, -0.5, 0x1.8p+1, inf, nan) take the type of their
 * neighbour.  Casts as ONNX's Cast: f32(x) f64 f16 bf16 i8 .. i64 u8 .. u64 b8; like(x, y) is y in the
 * type of x.  A float16 or bfloat16 is held as float in a register: f16(x) rounds it, a store too.
 * Primitives are listed in ew_prims.def; prim.h in runtime/kernels defines each for each type.
 * No inexact product may feed add or sub: write fma (docs/numerics.md rule 8).
 *
 * In the truth (attribute `double` of ampoule.Elementwise) f32, f16 and bf16 mean f64.
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
	enum dtype type;		/* of the result, as ONNX says it: float16 is held as float */
	const struct ew_prim *prim;
	int arg[3];			/* instructions; EW_LOAD: arg[0] = input index */
	double f;			/* EW_CONST */
	int64_t i;
};

struct ew {
	struct ew_ins *ins;		/* vec */
	int n_in, n_out;
	int *out;			/* vec: instruction stored to output k */
	enum dtype *in_type, *out_type;	/* vec; storage types; in_type DT_NONE: absent */
	/* index space, outermost first, coalesced; the strides of each operand in elements, 0: broadcast */
	int rank;
	int64_t dim[AMP_MAX_RANK];
	int64_t (*in_stride)[AMP_MAX_RANK];	/* vec by input */
	int64_t (*out_stride)[AMP_MAX_RANK];
	/*
	 * c16: channels > 0: the last dimension is the 16 lanes, and dimension `block_dim` is the channel block;
	 * lanes beyond `channels` are stored as +0, and not read where an operand is plain.
	 */
	int64_t channels;
	int block_dim;
};

/* What a type is held as in a register: float for float16 and bfloat16, itself otherwise. */
enum dtype ew_register(enum dtype t);
/* Parses text for these input types; NULL and a diagnostic at n. */
struct ew *ew_parse(const struct node *n, const char *text, int n_in, const enum dtype *in_type);
/* Runs the program over all indices with contract arithmetic (double types: double arithmetic). */
void ew_run(const struct ew *e, const void *const in[], void *const out[]);
/*
 * Back to text, for fusion: statements ending in ';'.  Input k is written in_name[k], output k is assigned
 * to out_name[k], temporaries are `temp`0, `temp`1 ...; a float16 or bfloat16 output is rounded to its type.
 */
const char *ew_inline(struct ctx *c, const struct ew *e, const char *const *in_name,
		      const char *const *out_name, const char *temp);
/* The same with the plain names i0.., o0... */
const char *ew_text(struct ctx *c, const struct ew *e);

/* ---- nodes of the graph as programs: ops/elementwise.c, which knows the operator table ------------- */

/* Sets the index space and strides; false and a diagnostic when it has more than AMP_MAX_RANK axes. */
bool ew_space(const struct node *n, struct ew *e);
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

#endif
