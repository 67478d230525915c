/* reverse_sequence.c - ReverseSequence: sequences of different lengths, each reversed in place. */
#include "ops/move.h"

#define AMP_T 12
#include "kernels/reverse_sequence.inc"

static bool infer(struct node *n)
{
	const struct type *x, *l;
	int64_t d[IR_MAX_RANK];
	if (!move_in(n, 0, &x) || !op_in_type(n, 1, &l))
		return false;
	const int64_t batch = attr_int(n, "batch_axis", 1), time = attr_int(n, "time_axis", 0);
	if (x->rank < 2 || batch < 0 || batch > 1 || time != 1 - batch || l->dtype != DT_INT64 ||
	    l->rank != 1 || l->dim[0].value != x->dim[batch].value) {
		op_error(n, "batch_axis %lld, time_axis %lld, lengths %s do not fit %s", (long long)batch,
			 (long long)time, type_text(n->graph->c, l), type_text(n->graph->c, x));
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
	struct amp_reverse_sequence *p = step_kernel(s, "reverse_sequence", dtype_bits(x->dtype));
	p->batch_first = attr_int(n, "batch_axis", 1) == 0;
	p->batch = d[p->batch_first ? 0 : 1];
	p->time = d[p->batch_first ? 1 : 0];
	p->inner = move_product(d, 2, rank);
	step_in(s, n->in[0]);
	step_in(s, n->in[1]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_reverse_sequence = { .domain = "", .name = "ReverseSequence", .since = 28, .min_in = 2,
	.max_in = 2, .min_out = 1, .max_out = 1, .infer = infer, .lower = lower };
