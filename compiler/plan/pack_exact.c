/*
 * Offsets by complete search, for small problems.
 *
 * In:  a packing (offsets.c) and a limit. Out: true if a placement within the limit was found (it is
 * kept). *nodes counts down; *complete is cleared when "false" proves nothing, because the budget
 * ended or the problem is not of the kind below.
 *
 * The bodies are laid one after the other with never-sinking bases, each directly on top of the
 * rivals laid before it. That is complete when the pieces of each body begin at the same place
 * (rel 0): take, of all placements within the limit, one with the smallest sum of bases. No body of it
 * can sink, so each rests on a rival with a smaller base, or on the ground; laid in the order of
 * their bases, each comes to lie exactly where it was. (With rel > 0 bodies can interlock: then all
 * that is found is correct, but "none" is only "not found".) Cut off are: a body that ends above the
 * limit; a step at which what is laid and what is still to be laid no longer fit; a body whose base
 * leaves room for another whole body that is still to be laid - that one could sink into the room,
 * which the smallest sum excludes.
 */
#include "plan_internal.h"

#include <string.h>

struct exact {
	struct packing *k;
	int64_t limit, *nodes;
	int64_t *height;	/* [n_times] top of what is laid at this step */
	int64_t *waiting;	/* [n_times] bytes still to be laid at this step */
	bool stack;	/* all rel are 0: the cuts are valid */
};

/* The lowest base on top of the rivals that are laid. */
static int64_t lowest(const struct exact *e, const struct body *b)
{
	int64_t base = 0;
	for (int i = b->piece; i < b->piece + b->n_pieces; i++) {
		const struct piece *p = &e->k->pieces[i];
		for (int j = 0; j < p->n_rivals; j++) {
			const struct piece *q = &e->k->pieces[p->rivals[j]];
			const struct body *c = &e->k->bodies[q->body];
			if (c->base >= 0 && c->base + q->rel + q->bytes - p->rel > base)
				base = c->base + q->rel + q->bytes - p->rel;
		}
	}
	return round_up(base, b->align);
}

static void add_waiting(struct exact *e, const struct body *b, int sign)
{
	/* pieces of one body share bytes in the step where one overwrites the other: the largest
	 * counts there, as all begin at the same place */
	for (int t = b->first; t <= b->last; t++) {
		int64_t most = 0;
		for (int i = b->piece; i < b->piece + b->n_pieces; i++) {
			const struct piece *p = &e->k->pieces[i];
			if (p->first <= t && t <= p->last && p->bytes > most)
				most = p->bytes;
		}
		e->waiting[t] += sign * most;
	}
}

/* Lays the rest; the newest body is `newest`, its base `floor`. */
static bool lay(struct exact *e, int n_laid, int newest, int64_t floor)
{
	struct packing *k = e->k;
	if (n_laid == k->n_bodies)
		return true;
	if (--*e->nodes <= 0)
		return false;
	int64_t lid = e->limit;	/* bodies whose base is at least this leave room for another one */
	for (int i = 0; i < k->n_bodies; i++) {
		const struct body *b = &k->bodies[i];
		if (b->base >= 0)
			continue;
		int64_t base = lowest(e, b);
		if (base + b->extent > e->limit)
			return false;
		if (e->stack && base + b->extent < lid && b->extent > 0)
			lid = base + b->extent;
	}
	if (e->stack)
		for (int t = 0; t < k->n_times; t++) {
			int64_t from = e->height[t] > floor || e->waiting[t] == 0 ? e->height[t] : floor;
			if (from + e->waiting[t] > e->limit)
				return false;
		}
	for (int i = 0; i < k->n_bodies; i++) {
		struct body *b = &k->bodies[i];
		if (b->base >= 0)
			continue;
		int64_t base = lowest(e, b);
		/* bodies of equal base in the order of their numbers only */
		if (e->stack && (base < floor || (base == floor && i < newest) || base >= lid))
			continue;
		int64_t heights[64];
		for (int t = b->first; t <= b->last && e->stack; t++) {
			heights[t - b->first] = e->height[t];
			for (int j = b->piece; j < b->piece + b->n_pieces; j++) {
				const struct piece *p = &k->pieces[j];
				if (p->first <= t && t <= p->last && base + p->bytes > e->height[t])
					e->height[t] = base + p->bytes;
			}
		}
		add_waiting(e, b, -1);
		b->base = base;
		if (lay(e, n_laid + 1, i, base))
			return true;
		b->base = -1;
		add_waiting(e, b, 1);
		for (int t = b->first; t <= b->last && e->stack; t++)
			e->height[t] = heights[t - b->first];
	}
	return false;
}

bool pack_exact(struct packing *k, int64_t limit, int64_t *nodes, bool *complete)
{
	struct exact e = {.k = k, .limit = limit, .nodes = nodes, .stack = true};
	if (k->n_times > 64 || k->n_bodies > 64) {
		*complete = false;
		return false;
	}
	for (int i = 0; i < k->n_pieces; i++)
		e.stack &= k->pieces[i].rel == 0;
	e.height = plan_alloc(k->w->mem, (size_t)k->n_times, sizeof *e.height);
	e.waiting = plan_alloc(k->w->mem, (size_t)k->n_times, sizeof *e.waiting);
	for (int i = 0; i < k->n_bodies; i++) {
		k->bodies[i].base = -1;
		add_waiting(&e, &k->bodies[i], 1);
	}
	if (!lay(&e, 0, -1, 0)) {
		*complete &= e.stack && *nodes > 0;
		return false;
	}
	int64_t arena = 0;
	for (int i = 0; i < k->n_bodies; i++) {
		struct body *b = &k->bodies[i];
		if (b->base + b->extent > arena)
			arena = b->base + b->extent;
		b->best = b->base;
	}
	k->arena = arena;
	return true;
}
