/*
 * math_f64.h - elementary functions on double: the compiler's truth, float64 models, and those
 * functions on float that are rare enough to be computed here and rounded.
 *
 * In:  double.h's primitives; no libm.  Out: d_exp d_expm1 d_log d_log1p d_pow d_sinh d_cosh d_tanh
 *      d_sigmoid d_softplus d_asinh d_acosh d_atanh d_erf d_sin d_cos d_tan d_asin d_acos d_atan.
 *
 * Textbook reductions (J.-M. Muller, Elementary Functions; the choice of intervals for atan and
 * asin is that of Sun's fdlibm), carried as double-doubles to the last addition, so that one
 * rounding dominates. Polynomials: tools/fit_polynomials.py, the fit is named at each. Measured
 * errors stand in docs/numerics.md.
 */
#ifndef AMP_SIMD_MATH_F64_H
#define AMP_SIMD_MATH_F64_H

#include "double_double.h"

static inline double d_inf(void) { return d_ufloat(0x7ff0000000000000u); }
static inline double d_nan(void) { return d_ufloat(0x7ff8000000000000u); }

/* ---- exp ---- */

/* q(r) of exp(r) = 1 + r + r^2 q(r), |r| <= 0.3466: fit exp_f64 */
static inline double amp_exp_poly(double r)
{
	double q;

	q = 0x1.1f83ddcf4a9e6p-29;
	q = d_fma(q, r, 0x1.af5f318a0c019p-26);
	q = d_fma(q, r, 0x1.27e4d1462157bp-22);
	q = d_fma(q, r, 0x1.71ddf80b47e49p-19);
	q = d_fma(q, r, 0x1.a01a01ab132acp-16);
	q = d_fma(q, r, 0x1.a01a01b005561p-13);
	q = d_fma(q, r, 0x1.6c16c16c1577ep-10);
	q = d_fma(q, r, 0x1.111111110f651p-7);
	q = d_fma(q, r, 0x1.5555555555557p-5);
	q = d_fma(q, r, 0x1.5555555555559p-3);
	q = d_fma(q, r, 0x1p-1);
	return q;
}

/* exp(xh + xl) = result * 2^*n, |xh| < 2^20; relative error below 2^-56 */
static inline struct amp_dd amp_exp_dd(double xh, double xl, int *n)
{
	double k = d_fma(xh, 0x1.71547652b82fep+0, 0x1.8p+52) - 0x1.8p+52;
	double a = d_fma(k, -0x1.62e42fefa39efp-1, xh), r = d_fma(k, -0x1.abc9e3b39803fp-56, a);
	double rl = d_fma(k, -0x1.abc9e3b39803fp-56, a - r) + xl, q, t;
	struct amp_dd s;

	*n = (int)k;
	q = amp_exp_poly(r);
	t = d_fma(rl, d_fma(r * r, q, r), rl); /* rl exp(r) */
	t = d_fma(r * r, q, t);
	s = dd_fast(1.0, r);
	return dd_fast(s.h, s.l + t);
}

static inline double d_exp(double x)
{
	int n;
	struct amp_dd e;

	if (x != x)
		return x;
	if (x > 710)
		return d_inf();
	if (x < -746)
		return 0;
	e = amp_exp_dd(x, 0, &n);
	return d_ldexp(e.h, n);
}

/* exp of Softmax: +0 below -708, so that no subnormal number comes about */
static inline double d_exp_softmax(double x)
{
	return x < -708.0 ? 0.0 : d_exp(x);
}

/* exp(x) for 0 <= x < 40 or so, complete */
static inline struct amp_dd amp_exp_scaled(double x)
{
	int n;
	struct amp_dd e = amp_exp_dd(x, 0, &n);

	return dd_scale(e, d_ldexp(1.0, n));
}

/* half of 2^n (h + l) - 1 is summed: 2^1024 would overflow */
static inline double d_expm1(double x)
{
	int n;
	struct amp_dd e;

	if (x != x || d_abs(x) < 0x1p-54)
		return x;
	if (x > 710)
		return d_inf();
	if (x < -40)
		return -1;
	if (d_abs(x) < 0.34)
		return d_fma(x * x, amp_exp_poly(x), x);
	e = amp_exp_dd(x, 0, &n);
	e = dd_add(dd_scale(e, d_ldexp(1.0, n - 1)), dd_make(-0.5, 0));
	return e.h * 2.0;
}

