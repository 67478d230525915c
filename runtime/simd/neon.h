/*
 * neon.h - the sixteen-lane primitives on 64-bit Arm's vectors: four registers of four.
 *
 * In:  aarch64 (its vectors have fma, division and square root, and keep subnormals; ARMv7's flush
 *      them, so there it is plain C).
 * Out: as generic.h, bit for bit; q0 holds lanes 0 to 3, and so on.
 *
 * Maximum and minimum are a comparison and a selection: FMAX prefers +0 to -0 and any NaN to a
 * number (rule 13). Division and square root are the exact instructions, never the estimates.
 *
 * What a comparison gives is opaque to the compiler (guard.h). Otherwise it may find an FMAX in a selection,
 * and clang 19 does make "a > c or b > c" into FMAXNM(a, b) > c, false where a is a signaling NaN.
 */
#ifndef AMP_SIMD_NEON_H
#define AMP_SIMD_NEON_H

#include <arm_neon.h>

#include "scalar.h"

#if !defined __aarch64__
#error "AMP_ISA_NEON is for 64-bit Arm; elsewhere use plain C, AMP_ISA_GENERIC"
#endif
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "AMP_ISA_NEON is for little-endian machines"
#endif

#define AMP_ISA_NAME "neon"

typedef struct { float32x4_t q0, q1, q2, q3; } vf;
typedef struct { int32x4_t q0, q1, q2, q3; } vi;
typedef struct { uint32x4_t q0, q1, q2, q3; } vm; /* lanes all ones or zero */

/* ---- memory and lanes ---- */

static inline vf v_load(const float *p)
{
	return (vf){ vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12) };
}

static inline void v_store(float *p, vf a)
{
	vst1q_f32(p, a.q0);
	vst1q_f32(p + 4, a.q1);
	vst1q_f32(p + 8, a.q2);
	vst1q_f32(p + 12, a.q3);
}

static inline vf v_load_n(const float *p, int n)
{
	float f[16] = { 0 };

	for (int i = 0; i < 16 && i < n; i++)
		f[i] = p[i];
	return v_load(f);
}

static inline void v_store_n(float *p, vf a, int n)
{
	float f[16];

	v_store(f, a);
	for (int i = 0; i < 16 && i < n; i++)
		p[i] = f[i];
}

static inline vi vi_load(const int32_t *p)
{
	return (vi){ vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12) };
}

static inline void vi_store(int32_t *p, vi a)
{
	vst1q_s32(p, a.q0);
	vst1q_s32(p + 4, a.q1);
	vst1q_s32(p + 8, a.q2);
	vst1q_s32(p + 12, a.q3);
}

static inline float v_get(vf a, int lane)
{
	float f[16];

	v_store(f, a);
	return f[lane];
}

static inline vf v_set1(float x)
{
	float32x4_t q = vdupq_n_f32(x);

	return (vf){ q, q, q, q };
}

static inline vf v_zero(void) { return v_set1(0.0f); }

static inline vi vi_set1(int32_t x)
{
	int32x4_t q = vdupq_n_s32(x);

	return (vi){ q, q, q, q };
}

static inline vm vm_first(int n)
{
	static const int32_t lanes[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	int32x4_t k = vdupq_n_s32(n);
	vi l = vi_load(lanes);

	return (vm){ vcgtq_s32(k, l.q0), vcgtq_s32(k, l.q1), vcgtq_s32(k, l.q2),
		     vcgtq_s32(k, l.q3) };
}

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b)
{
	return (vf){ vaddq_f32(a.q0, b.q0), vaddq_f32(a.q1, b.q1),
		     vaddq_f32(a.q2, b.q2), vaddq_f32(a.q3, b.q3) };
}

static inline vf v_sub(vf a, vf b)
{
	return (vf){ vsubq_f32(a.q0, b.q0), vsubq_f32(a.q1, b.q1),
		     vsubq_f32(a.q2, b.q2), vsubq_f32(a.q3, b.q3) };
}

static inline vf v_mul(vf a, vf b)
{
	return (vf){ vmulq_f32(a.q0, b.q0), vmulq_f32(a.q1, b.q1),
		     vmulq_f32(a.q2, b.q2), vmulq_f32(a.q3, b.q3) };
}

static inline vf v_div(vf a, vf b)
{
	return (vf){ vdivq_f32(a.q0, b.q0), vdivq_f32(a.q1, b.q1),
		     vdivq_f32(a.q2, b.q2), vdivq_f32(a.q3, b.q3) };
}

