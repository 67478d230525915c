/*
 * stem.c - ampoule.ConvMaxPool: the first convolution of a network by Winograd's algorithm and the MaxPool behind it, in one
 * sweep (runtime/kernels/stem_c16.inc).  The pass `stem` makes it.
 * X [N, C, H, W] plain, C < 16, W [M, C, k, k], B [M] or absent -> Y [N, M, OH, OW] in c16.
 * strides, pads, auto_pad, algorithm, activation, act_alpha, act_beta: the convolution's; pool_kernel, pool_strides [2],
 * pool_pads [4]: MaxPool's.
 */
#include "ops/stem.h"
#define AMP_T 1
#include "kernels/stem_c16.inc"

#define WINDOW 8		/* rows and columns: wider ones would compute much twice, and hold many rows */

/* of one axis */
static bool is_small(int64_t kernel, int64_t stride, int64_t pad, int64_t pad_end)
{
	return kernel >= 1 && kernel <= WINDOW && stride >= 1 && stride <= WINDOW && pad >= 0 && pad < kernel && pad_end >= 0 &&
	       pad_end < kernel;
}

bool stem_pools(const struct spatial *p)
{
	for (int i = 0; i < 2; i++) {
		const int64_t room = p->in[i] + p->pad[i] + p->pad_end[i] - p->kernel[i];
		/* each window reaches some of the map, and none more than the pads let it (ceil_mode) */
		if (p->dilation[i] != 1 || !is_small(p->kernel[i], p->stride[i], p->pad[i], p->pad_end[i]) || room < 0 ||
		    p->out[i] != room / p->stride[i] + 1 || (p->out[i] - 1) * p->stride[i] - p->pad[i] >= p->in[i])
			return false;
	}
	return p->rank == 2;
}

static bool read_pool(const struct node *n, const int64_t *in, struct spatial *s)
{
	int kernels, strides, pads;
	const int64_t *k = attr_ints(n, "pool_kernel", &kernels), *step = attr_ints(n, "pool_strides", &strides);
	const int64_t *pad = attr_ints(n, "pool_pads", &pads);
	if (!k || !step || !pad || kernels != 2 || strides != 2 || pads != 4) {
		op_error(n, "pool_kernel and pool_strides must have 2 numbers, pool_pads 4");
		return false;
	}
	*s = (struct spatial){ .rank = 2 };
	for (int i = 0; i < 2; i++) {
		if (!is_small(k[i], step[i], pad[i], pad[2 + i])) {
			op_error(n, "MaxPool's window must have at most %d rows and columns, and pads smaller than it", WINDOW);
			return false;
		}
		s->in[i] = in[i];
		s->kernel[i] = k[i];
		s->stride[i] = step[i];
		s->dilation[i] = 1;
		s->pad[i] = pad[i];
		s->pad_end[i] = pad[2 + i];
		s->out[i] = (in[i] + pad[i] + pad[2 + i] - k[i]) / step[i] + 1;
	}
	if (!stem_pools(s)) {
		op_error(n, "a window of MaxPool lies outside of the map, %lld x %lld", (long long)in[0], (long long)in[1]);
		return false;
	}
	return true;
}

static bool read(const struct node *n, struct spatial *conv, struct spatial *pool, struct winograd_layer *l)
{
	const struct type *x, *w, *b;
	if (!op_in_type(n, 0, &x) || !op_in_type(n, 1, &w))
		return false;
	if (x->dtype != DT_FLOAT || x->rank != 4 || w->dtype != DT_FLOAT || w->rank != 4 || !op_const(n, 1)) {
		op_error(n, "X and W must be float of rank 4, W a constant");
		return false;
	}
	if (w->dim[1].value != x->dim[1].value || x->dim[1].value >= 16) {
		op_error(n, "W is %s, which does not fit X, %s of fewer than 16 channels", type_text(n->graph->c, w),
			 type_text(n->graph->c, x));
		return false;
	}
	if (node_in(n, 2) && (!op_in_type(n, 2, &b) || !op_const(n, 2) || b->dtype != DT_FLOAT || b->rank != 1 ||
			      b->dim[0].value != w->dim[0].value)) {
		op_error(n, "B must be a constant of %lld floats", (long long)w->dim[0].value);
		return false;
	}
	if (!spatial_read(n, x, w, false, conv))
		return false;
	if (!winograd_read(conv, x->dim[1].value, w->dim[0].value, attr_int(n, "group", 1), l) ||
	    !winograd_form(l, attr_str(n, "algorithm", ""))) {
		op_error(n, "no form of Winograd's algorithm computes it");
		return false;
	}
	return read_pool(n, conv->out, pool);
}

