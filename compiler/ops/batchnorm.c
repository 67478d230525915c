/*
 * batchnorm.c - BatchNormalization: Y = (X - mean) / sqrt(variance + epsilon) * scale + B, per
 * channel.
 *
 * scale, B and mean, variance may have types of their own; they are cast to X's first.  Training
 * mode (two more outputs) is supported; the saved statistics that opsets before 14 could ask for
 * are not.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/batchnorm.inc"

static void upgrade(struct node *n)
{
	if (n->version < 14 && (node_out(n, 1) || node_out(n, 2)))
		attr_set_int(n, "training_mode", 1);
	if (n->version < 9)
		attr_remove(n, "spatial");
}

/* input i in X's type */
static void cast_input(struct node *n, int i, enum dtype t)
{
	struct value *v = node_in(n, i);
	if (v->type.dtype == t)
		return;
	struct node *cast = node_new(n->graph, n, "", "Cast", "");
	node_add_in(cast, v);
	attr_set_int(cast, "to", t);
	struct value *w = node_add_out(cast, "");
	w->type = v->type;
	w->type.dtype = t;
	node_set_in(n, i, w);
}

static bool infer(struct node *n)
{
	const struct type *x, *v;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	const int64_t c = x->rank >= 2 ? x->dim[1].value : 1;	/* [N] alone has one channel */
	if (!dtype_is_float(x->dtype) || x->rank < 1) {
		op_error(n, "X must be a floating tensor [N, C, ...], not %s",
			 type_text(n->graph->c, x));
		return false;
	}
	for (int i = 1; i < 5; i++) {
		if (!op_in_type(n, i, &v))
			return false;
		if (!dtype_is_float(v->dtype) || v->rank != 1 || v->dim[0].value != c) {
			op_error(n, "input %d must be a floating tensor [%lld], not %s", i, (long long)c,
				 type_text(n->graph->c, v));
			return false;
		}
	}
	if (node_out(n, 3) || node_out(n, 4)) {
		op_error(n, "the saved statistics of training (outputs 3 and 4) are not supported");
		return false;
	}
	const enum dtype stat = node_in(n, 3)->type.dtype;
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	if (stat != x->dtype && attr_int(n, "training_mode", 0)) {
		op_error(n, "training with statistics of another type than X is not supported");
		return false;
	}
	op_out_type(n, 1, stat, 1, &c);
	op_out_type(n, 2, stat, 1, &c);
	for (int i = 1; i < 5; i++)
		cast_input(n, i, x->dtype);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_batchnorm *p = step_kernel(s, "batchnorm", x->dtype);
	p->n = x->dim[0].value;
	p->c = x->rank >= 2 ? x->dim[1].value : 1;
	p->space = 1;
	for (int d = 2; d < x->rank; d++)
		p->space *= x->dim[d].value;
	p->training = attr_int(n, "training_mode", 0) != 0;
	p->epsilon = attr_float(n, "epsilon", (double)1e-5f);
	p->momentum = attr_float(n, "momentum", (double)0.9f);
	for (int i = 0; i < 5; i++)
		step_in(s, node_in(n, i));
	for (int i = 0; i < 3; i++)
		step_out(s, p->training || i == 0 ? node_out(n, i) : NULL);
	step_inplace(s, 0, 0);
	return true;
}

const struct op op_batchnormalization = {
	.domain = "", .name = "BatchNormalization", .since = 15, .min_in = 5, .max_in = 5, .min_out = 1,
	.max_out = 5, .upgrade = upgrade, .infer = infer, .lower = lower,
};
