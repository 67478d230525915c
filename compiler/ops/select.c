/*
 * select.c - operators whose result's size depends on data: NonZero, Unique, Compress.  Where that data is constant
 * they become constants (Compress: a Gather of constant indices); otherwise a compiled model, whose shapes are
 * fixed, cannot have them, and the error says so.
 */
#include "ops/expand.h"
#include "ops/move.h"

#include <stdlib.h>
#include <string.h>

static const struct tensor *constant(const struct node *n, int i, const char *what)
{
	const struct type *t;
	const struct tensor *c = op_const(n, i);
	if (!move_in(n, i, &t))
		return NULL;
	if (!c)
		op_error(n, "the size of the result depends on the data of %s, which must be known at compile "
			    "time: a compiled model has fixed shapes", what);
	return c;
}

/* ---- NonZero: the coordinates of elements that are not 0 --------------------------------------------- */

static bool not_zero(const struct tensor *t, int64_t i)
{
	return dtype_is_float(t->dtype) ? tensor_get_f(t, i) != 0 : tensor_get_i(t, i) != 0;
}

static struct tensor *coordinates(const struct node *n, const struct tensor *x)
{
	int64_t count = 0, stride[IR_MAX_RANK];
	for (int64_t i = 0; i < x->n; i++)
		count += not_zero(x, i);
	/* a scalar counts as a list of one */
	const int rank = x->rank ? x->rank : 1;
	const int64_t dims[] = { rank, count };
	struct tensor *y = tensor_new(n->graph->c, DT_INT64, 2, dims);
	move_strides(x->rank, x->dim, stride);
	for (int64_t i = 0, k = 0; i < x->n; i++) {
		if (!not_zero(x, i))
			continue;
		for (int d = 0; d < x->rank; d++)
			((int64_t *)y->data)[d * count + k] = i / stride[d] % x->dim[d];
		k++;
	}
	return y;
}

static bool non_zero_infer(struct node *n)
{
	const struct tensor *x = constant(n, 0, "X");
	if (!x)
		return false;
	const struct tensor *y = coordinates(n, x);
	op_out_type(n, 0, DT_INT64, 2, y->dim);
	return true;
}

static bool non_zero_expand(struct node *n)
{
	expand_result(n, 0, value_const(n->graph, "", coordinates(n, op_const(n, 0))));
	node_remove(n);
	return true;
}

const struct op op_non_zero = { .domain = "", .name = "NonZero", .since = 13, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .flags = OP_EXPAND, .infer = non_zero_infer, .expand = non_zero_expand };

/* ---- Compress: the slices that a condition marks ------------------------------------------------------- */

/* The slices' positions; the axis, or -1 for the flattened X. */
static bool marked(const struct node *n, int *axis, struct tensor **index)
{
	const struct type *x;
	const struct tensor *c = constant(n, 1, "condition");
	if (!c || !move_in(n, 0, &x))
		return false;
	*axis = -1;
	if (attr_find(n, "axis") && !op_axis(n, attr_int(n, "axis", 0), x->rank, axis))
		return false;
	const int64_t size = *axis < 0 ? type_elements(x) : x->dim[*axis].value;
	int64_t *at = NEW_ARRAY(n->graph->c, c->n + 1, int64_t);
	int count = 0;
	for (int64_t i = 0; i < c->n; i++)
		if (not_zero(c, i))
			at[count++] = i;
	if (c->rank != 1 || (count && at[count - 1] >= size)) {
		op_error(n, "condition has %lld elements, there are %lld slices", (long long)c->n,
			 (long long)size);
		return false;
	}
	*index = tensor_ints(n->graph->c, at, count);
	return true;
}

static bool compress_infer(struct node *n)
{
	struct tensor *index;
	int64_t d[IR_MAX_RANK];
	int axis;
	if (!marked(n, &axis, &index))
		return false;
	const struct type *x = &n->in[0]->type;
	int rank = type_dims(x, d);
	if (axis < 0)
		rank = 1;
	d[axis < 0 ? 0 : axis] = index->n;
	op_out_type(n, 0, x->dtype, rank, d);
	return true;
}

