/*
 * winograd_forms.h - the transforms of winograd_c16.inc, in the order of operations that docs/numerics.md states.
 *
 * F(T x T, R x R) works on N x N points, N = T + R - 1: finite ones and infinity.
 *	N = 4	0, 1, -1			F(2, 3)
 *	N = 5	3/8, -3/8, 3/2, -3/2		F(4, 2)
 *	N = 6	0, 3/4, -3/4, 3/2, -3/2		F(4, 3)
 *	N = 7	1/4, -1/4, 7/8, -7/8, 7/4, -7/4	F(5, 3), F(4, 4)
 *	N = 8	0, 1, -1, 9/16, -9/16, 7/4, -7/4	F(6, 3)
 * in:  amp_wino_inN: N x N pixels -> points        out: amp_wino_outTxR: points -> T x T sums
 * A two-dimensional transform does each column first, then each row of the result.  The lanes are channels.
 * Late: the products were made with weights whose rows are not divided by f (winograd_late.h), so that the transform of
 * rows divides: amp_wino_outTxR_late.
 * The points were searched for the least error among dyadic ones: every constant is a float.
 */
#ifndef AMP_WINOGRAD_FORMS_H
#define AMP_WINOGRAD_FORMS_H

#include "kernels/tile.h"

#define AMP_WINO_MAX 8

/* phase <-> its place in the order of the sum */
AMP_INLINE int32_t amp_wino_phase(int32_t i)
{
	return i < 2 ? 1 - i : i;
}

/* What a form's number holds: N, and whether its weights are late */
#define AMP_WINO_LATE 16
#define AMP_WINO_SIDE(form) ((form) & 15)

/* a pair of points +-p: even part e, odd part f */
#define AMP_WINO_PAIR(p, e, f, plus, minus) \
	(plus) = v_fma(v_set1(p), f, e); \
	(minus) = v_fma(v_set1(-(p)), f, e);

AMP_INLINE void amp_wino_b4(const vf *d, vf *t)
{
	t[0] = v_sub(d[0], d[2]);
	t[1] = v_add(d[1], d[2]);
	t[2] = v_sub(d[2], d[1]);
	t[3] = v_sub(d[1], d[3]);
}

/* x^4 - s x^2 + p, by Horner's rule */
#define AMP_WINO_EVEN(s, p, x4, x2, x0) v_fma(v_set1(p), x0, v_fma(v_set1(-(s)), x2, x4))

AMP_INLINE void amp_wino_b5(const vf *d, vf *t)
{
	const vf o1 = v_fma(v_set1(-2.25f), d[1], d[3]), e1 = v_fma(v_set1(-2.25f), d[0], d[2]);
	const vf o2 = v_fma(v_set1(-9.0f / 64), d[1], d[3]), e2 = v_fma(v_set1(-9.0f / 64), d[0], d[2]);
	AMP_WINO_PAIR(0.375f, o1, e1, t[0], t[1])
	AMP_WINO_PAIR(1.5f, o2, e2, t[2], t[3])
	t[4] = AMP_WINO_EVEN(153.0f / 64, 81.0f / 256, d[4], d[2], d[0]);
}

AMP_INLINE void amp_wino_b6(const vf *d, vf *t)
{
	const vf e1 = v_fma(v_set1(-2.25f), d[2], d[4]), f1 = v_fma(v_set1(-2.25f), d[1], d[3]);
	const vf e2 = v_fma(v_set1(-0.5625f), d[2], d[4]), f2 = v_fma(v_set1(-0.5625f), d[1], d[3]);
	t[0] = AMP_WINO_EVEN(2.8125f, 1.265625f, d[4], d[2], d[0]);
	AMP_WINO_PAIR(0.75f, e1, f1, t[1], t[2])
	AMP_WINO_PAIR(1.5f, e2, f2, t[3], t[4])
	t[5] = AMP_WINO_EVEN(2.8125f, 1.265625f, d[5], d[3], d[1]);
}

