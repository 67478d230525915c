/*
 * The memory planner: in which order the steps run and where each buffer lies in the arena.
 *
 * In:  struct plan_problem - plain data: buffers (bytes, alignment, views of other buffers), steps
 *      (which buffers each reads and writes, its scratch, what it may overwrite in place).
 *      No graph, no operator, no tensor: the planner can be tested alone.
 * Out: struct plan_result - the order, an offset for each buffer and each scratch area, the in-place
 *      decisions, the arena's size and a certificate of how good it is.
 *
 * The rules of the problem
 * - A buffer without a parent is a *root*: a storage of its own. A buffer with a parent is a view:
 *   it lies in its parent's bytes, at a fixed distance, and is never copied.
 * - A root is live as a whole, from the first step that writes it or a view of it to the last step
 *   that uses it or a view of it (pinned_first: from before the first step; pinned_last: until after
 *   the last one). Two roots that are live at the same step lie apart, and apart from the scratch
 *   of that step. A root that no step uses and that is not pinned has no place: its offset is -1.
 * - A step that reads bytes runs after the steps that write those bytes, wherever in the family of
 *   views they were named. Every byte is written by at most one step; a step never reads what it
 *   writes; a root that is pinned_first (an input) is never written, except in place.
 * - In place: {out k, in j} says that output k may begin exactly where input j begins, because the
 *   step reads each byte of j before it writes there. The planner does so only where the root of j
 *   dies at this step and the root of k is born there, and only where no other byte that the step
 *   reads is harmed.
 *
 * Everything is deterministic: budgets are counts, the random numbers are our own and seeded.
 */
#ifndef AMPOULE_PLAN_PLANNER_H
#define AMPOULE_PLAN_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_ALIGN 64	/* of roots and scratch, unless they say otherwise */
#define PLAN_NO_PARENT (-1)

struct plan_buffer {
	const char *name;	/* for the report; may be NULL */
	int64_t bytes;	/* as laid out, padding included */
	int64_t unpadded_bytes;	/* by the ONNX shape; 0: the same as bytes. Only roots count. */
	int64_t align;	/* a power of two; 0: PLAN_ALIGN for a root, 1 for a view */
	int parent;	/* PLAN_NO_PARENT, or the buffer that this one is a view of */
	int64_t parent_offset;	/* in bytes, from the parent's begin */
	bool pinned_first;	/* holds data before the first step (a view pins its root) */
	bool pinned_last;	/* holds data after the last step */
};

struct plan_inplace {
	int out;	/* index into the step's out[] */
	int in;	/* index into the step's in[] */
};

struct plan_step {
	const char *name;	/* for the report; may be NULL */
	const int *in;	/* buffers read; one may stand several times */
	const int *out;	/* buffers written */
	int n_in, n_out;
	int64_t scratch;	/* bytes needed during this step only */
	int64_t scratch_align;	/* 0: PLAN_ALIGN */
	const struct plan_inplace *inplace;
	int n_inplace;
};

struct plan_edge {
	int before, after;	/* steps; a dependency that no buffer shows */
};

struct plan_problem {
	const struct plan_buffer *buffers;
	const struct plan_step *steps;
	const struct plan_edge *edges;
	int n_buffers, n_steps, n_edges;
	bool keep_order;	/* run the steps as given; "all orders" below is then this one */
};

/* All bounds count live roots, scratch and the best in-place reuse; padded ones are multiples of
 * the smallest alignment, as the arena is. */
struct plan_certificate {
	int64_t order_bound;	/* no offsets can do better in this order */
	int64_t lower_bound;	/* no order can do better */
	int64_t order_bound_unpadded;	/* the same two, of ONNX sizes */
	int64_t lower_bound_unpadded;
	double over_order, over_lower;	/* arena / bound; 1 where both are 0 */
	double over_order_unpadded, over_lower_unpadded;
	bool order_proven;	/* no order has a lower order_bound */
	bool arena_proven;	/* no order and no offsets give a smaller arena */
};

struct plan_result {
	int *order;	/* [n_steps] position -> step */
	int64_t *offset;	/* [n_buffers] in the arena; -1: never live */
	int64_t *scratch_offset;	/* [n_steps]; -1: the step needs none */
	int *inplace;	/* [n_buffers] the input buffer that this output overwrites, or -1 */
	int64_t arena_bytes;
	int64_t arena_align;	/* what the arena's own address must be a multiple of */
	struct plan_certificate cert;
	void *memory;	/* owns the arrays; plan_free() */
};

enum plan_status {
	PLAN_OK = 0,
	PLAN_BAD_PROBLEM,	/* an index, a size or a rule above is broken */
	PLAN_CYCLE,	/* the steps wait for each other */
	PLAN_TOO_BIG,	/* the sizes do not fit into 62 bits, or too many buffers are live at once */
	PLAN_NO_MEMORY
};

/* Plans. On failure writes a sentence into why (if not NULL) and leaves nothing to free. */
enum plan_status plan_solve(const struct plan_problem *p, struct plan_result *r,
	char *why, size_t why_size);
void plan_free(struct plan_result *r);

/* True if the result keeps every rule above; otherwise false, and why says which one it breaks.
 * Shares no code with the search. */
bool plan_verify(const struct plan_problem *p, const struct plan_result *r,
	char *why, size_t why_size);

/* The certificate and the table of intervals, for a person; and as one JSON object. */
void plan_print(const struct plan_problem *p, const struct plan_result *r, FILE *f);
void plan_json(const struct plan_problem *p, const struct plan_result *r, FILE *f);

#endif
