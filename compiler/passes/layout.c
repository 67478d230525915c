/*
 * layout.c - which values lie in c16 ([N, C/16, ..., 16]), and conversions where plain and c16 meet.
 *
 * In the order of the nodes: an operator that has a c16 form and profits from it (it convolves, pools or resizes,
 * or some input already lies in c16) gives its outputs in c16; everything else is plain.  Values that are wanted in the other
 * layout are converted once, before their first such use.  Layouts change no bits.
 */
#include "ir/ew.h"
#include "ops/op.h"
#include "passes/passes.h"

#define MAX_OPERANDS 64

static bool form(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	bool any = false;
	if (!n->op || vec_len(n->in) > MAX_OPERANDS || vec_len(n->out) > MAX_OPERANDS)
		return false;
	for (int i = 0; i < MAX_OPERANDS; i++)
		want_in[i] = want_out[i] = LAYOUT_PLAIN;
	if (!(n->op->c16 ? n->op->c16(n, want_in, want_out) : ew_c16(n, want_in, want_out)))
		return false;
	for (int i = 0; i < vec_len(n->in); i++) {
		if (!n->in[i])
			continue;
		any = any || n->in[i]->layout == LAYOUT_C16;
		if (n->in[i]->data && want_in[i] == LAYOUT_C16)
			return false;	/* a constant would have to be converted: not worth it */
	}
	return any || ((n->op->flags & OP_C16_PAYS) && (want_in[0] == LAYOUT_PLAIN || n->in[0]->type.dim[1].value >= 16));
}

static struct value *convert(struct graph *g, struct map *done, struct node *before, struct value *v,
			     enum layout to)
{
	const char *key = str_printf(g->c, "%d", v->id);
	struct value *r = map_get(done, key);
	if (r)
		return r;
	struct node *n = node_new(g, before, "ampoule", to == LAYOUT_C16 ? "ToC16" : "FromC16", "");
	node_add_in(n, v);
	r = node_add_out(n, v->name);
	r->type = v->type;
	r->layout = to;
	map_put(g->c, done, key, r);
	return r;
}

bool pass_layout(struct graph *g)
{
	enum layout want_in[MAX_OPERANDS], want_out[MAX_OPERANDS];
	struct map done = { 0 };
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		const bool c16 = form(n, want_in, want_out);
		for (int i = 0; i < vec_len(n->in); i++) {
			struct value *v = n->in[i];
			const enum layout want = c16 ? want_in[i] : LAYOUT_PLAIN;
			if (v && !v->data && v->layout != want)
				node_set_in(n, i, convert(g, &done, n, v, want));
		}
		for (int i = 0; c16 && i < vec_len(n->out); i++)
			if (n->out[i])
				n->out[i]->layout = want_out[i];
	}
	for (int i = 0; i < vec_len(g->outputs); i++)
		if (g->outputs[i]->layout == LAYOUT_C16)
			graph_set_output(g, i, convert(g, &done, NULL, g->outputs[i], LAYOUT_PLAIN));
	return true;
}