AMP_INLINE void amp_wino_b7(const vf *d, vf *t)
{
	const vf o1 = AMP_WINO_EVEN(245.0f / 64, 2401.0f / 1024, d[5], d[3], d[1]);
	const vf e1 = AMP_WINO_EVEN(245.0f / 64, 2401.0f / 1024, d[4], d[2], d[0]);
	const vf o2 = AMP_WINO_EVEN(3.125f, 49.0f / 256, d[5], d[3], d[1]);
	const vf e2 = AMP_WINO_EVEN(3.125f, 49.0f / 256, d[4], d[2], d[0]);
	const vf o3 = AMP_WINO_EVEN(53.0f / 64, 49.0f / 1024, d[5], d[3], d[1]);
	const vf e3 = AMP_WINO_EVEN(53.0f / 64, 49.0f / 1024, d[4], d[2], d[0]);
	AMP_WINO_PAIR(0.25f, o1, e1, t[0], t[1])
	AMP_WINO_PAIR(0.875f, o2, e2, t[2], t[3])
	AMP_WINO_PAIR(1.75f, o3, e3, t[4], t[5])
	t[6] = v_fma(v_set1(-2401.0f / 16384), d[0],
		     v_fma(v_set1(1323.0f / 512), d[2], v_fma(v_set1(-249.0f / 64), d[4], d[6])));
}

/* (x^2 - 1)(x^2 - 81/256)(x^2 - 49/16) */
#define AMP_WINO_EVEN6(x6, x4, x2, x0) v_fma(v_set1(-3969.0f / 4096), x0, \
	v_fma(v_set1(17809.0f / 4096), x2, v_fma(v_set1(-1121.0f / 256), x4, x6)))

AMP_INLINE void amp_wino_b8(const vf *d, vf *t)
{
	const vf e1 = AMP_WINO_EVEN(865.0f / 256, 3969.0f / 4096, d[6], d[4], d[2]);
	const vf f1 = AMP_WINO_EVEN(865.0f / 256, 3969.0f / 4096, d[5], d[3], d[1]);
	const vf e2 = AMP_WINO_EVEN(4.0625f, 3.0625f, d[6], d[4], d[2]);
	const vf f2 = AMP_WINO_EVEN(4.0625f, 3.0625f, d[5], d[3], d[1]);
	const vf e3 = AMP_WINO_EVEN(337.0f / 256, 81.0f / 256, d[6], d[4], d[2]);
	const vf f3 = AMP_WINO_EVEN(337.0f / 256, 81.0f / 256, d[5], d[3], d[1]);
	t[0] = AMP_WINO_EVEN6(d[6], d[4], d[2], d[0]);
	t[1] = v_add(e1, f1);
	t[2] = v_sub(e1, f1);
	AMP_WINO_PAIR(0.5625f, e2, f2, t[3], t[4])
	AMP_WINO_PAIR(1.75f, e3, f3, t[5], t[6])
	t[7] = AMP_WINO_EVEN6(d[7], d[5], d[3], d[1]);
}

AMP_INLINE void amp_wino_a2x3(const vf *m, vf *y)
{
	y[0] = v_add(v_add(m[0], m[1]), m[2]);
	y[1] = v_sub(v_sub(m[1], m[2]), m[3]);
}

AMP_INLINE void amp_wino_a4x2(const vf *m, vf *y)
{
	const vf s1 = v_add(m[0], m[1]), d1 = v_sub(m[0], m[1]), s2 = v_add(m[2], m[3]), d2 = v_sub(m[2], m[3]);
	y[0] = v_add(s1, s2);
	y[1] = v_fma(v_set1(1.5f), d2, v_mul(v_set1(0.375f), d1));
	y[2] = v_fma(v_set1(2.25f), s2, v_mul(v_set1(9.0f / 64), s1));
	y[3] = v_add(v_fma(v_set1(3.375f), d2, v_mul(v_set1(27.0f / 512), d1)), m[4]);
}

