/*
 * Searching an order with the smallest bound.
 *
 * A state is the set of steps that have run; its live bytes follow from the set alone, so two ways
 * to the same set differ only in their peak. Best-first search over states by (peak, depth): the first
 * complete state that is taken has the smallest peak of all orders. Two things keep it small:
 * - Everything below the floor (a proven lower bound) counts as the floor, so that the search runs
 *   straight down as long as nothing exceeds it. Networks that are chains of blocks have few states.
 * - Safe moves: a step that is ready, does not exceed the state's peak and leaves no more bytes
 *   live than before may run at once. In any order from here it can be moved to the front: what it
 *   frees has no other user left, so no step between gets dearer. (It must be the only writer of
 *   the roots that it starts, or another writer might have wanted to start them in place.)
 * When the budget is spent, the smallest peak among the open states is still a proven lower bound;
 * the order then comes from a beam search, which keeps the best states of each depth.
 */
#include "plan_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STATES 20000
#define MAX_CELLS (1 << 22)	/* states * (words + ready steps): memory of the search */
#define MAX_TRIES 400000	/* steps tried */
#define BEAM 12
#define LOOKS 48	/* ready steps that the beam and the greedy walk look at: half old, half new */
#define MAX_BEAM_STEPS 2000

struct state {
	uint64_t *done;
	int *ready;
	int n_ready, depth, parent, step;
	int64_t live, peak;
	bool closed;
};

struct entry {
	int64_t peak;	/* its own copy: a state's peak can sink while an old entry waits */
	int state;
};

struct search {
	struct work *w;
	size_t words;
	struct state *states;
	int n_states, max_states;
	struct entry *heap;
	int n_heap;
	int *table;	/* hash table of states, -1: free */
	uint32_t mask;
	int64_t cells, tries;
};

static bool bit(const uint64_t *row, int i)
{
	return row[i / 64] >> (i % 64) & 1;
}

struct move {
	int64_t during, after;	/* live bytes while the step runs, and then */
	bool safe;	/* starts no root that others write too */
};

static struct move try_step(struct search *q, const struct state *st, int step)
{
	const struct work *w = q->w;
	const struct wstep *s = &w->steps[step];
	int64_t grows = 0, freed = 0;
	struct move m = {0, 0, true};
	q->tries++;
	for (int i = 0; i < s->n_roots; i++) {
		const struct root *r = &w->roots[s->roots[i]];
		bool born = !r->first, dies = !r->last;
		for (int k = 0; k < r->n_users && born; k++)
			born = !bit(st->done, r->users[k]);
		for (int k = r->n_users - 1; k >= 0 && dies; k--)
			dies = r->users[k] == step || bit(st->done, r->users[k]);
		w->tmp.born[i] = born;
		w->tmp.dies[i] = dies;
		grows += born ? r->bytes : 0;
		freed += dies ? r->bytes : 0;
		if (born && r->n_writers > 1)
			m.safe = false;
	}
	m.during = st->live + grows + s->scratch - saving(w, s, false);
	m.after = st->live + grows - freed;
	return m;
}

/* Smaller comes first: peak, then deeper, then fewer live bytes, then the older state. */
static bool comes_first(const struct search *q, struct entry a, struct entry b)
{
	const struct state *x = &q->states[a.state], *y = &q->states[b.state];
	if (a.peak != b.peak)
		return a.peak < b.peak;
	if (x->depth != y->depth)
		return x->depth > y->depth;
	if (x->live != y->live)
		return x->live < y->live;
	return a.state < b.state;
}

