/*
 * trig.c - trigonometric and hyperbolic functions and their inverses: elementwise.
 */
#include "ops/op.h"

const struct op op_sin = { "", "Sin", 22, 1, 1, 1, 1, 0, .expr = "sin(a)" };
const struct op op_cos = { "", "Cos", 22, 1, 1, 1, 1, 0, .expr = "cos(a)" };
const struct op op_tan = { "", "Tan", 22, 1, 1, 1, 1, 0, .expr = "tan(a)" };
const struct op op_asin = { "", "Asin", 22, 1, 1, 1, 1, 0, .expr = "asin(a)" };
const struct op op_acos = { "", "Acos", 22, 1, 1, 1, 1, 0, .expr = "acos(a)" };
const struct op op_atan = { "", "Atan", 22, 1, 1, 1, 1, 0, .expr = "atan(a)" };
const struct op op_sinh = { "", "Sinh", 22, 1, 1, 1, 1, 0, .expr = "sinh(a)" };
const struct op op_cosh = { "", "Cosh", 22, 1, 1, 1, 1, 0, .expr = "cosh(a)" };
const struct op op_tanh = { "", "Tanh", 13, 1, 1, 1, 1, 0, .expr = "tanh(a)" };
const struct op op_asinh = { "", "Asinh", 22, 1, 1, 1, 1, 0, .expr = "asinh(a)" };
const struct op op_acosh = { "", "Acosh", 22, 1, 1, 1, 1, 0, .expr = "acosh(a)" };
const struct op op_atanh = { "", "Atanh", 22, 1, 1, 1, 1, 0, .expr = "atanh(a)" };