AMP_INLINE void amp_wino_a4x3(const vf *m, vf *y)
{
	const vf s1 = v_add(m[1], m[2]), d1 = v_sub(m[1], m[2]), s2 = v_add(m[3], m[4]), d2 = v_sub(m[3], m[4]);
	y[0] = v_add(v_add(m[0], s1), s2);
	y[1] = v_fma(v_set1(1.5f), d2, v_mul(v_set1(0.75f), d1));
	y[2] = v_fma(v_set1(2.25f), s2, v_mul(v_set1(0.5625f), s1));
	y[3] = v_add(v_fma(v_set1(3.375f), d2, v_mul(v_set1(0.421875f), d1)), m[5]);
}

/* sum of p^k over the points of N = 7: pairs' sums for even k, differences for odd k */
#define AMP_WINO_SUM7(k1, k2, k3, a1, a2, a3) \
	v_fma(v_set1(k3), a3, v_fma(v_set1(k2), a2, v_mul(v_set1(k1), a1)))

AMP_INLINE void amp_wino_a4x4(const vf *m, vf *y)
{
	const vf s1 = v_add(m[0], m[1]), d1 = v_sub(m[0], m[1]), s2 = v_add(m[2], m[3]), d2 = v_sub(m[2], m[3]);
	const vf s3 = v_add(m[4], m[5]), d3 = v_sub(m[4], m[5]);
	y[0] = v_add(v_add(s1, s2), s3);
	y[1] = AMP_WINO_SUM7(0.25f, 0.875f, 1.75f, d1, d2, d3);
	y[2] = AMP_WINO_SUM7(0.0625f, 49.0f / 64, 49.0f / 16, s1, s2, s3);
	y[3] = v_add(AMP_WINO_SUM7(0.015625f, 343.0f / 512, 343.0f / 64, d1, d2, d3), m[6]);
}

AMP_INLINE void amp_wino_a5x3(const vf *m, vf *y)
{
	const vf s1 = v_add(m[0], m[1]), d1 = v_sub(m[0], m[1]), s2 = v_add(m[2], m[3]), d2 = v_sub(m[2], m[3]);
	const vf s3 = v_add(m[4], m[5]), d3 = v_sub(m[4], m[5]);
	y[0] = v_add(v_add(s1, s2), s3);
	y[1] = AMP_WINO_SUM7(0.25f, 0.875f, 1.75f, d1, d2, d3);
	y[2] = AMP_WINO_SUM7(0.0625f, 49.0f / 64, 49.0f / 16, s1, s2, s3);
	y[3] = AMP_WINO_SUM7(0.015625f, 343.0f / 512, 343.0f / 64, d1, d2, d3);
	y[4] = v_add(AMP_WINO_SUM7(0.00390625f, 2401.0f / 4096, 2401.0f / 256, s1, s2, s3), m[6]);
}

/*
 * Late: each point's sum is divided by the product f of its distances from the other finite points, in the constants
 * p^k / f, rounded once.  N = 6: f is the same at p and -p
 */
AMP_INLINE void amp_wino_a4x3_late(const vf *m, vf *y)
{
	const vf s1 = v_add(m[1], m[2]), d1 = v_sub(m[1], m[2]), s2 = v_add(m[3], m[4]), d2 = v_sub(m[3], m[4]);
	y[0] = AMP_WINO_SUM7((float)(64.0 / 81), (float)(-128.0 / 243), (float)(32.0 / 243), m[0], s1, s2);
	y[1] = v_fma(v_set1((float)(16.0 / 81)), d2, v_mul(v_set1((float)(-32.0 / 81)), d1));
	y[2] = v_fma(v_set1((float)(8.0 / 27)), s2, v_mul(v_set1((float)(-8.0 / 27)), s1));
	y[3] = v_add(v_fma(v_set1((float)(4.0 / 9)), d2, v_mul(v_set1((float)(-2.0 / 9)), d1)), m[5]);
}

