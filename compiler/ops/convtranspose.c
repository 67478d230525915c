/*
 * convtranspose.c - ConvTranspose, and ampoule.ConvTranspose: the same with a residual Z (input 3)
 * and an activation.
 * X [N, C, spatial...], W [C, M/group, kernel...], B [M] -> Y [N, M, spatial...].
 */
#include "ops/spatial.h"
#define AMP_T 1
#include "kernels/convtranspose.inc"

#include <string.h>

static bool read(const struct node *n, struct spatial *s, const struct type **x, const struct type **w,
		 int64_t *group)
{
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, w) || !spatial_read_transposed(n, *x, *w, s))
		return false;
	*group = attr_int(n, "group", 1);
	const int64_t c = (*x)->dim[1].value;
	int64_t m;
	if (*group < 1 || c % *group != 0) {
		op_error(n, "group %lld does not divide %lld input channels", (long long)*group,
			 (long long)c);
		return false;
	}
	if ((*w)->dim[0].value != c || !mul_i64((*w)->dim[1].value, *group, &m)) {
		op_error(n, "W is %s, but X has %lld channels: W[0] must be %lld",
			 type_text(n->graph->c, *w), (long long)c, (long long)c);
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
	const int64_t m = w->dim[1].value * group;
	if (!dtype_is_float(x->dtype) || w->dtype != x->dtype) {
		op_error(n, "X is %s and W %s; both must be of the same floating type",
			 dtype_name(x->dtype), dtype_name(w->dtype));
		return false;
	}
	if (node_in(n, 2)) {
		if (!op_in_type(n, 2, &b))
			return false;
		if (b->dtype != x->dtype || b->rank != 1 || b->dim[0].value != m) {
			op_error(n, "B must be %s[%lld], not %s", dtype_name(x->dtype), (long long)m,
				 type_text(n->graph->c, b));
			return false;
		}
	}
	dims[0] = x->dim[0].value;
	dims[1] = m;
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
	struct amp_convtranspose *p = step_kernel(s, "convtranspose", x->dtype);
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->m = wt->dim[1].value * group;
	p->group = group;
	p->rank = w.rank;
	p->act = op_activation(n);
	p->alpha = attr_float(n, "act_alpha", 0);
	p->beta = attr_float(n, "act_beta", 0);
	int64_t bytes = dtype_size(x->dtype) == 8 ? 16 * 8 : 16 * 4;
	bool ok = mul_i64(bytes, p->c / group, &bytes);
	for (int i = 0; i < w.rank; i++) {
		p->in[i] = w.in[i];
		p->out[i] = w.out[i];
		p->kernel[i] = w.kernel[i];
		p->stride[i] = w.stride[i];
		p->dilation[i] = w.dilation[i];
		p->pad[i] = w.pad[i];
		ok = ok && mul_i64(bytes, w.kernel[i], &bytes);
	}
	if (!ok)
		fatal(n->graph->c, R_INPUT, "%s: the weights are too large", node_where(n));
	s->scratch = bytes;
	for (int i = 0; i < 4; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	return true;
}

static int64_t macs(const struct node *n)
{
	const struct value *x = node_in(n, 0), *w = node_in(n, 1);
	int64_t r = x ? type_elements(&x->type) : -1;
	if (r < 0 || !w || !type_known(&w->type))
		return 0;
	for (int i = 1; i < w->type.rank; i++)
		if (!mul_i64(r, w->type.dim[i].value, &r))
			return 0;
	return r;
}

const struct op op_convtranspose = {
	.domain = "", .name = "ConvTranspose", .since = 22, .min_in = 2, .max_in = 3, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .macs = macs,
};

const struct op op_ampoule_convtranspose = {
	.domain = "ampoule", .name = "ConvTranspose", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .macs = macs,
};
