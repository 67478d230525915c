/*
 * Checks a plan against the rules in planner.h, from the problem alone.
 *
 * In:  problem and result. Out: true, or false and a sentence.
 * Written to be read, and apart from the search: it looks at buffers and their bytes, works out
 * lifetimes anew, and compares all pairs of storages that are live together. The problem itself was
 * checked by plan_solve(); here it only has to be safe to look at.
 */
#include "planner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct plan_problem *p;
	const struct plan_result *r;
	char *why;
	size_t why_size;
	int *position;	/* of each step */
	int *root;	/* of each buffer */
	int64_t *within;	/* distance of each buffer from its root's begin */
	int *first, *last;	/* of each root: positions; first -1: never live */
	int *writer;	/* of each buffer: step, or -1 */
};

__attribute__((format(printf, 2, 3)))
static bool wrong(const struct check *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (c->why && c->why_size > 0)
		vsnprintf(c->why, c->why_size, format, args);
	va_end(args);
	return false;
}

static const char *name_of(const struct check *c, int b)
{
	return c->p->buffers[b].name ? c->p->buffers[b].name : "?";
}

static int64_t align_of_buffer(const struct plan_buffer *b)
{
	if (b->align)
		return b->align;
	return b->parent == PLAN_NO_PARENT ? PLAN_ALIGN : 1;
}

static bool check_order(const struct check *c)
{
	for (int s = 0; s < c->p->n_steps; s++)
		c->position[s] = -1;
	for (int t = 0; t < c->p->n_steps; t++) {
		int s = c->r->order[t];
		if (s < 0 || s >= c->p->n_steps)
			return wrong(c, "order: position %d holds no step (%d)", t, s);
		if (c->position[s] >= 0)
			return wrong(c, "order: step %d runs twice", s);
		c->position[s] = t;
		if (c->p->keep_order && s != t)
			return wrong(c, "order: changed, though it was to be kept");
	}
	return true;
}

static void resolve(const struct check *c)
{
	for (int b = 0; b < c->p->n_buffers; b++) {
		int at = b;
		c->within[b] = 0;
		for (; c->p->buffers[at].parent != PLAN_NO_PARENT; at = c->p->buffers[at].parent)
			c->within[b] += c->p->buffers[at].parent_offset;
		c->root[b] = at;
	}
}

static void use(const struct check *c, int buffer, int t)
{
	int r = c->root[buffer];
	if (c->first[r] < 0 || t < c->first[r])
		c->first[r] = t;
	if (t > c->last[r])
		c->last[r] = t;
}

static void find_lifetimes(const struct check *c)
{
	int end = c->p->n_steps > 0 ? c->p->n_steps - 1 : 0;
	for (int b = 0; b < c->p->n_buffers; b++)
		c->first[b] = c->last[b] = c->writer[b] = -1;
	for (int s = 0; s < c->p->n_steps; s++) {
		const struct plan_step *step = &c->p->steps[s];
		for (int i = 0; i < step->n_in; i++)
			use(c, step->in[i], c->position[s]);
		for (int i = 0; i < step->n_out; i++) {
			use(c, step->out[i], c->position[s]);
			c->writer[step->out[i]] = s;
		}
	}
	for (int b = 0; b < c->p->n_buffers; b++) {
		int r = c->root[b];
		if (c->p->buffers[b].pinned_last)
			c->last[r] = end;
		if (c->p->buffers[b].pinned_first) {
			if (c->first[r] < 0)
				c->last[r] = end;
			c->first[r] = 0;
		}
	}
}

static bool overlap(int64_t a, int64_t a_bytes, int64_t b, int64_t b_bytes)
{
	return a_bytes > 0 && b_bytes > 0 && a < b + b_bytes && b < a + a_bytes;
}

/* Every reader runs after every writer of the bytes it reads, and after what edges demand. */
static bool check_dependencies(const struct check *c)
{
	const struct plan_problem *p = c->p;
	for (int i = 0; i < p->n_edges; i++)
		if (c->position[p->edges[i].before] >= c->position[p->edges[i].after])
			return wrong(c, "order: edge %d is broken", i);
	for (int s = 0; s < p->n_steps; s++)
		for (int i = 0; i < p->steps[s].n_in; i++) {
			int in = p->steps[s].in[i];
			for (int b = 0; b < p->n_buffers; b++) {
				if (c->writer[b] < 0 || c->root[b] != c->root[in])
					continue;
				if (b != in && !overlap(c->within[b], p->buffers[b].bytes, c->within[in],
					p->buffers[in].bytes))
					continue;
				if (c->position[c->writer[b]] >= c->position[s])
					return wrong(c, "order: step %d reads %s before step %d has written %s", s,
						name_of(c, in), c->writer[b], name_of(c, b));
			}
		}
	return true;
}