static inline uint32x4_t amp_lt4(float32x4_t a, float32x4_t b)
{
	uint32x4_t m = vcltq_f32(a, b);

	AMP_OPAQUE(m);
	return m;
}

static inline uint32x4_t amp_le4(float32x4_t a, float32x4_t b)
{
	uint32x4_t m = vcleq_f32(a, b);

	AMP_OPAQUE(m);
	return m;
}

static inline uint32x4_t amp_eq4(float32x4_t a, float32x4_t b)
{
	uint32x4_t m = vceqq_f32(a, b);

	AMP_OPAQUE(m);
	return m;
}

static inline uint32x4_t amp_gt4(float32x4_t a, float32x4_t b)
{
	uint32x4_t m = vcgtq_f32(a, b);

	AMP_OPAQUE(m);
	return m;
}

static inline uint32x4_t amp_ge4(float32x4_t a, float32x4_t b)
{
	uint32x4_t m = vcgeq_f32(a, b);

	AMP_OPAQUE(m);
	return m;
}

static inline float32x4_t amp_max4(float32x4_t a, float32x4_t b)
{
	return vbslq_f32(amp_gt4(a, b), a, b);
}

static inline float32x4_t amp_min4(float32x4_t a, float32x4_t b)
{
	return vbslq_f32(amp_lt4(a, b), a, b);
}

static inline vf v_max(vf a, vf b)
{
	return (vf){ amp_max4(a.q0, b.q0), amp_max4(a.q1, b.q1),
		     amp_max4(a.q2, b.q2), amp_max4(a.q3, b.q3) };
}

static inline vf v_min(vf a, vf b)
{
	return (vf){ amp_min4(a.q0, b.q0), amp_min4(a.q1, b.q1),
		     amp_min4(a.q2, b.q2), amp_min4(a.q3, b.q3) };
}

static inline vf v_fma(vf a, vf b, vf c)
{
	return (vf){ vfmaq_f32(c.q0, a.q0, b.q0), vfmaq_f32(c.q1, a.q1, b.q1),
		     vfmaq_f32(c.q2, a.q2, b.q2), vfmaq_f32(c.q3, a.q3, b.q3) };
}

static inline vf v_sqrt(vf a)
{
	return (vf){ vsqrtq_f32(a.q0), vsqrtq_f32(a.q1), vsqrtq_f32(a.q2), vsqrtq_f32(a.q3) };
}

static inline vf v_neg(vf a)
{
	return (vf){ vnegq_f32(a.q0), vnegq_f32(a.q1), vnegq_f32(a.q2), vnegq_f32(a.q3) };
}

static inline vf v_abs(vf a)
{
	return (vf){ vabsq_f32(a.q0), vabsq_f32(a.q1), vabsq_f32(a.q2), vabsq_f32(a.q3) };
}

/* FRINTN, FRINTM, FRINTP, FRINTZ: the zero of a small number keeps its sign */
static inline vf v_rint(vf a)
{
	return (vf){ vrndnq_f32(a.q0), vrndnq_f32(a.q1), vrndnq_f32(a.q2), vrndnq_f32(a.q3) };
}

static inline vf v_floor(vf a)
{
	return (vf){ vrndmq_f32(a.q0), vrndmq_f32(a.q1), vrndmq_f32(a.q2), vrndmq_f32(a.q3) };
}

static inline vf v_ceil(vf a)
{
	return (vf){ vrndpq_f32(a.q0), vrndpq_f32(a.q1), vrndpq_f32(a.q2), vrndpq_f32(a.q3) };
}

static inline vf v_trunc(vf a)
{
	return (vf){ vrndq_f32(a.q0), vrndq_f32(a.q1), vrndq_f32(a.q2), vrndq_f32(a.q3) };
}

/* guard.h, AMP_OPAQUE */
static inline vf v_opaque(vf a)
{
	__asm__("" : "+w"(a.q0), "+w"(a.q1), "+w"(a.q2), "+w"(a.q3));
	return a;
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b)
{
	return (vm){ amp_lt4(a.q0, b.q0), amp_lt4(a.q1, b.q1),
		     amp_lt4(a.q2, b.q2), amp_lt4(a.q3, b.q3) };
}

static inline vm v_le(vf a, vf b)
{
	return (vm){ amp_le4(a.q0, b.q0), amp_le4(a.q1, b.q1),
		     amp_le4(a.q2, b.q2), amp_le4(a.q3, b.q3) };
}

