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
 * Weights are divided by f, the product of their point's distances from the other finite points, except: F(4, 2)'s, and those
 * as the model has them (winograd_raw.h), in neither direction, late ones (winograd_late.h) not along rows.  There the output's
 * transform divides, by its constants: amp_wino_outTxR_raw, amp_wino_outTxR_late.
 * The points were searched for the least error among dyadic ones: every constant is a float, but those that divide by f, which
 * are rounded to one.
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

/* A form's number: N, but of F(4, 4), whose N is F(5, 3)'s, and of a plain picture; and more where its weights are late */
#define AMP_WINO_4X4 15
#define AMP_WINO_4X4_PLAIN 14
#define AMP_WINO_LATE 16
#define AMP_WINO_RAW (6 + AMP_WINO_LATE)	/* F(4, 3): winograd_raw.h */
#define AMP_WINO_RAW2 (5 + AMP_WINO_LATE)	/* F(4, 2): winograd_raw_phases.h */
#define AMP_WINO_SIDE(form) (((form) & 15) >= AMP_WINO_4X4_PLAIN ? 7 : (form) & 15)

/*
 * M(0) to M(N - 1).  Where a vector is four registers of SSE2, a loop is as fast as its steps written out, and a third of
 * the code.
 */
#ifdef AMP_ISA_SSE2
#define AMP_WINO_EACH(N, M) for (int64_t k = 0; k < N; k++) { M(k) }
#else
#define AMP_WINO_EACH(N, M) AMP_REP##N(M)
#endif

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

/* two pairs: p, the other pair's square; where their points begin, and the two parts' inputs */
#define AMP_WINO_PAIR6(i) { \
	const vf e = v_fma(v_set1(-c[i][1]), d[even], d[even + 2]), f = v_fma(v_set1(-c[i][1]), d[odd], d[odd + 2]); \
	AMP_WINO_PAIR(c[i][0], e, f, t[zero + 2 * (i)], t[zero + 2 * (i) + 1]) }

AMP_INLINE void amp_wino_b5(const vf *d, vf *t)
{
	static const float c[2][2] = { { 0.375f, 2.25f }, { 1.5f, 9.0f / 64 } };
	enum { zero = 0, even = 1, odd = 0 };
	AMP_WINO_EACH(2, AMP_WINO_PAIR6)
	t[4] = AMP_WINO_EVEN(153.0f / 64, 81.0f / 256, d[4], d[2], d[0]);
}

AMP_INLINE void amp_wino_b6(const vf *d, vf *t)
{
	static const float c[2][2] = { { 0.75f, 2.25f }, { 1.5f, 0.5625f } };
	enum { zero = 1, even = 2, odd = 1 };
	t[0] = AMP_WINO_EVEN(2.8125f, 1.265625f, d[4], d[2], d[0]);
	AMP_WINO_EACH(2, AMP_WINO_PAIR6)
	t[5] = AMP_WINO_EVEN(2.8125f, 1.265625f, d[5], d[3], d[1]);
}

AMP_INLINE void amp_wino_b7(const vf *d, vf *t)
{
	static const float c[3][3] = {	/* p; of the other pairs' squares sum and product */
		{ 0.25f, 245.0f / 64, 2401.0f / 1024 }, { 0.875f, 3.125f, 49.0f / 256 }, { 1.75f, 53.0f / 64, 49.0f / 1024 },
	};
#define AMP_WINO_PAIR7(i) { \
	const vf o = AMP_WINO_EVEN(c[i][1], c[i][2], d[5], d[3], d[1]), e = AMP_WINO_EVEN(c[i][1], c[i][2], d[4], d[2], d[0]); \
	AMP_WINO_PAIR(c[i][0], o, e, t[2 * (i)], t[2 * (i) + 1]) }
	AMP_WINO_EACH(3, AMP_WINO_PAIR7)
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

/* two pairs' sums a[0] and differences a[1]; y[0] is made before */
#define AMP_WINO_ROW6(k) \
	if ((k) > 0) \
		y[k] = v_fma(v_set1(c[k][1]), a[(k) % 2][1], v_mul(v_set1(c[k][0]), a[(k) % 2][0]));

/* divides by f, which has the other sign at -p: even k take differences */
AMP_INLINE void amp_wino_a4x2(const vf *m, vf *y)
{
	static const float c[4][2] = {
		{ (float)(-256.0 / 405), (float)(64.0 / 405) }, { (float)(-32.0 / 135), (float)(32.0 / 135) },
		{ (float)(-4.0 / 45), (float)(16.0 / 45) }, { (float)(-1.0 / 30), (float)(8.0 / 15) },
	};
	const vf a[2][2] = { { v_sub(m[0], m[1]), v_sub(m[2], m[3]) }, { v_add(m[0], m[1]), v_add(m[2], m[3]) } };
	y[0] = v_fma(v_set1(c[0][1]), a[0][1], v_mul(v_set1(c[0][0]), a[0][0]));
	AMP_WINO_EACH(4, AMP_WINO_ROW6)
	y[3] = v_add(y[3], m[4]);
}

