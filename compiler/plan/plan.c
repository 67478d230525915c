/*
 * plan.c - the glue between steps and the planner, which sees buffers only.
 *
 * Constants lie in the blob, model inputs and outputs in the caller's memory, everything else in the
 * arena.  A Reshape-like step whose result can be a view of its input, and the inputs of a Concat
 * that can be written straight into its result, become views: the step (or that part of it)
 * vanishes.  A view of a model input or of a constant is that memory at an offset.
 */
#include "plan/plan.h"

#include "plan/planner.h"

#include <stdlib.h>

struct glue {
	struct ctx *c;
	struct schedule *s;
	struct plan *p;
	int *buffer;			/* by value id; -1: none */
	int *parent;			/* by value id: the value it is a view of, or -1 */
	int64_t *parent_offset;
	struct plan_buffer *buffers;	/* vec */
	struct value **owner;		/* vec, by buffer: for names */
};

static bool in_arena(const struct glue *g, const struct value *v)
{
	return g->p->place[v->id].kind == PLACE_ARENA;
}

static int64_t unpadded(const struct value *v)
{
	return v->layout == LAYOUT_C16 ? type_bytes(&v->type) : value_bytes(v);
}

/* The value at the top of a chain of views. */
static int root_of(const struct glue *g, int id)
{
	while (g->parent[id] >= 0)
		id = g->parent[id];
	return id;
}

static void place_ends(struct glue *g)
{
	const struct graph *gr = g->s->g;
	for (int i = 0; i < vec_len(gr->inputs); i++) {
		struct place *pl = &g->p->place[gr->inputs[i]->id];
		pl->kind = PLACE_INPUT;
		pl->index = i;
	}
	for (int i = 0; i < vec_len(gr->outputs); i++) {
		struct place *pl = &g->p->place[gr->outputs[i]->id];
		if (pl->kind != PLACE_ARENA)
			fatal(g->c, R_INTERNAL, "output \"%s\" is no value of its own",
			      gr->outputs[i]->name);
		pl->kind = PLACE_OUTPUT;
		pl->index = i;
	}
}

/* out of a view step: the same bytes as in[0], at an offset */
static void take_view_of_in(struct glue *g, struct step *st)
{
	const struct value *in = st->in[0];
	struct place *pi = &g->p->place[in->id];
	for (int k = 0; k < vec_len(st->out); k++) {
		const struct value *out = st->out[k];
		if (!out)
			continue;
		if (g->p->place[out->id].kind == PLACE_OUTPUT) {
			/* the producer of `in` may write the model's output itself */
			if (vec_len(st->out) == 1 && st->view_offset[k] == 0 && pi->kind == PLACE_ARENA &&
			    g->parent[in->id] < 0 && value_bytes(in) == value_bytes(out))
				continue;
			return;
		}
		if (g->p->place[out->id].kind != PLACE_ARENA || g->parent[out->id] >= 0)
			return;
	}
	st->view_taken = true;
	for (int k = 0; k < vec_len(st->out); k++) {
		const struct value *out = st->out[k];
		struct place *po = out ? &g->p->place[out->id] : NULL;
		if (!po)
			continue;
		if (po->kind == PLACE_OUTPUT) {
			*pi = *po;
		} else if (pi->kind == PLACE_ARENA) {
			g->parent[out->id] = in->id;
			g->parent_offset[out->id] = st->view_offset[k];
		} else {
			*po = *pi;
			po->offset += st->view_offset[k];
		}
	}
}

/* inputs of a Concat that can be written in place; true if all can */
static void take_view_of_out(struct glue *g, struct step *st)
{
	const struct value *out = st->out[0];
	bool all = true;
	if (!in_arena(g, out))
		return;
	for (int k = 0; k < vec_len(st->in); k++) {
		const struct value *in = st->in[k];
		bool ok = in && in->def && in_arena(g, in) && g->parent[in->id] < 0 &&
			  root_of(g, out->id) != in->id;
		for (int j = 0; ok && j < k; j++)
			ok = st->in[j] != in;
		if (!ok) {
			all = false;
			continue;
		}
		g->parent[in->id] = out->id;
		g->parent_offset[in->id] = st->view_offset[k];
	}
	st->view_taken = all;
}

static int add_buffer(struct glue *g, const char *name, int64_t bytes, int64_t plain, int parent,
		      int64_t offset)
{
	struct plan_buffer *b = vec_push(g->c, g->buffers);
	b->name = name;
	b->bytes = bytes;
	b->unpadded_bytes = plain;
	b->parent = parent;
	b->parent_offset = offset;
	return vec_len(g->buffers) - 1;
}

