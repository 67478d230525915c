/*
 * prim.h - the primitives of elementwise programs, one element wide: p_NAME_f32, p_NAME_f64,
 * p_NAME_i8 ... p_NAME_u64, p_NAME_b8 (emitted loops and the compiler's interpreter call these same
 * functions), and the sixteen-lane forms v_NAME that runtime/simd does not have.
 *
 * In:  operands of one type; comparisons and tests give uint8_t 0 or 1.
 * Out: floats by the numeric contract (docs/numerics.md); float16 and bfloat16 are computed as
 *      float and rounded by round_f16_f32 and its like.  Integers: prim_int.inc.
 */
#ifndef AMP_PRIM_H
#define AMP_PRIM_H

#include <stdint.h>
#include "simd/simd.h"
#include "simd/math_f64.h"

#if defined(__GNUC__)
#define PRIM static inline __attribute__((unused))
#else
#define PRIM static inline
#endif

/* ---- integers and bool ------------------------------------------------------------------- */

#define PT int8_t
#define PN(name) p_##name##_i8
#define P_OF_F64 i8_of_f64
#define P_MIN INT8_MIN
#define P_MAX INT8_MAX
#define P_BITS 8
#define P_SIGNED 1
#include "kernels/prim_int.inc"

#define PT int16_t
#define PN(name) p_##name##_i16
#define P_OF_F64 i16_of_f64
#define P_MIN INT16_MIN
#define P_MAX INT16_MAX
#define P_BITS 16
#define P_SIGNED 1
#include "kernels/prim_int.inc"

#define PT int32_t
#define PN(name) p_##name##_i32
#define P_OF_F64 i32_of_f64
#define P_MIN INT32_MIN
#define P_MAX INT32_MAX
#define P_BITS 32
#define P_SIGNED 1
#include "kernels/prim_int.inc"

#define PT int64_t
#define PN(name) p_##name##_i64
#define P_OF_F64 i64_of_f64
#define P_MIN INT64_MIN
#define P_MAX INT64_MAX
#define P_BITS 64
#define P_SIGNED 1
#include "kernels/prim_int.inc"

#define PT uint8_t
#define PN(name) p_##name##_u8
#define P_OF_F64 u8_of_f64
#define P_MIN 0
#define P_MAX UINT8_MAX
#define P_BITS 8
#define P_SIGNED 0
#include "kernels/prim_int.inc"

#define PT uint16_t
#define PN(name) p_##name##_u16
#define P_OF_F64 u16_of_f64
#define P_MIN 0
#define P_MAX UINT16_MAX
#define P_BITS 16
#define P_SIGNED 0
#include "kernels/prim_int.inc"

#define PT uint32_t
#define PN(name) p_##name##_u32
#define P_OF_F64 u32_of_f64
#define P_MIN 0
#define P_MAX UINT32_MAX
#define P_BITS 32
#define P_SIGNED 0
#include "kernels/prim_int.inc"

#define PT uint64_t
#define PN(name) p_##name##_u64
#define P_OF_F64 u64_of_f64
#define P_MIN 0
#define P_MAX UINT64_MAX
#define P_BITS 64
#define P_SIGNED 0
#include "kernels/prim_int.inc"

/* any byte but 0 is true */
PRIM uint8_t p_not_b8(uint8_t a) { return !a; }
PRIM uint8_t p_and_b8(uint8_t a, uint8_t b) { return a && b; }
PRIM uint8_t p_or_b8(uint8_t a, uint8_t b) { return a || b; }
PRIM uint8_t p_xor_b8(uint8_t a, uint8_t b) { return !a != !b; }
PRIM uint8_t p_eq_b8(uint8_t a, uint8_t b) { return !a == !b; }
PRIM uint8_t p_ne_b8(uint8_t a, uint8_t b) { return !a != !b; }
PRIM uint8_t p_sel_b8(uint8_t c, uint8_t a, uint8_t b) { return (c ? a : b) != 0; }

/* ---- float and double -------------------------------------------------------------------- */

