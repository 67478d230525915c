/*
 * From the caller's problem to roots, dependencies and in-place pairs.
 *
 * In:  w->p, w->mem. Out: the rest of *w; or plan_fail() with a sentence that names the culprit.
 * Algorithm: follow each view to its root and add up the offsets; sort the regions that are written
 * in each root, so that overlapping writers and the writers of each region read are found by
 * bisection; collect the dependencies, sort them, drop doubles; test for a cycle by counting down.
 * All sums are checked here, once: later code adds without looking, because the sum of all sizes and
 * alignments fits.
 */
#include "plan_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TOTAL (INT64_MAX / 4)
#define MAX_PAIRS 10	/* considered in a step that has several outputs: they are matched by trial */

struct region {
	int64_t lo, hi;
	int root, step, buffer;
};

static const char *buffer_name(const struct work *w, int b)
{
	return w->p->buffers[b].name ? w->p->buffers[b].name : "?";
}

static const char *step_name(const struct work *w, int s)
{
	return w->p->steps[s].name ? w->p->steps[s].name : "?";
}

static bool is_align(int64_t a)
{
	return a > 0 && (a & (a - 1)) == 0 && a <= (int64_t)1 << 40;
}

static int64_t align_of_buffer(const struct plan_buffer *b)
{
	if (b->align)
		return b->align;
	return b->parent == PLAN_NO_PARENT ? PLAN_ALIGN : 1;
}

static void check_buffers(struct work *w)
{
	const struct plan_problem *p = w->p;
	for (int i = 0; i < p->n_buffers; i++) {
		const struct plan_buffer *b = &p->buffers[i];
		if (b->bytes < 0 || b->unpadded_bytes < 0)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s): negative size", i, buffer_name(w, i));
		if (b->bytes > MAX_TOTAL || b->unpadded_bytes > MAX_TOTAL)
			plan_fail(w->mem, PLAN_TOO_BIG, "buffer %d (%s): %lld bytes", i, buffer_name(w, i),
				(long long)b->bytes);
		if (!is_align(align_of_buffer(b)))
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s): alignment %lld is no power of two",
				i, buffer_name(w, i), (long long)b->align);
		if (b->parent == PLAN_NO_PARENT)
			continue;
		if (b->parent < 0 || b->parent >= p->n_buffers)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s): no such parent %d", i,
				buffer_name(w, i), b->parent);
		const struct plan_buffer *parent = &p->buffers[b->parent];
		if (b->parent_offset < 0 || b->parent_offset > parent->bytes
			|| b->bytes > parent->bytes - b->parent_offset)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s): leaves its parent %s", i,
				buffer_name(w, i), buffer_name(w, b->parent));
	}
}

/* Follows the parents; a chain longer than the number of buffers goes round in a circle. Chains are
 * shortened on the way: each buffer is resolved once. */
static void resolve_views(struct work *w)
{
	int n = w->p->n_buffers;
	int *stack = plan_alloc(w->mem, (size_t)n + 1, sizeof *stack);
	for (int i = 0; i < n; i++)
		w->root_of[i] = -1;
	for (int i = 0; i < n; i++) {
		int depth = 0, b = i;
		while (w->root_of[b] < 0) {
			if (depth > n)
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s): is a view of itself", i,
					buffer_name(w, i));
			if (w->p->buffers[b].parent == PLAN_NO_PARENT) {
				w->root_of[b] = w->n_roots;
				w->roots[w->n_roots++].buffer = b;
				break;
			}
			stack[depth++] = b;
			b = w->p->buffers[b].parent;
		}
		while (depth > 0) {
			int child = stack[--depth];
			w->root_of[child] = w->root_of[b];
			w->offset_in_root[child] = w->offset_in_root[b] + w->p->buffers[child].parent_offset;
			b = child;
		}
	}
}