AMP_INLINE void amp_wino_a4x3(const vf *m, vf *y)
{
	static const float c[4][2] = { { 1, 1 }, { 0.75f, 1.5f }, { 0.5625f, 2.25f }, { 0.421875f, 3.375f } };
	const vf a[2][2] = { { v_add(m[1], m[2]), v_add(m[3], m[4]) }, { v_sub(m[1], m[2]), v_sub(m[3], m[4]) } };
	y[0] = v_add(v_add(m[0], a[0][0]), a[0][1]);
	AMP_WINO_EACH(4, AMP_WINO_ROW6)
	y[3] = v_add(y[3], m[5]);
}

/* sum of c_i a_i over three pairs: their sums for even k, differences for odd k (late, N = 7: the other way round) */
#define AMP_WINO_SUM7(c1, c2, c3, a1, a2, a3) \
	v_fma(v_set1(c3), a3, v_fma(v_set1(c2), a2, v_mul(v_set1(c1), a1)))
#define AMP_WINO_ROW7(k) \
	y[k] = (k) == 0 && c[0][0] == 1 ? v_add(v_add(a[0][0], a[0][1]), a[0][2]) : \
	       AMP_WINO_SUM7(c[k][0], c[k][1], c[k][2], a[(k) % 2][0], a[(k) % 2][1], a[(k) % 2][2]);
#define AMP_WINO_PAIRS7(plus, minus) { \
	{ plus(m[0], m[1]), plus(m[2], m[3]), plus(m[4], m[5]) }, { minus(m[0], m[1]), minus(m[2], m[3]), minus(m[4], m[5]) } }

AMP_INLINE void amp_wino_a4x4(const vf *m, vf *y)
{
	static const float c[4][3] = {
		{ 1, 1, 1 }, { 0.25f, 0.875f, 1.75f }, { 0.0625f, 49.0f / 64, 49.0f / 16 }, { 0.015625f, 343.0f / 512, 343.0f / 64 },
	};
	const vf a[2][3] = AMP_WINO_PAIRS7(v_add, v_sub);
	AMP_WINO_EACH(4, AMP_WINO_ROW7)
	y[3] = v_add(y[3], m[6]);
}

AMP_INLINE void amp_wino_a5x3(const vf *m, vf *y)
{
	static const float c[5][3] = {
		{ 1, 1, 1 }, { 0.25f, 0.875f, 1.75f }, { 0.0625f, 49.0f / 64, 49.0f / 16 }, { 0.015625f, 343.0f / 512, 343.0f / 64 },
		{ 0.00390625f, 2401.0f / 4096, 2401.0f / 256 },
	};
	const vf a[2][3] = AMP_WINO_PAIRS7(v_add, v_sub);
	AMP_WINO_EACH(5, AMP_WINO_ROW7)
	y[4] = v_add(y[4], m[6]);
}

/* What divides by f: constants p^k / f.  N = 7: f has the other sign at -p, so that even k take differences */
AMP_INLINE void amp_wino_a5x3_late(const vf *m, vf *y)
{
	static const float c[5][3] = {
		{ (float)(128.0 / 135), (float)(-16384.0 / 46305), (float)(128.0 / 3087) },
		{ (float)(32.0 / 135), (float)(-2048.0 / 6615), (float)(32.0 / 441) },
		{ (float)(8.0 / 135), (float)(-256.0 / 945), (float)(8.0 / 63) },
		{ (float)(2.0 / 135), (float)(-32.0 / 135), (float)(2.0 / 9) },
		{ (float)(1.0 / 270), (float)(-28.0 / 135), (float)(7.0 / 18) },
	};
	const vf a[2][3] = AMP_WINO_PAIRS7(v_sub, v_add);
	AMP_WINO_EACH(5, AMP_WINO_ROW7)
	y[4] = v_add(y[4], m[6]);
}