static bool check_places(const struct check *c)
{
	const struct plan_problem *p = c->p;
	for (int b = 0; b < p->n_buffers; b++) {
		int64_t at = c->r->offset[b];
		bool live = c->first[c->root[b]] >= 0;
		if (!live && at == -1)
			continue;
		if (at < 0)
			return wrong(c, "%s has no place", name_of(c, b));
		if (at > c->r->arena_bytes || p->buffers[b].bytes > c->r->arena_bytes - at)
			return wrong(c, "%s leaves the arena", name_of(c, b));
		if (at % align_of_buffer(&p->buffers[b]))
			return wrong(c, "%s is not aligned", name_of(c, b));
		if (c->r->arena_align % align_of_buffer(&p->buffers[b]))
			return wrong(c, "the arena is aligned less than %s", name_of(c, b));
		if (at - c->within[b] != c->r->offset[c->root[b]])
			return wrong(c, "the view %s does not lie in its parent", name_of(c, b));
	}
	for (int s = 0; s < p->n_steps; s++) {
		int64_t at = c->r->scratch_offset[s], bytes = p->steps[s].scratch;
		int64_t align = p->steps[s].scratch_align ? p->steps[s].scratch_align : PLAN_ALIGN;
		if (bytes == 0 && at == -1)
			continue;
		if (at < 0 || at > c->r->arena_bytes || bytes > c->r->arena_bytes - at)
			return wrong(c, "the scratch of step %d leaves the arena", s);
		if (at % align || c->r->arena_align % align)
			return wrong(c, "the scratch of step %d is not aligned", s);
	}
	return true;
}

/* The output that is laid over an input of root `in` among the outputs of root `out`, or -1. */
static int decision(const struct check *c, int in, int out)
{
	for (int b = 0; b < c->p->n_buffers; b++)
		if (c->root[b] == out && c->r->inplace[b] >= 0 && c->r->inplace[b] < c->p->n_buffers
			&& c->root[c->r->inplace[b]] == in)
			return b;
	return -1;
}

static bool listed(const struct plan_step *step, int out, int in)
{
	for (int i = 0; i < step->n_inplace; i++)
		if (step->out[step->inplace[i].out] == out && step->in[step->inplace[i].in] == in)
			return true;
	return false;
}

/* Output `out` lies over input `in`: is it allowed, and does it harm no byte that is still read? */
static bool check_inplace(const struct check *c, int out)
{
	const struct plan_problem *p = c->p;
	int in = c->r->inplace[out];
	if (in < 0 || in >= p->n_buffers)
		return wrong(c, "%s overwrites no buffer (%d)", name_of(c, out), in);
	int ri = c->root[in], ro = c->root[out];
	int s = c->writer[out];
	if (s < 0 || !listed(&p->steps[s], out, in))
		return wrong(c, "%s may not overwrite %s: no step offers it", name_of(c, out), name_of(c, in));
	const struct plan_step *step = &p->steps[s];
	int t = c->position[s];
	if (ri == ro)
		return wrong(c, "%s and %s share a root already", name_of(c, out), name_of(c, in));
	if (c->r->offset[out] != c->r->offset[in])
		return wrong(c, "%s does not begin where %s begins", name_of(c, out), name_of(c, in));
	if (c->last[ri] != t)
		return wrong(c, "%s overwrites %s, which is used later", name_of(c, out), name_of(c, in));
	for (int b = 0; b < p->n_buffers; b++)
		if (c->root[b] == ri && p->buffers[b].pinned_last)
			return wrong(c, "%s overwrites %s, which is pinned", name_of(c, out), name_of(c, in));
		else if (c->root[b] == ro && p->buffers[b].pinned_first)
			return wrong(c, "%s overwrites %s, but holds data from the start", name_of(c, out),
				name_of(c, in));
	if (c->first[ro] != t)
		return wrong(c, "%s overwrites %s, but its root is live before", name_of(c, out),
			name_of(c, in));
	for (int i = 0; i < step->n_out; i++)
		if (c->root[step->out[i]] == ri)
			return wrong(c, "%s overwrites %s, into which its step writes", name_of(c, out),
				name_of(c, in));
	int64_t end = c->r->offset[out] + p->buffers[out].bytes;
	int64_t root_end = c->r->offset[ro] + p->buffers[ro].bytes;
	if (c->r->offset[in] + p->buffers[in].bytes > end && root_end > end)
		return wrong(c, "the rest of the root of %s harms %s", name_of(c, out), name_of(c, in));
	for (int i = 0; i < step->n_in; i++) {
		int b = step->in[i];
		bool twin = c->r->offset[b] == c->r->offset[in] && p->buffers[b].bytes == p->buffers[in].bytes
			&& c->root[b] == ri;
		if (b != in && c->root[b] == ri && !(twin && listed(step, out, b))
			&& overlap(c->r->offset[b], p->buffers[b].bytes, c->r->offset[ro], p->buffers[ro].bytes))
			return wrong(c, "%s overwrites %s and harms %s", name_of(c, out), name_of(c, in),
				name_of(c, b));
	}
	/* the same buffer may be read twice: then each reading must allow it */
	for (int i = 0; i < step->n_in; i++)
		for (int k = 0; step->in[i] == in && k <= step->n_inplace; k++) {
			if (k == step->n_inplace)
				return wrong(c, "%s overwrites %s, which is also read otherwise", name_of(c, out),
					name_of(c, in));
			if (step->inplace[k].in == i && step->out[step->inplace[k].out] == out)
				break;
		}
	return true;
}

