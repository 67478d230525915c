/*
 * pwdw.c - ampoule.PointwiseDepthwise: a 1x1 convolution of stride 1 and the depthwise convolution behind it, in layout c16
 * (runtime/kernels/pwdw_c16.inc).  The pass `pwdw` makes it.
 * X [N, C, H, W], W [M, C, 1, 1], B [M] or absent; V [M, 1, kh, kw], D [M] or absent -> Y [N, M, OH, OW].
 * strides, pads, dilations, activation, act_alpha, act_beta: of the second; first_activation, first_alpha, first_beta.
 */
#include "ops/spatial.h"
#define AMP_T 1
#include "kernels/pwdw_c16.inc"

static bool read(const struct node *n, struct spatial *s, const struct type **x, int64_t *m)
{
	const struct type *w, *v, *b;
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, &w) || !op_in_type(n, 3, &v))
		return false;
	if ((*x)->dtype != DT_FLOAT || (*x)->rank != 4 || w->dtype != DT_FLOAT || w->rank != 4 || v->dtype != DT_FLOAT ||
	    v->rank != 4 || !op_const(n, 1) || !op_const(n, 3)) {
		op_error(n, "X, W and V must be float of rank 4, W and V constants");
		return false;
	}
	*m = w->dim[0].value;
	const int64_t c = (*x)->dim[1].value;
	if (c < 16 || *m < 16 || w->dim[1].value != c || w->dim[2].value != 1 || w->dim[3].value != 1 ||
	    v->dim[0].value != *m || v->dim[1].value != 1) {
		op_error(n, "W is %s and V %s, which do not fit X, %s", type_text(n->graph->c, w), type_text(n->graph->c, v),
			 type_text(n->graph->c, *x));
		return false;
	}
	for (int i = 2; i < 5; i += 2)
		if (node_in(n, i) && (!op_in_type(n, i, &b) || !op_const(n, i) || b->dtype != DT_FLOAT || b->rank != 1 ||
				      b->dim[0].value != *m)) {
			op_error(n, "input %d must be a constant of %lld floats", i, (long long)*m);
			return false;
		}
	const int64_t dims[] = { (*x)->dim[0].value, *m, (*x)->dim[2].value, (*x)->dim[3].value };
	const struct type between = type_tensor(DT_FLOAT, 4, dims);
	if (!spatial_read(n, &between, v, false, s))
		return false;
	for (int i = 0; i < 2; i++)
		if (s->pad[i] < 0 || s->stride[i] > 1 << 15 || s->kernel[i] > 1 << 15 || s->dilation[i] > 1 << 15 ||
		    s->pad[i] > 1 << 15 || s->out[i] == 0 || s->in[i] == 0) {
			op_error(n, "its windows are too large, or there are none");
			return false;
		}
	return true;
}

static bool infer(struct node *n)
{
	struct spatial s;
	const struct type *x;
	int64_t m;
	if (!read(n, &s, &x, &m))
		return false;
	op_out_type(n, 0, DT_FLOAT, 4, (int64_t[]){ x->dim[0].value, m, s.out[0], s.out[1] });
	return op_activation(n) >= 0 && op_activation_named(n, "first_activation") >= 0;
}

/* W of input i, packed */
static void step_weights(struct node *n, struct step *s, int i, int64_t cs)
{
	struct ctx *c = n->graph->c;
	step_in(s, step_const(n, str_printf(c, "%s (c16)", node_in(n, i)->name),
			      spatial_pack_c16(c, node_in(n, i)->data, cs)));
}

static bool lower(struct node *n, struct step *s)
{
	struct spatial w;
	const struct type *x;
	int64_t m, bytes = AMP_PWDW_BLOCKS * 64;
	if (!read(n, &w, &x, &m))
		return false;
	if (node_in(n, 0)->layout != LAYOUT_C16 || node_out(n, 0)->layout != LAYOUT_C16) {
		op_error(n, "its input and output must lie in c16");
		return false;
	}
	struct amp_pwdw_c16 *p = step_kernel(s, "pwdw_c16", DT_FLOAT);
	*p = (struct amp_pwdw_c16){
		.n = op_i32(n, x->dim[0].value), .c = op_i32(n, x->dim[1].value), .m = op_i32(n, m),
		.ih = (int32_t)w.in[0], .iw = (int32_t)w.in[1], .oh = (int32_t)w.out[0], .ow = (int32_t)w.out[1],
		.kh = (int32_t)w.kernel[0], .kw = (int32_t)w.kernel[1], .sh = (int32_t)w.stride[0], .sw = (int32_t)w.stride[1],
		.dh = (int32_t)w.dilation[0], .dw = (int32_t)w.dilation[1], .ph = (int32_t)w.pad[0], .pw = (int32_t)w.pad[1],
		.by_rows = spatial_by_rows(n, &w),
		.act = { op_activation_named(n, "first_activation"), op_activation(n) },
		.alpha = (float)attr_float(n, "first_alpha", 0), .beta = (float)attr_float(n, "first_beta", 0),
		.alpha2 = (float)attr_float(n, "act_alpha", 0), .beta2 = (float)attr_float(n, "act_beta", 0),
	};
	const int64_t tall = (w.kernel[0] - 1) * w.dilation[0] + 1;
	const int64_t wp = (w.out[1] - 1) * w.stride[1] + (w.kernel[1] - 1) * w.dilation[1] + 1;
	if (!mul_i64(bytes, tall, &bytes) || !mul_i64(bytes, wp, &bytes) || bytes / 4 > INT32_MAX)
		fatal(n->graph->c, R_INPUT, "%s: its windows are too large", node_where(n));
	s->scratch = bytes;
	step_in(s, node_in(n, 0));
	step_weights(n, s, 1, 16);
	step_in(s, spatial_bias_c16(n));
	step_weights(n, s, 3, 1);
	step_in(s, spatial_pad_c16(n, 4));
	step_out(s, node_out(n, 0));
	return true;
}

static int64_t macs(const struct node *n)
{
	const struct value *x = node_in(n, 0), *y = node_out(n, 0), *w = node_in(n, 1), *v = node_in(n, 3);
	int64_t first = x ? type_elements(&x->type) : -1, second = y ? type_elements(&y->type) : -1;
	if (first < 0 || second < 0 || !w || !type_known(&w->type) || !v || !type_known(&v->type) || v->type.rank != 4 ||
	    !mul_i64(first, w->type.dim[0].value, &first) || !mul_i64(second, v->type.dim[2].value, &second) ||
	    !mul_i64(second, v->type.dim[3].value, &second) || first > INT64_MAX - second)
		return 0;
	return first + second;
}

const struct op op_ampoule_pointwise_depthwise = {
	.domain = "ampoule", .name = "PointwiseDepthwise", .since = 1, .min_in = 4, .max_in = 5, .min_out = 1, .max_out = 1,
	.flags = OP_NO_FOLD, .infer = infer, .lower = lower, .macs = macs,
};