PRIM float p_sqrt_f32(float a) { return s_sqrt(a); }
PRIM float p_exp_f32(float a) { return s_exp(a); }
PRIM float p_log_f32(float a) { return s_log(a); }
PRIM float p_tanh_f32(float a) { return s_tanh(a); }
PRIM float p_erf_f32(float a) { return s_erf(a); }
PRIM float p_sigmoid_f32(float a) { return s_sigmoid(a); }
PRIM float p_floor_f32(float a) { return s_floor(a); }
PRIM float p_ceil_f32(float a) { return s_ceil(a); }
PRIM float p_rint_f32(float a) { return s_rint(a); }
PRIM float p_trunc_f32(float a) { return s_trunc(a); }
PRIM float p_neg_f32(float a) { return s_neg(a); }
PRIM float p_abs_f32(float a) { return s_abs(a); }
PRIM float p_expm1_f32(float a) { return s_expm1(a); }
PRIM float p_log1p_f32(float a) { return s_log1p(a); }
PRIM float p_softplus_f32(float a) { return s_softplus(a); }
PRIM float p_sin_f32(float a) { return s_sin(a); }
PRIM float p_cos_f32(float a) { return s_cos(a); }
PRIM float p_tan_f32(float a) { return s_tan(a); }
PRIM float p_asin_f32(float a) { return s_asin(a); }
PRIM float p_acos_f32(float a) { return s_acos(a); }
PRIM float p_atan_f32(float a) { return s_atan(a); }
PRIM float p_sinh_f32(float a) { return s_sinh(a); }
PRIM float p_cosh_f32(float a) { return s_cosh(a); }
PRIM float p_asinh_f32(float a) { return s_asinh(a); }
PRIM float p_acosh_f32(float a) { return s_acosh(a); }
PRIM float p_atanh_f32(float a) { return s_atanh(a); }
PRIM float p_add_f32(float a, float b) { return s_add(a, b); }
PRIM float p_sub_f32(float a, float b) { return s_sub(a, b); }
PRIM float p_mul_f32(float a, float b) { return s_mul(a, b); }
PRIM float p_div_f32(float a, float b) { return s_div(a, b); }
PRIM float p_max_f32(float a, float b) { return s_max(a, b); }
PRIM float p_min_f32(float a, float b) { return s_min(a, b); }
PRIM float p_pow_f32(float a, float b) { return s_pow(a, b); }
PRIM float p_fma_f32(float a, float b, float c) { return s_fma(a, b, c); }
PRIM uint8_t p_lt_f32(float a, float b) { return a < b; }
PRIM uint8_t p_le_f32(float a, float b) { return a <= b; }
PRIM uint8_t p_gt_f32(float a, float b) { return a > b; }
PRIM uint8_t p_ge_f32(float a, float b) { return a >= b; }
PRIM uint8_t p_eq_f32(float a, float b) { return a == b; }
PRIM uint8_t p_ne_f32(float a, float b) { return a != b; }
PRIM uint8_t p_isnan_f32(float a) { return a != a; }
PRIM uint8_t p_isinf_f32(float a) { return s_abs(a) == __builtin_inff(); }
PRIM float p_sel_f32(uint8_t c, float a, float b) { return s_sel(c ? 0xffffffffu : 0, a, b); }
/* NaN if either is */
PRIM float p_maximum_f32(float a, float b) { return a != a ? a : p_max_f32(a, b); }
PRIM float p_minimum_f32(float a, float b) { return a != a ? a : p_min_f32(a, b); }

PRIM double p_sqrt_f64(double a) { return d_sqrt(a); }
PRIM double p_exp_f64(double a) { return d_exp(a); }
PRIM double p_log_f64(double a) { return d_log(a); }
PRIM double p_tanh_f64(double a) { return d_tanh(a); }
PRIM double p_erf_f64(double a) { return d_erf(a); }
PRIM double p_sigmoid_f64(double a) { return d_sigmoid(a); }
PRIM double p_floor_f64(double a) { return d_floor(a); }
PRIM double p_ceil_f64(double a) { return d_ceil(a); }
PRIM double p_rint_f64(double a) { return d_rint(a); }
PRIM double p_trunc_f64(double a) { return d_trunc(a); }
PRIM double p_neg_f64(double a) { return d_neg(a); }
PRIM double p_abs_f64(double a) { return d_abs(a); }
PRIM double p_expm1_f64(double a) { return d_expm1(a); }
PRIM double p_log1p_f64(double a) { return d_log1p(a); }
PRIM double p_softplus_f64(double a) { return d_softplus(a); }
PRIM double p_sin_f64(double a) { return d_sin(a); }
PRIM double p_cos_f64(double a) { return d_cos(a); }
PRIM double p_tan_f64(double a) { return d_tan(a); }
PRIM double p_asin_f64(double a) { return d_asin(a); }
PRIM double p_acos_f64(double a) { return d_acos(a); }
PRIM double p_atan_f64(double a) { return d_atan(a); }
PRIM double p_sinh_f64(double a) { return d_sinh(a); }
PRIM double p_cosh_f64(double a) { return d_cosh(a); }
PRIM double p_asinh_f64(double a) { return d_asinh(a); }
PRIM double p_acosh_f64(double a) { return d_acosh(a); }
PRIM double p_atanh_f64(double a) { return d_atanh(a); }
PRIM double p_add_f64(double a, double b) { return d_add(a, b); }
PRIM double p_sub_f64(double a, double b) { return d_sub(a, b); }
PRIM double p_mul_f64(double a, double b) { return d_mul(a, b); }
PRIM double p_div_f64(double a, double b) { return d_div(a, b); }
PRIM double p_max_f64(double a, double b) { return d_max(a, b); }
PRIM double p_min_f64(double a, double b) { return d_min(a, b); }
PRIM double p_pow_f64(double a, double b) { return d_pow(a, b); }
PRIM double p_fma_f64(double a, double b, double c) { return d_fma(a, b, c); }
PRIM uint8_t p_lt_f64(double a, double b) { return a < b; }
PRIM uint8_t p_le_f64(double a, double b) { return a <= b; }
PRIM uint8_t p_gt_f64(double a, double b) { return a > b; }
PRIM uint8_t p_ge_f64(double a, double b) { return a >= b; }
PRIM uint8_t p_eq_f64(double a, double b) { return a == b; }
PRIM uint8_t p_ne_f64(double a, double b) { return a != b; }
PRIM uint8_t p_isnan_f64(double a) { return a != a; }
PRIM uint8_t p_isinf_f64(double a) { return d_abs(a) == __builtin_inf(); }
PRIM double p_sel_f64(uint8_t c, double a, double b) { return c ? a : b; }
/* NaN if either is */
PRIM double p_maximum_f64(double a, double b) { return a != a ? a : p_max_f64(a, b); }
PRIM double p_minimum_f64(double a, double b) { return a != a ? a : p_min_f64(a, b); }

