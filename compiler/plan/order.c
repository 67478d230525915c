/*
 * Judging orders: the bound of an order, a bound below all orders, and small improvements.
 *
 * The bound of an order is the largest sum, over its steps, of the bytes that are live there:
 * roots, scratch, less what the best legal in-place reuse of that step saves. No offsets can beat it.
 * The bound below all orders asks for each step which roots are live there whatever the order is: those
 * that a step before it (or itself) uses and a step behind it (or itself) uses too. "Before" and
 * "behind" are the transitive dependencies, kept as bit rows.
 */
#include "plan_internal.h"

#include <string.h>

#define MAX_CLOSURE 2048	/* steps; above, only the step's own roots count */

static int64_t match(const struct wstep *s, int i, const bool *allowed, bool unpadded, bool *now,
	bool *chosen, int64_t sum, int64_t best)
{
	if (i == s->n_pairs) {
		if (sum > best) {
			best = sum;
			memcpy(chosen, now, (size_t)s->n_pairs * sizeof *now);
		}
		return best;
	}
	bool free_pair = allowed[i];
	for (int k = 0; k < i && free_pair; k++)
		free_pair = !now[k] || (s->pairs[k].in_root != s->pairs[i].in_root
			&& s->pairs[k].out_root != s->pairs[i].out_root);
	if (free_pair) {
		int64_t saved = unpadded ? s->pairs[i].saved_unpadded : s->pairs[i].saved;
		now[i] = true;
		best = match(s, i + 1, allowed, unpadded, now, chosen, sum + saved, best);
		now[i] = false;
	}
	return match(s, i + 1, allowed, unpadded, now, chosen, sum, best);
}

int64_t best_pairs(const struct wstep *s, const bool *allowed, bool unpadded, bool *chosen)
{
	bool now[16] = {false}, dummy[16] = {false};
	bool one_output = true;
	for (int i = 1; i < s->n_pairs; i++)
		one_output &= s->pairs[i].out_root == s->pairs[0].out_root;
	if (!one_output) {
		if (chosen)
			memset(chosen, 0, (size_t)s->n_pairs * sizeof *chosen);
		return match(s, 0, allowed, unpadded, now, chosen ? chosen : dummy, 0, 0);
	}
	int at = -1;
	int64_t best = 0;
	for (int i = 0; i < s->n_pairs; i++) {
		int64_t saved = unpadded ? s->pairs[i].saved_unpadded : s->pairs[i].saved;
		if (chosen)
			chosen[i] = false;
		if (allowed[i] && saved > best) {
			best = saved;
			at = i;
		}
	}
	if (chosen && at >= 0)
		chosen[at] = true;
	return best;
}

int64_t saving(const struct work *w, const struct wstep *s, bool unpadded)
{
	if (s->n_pairs == 0)
		return 0;
	for (int i = 0; i < s->n_pairs; i++) {
		w->tmp.allowed[i] = true;
		for (int k = 0; k < s->n_roots; k++) {
			if (s->roots[k] == s->pairs[i].in_root)
				w->tmp.allowed[i] &= w->tmp.dies[k];
			if (s->roots[k] == s->pairs[i].out_root)
				w->tmp.allowed[i] &= w->tmp.born[k];
		}
	}
	return best_pairs(s, w->tmp.allowed, unpadded, NULL);
}

int64_t order_bound(const struct work *w, const int *order, bool unpadded, int *n_at_peak)
{
	int *left = w->tmp.left;
	bool *born = w->tmp.born, *dies = w->tmp.dies;
	int64_t live = 0, peak = 0;
	int at_peak = 0;
	for (int r = 0; r < w->n_roots; r++) {
		left[r] = w->roots[r].n_users;
		if (w->roots[r].first)
			live += unpadded ? w->roots[r].unpadded : w->roots[r].bytes;
	}
	peak = live;
	for (int t = 0; t < w->n_steps; t++) {
		const struct wstep *s = &w->steps[order[t]];
		int64_t freed = 0;
		for (int i = 0; i < s->n_roots; i++) {
			const struct root *r = &w->roots[s->roots[i]];
			int64_t bytes = unpadded ? r->unpadded : r->bytes;
			born[i] = !r->first && left[s->roots[i]] == r->n_users;
			dies[i] = --left[s->roots[i]] == 0 && !r->last;
			live += born[i] ? bytes : 0;
			freed += dies[i] ? bytes : 0;
		}
		int64_t now = live + (unpadded ? s->scratch_unpadded : s->scratch)
			- saving(w, s, unpadded);
		if (now > peak) {
			peak = now;
			at_peak = 0;
		}
		at_peak += now == peak;
		live -= freed;
	}
	if (n_at_peak)
		*n_at_peak = at_peak;
	return peak;
}

static bool bit(const uint64_t *row, int i)
{
	return row[i / 64] >> (i % 64) & 1;
}

