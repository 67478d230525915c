/* emit.c - all files of the emitted folder, in memory, in a fixed order. */
#include "emit/emit.h"

/* Does output 0 come from a Softmax, perhaps through views of its shape? */
static bool softmax_at_end(const struct graph *g)
{
	const struct value *v = vec_len(g->outputs) ? g->outputs[0] : NULL;
	while (v && v->def) {
		const struct node *n = v->def;
		if (str_eq(n->op_type, "Softmax"))
			return true;
		if (!str_eq(n->op_type, "Reshape") && !str_eq(n->op_type, "Identity") &&
		    !str_eq(n->op_type, "Squeeze") && !str_eq(n->op_type, "Flatten"))
			return false;
		v = n->in[0];
	}
	return false;
}

struct emission *emit_c(struct ctx *c, const struct schedule *s, const struct plan *p,
			const struct emit_options *o)
{
	struct emission *e = NEW(c, struct emission);
	struct emit_options *own = mem_copy(c, o, sizeof *o);
	e->c = c;
	e->o = own;
	e->s = s;
	e->p = p;
	e->ends_in_softmax = softmax_at_end(s->g);
	if (!o->activation_given)
		own->activation = e->ends_in_softmax ? AMP_ACT_NONE : AMP_ACT_SOFTMAX;
	emit_weights(e);
	emit_model(e);
	emit_interface(e);
	emit_makefile(e);
	return e;
}