static void measure_roots(struct work *w)
{
	const struct plan_problem *p = w->p;
	for (int i = 0; i < p->n_buffers; i++) {
		struct root *r = &w->roots[w->root_of[i]];
		int64_t align = align_of_buffer(&p->buffers[i]);
		if (w->offset_in_root[i] % align)
			plan_fail(w->mem, PLAN_BAD_PROBLEM,
				"buffer %d (%s): lies %lld bytes into its root, which breaks its alignment %lld", i,
				buffer_name(w, i), (long long)w->offset_in_root[i], (long long)align);
		if (align > r->align)
			r->align = align;
		r->first |= p->buffers[i].pinned_first;
		r->last |= p->buffers[i].pinned_last;
	}
	int64_t granule = 0, total = 0;
	w->max_align = 1;
	for (int i = 0; i < w->n_roots; i++) {
		if (granule == 0 || w->roots[i].align < granule)
			granule = w->roots[i].align;
		if (w->roots[i].align > w->max_align)
			w->max_align = w->roots[i].align;
	}
	for (int s = 0; s < w->n_steps; s++) {
		const struct plan_step *step = &p->steps[s];
		int64_t align = step->scratch_align ? step->scratch_align : PLAN_ALIGN;
		if (step->scratch < 0 || !is_align(align))
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s): bad scratch", s, step_name(w, s));
		if (step->scratch == 0)
			continue;
		if (granule == 0 || align < granule)
			granule = align;
		if (align > w->max_align)
			w->max_align = align;
	}
	w->granule = granule ? granule : PLAN_ALIGN;
	for (int i = 0; i < w->n_roots; i++) {
		struct root *r = &w->roots[i];
		const struct plan_buffer *b = &p->buffers[r->buffer];
		r->unpadded = b->unpadded_bytes ? b->unpadded_bytes : b->bytes;
		r->bytes = round_up(b->bytes, w->granule);
		int64_t most = r->bytes > r->unpadded ? r->bytes : r->unpadded;
		if (most > MAX_TOTAL - total - w->max_align)
			plan_fail(w->mem, PLAN_TOO_BIG, "the sizes of all buffers add up to more than 2^61 bytes");
		total += most + w->max_align;
	}
	for (int s = 0; s < w->n_steps; s++) {
		const struct plan_step *step = &p->steps[s];
		if (step->scratch > MAX_TOTAL - total - 2 * w->max_align)
			plan_fail(w->mem, PLAN_TOO_BIG, "step %d (%s): %lld bytes of scratch", s, step_name(w, s),
				(long long)step->scratch);
		w->steps[s].scratch = round_up(step->scratch, w->granule);
		w->steps[s].scratch_unpadded = step->scratch;
		w->steps[s].scratch_align = step->scratch_align ? step->scratch_align : PLAN_ALIGN;
		total += w->steps[s].scratch + w->max_align;
	}
}

static void check_steps(struct work *w)
{
	const struct plan_problem *p = w->p;
	for (int s = 0; s < p->n_steps; s++) {
		const struct plan_step *step = &p->steps[s];
		if (step->n_in < 0 || step->n_out < 0 || step->n_inplace < 0)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s): negative count", s, step_name(w, s));
		for (int i = 0; i < step->n_in + step->n_out; i++) {
			int b = i < step->n_in ? step->in[i] : step->out[i - step->n_in];
			if (b < 0 || b >= p->n_buffers)
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s): no such buffer %d", s,
					step_name(w, s), b);
		}
		for (int i = 0; i < step->n_inplace; i++)
			if (step->inplace[i].out < 0 || step->inplace[i].out >= step->n_out
				|| step->inplace[i].in < 0 || step->inplace[i].in >= step->n_in)
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s): bad in-place candidate %d", s,
					step_name(w, s), i);
	}
	for (int i = 0; i < p->n_edges; i++)
		if (p->edges[i].before < 0 || p->edges[i].before >= p->n_steps || p->edges[i].after < 0
			|| p->edges[i].after >= p->n_steps)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "edge %d names no step", i);
}

