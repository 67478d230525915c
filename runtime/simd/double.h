/*
 * double.h - the primitives of the numeric contract, one double wide (rule 15).
 *
 * In:  double.  Out: d_*, the same family as scalar.h's s_*.
 *
 * fma without hardware: the exact product and sum are carried as unevaluated pairs of doubles where
 * the exponents leave room (Dekker's product, Knuth's sum, then rounding to odd: the scheme of
 * Boldo and Melquiond), and otherwise in integers of 128 bits and more.
 */
#ifndef AMP_SIMD_DOUBLE_H
#define AMP_SIMD_DOUBLE_H

#include "scalar.h"

static inline double d_abs(double x) { return d_ufloat(d_ubits(x) & 0x7fffffffffffffffu); }
static inline double d_neg(double x) { return d_ufloat(d_ubits(x) ^ 0x8000000000000000u); }
static inline double d_copysign(double mag, double sign)
{
	return d_ufloat((d_ubits(mag) & 0x7fffffffffffffffu) |
			(d_ubits(sign) & 0x8000000000000000u));
}
static inline double d_opaque(double x)
{
	AMP_OPAQUE(x);
	return x;
}
static inline double d_add(double a, double b) { return a + b; }
static inline double d_sub(double a, double b) { return a - b; }
static inline double d_mul(double a, double b) { return a * b; }
static inline double d_div(double a, double b) { return a / b; }
static inline double d_sel(int c, double a, double b) { return c ? a : b; }
static inline double d_canon(double x) { return x == x ? x : d_ufloat(0x7ff8000000000000u); }

#if defined __SSE2__
static inline double d_max(double a, double b) { return a > b ? a : b; }
static inline double d_min(double a, double b) { return a < b ? a : b; }
#else
static inline double d_max(double a, double b)
{
	uint64_t m = a > b ? ~(uint64_t)0 : 0;
	return d_ufloat((d_ubits(a) & m) | (d_ubits(b) & ~m));
}
static inline double d_min(double a, double b)
{
	uint64_t m = a < b ? ~(uint64_t)0 : 0;
	return d_ufloat((d_ubits(a) & m) | (d_ubits(b) & ~m));
}
#endif

/* ---- fma ---- */

/* 128-bit numbers as two words, for compilers without __int128 */
struct amp_u128 {
	uint64_t h, l;
};

static inline struct amp_u128 amp_mul64(uint64_t a, uint64_t b)
{
	uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
	uint64_t ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
	uint64_t mid = (ll >> 32) + (lh & 0xffffffffu) + (hl & 0xffffffffu);
	struct amp_u128 r = { hh + (lh >> 32) + (hl >> 32) + (mid >> 32),
			      mid << 32 | (ll & 0xffffffffu) };
	return r;
}

/* shift right by k >= 0; what falls out stays visible in the last bit ("sticky") */
static inline struct amp_u128 amp_shr128(struct amp_u128 x, int k)
{
	struct amp_u128 r = { 0, 0 };
	uint64_t lost;

	if (k <= 0)
		return x;
	if (k > 127) {
		r.l = (x.h | x.l) != 0;
		return r;
	}
	if (k >= 64) {
		lost = k == 64 ? x.l : x.l | x.h << (128 - k);
		r.l = x.h >> (k - 64);
	} else {
		lost = x.l << (64 - k);
		r.l = x.l >> k | x.h << (64 - k);
		r.h = x.h >> k;
	}
	r.l |= lost != 0;
	return r;
}

static inline struct amp_u128 amp_shl128(struct amp_u128 x, int k)
{
	struct amp_u128 r = x;

	if (k >= 64) {
		r.h = x.l << (k - 64);
		r.l = 0;
	} else if (k > 0) {
		r.h = x.h << k | x.l >> (64 - k);
		r.l = x.l << k;
	}
	return r;
}

static inline int amp_clz64(uint64_t x)
{
	int n = 0;

	for (int s = 32; s; s >>= 1)
		if (!(x >> (64 - s))) {
			n += s;
			x <<= s;
		}
	return n;
}

/* (-1)^sign * x * 2^e, x != 0, its last bit sticky, rounded once to double */
static inline double d_round_pack(int sign, struct amp_u128 x, int e)
{
	int lz = x.h ? amp_clz64(x.h) : 64 + amp_clz64(x.l), drop;
	uint64_t m, top, rest, half, r;

	x = amp_shl128(x, lz); /* the top bit is set: value in [2^127, 2^128) * 2^(e - lz) */
	e -= lz;
	drop = 128 - 53;
	if (e + drop < -1074)
		drop = -1074 - e;
	if (drop >= 128) { /* at most half of the smallest subnormal */
		x = amp_shr128(x, drop - 127);
		drop = 127;
		e = -1074 - drop;
	}
	x = amp_shr128(x, drop - 64); /* 64 fraction bits below the kept ones, sticky */
	m = x.h;
	rest = x.l;
	half = (uint64_t)1 << 63;
	m += rest > half || (rest == half && (m & 1));
	top = (uint64_t)1 << 53;
	e += drop; /* value = m * 2^e */
	if (m == top) {
		m >>= 1;
		e++;
	}
	if (m < top >> 1) /* subnormal: e is -1074 */
		r = m;
	else if (e > 971)
		r = 0x7ff0000000000000u;
	else
		r = m - (top >> 1) + ((uint64_t)(e + 1075) << 52);
	return d_ufloat(r | (uint64_t)sign << 63);
}

