/*
 * The planner's lead: problem -> work -> orders -> offsets -> result and certificate.
 *
 * Orders are searched first (order_search.c): the given one, and the one with the smallest bound.
 * Each is packed (pack.c) with two sets of in-place decisions: all that save most, and only those
 * without which the order's bound is out of reach - fewer decisions leave the pieces freer. When the
 * arena equals a proven lower bound the work is over. Otherwise small problems are searched to the
 * end (joint.c) and large ones by changing the best order a little and packing again.
 * All budgets are counts, chosen for about half a second at a thousand steps.
 */
#include "plan_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PACK_BUDGET 700000	/* rivals looked at, for the first orders */
#define SHAKE_BUDGET 20000	/* the same, for each changed order */
#define ALL_BUDGET 4000000	/* the same, of everything */
#define MAX_SHAKES 300
#define IMPROVE_WORK 4000000	/* uses of roots looked at while improving an order */
#define SMALL_STEPS 24	/* up to here everything is searched */

int legal_pairs(const struct work *w, const int *order, const struct pair **list)
{
	int n = 0;
	for (int r = 0; r < w->n_roots; r++)
		w->tmp.left[r] = w->roots[r].n_users;
	for (int t = 0; t < w->n_steps; t++) {
		const struct wstep *s = &w->steps[order[t]];
		for (int i = 0; i < s->n_roots; i++) {
			const struct root *r = &w->roots[s->roots[i]];
			int *left = &w->tmp.left[s->roots[i]];
			w->tmp.born[i] = !r->first && *left == r->n_users;
			w->tmp.dies[i] = --*left == 0 && !r->last;
		}
		saving(w, s, false);
		for (int i = 0; i < s->n_pairs; i++)
			if (w->tmp.allowed[i])
				list[n++] = &s->pairs[i];
	}
	return n;
}

void keep_best(struct best *best, const struct packing *k, const int *order,
	const struct pair *const *decided, int n_decided)
{
	const struct work *w = k->w;
	if (k->arena >= best->arena)
		return;
	best->arena = k->arena;
	memmove(best->order, order, (size_t)w->n_steps * sizeof *order);
	for (int r = 0; r < w->n_roots; r++) {
		best->root_offset[r] = -1;
		best->over[r] = NULL;
	}
	for (int s = 0; s < w->n_steps; s++)
		best->scratch_offset[s] = -1;
	for (int i = 0; i < k->n_pieces; i++) {
		const struct piece *p = &k->pieces[i];
		int64_t offset = k->bodies[p->body].best + p->rel;
		if (p->root >= 0)
			best->root_offset[p->root] = offset;
		else
			best->scratch_offset[p->step] = offset;
	}
	for (int i = 0; i < n_decided; i++)
		best->over[decided[i]->out_root] = decided[i];
}

/* The best pairs of each step; of steps whose live bytes exceed `above` without reuse only. */
static int decide_pairs(struct work *w, const int *order, int64_t above, const struct pair **list)
{
	int64_t live = 0;
	int n = 0;
	for (int r = 0; r < w->n_roots; r++) {
		w->tmp.left[r] = w->roots[r].n_users;
		live += w->roots[r].first ? w->roots[r].bytes : 0;
	}
	for (int t = 0; t < w->n_steps; t++) {
		const struct wstep *s = &w->steps[order[t]];
		int64_t freed = 0;
		for (int i = 0; i < s->n_roots; i++) {
			const struct root *r = &w->roots[s->roots[i]];
			int *left = &w->tmp.left[s->roots[i]];
			w->tmp.born[i] = !r->first && *left == r->n_users;
			w->tmp.dies[i] = --*left == 0 && !r->last;
			live += w->tmp.born[i] ? r->bytes : 0;
			freed += w->tmp.dies[i] ? r->bytes : 0;
		}
		if (s->n_pairs > 0 && live + s->scratch > above) {
			saving(w, s, false);
			best_pairs(s, w->tmp.allowed, false, w->tmp.chosen);
			for (int i = 0; i < s->n_pairs; i++)
				if (w->tmp.chosen[i])
					list[n++] = &s->pairs[i];
		}
		live -= freed;
	}
	return n;
}

