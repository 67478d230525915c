/*
 * shape.c - Shape, Size, Constant, Range, EyeLike: results that follow from types, attributes or constants alone.
 */
#include "ops/move.h"

#include <math.h>
#include <string.h>

#define AMP_T 1
#include "kernels/range.inc"

/* The step that copies a tensor made here. */
static bool copy_of(struct node *n, struct step *s, const struct tensor *t)
{
	struct node like = *n;
	struct move m = { .rank = 1, .dim = { t->n }, .in_stride = { 1 } };
	like.in = NULL;
	vec_add(n->graph->c, like.in, step_const(n, "shape", t));
	return move_lower(&like, s, &m);
}

/* ---- Shape, Size ------------------------------------------------------------------------------------ */

/* Attributes start and end, as Python's slices. */
static int shape_slice(const struct node *n, int rank, int64_t *from)
{
	int64_t start = attr_int(n, "start", 0), end = attr_int(n, "end", rank);
	start = start < 0 ? start + rank : start;
	end = end < 0 ? end + rank : end;
	start = start < 0 ? 0 : start > rank ? rank : start;
	end = end < start ? start : end > rank ? rank : end;
	*from = start;
	return (int)(end - start);
}

static bool shape_infer(struct node *n)
{
	const struct type *x;
	int64_t from;
	if (!op_in_type(n, 0, &x))
		return false;
	op_out_type(n, 0, DT_INT64, 1, &(int64_t){ shape_slice(n, x->rank, &from) });
	return true;
}

static bool shape_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t from, d[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	const int count = shape_slice(n, x->rank, &from);
	type_dims(x, d);
	return copy_of(n, s, tensor_ints(n->graph->c, d + from, count));
}

const struct op op_shape = { .domain = "", .name = "Shape", .since = 25, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = shape_infer, .lower = shape_lower };

static bool size_infer(struct node *n)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	op_out_type(n, 0, DT_INT64, 0, NULL);
	return true;
}

static bool size_lower(struct node *n, struct step *s)
{
	return copy_of(n, s, tensor_scalar_i64(n->graph->c, type_elements(&n->in[0]->type)));
}

const struct op op_size = { .domain = "", .name = "Size", .since = 25, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 1, .infer = size_infer, .lower = size_lower };

/* ---- Constant: import turns it into data; this row serves graphs that are built or parsed ------------ */

static bool constant_infer(struct node *n)
{
	const struct tensor *t = attr_tensor(n, "value");
	if (!t) {
		op_error(n, "attribute value is required");
		return false;
	}
	op_out_type(n, 0, t->dtype, t->rank, t->dim);
	return true;
}

static bool constant_lower(struct node *n, struct step *s)
{
	return copy_of(n, s, attr_tensor(n, "value"));
}

const struct op op_constant = { .domain = "", .name = "Constant", .since = 25, .min_in = 0, .max_in = 0,
	.min_out = 1, .max_out = 1, .infer = constant_infer, .lower = constant_lower };

/* ---- Range: start + i * delta, one rounding ------------------------------------------------------------- */

static bool range_infer(struct node *n)
{
	const struct tensor *v[3];
	for (int k = 0; k < 3; k++) {
		v[k] = op_const(n, k);
		if (!v[k] || v[k]->n != 1) {
			op_error(n, "start, limit and delta must be known at compile time: they decide how "
				    "many elements there are");
			return false;
		}
	}
	const enum dtype t = v[0]->dtype;
	int64_t count = 0;
	if (v[1]->dtype != t || v[2]->dtype != t) {
		op_error(n, "start, limit and delta have different types");
		return false;
	}
	if (dtype_is_int(t)) {
		const int64_t a = tensor_get_i(v[0], 0), b = tensor_get_i(v[1], 0), by = tensor_get_i(v[2], 0);
		if (by == 0) {
			op_error(n, "delta is 0");
			return false;
		}
		/* differences in uint64_t: they may not fit int64_t */
		if (by > 0 ? a < b : a > b) {
			const uint64_t way = by > 0 ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
			const uint64_t step = by > 0 ? (uint64_t)by : 0 - (uint64_t)by;
			const uint64_t k = (way - 1) / step + 1;
			count = k > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)k;
		}
	} else {
		const double k = ceil((tensor_get_f(v[1], 0) - tensor_get_f(v[0], 0)) / tensor_get_f(v[2], 0));
		if (!(k < 9e18)) {
			op_error(n, "the range has no end");
			return false;
		}
		count = k > 0 ? (int64_t)k : 0;
	}
	if (count > IR_MAX_BYTES / 8) {
		op_error(n, "%lld elements are too many", (long long)count);
		return false;
	}
	op_out_type(n, 0, t, 1, &count);
	return true;
}

static bool range_lower(struct node *n, struct step *s)
{
	struct amp_range *p = step_kernel(s, "range", n->out[0]->type.dtype);
	p->n = type_elements(&n->out[0]->type);
	step_in(s, n->in[0]);
	step_in(s, n->in[2]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_range = { .domain = "", .name = "Range", .since = 27, .min_in = 3, .max_in = 3, .min_out = 1,
	.max_out = 1, .infer = range_infer, .lower = range_lower };

/* ---- EyeLike: ones on a diagonal ---------------------------------------------------------------------------- */

static bool eye_infer(struct node *n)
{
	const struct type *x;
	int64_t d[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (x->rank != 2) {
		op_error(n, "X must have 2 axes, not %d", x->rank);
		return false;
	}
	const enum dtype t = (enum dtype)attr_int(n, "dtype", x->dtype);
	if (!dtype_suffix(t)) {
		op_error(n, "%s is not supported", dtype_name(t));
		return false;
	}
	op_out_type(n, 0, t, type_dims(x, d), d);
	return true;
}

static bool eye_lower(struct node *n, struct step *s)
{
	struct ctx *c = n->graph->c;
	const struct type *y = &n->out[0]->type;
	int64_t d[IR_MAX_RANK];
	const int rank = type_dims(y, d);
	struct tensor *t = tensor_new(c, DT_INT8, rank, d);
	const int64_t k = attr_int(n, "k", 0);
	for (int64_t i = 0; i < d[0]; i++)
		if (k > -d[0] - 1 && k < d[1] && i + k >= 0 && i + k < d[1])
			((int8_t *)t->data)[i * d[1] + i + k] = 1;
	return copy_of(n, s, tensor_convert(c, t, y->dtype));
}

const struct op op_eye_like = { .domain = "", .name = "EyeLike", .since = 22, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .infer = eye_infer, .lower = eye_lower };