static bool check_storages(const struct check *c)
{
	const struct plan_problem *p = c->p;
	const struct plan_result *r = c->r;
	for (int b = 0; b < p->n_buffers; b++)
		if (r->inplace[b] != -1 && !check_inplace(c, b))
			return false;
	for (int a = 0; a < p->n_buffers; a++) {
		if (c->root[a] != a || c->first[a] < 0)
			continue;
		int64_t bytes = p->buffers[a].bytes;
		for (int s = 0; s < p->n_steps; s++)
			if (c->position[s] >= c->first[a] && c->position[s] <= c->last[a]
				&& overlap(r->offset[a], bytes, r->scratch_offset[s], p->steps[s].scratch))
				return wrong(c, "the scratch of step %d overlaps %s", s, name_of(c, a));
		for (int b = 0; b < a; b++) {
			if (c->root[b] != b || c->first[b] < 0 || c->last[b] < c->first[a]
				|| c->last[a] < c->first[b])
				continue;
			if (!overlap(r->offset[a], bytes, r->offset[b], p->buffers[b].bytes))
				continue;
			/* check_inplace() has shown that such a pair meets in one step only */
			if (decision(c, a, b) < 0 && decision(c, b, a) < 0)
				return wrong(c, "%s and %s are live together and overlap", name_of(c, a),
					name_of(c, b));
		}
	}
	return true;
}

static bool check_certificate(const struct check *c)
{
	const struct plan_certificate *k = &c->r->cert;
	if (c->r->arena_bytes < 0 || c->r->arena_align <= 0)
		return wrong(c, "the arena has no size or no alignment");
	if (k->lower_bound > k->order_bound || k->order_bound > c->r->arena_bytes)
		return wrong(c, "the certificate does not hold: arena %lld, bounds %lld and %lld",
			(long long)c->r->arena_bytes, (long long)k->order_bound, (long long)k->lower_bound);
	return true;
}

bool plan_verify(const struct plan_problem *p, const struct plan_result *r,
	char *why, size_t why_size)
{
	size_t n_steps = (size_t)p->n_steps, n_buffers = (size_t)p->n_buffers;
	int *ints = malloc((n_steps + 4 * n_buffers + 1) * sizeof *ints);
	int64_t *within = malloc((n_buffers + 1) * sizeof *within);
	struct check c = {p, r, why, why_size, ints, NULL, within, NULL, NULL, NULL};
	bool ok = false;
	if (ints && within) {
		c.root = ints + n_steps;
		c.first = c.root + n_buffers;
		c.last = c.first + n_buffers;
		c.writer = c.last + n_buffers;
		if (check_order(&c)) {
			resolve(&c);
			find_lifetimes(&c);
			ok = check_dependencies(&c) && check_places(&c) && check_storages(&c)
				&& check_certificate(&c);
		}
	} else {
		wrong(&c, "out of memory");
	}
	free(ints);
	free(within);
	return ok;
}
