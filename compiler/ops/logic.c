/*
 * logic.c - And, Or, Xor, Not on bool; the bitwise operators and shifts on integers.  Elementwise.
 */
#include "ops/op.h"

const struct op op_and = { "", "And", 7, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "and(a, b)" };
const struct op op_or = { "", "Or", 7, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "or(a, b)" };
const struct op op_xor = { "", "Xor", 7, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "xor(a, b)" };
const struct op op_not = { "", "Not", 1, 1, 1, 1, 1, 0, .expr = "not(a)" };
const struct op op_bitwise_and = { "", "BitwiseAnd", 18, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "and(a, b)" };
const struct op op_bitwise_or = { "", "BitwiseOr", 18, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "or(a, b)" };
const struct op op_bitwise_xor = { "", "BitwiseXor", 18, 2, 2, 1, 1, OP_COMMUTATIVE, .expr = "xor(a, b)" };
const struct op op_bitwise_not = { "", "BitwiseNot", 18, 1, 1, 1, 1, 0, .expr = "not(a)" };

static const char *shift_expr(const struct node *n)
{
	const char *direction = attr_str(n, "direction", "");
	if (str_eq(direction, "LEFT"))
		return "shl(a, b)";
	if (str_eq(direction, "RIGHT"))
		return "shr(a, b)";
	op_error(n, "direction must be LEFT or RIGHT, not \"%s\"", direction);
	return NULL;
}

const struct op op_bit_shift = { "", "BitShift", 28, 2, 2, 1, 1, 0, .expr_of = shift_expr };
