/*
 * elementwise.c - the index space of an elementwise program, and what a node of the graph makes of one.
 *
 * In:  a node whose types and layouts are known.  Out: dimensions and each operand's strides.
 * Plain: numpy broadcasting, shapes aligned at the right.  c16 ([N, C/16, space.., 16], the outputs are
 * c16): the space is N, block, space.., lane; a c16 operand has its own strides there, a plain operand
 * (per-channel constants, scalars, one-channel maps) strides 16*s, s for block and lane, s being its
 * stride over C.  Then axes of size 1 go and neighbours that every operand walks through evenly
 * become one.  Where C is no multiple of 16 the lanes beyond C must stay +0: the axes of block and lane are
 * kept for the test, unless the program gives +0 for +0 and reads nothing but c16.
 */
#include "ir/ew.h"
#include "ops/op.h"

#include <string.h>

typedef int64_t strides[IR_MAX_RANK + 2];

struct axes {
	int rank;
	int64_t dim[IR_MAX_RANK + 2];
	strides *stride;			/* by operand: inputs, then outputs */
	int block, lane;			/* axes to keep, or -1 */
};

/* Strides of a plain operand over the last `rank` axes of ONNX's index space; 0 where it has size 1. */
static void plain_strides(const struct type *t, int rank, int64_t *s)
{
	int64_t step = 1;
	memset(s, 0, (size_t)rank * sizeof *s);
	for (int d = t->rank - 1; d >= 0; d--) {
		const int64_t n = t->dim[d].value;
		s[rank - t->rank + d] = n == 1 ? 0 : step;
		step *= n;
	}
}

/* Strides over N, block, space.., lane. */
static void c16_strides(const struct value *v, int rank, int64_t *s)
{
	int64_t p[IR_MAX_RANK], step = 16;
	if (v->layout == LAYOUT_PLAIN) {
		plain_strides(&v->type, rank, p);
		s[0] = p[0];
		s[1] = 16 * p[1];
		memcpy(s + 2, p + 2, (size_t)(rank - 2) * sizeof *s);
		s[rank] = p[1];
		return;
	}
	s[rank] = v->type.dim[1].value == 1 ? 0 : 1;
	for (int d = rank - 1; d >= 0; d--) {
		const int64_t n = d == 1 ? (v->type.dim[1].value + 15) / 16 : v->type.dim[d].value;
		s[d] = n == 1 ? 0 : step;
		step *= n;
	}
}

static void push_strides(struct ctx *c, int64_t (**v)[AMP_MAX_RANK], const int64_t *s)
{
	int64_t (*slot)[AMP_MAX_RANK] = vec_push(c, *v);
	memcpy(*slot, s, sizeof *slot);
}

/* Does the program give +0 when every input is +0? */
static bool zero_to_zero(const struct ew *e)
{
	static const char zero[8];
	static const int64_t none[AMP_MAX_RANK];
	struct ew one = *e;
	struct ctx *c = ctx_new();
	bool yes = true;
	if (!c)
		return false;
	one.rank = 0;
	one.channels = 0;
	one.in_stride = NULL;
	one.out_stride = NULL;
	for (int k = 0; k < e->n_in; k++)
		push_strides(c, &one.in_stride, none);
	for (int k = 0; k < e->n_out; k++)
		push_strides(c, &one.out_stride, none);
	const void **in = NEW_ARRAY(c, e->n_in + 1, const void *);
	void **out = NEW_ARRAY(c, e->n_out + 1, void *);
	for (int k = 0; k < e->n_in; k++)
		in[k] = zero;
	for (int k = 0; k < e->n_out; k++)
		out[k] = mem_alloc(c, 8);
	ew_run(&one, in, out);
	for (int k = 0; k < e->n_out; k++)
		yes = yes && memcmp(out[k], zero, 8) == 0;
	ctx_free(c);
	return yes;
}

