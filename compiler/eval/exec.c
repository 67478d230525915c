/*
 * exec.c - runs steps with the generic kernels.  Every value has memory of its own, which is given back
 * after its last use; views are executed as the copies that they stand for.
 */
#include "eval/exec.h"
#include "ir/ew.h"
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

enum amp_status exec_step(const struct step *s, const void *const in[], void *const out[])
{
	if (s->ew) {
		ew_run(s->ew, in, out);
		return AMP_OK;
	}
	void *scratch = NULL;
	const int parts = s->parts < 1 ? 1 : s->parts, phases = s->phases < 1 ? 1 : s->phases;
	const int64_t slice = step_slice(s), bytes = step_scratch(s);
	enum amp_status status = AMP_OK;
	if (bytes > 0 && posix_memalign(&scratch, AMP_ALIGN, (size_t)bytes))
		fatal(s->node->graph->c, R_INPUT, "out of memory for %lld bytes of scratch", (long long)bytes);
	for (int phase = 0; phase < phases; phase++)
		for (int part = 0; part < parts; part++) {
			struct amp_env env = {
				.scratch = s->scratch ? (char *)scratch + part * slice : NULL,
				.shared = s->shared ? (char *)scratch + parts * slice : NULL,
				.part = part, .parts = parts, .phase = phase, .status = AMP_OK,
			};
			s->kernel->fn(s->params, in, out, &env);
			status = env.status != AMP_OK ? env.status : status;
		}
	free(scratch);
	return status;
}

bool exec_fold(struct node *n)
{
	struct ctx *c = n->graph->c;
	if (!n->op || n->op->flags & (OP_NO_FOLD | OP_EXPAND) || (!n->op->lower && !ew_node_expr(n)))
		return false;
	for (int i = 0; i < vec_len(n->in); i++)
		if (n->in[i] && !n->in[i]->data)
			return false;
	for (int i = 0; i < vec_len(n->out); i++)
		if (n->out[i] && (!type_known(&n->out[i]->type) || !dtype_suffix(n->out[i]->type.dtype)))
			return false;
	struct step *s = lower_node(n);
	if (!s)
		return false;
	const int n_in = vec_len(s->in), n_out = vec_len(s->out);
	const void **in = NEW_ARRAY(c, n_in + 1, const void *);
	void **out = NEW_ARRAY(c, n_out + 1, void *);
	struct tensor **t = NEW_ARRAY(c, n_out + 1, struct tensor *);
	for (int i = 0; i < n_in; i++) {
		if (s->in[i] && !s->in[i]->data)
			return false;
		in[i] = s->in[i] ? s->in[i]->data->data : NULL;
	}
	for (int i = 0; i < n_out; i++) {
		if (!s->out[i])
			continue;
		int64_t dims[IR_MAX_RANK];
		const int rank = type_dims(&s->out[i]->type, dims);
		t[i] = tensor_new(c, s->out[i]->type.dtype, rank, dims);
		out[i] = t[i]->data;
	}
	if (exec_step(s, in, out) != AMP_OK) {
		node_error(n, "fold", "an index is outside its axis");
		return false;
	}
	for (int i = 0; i < n_out; i++)
		if (s->out[i]) {
			canonical_nan(t[i]->dtype, t[i]->data, t[i]->n);
			value_make_const(s->out[i], t[i]);
		}
	return true;
}

void canonical_nan(enum dtype t, void *data, int64_t n)
{
	if (t == DT_FLOAT) {
		uint32_t *p = data;
		for (int64_t i = 0; i < n; i++)
			if ((p[i] & 0x7fffffffu) > 0x7f800000u)
				p[i] = 0x7fc00000u;
	} else if (t == DT_DOUBLE) {
		uint64_t *p = data;
		for (int64_t i = 0; i < n; i++)
			if ((p[i] & ~((uint64_t)1 << 63)) > (uint64_t)0x7ff << 52)
				p[i] = (uint64_t)0x7ff8 << 48;
	} else if (t == DT_FLOAT16 || t == DT_BFLOAT16) {
		uint16_t *p = data;
		const uint16_t inf = t == DT_FLOAT16 ? 0x7c00 : 0x7f80;
		for (int64_t i = 0; i < n; i++)
			if ((p[i] & 0x7fff) > inf)
				p[i] = t == DT_FLOAT16 ? 0x7e00 : 0x7fc0;
	}
}

/* ---- a whole schedule ------------------------------------------------------------------------ */

struct run {
	struct ctx *c;
	void **mem;			/* by value id */
	bool *ours;			/* freed here */
	int *left;			/* uses not yet done */
};

static void *buffer(struct run *r, const struct value *v)
{
	const int64_t bytes = value_bytes(v);
	void *p = NULL;
	if (bytes < 0 || posix_memalign(&p, AMP_ALIGN, bytes ? (size_t)bytes : AMP_ALIGN))
		fatal(r->c, R_INPUT, "out of memory for value \"%s\" (%lld bytes)", v->name,
		      (long long)bytes);
	/* whatever a kernel leaves unwritten shows as NaN */
	memset(p, 0xff, bytes ? (size_t)bytes : AMP_ALIGN);
	return p;
}

static void done_with(struct run *r, const struct value *v)
{
	if (--r->left[v->id] == 0 && r->ours[v->id]) {
		free(r->mem[v->id]);
		r->mem[v->id] = NULL;
		r->ours[v->id] = false;
	}
}