static inline vm v_eq(vf a, vf b)
{
	return (vm){ amp_eq4(a.q0, b.q0), amp_eq4(a.q1, b.q1),
		     amp_eq4(a.q2, b.q2), amp_eq4(a.q3, b.q3) };
}

static inline vm v_gt(vf a, vf b)
{
	return (vm){ amp_gt4(a.q0, b.q0), amp_gt4(a.q1, b.q1),
		     amp_gt4(a.q2, b.q2), amp_gt4(a.q3, b.q3) };
}

static inline vm v_ge(vf a, vf b)
{
	return (vm){ amp_ge4(a.q0, b.q0), amp_ge4(a.q1, b.q1),
		     amp_ge4(a.q2, b.q2), amp_ge4(a.q3, b.q3) };
}

static inline vm vm_and(vm a, vm b)
{
	return (vm){ vandq_u32(a.q0, b.q0), vandq_u32(a.q1, b.q1),
		     vandq_u32(a.q2, b.q2), vandq_u32(a.q3, b.q3) };
}

static inline vm vm_or(vm a, vm b)
{
	return (vm){ vorrq_u32(a.q0, b.q0), vorrq_u32(a.q1, b.q1),
		     vorrq_u32(a.q2, b.q2), vorrq_u32(a.q3, b.q3) };
}

static inline vm vm_not(vm a)
{
	return (vm){ vmvnq_u32(a.q0), vmvnq_u32(a.q1), vmvnq_u32(a.q2), vmvnq_u32(a.q3) };
}

static inline vm v_ne(vf a, vf b) { return vm_not(v_eq(a, b)); }

static inline int vm_any(vm a)
{
	return vmaxvq_u32(vorrq_u32(vorrq_u32(a.q0, a.q1), vorrq_u32(a.q2, a.q3))) != 0;
}

static inline int vm_all(vm a)
{
	return vminvq_u32(vandq_u32(vandq_u32(a.q0, a.q1), vandq_u32(a.q2, a.q3))) != 0;
}

static inline vf v_sel(vm m, vf a, vf b)
{
	return (vf){ vbslq_f32(m.q0, a.q0, b.q0), vbslq_f32(m.q1, a.q1, b.q1),
		     vbslq_f32(m.q2, a.q2, b.q2), vbslq_f32(m.q3, a.q3, b.q3) };
}

static inline vi vi_sel(vm m, vi a, vi b)
{
	return (vi){ vbslq_s32(m.q0, a.q0, b.q0), vbslq_s32(m.q1, a.q1, b.q1),
		     vbslq_s32(m.q2, a.q2, b.q2), vbslq_s32(m.q3, a.q3, b.q3) };
}

/* ---- integers ---- */

static inline vi v_bits(vf a)
{
	return (vi){ vreinterpretq_s32_f32(a.q0), vreinterpretq_s32_f32(a.q1), vreinterpretq_s32_f32(a.q2), vreinterpretq_s32_f32(a.q3) };
}

static inline vf v_float(vi a)
{
	return (vf){ vreinterpretq_f32_s32(a.q0), vreinterpretq_f32_s32(a.q1), vreinterpretq_f32_s32(a.q2), vreinterpretq_f32_s32(a.q3) };
}

static inline vi vi_add(vi a, vi b)
{
	return (vi){ vaddq_s32(a.q0, b.q0), vaddq_s32(a.q1, b.q1),
		     vaddq_s32(a.q2, b.q2), vaddq_s32(a.q3, b.q3) };
}

static inline vi vi_sub(vi a, vi b)
{
	return (vi){ vsubq_s32(a.q0, b.q0), vsubq_s32(a.q1, b.q1),
		     vsubq_s32(a.q2, b.q2), vsubq_s32(a.q3, b.q3) };
}

static inline vi vi_and(vi a, vi b)
{
	return (vi){ vandq_s32(a.q0, b.q0), vandq_s32(a.q1, b.q1),
		     vandq_s32(a.q2, b.q2), vandq_s32(a.q3, b.q3) };
}

static inline vi vi_or(vi a, vi b)
{
	return (vi){ vorrq_s32(a.q0, b.q0), vorrq_s32(a.q1, b.q1),
		     vorrq_s32(a.q2, b.q2), vorrq_s32(a.q3, b.q3) };
}

static inline vi vi_xor(vi a, vi b)
{
	return (vi){ veorq_s32(a.q0, b.q0), veorq_s32(a.q1, b.q1),
		     veorq_s32(a.q2, b.q2), veorq_s32(a.q3, b.q3) };
}

/*
 * The operators of the compilers' vectors, since the intrinsics with a variable count shift to the
 * left only, and those with an immediate want a constant expression.
 */
