/* lower.c - from nodes to steps: one kernel call or one elementwise loop each. */
#include "eval/exec.h"
#include "ir/ew.h"
#include "ops/op.h"

struct step *lower_node(struct node *n)
{
	struct ctx *c = n->graph->c;
	const int before = c->n_errors;
	struct step *s = NEW(c, struct step);
	s->node = n;
	if (n->op && n->op->lower) {
		if (n->op->lower(n, s))
			return s;
		if (c->n_errors == before)
			node_error(n, "schedule", "this form of the operator is not supported");
		return NULL;
	}
	if (n->op && ew_node_expr(n))
		return ew_lower(n, s) ? s : NULL;
	node_error(n, "schedule", "operator %s%s%s is not supported", n->domain,
		   *n->domain ? "." : "", n->op_type);
	return NULL;
}

struct schedule *make_schedule(struct graph *g)
{
	struct ctx *c = g->c;
	struct schedule *sch = NEW(c, struct schedule);
	bool ok = true;
	sch->g = g;
	sch->plan_name = g->plan ? g->plan : "direct";
	sch->threads = 1;
	for (struct node *n = g->first; n; n = n->next) {
		struct step *s = lower_node(n);
		if (!s) {
			ok = false;
			continue;
		}
		s->id = vec_len(sch->all);
		s->macs = op_macs(n);
		vec_add(c, sch->all, s);
		vec_add(c, sch->steps, s);
	}
	return ok ? sch : NULL;
}

/* A rough time on one thread, in nanoseconds: 40 multiply-accumulates or 8 bytes take one. */
static double cost(const struct step *st)
{
	double bytes = 0;
	for (int k = 0; k < vec_len(st->in); k++)
		if (st->in[k])
			bytes += (double)value_bytes(st->in[k]);
	for (int k = 0; k < vec_len(st->out); k++)
		if (st->out[k])
			bytes += (double)value_bytes(st->out[k]);
	return (double)st->macs / 40 + bytes / 8;
}

void schedule_parts(struct schedule *s, int threads, double least)
{
	s->threads = threads;
	for (int i = 0; i < vec_len(s->all); i++) {
		struct step *st = s->all[i];
		const bool can = st->kernel ? st->kernel->splits : st->ew != NULL;
		st->parts = can && threads > 1 && cost(st) >= least ? threads : 1;
	}
}