static bool check_inputs(struct ctx *c, const struct graph *g, const struct tensor *const *in)
{
	bool ok = true;
	for (int i = 0; i < vec_len(g->inputs); i++) {
		const struct value *v = g->inputs[i];
		int64_t dims[IR_MAX_RANK];
		const int rank = type_dims(&v->type, dims);
		bool same = in[i] && in[i]->dtype == v->type.dtype && in[i]->rank == rank;
		for (int d = 0; same && d < rank; d++)
			same = in[i]->dim[d] == dims[d];
		if (!same) {
			struct type got = { 0 };
			if (in[i])
				got = type_tensor(in[i]->dtype, in[i]->rank, in[i]->dim);
			diag(c, SEV_ERROR, "run", NULL, "input \"%s\" must be %s, not %s", v->name,
			     type_text(c, &v->type), in[i] ? type_text(c, &got) : "absent");
			ok = false;
		}
	}
	return ok;
}

enum result exec_run(struct ctx *c, const struct schedule *s, const struct tensor *const *in,
		     struct tensor **out, exec_watch *watch, void *arg)
{
	const struct graph *g = s->g;
	const int n_values = vec_len(g->values);
	if (!check_inputs(c, g, in))
		return R_INPUT;
	struct run r = { c, NEW_ARRAY(c, n_values, void *), NEW_ARRAY(c, n_values, bool),
			 NEW_ARRAY(c, n_values, int) };
	for (int i = 0; i < n_values; i++)
		if (g->values[i] && g->values[i]->data)
			r.mem[i] = g->values[i]->data->data;
	for (int i = 0; i < vec_len(g->inputs); i++)
		r.mem[g->inputs[i]->id] = in[i]->data;
	for (int i = 0; i < vec_len(s->all); i++) {
		const struct step *st = s->all[i];
		for (int k = 0; k < vec_len(st->in); k++)
			if (st->in[k])
				r.left[st->in[k]->id]++;
	}
	for (int i = 0; i < vec_len(g->outputs); i++)
		r.left[g->outputs[i]->id]++;

	enum result result = R_SUCCESS;
	for (int i = 0; i < vec_len(s->all) && result == R_SUCCESS; i++) {
		const struct step *st = s->all[i];
		const int n_in = vec_len(st->in), n_out = vec_len(st->out);
		const void **pi = calloc((size_t)n_in + 1, sizeof *pi);
		void **po = calloc((size_t)n_out + 1, sizeof *po);
		if (!pi || !po)
			fatal(c, R_INPUT, "out of memory");
		for (int k = 0; k < n_in; k++)
			pi[k] = st->in[k] ? r.mem[st->in[k]->id] : NULL;
		for (int k = 0; k < n_out; k++)
			if (st->out[k]) {
				po[k] = r.mem[st->out[k]->id] = buffer(&r, st->out[k]);
				r.ours[st->out[k]->id] = true;
			}
		if (exec_step(st, pi, po) != AMP_OK) {
			node_error(st->node, "run", "an index in the data is outside its axis");
			result = R_INPUT;
		}
		if (watch && result == R_SUCCESS)
			watch(arg, st, po);
		for (int k = 0; k < n_in; k++)
			if (st->in[k])
				done_with(&r, st->in[k]);
		for (int k = 0; k < n_out; k++)
			if (st->out[k] && r.left[st->out[k]->id] == 0) {
				r.left[st->out[k]->id] = 1;
				done_with(&r, st->out[k]);
			}
		free(pi);
		free(po);
	}
	for (int i = 0; i < vec_len(g->outputs) && result == R_SUCCESS; i++) {
		const struct value *v = g->outputs[i];
		if (v->layout == LAYOUT_C16) {
			out[i] = value_to_plain(c, v, r.mem[v->id]);
		} else {
			int64_t dims[IR_MAX_RANK];
			const int rank = type_dims(&v->type, dims);
			out[i] = tensor_new(c, v->type.dtype, rank, dims);
			if (out[i]->n)
				memcpy(out[i]->data, r.mem[v->id], (size_t)tensor_bytes(out[i]));
		}
		canonical_nan(out[i]->dtype, out[i]->data, out[i]->n);
	}
	for (int i = 0; i < n_values; i++)
		if (r.ours[i])
			free(r.mem[i]);
	return result;
}

struct tensor *value_to_plain(struct ctx *c, const struct value *v, const void *data)
{
	int64_t d[IR_MAX_RANK], space = 1;
	const int rank = type_dims(&v->type, d);
	struct tensor *t = tensor_new(c, v->type.dtype, rank, d);
	const size_t size = (size_t)dtype_size(t->dtype);
	if (v->layout == LAYOUT_PLAIN) {
		if (t->n)
			memcpy(t->data, data, (size_t)t->n * size);
		return t;
	}
	/* [N, C/16, S, 16] -> [N, C, S] */
	const int64_t blocks = (d[1] + 15) / 16;
	for (int i = 2; i < rank; i++)
		space *= d[i];
	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t ch = 0; ch < d[1]; ch++)
			for (int64_t s = 0; s < space; s++)
				memcpy((char *)t->data + ((n * d[1] + ch) * space + s) * (int64_t)size,
				       (const char *)data +
				       (((n * blocks + ch / 16) * space + s) * 16 + ch % 16) * (int64_t)size,
				       size);
	return t;
}