static int buffer_of(struct glue *g, const struct value *v)
{
	if (g->buffer[v->id] >= 0)
		return g->buffer[v->id];
	int parent = PLAN_NO_PARENT;
	if (g->parent[v->id] >= 0)
		parent = buffer_of(g, g->s->g->values[g->parent[v->id]]);
	return g->buffer[v->id] = add_buffer(g, v->name, value_bytes(v), unpadded(v), parent,
					     g->parent_offset[v->id]);
}

/* The planner's form of a step: only what lies in the arena. */
static struct plan_step plan_step_of(struct glue *g, struct step *st)
{
	struct plan_step ps = { .name = st->node->name, .scratch = step_scratch(st) };
	const int n_in = vec_len(st->in), n_out = vec_len(st->out);
	int *in = NEW_ARRAY(g->c, n_in + 1, int), *out = NEW_ARRAY(g->c, n_in + n_out + 1, int);
	int *in_at = NEW_ARRAY(g->c, n_in + 1, int), *out_at = NEW_ARRAY(g->c, n_out + 1, int);
	for (int k = 0; k < n_in; k++) {
		in_at[k] = -1;
		if (!st->in[k] || !in_arena(g, st->in[k]))
			continue;
		if (st->view == VIEW_OF_OUT && g->parent[st->in[k]->id] == st->out[0]->id &&
		    g->parent_offset[st->in[k]->id] == st->view_offset[k])
			continue;		/* it is there already */
		in_at[k] = ps.n_in;
		in[ps.n_in++] = buffer_of(g, st->in[k]);
	}
	for (int k = 0; k < n_out; k++) {
		out_at[k] = -1;
		if (!st->out[k] || !in_arena(g, st->out[k]))
			continue;
		if (st->view == VIEW_OF_OUT) {
			/* it writes just the parts that are not written in place */
			const int whole = buffer_of(g, st->out[0]);
			for (int j = 0; j < n_in; j++)
				if (st->in[j] && (g->parent[st->in[j]->id] != st->out[0]->id ||
						  g->parent_offset[st->in[j]->id] != st->view_offset[j]))
					out[ps.n_out++] = add_buffer(g, NULL, value_bytes(st->in[j]), 0,
								     whole, st->view_offset[j]);
			continue;
		}
		out_at[k] = ps.n_out;
		out[ps.n_out++] = buffer_of(g, st->out[k]);
	}
	struct plan_inplace *ip = NEW_ARRAY(g->c, vec_len(st->inplace) + 1, struct plan_inplace);
	for (int k = 0; k < vec_len(st->inplace); k++) {
		const int o = out_at[st->inplace[k].out], i = in_at[st->inplace[k].in];
		if (o >= 0 && i >= 0)
			ip[ps.n_inplace++] = (struct plan_inplace){ o, i };
	}
	ps.in = in;
	ps.out = out;
	ps.inplace = ip;
	return ps;
}

/* A constant's place behind *at */
static void place_constant(struct glue *g, const struct value *v, enum place_kind kind, int64_t *at)
{
	const int64_t bytes = (tensor_bytes(v->data) + AMP_ALIGN - 1) / AMP_ALIGN * AMP_ALIGN;
	g->p->place[v->id] = (struct place){ .kind = kind, .offset = *at };
	if (!add_i64(*at, bytes, at))
		fatal(g->c, R_INPUT, "the weights are too large");
}

/* Constants in the order of their first use: behind the blob's header, or where they are made when the model is prepared. */
static void place_weights(struct glue *g)
{
	int64_t at = AMP_ALIGN, prepared = 0;
	for (int i = 0; i < vec_len(g->s->steps); i++) {
		const struct step *st = g->s->steps[i];
		for (int k = 0; k < vec_len(st->in); k++) {
			struct value *v = st->in[k];
			if (!v || !v->data || g->p->place[v->id].kind != PLACE_NONE)
				continue;
			if (st->maker && st->maker->out[0] == v) {
				place_constant(g, v, PLACE_PREPARED, &prepared);
				vec_add(g->c, g->s->makers, st->maker);
				v = st->maker->in[0];
				if (g->p->place[v->id].kind != PLACE_NONE)
					continue;
			}
			place_constant(g, v, PLACE_WEIGHTS, &at);
			vec_add(g->c, g->p->weights, v);
		}
	}
	g->p->weights_bytes = at;
	g->p->prepared_bytes = prepared;
}

static void put_text(struct ctx *c, const struct plan_problem *pp, const struct plan_result *r,
		     void (*print)(const struct plan_problem *, const struct plan_result *, FILE *),
		     const char **text)
{
	char *s = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&s, &n);
	if (!f)
		fatal(c, R_INPUT, "out of memory");
	print(pp, r, f);
	fclose(f);
	*text = str_dup_n(c, s, n);
	free(s);
}

