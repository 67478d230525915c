/*
 * arithmetic.c - Add, Sub, Mul, Div, Pow, Mod, Max, Min, Sum, Mean and the arithmetic of one operand.
 * Elementwise: an expression each (ir/ew.h).  Integers wrap; division truncates, by zero it gives 0.
 */
#include "ir/ew.h"
#include "ops/op.h"

const struct op op_add = { "", "Add", 14, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "add(a, b)" };
const struct op op_sub = { "", "Sub", 14, 2, 2, 1, 1, 0, .expr = "sub(a, b)" };
const struct op op_mul = { "", "Mul", 14, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "mul(a, b)" };
const struct op op_div = { "", "Div", 14, 2, 2, 1, 1, 0, .expr = "div(a, b)" };
const struct op op_neg = { "", "Neg", 13, 1, 1, 1, 1, 0, .expr = "neg(a)" };
const struct op op_abs = { "", "Abs", 13, 1, 1, 1, 1, 0, .expr = "abs(a)" };
const struct op op_reciprocal = { "", "Reciprocal", 13, 1, 1, 1, 1, 0, .expr = "div(1, a)" };
const struct op op_sqrt = { "", "Sqrt", 13, 1, 1, 1, 1, 0, .expr = "sqrt(a)" };
const struct op op_exp = { "", "Exp", 13, 1, 1, 1, 1, 0, .expr = "exp(a)" };
const struct op op_log = { "", "Log", 13, 1, 1, 1, 1, 0, .expr = "log(a)" };
const struct op op_erf = { "", "Erf", 13, 1, 1, 1, 1, 0, .expr = "erf(a)" };
const struct op op_ceil = { "", "Ceil", 13, 1, 1, 1, 1, 0, .expr = "ceil(a)" };
const struct op op_floor = { "", "Floor", 13, 1, 1, 1, 1, 0, .expr = "floor(a)" };
/* halves to even */
const struct op op_round = { "", "Round", 22, 1, 1, 1, 1, 0, .expr = "rint(a)" };
/* NaN stays, both zeros give +0 */
const struct op op_sign = { "", "Sign", 13, 1, 1, 1, 1, 0,
	.expr = "sel(gt(a, 0), 1, sel(lt(a, 0), -1, sel(eq(a, 0), 0, a)))" };

/* The base's type is the result's; the exponent may have another. */
static const char *pow_expr(const struct node *n)
{
	const struct value *x = node_in(n, 0), *y = node_in(n, 1);
	if (!x || !y || x->type.dtype == y->type.dtype)
		return "pow(a, b)";
	if (dtype_is_int(x->type.dtype) && dtype_is_float(y->type.dtype))
		return "like(a, pow(f64(a), f64(b)))";
	return "pow(a, like(a, b))";
}

const struct op op_pow = { "", "Pow", 15, 2, 2, 1, 1, 0, .expr_of = pow_expr };

static const char *mod_expr(const struct node *n)
{
	return attr_int(n, "fmod", 0) ? "fmod(a, b)" : "mod(a, b)";
}

const struct op op_mod = { "", "Mod", 28, 2, 2, 1, 1, 0, .expr_of = mod_expr };

/* ---- any number of operands, from left to right ------------------------------------------------ */

/* Statements that leave f(f(i0, i1), i2).. in t. */
static const char *chain(const struct node *n, const char *f)
{
	struct text t = { .c = n->graph->c };
	text_printf(&t, "t = i0");
	for (int k = 1; k < vec_len(n->in); k++)
		text_printf(&t, "; t = %s(t, i%d)", f, k);
	return t.s;
}

static const char *max_expr(const struct node *n)
{
	return str_printf(n->graph->c, "%s; t", chain(n, "maximum"));
}

static const char *min_expr(const struct node *n)
{
	return str_printf(n->graph->c, "%s; t", chain(n, "minimum"));
}

static const char *sum_expr(const struct node *n)
{
	return str_printf(n->graph->c, "%s; t", chain(n, "add"));
}

static const char *mean_expr(const struct node *n)
{
	return str_printf(n->graph->c, "%s; div(t, %d)", chain(n, "add"), vec_len(n->in));
}

const struct op op_max = { "", "Max", 13, 1, -1, 1, 1, 0, .expr_of = max_expr };
const struct op op_min = { "", "Min", 13, 1, -1, 1, 1, 0, .expr_of = min_expr };
const struct op op_sum = { "", "Sum", 13, 1, -1, 1, 1, 0, .expr_of = sum_expr };
const struct op op_mean = { "", "Mean", 13, 1, -1, 1, 1, 0, .expr_of = mean_expr };
