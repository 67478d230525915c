/*
 * cse.c - common subexpressions.
 *
 * In: a typed graph.  Out: of several nodes with the same operator, operands and attributes only
 * the first is left, of constants with the same type and bits too.  Nodes that may not be folded
 * (random ones) and nodes with subgraphs are never merged.  Equal keys are found in a map: for
 * nodes the text of operator and operand ids, for constants the type and a hash of the data; a
 * hit is compared in full.
 */
#include "ops/op.h"
#include "passes/passes.h"

#include <string.h>

static uint64_t hash_bytes(const void *data, int64_t n)
{
	const unsigned char *p = data;
	uint64_t h = 0x9e3779b97f4a7c15u ^ (uint64_t)n, w;
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
	}
	for (; n > 0; n--)
		h = (h ^ *p++) * 0xbf58476d1ce4e5b9u;
	return h ^ h >> 32;
}

static const char *const_key(struct ctx *c, const struct value *v)
{
	const uint64_t h = hash_bytes(v->data->data, tensor_bytes(v->data));
	return str_printf(c, "%s %llx", type_text(c, &v->type), (unsigned long long)h);
}

static void merge_constants(struct graph *g)
{
	struct map seen = { 0 };
	for (int i = 0; i < vec_len(g->values); i++) {
		struct value *v = g->values[i];
		if (!v || !v->data || v->data->dtype == DT_STRING || value_is_output(v))
			continue;
		const char *key = const_key(g->c, v);
		struct value *first = map_get(&seen, key);
		if (!first)
			map_put(g->c, &seen, key, v);
		else if (tensor_equal(first->data, v->data) && first->layout == v->layout)
			value_replace(v, first);
	}
}

static const char *node_key(const struct node *n)
{
	struct text t = { .c = n->graph->c };
	text_printf(&t, "%s.%s %d", n->domain, n->op_type, vec_len(n->out));
	for (int i = 0; i < vec_len(n->in); i++)
		if (n->in[i])
			text_printf(&t, " %p", (const void *)n->in[i]);
		else
			text_printf(&t, " _");
	return t.s;
}

static bool may_merge(const struct node *n)
{
	return n->op && !(n->op->flags & OP_NO_FOLD);
}

/* Outputs that only one of the two has are moved, so that nothing is lost. */
static bool merge(struct node *n, struct node *first)
{
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i] && (!node_out(first, i) ||
		    (value_is_output(n->out[i]) && value_is_output(first->out[i]))))
			return false;
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i])
			value_replace(n->out[i], first->out[i]);
	node_remove(n);
	return true;
}

bool pass_cse(struct graph *g)
{
	struct map seen = { 0 };
	merge_constants(g);
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		if (!may_merge(n))
			continue;
		const char *key = node_key(n);
		struct node *first = map_get(&seen, key);
		if (!first)
			map_put(g->c, &seen, key, n);
		else if (attr_equal_all(n, first))
			merge(n, first);
	}
	graph_drop_dead(g);
	return true;
}