/* The distinct roots of each step, and the steps of each root. */
static void list_uses(struct work *w)
{
	int *seen = plan_alloc(w->mem, (size_t)w->n_roots + 1, sizeof *seen);
	for (int s = 0; s < w->n_steps; s++) {
		const struct plan_step *step = &w->p->steps[s];
		struct wstep *ws = &w->steps[s];
		size_t most = (size_t)step->n_in + (size_t)step->n_out;
		ws->roots = plan_alloc(w->mem, most, sizeof *ws->roots);
		ws->writes = plan_alloc(w->mem, most, sizeof *ws->writes);
		for (int i = 0; i < step->n_in + step->n_out; i++) {
			int b = i < step->n_in ? step->in[i] : step->out[i - step->n_in];
			int r = w->root_of[b];
			if (!seen[r]) {
				seen[r] = ++ws->n_roots;
				ws->roots[ws->n_roots - 1] = r;
				w->roots[r].n_users++;
			}
			if (i >= step->n_in && !ws->writes[seen[r] - 1]) {
				ws->writes[seen[r] - 1] = true;
				w->roots[r].n_writers++;
			}
		}
		for (int i = 0; i < ws->n_roots; i++)
			seen[ws->roots[i]] = 0;
	}
	for (int r = 0; r < w->n_roots; r++) {
		w->roots[r].users = plan_alloc(w->mem, (size_t)w->roots[r].n_users, sizeof(int));
		w->roots[r].n_users = 0;
	}
	for (int s = 0; s < w->n_steps; s++)
		for (int i = 0; i < w->steps[s].n_roots; i++) {
			struct root *r = &w->roots[w->steps[s].roots[i]];
			r->users[r->n_users++] = s;
		}
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static int compare_edges(const void *a, const void *b)
{
	const struct plan_edge *x = a, *y = b;
	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	return x->after < y->after ? -1 : x->after > y->after;
}

struct edges {
	struct plan_edge *list;
	size_t n, room;
};

static void add_edge(struct work *w, struct edges *e, int before, int after)
{
	if (e->n == e->room) {
		struct plan_edge *old = e->list;
		e->room = e->room ? 2 * e->room : 256;
		e->list = plan_alloc(w->mem, e->room, sizeof *e->list);
		if (e->n)
			memcpy(e->list, old, e->n * sizeof *old);
	}
	e->list[e->n++] = (struct plan_edge){before, after};
}

/* Edges from the writers of each region to its readers. */
static void edges_from_regions(struct work *w, struct edges *e)
{
	const struct plan_problem *p = w->p;
	size_t n = 0, room = 0;
	for (int s = 0; s < p->n_steps; s++)
		room += (size_t)p->steps[s].n_out;
	struct region *wr = plan_alloc(w->mem, room, sizeof *wr);
	int *writer = plan_alloc(w->mem, (size_t)p->n_buffers, sizeof *writer);	/* step + 1 */
	for (int s = 0; s < p->n_steps; s++)
		for (int i = 0; i < p->steps[s].n_out; i++) {
			int b = p->steps[s].out[i], r = w->root_of[b];
			if (writer[b])
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s) is written twice, by %s and %s", b,
					buffer_name(w, b), step_name(w, writer[b] - 1), step_name(w, s));
			if (w->roots[r].first)
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s) writes %s, which is pinned_first", s,
					step_name(w, s), buffer_name(w, b));
			writer[b] = s + 1;
			if (p->buffers[b].bytes > 0)
				wr[n++] = (struct region){w->offset_in_root[b],
					w->offset_in_root[b] + p->buffers[b].bytes, r, s, b};
		}
	if (n)
		qsort(wr, n, sizeof *wr, compare_regions);
	for (size_t i = 1; i < n; i++)
		if (wr[i].root == wr[i - 1].root && wr[i].lo < wr[i - 1].hi)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "steps %s and %s write the same bytes (of %s and %s)",
				step_name(w, wr[i - 1].step), step_name(w, wr[i].step),
				buffer_name(w, wr[i - 1].buffer), buffer_name(w, wr[i].buffer));
	for (int s = 0; s < p->n_steps; s++)
		for (int i = 0; i < p->steps[s].n_in; i++) {
			int b = p->steps[s].in[i], r = w->root_of[b];
			int64_t lo = w->offset_in_root[b], hi = lo + p->buffers[b].bytes;
			bool written = w->roots[r].first || lo == hi;
			if (writer[b])
				add_edge(w, e, writer[b] - 1, s);
			/* the first region of this root that ends behind lo: regions do not overlap */
			size_t a = 0, z = n;
			while (a < z) {
				size_t m = a + (z - a) / 2;
				if (wr[m].root < r || (wr[m].root == r && wr[m].hi <= lo))
					a = m + 1;
				else
					z = m;
			}
			for (; a < n && wr[a].root == r && wr[a].lo < hi; a++) {
				written = true;
				add_edge(w, e, wr[a].step, s);
			}
			if (!written)
				plan_fail(w->mem, PLAN_BAD_PROBLEM, "step %d (%s) reads %s, which nothing writes", s,
					step_name(w, s), buffer_name(w, b));
		}
}