/* ---- logarithm ---- */

/*
 * 2 atanh(s) = 2 s (1 + u (1/3 + u (1/5 + u t(u)))) with u = s^2 <= 0.02944: fit log_f64. The
 * bracket with 1/5 is small enough for one double; relative error below 2^-64.
 */
static inline struct amp_dd amp_two_atanh(struct amp_dd s)
{
	struct amp_dd u = dd_mul(s, s), p;
	double t;

	t = 0x1.c0becc0f45bc2p-5;
	t = d_fma(t, u.h, 0x1.ab45367b2d8dcp-5);
	t = d_fma(t, u.h, 0x1.e205e9f25c1f2p-5);
	t = d_fma(t, u.h, 0x1.1110acf986491p-4);
	t = d_fma(t, u.h, 0x1.3b13b28f51f2dp-4);
	t = d_fma(t, u.h, 0x1.745d174322be1p-4);
	t = d_fma(t, u.h, 0x1.c71c71c71f5b5p-4);
	t = d_fma(t, u.h, 0x1.2492492492488p-3);
	t = d_fma(t, u.h, 0.2);
	p = dd_prod(u.h, t);
	p = dd_add(dd_make(0x1.5555555555555p-2, 0x1.5555555555555p-56),
		   dd_fast(p.h, d_fma(u.l, t, p.l)));
	p = dd_add(dd_make(1.0, 0), dd_mul(u, p));
	return dd_scale(dd_mul(s, p), 2.0);
}

/* log((x.h + x.l) 2^e), x.h normal, positive; m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1) */
static inline struct amp_dd amp_log_dd(struct amp_dd x, int e)
{
	uint64_t u = d_ubits(x.h) - 0x3fe6a09e667f3bcdu;
	int k = (int)(u >> 52), n;
	struct amp_dd f, d, p;

	k = k >= 2048 ? k - 4096 : k; /* the difference is signed */
	f = dd_sum(d_ufloat(d_ubits(x.h) - ((uint64_t)(int64_t)k << 52)) - 1.0, d_ldexp(x.l, -k));
	d = dd_sum(2.0, f.h);
	d.l += f.l;
	f = amp_two_atanh(dd_div(f, d));
	n = k + e;
	if (n == 0)
		return f;
	p = dd_prod(n, 0x1.62e42fefa39efp-1);
	p.l = d_fma(n, 0x1.abc9e3b39803fp-56, p.l);
	return dd_add(p, f);
}

/* log(x) for finite x > 0 */
static inline struct amp_dd amp_log_positive(double x)
{
	if (x < 0x1p-1022)
		return amp_log_dd(dd_make(x * 0x1p+54, 0), -54);
	return amp_log_dd(dd_make(x, 0), 0);
}

static inline double d_log(double x)
{
	if (x == 0)
		return -d_inf();
	if (x < 0)
		return d_nan();
	if (!(x < d_inf()))
		return x;
	return amp_log_positive(x).h;
}

static inline double d_log1p(double x)
{
	x = d_opaque(x);
	if (x == -1)
		return -d_inf();
	if (x < -1)
		return d_nan();
	if (!(x < d_inf()) || d_abs(x) < 0x1p-54)
		return x;
	return amp_log_dd(dd_sum(1.0, x), 0).h;
}

static inline double d_softplus(double x)
{
	return d_max(0.0, d_opaque(x)) + d_log1p(d_exp(-d_abs(x)));
}

/* ---- pow, with the special cases of IEEE 754 and C ---- */

/* 0: not an integer, 1: odd, 2: even */
static inline int amp_parity(double y)
{
	double h = d_abs(y) * 0.5;

	if (d_abs(y) >= 0x1p+53)
		return 2;
	if (d_trunc(y) != y)
		return 0;
	return d_trunc(h) == h ? 2 : 1;
}