/* Removes axes of size 1 and joins neighbours d, d+1 where every stride[d] is stride[d+1] * dim[d+1]. */
static void coalesce(struct axes *a, int n_operands)
{
	int r = 0, block = -1;
	for (int d = 0; d < a->rank; d++) {
		const bool kept = d == a->block || d == a->lane;
		if (a->dim[d] == 1 && !kept)
			continue;
		bool join = r > 0 && !kept && r - 1 != block;
		for (int k = 0; k < n_operands && join; k++)
			join = a->stride[k][r - 1] == a->stride[k][d] * a->dim[d];
		if (join) {
			a->dim[r - 1] *= a->dim[d];
			for (int k = 0; k < n_operands; k++)
				a->stride[k][r - 1] = a->stride[k][d];
			continue;
		}
		a->dim[r] = a->dim[d];
		for (int k = 0; k < n_operands; k++)
			a->stride[k][r] = a->stride[k][d];
		if (d == a->block)
			block = r;
		r++;
	}
	a->rank = r;
	a->block = block;
}

bool ew_space(const struct node *n, struct ew *e)
{
	struct ctx *c = n->graph->c;
	const struct value *out = NULL;
	struct axes a = { .block = -1, .lane = -1 };
	const int n_operands = e->n_in + e->n_out;
	for (int k = 0; k < e->n_out && !out; k++)
		out = node_out(n, k);
	if (!out)
		return false;
	const int rank = out->type.rank;
	const bool c16 = out->layout == LAYOUT_C16;
	a.stride = NEW_ARRAY(c, n_operands + 1, strides);
	a.rank = c16 ? rank + 1 : rank;
	for (int d = 0; d < rank; d++)
		a.dim[d] = out->type.dim[d].value;
	bool only_c16 = true;
	for (int k = 0; k < n_operands; k++) {
		const struct value *v = k < e->n_in ? node_in(n, k) : node_out(n, k - e->n_in);
		if (k >= e->n_in && !v)
			v = out;
		if (!v)
			continue;
		if (v->layout == LAYOUT_C16 && !c16) {
			node_error(n, "schedule", "an operand is in blocks of channels, the result is not");
			return false;
		}
		if (c16)
			c16_strides(v, rank, a.stride[k]);
		else
			plain_strides(&v->type, rank, a.stride[k]);
		only_c16 = only_c16 && v->layout == LAYOUT_C16 &&
			   v->type.dim[1].value == out->type.dim[1].value;
	}
	e->channels = 0;
	if (c16) {
		const int64_t channels = a.dim[1];
		a.dim[1] = (channels + 15) / 16;
		a.dim[rank] = 16;
		if (channels % 16 && !(only_c16 && zero_to_zero(e))) {
			e->channels = channels;
			a.block = 1;
			a.lane = rank;
		}
	}
	coalesce(&a, n_operands);
	if (a.rank > AMP_MAX_RANK) {
		node_error(n, "schedule", "the broadcast needs %d axes; %d is the most", a.rank,
			   AMP_MAX_RANK);
		return false;
	}
	e->rank = a.rank;
	e->block_dim = a.block;
	e->in_stride = NULL;
	e->out_stride = NULL;
	memcpy(e->dim, a.dim, (size_t)a.rank * sizeof e->dim[0]);
	for (int k = 0; k < n_operands; k++)
		push_strides(c, k < e->n_in ? &e->in_stride : &e->out_stride, a.stride[k]);
	return true;
}

/* ---- nodes --------------------------------------------------------------------------------------- */

const char *ew_node_expr(const struct node *n)
{
	if (n->op && n->op->expr_of)
		return n->op->expr_of(n);
	if (n->op && n->op->expr)
		return str_eq(n->op->expr, "$expr") ? attr_str(n, "expr", "") : n->op->expr;
	return NULL;
}

