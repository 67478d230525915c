/*
 * Builds problems for the planner's tests: buffers, then steps, one call each.
 * In: sizes and indices. Out: struct plan_problem over the builder's arrays; drop() empties it.
 */
#ifndef AMPOULE_TEST_PLAN_BUILD_H
#define AMPOULE_TEST_PLAN_BUILD_H

#include "plan/planner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 16384

struct builder {
	struct plan_buffer buffers[MAX_NAMES];
	struct plan_step steps[MAX_NAMES];
	struct plan_edge edges[MAX_NAMES];
	int n_buffers, n_steps, n_edges, n_names;
	void *names[MAX_NAMES];	/* all that is to be freed */
};

static inline void *take(struct builder *b, size_t bytes)
{
	void *p = calloc(1, bytes + 1);
	if (!p || b->n_names == MAX_NAMES)
		abort();
	return b->names[b->n_names++] = p;
}

static inline char *name_it(struct builder *b, const char *what, int i)
{
	char *s = take(b, 40);
	snprintf(s, 40, "%s%d", what, i);
	return s;
}

static inline int add_buffer(struct builder *b, int64_t bytes)
{
	b->buffers[b->n_buffers] = (struct plan_buffer){.bytes = bytes, .parent = PLAN_NO_PARENT,
		.name = name_it(b, "t", b->n_buffers)};
	return b->n_buffers++;
}

static inline int add_view(struct builder *b, int parent, int64_t offset, int64_t bytes)
{
	int v = add_buffer(b, bytes);
	b->buffers[v].parent = parent;
	b->buffers[v].parent_offset = offset;
	return v;
}

/* add_step(b, "add", scratch, n_in, n_out, in..., out...) */
static inline int add_step(struct builder *b, const char *name, int64_t scratch, int n_in, int n_out,
	...)
{
	va_list args;
	int *io = take(b, (size_t)(n_in + n_out) * sizeof *io);
	va_start(args, n_out);
	for (int i = 0; i < n_in + n_out; i++)
		io[i] = va_arg(args, int);
	va_end(args);
	b->steps[b->n_steps] = (struct plan_step){.name = name_it(b, name, b->n_steps), .in = io,
		.out = io + n_in, .n_in = n_in, .n_out = n_out, .scratch = scratch};
	return b->n_steps++;
}

/* Allows output `out` of the newest step to overwrite its input `in` (indices). */
static inline void allow_inplace(struct builder *b, int out, int in)
{
	struct plan_step *s = &b->steps[b->n_steps - 1];
	struct plan_inplace *list = take(b, (size_t)(s->n_inplace + 1) * sizeof *list);
	if (s->n_inplace)
		memcpy(list, s->inplace, (size_t)s->n_inplace * sizeof *list);
	list[s->n_inplace] = (struct plan_inplace){out, in};
	s->inplace = list;
	s->n_inplace++;
}

static inline struct plan_problem problem_of(const struct builder *b)
{
	return (struct plan_problem){.buffers = b->buffers, .steps = b->steps, .edges = b->edges,
		.n_buffers = b->n_buffers, .n_steps = b->n_steps, .n_edges = b->n_edges};
}

static inline void drop(struct builder *b)
{
	for (int i = 0; i < b->n_names; i++)
		free(b->names[i]);
	b->n_names = b->n_buffers = b->n_steps = b->n_edges = 0;
}

static inline uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

#endif
