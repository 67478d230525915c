/* choice.c - values that change no bit: op_choice() as tuning.h says, op_cache() and op_prefetch() as the target says. */
#include "ir/tuning.h"
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

/* Everything that a convolution's speed depends on, the same text for the same work in any model. */
static const char *key_of(const struct node *n)
{
	struct ctx *c = n->graph->c;
	struct text t = { .c = c };
	static const char *const lists[] = { "kernel_shape", "strides", "dilations", "pads" };
	text_printf(&t, "%s %s", n->op_type, attr_str(n, "algorithm", "direct"));
	for (int i = 0; i < vec_len(n->in) && i < 2; i++)
		if (n->in[i])
			text_printf(&t, " %s", type_text(c, &n->in[i]->type));
	text_printf(&t, " group=%lld", (long long)attr_int(n, "group", 1));
	for (size_t i = 1; i < sizeof lists / sizeof lists[0]; i++) {
		int count;
		const int64_t *v = attr_ints(n, lists[i], &count);
		text_printf(&t, " %s=", lists[i]);
		for (int k = 0; k < count; k++)
			text_printf(&t, "%s%lld", k ? "," : "", (long long)v[k]);
	}
	text_printf(&t, " residual=%d activation=%s", node_in(n, 3) != NULL, attr_str(n, "activation", "none"));
	return t.s;
}

int64_t op_choice(const struct node *n, const char *what, int64_t usual, const int64_t *candidates, int count)
{
	struct ctx *c = n->graph->c;
	struct tuning *t = n->graph->tuning;
	if (!t)
		return usual;
	struct choice q = { .what = what, .key = key_of(n), .node = n, .usual = usual };
	int64_t least = usual, most = usual;
	vec_add(c, q.candidates, usual);
	for (int i = 0; i < count; i++) {
		bool known = false;
		for (int k = 0; k < vec_len(q.candidates); k++)
			known = known || q.candidates[k] == candidates[i];
		if (!known)
			vec_add(c, q.candidates, candidates[i]);
		least = candidates[i] < least ? candidates[i] : least;
		most = candidates[i] > most ? candidates[i] : most;
	}
	if (vec_len(q.candidates) < 2)
		return usual;
	vec_add(c, t->asked, q);
	const int64_t *v = map_get(&t->values, str_printf(c, "%s %s", what, q.key));
	/* a file may come from anywhere */
	return !v ? usual : *v < least ? least : *v > most ? most : *v;
}

int64_t op_cache(const struct graph *g, int64_t of_a_megabyte)
{
	return g ? of_a_megabyte / 1024 * (g->cache / 1024) : of_a_megabyte;
}

int64_t op_prefetch(const struct graph *g, int64_t floats)
{
	return g && g->prefetch / 4 < floats ? g->prefetch / 4 : floats;
}