static struct ew *parse_node(const struct node *n)
{
	const int n_in = vec_len(n->in);
	enum dtype *t = NEW_ARRAY(n->graph->c, n_in + 1, enum dtype);
	const char *text = ew_node_expr(n);
	for (int k = 0; k < n_in; k++)
		t[k] = n->in[k] ? n->in[k]->type.dtype : DT_NONE;
	return text ? ew_parse(n, text, n_in, t) : NULL;
}

struct ew *ew_of_node(const struct node *n)
{
	struct ew *e = parse_node(n);
	if (!e)
		return NULL;
	for (int k = 0; k < e->n_out; k++) {
		const struct value *v = node_out(n, k);
		if (!v)
			continue;
		if (ew_register(v->type.dtype) != ew_register(e->out_type[k]))
			fatal(n->graph->c, R_INTERNAL, "%s: the expression gives %s, the output is %s",
			      node_where(n), dtype_name(e->out_type[k]), dtype_name(v->type.dtype));
		e->out_type[k] = v->type.dtype;
	}
	return ew_space(n, e) ? e : NULL;
}

bool ew_infer(struct node *n)
{
	int64_t dims[IR_MAX_RANK], d[IR_MAX_RANK];
	int rank = 0;
	bool ok = true, some = false;
	for (int k = 0; k < vec_len(n->in); k++) {
		const struct type *t;
		if (!n->in[k] && k >= (n->op ? n->op->min_in : 0))
			continue;
		if (!op_in_type(n, k, &t) ||
		    !op_broadcast(n, rank, dims, t->rank, (type_dims(t, d), d), &rank, dims))
			ok = false;
		some = true;
	}
	if (ok && !some) {
		op_error(n, "it has no inputs");
		return false;
	}
	const struct ew *e = ok ? parse_node(n) : NULL;
	if (!e)
		return false;
	for (int k = 0; k < e->n_out; k++)
		op_out_type(n, k, e->out_type[k], rank, dims);
	return true;
}

/* May output o lie on input i?  Only if each element is read before its place is written. */
static bool may_share(const struct ew *e, const struct value *in, int i, int o)
{
	return !in->data && dtype_size(e->in_type[i]) == dtype_size(e->out_type[o]) &&
	       memcmp(e->in_stride[i], e->out_stride[o], (size_t)e->rank * sizeof(int64_t)) == 0;
}

bool ew_lower(struct node *n, struct step *s)
{
	s->ew = ew_of_node(n);
	if (!s->ew)
		return false;
	for (int k = 0; k < s->ew->n_in; k++)
		step_in(s, n->in[k]);
	for (int k = 0; k < s->ew->n_out; k++)
		step_out(s, node_out(n, k));
	for (int o = 0; o < s->ew->n_out; o++)
		for (int i = 0; i < s->ew->n_in; i++)
			if (s->in[i] && s->out[o] && may_share(s->ew, s->in[i], i, o))
				step_inplace(s, o, i);
	return true;
}

bool ew_c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct value *out = node_out(n, 0);
	bool any = false;
	if (!out || !ew_node_expr(n) || out->type.rank < 3 || !type_known(&out->type))
		return false;
	for (int k = 0; k < vec_len(n->out); k++) {
		if (n->out[k] && n->out[k]->type.dtype != DT_FLOAT)
			return false;
		want_out[k] = LAYOUT_C16;
	}
	for (int k = 0; k < vec_len(n->in); k++) {
		const struct value *v = n->in[k];
		want_in[k] = LAYOUT_PLAIN;
		if (!v || v->type.rank < out->type.rank || v->type.dim[1].value == 1 ||
		    v->type.dtype != DT_FLOAT)
			continue;
		/* per-channel constants are read as they are: [1, C, 1, 1] lies as [C/16, 16] */
		if (v->data && type_elements(&v->type) == v->type.dim[1].value)
			continue;
		want_in[k] = LAYOUT_C16;
		any = true;
	}
	return any;
}