static inline double d_pow(double x, double y)
{
	double a = d_abs(x), v, sign;
	int parity, n;
	struct amp_dd l, p;

	if (y == 0 || x == 1)
		return 1;
	if (x != x || y != y)
		return d_nan();
	parity = amp_parity(y);
	sign = d_ubits(x) >> 63 && parity == 1 ? -1.0 : 1.0;
	if (d_abs(y) == d_inf())
		return a == 1 ? 1 : (a > 1) == (y > 0) ? d_inf() : 0;
	if (a == 0 || a == d_inf())
		return sign * ((a == 0) == (y < 0) ? d_inf() : 0.0);
	if (x < 0 && parity == 0)
		return d_nan();
	l = amp_log_positive(a);
	v = l.h * y;
	if (v > 710)
		return sign * d_inf();
	if (v < -746)
		return sign * 0.0;
	if (d_abs(v) < 0x1p-60)
		return sign;
	p = dd_prod(l.h, y);
	p.l = d_fma(l.l, y, p.l);
	l = amp_exp_dd(p.h, p.l, &n);
	return sign * d_ldexp(l.h, n);
}

/* ---- hyperbolic functions and their inverses ---- */

/* |x| < 0.35: x + x z p(z), z = x^2: fit sinh_f64; above: (exp(x) - exp(-x)) / 2 */
static inline double d_sinh(double x)
{
	double a = d_abs(x), z = a * a, r;
	int n;
	struct amp_dd e;

	if (x != x || a < 0x1p-28)
		return x;
	if (a > 711) {
		r = d_inf();
	} else if (a > 40) {
		r = d_ldexp(amp_exp_dd(a, 0, &n).h, -1);
		r = d_ldexp(r, n);
	} else if (a < 0.35) {
		r = -0x1.66d5a606db711p-33;
		r = d_fma(r, z, 0x1.0115355e52405p-32);
		r = d_fma(r, z, 0x1.ae2b62dd1bbc3p-26);
		r = d_fma(r, z, 0x1.71de446b9cf35p-19);
		r = d_fma(r, z, 0x1.a01a019e3f113p-13);
		r = d_fma(r, z, 0x1.11111111113bp-7);
		r = d_fma(r, z, 0x1.5555555555555p-3);
		r = d_fma(a * z, r, a);
	} else {
		e = amp_exp_scaled(a);
		e = dd_add(e, dd_neg(dd_div(dd_make(1.0, 0), e)));
		r = e.h * 0.5;
	}
	return d_copysign(r, x);
}

static inline double d_cosh(double x)
{
	double a = d_abs(x);
	int n;
	struct amp_dd e;

	if (x != x)
		return x;
	if (a > 711)
		return d_inf();
	if (a > 40) {
		e = amp_exp_dd(a, 0, &n);
		return d_ldexp(e.h * 0.5, n);
	}
	e = amp_exp_scaled(a);
	e = dd_add(e, dd_div(dd_make(1.0, 0), e));
	return e.h * 0.5;
}

/* t / (t + 2), t = exp(2|x|) - 1 */
static inline double d_tanh(double x)
{
	double a = d_abs(x), y = 2.0 * a;
	struct amp_dd t;

	if (x != x || a < 0x1p-28)
		return x;
	if (a > 20)
		return d_copysign(1.0, x);
	if (y < 0.34)
		t = dd_fast(y, d_opaque(y * y * amp_exp_poly(y)));
	else
		t = dd_add(amp_exp_scaled(y), dd_make(-1.0, 0));
	return d_copysign(dd_div(t, dd_add(t, dd_make(2.0, 0))).h, x);
}

/* with E = exp(-|x|): 1 / (1 + E) or E / (1 + E) */
static inline double d_sigmoid(double x)
{
	double a = d_abs(x);
	int n;
	struct amp_dd e, d;

	if (x != x)
		return x;
	if (a > 746)
		return x > 0 ? 1 : 0;
	e = amp_exp_dd(-a, 0, &n);
	d = dd_add(dd_make(1.0, 0), dd_make(d_ldexp(e.h, n), d_ldexp(e.l, n)));
	if (x >= 0)
		return dd_div(dd_make(1.0, 0), d).h;
	return d_ldexp(dd_div(e, d).h, n);
}

