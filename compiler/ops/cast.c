/*
 * cast.c - Cast and CastLike: elementwise.  Floats go to integers by truncation, saturating, NaN to 0 (rule 14
 * of docs/numerics.md); integers to narrower integers by their low bits; anything but zero is true.
 */
#include "ir/ew.h"
#include "ops/op.h"

static const char *cast_to(const struct node *n, enum dtype t)
{
	const char *name = dtype_suffix(t);
	const struct value *x = node_in(n, 0);
	if (!name || (x && x->type.dtype != DT_NONE && !dtype_suffix(x->type.dtype))) {
		op_error(n, "a cast from %s to %s is not supported",
			 x ? dtype_name(x->type.dtype) : "?", dtype_name(t));
		return NULL;
	}
	return str_printf(n->graph->c, "%s(a)", name);
}

static const char *cast_expr(const struct node *n)
{
	return cast_to(n, (enum dtype)attr_int(n, "to", DT_NONE));
}

const struct op op_cast = { "", "Cast", 28, 1, 1, 1, 1, 0, .expr_of = cast_expr };

/* Only the type of the second operand counts. */
static const char *cast_like_expr(const struct node *n)
{
	const struct value *like = node_in(n, 1);
	return cast_to(n, like ? like->type.dtype : DT_NONE);
}

static bool cast_like_infer(struct node *n)
{
	const struct type *t;
	const struct value *like = node_in(n, 1);
	int64_t d[IR_MAX_RANK];
	if (!op_in_type(n, 0, &t) || !like || !cast_like_expr(n))
		return false;
	op_out_type(n, 0, like->type.dtype, type_dims(t, d), d);
	return true;
}

static bool cast_like_lower(struct node *n, struct step *s)
{
	const enum dtype in = n->in[0]->type.dtype;
	s->ew = ew_parse(n, cast_like_expr(n), 1, &in);
	if (!s->ew || !ew_space(n, s->ew))
		return false;
	step_in(s, n->in[0]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_cast_like = { "", "CastLike", 25, 2, 2, 1, 1, 0, .infer = cast_like_infer,
	.lower = cast_like_lower };