/* storage types: the value that float16 or bfloat16 would keep (rule 15) */
PRIM float round_f16_f32(float a) { return amp_f16_to_f32(amp_f32_to_f16(a)); }
PRIM float round_bf16_f32(float a) { return amp_bf16_to_f32(amp_f32_to_bf16(a)); }
PRIM float round_f16_f64(double a) { return amp_f16_to_f32(amp_f64_to_f16(a)); }
PRIM float round_bf16_f64(double a) { return amp_bf16_to_f32(amp_f64_to_bf16(a)); }

/* ---- remainders ---------------------------------------------------------------------------- */

/* C's fmod, exact: long division of the significands in binary */
PRIM double p_fmod_f64(double a, double b)
{
	uint64_t ua = d_ubits(a) & 0x7fffffffffffffffu, ub = d_ubits(b) & 0x7fffffffffffffffu, m, d;
	int ea = (int)(ua >> 52), eb = (int)(ub >> 52);
	if (a != a || b != b || ea == 2047 || ub == 0)
		return __builtin_nan("");
	if (ua < ub)
		return a;
	m = ea ? (ua & 0xfffffffffffffu) | (uint64_t)1 << 52 : ua;
	d = eb ? (ub & 0xfffffffffffffu) | (uint64_t)1 << 52 : ub;
	ea += !ea;
	eb += !eb;
	for (; ea > eb; ea--)
		m = (m >= d ? m - d : m) << 1;
	if (m >= d)
		m -= d;
	if (m == 0)
		return d_copysign(0.0, a);
	for (; m >> 52 == 0 && ea > 1; ea--)
		m <<= 1;
	m = m >> 52 ? m - ((uint64_t)1 << 52) + ((uint64_t)ea << 52) : m;
	return d_copysign(d_ufloat(m), a);
}

/* the sign of the divisor, as Python's % */
PRIM double p_mod_f64(double a, double b)
{
	const double r = p_fmod_f64(a, b);
	if (r == 0)
		return d_copysign(0.0, b);
	return (r < 0) != (b < 0) ? r + b : r;
}

PRIM float p_fmod_f32(float a, float b) { return (float)p_fmod_f64(a, b); }
PRIM float p_mod_f32(float a, float b)
{
	const float r = p_fmod_f32(a, b);
	if (r == 0)
		return s_copysign(0.0f, b);
	return (r < 0) != (b < 0) ? r + b : r;
}


/* ---- sixteen lanes ------------------------------------------------------------------------ */

PRIM vm v_isnan(vf a) { return v_ne(a, a); }
PRIM vm v_isinf(vf a) { return v_eq(v_abs(a), v_set1(__builtin_inff())); }
PRIM vf v_maximum(vf a, vf b) { return v_sel(v_ne(a, a), a, v_max(a, b)); }
PRIM vf v_minimum(vf a, vf b) { return v_sel(v_ne(a, a), a, v_min(a, b)); }
PRIM vm vm_xor(vm a, vm b) { return vm_or(vm_and(a, vm_not(b)), vm_and(b, vm_not(a))); }

PRIM vf v_fmod(vf a, vf b)
{
	float x[16], y[16];
	v_store(x, a);
	v_store(y, b);
	for (int i = 0; i < 16; i++)
		x[i] = p_fmod_f32(x[i], y[i]);
	return v_load(x);
}

PRIM vf v_mod(vf a, vf b)
{
	float x[16], y[16];
	v_store(x, a);
	v_store(y, b);
	for (int i = 0; i < 16; i++)
		x[i] = p_mod_f32(x[i], y[i]);
	return v_load(x);
}

#endif
