/*
 * Offsets by heuristics and local search.
 *
 * In:  a packing (offsets.c). Out: best[] of each body, and the arena.
 * Given a sequence of bodies, each is laid at the lowest place, or in the tightest gap, where none
 * of its pieces meets a rival. Some sequences are tried that are known to do well (large first,
 * long-lived first, ...); then a local search takes a body that reaches the top of the arena, moves
 * it ahead of one that is in its way, and keeps what is not worse. The budget counts rivals looked
 * at, so that the plan is the same on every machine.
 */
#include "plan_internal.h"

#include <stdlib.h>
#include <string.h>

static void sort_gaps(struct gap *g, int n)
{
	for (int step = n / 2; step > 0; step = step == 2 ? 1 : step * 5 / 11)
		for (int i = step; i < n; i++) {
			struct gap x = g[i];
			int j = i;
			for (; j >= step && g[j - step].lo > x.lo; j -= step)
				g[j] = g[j - step];
			g[j] = x;
		}
}

/* Lays body b among the bodies that are placed; tight: in the smallest gap that holds it. */
static void place(struct packing *k, struct body *b, bool tight)
{
	int n = 0;
	for (int i = b->piece; i < b->piece + b->n_pieces; i++) {
		const struct piece *p = &k->pieces[i];
		for (int j = 0; j < p->n_rivals; j++) {
			const struct piece *q = &k->pieces[p->rivals[j]];
			const struct body *c = &k->bodies[q->body];
			if (c->base < 0)
				continue;
			int64_t lo = c->base + q->rel - p->rel - p->bytes, hi = c->base + q->rel + q->bytes - p->rel;
			if (hi > 0)
				k->gaps[n++] = (struct gap){lo, hi};
		}
	}
	k->work_done += b->n_rivals + 1;
	sort_gaps(k->gaps, n);
	int64_t base = 0, best = -1, best_room = 0;
	for (int i = 0; i < n; i++) {
		int64_t room = k->gaps[i].lo - base;
		if (room >= 0 && !tight)
			break;
		if (room >= 0 && (best < 0 || room < best_room)) {
			best = base;
			best_room = room;
		}
		if (k->gaps[i].hi > base)
			base = round_up(k->gaps[i].hi, b->align);
	}
	b->base = best >= 0 ? best : base;
}

/* Lays all bodies in this sequence; returns the arena. */
static int64_t place_all(struct packing *k, const int *sequence, bool tight)
{
	int64_t arena = 0;
	for (int i = 0; i < k->n_bodies; i++)
		k->bodies[i].base = -1;
	for (int i = 0; i < k->n_bodies; i++) {
		struct body *b = &k->bodies[sequence[i]];
		place(k, b, tight);
		if (b->base + b->extent > arena)
			arena = b->base + b->extent;
	}
	return arena;
}

static void keep(struct packing *k, int64_t arena)
{
	if (arena >= k->arena)
		return;
	k->arena = arena;
	for (int i = 0; i < k->n_bodies; i++)
		k->bodies[i].best = k->bodies[i].base;
}

/* A body's weight in the first sequences: larger goes first. */
static double weight(const struct body *b, int rule)
{
	double size = (double)b->extent, life = (double)(b->last - b->first + 1);
	switch (rule) {
	case 0:
		return size;
	case 1:
		return size * life;
	case 2:
		return life;
	case 3:
		return -(double)b->first;	/* as they are born */
	case 4:
		return (double)b->last;	/* as they die, backwards */
	default:
		return size * (double)b->n_rivals;
	}
}

#define N_RULES 6

struct weighed {
	double weight;
	int64_t extent;
	int body;
};

static int compare_weights(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->extent != y->extent)
		return x->extent > y->extent ? -1 : 1;
	return x->body < y->body ? -1 : x->body > y->body;
}

