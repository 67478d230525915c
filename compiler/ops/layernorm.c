/*
 * layernorm.c - LayerNormalization and RMSNormalization over the axes from `axis` on;
 * GroupNormalization and InstanceNormalization over the channels of a group and space.  All are the
 * `norm` kernel; the last two have a c16 form with the same bits.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/norm.inc"
#include "kernels/norm_c16.inc"

#include <string.h>

/* Strides of v over the n dimensions dims (v's axes are the last ones; 1 broadcasts); false if it does not fit. */
static bool strides_of(const struct node *n, int i, enum dtype t, int rank, const int64_t *dims,
		       int64_t *stride)
{
	const struct type *x;
	int64_t at = 1;
	for (int d = 0; d < rank; d++)
		stride[d] = 0;
	if (!node_in(n, i))
		return true;
	if (!op_in_type(n, i, &x))
		return false;
	bool ok = x->dtype == t && x->rank <= rank;
	for (int d = x->rank - 1; ok && d >= 0; d--) {
		const int64_t size = x->dim[d].value, to = rank - x->rank + d;
		ok = size == 1 || size == dims[to];
		stride[to] = size == 1 ? 0 : at;
		at *= size;
	}
	if (!ok)
		op_error(n, "input %d, %s, does not broadcast to the shape of X", i,
			 type_text(n->graph->c, x));
	return ok;
}

/* Dimensions over which both strides run evenly become one. */
static bool fill_affine(const struct node *n, struct amp_norm *p, int rank, const int64_t *dims,
			const int64_t *scale, const int64_t *bias)
{
	int r = 0;
	int64_t d_[IR_MAX_RANK] = { 0 }, s_[IR_MAX_RANK] = { 0 }, b_[IR_MAX_RANK] = { 0 };
	for (int d = 0; d < rank; d++) {
		if (dims[d] == 1)
			continue;
		const bool joins = r > 0 && s_[r - 1] == scale[d] * dims[d] &&
				   b_[r - 1] == bias[d] * dims[d];
		const int to = joins ? r - 1 : r++;
		d_[to] = joins ? d_[to] * dims[d] : dims[d];
		s_[to] = scale[d];
		b_[to] = bias[d];
	}
	if (r == 0)
		d_[r++] = 1;
	if (r > AMP_MAX_RANK) {
		op_error(n, "more than %d separate axes", AMP_MAX_RANK);
		return false;
	}
	p->rank = r;
	for (int d = 0; d < r; d++) {
		p->dim[d] = d_[d];
		p->scale_stride[d] = s_[d];
		p->bias_stride[d] = b_[d];
	}
	return true;
}

static bool is_float(const struct node *n, const struct type *x)
{
	if (dtype_is_float(x->dtype))
		return true;
	op_error(n, "X must be of a floating type, not %s", dtype_name(x->dtype));
	return false;
}

/* ---- LayerNormalization, RMSNormalization ------------------------------------------------------ */

static bool infer_layer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK], stride[IR_MAX_RANK];
	int axis;
	if (!op_in_type(n, 0, &x) || !is_float(n, x) ||
	    !op_axis(n, attr_int(n, "axis", -1), x->rank, &axis))
		return false;
	const int rank = type_dims(x, dims);
	const int64_t stash = attr_int(n, "stash_type", DT_FLOAT);
	if (!strides_of(n, 1, x->dtype, rank, dims, stride) ||
	    !strides_of(n, 2, x->dtype, rank, dims, stride))
		return false;
	if (!dtype_is_float((enum dtype)stash)) {
		op_error(n, "stash_type %lld is not a floating type", (long long)stash);
		return false;
	}
	op_out_type(n, 0, x->dtype, rank, dims);
	for (int d = axis; d < rank; d++)
		dims[d] = 1;
	op_out_type(n, 1, (enum dtype)stash, rank, dims);
	op_out_type(n, 2, (enum dtype)stash, rank, dims);
	return true;
}

static bool lower_layer(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK], scale[IR_MAX_RANK], bias[IR_MAX_RANK];
	int axis;
	if (!op_in_type(n, 0, &x) || !op_axis(n, attr_int(n, "axis", -1), x->rank, &axis))
		return false;
	struct amp_norm *p = step_kernel(s, "norm", x->dtype);
	const int rank = type_dims(x, dims);
	p->rms = str_eq(n->op_type, "RMSNormalization");
	p->epsilon = attr_float(n, "epsilon", (double)1e-5f);
	p->rows = p->len = 1;
	for (int d = 0; d < rank; d++)
		*(d < axis ? &p->rows : &p->len) *= dims[d];
	for (int i = 1; i < 3; i++)
		if (node_out(n, i))
			p->stat = node_out(n, i)->type.dtype;
	if (!strides_of(n, 1, x->dtype, rank, dims, scale) ||
	    !strides_of(n, 2, x->dtype, rank, dims, bias) ||
	    !fill_affine(n, p, rank, dims, scale, bias))
		return false;
	for (int i = 0; i < 3; i++)
		step_in(s, node_in(n, i));
	for (int i = 0; i < 3; i++)
		step_out(s, node_out(n, i));
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_layernormalization = {
	.domain = "", .name = "LayerNormalization", .since = 17, .min_in = 2, .max_in = 3, .min_out = 1,
	.max_out = 3, .infer = infer_layer, .lower = lower_layer,
};
const struct op op_rmsnormalization = {
	.domain = "", .name = "RMSNormalization", .since = 23, .min_in = 2, .max_in = 2, .min_out = 1,
	.max_out = 1, .infer = infer_layer, .lower = lower_layer,
};