static void link_steps(struct work *w)
{
	struct edges e = {0};
	edges_from_regions(w, &e);
	for (int i = 0; i < w->p->n_edges; i++)
		add_edge(w, &e, w->p->edges[i].before, w->p->edges[i].after);
	if (e.n)
		qsort(e.list, e.n, sizeof *e.list, compare_edges);
	size_t n = 0;
	for (size_t i = 0; i < e.n; i++)
		if (i == 0 || compare_edges(&e.list[i], &e.list[i - 1]) != 0)
			e.list[n++] = e.list[i];
	for (size_t i = 0; i < n; i++) {
		if (e.list[i].before == e.list[i].after)
			plan_fail(w->mem, PLAN_CYCLE, "step %d (%s) waits for itself", e.list[i].after,
				step_name(w, e.list[i].after));
		w->steps[e.list[i].before].n_succ++;
		w->steps[e.list[i].after].n_pred++;
	}
	for (int s = 0; s < w->n_steps; s++) {
		struct wstep *ws = &w->steps[s];
		ws->pred = plan_alloc(w->mem, (size_t)ws->n_pred, sizeof(int));
		ws->succ = plan_alloc(w->mem, (size_t)ws->n_succ, sizeof(int));
		ws->n_pred = ws->n_succ = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct wstep *a = &w->steps[e.list[i].before], *b = &w->steps[e.list[i].after];
		a->succ[a->n_succ++] = e.list[i].after;
		b->pred[b->n_pred++] = e.list[i].before;
	}
	int *waits = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *waits);
	int *queue = plan_alloc(w->mem, (size_t)w->n_steps, sizeof *queue), head = 0, tail = 0;
	for (int s = 0; s < w->n_steps; s++)
		if ((waits[s] = w->steps[s].n_pred) == 0)
			queue[tail++] = s;
	for (; head < tail; head++)
		for (int i = 0; i < w->steps[queue[head]].n_succ; i++)
			if (--waits[w->steps[queue[head]].succ[i]] == 0)
				queue[tail++] = w->steps[queue[head]].succ[i];
	for (int s = 0; s < w->n_steps; s++)
		if (waits[s] > 0)
			plan_fail(w->mem, PLAN_CYCLE, "step %d (%s) waits for itself through others", s,
				step_name(w, s));
}

/* True if output `out` may lie over input `in`, as far as the regions say; lifetimes are judged
 * later. In the coordinates of in's root, out's root covers [lo, hi). */
