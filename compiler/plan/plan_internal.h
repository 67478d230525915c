/*
 * What the files of the planner share. Nothing here is for callers: they include planner.h.
 *
 * The problem is first boiled down (problem.c) to roots and steps: views become regions of their
 * root, in-place candidates that can never be legal are dropped, dependencies become two lists a
 * step. Order (order*.c) and offsets (offsets*.c) are then searched on that form; planner.c leads.
 */
#ifndef AMPOULE_PLAN_INTERNAL_H
#define AMPOULE_PLAN_INTERNAL_H

#include "planner.h"

#include <setjmp.h>

/* Memory of one plan_solve(): blocks in a list, freed together; a failure leaves by longjmp. */
struct plan_mem {
	struct plan_block *blocks;	/* the newest first */
	jmp_buf failed;	/* receives an enum plan_status */
	char *why;
	size_t why_size;
};

struct plan_mark {
	struct plan_block *block;
	size_t used;
};

void *plan_alloc(struct plan_mem *m, size_t count, size_t size);	/* zeroed; never NULL */
struct plan_mark plan_mark(const struct plan_mem *m);
void plan_rewind(struct plan_mem *m, struct plan_mark mark);	/* frees all that is younger */
_Noreturn void plan_fail(struct plan_mem *m, enum plan_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* out_root may lie over in_root in this step: offset(out_root) = offset(in_root) + shift. */
struct pair {
	int step;
	int out_root, in_root;
	int out, in;	/* buffers */
	int64_t shift;
	int64_t saved, saved_unpadded;	/* bytes shared during the step */
};

struct root {
	int buffer;
	int64_t bytes, unpadded, align;	/* bytes: a multiple of the granule */
	bool first, last;	/* pinned */
	int *users, n_users;	/* steps, ascending */
	int n_writers;
};

struct wstep {
	int *roots;	/* distinct roots that the step uses */
	bool *writes;	/* beside roots: the step writes it */
	int n_roots;
	int *pred, *succ, n_pred, n_succ;
	int64_t scratch, scratch_unpadded, scratch_align;
	struct pair *pairs;
	int n_pairs;
};

struct work {
	struct plan_mem *mem;
	const struct plan_problem *p;
	int n_roots, n_steps;
	struct root *roots;
	struct wstep *steps;
	int *root_of;	/* [n_buffers] */
	int64_t *offset_in_root;	/* [n_buffers] */
	int64_t granule;	/* the smallest alignment; all padded sizes are multiples */
	int64_t max_align;
	struct {
		int *left;	/* [n_roots] users that have not run yet */
		bool *born, *dies, *allowed, *chosen;	/* of the roots and pairs of one step */
	} tmp;
};

static inline int64_t round_up(int64_t n, int64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* A small generator of our own: the same plan on every machine. */
static inline uint32_t plan_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* problem.c: checks the problem and boils it down; fails through w->mem */
void build_work(struct work *w);

/* order.c */
/* Largest saving by pairs of the step that are allowed[] and share no root; marks them chosen[].
 * chosen may be NULL. */
int64_t best_pairs(const struct wstep *s, const bool *allowed, bool unpadded, bool *chosen);
/* The saving of a step by the pairs that w->tmp.born and w->tmp.dies (indexed as s->roots) allow;
 * leaves which in w->tmp.allowed. */
int64_t saving(const struct work *w, const struct wstep *s, bool unpadded);
/* The largest sum of live bytes over the steps of an order; at how many steps (may be NULL). */
int64_t order_bound(const struct work *w, const int *order, bool unpadded, int *n_at_peak);
/* No order can have a smaller bound than this. */
int64_t lower_bound(struct work *w, bool unpadded);
bool move_a_step(struct work *w, int *order, uint64_t *rng);
void improve_order(struct work *w, int *order, int64_t target, uint64_t *rng, int tries);
bool order_is_legal(struct work *w, const int *order);

/* order_search.c */
/* Writes a good order; returns a proven lower bound over all orders (>= floor). */
int64_t search_order(struct work *w, int64_t floor, int *order);

/* offsets.c */
struct piece {
	int root;	/* or -1: scratch */
	int step;	/* of scratch */
	int body;
	int64_t bytes, rel;	/* rel: distance from the body's begin */
	int first, last;	/* positions in the order */
	int *rivals, n_rivals;	/* pieces of other bodies that are live at the same time */
};

/* Pieces joined by in-place decisions: they move together. */
struct body {
	int piece, n_pieces;	/* they stand side by side in pieces[] */
	int n_rivals;
	int64_t align, extent;
	int first, last;
	int64_t base;	/* -1: not placed */
	int64_t best;	/* of the best packing so far */
};

struct gap {
	int64_t lo, hi;	/* a base b with lo < b < hi is forbidden */
};

struct packing {
	struct work *w;
	struct piece *pieces;
	struct body *bodies;
	int n_pieces, n_bodies, n_times;
	int64_t arena;	/* of best[] */
	int64_t work_done;	/* counts rivals looked at: the budget's unit */
	struct gap *gaps;
};

/* Lifetimes of all roots in an order. */
void lifetimes(const struct work *w, const int *order, int *position, int *first, int *last);
void make_packing(struct packing *k, struct work *w, const int *order,
	const struct pair *const *decided, int n_decided);

/* pack.c: heuristics, then a local search until the arena is target or the budget is spent. */
void pack(struct packing *k, int64_t target, uint64_t *rng, int64_t budget);
/* pack_exact.c: complete search for an arena <= limit; true: found (and kept). *nodes counts down;
 * *complete is cleared when "not found" proves nothing. */
bool pack_exact(struct packing *k, int64_t limit, int64_t *nodes, bool *complete);

/* The best plan so far; planner.c and joint.c improve it. */
struct best {
	int *order;
	int64_t *root_offset;	/* [n_roots]; -1: never live */
	int64_t *scratch_offset;	/* [n_steps] */
	const struct pair **over;	/* [n_roots] the decision that lays it over another root */
	int64_t arena;
};

/* All pairs that are legal in an order, step by step; returns how many. */
int legal_pairs(const struct work *w, const int *order, const struct pair **list);
/* Keeps a packing of an order if it is better. */
void keep_best(struct best *best, const struct packing *k, const int *order,
	const struct pair *const *decided, int n_decided);
/* joint.c: all orders, in-place decisions and offsets of a small problem; true: nothing better than
 * best exists (proven); false: the budget ended first. Stops at target. */
bool search_all(struct work *w, struct best *best, int64_t target);

#endif