/* log(1 + (a + a^2 / (1 + sqrt(1 + a^2)))) */
static inline double d_asinh(double x)
{
	double a = d_abs(x);
	struct amp_dd one = dd_make(1.0, 0), q, r;

	if (!(a < d_inf()) || a < 0x1p-28)
		return x;
	if (a > 0x1p+28)
		return d_copysign(amp_log_dd(dd_make(a, 0), 1).h, x);
	q = dd_prod(a, a);
	r = dd_add(one, dd_sqrt(dd_add(one, q)));
	r = dd_add(one, dd_add(dd_make(a, 0), dd_div(q, r)));
	return d_copysign(amp_log_dd(r, 0).h, x);
}

/* log(x + sqrt((x - 1) (x + 1))) */
static inline double d_acosh(double x)
{
	struct amp_dd r;

	x = d_opaque(x);
	if (x < 1)
		return d_nan();
	if (!(x < d_inf()))
		return x;
	if (x > 0x1p+28)
		return amp_log_dd(dd_make(x, 0), 1).h;
	r = dd_sqrt(dd_mul(dd_sum(x, -1.0), dd_sum(x, 1.0)));
	return amp_log_dd(dd_add(dd_make(x, 0), r), 0).h;
}

/* log((1 + a) / (1 - a)) / 2 */
static inline double d_atanh(double x)
{
	double a = d_opaque(d_abs(x));
	struct amp_dd r;

	if (a > 1)
		return d_nan();
	if (x != x || a < 0x1p-28)
		return x;
	if (a == 1)
		return d_copysign(d_inf(), x);
	if (a < 0.17)
		r = amp_two_atanh(dd_make(a, 0));
	else
		r = amp_log_dd(dd_div(dd_sum(1.0, a), dd_sum(1.0, -a)), 0);
	return d_copysign(r.h * 0.5, x);
}

/* ---- erf ---- */

/*
 * |x| < 1: x + x p(x^2): fit erf_f64. Up to 6: 1 - exp(-x^2) p(t) / (1 + 2x), where
 * t = (x - 2) / (x + 2) (the variable of Shepherd and Laframboise): fit erfc_f64. Beyond, 1.
 */
static inline double d_erf(double x)
{
	double a = d_opaque(d_abs(x)), z = a * a, p, t;
	int n;
	struct amp_dd e;

	if (x != x)
		return x;
	if (a >= 6)
		return d_copysign(1.0, x);
	if (a < 1) {
		p = 0x1.29673ee64a7b8p-34;
		p = d_fma(p, z, -0x1.46736b6c4aac3p-30);
		p = d_fma(p, z, 0x1.fc77061401ae9p-27);
		p = d_fma(p, z, -0x1.5f98022dc7bcep-23);
		p = d_fma(p, z, 0x1.b9ee9171e8629p-20);
		p = d_fma(p, z, -0x1.f4d33341c2f12p-17);
		p = d_fma(p, z, 0x1.f9a335358458ap-14);
		p = d_fma(p, z, -0x1.c02db49af4f94p-11);
		p = d_fma(p, z, 0x1.565bcd1298d18p-8);
		p = d_fma(p, z, -0x1.b82ce312abefap-6);
		p = d_fma(p, z, 0x1.ce2f21a04362dp-4);
		p = d_fma(p, z, -0x1.812746b0379fdp-2);
		p = d_fma(p, z, 0x1.06eba8214db69p-3);
		return d_copysign(d_fma(a, p, a), x);
	}
	t = (a - 2.0) / (a + 2.0);
	p = 0x1.fa23286233995p-18;
	p = d_fma(p, t, 0x1.0af2ba250698fp-18);
	p = d_fma(p, t, -0x1.0028d8beb94e7p-16);
	p = d_fma(p, t, -0x1.32057959487fap-15);
	p = d_fma(p, t, -0x1.09e1ee0885994p-20);
	p = d_fma(p, t, 0x1.3cd8445cd8f7dp-13);
	p = d_fma(p, t, 0x1.b0a0a8040763dp-13);
	p = d_fma(p, t, -0x1.dc6c3cab11887p-12);
	p = d_fma(p, t, -0x1.7de4cb19ba5c8p-10);
	p = d_fma(p, t, 0x1.4d463083f48b5p-10);
	p = d_fma(p, t, 0x1.1dd2ec5205135p-7);
	p = d_fma(p, t, -0x1.0742341baa928p-7);
	p = d_fma(p, t, -0x1.bc2b9561acac8p-5);
	p = d_fma(p, t, 0x1.4ffa1e14e70b8p-3);
	p = d_fma(p, t, -0x1.5407bebf3205bp-3);
	p = d_fma(p, t, -0x1.7bf5ec1700698p-4);
	p = d_fma(p, t, 0x1.46e80e2277953p+0);
	p /= 1.0 + 2.0 * a;
	e = dd_prod(a, a);
	e = amp_exp_dd(-e.h, -e.l, &n);
	return d_copysign(d_fma(-d_ldexp(e.h, n), p, 1.0), x);
}