static bool compress_expand(struct node *n)
{
	struct tensor *index;
	int axis;
	if (!marked(n, &axis, &index))
		return false;
	struct value *x = n->in[0];
	if (axis < 0)
		x = expand_reshape(n, x, 1, &(int64_t){ type_elements(&x->type) });
	struct value *y = expand_node(n, "Gather", x, value_const(n->graph, "", index));
	attr_set_int(y->def, "axis", axis < 0 ? 0 : axis);
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_compress = { .domain = "", .name = "Compress", .since = 28, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .flags = OP_EXPAND, .infer = compress_infer, .expand = compress_expand };

/* ---- Unique: the different slices along an axis (or elements), where they stand, how many -------------- */

struct slices {
	const struct tensor *x;
	int64_t outer, count, inner;	/* x as [outer, count, inner] */
	int64_t *order, *first, *inverse, *copies;
	int64_t n;			/* different ones */
};

static int compare_elements(const struct tensor *x, int64_t i, int64_t j)
{
	if (dtype_is_float(x->dtype)) {
		const double a = tensor_get_f(x, i), b = tensor_get_f(x, j);
		return a < b ? -1 : a > b ? 1 : 0;
	}
	const int64_t a = tensor_get_i(x, i), b = tensor_get_i(x, j);
	if (x->dtype == DT_UINT64)
		return (uint64_t)a < (uint64_t)b ? -1 : (uint64_t)a > (uint64_t)b;
	return a < b ? -1 : a > b;
}

/* Slices in lexicographic order of their elements. */
static int compare_slices(const struct slices *s, int64_t i, int64_t j)
{
	for (int64_t o = 0; o < s->outer; o++)
		for (int64_t k = 0; k < s->inner; k++) {
			const int r = compare_elements(s->x, (o * s->count + i) * s->inner + k,
						       (o * s->count + j) * s->inner + k);
			if (r)
				return r;
		}
	return 0;
}

/* Merge sort of positions: stable, and no state outside. */
static void sort(const struct slices *s, int64_t *v, int64_t *room, int64_t n)
{
	if (n < 2)
		return;
	const int64_t half = n / 2;
	sort(s, v, room, half);
	sort(s, v + half, room, n - half);
	int64_t i = 0, j = half, k = 0;
	while (i < half || j < n)
		room[k++] = j == n || (i < half && compare_slices(s, v[i], v[j]) <= 0) ? v[i++] : v[j++];
	memcpy(v, room, (size_t)n * sizeof *v);
}

static bool find_unique(const struct node *n, struct slices *s, int *axis)
{
	struct ctx *c = n->graph->c;
	s->x = constant(n, 0, "X");
	*axis = -1;
	if (!s->x || (attr_find(n, "axis") && !op_axis(n, attr_int(n, "axis", 0), s->x->rank, axis)))
		return false;
	s->outer = *axis < 0 ? 1 : move_product(s->x->dim, 0, *axis);
	s->count = *axis < 0 ? s->x->n : s->x->dim[*axis];
	s->inner = *axis < 0 ? 1 : move_product(s->x->dim, *axis + 1, s->x->rank);
	const int64_t count = s->count;
	int64_t *sorted = NEW_ARRAY(c, count + 1, int64_t), *room = NEW_ARRAY(c, count + 1, int64_t);
	int64_t *group = NEW_ARRAY(c, count + 1, int64_t);
	s->first = NEW_ARRAY(c, count + 1, int64_t);
	s->inverse = NEW_ARRAY(c, count + 1, int64_t);
	s->copies = NEW_ARRAY(c, count + 1, int64_t);
	for (int64_t i = 0; i < count; i++)
		sorted[i] = i;
	sort(s, sorted, room, count);
	for (int64_t i = 0; i < count; i++) {
		if (i == 0 || compare_slices(s, sorted[i - 1], sorted[i]) != 0)
			s->first[s->n++] = sorted[i];
		s->inverse[sorted[i]] = s->n - 1;
		s->copies[s->n - 1]++;
	}
	if (attr_int(n, "sorted", 1))
		return true;
	/* in the order of first appearance */
	int64_t k = 0;
	int64_t *to = room, *first = NEW_ARRAY(c, count + 1, int64_t);
	for (int64_t i = 0; i < count; i++)
		if (s->first[s->inverse[i]] == i) {
			to[s->inverse[i]] = k;
			group[k] = s->copies[s->inverse[i]];
			first[k++] = i;
		}
	for (int64_t i = 0; i < count; i++)
		s->inverse[i] = to[s->inverse[i]];
	s->first = first;
	s->copies = group;
	return true;
}

static bool unique_infer(struct node *n)
{
	struct slices s = { 0 };
	int64_t d[IR_MAX_RANK];
	int axis;
	if (!find_unique(n, &s, &axis))
		return false;
	memcpy(d, s.x->dim, sizeof d);
	d[axis < 0 ? 0 : axis] = s.n;
	op_out_type(n, 0, s.x->dtype, axis < 0 ? 1 : s.x->rank, d);
	op_out_type(n, 1, DT_INT64, 1, &s.n);
	op_out_type(n, 2, DT_INT64, 1, &s.count);
	op_out_type(n, 3, DT_INT64, 1, &s.n);
	return true;
}

static bool unique_expand(struct node *n)
{
	struct slices s = { 0 };
	struct ctx *c = n->graph->c;
	int64_t d[IR_MAX_RANK];
	int axis;
	if (!find_unique(n, &s, &axis))
		return false;
	memcpy(d, s.x->dim, sizeof d);
	d[axis < 0 ? 0 : axis] = s.n;
	struct tensor *y = tensor_new(c, s.x->dtype, axis < 0 ? 1 : s.x->rank, d);
	const size_t bytes = (size_t)(s.inner * dtype_size(y->dtype));
	for (int64_t o = 0; o < s.outer; o++)
		for (int64_t k = 0; k < s.n && bytes; k++)
			memcpy((char *)y->data + (size_t)(o * s.n + k) * bytes,
			       (const char *)s.x->data + (size_t)(o * s.count + s.first[k]) * bytes, bytes);
	expand_result(n, 0, value_const(n->graph, "", y));
	expand_result(n, 1, value_const(n->graph, "", tensor_ints(c, s.first, (int)s.n)));
	expand_result(n, 2, value_const(n->graph, "", tensor_ints(c, s.inverse, (int)s.count)));
	expand_result(n, 3, value_const(n->graph, "", tensor_ints(c, s.copies, (int)s.n)));
	node_remove(n);
	return true;
}

const struct op op_unique = { .domain = "", .name = "Unique", .since = 28, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 4, .flags = OP_EXPAND, .infer = unique_infer, .expand = unique_expand };
