/*
 * meanmax.c - ampoule.ChannelMeanMax and ampoule.SpaceMeanMax: CBAM's twin reductions in one
 * sweep, made by the pass twins.
 *
 *	ChannelMeanMax	X [N, C, space..], gate [N or 1, C, 1..] (none: 1) -> [N, 2, space..], of X * gate
 *			the mean over C first, or the maximum (max_first=1)
 *	SpaceMeanMax	X -> mean and maximum over space, each [N, C, 1..], or [N, C] with
 *			keepdims=0; window=1: the maximum is MaxPool's
 */
#include "ops/reduce.h"
#define AMP_T 1
#include "kernels/meanmax.inc"

static bool over_channels(const struct node *n)
{
	return str_eq(n->op_type, "ChannelMeanMax");
}

bool meanmax_takes_gate(const struct type *x, const struct type *gate)
{
	if (!type_known(gate) || gate->dtype != x->dtype || gate->rank != x->rank ||
	    (gate->dim[0].value != 1 && gate->dim[0].value != x->dim[0].value) || gate->dim[1].value != x->dim[1].value)
		return false;
	for (int d = 2; d < x->rank; d++)
		if (gate->dim[d].value != 1)
			return false;
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (x->rank < 3 || !dtype_is_float(x->dtype) || type_elements(x) < 1) {
		op_error(n, "the input must be a float [N, C, space..], not %s",
			 type_text(n->graph->c, x));
		return false;
	}
	int rank = type_dims(x, dims);
	if (over_channels(n)) {
		const struct value *gate = node_in(n, 1);
		if (gate && !meanmax_takes_gate(x, &gate->type)) {
			op_error(n, "the gate must be [N or 1, C, 1..] of the input's type, not %s for %s",
				 type_text(n->graph->c, &gate->type), type_text(n->graph->c, x));
			return false;
		}
		dims[1] = 2;
		op_out_type(n, 0, x->dtype, rank, dims);
		return true;
	}
	for (int d = 2; d < rank; d++)
		dims[d] = 1;
	if (!attr_int(n, "keepdims", 1))
		rank = 2;
	op_out_type(n, 0, x->dtype, rank, dims);
	op_out_type(n, 1, x->dtype, rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_meanmax *p = step_kernel(s, "meanmax", x->dtype);
	const bool c16 = node_in(n, 0)->layout == LAYOUT_C16;
	p->mode = !over_channels(n);
	p->max_first = attr_int(n, "max_first", 0) != 0;
	p->window = attr_int(n, "window", 0) != 0;
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->s = 1;
	for (int d = 2; d < x->rank; d++)
		p->s *= x->dim[d].value;
	p->x_s = c16 ? 16 : 1;
	p->x_l = c16 ? 1 : p->s;
	p->x_b = 16 * p->s;
	p->x_n = (c16 ? (p->c + 15) / 16 * 16 : p->c) * p->s;
	step_in(s, node_in(n, 0));
	const struct value *gate = node_in(n, 1);
	if (gate) {		/* c16 or not, a channel's factor has its channel's number */
		p->gated = 1;
		p->g_n = gate->type.dim[0].value == 1 ? 0 : c16 ? (p->c + 15) / 16 * 16 : p->c;
		step_in(s, node_in(n, 1));
	}
	for (int i = 0; i < vec_len(n->out); i++)
		step_out(s, node_out(n, i));
	return true;
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	const struct value *x = node_in(n, 0);
	want_in[0] = LAYOUT_C16;
	if (node_in(n, 1))
		want_in[1] = LAYOUT_C16;
	want_out[0] = want_out[1] = LAYOUT_PLAIN;
	return x && x->type.dtype == DT_FLOAT;
}

const struct op op_channelmeanmax = {
	.domain = "ampoule", .name = "ChannelMeanMax", .since = 1, .min_in = 1, .max_in = 2, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .c16 = c16,
};

const struct op op_spacemeanmax = {
	.domain = "ampoule", .name = "SpaceMeanMax", .since = 1, .min_in = 1, .max_in = 1, .min_out = 2,
	.max_out = 2, .infer = infer, .lower = lower, .c16 = c16,
};
