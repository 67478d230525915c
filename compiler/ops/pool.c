/*
 * pool.c - MaxPool, AveragePool, LpPool: windows over [N, C, spatial...].
 */
#include "ops/spatial.h"
#define AMP_T 1
#include "kernels/maxpool.inc"
#include "kernels/avgpool.inc"
#include "kernels/pool_c16.inc"

#include <string.h>

static bool read(const struct node *n, struct spatial *s, const struct type **x)
{
	if (!op_in_type(n, 0, x))
		return false;
	const enum dtype t = (*x)->dtype;
	const bool max = str_eq(n->op_type, "MaxPool");
	if (!dtype_is_float(t) && !(max && (t == DT_INT8 || t == DT_UINT8))) {
		op_error(n, "%s inputs are not in the standard", dtype_name(t));
		return false;
	}
	return spatial_read(n, *x, NULL, attr_int(n, "ceil_mode", 0) != 0, s);
}

static bool infer(struct node *n)
{
	struct spatial s;
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!read(n, &s, &x))
		return false;
	dims[0] = x->dim[0].value;
	dims[1] = x->dim[1].value;
	memcpy(dims + 2, s.out, (size_t)s.rank * sizeof dims[0]);
	op_out_type(n, 0, x->dtype, x->rank, dims);
	op_out_type(n, 1, DT_INT64, x->rank, dims);
	const int64_t p = attr_int(n, "p", 2);
	if (p < 1 || p > 1000) {
		op_error(n, "p = %lld must be a positive number", (long long)p);
		return false;
	}
	return true;
}

#define FILL(p, s, x) do { \
	(p)->planes = (x)->dim[0].value * (x)->dim[1].value; \
	(p)->rank = (s).rank; \
	memcpy((p)->in, (s).in, sizeof (p)->in); \
	memcpy((p)->out, (s).out, sizeof (p)->out); \
	memcpy((p)->kernel, (s).kernel, sizeof (p)->kernel); \
	memcpy((p)->stride, (s).stride, sizeof (p)->stride); \
	memcpy((p)->dilation, (s).dilation, sizeof (p)->dilation); \
	memcpy((p)->pad, (s).pad, sizeof (p)->pad); \
	memcpy((p)->pad_end, (s).pad_end, sizeof (p)->pad_end); \
} while (0)

static bool lower(struct node *n, struct step *s)
{
	struct spatial w;
	const struct type *x;
	if (!read(n, &w, &x))
		return false;
	if (node_out(n, 0) && node_out(n, 0)->layout == LAYOUT_C16) {
		struct amp_pool_c16 *p = step_kernel(s, "pool_c16", x->dtype);
		*p = (struct amp_pool_c16){
			.max = str_eq(n->op_type, "MaxPool"), .count_pad = attr_int(n, "count_include_pad", 0) != 0,
			.blocks = (int32_t)(x->dim[0].value * ((x->dim[1].value + 15) / 16)),
			.c = (int32_t)x->dim[1].value, .ih = (int32_t)w.in[0], .iw = (int32_t)w.in[1],
			.oh = (int32_t)w.out[0], .ow = (int32_t)w.out[1], .kh = (int32_t)w.kernel[0],
			.kw = (int32_t)w.kernel[1], .sh = (int32_t)w.stride[0], .sw = (int32_t)w.stride[1],
			.dh = (int32_t)w.dilation[0], .dw = (int32_t)w.dilation[1], .ph = (int32_t)w.pad[0],
			.pw = (int32_t)w.pad[1], .ph_end = (int32_t)w.pad_end[0], .pw_end = (int32_t)w.pad_end[1],
		};
		step_in(s, node_in(n, 0));
		step_out(s, node_out(n, 0));
		return true;
	}
	if (str_eq(n->op_type, "MaxPool")) {
		struct amp_maxpool *p = step_kernel(s, "maxpool", x->dtype);
		FILL(p, w, x);
		p->column_major = attr_int(n, "storage_order", 0) != 0;
	} else {
		struct amp_avgpool *p = step_kernel(s, "avgpool", x->dtype);
		FILL(p, w, x);
		p->count_pad = attr_int(n, "count_include_pad", 0) != 0;
		p->p = str_eq(n->op_type, "LpPool") ? (int32_t)attr_int(n, "p", 2) : 0;
	}
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	if (str_eq(n->op_type, "MaxPool"))
		step_out(s, node_out(n, 1));
	return true;
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	struct spatial s;
	const struct type *x;
	if (!read(n, &s, &x) || x->dtype != DT_FLOAT || s.rank != 2 || node_out(n, 1) ||
	    type_elements(x) > INT32_MAX / 64)
		return false;
	for (int i = 0; i < 2; i++)
		if (s.pad[i] < 0 || s.pad_end[i] < 0 || s.kernel[i] > 1 << 15 || s.stride[i] > 1 << 15 ||
		    s.dilation[i] > 1 << 15)
			return false;
	want_in[0] = want_out[0] = LAYOUT_C16;
	return true;
}

const struct op op_maxpool = {
	.domain = "", .name = "MaxPool", .since = 22, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 2, .flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16,
};
const struct op op_averagepool = {
	.domain = "", .name = "AveragePool", .since = 22, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 1, .flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16,
};
const struct op op_lppool = {
	.domain = "", .name = "LpPool", .since = 22, .min_in = 1, .max_in = 1, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower,
};
