/*
 * layers.c - how far each step of the plan is from the truth.
 *
 * Goes in: the compiled model, its truth schedule, one set of inputs.  Comes out: a line for each value that the
 * planned graph and the model both have (by name and shape: a fused step keeps the name of its last node's
 * output), as computed with contract arithmetic and in double precision, in the order of execution.  Both
 * run from the model's inputs: errors are accumulated ones, as the binary has them.
 */
#include "compile.h"
#include "eval/exec.h"
#include "verify/compare.h"

#include <math.h>
#include <string.h>

struct seen {
	const struct value *v;
	const struct step *step;
	struct tensor *t;
};

struct walk {
	struct ctx *c;
	struct map seen;		/* name of a value -> struct seen */
	struct layer_error *out;	/* vec, in the order of the truth's steps */
};

static void keep(void *arg, const struct step *s, void *const out[])
{
	struct walk *w = arg;
	for (int i = 0; i < vec_len(s->out); i++) {
		const struct value *v = s->out[i];
		/* a conversion between layouts has its input's name: the value is known already */
		if (!v || !*v->name || v->type.dtype != DT_FLOAT || map_get(&w->seen, v->name))
			continue;
		struct seen *e = NEW(w->c, struct seen);
		*e = (struct seen){ v, s, value_to_plain(w->c, v, out[i]) };
		map_put(w->c, &w->seen, v->name, e);
	}
}

static double rms_error(const struct tensor *a, const struct tensor *b)
{
	double error = 0, size = 0;
	for (int64_t i = 0; i < a->n; i++) {
		const double y = tensor_get_f(b, i), d = tensor_get_f(a, i) - y;
		if (!isfinite(d))
			continue;
		error += d * d;
		size += y * y;
	}
	return size > 0 ? sqrt(error / size) : error > 0 ? INFINITY : 0;
}

static void measure(void *arg, const struct step *s, void *const out[])
{
	struct walk *w = arg;
	for (int i = 0; i < vec_len(s->out); i++) {
		const struct value *v = s->out[i];
		struct seen *e = v && *v->name ? map_get(&w->seen, v->name) : NULL;
		if (!e || !e->t || v->type.dtype != DT_DOUBLE)
			continue;
		struct tensor *truth = value_to_plain(w->c, v, out[i]);
		const struct comparison r = compare(e->t, truth, 0, INFINITY);
		if (r.same_type && r.n > 0) {
			double greatest = 0;
			for (int64_t k = 0; k < truth->n; k++)
				greatest = fmax(greatest, fabs(tensor_get_f(truth, k)));
			vec_add(w->c, w->out, ((struct layer_error){ .value = e->v, .step = e->step, .n = r.n,
					      .greatest = greatest, .max_abs = r.max_abs, .max_rel = r.max_rel,
					      .rms_rel = rms_error(e->t, truth), .not_finite = r.n_outside }));
		}
		mem_give_back(w->c, truth->data);
		mem_give_back(w->c, e->t->data);
		e->t = NULL;
	}
}

struct layer_error *layer_errors(struct ctx *c, const struct schedule *s, const struct schedule *truth,
				 const struct tensor *const *in)
{
	const struct graph *g = s->g;
	const int n_in = vec_len(g->inputs), n_out = vec_len(g->outputs);
	struct walk w = { .c = c };
	struct tensor **out = NEW_ARRAY(c, n_out + 1, struct tensor *);
	const struct tensor **wide = NEW_ARRAY(c, n_in + 1, const struct tensor *);
	if (exec_run(c, s, in, out, keep, &w) != R_SUCCESS)
		return NULL;
	for (int i = 0; i < n_in; i++)
		wide[i] = dtype_is_float(in[i]->dtype) ? tensor_convert(c, in[i], DT_DOUBLE) : in[i];
	if (exec_run(c, truth, wide, out, measure, &w) != R_SUCCESS)
		return NULL;
	return w.out;
}