/* ---- GroupNormalization, InstanceNormalization -------------------------------------------------- */

static bool groups_of(const struct node *n, const struct type *x, int64_t *groups)
{
	const bool instance = str_eq(n->op_type, "InstanceNormalization");
	if (x->rank < 2) {
		op_error(n, "X must be [N, C, space...], not %s", type_text(n->graph->c, x));
		return false;
	}
	*groups = instance ? x->dim[1].value : attr_int(n, "num_groups", 0);
	if (!instance && (*groups < 1 || x->dim[1].value % *groups != 0)) {
		op_error(n, "num_groups %lld does not divide %lld channels", (long long)*groups,
			 (long long)x->dim[1].value);
		return false;
	}
	return true;
}

/*
 * Before opset 21 GroupNormalization's scale and bias had one number a group.  Our attribute
 * "per_group" keeps that meaning: the strides then step once a group.
 */
static void upgrade_group(struct node *n)
{
	if (n->version < 21)
		attr_set_int(n, "per_group", 1);
}

static bool infer_group(struct node *n)
{
	const struct type *x, *v;
	int64_t dims[IR_MAX_RANK], groups;
	if (!op_in_type(n, 0, &x) || !is_float(n, x) || !groups_of(n, x, &groups))
		return false;
	if (groups == x->dim[1].value)
		attr_remove(n, "per_group");
	const int64_t want = attr_int(n, "per_group", 0) ? groups : x->dim[1].value;
	for (int i = 1; i < 3; i++) {
		if (!op_in_type(n, i, &v))
			return false;
		if (v->dtype != x->dtype || v->rank != 1 || v->dim[0].value != want) {
			op_error(n, "input %d must be %s[%lld], not %s", i, dtype_name(x->dtype),
				 (long long)want, type_text(n->graph->c, v));
			return false;
		}
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

/* Scale or bias, a number a channel or a group: [c/16, 16], 0 beyond c */
static struct value *affine_c16(const struct node *n, int i, int64_t c)
{
	const struct tensor *v = op_const(n, i);
	const int64_t dims[] = { (c + 15) / 16, 16 };
	struct tensor *t = tensor_new(n->graph->c, DT_FLOAT, 2, dims);
	for (int64_t k = 0; k < c; k++)
		((float *)t->data)[k] = ((const float *)v->data)[k / (c / v->n)];
	return step_const(n, str_printf(n->graph->c, "%s (c16)", node_in(n, i)->name), t);
}

static void lower_c16(struct node *n, struct step *s, const struct type *x, int64_t groups, int64_t space)
{
	struct amp_norm_c16 *p = step_kernel(s, "norm_c16", DT_FLOAT);
	const int64_t c = x->dim[1].value;
	*p = (struct amp_norm_c16){
		.n = (int32_t)x->dim[0].value, .c = (int32_t)c, .each = (int32_t)(c / groups), .space = space,
		.epsilon = attr_float(n, "epsilon", (double)1e-5f),
	};
	s->phases = 2;
	s->shared = x->dim[0].value * ((c + 15) / 16) * 32 * 4;
	s->scratch = p->each > 1 ? 16 * space * 4 : 0;
	step_in(s, node_in(n, 0));
	step_in(s, affine_c16(n, 1, c));
	step_in(s, affine_c16(n, 2, c));
	step_out(s, node_out(n, 0));
	step_inplace(s, 0, 0);
}

static bool c16_group(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct type *x;
	int64_t groups;
	if (!op_in_type(n, 0, &x) || !groups_of(n, x, &groups) || groups < 1 || x->dtype != DT_FLOAT || x->rank < 3 ||
	    !op_const(n, 1) || !op_const(n, 2) || type_elements(x) < 1 || type_elements(x) > INT32_MAX / 64)
		return false;
	want_in[0] = want_out[0] = LAYOUT_C16;
	return true;
}

static bool lower_group(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t groups, space = 1;
	if (!op_in_type(n, 0, &x) || !groups_of(n, x, &groups))
		return false;
	for (int d = 2; d < x->rank; d++)
		space *= x->dim[d].value;
	if (node_in(n, 0)->layout == LAYOUT_C16) {
		lower_c16(n, s, x, groups, space);
		return true;
	}
	struct amp_norm *p = step_kernel(s, "norm", x->dtype);
	const int64_t c = x->dim[1].value, each = groups ? c / groups : 0;
	const bool per_group = attr_int(n, "per_group", 0) != 0;
	const int64_t dims[4] = { x->dim[0].value, groups, each, space };
	const int64_t stride[4] = { 0, per_group ? 1 : each, per_group ? 0 : 1, 0 };
	p->epsilon = attr_float(n, "epsilon", (double)1e-5f);
	p->rows = dims[0] * groups;
	p->len = each * space;
	if (!fill_affine(n, p, 4, dims, stride, stride))
		return false;
	for (int i = 0; i < 3; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	step_out(s, NULL);
	step_out(s, NULL);
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_groupnormalization = {
	.domain = "", .name = "GroupNormalization", .since = 21, .min_in = 3, .max_in = 3, .min_out = 1,
	.max_out = 1, .upgrade = upgrade_group, .infer = infer_group, .lower = lower_group, .c16 = c16_group,
};
const struct op op_instancenormalization = {
	.domain = "", .name = "InstanceNormalization", .since = 22, .min_in = 3, .max_in = 3,
	.min_out = 1, .max_out = 1, .infer = infer_group, .lower = lower_group, .c16 = c16_group,
};