/* a, b, c finite, a and b not 0 */
AMP_OUTLINE double d_fma_int(double a, double b, double c)
{
	uint64_t ua = d_ubits(a), ub = d_ubits(b), uc = d_ubits(c);
	uint64_t mask = 0xfffffffffffffu, ma = ua & mask, mb = ub & mask, mc = uc & mask;
	int ea = (int)(ua >> 52 & 2047), eb = (int)(ub >> 52 & 2047), ec = (int)(uc >> 52 & 2047);
	int sp = (int)((ua ^ ub) >> 63), sc = (int)(uc >> 63), ep, d;
	struct amp_u128 p, q, r;

	ma |= ea ? mask + 1 : 0;
	mb |= eb ? mask + 1 : 0;
	mc |= ec ? mask + 1 : 0;
	ep = (ea ? ea : 1) + (eb ? eb : 1) - 2 * 1075;
	ec = (ec ? ec : 1) - 1075;
	p = amp_mul64(ma, mb); /* < 2^106 */
	if (mc == 0)
		return d_round_pack(sp, p, ep);
	/* both to have their top bit at 2^124, so that a sum fits and 18 bits lie below a product */
	d = (p.h ? amp_clz64(p.h) : 64 + amp_clz64(p.l)) - 3;
	p = amp_shl128(p, d);
	ep -= d;
	q.h = 0;
	q.l = mc;
	d = 64 + amp_clz64(mc) - 3;
	q = amp_shl128(q, d);
	ec -= d;
	/* The smaller is shifted; sticky bits are safe under subtraction, since a result that loses
	 * many leading bits comes from a shift of at most one, for which 18 zero bits make room. */
	if (ep >= ec) {
		q = amp_shr128(q, ep - ec);
	} else {
		p = amp_shr128(p, ec - ep);
		ep = ec;
	}
	if (sp == sc) {
		r.l = p.l + q.l;
		r.h = p.h + q.h + (r.l < p.l);
		return d_round_pack(sp, r, ep);
	}
	if (p.h > q.h || (p.h == q.h && p.l >= q.l)) {
		r.l = p.l - q.l;
		r.h = p.h - q.h - (p.l < q.l);
	} else {
		sp = sc;
		r.l = q.l - p.l;
		r.h = q.h - p.h - (q.l < p.l);
	}
	if (r.h == 0 && r.l == 0)
		return 0.0; /* exact cancellation: +0 when rounding to nearest */
	return d_round_pack(sp, r, ep);
}

AMP_OUTLINE double d_fma_soft(double a, double b, double c)
{
	double a1, a2, b1, b2, p, pl, t, u, v, tl, s, sl, w;
	int ea = (int)(d_ubits(a) >> 52 & 2047), eb = (int)(d_ubits(b) >> 52 & 2047);
	int ec = (int)(d_ubits(c) >> 52 & 2047);
	uint64_t bits;

	if (ea == 2047 || eb == 2047 || a == 0 || b == 0)
		return a * b + c; /* infinities, NaN and a zero product: one rounding */
	if (ec == 2047)
		return c; /* even where a * b overflows */
	if (c == 0)
		return a * b;
	if (ea + eb < 1023 + 500 || ea + eb > 1023 + 1500 || ea > 1900 || eb > 1900 || ea < 200 ||
	    eb < 200 || ec < 500 || ec > 1600)
		return d_fma_int(a, b, c);
	/* a = a1 + a2 in 26 bits each, so that the four products are exact: p + pl = a * b */
	t = a * 134217729.0;
	a1 = t - (t - a);
	a2 = a - a1;
	t = b * 134217729.0;
	b1 = t - (t - b);
	b2 = b - b1;
	p = a * b;
	pl = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
	/* t + tl = c + pl, then s + sl = p + t: together a*b + c = s + sl + tl */
	t = c + pl;
	u = t - c;
	tl = (c - (t - u)) + (pl - u);
	s = p + t;
	u = s - p;
	sl = (p - (s - u)) + (t - u);
	/* v = sl + tl rounded to odd */
	v = sl + tl;
	u = v - sl;
	w = (sl - (v - u)) + (tl - u);
	bits = d_ubits(v);
	if (w != 0 && (bits & 1) == 0)
		bits += (w > 0) == (v > 0) ? 1 : (uint64_t)-1;
	return s + d_ufloat(bits);
}

static inline double d_fma(double a, double b, double c)
{
#if AMP_FMA_F64
	return __builtin_fma(a, b, c);
#else
	return d_fma_soft(a, b, c);
#endif
}

/* ---- square root ---- */

