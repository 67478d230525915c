/*
 * conv.c - Conv, and ampoule.Conv: the same with a residual Z (input 3) and an activation in it.
 * X [N, C, spatial...], W [M, C/group, kernel...], B [M] -> Y [N, M, spatial...].
 */
#include "ops/spatial.h"
#define AMP_T 1
#include "kernels/conv.inc"

#include <string.h>

static bool read(const struct node *n, struct spatial *s, const struct type **x, const struct type **w,
		 int64_t *group)
{
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, w) || !spatial_read(n, *x, *w, false, s))
		return false;
	*group = attr_int(n, "group", 1);
	const int64_t c = (*x)->dim[1].value, m = (*w)->dim[0].value;
	if (*group < 1 || (c % *group) != 0 || (m % *group) != 0) {
		op_error(n, "group %lld does not divide %lld input and %lld output channels",
			 (long long)*group, (long long)c, (long long)m);
		return false;
	}
	if ((*w)->dim[1].value != c / *group) {
		op_error(n, "W is %s, but X has %lld channels in %lld groups: W[1] must be %lld",
			 type_text(n->graph->c, *w), (long long)c, (long long)*group,
			 (long long)(c / *group));
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	struct spatial s;
	const struct type *x, *w, *b, *z;
	int64_t group, dims[IR_MAX_RANK];
	if (!read(n, &s, &x, &w, &group))
		return false;
	if (!dtype_is_float(x->dtype) || w->dtype != x->dtype) {
		op_error(n, "X is %s and W %s; both must be of the same floating type",
			 dtype_name(x->dtype), dtype_name(w->dtype));
		return false;
	}
	if (node_in(n, 2)) {
		if (!op_in_type(n, 2, &b))
			return false;
		if (b->dtype != x->dtype || b->rank != 1 || b->dim[0].value != w->dim[0].value) {
			op_error(n, "B must be %s[%lld], not %s", dtype_name(x->dtype),
				 (long long)w->dim[0].value, type_text(n->graph->c, b));
			return false;
		}
	}
	dims[0] = x->dim[0].value;
	dims[1] = w->dim[0].value;
	memcpy(dims + 2, s.out, (size_t)s.rank * sizeof dims[0]);
	op_out_type(n, 0, x->dtype, x->rank, dims);
	if (node_in(n, 3)) {
		const struct type y = type_tensor(x->dtype, x->rank, dims);
		if (!op_in_type(n, 3, &z))
			return false;
		if (!type_equal(z, &y)) {
			op_error(n, "the residual is %s, but the result %s", type_text(n->graph->c, z),
				 type_text(n->graph->c, &y));
			return false;
		}
	}
	return op_activation(n) >= 0;
}

static bool lower(struct node *n, struct step *s)
{
	struct spatial w;
	const struct type *x, *wt;
	int64_t group;
	if (!read(n, &w, &x, &wt, &group))
		return false;
	struct amp_conv *p = step_kernel(s, "conv", x->dtype);
	bool pointwise = true;
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->m = wt->dim[0].value;
	p->group = group;
	p->rank = w.rank;
	p->act = op_activation(n);
	p->alpha = attr_float(n, "act_alpha", 0);
	p->beta = attr_float(n, "act_beta", 0);
	for (int i = 0; i < w.rank; i++) {
		p->in[i] = w.in[i];
		p->out[i] = w.out[i];
		p->kernel[i] = w.kernel[i];
		p->stride[i] = w.stride[i];
		p->dilation[i] = w.dilation[i];
		p->pad[i] = w.pad[i];
		pointwise = pointwise && w.kernel[i] == 1 && w.stride[i] == 1 && w.in[i] == w.out[i] &&
			    w.pad[i] == 0;
	}
	if (pointwise) {	/* one long row */
		for (int i = 1; i < w.rank; i++)
			p->in[0] *= p->in[i];
		p->out[0] = p->in[0];
		p->rank = 1;
	}
	for (int i = 0; i < 4; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	if (p->m / group >= 8) {
		int64_t bytes = dtype_size(x->dtype) == 8 ? 16 * 8 : 16 * 4;
		bool ok = mul_i64(bytes, p->c / group, &bytes);
		for (int i = 0; i < p->rank; i++)
			ok = ok && mul_i64(bytes, p->kernel[i], &bytes);
		if (!ok)
			fatal(n->graph->c, R_INPUT, "%s: the weights are too large", node_where(n));
		s->scratch = bytes;
	}
	return true;
}

static int64_t macs(const struct node *n)
{
	const struct value *y = node_out(n, 0), *w = node_in(n, 1);
	int64_t r = y ? type_elements(&y->type) : -1;
	if (r < 0 || !w || !type_known(&w->type))
		return 0;
	for (int i = 1; i < w->type.rank; i++)
		if (!mul_i64(r, w->type.dim[i].value, &r))
			return 0;
	return r;
}

const struct op op_conv = {
	.domain = "", .name = "Conv", .since = 22, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower, .macs = macs,
};

const struct op op_ampoule_conv = {
	.domain = "ampoule", .name = "Conv", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .macs = macs,
};