struct plan *plan_memory(struct ctx *c, struct schedule *s)
{
	const int n_values = vec_len(s->g->values);
	struct glue g = { .c = c, .s = s, .p = NEW(c, struct plan) };
	g.p->place = NEW_ARRAY(c, n_values, struct place);
	g.buffer = NEW_ARRAY(c, n_values, int);
	g.parent = NEW_ARRAY(c, n_values, int);
	g.parent_offset = NEW_ARRAY(c, n_values, int64_t);
	for (int i = 0; i < n_values; i++) {
		const struct value *v = s->g->values[i];
		g.buffer[i] = g.parent[i] = -1;
		g.p->place[i].kind = v && !v->data ? PLACE_ARENA : PLACE_NONE;
	}
	place_ends(&g);
	/* outputs first: backwards, so that a chain of views before an output ends in it */
	for (int i = vec_len(s->steps) - 1; i >= 0; i--)
		if (s->steps[i]->view == VIEW_OF_IN && s->steps[i]->out[0] &&
		    g.p->place[s->steps[i]->out[0]->id].kind == PLACE_OUTPUT && !s->steps[i]->in[0]->data)
			take_view_of_in(&g, s->steps[i]);
	for (int i = 0; i < vec_len(s->steps); i++) {
		struct step *st = s->steps[i];
		if (st->view == VIEW_OF_IN && !st->view_taken && !st->in[0]->data)
			take_view_of_in(&g, st);
	}
	for (int i = vec_len(s->steps) - 1; i >= 0; i--)
		if (s->steps[i]->view == VIEW_OF_OUT)
			take_view_of_out(&g, s->steps[i]);

	struct plan_step *steps = NEW_ARRAY(c, vec_len(s->steps) + 1, struct plan_step);
	struct step **real = NEW_ARRAY(c, vec_len(s->steps) + 1, struct step *);
	int n_steps = 0;
	struct plan_edge *edges = NULL;		/* vec */
	int *writer = NEW_ARRAY(c, n_values, int);	/* step that writes a value outside the arena */
	for (int i = 0; i < n_values; i++)
		writer[i] = -1;
	for (int i = 0; i < vec_len(s->steps); i++) {
		struct step *st = s->steps[i];
		if (st->view_taken) {
			/* its result is written when its input is */
			for (int k = 0; k < vec_len(st->out); k++)
				if (st->out[k] && st->in[0])
					writer[st->out[k]->id] = writer[st->in[0]->id];
			continue;
		}
		steps[n_steps] = plan_step_of(&g, st);
		for (int k = 0; k < vec_len(st->in); k++)
			if (st->in[k] && !in_arena(&g, st->in[k]) && writer[st->in[k]->id] >= 0) {
				struct plan_edge *e = vec_push(c, edges);
				e->before = writer[st->in[k]->id];
				e->after = n_steps;
			}
		for (int k = 0; k < vec_len(st->out); k++)
			if (st->out[k])
				writer[st->out[k]->id] = n_steps;
		real[n_steps++] = st;
	}
	const struct plan_problem pp = {
		.buffers = g.buffers, .n_buffers = vec_len(g.buffers), .steps = steps, .n_steps = n_steps,
		.edges = edges, .n_edges = vec_len(edges),
	};
	struct plan_result r;
	char why[512];
	const enum plan_status ps = plan_solve(&pp, &r, why, sizeof why);
	if (ps != PLAN_OK)
		fatal(c, ps == PLAN_TOO_BIG || ps == PLAN_NO_MEMORY ? R_INPUT : R_INTERNAL,
		      "memory plan: %s", why);
	if (!plan_verify(&pp, &r, why, sizeof why))
		fatal(c, R_INTERNAL, "memory plan: %s", why);

	struct step **ordered = NULL;
	g.p->scratch = NEW_ARRAY(c, n_steps + 1, int64_t);
	for (int i = 0; i < n_steps; i++) {
		vec_add(c, ordered, real[r.order[i]]);
		g.p->scratch[i] = r.scratch_offset[r.order[i]] < 0 ? 0 : r.scratch_offset[r.order[i]];
	}
	s->steps = ordered;
	for (int i = 0; i < n_values; i++)
		if (g.p->place[i].kind == PLACE_ARENA && g.buffer[i] >= 0)
			g.p->place[i].offset = r.offset[g.buffer[i]];
	g.p->arena_bytes = r.arena_bytes;
	g.p->bound_order = r.cert.order_bound;
	g.p->bound_all = r.cert.lower_bound;
	g.p->bound_order_plain = r.cert.order_bound_unpadded;
	g.p->bound_all_plain = r.cert.lower_bound_unpadded;
	put_text(c, &pp, &r, plan_print, &g.p->text);
	put_text(c, &pp, &r, plan_json, &g.p->json);
	plan_free(&r);
	place_weights(&g);
	return g.p;
}