/* bit by bit, as s_sqrt_soft: 54 bits of root from 108 bits, two at a time from the top */
AMP_OUTLINE double d_sqrt_soft(double x)
{
	uint64_t u = d_ubits(x), m, root = 0, rem = 0;
	int e, odd;

	if (u << 1 == 0 || u == 0x7ff0000000000000u)
		return x;
	if (u > 0x7ff0000000000000u)
		return d_ufloat(0x7ff8000000000000u);
	e = (int)(u >> 52);
	m = u & 0xfffffffffffffu;
	if (e)
		m |= (uint64_t)1 << 52;
	else
		for (e = 1; m < (uint64_t)1 << 52; e--)
			m <<= 1;
	e -= 1075; /* x = m * 2^e */
	odd = e & 1;
	/* m * 2^54 or 2^55 leaves an even exponent; its 108 bits enter two at a time from the top */
	m <<= odd ? 11 : 10;
	e -= odd ? 55 : 54;
	for (int i = 0; i < 54; i++) {
		uint64_t two = m >> 62;

		m <<= 2;
		rem = rem << 2 | two;
		root <<= 1;
		if (rem >= 2 * root + 1) {
			rem -= 2 * root + 1;
			root |= 1;
		}
	}
	u = root >> 1;
	if (root & 1)
		u += rem != 0 || (u & 1);
	e = e / 2 + 1;
	return d_ufloat(u - ((uint64_t)1 << 52) + ((uint64_t)(e + 1075) << 52));
}

static inline double d_sqrt(double x)
{
#if defined __SSE2__
	return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
#elif defined __aarch64__
	double r;
	__asm__("fsqrt %d0, %d1" : "=w"(r) : "w"(x));
	return r;
#elif defined __arm__ && defined __ARM_FP && (__ARM_FP & 8)
	double r;
	__asm__("vsqrt.f64 %P0, %P1" : "=w"(r) : "w"(x));
	return r;
#elif defined __riscv_flen && __riscv_flen >= 64
	double r;
	__asm__("fsqrt.d %0, %1" : "=f"(r) : "f"(x));
	return r;
#elif defined __s390x__
	double r;
	__asm__("sqdbr %0, %1" : "=f"(r) : "f"(x));
	return r;
#else
	return d_sqrt_soft(x);
#endif
}

/* ---- rounding to integers, as in scalar.h with 2^52 ---- */

static inline double d_rint(double x)
{
	double a = d_abs(x), r = (a + 4503599627370496.0) - 4503599627370496.0;

	return d_copysign(a < 4503599627370496.0 ? r : a, x);
}

static inline double d_floor(double x)
{
	double r = d_rint(x);
	return d_copysign(r - (r > x ? 1.0 : 0.0), x);
}

static inline double d_ceil(double x)
{
	double r = d_rint(x);
	return d_copysign(r + (r < x ? 1.0 : 0.0), x);
}

static inline double d_trunc(double x)
{
	double a = d_abs(x), r = d_rint(a);
	return d_copysign(r - (r > a ? 1.0 : 0.0), x);
}

/* ---- double <-> integer and float ---- */

static inline int32_t d_to_i32_trunc(double x)
{
	if (!(x == x))
		return 0;
	if (x >= 2147483648.0)
		return INT32_MAX;
	if (x <= -2147483649.0)
		return INT32_MIN;
	return (int32_t)x;
}

static inline int64_t d_to_i64_trunc(double x)
{
	if (!(x == x))
		return 0;
	if (x >= 9223372036854775808.0)
		return INT64_MAX;
	if (x < -9223372036854775808.0)
		return INT64_MIN;
	return (int64_t)x;
}

static inline uint64_t d_to_u64_trunc(double x)
{
	if (!(x > 0))
		return 0;
	if (x >= 18446744073709551616.0)
		return UINT64_MAX;
	return (uint64_t)x;
}

static inline int32_t d_to_i32(double x) { return d_to_i32_trunc(d_rint(x)); }
static inline int64_t d_to_i64(double x) { return d_to_i64_trunc(d_rint(x)); }

/* x * 2^n, rounded once when |x| is 0 or in [2^-500, 2^500] and |n| <= 1600 */
static inline double d_ldexp(double x, int n)
{
	int h = n >> 1, l = n - h;

	return x * d_ufloat((uint64_t)(h + 1023) << 52) * d_ufloat((uint64_t)(l + 1023) << 52);
}

/* double to float rounded to odd: a further rounding to fewer bits is then right */
static inline float d_to_f32_odd(double x)
{
	float f = (float)x;
	uint32_t u = s_ubits(f);

	if (x - x != 0 || (double)f == x)
		return f;
	if ((u & 0x7fffffffu) == 0x7f800000u) /* rounded up to infinity */
		return s_ufloat(u - 1);
	if (u & 1)
		return f;
	if (u << 1 == 0) /* rounded to zero */
		return s_ufloat(u | 1);
	return s_ufloat(d_abs((double)f) < d_abs(x) ? u + 1 : u - 1);
}

static inline uint16_t amp_f64_to_f16(double x) { return amp_f32_to_f16(d_to_f32_odd(x)); }
static inline uint16_t amp_f64_to_bf16(double x) { return amp_f32_to_bf16(d_to_f32_odd(x)); }

#endif
