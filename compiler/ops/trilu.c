/* trilu.c - Trilu: the upper or lower triangle of the last two axes. */
#include "ops/move.h"

#define AMP_T 12
#include "kernels/trilu.inc"

static bool infer(struct node *n)
{
	const struct type *x, *k;
	int64_t d[IR_MAX_RANK];
	if (!move_in(n, 0, &x))
		return false;
	if (x->rank < 2) {
		op_error(n, "X has %d axes; a matrix has 2", x->rank);
		return false;
	}
	if (node_in(n, 1) && (!op_in_type(n, 1, &k) || k->dtype != DT_INT64 || type_elements(k) != 1)) {
		op_error(n, "k must be one int64");
		return false;
	}
	op_out_type(n, 0, x->dtype, type_dims(x, d), d);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x = &n->in[0]->type;
	int64_t d[IR_MAX_RANK];
	const int rank = type_dims(x, d);
	struct amp_trilu *p = step_kernel(s, "trilu", dtype_bits(x->dtype));
	p->upper = attr_int(n, "upper", 1) != 0;
	p->batch = move_product(d, 0, rank - 2);
	p->rows = d[rank - 2];
	p->cols = d[rank - 1];
	step_in(s, n->in[0]);
	step_in(s, node_in(n, 1));
	step_out(s, n->out[0]);
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_trilu = { .domain = "", .name = "Trilu", .since = 14, .min_in = 1, .max_in = 2, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower };
