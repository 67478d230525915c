/*
 * outputs.c - each output of the model is a value of its own that a node of the graph computes: an output that is an
 * input, a constant or another output gets an Identity, which the emitted code runs as a copy.
 */
#include "passes/passes.h"

bool pass_outputs(struct graph *g)
{
	for (int i = 0; i < vec_len(g->outputs); i++) {
		struct value *v = g->outputs[i];
		bool taken = v->is_input || !v->def;
		for (int j = 0; j < i; j++)
			taken = taken || g->outputs[j] == v;
		if (!taken)
			continue;
		struct node *n = node_new(g, NULL, "", "Identity", "");
		node_add_in(n, v);
		struct value *copy = node_add_out(n, v->name);
		copy->type = v->type;
		copy->layout = v->layout;
		graph_set_output(g, i, copy);
	}
	return true;
}
