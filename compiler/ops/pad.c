/*
 * pad.c - Pad (constant, reflect, edge, wrap; negative counts crop) and CenterCropPad.
 */
#include "ops/move.h"

#include <string.h>

#define AMP_T 12
#include "kernels/pad.inc"

/* Before opset 11 pads and value were attributes. */
static void upgrade(struct node *n)
{
	if (n->version < 2 && attr_find(n, "paddings"))
		op_attr_ints_to_input(n, "paddings", 1);
	if (n->version < 11) {
		op_attr_ints_to_input(n, "pads", 1);
		op_attr_float_to_input(n, "value", 2);
	}
}

static bool mode_of(const struct node *n, int *mode)
{
	static const char *const names[] = { "constant", "reflect", "edge", "wrap" };
	const char *s = attr_str(n, "mode", "constant");
	for (int k = 0; k < 4; k++)
		if (str_eq(s, names[k])) {
			*mode = k;
			return true;
		}
	op_error(n, "mode must be constant, reflect, edge or wrap, not \"%s\"", s);
	return false;
}

/* What is put before each axis, and the result's size. */
static bool pad_amounts(const struct node *n, const struct type **x, int *mode, int64_t *before,
			int64_t *dim)
{
	const int64_t *pads, *axes = NULL;
	int count, n_axes;
	bool seen[IR_MAX_RANK] = { false };
	if (!move_in(n, 0, x) || !mode_of(n, mode) || !op_const_ints(n, 1, true, &pads, &count))
		return false;
	n_axes = (*x)->rank;
	if (node_in(n, 3) && !op_const_ints(n, 3, true, &axes, &n_axes))
		return false;
	if (count != 2 * n_axes) {
		op_error(n, "%d pads for %d axes", count, n_axes);
		return false;
	}
	for (int d = 0; d < (*x)->rank; d++) {
		before[d] = 0;
		dim[d] = (*x)->dim[d].value;
	}
	for (int k = 0; k < n_axes; k++) {
		int d;
		if (!op_axis(n, axes ? axes[k] : k, (*x)->rank, &d))
			return false;
		if (seen[d] || !add_i64(dim[d], pads[k], &dim[d]) ||
		    !add_i64(dim[d], pads[n_axes + k], &dim[d]) || dim[d] < 0) {
			op_error(n, "pads %lld and %lld do not fit axis %d of size %lld", (long long)pads[k],
				 (long long)pads[n_axes + k], d, (long long)(*x)->dim[d].value);
			return false;
		}
		seen[d] = true;
		before[d] = pads[k];
		if (*mode && (*x)->dim[d].value == 0 && dim[d] > 0) {
			op_error(n, "axis %d has no elements to repeat", d);
			return false;
		}
	}
	const struct value *v = node_in(n, 2);
	if (v && (v->type.dtype != (*x)->dtype || type_elements(&v->type) != 1)) {
		op_error(n, "constant_value must be one %s, not %s", dtype_name((*x)->dtype),
			 type_text(n->graph->c, &v->type));
		return false;
	}
	return true;
}

static bool pad_infer(struct node *n)
{
	const struct type *x;
	int64_t before[IR_MAX_RANK], dim[IR_MAX_RANK];
	int mode;
	if (!pad_amounts(n, &x, &mode, before, dim))
		return false;
	op_out_type(n, 0, x->dtype, x->rank, dim);
	return true;
}

/* Fills the kernel; axes that nothing happens to join their neighbour. */
static bool pad_step(struct node *n, struct step *s, const struct type *x, int mode, const int64_t *before,
		     const int64_t *dim, struct value *value)
{
	struct amp_pad *p = step_kernel(s, "pad", dtype_bits(x->dtype));
	bool plain_before = false;
	int r = 0;
	p->mode = mode;
	for (int d = 0; d < x->rank; d++) {
		const int64_t size = x->dim[d].value;
		const bool plain = before[d] == 0 && dim[d] == size;
		if (plain && plain_before) {
			p->dim[r - 1] *= size;
			p->size[r - 1] *= size;
			continue;
		}
		if (r == AMP_MAX_RANK) {
			node_error(n, "schedule", "more than %d axes", AMP_MAX_RANK);
			return false;
		}
		p->dim[r] = dim[d];
		p->size[r] = size;
		p->before[r++] = before[d];
		plain_before = plain;
	}
	if (r == 0) {
		p->dim[0] = p->size[0] = 1;
		r = 1;
	}
	p->rank = r;
	step_in(s, n->in[0]);
	step_in(s, value);
	step_out(s, n->out[0]);
	return true;
}

static bool pad_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t before[IR_MAX_RANK], dim[IR_MAX_RANK];
	int mode;
	return pad_amounts(n, &x, &mode, before, dim) &&
	       pad_step(n, s, x, mode, before, dim, node_in(n, 2));
}

const struct op op_pad = { .domain = "", .name = "Pad", .since = 25, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .upgrade = upgrade, .infer = pad_infer, .lower = pad_lower };

/* ---- CenterCropPad: each axis to a size, as evenly as it goes -------------------------------------------- */

static bool center_amounts(const struct node *n, const struct type **x, int64_t *before, int64_t *dim)
{
	const int64_t *shape;
	int count, n_axes;
	const int64_t *axes = attr_ints(n, "axes", &n_axes);
	if (!move_in(n, 0, x) || !op_const_ints(n, 1, true, &shape, &count))
		return false;
	if (count != (axes ? n_axes : (*x)->rank)) {
		op_error(n, "shape has %d elements", count);
		return false;
	}
	for (int d = 0; d < (*x)->rank; d++) {
		before[d] = 0;
		dim[d] = (*x)->dim[d].value;
	}
	for (int k = 0; k < count; k++) {
		int d;
		if (!op_axis(n, axes ? axes[k] : k, (*x)->rank, &d))
			return false;
		const int64_t size = (*x)->dim[d].value;
		if (shape[k] < 0) {
			op_error(n, "shape[%d] is %lld", k, (long long)shape[k]);
			return false;
		}
		before[d] = shape[k] < size ? -((size - shape[k]) / 2) : (shape[k] - size) / 2;
		dim[d] = shape[k];
	}
	return true;
}

static bool center_infer(struct node *n)
{
	const struct type *x;
	int64_t before[IR_MAX_RANK], dim[IR_MAX_RANK];
	if (!center_amounts(n, &x, before, dim))
		return false;
	op_out_type(n, 0, x->dtype, x->rank, dim);
	return true;
}

static bool center_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t before[IR_MAX_RANK], dim[IR_MAX_RANK];
	return center_amounts(n, &x, before, dim) && pad_step(n, s, x, 0, before, dim, NULL);
}

const struct op op_center_crop_pad = { .domain = "", .name = "CenterCropPad", .since = 18, .min_in = 2,
	.max_in = 2, .min_out = 1, .max_out = 1, .infer = center_infer, .lower = center_lower };
