/*
 * activation.c - activation functions: elementwise, an expression each (ir/ew.h).
 *
 * NaN stays NaN.  A clamp has its operands in the order that keeps NaN, and ends with + 0 (rule 13 of
 * docs/numerics.md).  exp(x) - 1 and log(1 + x) are primitives that are exact near zero.
 */
#include "ir/ew.h"
#include "ops/op.h"

const struct op op_relu = { "", "Relu", 14, 1, 1, 1, 1, 0, .expr = "add(max(0, a), 0)" };
const struct op op_leaky_relu = { "", "LeakyRelu", 16, 1, 1, 1, 1, 0,
	.expr = "sel(lt(a, 0), mul($alpha:0.01, a), a)" };
const struct op op_prelu = { "", "PRelu", 16, 2, 2, 1, 1, 0, .expr = "sel(lt(a, 0), mul(b, a), a)" };
const struct op op_elu = { "", "Elu", 22, 1, 1, 1, 1, 0,
	.expr = "sel(lt(a, 0), mul($alpha:1, expm1(a)), a)" };
const struct op op_selu = { "", "Selu", 22, 1, 1, 1, 1, 0,
	.expr = "mul($gamma:1.05070102214813232421875, sel(gt(a, 0), a, "
		"mul($alpha:1.67326319217681884765625, expm1(a))))" };
const struct op op_celu = { "", "Celu", 28, 1, 1, 1, 1, 0,
	.expr = "sel(gt(a, 0), a, mul($alpha:1, expm1(div(a, $alpha:1))))" };
const struct op op_thresholded_relu = { "", "ThresholdedRelu", 22, 1, 1, 1, 1, 0,
	.expr = "sel(le(a, $alpha:1), 0, a)" };
const struct op op_softplus = { "", "Softplus", 22, 1, 1, 1, 1, 0, .expr = "softplus(a)" };
const struct op op_softsign = { "", "Softsign", 22, 1, 1, 1, 1, 0, .expr = "div(a, add(1, abs(a)))" };
const struct op op_sigmoid = { "", "Sigmoid", 13, 1, 1, 1, 1, 0, .expr = "sigmoid(a)" };
const struct op op_hard_sigmoid = { "", "HardSigmoid", 22, 1, 1, 1, 1, 0,
	.expr = "add(max(0, min(1, fma($alpha:0.2, a, $beta:0.5))), 0)" };
const struct op op_hard_swish = { "", "HardSwish", 22, 1, 1, 1, 1, 0,
	.expr = "mul(a, add(max(0, min(1, fma(0.16666666666666666, a, 0.5))), 0))" };
const struct op op_mish = { "", "Mish", 22, 1, 1, 1, 1, 0, .expr = "mul(a, tanh(softplus(a)))" };
const struct op op_swish = { "", "Swish", 24, 1, 1, 1, 1, 0, .expr = "mul(a, sigmoid(mul($alpha:1, a)))" };
const struct op op_swiglu = { "", "SwiGLU", 28, 2, 2, 1, 1, 0,
	.expr = "mul(mul(a, sigmoid(mul($alpha:1, a))), b)" };

static const char *gelu_expr(const struct node *n)
{
	const char *how = attr_str(n, "approximate", "none");
	if (str_eq(how, "none"))
		return "mul(mul(0.5, a), add(1, erf(mul(a, 0.70710678118654752440))))";
	if (str_eq(how, "tanh"))
		/* 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
		return "mul(mul(0.5, a), add(1, tanh(mul(0.79788456080286535588, "
		       "fma(mul(0.044715, a), mul(a, a), a)))))";
	op_error(n, "approximate must be none or tanh, not \"%s\"", how);
	return NULL;
}

const struct op op_gelu = { "", "Gelu", 20, 1, 1, 1, 1, 0, .expr_of = gelu_expr };

/* Before opset 11 the bounds were attributes. */
static void clip_upgrade(struct node *n)
{
	if (n->version < 11) {
		op_attr_float_to_input(n, "min", 1);
		op_attr_float_to_input(n, "max", 2);
	}
}

static const char *clip_expr(const struct node *n)
{
	const bool low = node_in(n, 1), high = node_in(n, 2);
	return low && high ? "add(min(c, max(b, a)), 0)" : low ? "add(max(b, a), 0)" :
	       high ? "add(min(c, a), 0)" : "a";
}

const struct op op_clip = { "", "Clip", 13, 1, 3, 1, 1, 0, .upgrade = clip_upgrade, .expr_of = clip_expr };

/* Integers are compared as double with the float attributes. */
static const char *shrink_expr(const struct node *n)
{
	const struct value *x = node_in(n, 0);
	if (x && dtype_is_int(x->type.dtype))
		return "x = f64(a); like(a, sel(lt(x, neg($lambd:0.5)), add(x, $bias:0), "
		       "sel(gt(x, $lambd:0.5), sub(x, $bias:0), 0)))";
	return "sel(lt(a, neg($lambd:0.5)), add(a, $bias:0), sel(gt(a, $lambd:0.5), sub(a, $bias:0), 0))";
}

const struct op op_shrink = { "", "Shrink", 9, 1, 1, 1, 1, 0, .expr_of = shrink_expr };
const struct op op_binarizer = { "ai.onnx.ml", "Binarizer", 1, 1, 1, 1, 1, 0,
	.expr = "sel(gt(a, $threshold:0), 1, 0)" };

/* a chain of elementwise operators, made by fusion: attribute expr is the program */
const struct op op_elementwise = { "ampoule", "Elementwise", 1, 1, -1, 1, -1, 0, .expr = "$expr" };
