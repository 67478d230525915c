/* op.c - what operator files share: looking rows up, reading inputs, setting types, filling steps. */
#include "ops/op.h"

#include <string.h>

const struct op *op_find(const char *domain, const char *name)
{
	for (const struct op *const *o = op_table; *o; o++)
		if (strcmp((*o)->name, name) == 0 && strcmp((*o)->domain, domain) == 0)
			return *o;
	return NULL;
}

void op_error(const struct node *n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(n->graph->c, SEV_ERROR, "infer", node_where(n), fmt, ap);
	va_end(ap);
}

const struct tensor *op_const(const struct node *n, int i)
{
	const struct value *v = node_in(n, i);
	return v ? v->data : NULL;
}

bool op_const_ints(const struct node *n, int i, bool required, const int64_t **v, int *count)
{
	const struct value *x = node_in(n, i);
	const struct tensor *t = x ? x->data : NULL;
	*v = NULL;
	*count = 0;
	if (!t) {
		if (required && x)
			op_error(n, "input %d (\"%s\") must be known at compile time; it is computed from "
				    "the model's inputs", i, x->name);
		else if (required)
			op_error(n, "input %d is required", i);
		return false;
	}
	if (!dtype_is_int(t->dtype) || t->rank > 1 || t->n > INT32_MAX) {
		op_error(n, "input %d must be a list of integers, not %s", i,
			 type_text(n->graph->c, &x->type));
		return false;
	}
	int64_t *w = NEW_ARRAY(n->graph->c, t->n, int64_t);
	for (int64_t k = 0; k < t->n; k++)
		w[k] = tensor_get_i(t, k);
	*v = w;
	*count = (int)t->n;
	return true;
}

bool op_in_type(const struct node *n, int i, const struct type **t)
{
	const struct value *v = node_in(n, i);
	if (!v) {
		op_error(n, "input %d is required", i);
		return false;
	}
	*t = &v->type;
	if (v->type.kind != KIND_TENSOR) {
		op_error(n, "input %d (\"%s\") must be a tensor, not %s", i, v->name,
			 type_text(n->graph->c, &v->type));
		return false;
	}
	if (!type_known(&v->type)) {
		op_error(n, "the shape of input %d (\"%s\") is not known: %s", i, v->name,
			 type_text(n->graph->c, &v->type));
		return false;
	}
	return true;
}

void op_out_type(struct node *n, int i, enum dtype t, int rank, const int64_t *dims)
{
	struct value *v = node_out(n, i);
	if (v)
		v->type = type_tensor(t, rank, dims);
}

bool op_broadcast(const struct node *n, int rank_a, const int64_t *a, int rank_b, const int64_t *b,
		  int *rank, int64_t *dims)
{
	int64_t r[IR_MAX_RANK];
	const int m = rank_a > rank_b ? rank_a : rank_b;
	for (int i = 0; i < m; i++) {
		const int64_t x = i < m - rank_a ? 1 : a[i - (m - rank_a)];
		const int64_t y = i < m - rank_b ? 1 : b[i - (m - rank_b)];
		if (x != y && x != 1 && y != 1) {
			op_error(n, "axis %d: sizes %lld and %lld do not broadcast", i, (long long)x,
				 (long long)y);
			return false;
		}
		r[i] = x == 1 ? y : x;
	}
	memcpy(dims, r, (size_t)m * sizeof r[0]);
	*rank = m;
	return true;
}

int type_dims(const struct type *t, int64_t *v)
{
	for (int i = 0; i < t->rank; i++)
		v[i] = t->dim[i].value;
	return t->rank;
}

bool op_axis(const struct node *n, int64_t axis, int rank, int *out)
{
	if (axis < -rank || axis >= rank) {
		op_error(n, "axis %lld is outside a tensor of rank %d", (long long)axis, rank);
		return false;
	}
	*out = (int)(axis < 0 ? axis + rank : axis);
	return true;
}

static void to_input(struct node *n, int index, const struct tensor *t)
{
	while (vec_len(n->in) <= index)
		node_add_in(n, NULL);
	node_set_in(n, index, value_const(n->graph, "", t));
}

void op_attr_ints_to_input(struct node *n, const char *name, int index)
{
	int count;
	const int64_t *v = attr_ints(n, name, &count);
	if (!attr_find(n, name))
		return;
	to_input(n, index, tensor_ints(n->graph->c, v, count));
	attr_remove(n, name);
}

void op_attr_float_to_input(struct node *n, const char *name, int index)
{
	const struct attr *a = attr_find(n, name);
	if (!a)
		return;
	/* the scalar takes input 0's type; before types are known float is the only one there was */
	const struct value *x = node_in(n, 0);
	const enum dtype t = x && dtype_is_float(x->type.dtype) ? x->type.dtype : DT_FLOAT;
	struct tensor *f = tensor_new(n->graph->c, DT_DOUBLE, 0, NULL);
	*(double *)f->data = a->f;
	to_input(n, index, tensor_convert(n->graph->c, f, t));
	attr_remove(n, name);
}

/* ---- steps ------------------------------------------------------------------------------------- */

void *step_kernel(struct step *s, const char *base, enum dtype t)
{
	struct ctx *c = s->node->graph->c;
	const char *suffix = dtype_suffix(t);
	s->kernel = suffix ? kernel_find(base, suffix) : NULL;
	if (!s->kernel)
		fatal(c, R_INPUT, "%s: there is no kernel %s for %s", node_where(s->node), base,
		      dtype_name(t));
	s->params = mem_alloc(c, s->kernel->size);
	return s->params;
}

enum dtype dtype_bits(enum dtype t)
{
	switch (dtype_size(t)) {
	case 1: return DT_UINT8;
	case 2: return DT_UINT16;
	case 4: return DT_UINT32;
	case 8: return DT_UINT64;
	default: return DT_NONE;
	}
}

void step_in(struct step *s, struct value *v)
{
	vec_add(s->node->graph->c, s->in, v);
}

void step_out(struct step *s, struct value *v)
{
	vec_add(s->node->graph->c, s->out, v);
}

void step_inplace(struct step *s, int out, int in)
{
	struct inplace *p = vec_push(s->node->graph->c, s->inplace);
	p->out = out;
	p->in = in;
}

void step_view_of_in(struct step *s, int64_t offset)
{
	s->view = VIEW_OF_IN;
	vec_add(s->node->graph->c, s->view_offset, offset);
}

void step_view_of_out(struct step *s, int64_t offset)
{
	s->view = VIEW_OF_OUT;
	vec_add(s->node->graph->c, s->view_offset, offset);
}

struct value *step_const(const struct node *n, const char *name, const struct tensor *t)
{
	struct graph *g = n->graph;
	for (int i = vec_len(g->values) - 1; i >= 0; i--) {
		struct value *v = g->values[i];
		if (v && v->data && !v->def && tensor_equal(v->data, t))
			return v;
	}
	return value_const(g, name, t);
}

int32_t op_i32(const struct node *n, int64_t v)
{
	if (v < INT32_MIN || v > INT32_MAX)
		fatal(n->graph->c, R_INPUT, "%s: %lld does not fit a kernel's 32-bit parameter",
		      node_where(n), (long long)v);
	return (int32_t)v;
}

int64_t op_macs(const struct node *n)
{
	return n->op && n->op->macs ? n->op->macs(n) : 0;
}