/* rows[s]: the steps that must run before s. */
static uint64_t *closure(struct work *w, size_t words)
{
	int n = w->n_steps;
	uint64_t *rows = plan_alloc(w->mem, (size_t)n * words, sizeof *rows);
	int *waits = plan_alloc(w->mem, (size_t)n, sizeof *waits);
	int *queue = plan_alloc(w->mem, (size_t)n, sizeof *queue), tail = 0;
	for (int s = 0; s < n; s++)
		if ((waits[s] = w->steps[s].n_pred) == 0)
			queue[tail++] = s;
	for (int head = 0; head < tail; head++) {
		int s = queue[head];
		for (int i = 0; i < w->steps[s].n_succ; i++) {
			int t = w->steps[s].succ[i];
			uint64_t *to = rows + (size_t)t * words, *from = rows + (size_t)s * words;
			for (size_t k = 0; k < words; k++)
				to[k] |= from[k];
			to[s / 64] |= (uint64_t)1 << (s % 64);
			if (--waits[t] == 0)
				queue[tail++] = t;
		}
	}
	return rows;
}

int64_t lower_bound(struct work *w, bool unpadded)
{
	int n = w->n_steps;
	size_t words = (size_t)(n + 63) / 64;
	uint64_t *before = n <= MAX_CLOSURE ? closure(w, words) : NULL;
	bool *born = w->tmp.born, *dies = w->tmp.dies;
	int64_t *sum = plan_alloc(w->mem, (size_t)n + 1, sizeof *sum);
	int64_t at_start = 0, at_end = 0, best = 0;
	for (int r = 0; r < w->n_roots; r++) {
		const struct root *root = &w->roots[r];
		int64_t bytes = unpadded ? root->unpadded : root->bytes;
		at_start += root->first ? bytes : 0;
		at_end += root->last || (root->first && root->n_users == 0) ? bytes : 0;
		if (!before) {
			for (int i = 0; i < root->n_users; i++)
				sum[root->users[i]] += bytes;
			continue;
		}
		for (int s = 0; s < n; s++) {
			bool early = root->first, late = root->last || (root->first && root->n_users == 0);
			for (int i = 0; i < root->n_users && !(early && late); i++) {
				int u = root->users[i];
				early |= u == s || bit(before + (size_t)s * words, u);
				late |= u == s || bit(before + (size_t)u * words, s);
			}
			sum[s] += early && late ? bytes : 0;
		}
	}
	for (int s = 0; s < n; s++) {
		const struct wstep *ws = &w->steps[s];
		for (int i = 0; i < ws->n_roots; i++) {
			const struct root *r = &w->roots[ws->roots[i]];
			born[i] = !r->first;
			dies[i] = !r->last;
			for (int k = 0; before && k < r->n_users; k++) {
				born[i] &= !bit(before + (size_t)s * words, r->users[k]);
				dies[i] &= !bit(before + (size_t)r->users[k] * words, s);
			}
		}
		int64_t now = sum[s] + (unpadded ? ws->scratch_unpadded : ws->scratch)
			- saving(w, ws, unpadded);
		if (now > best)
			best = now;
	}
	if (at_start > best)
		best = at_start;
	return at_end > best ? at_end : best;
}

bool order_is_legal(struct work *w, const int *order)
{
	int *position = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *position);
	for (int t = 0; t < w->n_steps; t++)
		position[order[t]] = t;
	for (int s = 0; s < w->n_steps; s++)
		for (int i = 0; i < w->steps[s].n_pred; i++)
			if (position[w->steps[s].pred[i]] > position[s])
				return false;
	return true;
}

static bool has(const int *list, int n, int x)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}

/* Moves a random step to a random place between its predecessors and successors. */
bool move_a_step(struct work *w, int *order, uint64_t *rng)
{
	int n = w->n_steps;
	int from = (int)(plan_random(rng) % (uint32_t)n), s = order[from], lo = from, hi = from;
	const struct wstep *ws = &w->steps[s];
	while (lo > 0 && !has(ws->pred, ws->n_pred, order[lo - 1]))
		lo--;
	while (hi < n - 1 && !has(ws->succ, ws->n_succ, order[hi + 1]))
		hi++;
	int to = lo + (int)(plan_random(rng) % (uint32_t)(hi - lo + 1));
	if (to < from)
		memmove(order + to + 1, order + to, (size_t)(from - to) * sizeof *order);
	else
		memmove(order + from, order + from + 1, (size_t)(to - from) * sizeof *order);
	order[to] = s;
	return to != from;
}

/* Moves single steps and keeps what does not raise (bound, number of steps at the bound). Blind
 * but cheap; stops at the target. */
void improve_order(struct work *w, int *order, int64_t target, uint64_t *rng, int tries)
{
	int n = w->n_steps, at_peak, at_peak_now;
	int *trial = plan_alloc(w->mem, (size_t)n, sizeof *trial);
	int64_t peak = order_bound(w, order, false, &at_peak);
	while (tries-- > 0 && n > 1 && peak > target) {
		memcpy(trial, order, (size_t)n * sizeof *trial);
		if (!move_a_step(w, trial, rng))
			continue;
		int64_t now = order_bound(w, trial, false, &at_peak_now);
		if (now < peak || (now == peak && at_peak_now <= at_peak)) {
			memcpy(order, trial, (size_t)n * sizeof *trial);
			peak = now;
			at_peak = at_peak_now;
		}
	}
}
