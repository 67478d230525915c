/*
 * compare.c - comparisons, tests and Where: elementwise, an expression each (ir/ew.h).
 */
#include "ops/op.h"

const struct op op_equal = { "", "Equal", 19, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "eq(a, b)" };
const struct op op_less = { "", "Less", 13, 2, 2, 1, 1, 0, .expr = "lt(a, b)" };
const struct op op_less_or_equal = { "", "LessOrEqual", 16, 2, 2, 1, 1, 0, .expr = "le(a, b)" };
const struct op op_greater = { "", "Greater", 13, 2, 2, 1, 1, 0, .expr = "gt(a, b)" };
const struct op op_greater_or_equal = { "", "GreaterOrEqual", 16, 2, 2, 1, 1, 0, .expr = "ge(a, b)" };
const struct op op_where = { "", "Where", 16, 3, 3, 1, 1, 0, .expr = "sel(a, b, c)" };
const struct op op_is_nan = { "", "IsNaN", 20, 1, 1, 1, 1, 0, .expr = "isnan(a)" };

static const char *is_inf_expr(const struct node *n)
{
	const bool negative = attr_int(n, "detect_negative", 1) != 0;
	const bool positive = attr_int(n, "detect_positive", 1) != 0;
	return negative && positive ? "isinf(a)" : positive ? "eq(a, inf)" :
	       negative ? "eq(a, -inf)" : "and(isinf(a), isnan(a))";
}

const struct op op_is_inf = { "", "IsInf", 20, 1, 1, 1, 1, 0, .expr_of = is_inf_expr };