/* N = 6: f is the same at p and -p */
AMP_INLINE void amp_wino_a4x3_raw(const vf *m, vf *y)
{
	static const float c[4][2] = {
		{ (float)(-128.0 / 243), (float)(32.0 / 243) }, { (float)(-32.0 / 81), (float)(16.0 / 81) },
		{ (float)(-8.0 / 27), (float)(8.0 / 27) }, { (float)(-2.0 / 9), (float)(4.0 / 9) },
	};
	const vf a[2][2] = { { v_add(m[1], m[2]), v_add(m[3], m[4]) }, { v_sub(m[1], m[2]), v_sub(m[3], m[4]) } };
	y[0] = AMP_WINO_SUM7((float)(64.0 / 81), c[0][0], c[0][1], m[0], a[0][0], a[0][1]);
	AMP_WINO_EACH(4, AMP_WINO_ROW6)
	y[3] = v_add(y[3], m[5]);
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
/* A row's pixels, finished or as they are; GET reads point k of row i */
#define AMP_WINO_END(k) v_store(to + (k) * next, amp_wino_finish(e, bias, i * row + (k) * next, r[k]));
#define AMP_WINO_ROWS(T, R, N, FORM, GET) \
	const vf bias = e ? e->bias : v_zero(); \
	for (int i = 0; i < T; i++) { \
		float *to = y + i * row; \
		AMP_WINO_EACH(N, GET) \
		amp_wino_a##T##x##R##FORM(d, r); \
		if (e) { \
			AMP_WINO_EACH(T, AMP_WINO_END) \
		} else { \
			AMP_WINO_EACH(T, AMP_WINO_STORE) \
		} \
	}
/* COLUMNS, ROWS: which transform */
#define AMP_WINO_OUT(T, R, N, COLUMNS, ROWS) \
static __attribute__((noinline, unused)) void amp_wino_out##T##x##R##ROWS(const float *m, int64_t point, \
	const struct amp_wino_end *e, float *y, int64_t row) \
{ \
	vf c[N][T], d[N], r[T]; \
	const int64_t step = N * point, next = 16; \
	for (int j = 0; j < N; j++) { \
		const float *from = m + j * point; \
		AMP_WINO_EACH(N, AMP_WINO_LOAD) \
		amp_wino_a##T##x##R##COLUMNS(d, c[j]); \
	} \
	AMP_WINO_ROWS(T, R, N, ROWS, AMP_WINO_TURN) \
}
AMP_WINO_IN(4)
AMP_WINO_IN(5)
AMP_WINO_IN(6)
AMP_WINO_IN(7)
AMP_WINO_IN(8)
AMP_WINO_OUT(2, 3, 4, , )
AMP_WINO_OUT(4, 2, 5, , )
AMP_WINO_OUT(4, 3, 6, , )
AMP_WINO_OUT(4, 4, 7, , )
AMP_WINO_OUT(5, 3, 7, , )
AMP_WINO_OUT(6, 3, 8, , )
AMP_WINO_OUT(4, 3, 6, _raw, _raw)
AMP_WINO_OUT(5, 3, 7, , _late)

/* has the target winograd_columns.h, and the model a use for it? */
#ifdef AMP_ISA_AVX512
#define AMP_WINO_BY_COLUMNS AMP_USES(FORM, AMP_WINO_4X4_PLAIN)
#else
#define AMP_WINO_BY_COLUMNS 0
#endif

/* A model's own forms only: the others are left out (kernels/type.h) */
#define AMP_WINO_IS(n) (AMP_USES(FORM, n) && form == (n))
#define AMP_WINO_HAS(n) (AMP_WINO_IS(n) || AMP_WINO_IS((n) + AMP_WINO_LATE))

static inline __attribute__((unused)) amp_wino_in_fn *amp_wino_in(int form)
{
	return AMP_WINO_IS(4) ? amp_wino_in4 : AMP_WINO_HAS(5) ? amp_wino_in5 : AMP_WINO_HAS(6) ? amp_wino_in6 :
	       AMP_WINO_HAS(7) || AMP_WINO_IS(AMP_WINO_4X4) || AMP_WINO_IS(AMP_WINO_4X4_PLAIN) ? amp_wino_in7 :
	       AMP_WINO_IS(8) ? amp_wino_in8 : NULL;
}

static inline __attribute__((unused)) amp_wino_out_fn *amp_wino_out(int form)
{
	return AMP_WINO_IS(4) ? amp_wino_out2x3 : AMP_WINO_HAS(5) ? amp_wino_out4x2 : AMP_WINO_IS(6) ? amp_wino_out4x3 :
	       AMP_WINO_IS(7) ? amp_wino_out5x3 : AMP_WINO_IS(8) ? amp_wino_out6x3 :
	       AMP_WINO_IS(AMP_WINO_4X4) || (!AMP_WINO_BY_COLUMNS && AMP_WINO_IS(AMP_WINO_4X4_PLAIN)) ? amp_wino_out4x4 :
	       AMP_WINO_IS(AMP_WINO_RAW) ? amp_wino_out4x3_raw :
	       AMP_WINO_IS(7 + AMP_WINO_LATE) ? amp_wino_out5x3_late : NULL;
}

#endif
