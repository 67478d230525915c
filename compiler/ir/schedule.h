/*
 * schedule.h - what the later stages read: kernels' descriptions, steps, the memory plan.  Plain data.
 *
 * A step is one kernel call (or one elementwise loop) of the emitted model.  `ampoule run` executes
 * the same steps with the generic kernels linked into the compiler; the emitter prints them as C.
 */
#ifndef AMP_SCHEDULE_H
#define AMP_SCHEDULE_H

#include "ir/ir.h"
#include "ampoule_rt.h"

/* A member of a kernel's parameter struct. */
struct field {
	const char *name;
	char type;			/* i int32_t, l int64_t, f float, d double */
	int count;			/* of an array; 0: a plain member */
	size_t offset;
};

/* One typed instance of a file in runtime/kernels: "conv" for "f32".  The table is generated. */
struct kernel {
	const char *base;		/* "conv": runtime/kernels/conv.inc, struct amp_conv */
	const char *type;		/* "f32" */
	int dtype;			/* AMP_T of the instance */
	const struct field *fields;
	int n_fields;
	size_t size;			/* of the parameter struct */
	amp_kernel *fn;			/* generic, plain C */
	bool splits;			/* several parts may share a step: its file has a line " * parts: of what" */
};

/* NULL when there is no such instance. */
const struct kernel *kernel_find(const char *base, const char *type);

struct ew;				/* an elementwise program: ir/ew.h */

struct step {
	int id;				/* position before the planner orders the steps */
	const struct node *node;	/* for names, shapes and messages */
	const struct kernel *kernel;	/* NULL: elementwise (ew) or a view */
	void *params;			/* kernel->size bytes */
	struct ew *ew;
	struct value **in;		/* vec: operands as the kernel wants them; NULL: absent */
	struct value **out;		/* vec */
	int64_t scratch;		/* bytes for each part, AMP_ALIGN aligned */
	int64_t shared;			/* bytes for all parts together, AMP_ALIGN aligned */
	int phases;			/* calls of each part, all parts end one before the next begins; 0: one */
	int64_t macs;			/* multiply-accumulates, for profiles */
	struct step *maker;		/* computes a constant of in[], its out[0], from constants when the model is prepared */
	int parts;			/* set by schedule_parts(): 0 or 1, part 0 does all; else the model's threads */
	/* out[inplace[k].out] may lie exactly on in[inplace[k].in] if that dies here */
	struct inplace { int out, in; } *inplace;	/* vec */
	/*
	 * A view does nothing at run time if the planner can arrange it:
	 * out[0] is in[0] at byte `offset` (Reshape, Slice, a part of Split: view_out_in_in), or each in[k] is
	 * written directly at offsets[k] of out[0] (Concat).  Otherwise `kernel` copies.
	 */
	enum { VIEW_NONE, VIEW_OF_IN, VIEW_OF_OUT } view;
	int64_t *view_offset;		/* vec: VIEW_OF_IN: of each out in in[0]; VIEW_OF_OUT: of each in */
	bool view_taken;		/* set by the plan: the step vanishes */
};

/* Scratch of a step as it lies in the arena: a slice for each part, AMP_ALIGN aligned, then what they share. */
static inline int64_t step_slice(const struct step *s)
{
	return (s->scratch + AMP_ALIGN - 1) / AMP_ALIGN * AMP_ALIGN;
}

static inline int64_t step_scratch(const struct step *s)
{
	return s->parts < 2 && !s->shared ? s->scratch : (s->parts < 2 ? 1 : s->parts) * step_slice(s) + s->shared;
}

struct schedule {
	const struct graph *g;
	int threads;			/* 1 or more: how many the emitted code can use */
	struct step **all;		/* vec, in the graph's order: what the executor runs, views as copies */
	struct step **steps;		/* vec, in the planned order of execution, without views that vanished */
	struct step **makers;		/* vec, of these steps: what NAME_prepare() does */
	const char *plan_name;		/* numeric plan: "speed", "direct", ... */
};

/* Where each value lies at run time. */
enum place_kind { PLACE_NONE, PLACE_ARENA, PLACE_WEIGHTS, PLACE_PREPARED, PLACE_INPUT, PLACE_OUTPUT };
struct place {
	enum place_kind kind;
	int64_t offset;			/* in the arena, the blob or what is prepared; from the start of in/out `index` */
	int index;			/* of the model's input or output */
};

struct plan {
	struct place *place;		/* by value id */
	int64_t *scratch;		/* by position in schedule->steps: offset in the arena */
	int64_t arena_bytes;
	struct value **weights;		/* vec: constants in order of the blob */
	int64_t weights_bytes, prepared_bytes;
	/* the certificate */
	int64_t bound_order, bound_all;		/* of the chosen order; over all orders; padded bytes */
	int64_t bound_order_plain, bound_all_plain;	/* the same on unpadded ONNX sizes */
	const char *text;		/* the certificate and the table of intervals, for people */
	const char *json;
};

#endif