/* ---- circular functions ---- */

/*
 * Payne and Hanek's reduction in integers: with |x| = m 2^e, 192 bits of 2/pi from position e - 2
 * on, times m, modulo 2^192, are x * 2/pi modulo 4 in units of 2^-190.
 */
AMP_OUTLINE struct amp_dd amp_reduce_big_f64(double x, int *quadrant)
{
	static const uint64_t two_over_pi[] = {
		0, 0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u,
		0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu,
		0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu,
		0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
		0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu,
		0xf0cfbc209af4361du
	};
	uint64_t u = d_ubits(x), t[3], m = (u & 0xfffffffffffffu) | (uint64_t)1 << 52;
	int from = (int)(u >> 52 & 2047) - 1075 - 2 + 64, k = from & 63, neg, lz;
	struct amp_u128 p, f;
	struct amp_dd r;

	for (int i = 0; i < 3; i++) {
		const uint64_t *w = two_over_pi + (from >> 6) + i;
		t[i] = k ? w[0] << k | w[1] >> (64 - k) : w[0];
	}
	p = amp_mul64(m, t[2]);
	t[2] = p.l;
	f = amp_mul64(m, t[1]);
	f.l += p.h;
	f.h += f.l < p.h;
	t[1] = f.l;
	t[0] = m * t[0] + f.h;
	*quadrant = (int)(t[0] >> 62);
	f.h = t[0] << 2 | t[1] >> 62;
	f.l = t[1] << 2 | t[2] >> 62;
	neg = (int)(f.h >> 63); /* to the nearest quadrant */
	*quadrant += neg;
	if (neg) {
		f.l = ~f.l + 1;
		f.h = ~f.h + (f.l == 0);
	}
	lz = f.h ? amp_clz64(f.h) : f.l ? 64 + amp_clz64(f.l) : 0;
	f = amp_shl128(f, lz);
	r = dd_make((double)(f.h >> 11) * 0x1p-53,
		    (double)((f.h & 0x7ff) << 42 | f.l >> 22) * 0x1p-106);
	r = dd_scale(r, d_ldexp(1.0, -lz));
	r = dd_mul(r, dd_make(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54));
	if (neg != (int)(u >> 63))
		r = dd_neg(r);
	if (u >> 63)
		*quadrant = -*quadrant;
	return r;
}

/* x = quadrant * pi/2 + result, |result| <= pi/4, x finite */
static inline struct amp_dd amp_reduce_pio2_f64(double x, int *quadrant)
{
	double k, a;
	struct amp_dd p, s;

	if (d_abs(x) > 0x1p+20)
		return amp_reduce_big_f64(x, quadrant);
	k = d_fma(x, 0x1.45f306dc9c883p-1, 0x1.8p+52) - 0x1.8p+52;
	a = d_fma(k, -0x1.921fb54442d18p+0, x);
	p = dd_prod(k, 0x1.1a62633145c07p-54);
	s = dd_sum(a, -p.h);
	*quadrant = (int)k;
	return dd_fast(s.h, d_fma(k, 0x1.f1976b7ed8fbcp-110, s.l - p.l));
}