/* Bodies that touch the top of the current placement; how many. */
static int reach_top(const struct packing *k, int64_t arena, int *list)
{
	int n = 0;
	for (int i = 0; i < k->n_bodies; i++)
		if (k->bodies[i].base + k->bodies[i].extent == arena)
			list[n++] = i;
	return n;
}

static void move_to(int *sequence, int from, int to)
{
	int x = sequence[from];
	if (to < from)
		memmove(sequence + to + 1, sequence + to, (size_t)(from - to) * sizeof *sequence);
	else
		memmove(sequence + from, sequence + from + 1, (size_t)(to - from) * sizeof *sequence);
	sequence[to] = x;
}

/* One change of the sequence: a top body, or a random rival of it, goes ahead of where it stood. */
static void shake(struct packing *k, int *sequence, const int *top, int n_top, uint64_t *rng)
{
	const struct body *b = &k->bodies[top[plan_random(rng) % (uint32_t)n_top]];
	int chosen = (int)(b - k->bodies);
	const struct piece *p = &k->pieces[b->piece + (int)(plan_random(rng) % (uint32_t)b->n_pieces)];
	if (p->n_rivals > 0 && plan_random(rng) % 3 == 0)
		chosen = k->pieces[p->rivals[plan_random(rng) % (uint32_t)p->n_rivals]].body;
	int at = 0;
	while (sequence[at] != chosen)
		at++;
	if (at > 0)
		move_to(sequence, at, (int)(plan_random(rng) % (uint32_t)at));
}

static void local_search(struct packing *k, int *sequence, bool tight, int64_t target,
	uint64_t *rng, int64_t budget)
{
	int *trial = plan_alloc(k->w->mem, (size_t)k->n_bodies, sizeof *trial);
	int *top = plan_alloc(k->w->mem, (size_t)k->n_bodies, sizeof *top);
	int64_t end = k->work_done + budget;
	int64_t arena = place_all(k, sequence, tight);
	keep(k, arena);
	int n_top = reach_top(k, arena, top), stale = 0;
	while (k->arena > target && k->work_done < end) {
		memcpy(trial, sequence, (size_t)k->n_bodies * sizeof *trial);
		shake(k, trial, top, n_top, rng);
		if (stale > 60)	/* far from any gain: two changes at once */
			shake(k, trial, top, n_top, rng);
		int64_t now = place_all(k, trial, tight);
		keep(k, now);
		/* equal is welcome, and now and then a little worse, to leave a dead end */
		if (now <= arena || (plan_random(rng) % 16 == 0 && now - arena <= arena / 50)) {
			stale = now < arena ? 0 : stale + 1;
			memcpy(sequence, trial, (size_t)k->n_bodies * sizeof *trial);
			arena = now;
			n_top = reach_top(k, arena, top);
		} else {
			stale++;
		}
	}
}

void pack(struct packing *k, int64_t target, uint64_t *rng, int64_t budget)
{
	if (k->n_bodies == 0) {
		k->arena = 0;
		return;
	}
	size_t n = (size_t)k->n_bodies;
	struct weighed *list = plan_alloc(k->w->mem, n, sizeof *list);
	int *sequence = plan_alloc(k->w->mem, n, sizeof *sequence);
	int *best = plan_alloc(k->w->mem, n, sizeof *best);
	bool best_tight = false;
	for (int rule = 0; rule < N_RULES && k->arena > target; rule++) {
		for (int i = 0; i < k->n_bodies; i++)
			list[i] = (struct weighed){weight(&k->bodies[i], rule), k->bodies[i].extent, i};
		qsort(list, n, sizeof *list, compare_weights);
		for (int i = 0; i < k->n_bodies; i++)
			sequence[i] = list[i].body;
		for (int tight = 0; tight < 2 && k->arena > target; tight++) {
			int64_t arena = place_all(k, sequence, tight);
			if (arena < k->arena) {
				memcpy(best, sequence, n * sizeof *best);
				best_tight = tight;
			}
			keep(k, arena);
		}
	}
	if (k->arena > target && budget > 0)
		local_search(k, best, best_tight, target, rng, budget);
}
