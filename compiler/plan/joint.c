/*
 * Everything at once, for small problems: all orders, all in-place decisions, all offsets.
 *
 * In:  the best plan so far. Out: a better one, if there is; and whether nothing better exists (in
 * the given order, where that is to be kept).
 * A walk over all topological orders that goes back as soon as a step's live bytes reach the best
 * arena. At the end of each order the legal in-place pairs are tried in all combinations whose live
 * bytes stay below the best arena, and for each the offsets by complete search. Budgets count nodes.
 */
#include "plan_internal.h"

#include <string.h>

#define MAX_NODES 2000000	/* of the offset searches, together */
#define MAX_ORDERS 20000	/* walked to the end */
#define MAX_WALK 400000	/* steps tried */

struct joint {
	struct work *w;
	struct best *best;
	int64_t target, nodes;
	int orders, walk;
	bool complete;
	int *order;
	int *waits;	/* [n_steps] predecessors that have not run */
	int *left;	/* [n_roots] users that have not run */
	bool *done;
	/* at the end of an order */
	const struct pair **legal, **decided;
	int n_legal;
	int *position, *first, *last;
	int64_t *live;	/* [n_steps] without any reuse */
};

static int64_t goal(const struct joint *j)
{
	return j->best->arena - j->w->granule;
}

static bool finished(struct joint *j)
{
	if (j->nodes <= 0 || j->orders >= MAX_ORDERS || j->walk >= MAX_WALK)
		j->complete = false;
	return !j->complete || j->best->arena <= j->target;
}

static void try_offsets(struct joint *j, int n_decided)
{
	struct work *w = j->w;
	while (!finished(j)) {
		for (int t = 0; t < w->n_steps; t++) {
			int64_t saved = 0;
			for (int i = 0; i < n_decided; i++)
				saved += j->decided[i]->step == j->order[t] ? j->decided[i]->saved : 0;
			if (j->live[t] - saved > goal(j))
				return;
		}
		struct plan_mark mark = plan_mark(w->mem);
		struct packing k;
		make_packing(&k, w, j->order, j->decided, n_decided);
		bool found = pack_exact(&k, goal(j), &j->nodes, &j->complete);
		if (found)
			keep_best(j->best, &k, j->order, j->decided, n_decided);
		plan_rewind(w->mem, mark);
		if (!found)
			return;
	}
}

static void decide(struct joint *j, int i, int n_decided)
{
	if (finished(j))
		return;
	if (i == j->n_legal) {
		try_offsets(j, n_decided);
		return;
	}
	bool free_pair = true;
	for (int k = 0; k < n_decided; k++)
		free_pair &= j->decided[k]->in_root != j->legal[i]->in_root
			&& j->decided[k]->out_root != j->legal[i]->out_root;
	if (free_pair) {
		j->decided[n_decided] = j->legal[i];
		decide(j, i + 1, n_decided + 1);
	}
	decide(j, i + 1, n_decided);
}

static void end_of_order(struct joint *j)
{
	struct work *w = j->w;
	j->orders++;
	j->n_legal = legal_pairs(w, j->order, j->legal);
	lifetimes(w, j->order, j->position, j->first, j->last);
	for (int t = 0; t < w->n_steps; t++) {
		j->live[t] = w->steps[j->order[t]].scratch;
		for (int r = 0; r < w->n_roots; r++)
			if (j->first[r] >= 0 && j->first[r] <= t && t <= j->last[r])
				j->live[t] += w->roots[r].bytes;
	}
	decide(j, 0, 0);
}

static void walk(struct joint *j, int depth, int64_t live)
{
	struct work *w = j->w;
	if (depth == w->n_steps) {
		end_of_order(j);
		return;
	}
	for (int s = 0; s < w->n_steps && !finished(j); s++) {
		const struct wstep *ws = &w->steps[s];
		if (j->done[s] || j->waits[s] > 0)
			continue;
		int64_t grows = 0, freed = 0;
		j->walk++;
		for (int i = 0; i < ws->n_roots; i++) {
			const struct root *r = &w->roots[ws->roots[i]];
			int left = j->left[ws->roots[i]];
			w->tmp.born[i] = !r->first && left == r->n_users;
			w->tmp.dies[i] = !r->last && left == 1;
			grows += w->tmp.born[i] ? r->bytes : 0;
			freed += w->tmp.dies[i] ? r->bytes : 0;
		}
		if (live + grows + ws->scratch - saving(w, ws, false) > goal(j))
			continue;
		j->done[s] = true;
		j->order[depth] = s;
		for (int i = 0; i < ws->n_roots; i++)
			j->left[ws->roots[i]]--;
		for (int i = 0; i < ws->n_succ; i++)
			j->waits[ws->succ[i]]--;
		walk(j, depth + 1, live + grows - freed);
		for (int i = 0; i < ws->n_succ; i++)
			j->waits[ws->succ[i]]++;
		for (int i = 0; i < ws->n_roots; i++)
			j->left[ws->roots[i]]++;
		j->done[s] = false;
	}
}

bool search_all(struct work *w, struct best *best, int64_t target)
{
	size_t n = (size_t)w->n_steps, n_roots = (size_t)w->n_roots, n_pairs = 0;
	struct plan_mark mark = plan_mark(w->mem);
	struct joint *j = plan_alloc(w->mem, 1, sizeof *j);
	j->w = w;
	j->best = best;
	j->target = target;
	j->nodes = MAX_NODES;
	j->complete = true;
	j->order = plan_alloc(w->mem, n, sizeof *j->order);
	j->waits = plan_alloc(w->mem, n, sizeof *j->waits);
	j->left = plan_alloc(w->mem, n_roots, sizeof *j->left);
	j->done = plan_alloc(w->mem, n, sizeof *j->done);
	j->position = plan_alloc(w->mem, n, sizeof *j->position);
	j->first = plan_alloc(w->mem, n_roots, sizeof *j->first);
	j->last = plan_alloc(w->mem, n_roots, sizeof *j->last);
	j->live = plan_alloc(w->mem, n, sizeof *j->live);
	int64_t live = 0;
	for (size_t s = 0; s < n; s++) {
		j->waits[s] = w->steps[s].n_pred;
		n_pairs += (size_t)w->steps[s].n_pairs;
	}
	j->legal = plan_alloc(w->mem, n_pairs, sizeof(struct pair *));
	j->decided = plan_alloc(w->mem, n_pairs, sizeof(struct pair *));
	for (size_t r = 0; r < n_roots; r++) {
		j->left[r] = w->roots[r].n_users;
		live += w->roots[r].first ? w->roots[r].bytes : 0;
	}
	if (w->p->keep_order) {
		for (size_t s = 0; s < n; s++)
			j->order[s] = (int)s;
		end_of_order(j);
	} else {
		walk(j, 0, live);
	}
	bool complete = j->complete;
	plan_rewind(w->mem, mark);
	return complete;
}