static bool infer(struct node *n)
{
	struct spatial conv, pool;
	struct winograd_layer l;
	if (!read(n, &conv, &pool, &l))
		return false;
	op_out_type(n, 0, DT_FLOAT, 4, (int64_t[]){ node_in(n, 0)->type.dim[0].value, l.m, pool.out[0], pool.out[1] });
	return op_activation(n) >= 0;
}

void stem_lower(struct node *n, struct step *s, struct winograd_layer *l, const struct spatial *conv,
		const struct spatial *pool)
{
	const int form = winograd_form(l, attr_str(n, "algorithm", ""));
	l->w = node_in(n, 1)->data;
	l->graph = n->graph;
	struct amp_stem_c16 *p = step_kernel(s, "stem_c16", DT_FLOAT);
	*p = (struct amp_stem_c16){
		.n = op_i32(n, node_in(n, 0)->type.dim[0].value), .c = (int32_t)l->c, .m = (int32_t)l->m,
		.ih = (int32_t)conv->in[0], .iw = (int32_t)conv->in[1], .oh = (int32_t)l->oh, .ow = (int32_t)l->ow,
		.ph = (int32_t)conv->pad[0], .pw = (int32_t)conv->pad[1], .form = winograd_kernel_form(l, form), .act = op_activation(n),
		.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
	};
	s->scratch = winograd_scratch(l, form);
	for (int i = 0; pool && i < 2; i++) {
		p->pool[i] = (int32_t)pool->kernel[i];
		p->pool_stride[i] = (int32_t)pool->stride[i];
		p->pool_pad[i] = (int32_t)pool->pad[i];
	}
	if (pool) {
		p->yh = (int32_t)pool->out[0];
		p->yw = (int32_t)pool->out[1];
		s->scratch += (l->m + 15) / 16 * (AMP_STEM_TILE + p->pool[0] - 1) * l->ow * 64;
	}
	step_in(s, node_in(n, 0));
	winograd_step_weights(n, s, l, form);
	spatial_step_end(n, s);
}

static bool lower(struct node *n, struct step *s)
{
	struct spatial conv, pool;
	struct winograd_layer l;
	if (!read(n, &conv, &pool, &l))
		return false;
	if (node_in(n, 0)->layout != LAYOUT_PLAIN || node_out(n, 0)->layout != LAYOUT_C16) {
		op_error(n, "its input must be plain and its output lie in c16");
		return false;
	}
	stem_lower(n, s, &l, &conv, &pool);
	return true;
}

/* the convolution's */
static int64_t macs(const struct node *n)
{
	struct spatial conv, pool;
	struct winograd_layer l;
	int64_t r;
	if (!node_in(n, 0) || !node_in(n, 1) || !node_out(n, 0) || !type_known(&node_in(n, 0)->type) || !read(n, &conv, &pool, &l))
		return 0;
	r = l.oh * l.ow;		/* winograd_fits() bounds both factors */
	return mul_i64(r, l.c * l.m, &r) && mul_i64(r, l.kernel * l.kernel, &r) &&
	       mul_i64(r, node_in(n, 0)->type.dim[0].value, &r) ? r : 0;
}

const struct op op_ampoule_conv_maxpool = {
	.domain = "ampoule", .name = "ConvMaxPool", .since = 1, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
	.flags = OP_NO_FOLD, .infer = infer, .lower = lower, .macs = macs,
};