static inline int32x4_t amp_shl4(int32x4_t a, int k)
{
	return vreinterpretq_s32_u32(vreinterpretq_u32_s32(a) << vdupq_n_u32((uint32_t)k));
}

static inline int32x4_t amp_shr4(int32x4_t a, int k)
{
	return vreinterpretq_s32_u32(vreinterpretq_u32_s32(a) >> vdupq_n_u32((uint32_t)k));
}

static inline int32x4_t amp_sar4(int32x4_t a, int k) { return a >> vdupq_n_s32(k); }

static inline vi vi_shl(vi a, int k)
{
	return (vi){ amp_shl4(a.q0, k), amp_shl4(a.q1, k), amp_shl4(a.q2, k), amp_shl4(a.q3, k) };
}

static inline vi vi_shr(vi a, int k)
{
	return (vi){ amp_shr4(a.q0, k), amp_shr4(a.q1, k), amp_shr4(a.q2, k), amp_shr4(a.q3, k) };
}

static inline vi vi_sar(vi a, int k)
{
	return (vi){ amp_sar4(a.q0, k), amp_sar4(a.q1, k), amp_sar4(a.q2, k), amp_sar4(a.q3, k) };
}

static inline vm vi_lt(vi a, vi b)
{
	return (vm){ vcltq_s32(a.q0, b.q0), vcltq_s32(a.q1, b.q1),
		     vcltq_s32(a.q2, b.q2), vcltq_s32(a.q3, b.q3) };
}

static inline vm vi_eq(vi a, vi b)
{
	return (vm){ vceqq_s32(a.q0, b.q0), vceqq_s32(a.q1, b.q1),
		     vceqq_s32(a.q2, b.q2), vceqq_s32(a.q3, b.q3) };
}

static inline vf v_from_i(vi a)
{
	return (vf){ vcvtq_f32_s32(a.q0), vcvtq_f32_s32(a.q1), vcvtq_f32_s32(a.q2), vcvtq_f32_s32(a.q3) };
}

/* FCVTNS and FCVTZS saturate and make NaN 0 (rule 14) */
static inline vi v_to_i(vf a)
{
	return (vi){ vcvtnq_s32_f32(a.q0), vcvtnq_s32_f32(a.q1), vcvtnq_s32_f32(a.q2), vcvtnq_s32_f32(a.q3) };
}

static inline vi v_to_i_trunc(vf a)
{
	return (vi){ vcvtq_s32_f32(a.q0), vcvtq_s32_f32(a.q1), vcvtq_s32_f32(a.q2), vcvtq_s32_f32(a.q3) };
}

static inline vf v_ldexp(vf a, vf nf, vi n)
{
	vi bias = vi_set1(127), h = vi_sar(n, 1), l = vi_sub(n, h);

	(void)nf;
	a = v_mul(a, v_float(vi_shl(vi_add(h, bias), 23)));
	return v_mul(a, v_float(vi_shl(vi_add(l, bias), 23)));
}

/* ---- the combining tree of rule 4: lanes 8 apart, then 4, 2, 1 ---- */

static inline float v_tree_add(vf a)
{
	float32x4_t q = vaddq_f32(vaddq_f32(a.q0, a.q2), vaddq_f32(a.q1, a.q3));
	float32x2_t d = vadd_f32(vget_low_f32(q), vget_high_f32(q));

	return vget_lane_f32(d, 0) + vget_lane_f32(d, 1);
}

static inline float v_tree_mul(vf a)
{
	float32x4_t q = vmulq_f32(vmulq_f32(a.q0, a.q2), vmulq_f32(a.q1, a.q3));
	float32x2_t d = vmul_f32(vget_low_f32(q), vget_high_f32(q));

	return vget_lane_f32(d, 0) * vget_lane_f32(d, 1);
}

static inline float v_tree_max(vf a)
{
	float32x4_t q = amp_max4(amp_max4(a.q0, a.q2), amp_max4(a.q1, a.q3));

	q = amp_max4(q, vextq_f32(q, q, 2));
	return s_max(vgetq_lane_f32(q, 0), vgetq_lane_f32(q, 1));
}

static inline float v_tree_min(vf a)
{
	float32x4_t q = amp_min4(amp_min4(a.q0, a.q2), amp_min4(a.q1, a.q3));

	q = amp_min4(q, vextq_f32(q, q, 2));
	return s_min(vgetq_lane_f32(q, 0), vgetq_lane_f32(q, 1));
}

#endif
