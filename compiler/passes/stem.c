/*
 * stem.c - the first convolution of a network and the MaxPool behind it become one step, ampoule.ConvMaxPool, so that the map
 * between them, often the largest of all, is not written to memory.
 *
 * In: a graph with layouts and algorithms.  The two join where Winograd's algorithm computes the first from a plain picture,
 * nobody else reads what is between, and the window is a small one.  Exact: each keeps its own order of operations.
 */
#include "ops/stem.h"
#include "passes/passes.h"

static bool is_stem(const struct node *n)
{
	struct spatial s;
	struct winograd_layer l;
	return node_is(n, "ampoule.Conv") && node_out(n, 0) && !node_in(n, 3) && n->in[0]->layout == LAYOUT_PLAIN &&
	       n->out[0]->layout == LAYOUT_C16 && n->in[0]->type.dim[1].value < 16 &&
	       spatial_read(n, &n->in[0]->type, &n->in[1]->type, false, &s) &&
	       winograd_read(&s, n->in[0]->type.dim[1].value, n->in[1]->type.dim[0].value, attr_int(n, "group", 1), &l) &&
	       winograd_form(&l, attr_str(n, "algorithm", ""));
}

static void join(struct node *first, struct node *second, const struct spatial *window)
{
	struct node *n = node_new(second->graph, second, "ampoule", "ConvMaxPool", first->name);
	node_retype(n, "ampoule", "ConvMaxPool");
	for (int i = 0; i < 3; i++)
		node_add_in(n, node_in(first, i));
	attr_copy_all(n, first);
	attr_set_ints(n, "pool_kernel", window->kernel, 2);
	attr_set_ints(n, "pool_strides", window->stride, 2);
	attr_set_ints(n, "pool_pads", (int64_t[]){ window->pad[0], window->pad[1], window->pad_end[0], window->pad_end[1] }, 4);
	node_take_out(n, 0, second->out[0]);
	node_remove(second);
	node_remove(first);
}

bool pass_stem(struct graph *g)
{
	for (struct node *n = g->first, *next; n; n = next) {
		struct spatial s;
		next = n->next;
		if (!is_stem(n))
			continue;
		struct node *user = value_only_user(n->out[0]);
		if (!user || user->graph != g || !node_is(user, "MaxPool") || node_out(user, 1) || !node_out(user, 0) ||
		    user->out[0]->layout != LAYOUT_C16 ||
		    !spatial_read(user, &n->out[0]->type, NULL, attr_int(user, "ceil_mode", 0) != 0, &s) || !stem_pools(&s))
			continue;
		if (next == user)
			next = user->next;
		join(n, user, &s);
	}
	return true;
}