/* Returns the work done. */
static int64_t pack_order(struct work *w, struct best *best, const int *order, int64_t bound,
	uint64_t *rng, int64_t budget)
{
	int64_t done = 0;
	int n_all = 0;
	for (int variant = 0; variant < 2 && best->arena > bound; variant++) {
		struct plan_mark mark = plan_mark(w->mem);
		const struct pair **list = plan_alloc(w->mem, (size_t)w->n_roots, sizeof(struct pair *));
		int n = decide_pairs(w, order, variant == 0 ? -1 : bound, list);
		if (variant == 0 || n < n_all) {
			struct packing k;
			make_packing(&k, w, order, list, n);
			pack(&k, bound, rng, budget);
			keep_best(best, &k, order, list, n);
			done += k.work_done;
		}
		n_all = n;
		plan_rewind(w->mem, mark);
	}
	return done;
}

/* Changes the best order by a few random legal moves that keep its bound below the best arena, and
 * packs it; many times. */
static void shake_orders(struct work *w, struct best *best, int64_t target, uint64_t *rng,
	int64_t done)
{
	int n = w->n_steps;
	int *order = plan_alloc(w->mem, (size_t)n, sizeof *order);
	for (int i = 0; i < MAX_SHAKES && best->arena > target && done < ALL_BUDGET; i++) {
		memcpy(order, best->order, (size_t)n * sizeof *order);
		for (int moves = 0; moves < 1 + i % 4; moves++)
			move_a_step(w, order, rng);
		int64_t bound = order_bound(w, order, false, NULL);
		if (bound < best->arena)
			done += pack_order(w, best, order, bound, rng, SHAKE_BUDGET);
	}
}

static void search_plan(struct work *w, struct best *best, struct plan_certificate *cert)
{
	int n = w->n_steps;
	uint64_t rng = 0x616d706f756c65;	/* any constant */
	int64_t lower = lower_bound(w, false);
	int *given = plan_alloc(w->mem, (size_t)n, sizeof *given);
	int *found = plan_alloc(w->mem, (size_t)n, sizeof *found);
	int64_t given_bound = INT64_MAX, found_bound = INT64_MAX, uses = 1;
	for (int s = 0; s < n; s++) {
		given[s] = s;
		uses += w->steps[s].n_roots + 1;
	}
	if (order_is_legal(w, given))
		given_bound = order_bound(w, given, false, NULL);
	else if (w->p->keep_order)
		plan_fail(w->mem, PLAN_BAD_PROBLEM, "the steps do not stand in a possible order");
	if (!w->p->keep_order) {
		lower = search_order(w, lower, found);
		found_bound = order_bound(w, found, false, NULL);
		if (given_bound < found_bound)
			memcpy(found, given, (size_t)n * sizeof *given);
		improve_order(w, found, lower, &rng, (int)(IMPROVE_WORK / uses));
		found_bound = order_bound(w, found, false, NULL);
	}
	/* the given order is what people know from the model: it wins when it is as good */
	int64_t target = given_bound < found_bound ? given_bound : found_bound;
	int64_t done = 0;
	best->arena = INT64_MAX;
	if (given_bound == target)
		done += pack_order(w, best, given, target, &rng, PACK_BUDGET);
	bool free_order = !w->p->keep_order, proven = false;
	if (!free_order)
		lower = target;
	if (free_order && best->arena > found_bound)
		done += pack_order(w, best, found, found_bound, &rng, PACK_BUDGET);
	if (free_order && given_bound != target && given_bound < best->arena)
		done += pack_order(w, best, given, given_bound, &rng, PACK_BUDGET);
	if (best->arena > lower && n <= SMALL_STEPS)
		proven = search_all(w, best, lower);
	if (free_order && !proven && best->arena > target && n > 1)
		shake_orders(w, best, target, &rng, done);
	cert->lower_bound = lower;
	cert->arena_proven = proven || best->arena == lower;
}