/* N = 7: f has the other sign at -p, so that even k take differences */
AMP_INLINE void amp_wino_a5x3_late(const vf *m, vf *y)
{
	const vf s1 = v_sub(m[0], m[1]), d1 = v_add(m[0], m[1]), s2 = v_sub(m[2], m[3]), d2 = v_add(m[2], m[3]);
	const vf s3 = v_sub(m[4], m[5]), d3 = v_add(m[4], m[5]);
	y[0] = AMP_WINO_SUM7((float)(128.0 / 135), (float)(-16384.0 / 46305), (float)(128.0 / 3087), s1, s2, s3);
	y[1] = AMP_WINO_SUM7((float)(32.0 / 135), (float)(-2048.0 / 6615), (float)(32.0 / 441), d1, d2, d3);
	y[2] = AMP_WINO_SUM7((float)(8.0 / 135), (float)(-256.0 / 945), (float)(8.0 / 63), s1, s2, s3);
	y[3] = AMP_WINO_SUM7((float)(2.0 / 135), (float)(-32.0 / 135), (float)(2.0 / 9), d1, d2, d3);
	y[4] = v_add(AMP_WINO_SUM7((float)(1.0 / 270), (float)(-28.0 / 135), (float)(7.0 / 18), s1, s2, s3), m[6]);
}

/* the same for N = 8, the first pair 1 and -1 */
#define AMP_WINO_SUM8(k2, k3, a1, a2, a3) v_fma(v_set1(k3), a3, v_fma(v_set1(k2), a2, a1))

AMP_INLINE void amp_wino_a6x3(const vf *m, vf *y)
{
	const vf s1 = v_add(m[1], m[2]), d1 = v_sub(m[1], m[2]), s2 = v_add(m[3], m[4]), d2 = v_sub(m[3], m[4]);
	const vf s3 = v_add(m[5], m[6]), d3 = v_sub(m[5], m[6]);
	y[0] = v_add(v_add(v_add(m[0], s1), s2), s3);
	y[1] = AMP_WINO_SUM8(0.5625f, 1.75f, d1, d2, d3);
	y[2] = AMP_WINO_SUM8(81.0f / 256, 49.0f / 16, s1, s2, s3);
	y[3] = AMP_WINO_SUM8(729.0f / 4096, 343.0f / 64, d1, d2, d3);
	y[4] = AMP_WINO_SUM8(6561.0f / 65536, 2401.0f / 256, s1, s2, s3);
	y[5] = v_add(AMP_WINO_SUM8(59049.0f / 1048576, 16807.0f / 1024, d1, d2, d3), m[7]);
}

/* x: pixels `row` and `col` floats apart; v: points `point` floats apart */
typedef void amp_wino_in_fn(const float *x, int64_t row, int64_t col, float *v, int64_t point);
/* What follows the sums where it is simple: all lanes, z as y or NULL, Relu or nothing */
struct amp_wino_end {
	vf bias;
	const float *z;
	int relu;
};

/* m: points `point` floats apart; y: rows `row` floats apart; e NULL: the sums as they are */
typedef void amp_wino_out_fn(const float *m, int64_t point, const struct amp_wino_end *e, float *y, int64_t row);

AMP_INLINE vf amp_wino_finish(const struct amp_wino_end *e, vf bias, int64_t at, vf v)
{
	v = v_add(v, bias);
	if (e->z)
		v = v_add(v, v_load(e->z + at));
	return e->relu ? v_add(v_max(v_zero(), v), v_zero()) : v;
}

