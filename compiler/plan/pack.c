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

/* Lays the bodies of this sequence from place `from` on; those before lie at bases[] (if any do).
 * Returns the arena, or stops when it exceeds `enough` and returns what it has come to. */
static int64_t place_all(struct packing *k, const int *sequence, bool tight, int from,
	const int64_t *bases, int64_t enough)
{
	int64_t arena = 0;
	for (int i = 0; i < k->n_bodies; i++) {
		struct body *b = &k->bodies[sequence[i]];
		b->base = i < from ? bases[sequence[i]] : -1;
		if (i < from && b->base + b->extent > arena)
			arena = b->base + b->extent;
	}
	for (int i = from; i < k->n_bodies && arena <= enough; i++) {
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

/* The largest sum of live bytes at any step of the body's life. */
static double pressure(const struct body *b, const int64_t *live)
{
	int64_t most = 0;
	for (int t = b->first; t <= b->last; t++)
		most = live[t] > most ? live[t] : most;
	return (double)most;
}

/* A body's weight in the first sequences: larger goes first. */
static double weight(const struct body *b, int rule, const int64_t *live)
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
	case 5:
		return size * (double)b->n_rivals;
	default:
		return pressure(b, live);	/* the fullest steps first; in each, by size */
	}
}

#define N_RULES 7

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

/* One change of the sequence: a top body, or a random rival of it, goes ahead of a rival of its own
 * (or of anything). Returns the first place that changed. */
static int shake(struct packing *k, int *sequence, int *place_of, const int *top, int n_top,
	uint64_t *rng)
{
	int chosen = top[plan_random(rng) % (uint32_t)n_top], to = -1;
	for (int i = 0; i < k->n_bodies; i++)
		place_of[sequence[i]] = i;
	for (int hop = (int)(plan_random(rng) % 3 == 0); hop >= 0; hop--) {
		const struct body *b = &k->bodies[chosen];
		const struct piece *p = &k->pieces[b->piece + (int)(plan_random(rng) % (uint32_t)b->n_pieces)];
		if (p->n_rivals == 0)
			break;
		int rival = k->pieces[p->rivals[plan_random(rng) % (uint32_t)p->n_rivals]].body;
		if (hop > 0)
			chosen = rival;
		else
			to = place_of[rival];
	}
	int at = place_of[chosen];
	if (to < 0 || to >= at || plan_random(rng) % 8 == 0)
		to = at > 0 ? (int)(plan_random(rng) % (uint32_t)at) : 0;
	move_to(sequence, at, to);
	return to;
}

static void local_search(struct packing *k, int *sequence, bool tight, int64_t target,
	uint64_t *rng, int64_t budget)
{
	size_t n = (size_t)k->n_bodies;
	int *trial = plan_alloc(k->w->mem, n, sizeof *trial);
	int *top = plan_alloc(k->w->mem, n, sizeof *top);
	int *place_of = plan_alloc(k->w->mem, n, sizeof *place_of);
	int64_t *bases = plan_alloc(k->w->mem, n, sizeof *bases);	/* of `sequence` */
	int64_t end = k->work_done + budget;
	int64_t arena = place_all(k, sequence, tight, 0, NULL, INT64_MAX);
	int stale = 0, n_top = 0;
	for (bool accepted = true; k->arena > target && k->work_done < end;) {
		if (accepted) {
			n_top = reach_top(k, arena, top);
			for (size_t i = 0; i < n; i++)
				bases[i] = k->bodies[i].base;
		}
		memcpy(trial, sequence, n * sizeof *trial);
		int from = shake(k, trial, place_of, top, n_top, rng);
		if (stale > 60) {	/* far from any gain: two changes at once */
			int second = shake(k, trial, place_of, top, n_top, rng);
			from = second < from ? second : from;
		}
		/* equal is welcome, and now and then a little worse, to leave a dead end */
		int64_t enough = plan_random(rng) % 16 == 0 ? arena + arena / 50 : arena;
		int64_t now = place_all(k, trial, tight, from, bases, enough);
		k->work_done += k->n_bodies / 4;	/* the copying */
		accepted = now <= enough;
		stale = accepted && now < arena ? 0 : stale + 1;
		if (accepted) {
			keep(k, now);
			memcpy(sequence, trial, n * sizeof *trial);
			arena = now;
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
	int64_t *live = plan_alloc(k->w->mem, (size_t)k->n_times, sizeof *live);
	bool best_tight = false;
	for (int i = 0; i < k->n_pieces; i++)
		for (int t = k->pieces[i].first; t <= k->pieces[i].last; t++)
			live[t] += k->pieces[i].bytes;
	for (int rule = 0; rule < N_RULES && k->arena > target; rule++) {
		for (int i = 0; i < k->n_bodies; i++)
			list[i] = (struct weighed){weight(&k->bodies[i], rule, live), k->bodies[i].extent, i};
		qsort(list, n, sizeof *list, compare_weights);
		for (int i = 0; i < k->n_bodies; i++)
			sequence[i] = list[i].body;
		for (int tight = 0; tight < 2 && k->arena > target; tight++) {
			int64_t arena = place_all(k, sequence, tight, 0, NULL, k->arena);
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
