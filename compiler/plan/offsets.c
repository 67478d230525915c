/*
 * The offsets problem of one order: pieces, bodies, rivals.
 *
 * In:  an order and the in-place pairs decided for it. Out: a packing, nothing placed yet.
 * Each root that is live and each scratch area is a piece: so many bytes, from this step to that one.
 * Pieces joined by in-place decisions move together, as one body; a chain of decisions makes one body
 * of many pieces. Two pieces of different bodies that are live at the same step are rivals: they may
 * not share a byte. pack.c and pack_exact.c then look for the bodies' offsets.
 */
#include "plan_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_RIVALS ((int64_t)1 << 25)

void lifetimes(const struct work *w, const int *order, int *position, int *first, int *last)
{
	int end = w->n_steps > 0 ? w->n_steps - 1 : 0;
	for (int t = 0; t < w->n_steps; t++)
		position[order[t]] = t;
	for (int r = 0; r < w->n_roots; r++) {
		const struct root *root = &w->roots[r];
		first[r] = -1;
		last[r] = -1;
		for (int i = 0; i < root->n_users; i++) {
			int t = position[root->users[i]];
			if (first[r] < 0 || t < first[r])
				first[r] = t;
			if (t > last[r])
				last[r] = t;
		}
		if (root->first)
			first[r] = 0;
		if (root->last || (root->first && root->n_users == 0))
			last[r] = end;
	}
}

static int compare_by_first(const void *a, const void *b)
{
	const struct piece *x = *(struct piece *const *)a, *y = *(struct piece *const *)b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Two sweeps over the pieces by their first step: count the rivals, then list them. */
static void find_rivals(struct packing *k)
{
	struct plan_mem *mem = k->w->mem;
	struct piece **sorted = plan_alloc(mem, (size_t)k->n_pieces, sizeof(struct piece *));
	int *active = plan_alloc(mem, (size_t)k->n_pieces, sizeof *active);
	int64_t total = 0;
	for (int i = 0; i < k->n_pieces; i++)
		sorted[i] = &k->pieces[i];
	if (k->n_pieces)
		qsort(sorted, (size_t)k->n_pieces, sizeof(struct piece *), compare_by_first);
	for (int sweep = 0; sweep < 2; sweep++) {
		int n_active = 0;
		for (int i = 0; i < k->n_pieces; i++) {
			struct piece *p = sorted[i];
			if (p->bytes == 0)
				continue;
			int n = 0;
			for (int j = 0; j < n_active; j++) {
				struct piece *q = &k->pieces[active[j]];
				if (q->last < p->first)
					continue;
				active[n++] = active[j];
				if (q->body == p->body)
					continue;
				if (sweep == 1) {
					p->rivals[p->n_rivals] = (int)(q - k->pieces);
					q->rivals[q->n_rivals] = (int)(p - k->pieces);
				}
				p->n_rivals++;
				q->n_rivals++;
				total++;
			}
			active[n++] = (int)(p - k->pieces);
			n_active = n;
			if (total > MAX_RIVALS)
				plan_fail(mem, PLAN_TOO_BIG, "too many buffers are live at the same time");
		}
		for (int i = 0; sweep == 0 && i < k->n_pieces; i++) {
			k->pieces[i].rivals = plan_alloc(mem, (size_t)k->pieces[i].n_rivals, sizeof(int));
			k->pieces[i].n_rivals = 0;
		}
		total = 0;
	}
}

void make_packing(struct packing *k, struct work *w, const int *order,
	const struct pair *const *decided, int n_decided)
{
	struct plan_mem *mem = w->mem;
	size_t n_roots = (size_t)w->n_roots, n_steps = (size_t)w->n_steps;
	int *first = plan_alloc(mem, n_roots, sizeof *first);
	int *last = plan_alloc(mem, n_roots, sizeof *last);
	int *position = plan_alloc(mem, n_steps, sizeof *position);
	/* the decision that lays this root over another one, or another one over it */
	const struct pair **over = plan_alloc(mem, n_roots, sizeof(struct pair *));
	const struct pair **under = plan_alloc(mem, n_roots, sizeof(struct pair *));
	lifetimes(w, order, position, first, last);
	memset(k, 0, sizeof *k);
	k->w = w;
	k->n_times = w->n_steps > 0 ? w->n_steps : 1;
	k->pieces = plan_alloc(mem, n_roots + n_steps, sizeof *k->pieces);
	k->bodies = plan_alloc(mem, n_roots + n_steps, sizeof *k->bodies);
	for (int i = 0; i < n_decided; i++) {
		over[decided[i]->out_root] = decided[i];
		under[decided[i]->in_root] = decided[i];
	}
	for (int r = 0; r < w->n_roots; r++) {
		if (first[r] < 0 || over[r])
			continue;
		/* r begins a chain: its body holds all roots that are laid over it */
		struct body *b = &k->bodies[k->n_bodies];
		int64_t rel = 0, low = 0;
		int begin = k->n_pieces;
		for (int at = r;; at = under[at]->out_root) {
			struct piece *p = &k->pieces[k->n_pieces++];
			*p = (struct piece){.root = at, .body = k->n_bodies, .bytes = w->roots[at].bytes,
				.rel = rel, .first = first[at], .last = last[at]};
			if (rel < low)
				low = rel;
			if (w->roots[at].align > b->align)
				b->align = w->roots[at].align;
			if (!under[at])
				break;
			rel += under[at]->shift;
		}
		for (int i = begin; i < k->n_pieces; i++)
			k->pieces[i].rel -= low;
		k->n_bodies++;
	}
	for (int s = 0; s < w->n_steps; s++)
		if (w->steps[s].scratch > 0) {
			k->bodies[k->n_bodies].align = w->steps[s].scratch_align;
			k->pieces[k->n_pieces++] = (struct piece){.root = -1, .step = s, .body = k->n_bodies++,
				.bytes = w->steps[s].scratch, .first = position[s], .last = position[s]};
		}
	find_rivals(k);
	int most = 0;
	for (int i = 0; i < k->n_bodies; i++)
		k->bodies[i].first = k->n_times;
	for (int i = k->n_pieces - 1; i >= 0; i--) {
		struct piece *p = &k->pieces[i];
		struct body *b = &k->bodies[p->body];
		b->piece = i;
		b->n_pieces++;
		b->n_rivals += p->n_rivals;
		b->last = p->last > b->last ? p->last : b->last;
		b->first = p->first < b->first ? p->first : b->first;
		b->extent = p->rel + p->bytes > b->extent ? p->rel + p->bytes : b->extent;
		most = b->n_rivals > most ? b->n_rivals : most;
	}
	k->gaps = plan_alloc(mem, (size_t)most + 1, sizeof *k->gaps);
	k->arena = INT64_MAX;
}