/* sin(r) = r + r z p(z), z = r^2: fit sin_f64 */
static inline struct amp_dd amp_sin_dd(struct amp_dd r)
{
	double z = r.h * r.h, p;

	p = -0x1.a51363089657dp-41;
	p = d_fma(p, z, 0x1.61140fb0d1accp-33);
	p = d_fma(p, z, -0x1.ae643c577f1bep-26);
	p = d_fma(p, z, 0x1.71de3a3f68bcp-19);
	p = d_fma(p, z, -0x1.a01a01a0065cbp-13);
	p = d_fma(p, z, 0x1.1111111111089p-7);
	p = d_fma(p, z, -0x1.5555555555555p-3);
	return dd_fast(r.h, d_fma(r.h * z, p, d_fma(-0.5 * z, r.l, r.l)));
}

/* cos(r) = 1 - z/2 + z^2 p(z): fit cos_f64 */
static inline struct amp_dd amp_cos_dd(struct amp_dd r)
{
	struct amp_dd z = dd_prod(r.h, r.h), w = dd_fast(1.0, -0.5 * z.h);
	double p;

	p = 0x1.a1605d7b36dfp-45;
	p = d_fma(p, z.h, -0x1.937c6700ee1e4p-37);
	p = d_fma(p, z.h, 0x1.1eed765bc6f36p-29);
	p = d_fma(p, z.h, -0x1.27e4fb5fbe76ep-22);
	p = d_fma(p, z.h, 0x1.a01a01a00120bp-16);
	p = d_fma(p, z.h, -0x1.6c16c16c16b45p-10);
	p = d_fma(p, z.h, 0x1.5555555555555p-5);
	p = d_fma(z.h * z.h, p, d_fma(-r.h, r.l, w.l - 0.5 * z.l));
	return dd_fast(w.h, p);
}

static inline double d_sin(double x)
{
	int n;
	struct amp_dd r;

	if (d_abs(x) < 0x1p-27)
		return x;
	if (!(d_abs(x) < d_inf()))
		return d_nan();
	r = amp_reduce_pio2_f64(x, &n);
	r = n & 1 ? amp_cos_dd(r) : amp_sin_dd(r);
	return n & 2 ? -r.h : r.h;
}

static inline double d_cos(double x)
{
	int n;
	struct amp_dd r;

	if (!(d_abs(x) < d_inf()))
		return d_nan();
	r = amp_reduce_pio2_f64(x, &n);
	r = n & 1 ? amp_sin_dd(r) : amp_cos_dd(r);
	return (n + 1) & 2 ? -r.h : r.h;
}

static inline double d_tan(double x)
{
	int n;
	struct amp_dd r, s, c;

	if (d_abs(x) < 0x1p-27)
		return x;
	if (!(d_abs(x) < d_inf()))
		return d_nan();
	r = amp_reduce_pio2_f64(x, &n);
	s = amp_sin_dd(r);
	c = amp_cos_dd(r);
	return n & 1 ? -dd_div(c, s).h : dd_div(s, c).h;
}

/*
 * atan(t) = t + t z p(z), |t| < 7/16: fit atan_f64. Other arguments are near one of the points
 * 1/2, 1, 3/2 and infinity: atan(a) = atan(c) + atan((a - c) / (1 + a c)).
 */
