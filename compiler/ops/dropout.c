/*
 * dropout.c - Dropout in inference: the identity; the mask output is all ones.
 * training_mode with a ratio above 0 is random and no part of a compiled model: an error.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/copy.inc"

#include <string.h>

static void upgrade(struct node *n)
{
	if (n->version < 12)
		op_attr_float_to_input(n, "ratio", 1);
	if (n->version < 10)		/* the mask had X's type, not bool */
		attr_set_int(n, "mask_like_x", 1);
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (!dtype_is_float(x->dtype)) {
		op_error(n, "the input must be of a floating type, not %s", dtype_name(x->dtype));
		return false;
	}
	if (node_in(n, 2)) {
		const struct tensor *training = op_const(n, 2), *ratio = op_const(n, 1);
		const bool no_ratio = ratio && ratio->n == 1 && tensor_get_f(ratio, 0) == 0;
		if (!no_ratio && (!training || training->n != 1 || tensor_get_i(training, 0) != 0)) {
			op_error(n, "training_mode is on (or not known at compile time): a compiled model "
				    "cannot drop at random; export the model for inference");
			return false;
		}
	}
	const int rank = type_dims(x, dims);
	op_out_type(n, 0, x->dtype, rank, dims);
	if (node_out(n, 1)) {
		const bool like_x = attr_int(n, "mask_like_x", 0) != 0;
		struct tensor *ones = tensor_new(n->graph->c, DT_BOOL, rank, dims);
		memset(ones->data, 1, (size_t)ones->n);
		op_out_type(n, 1, like_x ? x->dtype : DT_BOOL, rank, dims);
		value_make_const(node_out(n, 1), like_x ?
				 tensor_convert(n->graph->c, ones, x->dtype) : ones);
	}
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_copy *p = step_kernel(s, "copy", dtype_bits(x->dtype));
	p->rank = 1;
	p->dim[0] = type_elements(x);
	p->in_stride[0] = p->out_stride[0] = 1;
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	step_view_of_in(s, 0);
	return true;
}

const struct op op_dropout = {
	.domain = "", .name = "Dropout", .since = 22, .min_in = 1, .max_in = 3, .min_out = 1, .max_out = 2,
	.upgrade = upgrade, .infer = infer, .lower = lower,
};