static void push(struct search *q, int state)
{
	struct entry e = {q->states[state].peak, state};
	int i = q->n_heap++;
	for (; i > 0 && comes_first(q, e, q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = e;
}

static int pop(struct search *q)
{
	struct entry top = q->heap[0], last = q->heap[--q->n_heap];
	int i = 0;
	for (;;) {
		int child = 2 * i + 1;
		if (child >= q->n_heap)
			break;
		if (child + 1 < q->n_heap && comes_first(q, q->heap[child + 1], q->heap[child]))
			child++;
		if (!comes_first(q, q->heap[child], last))
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	q->heap[i] = last;
	return top.state;
}

/* The slot of a set in the hash table: of the state that has it, or free. */
static int *find(struct search *q, const uint64_t *done)
{
	uint64_t h = 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < q->words; i++) {
		h = (h ^ done[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	uint32_t at = (uint32_t)h & q->mask;
	while (q->table[at] >= 0
		&& memcmp(q->states[q->table[at]].done, done, q->words * sizeof *done) != 0)
		at = (at + 1) & q->mask;
	return &q->table[at];
}

static bool room_left(const struct search *q)
{
	return q->n_states < q->max_states && q->cells < MAX_CELLS;
}

/* The state after a step; an existing one when the same set was reached before, with the smaller
 * peak of the two. Returns -1 if nothing is new. */
static int advance(struct search *q, int from, int step, struct move m, bool *again)
{
	struct work *w = q->w;
	struct state *st = &q->states[from], *to = &q->states[q->n_states];
	int64_t peak = m.during > st->peak ? m.during : st->peak;
	*again = false;
	if (!to->done)
		to->done = plan_alloc(w->mem, q->words, sizeof *to->done);
	memcpy(to->done, st->done, q->words * sizeof *to->done);
	to->done[step / 64] |= (uint64_t)1 << (step % 64);
	int *slot = find(q, to->done);
	if (*slot >= 0) {
		struct state *old = &q->states[*slot];
		if (old->closed || old->peak <= peak)
			return -1;
		old->peak = peak;
		old->parent = from;
		old->step = step;
		*again = true;
		return *slot;
	}
	const struct wstep *s = &w->steps[step];
	to->ready = plan_alloc(w->mem, (size_t)(st->n_ready + s->n_succ), sizeof *to->ready);
	for (int i = 0; i < st->n_ready; i++)
		if (st->ready[i] != step)
			to->ready[to->n_ready++] = st->ready[i];
	for (int i = 0; i < s->n_succ; i++) {
		const struct wstep *next = &w->steps[s->succ[i]];
		bool ready = true;
		for (int k = 0; k < next->n_pred && ready; k++)
			ready = bit(to->done, next->pred[k]);
		if (ready)
			to->ready[to->n_ready++] = s->succ[i];
	}
	to->depth = st->depth + 1;
	to->parent = from;
	to->step = step;
	to->live = m.after;
	to->peak = peak;
	q->cells += (int64_t)q->words + to->n_ready + 8;
	return *slot = q->n_states++;
}

/* A ready step that may run at once, or -1. Looks at the newest `looks` ready steps only. */
static int safe_step(struct search *q, const struct state *st, int looks, struct move *found)
{
	for (int i = st->n_ready - 1; i >= 0 && looks > 0; i--, looks--) {
		struct move m = try_step(q, st, st->ready[i]);
		if (m.safe && m.during <= st->peak && m.after <= st->live) {
			*found = m;
			return st->ready[i];
		}
	}
	return -1;
}

static void write_order(const struct search *q, int state, int *order)
{
	for (; q->states[state].parent >= 0; state = q->states[state].parent)
		order[q->states[state].depth - 1] = q->states[state].step;
}

static void start(struct search *q, int64_t floor)
{
	struct work *w = q->w;
	q->n_states = q->n_heap = 0;
	q->cells = q->tries = 0;
	memset(q->states, 0, (size_t)q->max_states * sizeof *q->states);
	for (uint32_t i = 0; i <= q->mask; i++)
		q->table[i] = -1;
	struct state *st = &q->states[q->n_states++];
	st->done = plan_alloc(w->mem, q->words, sizeof *st->done);
	st->ready = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *st->ready);
	for (int s = 0; s < w->n_steps; s++)
		if (w->steps[s].n_pred == 0)
			st->ready[st->n_ready++] = s;
	for (int r = 0; r < w->n_roots; r++)
		st->live += w->roots[r].first ? w->roots[r].bytes : 0;
	st->peak = st->live > floor ? st->live : floor;
	st->parent = st->step = -1;
	*find(q, st->done) = 0;
}

/* Returns the proven lower bound; *complete: the order has exactly this bound. */
static int64_t best_first(struct search *q, int64_t floor, int *order, bool *complete)
{
	int n = q->w->n_steps;
	int64_t proven = floor;
	start(q, floor);
	push(q, 0);
	*complete = false;
	while (q->n_heap > 0) {
		int at = pop(q);
		struct state *st = &q->states[at];
		if (st->closed)
			continue;
		st->closed = true;
		proven = st->peak;
		if (st->depth == n) {
			write_order(q, at, order);
			*complete = true;
			break;
		}
		struct move m;
		bool again;
		int only = safe_step(q, st, st->n_ready, &m);
		for (int i = 0; i < (only >= 0 ? 1 : st->n_ready); i++) {
			/* max_states bounds the heap too: each push is a new or a cheaper state */
			if (!room_left(q) || q->tries > MAX_TRIES || q->n_heap >= 4 * q->max_states)
				return proven;
			int step = only >= 0 ? only : st->ready[i];
			if (only < 0)
				m = try_step(q, st, step);
			int to = advance(q, at, step, m, &again);
			if (to >= 0)
				push(q, to);
		}
	}
	return proven;
}

struct candidate {
	int from, step;
	struct move m;
	int64_t peak;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->peak != y->peak)
		return x->peak < y->peak ? -1 : 1;
	if (x->m.after != y->m.after)
		return x->m.after < y->m.after ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

/* Keeps the BEAM best states of each depth. */
static void beam(struct search *q, int64_t floor, int *order)
{
	struct work *w = q->w;
	int n = w->n_steps, layer[BEAM] = {0}, n_layer = 1, next[BEAM], n_next;
	struct candidate list[BEAM * LOOKS];
	start(q, floor);
	for (int depth = 0; depth < n; depth++) {
		int n_list = 0;
		for (int i = 0; i < n_layer; i++) {
			struct move m;
			const struct state *st = &q->states[layer[i]];
			int only = safe_step(q, st, LOOKS, &m);
			int looks = only >= 0 ? 1 : st->n_ready < LOOKS ? st->n_ready : LOOKS;
			for (int k = 0; k < looks; k++) {
				int step = only >= 0 ? only : st->ready[k < looks / 2 ? k : st->n_ready - looks + k];
				if (only < 0)
					m = try_step(q, st, step);
				int64_t peak = m.during > st->peak ? m.during : st->peak;
				list[n_list++] = (struct candidate){layer[i], step, m, peak};
			}
		}
		qsort(list, (size_t)n_list, sizeof *list, compare_candidates);
		n_next = 0;
		for (int i = 0; i < n_list && n_next < BEAM; i++) {
			bool again;
			int to = advance(q, list[i].from, list[i].step, list[i].m, &again);
			if (to >= 0 && !again)
				next[n_next++] = to;
		}
		memcpy(layer, next, (size_t)n_next * sizeof *next);
		n_layer = n_next;
	}
	write_order(q, layer[0], order);
}

/* One walk, the cheapest step first; one state, changed in place: for graphs too long for the beam. */
static void greedy(struct search *q, int64_t floor, int *order)
{
	struct work *w = q->w;
	start(q, floor);
	struct state *st = &q->states[0];
	for (int t = 0; t < w->n_steps; t++) {
		struct candidate best = {0};
		int only = safe_step(q, st, LOOKS, &best.m);
		int looks = only >= 0 ? 0 : st->n_ready < LOOKS ? st->n_ready : LOOKS;
		best.step = only;
		for (int k = 0; k < looks; k++) {
			struct candidate c = {.step = st->ready[k < looks / 2 ? k : st->n_ready - looks + k]};
			c.m = try_step(q, st, c.step);
			c.peak = c.m.during > st->peak ? c.m.during : st->peak;
			if (k == 0 || compare_candidates(&c, &best) < 0)
				best = c;
		}
		const struct wstep *s = &w->steps[best.step];
		int n = 0;
		for (int i = 0; i < st->n_ready; i++)
			if (st->ready[i] != best.step)
				st->ready[n++] = st->ready[i];
		st->done[best.step / 64] |= (uint64_t)1 << (best.step % 64);
		for (int i = 0; i < s->n_succ; i++) {
			const struct wstep *next = &w->steps[s->succ[i]];
			bool ready = true;
			for (int k = 0; k < next->n_pred && ready; k++)
				ready = bit(st->done, next->pred[k]);
			if (ready)
				st->ready[n++] = s->succ[i];
		}
		st->n_ready = n;
		st->live = best.m.after;
		st->peak = best.m.during > st->peak ? best.m.during : st->peak;
		order[t] = best.step;
	}
}

int64_t search_order(struct work *w, int64_t floor, int *order)
{
	int n = w->n_steps;
	struct search *q = plan_alloc(w->mem, 1, sizeof *q);
	if (n == 0)
		return floor;
	q->w = w;
	q->words = (size_t)(n + 63) / 64;
	/* the beam needs a state for each depth and place */
	q->max_states = n <= MAX_BEAM_STEPS && n * BEAM + 2 > MAX_STATES ? n * BEAM + 2 : MAX_STATES;
	q->states = plan_alloc(w->mem, (size_t)q->max_states, sizeof *q->states);
	q->heap = plan_alloc(w->mem, (size_t)q->max_states * 4 + 4, sizeof *q->heap);
	q->mask = 1;
	while (q->mask < 2 * (uint32_t)q->max_states)
		q->mask = 2 * q->mask + 1;
	q->table = plan_alloc(w->mem, (size_t)q->mask + 1, sizeof *q->table);
	bool complete;
	int64_t proven = best_first(q, floor, order, &complete);
	if (!complete && n <= MAX_BEAM_STEPS)
		beam(q, floor, order);
	else if (!complete)
		greedy(q, floor, order);
	return proven;
}