static inline double d_atan(double x)
{
	double a = d_opaque(d_abs(x)), z, p;
	struct amp_dd t, base, one = dd_make(1.0, 0);

	if (x != x || a < 0x1p-28)
		return x;
	if (a < 0.4375) {
		t = dd_make(a, 0);
		base = dd_make(0, 0);
	} else if (a < 0.6875) {
		t = dd_div(dd_sum(2.0 * a, -1.0), dd_sum(2.0, a));
		base = dd_make(0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56);
	} else if (a < 1.1875) {
		t = dd_div(dd_sum(a, -1.0), dd_sum(a, 1.0));
		base = dd_make(0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55);
	} else if (a < 2.4375) {
		t = dd_div(dd_sum(a, -1.5), dd_add(one, dd_prod(1.5, a)));
		base = dd_make(0x1.f730bd281f69bp-1, 0x1.007887af0cbbdp-56);
	} else {
		t = a < 0x1p+60 ? dd_div(dd_make(-1.0, 0), dd_make(a, 0)) : dd_make(0, 0);
		base = dd_make(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54);
	}
	z = t.h * t.h;
	p = 0x1.c09c415c5f5fcp-7;
	p = d_fma(p, z, -0x1.0570e3326fb89p-5);
	p = d_fma(p, z, 0x1.6b24b9db53053p-5);
	p = d_fma(p, z, -0x1.a9fd7afea0132p-5);
	p = d_fma(p, z, 0x1.e13309970fe42p-5);
	p = d_fma(p, z, -0x1.11090dbd02db6p-4);
	p = d_fma(p, z, 0x1.3b1330054b69fp-4);
	p = d_fma(p, z, -0x1.745d11d2aaffep-4);
	p = d_fma(p, z, 0x1.c71c71a191ec1p-4);
	p = d_fma(p, z, -0x1.2492492446826p-3);
	p = d_fma(p, z, 0x1.999999999900ap-3);
	p = d_fma(p, z, -0x1.5555555555552p-2);
	t = dd_fast(t.h, d_fma(t.h * z, p, t.l));
	return d_copysign(dd_add(base, t).h, x);
}

/* p(z) of asin(x) = x + x z p(z), z = x^2 <= 1/4: fit asin_f64 */
static inline double amp_asin_poly(double z)
{
	double p;

	p = 0x1.0acbc1cddfba4p-5;
	p = d_fma(p, z, -0x1.5674f1b32a364p-6);
	p = d_fma(p, z, 0x1.62884c5c75f41p-6);
	p = d_fma(p, z, 0x1.e97a6c8329896p-9);
	p = d_fma(p, z, 0x1.6101a92e66a4ep-7);
	p = d_fma(p, z, 0x1.758fd89e07286p-7);
	p = d_fma(p, z, 0x1.ca1e5400a7a76p-7);
	p = d_fma(p, z, 0x1.1c49fce20ce88p-6);
	p = d_fma(p, z, 0x1.6e8bde3956a51p-6);
	p = d_fma(p, z, 0x1.f1c71a9a43d8fp-6);
	p = d_fma(p, z, 0x1.6db6db7206b81p-5);
	p = d_fma(p, z, 0x1.333333332e1d4p-4);
	p = d_fma(p, z, 0x1.5555555555577p-3);
	return p;
}

/* h = asin(sqrt((1 - a) / 2)) for 1/2 <= a <= 1: asin(a) = pi/2 - 2h, acos(a) = 2h */
static inline struct amp_dd amp_asin_half(double a)
{
	double w = (1.0 - a) * 0.5;
	struct amp_dd s = dd_sqrt(dd_make(w, 0));

	return dd_fast(s.h, d_fma(s.h * w, amp_asin_poly(w), s.l));
}

static inline double d_asin(double x)
{
	double a = d_opaque(d_abs(x));
	struct amp_dd r;

	if (a > 1)
		return d_nan();
	if (x != x || a < 0x1p-28)
		return x;
	if (a < 0.5)
		return d_copysign(d_fma(a * (a * a), amp_asin_poly(a * a), a), x);
	r = dd_scale(amp_asin_half(a), -2.0);
	r = dd_add(dd_make(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54), r);
	return d_copysign(r.h, x);
}

static inline double d_acos(double x)
{
	double a = d_opaque(d_abs(x));
	struct amp_dd r;

	if (x != x || a > 1)
		return d_nan();
	if (a < 0.5) {
		r = dd_fast(a, d_opaque(a * (a * a) * amp_asin_poly(a * a)));
		r = d_ubits(x) >> 63 ? r : dd_neg(r);
		return dd_add(dd_make(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54), r).h;
	}
	r = dd_scale(amp_asin_half(a), 2.0);
	if (d_ubits(x) >> 63)
		r = dd_add(dd_make(0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53), dd_neg(r));
	return r.h;
}

#endif
