/* lrn.c - LRN: local response normalisation across channels of [N, C, ...]. */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/lrn.inc"

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	const int64_t size = attr_int(n, "size", 0);
	if (!dtype_is_float(x->dtype) || x->rank < 2 || size < 1) {
		op_error(n, "X must be a floating tensor [N, C, ...] and size positive, not %s and %lld",
			 type_text(n->graph->c, x), (long long)size);
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_lrn *p = step_kernel(s, "lrn", x->dtype);
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->space = 1;
	for (int d = 2; d < x->rank; d++)
		p->space *= x->dim[d].value;
	p->size = attr_int(n, "size", 1);
	p->alpha = attr_float(n, "alpha", (double)1e-4f);
	p->beta = attr_float(n, "beta", 0.75);
	p->bias = attr_float(n, "bias", 1);
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	return true;
}

const struct op op_lrn = {
	.domain = "", .name = "LRN", .since = 13, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower,
};