static double ratio(int64_t a, int64_t b)
{
	return a == b ? 1.0 : b == 0 ? (double)INFINITY : (double)a / (double)b;
}

static void certify(struct work *w, const struct best *best, struct plan_certificate *c)
{
	c->order_bound = order_bound(w, best->order, false, NULL);
	c->order_bound_unpadded = order_bound(w, best->order, true, NULL);
	c->lower_bound_unpadded = w->p->keep_order ? c->order_bound_unpadded : lower_bound(w, true);
	c->over_order = ratio(best->arena, c->order_bound);
	c->over_lower = ratio(best->arena, c->lower_bound);
	c->over_order_unpadded = ratio(best->arena, c->order_bound_unpadded);
	c->over_lower_unpadded = ratio(best->arena, c->lower_bound_unpadded);
	c->order_proven = c->order_bound == c->lower_bound;
}

/* The arrays of the result lie in one block of memory of their own. */
static void write_result(struct work *w, const struct best *best, struct plan_result *r)
{
	size_t n = (size_t)w->n_steps, n_buffers = (size_t)w->p->n_buffers;
	char *at = malloc((n + n_buffers) * (sizeof(int64_t) + sizeof(int)) + 1);
	if (!at)
		plan_fail(w->mem, PLAN_NO_MEMORY, "out of memory");
	r->memory = at;
	r->offset = (int64_t *)at;
	r->scratch_offset = r->offset + n_buffers;
	r->order = (int *)(r->scratch_offset + n);
	r->inplace = r->order + n;
	memcpy(r->order, best->order, n * sizeof *r->order);
	memcpy(r->scratch_offset, best->scratch_offset, n * sizeof *r->scratch_offset);
	for (size_t b = 0; b < n_buffers; b++) {
		int64_t root = best->root_offset[w->root_of[b]];
		const struct pair *over = best->over[w->root_of[b]];
		r->offset[b] = root < 0 ? -1 : root + w->offset_in_root[b];
		r->inplace[b] = over && over->out == (int)b ? over->in : -1;
	}
	r->arena_bytes = best->arena;
	r->arena_align = w->max_align;
}

static void solve(struct work *w, struct plan_result *r)
{
	struct best best = {0};
	build_work(w);
	best.order = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *best.order);
	best.root_offset = plan_alloc(w->mem, (size_t)w->n_roots, sizeof *best.root_offset);
	best.scratch_offset = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *best.scratch_offset);
	best.over = plan_alloc(w->mem, (size_t)w->n_roots, sizeof(struct pair *));
	search_plan(w, &best, &r->cert);
	certify(w, &best, &r->cert);
	write_result(w, &best, r);
}

/* The landing place of plan_fail(): nothing local here changes after setjmp(). */
static enum plan_status solve_or_fail(struct work *w, struct plan_result *r)
{
	enum plan_status status = (enum plan_status)setjmp(w->mem->failed);
	if (status == PLAN_OK)
		solve(w, r);
	return status;
}

enum plan_status plan_solve(const struct plan_problem *p, struct plan_result *r,
	char *why, size_t why_size)
{
	struct plan_mem mem = {.why = why, .why_size = why_size};
	struct work w = {.mem = &mem, .p = p};
	memset(r, 0, sizeof *r);
	enum plan_status status = solve_or_fail(&w, r);
	plan_rewind(&mem, (struct plan_mark){0});
	if (status != PLAN_OK)
		memset(r, 0, sizeof *r);
	return status;
}

void plan_free(struct plan_result *r)
{
	free(r->memory);
	memset(r, 0, sizeof *r);
}