/* gcc would rather read an operand of several instructions again from memory each time */
#ifdef AMP_ISA_AVX512
#define AMP_WINO_KEEP(x) v_opaque(x)
#else
#define AMP_WINO_KEEP(x) (x)
#endif
#define AMP_WINO_LOAD(k) d[k] = AMP_WINO_KEEP(v_load(from + (k) * step));
#define AMP_WINO_TURN(k) d[k] = AMP_WINO_KEEP(c[k][i]);
#define AMP_WINO_STORE(k) v_store(to + (k) * next, r[k]);
/* and where a vector is four registers of SSE2, a loop is as fast as its steps written out, and a third of the code */
#ifdef AMP_ISA_SSE2
#define AMP_WINO_EACH(N, M) for (int64_t k = 0; k < N; k++) { M(k) }
#else
#define AMP_WINO_EACH(N, M) AMP_REP##N(M)
#endif
#define AMP_WINO_IN(N) \
static __attribute__((noinline, unused)) void amp_wino_in##N(const float *x, int64_t row, int64_t col, float *v, \
							     int64_t point) \
{ \
	vf c[N][N], d[N], r[N]; \
	const int64_t step = row, next = point; \
	for (int j = 0; j < N; j++) { \
		const float *from = x + j * col; \
		AMP_WINO_EACH(N, AMP_WINO_LOAD) \
		amp_wino_b##N(d, c[j]); \
	} \
	for (int i = 0; i < N; i++) { \
		float *to = v + i * N * point; \
		AMP_WINO_EACH(N, AMP_WINO_TURN) \
		amp_wino_b##N(d, r); \
		AMP_WINO_EACH(N, AMP_WINO_STORE) \
	} \
}
#define AMP_WINO_END(k) v_store(to + (k) * next, amp_wino_finish(e, bias, i * row + (k) * next, r[k]));
#define AMP_WINO_OUT(T, R, N, LATE) \
static __attribute__((noinline, unused)) void amp_wino_out##T##x##R##LATE(const float *m, int64_t point, \
	const struct amp_wino_end *e, float *y, int64_t row) \
{ \
	vf c[N][T], d[N], r[T]; \
	const vf bias = e ? e->bias : v_zero(); \
	const int64_t step = N * point, next = 16; \
	for (int j = 0; j < N; j++) { \
		const float *from = m + j * point; \
		AMP_WINO_EACH(N, AMP_WINO_LOAD) \
		amp_wino_a##T##x##R(d, c[j]); \
	} \
	for (int i = 0; i < T; i++) { \
		float *to = y + i * row; \
		AMP_WINO_EACH(N, AMP_WINO_TURN) \
		amp_wino_a##T##x##R##LATE(d, r); \
		if (e) { \
			AMP_WINO_EACH(T, AMP_WINO_END) \
		} else { \
			AMP_WINO_EACH(T, AMP_WINO_STORE) \
		} \
	} \
}
AMP_WINO_IN(4)
AMP_WINO_IN(5)
AMP_WINO_IN(6)
AMP_WINO_IN(7)
AMP_WINO_IN(8)
AMP_WINO_OUT(2, 3, 4, )
AMP_WINO_OUT(4, 2, 5, )
AMP_WINO_OUT(4, 3, 6, )
AMP_WINO_OUT(4, 4, 7, )
AMP_WINO_OUT(5, 3, 7, )
AMP_WINO_OUT(6, 3, 8, )
AMP_WINO_OUT(4, 3, 6, _late)
AMP_WINO_OUT(5, 3, 7, _late)

/* A model's own forms only: the others are left out (kernels/type.h) */
#define AMP_WINO_IS(n) (AMP_USES(FORM, n) && form == (n))
#define AMP_WINO_HAS(n) (AMP_WINO_IS(n) || AMP_WINO_IS((n) + AMP_WINO_LATE))

static inline __attribute__((unused)) amp_wino_in_fn *amp_wino_in(int form)
{
	return AMP_WINO_IS(4) ? amp_wino_in4 : AMP_WINO_IS(5) ? amp_wino_in5 : AMP_WINO_HAS(6) ? amp_wino_in6 :
	       AMP_WINO_HAS(7) ? amp_wino_in7 : AMP_WINO_IS(8) ? amp_wino_in8 : NULL;
}

static inline __attribute__((unused)) amp_wino_out_fn *amp_wino_out(int form, int taps)
{
	return AMP_WINO_IS(4) ? amp_wino_out2x3 : AMP_WINO_IS(5) ? amp_wino_out4x2 : AMP_WINO_IS(6) ? amp_wino_out4x3 :
	       AMP_WINO_IS(7) ? (taps == 3 ? amp_wino_out5x3 : amp_wino_out4x4) : AMP_WINO_IS(8) ? amp_wino_out6x3 :
	       AMP_WINO_IS(6 + AMP_WINO_LATE) ? amp_wino_out4x3_late :
	       AMP_WINO_IS(7 + AMP_WINO_LATE) ? amp_wino_out5x3_late : NULL;
}

#endif