static bool pair_is_harmless(const struct work *w, int s, struct plan_inplace c)
{
	const struct plan_step *step = &w->p->steps[s];
	int in = step->in[c.in], out = step->out[c.out];
	int ri = w->root_of[in], ro = w->root_of[out];
	int64_t begin = w->offset_in_root[in], end = begin + w->p->buffers[in].bytes;
	int64_t lo = begin - w->offset_in_root[out];
	int64_t hi = lo + w->roots[ro].bytes;
	int64_t out_end = begin + w->p->buffers[out].bytes;
	if (ri == ro || (lo & (w->max_align - 1)) != 0)
		return false;
	/* bytes of in behind the part that out overwrites belong to another part of out's root */
	if (end > out_end && hi > round_up(out_end, w->granule))
		return false;
	for (int i = 0; i < step->n_out; i++)
		if (w->root_of[step->out[i]] == ri)
			return false;
	for (int i = 0; i < step->n_in; i++) {
		int other = step->in[i];
		int64_t from = w->offset_in_root[other], to = from + w->p->buffers[other].bytes;
		if (w->root_of[other] != ri || i == c.in || from >= hi || to <= lo || from == to)
			continue;
		bool same = false;
		for (int k = 0; k < step->n_inplace; k++)
			same |= step->inplace[k].out == c.out && step->inplace[k].in == i
				&& from == begin && to == end;
		if (!same)
			return false;
	}
	return true;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void list_pairs(struct work *w)
{
	for (int s = 0; s < w->n_steps; s++) {
		const struct plan_step *step = &w->p->steps[s];
		struct wstep *ws = &w->steps[s];
		ws->pairs = plan_alloc(w->mem, (size_t)step->n_inplace, sizeof *ws->pairs);
		for (int i = 0; i < step->n_inplace; i++) {
			int in = step->in[step->inplace[i].in], out = step->out[step->inplace[i].out];
			struct pair q = {s, w->root_of[out], w->root_of[in], out, in, 0, 0, 0};
			const struct root *ri = &w->roots[q.in_root], *ro = &w->roots[q.out_root];
			if (!pair_is_harmless(w, s, step->inplace[i]) || ri->last || ro->first)
				continue;
			q.shift = w->offset_in_root[in] - w->offset_in_root[out];
			int64_t lo = q.shift > 0 ? q.shift : 0;
			int64_t hi = min64(ri->bytes, q.shift + ro->bytes);
			q.saved = hi - lo;
			q.saved_unpadded = min64(q.saved, min64(ri->unpadded, ro->unpadded));
			bool known = q.saved <= 0;
			for (int k = 0; k < ws->n_pairs; k++)
				known |= ws->pairs[k].in == in && ws->pairs[k].out == out;
			if (known || (step->n_out > 1 && ws->n_pairs == MAX_PAIRS))
				continue;
			ws->pairs[ws->n_pairs++] = q;
		}
	}
}

void build_work(struct work *w)
{
	const struct plan_problem *p = w->p;
	if (p->n_buffers < 0 || p->n_steps < 0 || p->n_edges < 0)
		plan_fail(w->mem, PLAN_BAD_PROBLEM, "negative count");
	w->n_steps = p->n_steps;
	w->roots = plan_alloc(w->mem, (size_t)p->n_buffers, sizeof *w->roots);
	w->steps = plan_alloc(w->mem, (size_t)p->n_steps, sizeof *w->steps);
	w->root_of = plan_alloc(w->mem, (size_t)p->n_buffers, sizeof *w->root_of);
	w->offset_in_root = plan_alloc(w->mem, (size_t)p->n_buffers, sizeof *w->offset_in_root);
	check_buffers(w);
	check_steps(w);
	resolve_views(w);
	measure_roots(w);
	list_uses(w);
	link_steps(w);
	for (int r = 0; r < w->n_roots; r++)
		if (w->roots[r].last && !w->roots[r].first && w->roots[r].n_writers == 0)
			plan_fail(w->mem, PLAN_BAD_PROBLEM, "buffer %d (%s) is pinned_last, but nothing writes it",
				w->roots[r].buffer, buffer_name(w, w->roots[r].buffer));
	list_pairs(w);
	size_t wide = 1;
	for (int s = 0; s < w->n_steps; s++) {
		if ((size_t)w->steps[s].n_roots > wide)
			wide = (size_t)w->steps[s].n_roots;
		if ((size_t)w->steps[s].n_pairs > wide)
			wide = (size_t)w->steps[s].n_pairs;
	}
	w->tmp.left = plan_alloc(w->mem, (size_t)w->n_roots, sizeof *w->tmp.left);
	w->tmp.born = plan_alloc(w->mem, wide, 1);
	w->tmp.dies = plan_alloc(w->mem, wide, 1);
	w->tmp.allowed = plan_alloc(w->mem, wide, 1);
	w->tmp.chosen = plan_alloc(w->mem, wide, 1);
}
