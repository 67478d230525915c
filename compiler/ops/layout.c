/*
 * layout.c - ampoule.ToC16 and ampoule.FromC16: conversions that the pass `layout` puts where a value is wanted
 * in the other layout.  X [N, C, ...] -> Y, the same tensor.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/layout.inc"

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t d[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (x->rank < 2 || dtype_size(x->dtype) != 4) {
		op_error(n, "layout c16 is for 4-byte types of rank 2 and more");
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, d), d);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_layout *p = step_kernel(s, "layout", DT_FLOAT);
	p->to_c16 = str_eq(n->op_type, "ToC16");
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->space = 1;
	for (int d = 2; d < x->rank; d++)
		p->space *= x->dim[d].value;
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	/* one pixel, whole blocks: both layouts are the same bytes */
	if (p->space == 1 && p->c % 16 == 0)
		step_view_of_in(s, 0);
	return true;
}

const struct op op_to_c16 = { .domain = "ampoule", .name = "ToC16", .since = 1, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .flags = OP_NO_FOLD, .infer = infer, .lower = lower };
const struct op op_from_c16 = { .domain = "ampoule", .name = "FromC16", .since = 1, .min_in = 1, .max_in = 1,
	.min_out = 1, .max_out = 1, .flags = OP_NO_FOLD, .infer = infer, .lower = lower };
