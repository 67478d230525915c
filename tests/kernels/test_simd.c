/*
 * test_simd.c - the scalar primitives against oracles of another make.
 *
 * In:  runtime/simd's generic header.  Out: CUnit's verdict.
 * fma against the hardware's (where the CPU has it) on ties and specials; square roots and rounding
 * against libm; conversions against exact arithmetic in double; the tree against its definition;
 * the floating-point mode under a caller who flushes and rounds elsewhere. That the vector headers
 * equal the generic one is tests/cli/simd_digest.sh's part.
 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include <CUnit/Basic.h>

#include "simd/simd.h"

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int same(float a, float b) { return s_ubits(s_canon(a)) == s_ubits(s_canon(b)); }
static int same_d(double a, double b) { return d_ubits(d_canon(a)) == d_ubits(d_canon(b)); }

static const float specials[] = {
	0.0f, -0.0f, 0x1p-149f, -0x1p-149f, 0x1.fffffcp-127f, 0x1p-126f, -0x1p-126f, 0.5f, 1.0f, -1.0f,
	0x1.fffffep-1f, 0x1.000002p+0f, 1.5f, 2.0f, 3.0f, 0x1p+23f, 0x1.fffffep+127f, -0x1.fffffep+127f,
	0x1p+127f, INFINITY, -INFINITY, NAN, 0x1p-75f, -0x1p-75f, 0x1p+64f, 0x1p-64f
};
#define SPECIALS ((int)(sizeof specials / sizeof *specials))

/* ---- fma ---- */

#if defined __x86_64__
__attribute__((target("fma"), noinline)) static float hard_fma(float a, float b, float c)
{
	return __builtin_fmaf(a, b, c);
}
__attribute__((target("fma"), noinline)) static double hard_fma_d(double a, double b, double c)
{
	return __builtin_fma(a, b, c);
}
static int has_fma(void) { return __builtin_cpu_supports("fma") != 0; }
#elif AMP_FMA_F32 && AMP_FMA_F64
static float hard_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static double hard_fma_d(double a, double b, double c) { return __builtin_fma(a, b, c); }
static int has_fma(void) { return 1; }
#else
static float hard_fma(float a, float b, float c) { return s_fma(a, b, c); }
static double hard_fma_d(double a, double b, double c) { return d_fma(a, b, c); }
static int has_fma(void) { return 0; }
#endif

/*
 * A triple whose exact sum lies at, or a hair beside, the middle of two floats: c has `mant`, and
 * a * b = half an ulp of c times (1 + d)(1 - d) = 1 - d^2, or exactly half where d = 0.
 */
static void directed(float t[3])
{
	uint64_t r = next();
	uint32_t mant = (uint32_t)r & 0x7fffffu, d = (uint32_t)(r >> 23) & 31;
	int kind = (int)(r >> 40) % 4, k;

	if (r >> 63)
		d = 0;
	t[0] = s_ufloat(0x3f800000u + d);
	t[1] = s_ufloat(0x3f800000u - 2 * d);
	switch (kind) {
	case 0: /* normal, any exponent */
		k = (int)(r >> 45) % 200 + 30;
		t[2] = s_ufloat(mant | (uint32_t)k << 23);
		t[0] *= s_ufloat((uint32_t)(k - 24 > 0 ? k - 24 : 1) << 23);
		break;
	case 1: /* subnormal: half of 2^-149 */
		t[2] = s_ufloat(mant);
		t[0] *= 0x1p-75f;
		t[1] *= 0x1p-75f;
		break;
	case 2: /* around the smallest normal */
		t[2] = s_ufloat(0x00800000u - 8 + (mant & 15));
		t[0] *= 0x1p-75f;
		t[1] *= 0x1p-75f;
		break;
	default: /* near overflow */
		t[2] = s_ufloat(0x7f7fffffu - (mant & 3));
		t[0] *= 0x1p+52f;
		t[1] *= 0x1p+51f;
	}
	if (r >> 62 & 1)
		t[0] = -t[0];
	if (r >> 61 & 1)
		t[2] = -t[2];
}

static void test_fma(void)
{
	float t[3];
	long wrong = 0, naive = 0;

	if (!has_fma()) {
		puts("  not run: this CPU has no fma to compare with");
		return;
	}
	for (int i = 0; i < SPECIALS; i++)
		for (int j = 0; j < SPECIALS; j++)
			for (int k = 0; k < SPECIALS; k++) {
				float a = specials[i], b = specials[j], c = specials[k];
				wrong += !same(s_fma_soft(a, b, c), hard_fma(a, b, c));
			}
	CU_ASSERT_EQUAL(wrong, 0);
	for (long i = 0; i < 2000000; i++) {
		float want;

		directed(t);
		want = hard_fma(t[0], t[1], t[2]);
		wrong += !same(s_fma_soft(t[0], t[1], t[2]), want);
		naive += !same((float)((double)t[0] * (double)t[1] + (double)t[2]), want);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(naive > 200000); /* the triples have power: plain double fails on many */
	for (long i = 0; i < 1000000; i++) {
		uint64_t r = next(), q = next();
		float a = s_ufloat((uint32_t)r), b = s_ufloat((uint32_t)(r >> 32));
		float c = q & 1 ? s_ufloat((uint32_t)(q >> 32)) : -(a * b);
		wrong += !same(s_fma_soft(a, b, c), hard_fma(a, b, c));
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* 2 * 10^6 of the directed triples; FULL=1: 10^8 */
static void test_fma_double(void)
{
	const char *full = getenv("FULL");
	const long n = full && full[0] == '1' ? 100000000 : 2000000;
	long wrong = 0, naive = 0;

	if (!has_fma()) {
		puts("  not run: this CPU has no fma to compare with");
		return;
	}
	for (int i = 0; i < SPECIALS; i++)
		for (int j = 0; j < SPECIALS; j++)
			for (int k = 0; k < SPECIALS; k++) {
				double a = specials[i], b = specials[j], c = specials[k];
				wrong += !same_d(d_fma_soft(a, b, c), hard_fma_d(a, b, c));
			}
	CU_ASSERT_EQUAL(wrong, 0);
	for (long i = 0; i < n; i++) {
		uint64_t r = next(), m = 0xfffffffffffffu, ma = next() & m, mb = next() & m;
		uint64_t mc = next() & m;
		int ea = (int)(r % 2047), eb = (int)((r >> 11) % 2047), ec;
		double a, b, c, want;

		if (r >> 63) { /* the quick path's range */
			ea = 1023;
			eb = 1003 + eb % 40;
		}
		ec = ea + eb - 1023 + (int)((r >> 22) % 120) - 60;
		ec = ec < 0 ? 0 : ec > 2046 ? 2046 : ec;
		if (r >> 40 & 1)
			ma &= m << 26;
		if (r >> 41 & 1)
			mb &= m << 26;
		if (r >> 42 & 1)
			mc &= m << 40;
		if (r >> 43 & 1) { /* (1 + d)(1 - d) beside a tie */
			ma = ma & 15;
			mb = m - 2 * ma + 1;
		}
		a = d_ufloat(ma | (uint64_t)ea << 52 | (r & (uint64_t)1 << 44) << 19);
		b = d_ufloat(mb | (uint64_t)eb << 52);
		c = d_ufloat(mc | (uint64_t)ec << 52 | (r & (uint64_t)1 << 45) << 18);
		if (r >> 46 & 1)
			c = -(a * b);
		want = hard_fma_d(a, b, c);
		wrong += !same_d(d_fma_soft(a, b, c), want);
		volatile double product = a * b;
		naive += !same_d(product + c, want);
		if (a != 0 && b != 0 && a - a == 0 && b - b == 0 && c - c == 0)
			wrong += !same_d(d_fma_int(a, b, c), want);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(naive > n / 10); /* two roundings fail on many */
}

/* ---- square roots and rounding, over a stride of all floats ---- */

static void test_rounding(void)
{
	long wrong = 0;

	for (uint64_t u = 0; u < 0x100000000u; u += 1021) {
		float x = s_ufloat((uint32_t)u);
		double y = d_ufloat(u << 32 | (next() & 0xffffffffu));

		wrong += !same(s_sqrt(x), sqrtf(x)) + !same(s_sqrt_soft(x), sqrtf(x));
		wrong += !same(s_rint(x), rintf(x)) + !same(s_floor(x), floorf(x));
		wrong += !same(s_ceil(x), ceilf(x)) + !same(s_trunc(x), truncf(x));
		wrong += !same_d(d_sqrt(y), sqrt(y)) + !same_d(d_sqrt_soft(y), sqrt(y));
		wrong += !same_d(d_rint(y), rint(y)) + !same_d(d_floor(y), floor(y));
		wrong += !same_d(d_ceil(y), ceil(y)) + !same_d(d_trunc(y), trunc(y));
	}
	for (int i = -4000; i <= 4000; i++) { /* every quarter around zero: all ties */
		float x = (float)i * 0.25f;

		wrong += !same(s_rint(x), rintf(x)) + !same(s_floor(x), floorf(x));
		wrong += !same(s_ceil(x), ceilf(x)) + !same(s_trunc(x), truncf(x));
		wrong += !same_d(d_rint(x), rint(x)) + !same_d(d_floor(x), floor(x));
		wrong += !same_d(d_ceil(x), ceil(x)) + !same_d(d_trunc(x), trunc(x));
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- conversions ---- */

static int32_t oracle_i32(double x)
{
	return x != x ? 0 : x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int32_t)x;
}

static void test_to_int(void)
{
	long wrong = 0;

	for (uint64_t u = 0; u < 0x100000000u; u += 1019) {
		float x = s_ufloat((uint32_t)u);

		wrong += s_to_i(x) != oracle_i32(rint((double)x));
		wrong += s_to_i_trunc(x) != oracle_i32(trunc((double)x));
		wrong += d_to_i32((double)x) != s_to_i(x);
		wrong += d_to_i64_trunc((double)x) != s_to_i64_trunc(x);
		wrong += s_from_i((int32_t)u) != (float)(double)(int32_t)u;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(s_to_i(2.5f), 2);
	CU_ASSERT_EQUAL(s_to_i(-3.5f), -4);
	CU_ASSERT_EQUAL(s_to_i64_trunc(NAN), 0);
	CU_ASSERT_EQUAL(s_to_i64_trunc(0x1p+63f), INT64_MAX);
	CU_ASSERT_EQUAL(s_to_i64_trunc(-0x1.8p+63f), INT64_MIN);
	CU_ASSERT_EQUAL(s_to_u64_trunc(-1.0f), 0);
	CU_ASSERT_EQUAL(s_to_u64_trunc(0x1p+63f), (uint64_t)1 << 63);
	CU_ASSERT_EQUAL(s_to_u64_trunc(INFINITY), UINT64_MAX);
	CU_ASSERT_EQUAL(d_to_i32_trunc(2147483647.9), INT32_MAX);
	CU_ASSERT_EQUAL(d_to_i32_trunc(-2147483648.9), INT32_MIN);
	CU_ASSERT_EQUAL(d_to_i64(4503599627370495.5), 4503599627370496);
}

/* the value of a 16-bit float with `frac` fraction bits, computed in double; infinity as 2^(max+1) */
static double value16(uint16_t h, int frac)
{
	int bits = 15 - frac, bias = (1 << (bits - 1)) - 1, e = h >> frac & ((1 << bits) - 1);
	double m = h & ((1 << frac) - 1), one = 1 << frac;

	m = e ? ldexp(1 + m / one, e - bias) : ldexp(m / one, 1 - bias);
	return h & 0x8000 ? -m : m;
}

/* x lies no further from h than from both neighbours, and a tie goes to even */
static int nearest16(double x, uint16_t h, int frac)
{
	uint16_t mag = h & 0x7fff;
	double a = fabs(x), d = fabs(a - fabs(value16(h, frac)));

	if (((h & 0x8000) != 0) != (signbit(x) != 0))
		return 0;
	for (int s = -1; s <= 1; s += 2) {
		double other;

		if ((mag == 0 && s < 0) || (mag == (0x7fff & ~((1 << frac) - 1)) && s > 0))
			continue;
		other = fabs(a - value16((uint16_t)(mag + s), frac));
		if (other < d || (other == d && (mag & 1)))
			return 0;
	}
	return 1;
}

static void test_half(void)
{
	long wrong = 0;

	for (uint32_t h = 0; h < 0x10000; h++) {
		float f = amp_f16_to_f32((uint16_t)h), b = amp_bf16_to_f32((uint16_t)h);

		if ((h & 0x7fff) > 0x7c00)
			wrong += s_ubits(f) != 0x7fc00000u || amp_f32_to_f16(f) != 0x7e00;
		else
			wrong += amp_f32_to_f16(f) != h ||
				 (fabsf(f) < 65536 && (double)f != value16((uint16_t)h, 10));
		if ((h & 0x7fff) > 0x7f80)
			wrong += s_ubits(b) != 0x7fc00000u || amp_f32_to_bf16(b) != 0x7fc0;
		else
			wrong += amp_f32_to_bf16(b) != h;
		/* the middle to the next, and a hair to both sides, also from double */
		for (int i = 0; i < 5 && (h & 0x7fff) < 0x7c00; i++) {
			double lo = value16((uint16_t)h, 10), hi = value16((uint16_t)(h + 1), 10);
			double mid = (lo + hi) * 0.5, x;

			x = i == 0 ? mid : i == 1 ? nextafterf((float)mid, 0) :
			    i == 2 ? nextafterf((float)mid, (float)(2 * hi)) :
			    i == 3 ? nextafter(mid, 0) : nextafter(mid, 2 * hi);
			wrong += !nearest16(x, amp_f64_to_f16(x), 10);
			wrong += i < 3 && !nearest16(x, amp_f32_to_f16((float)x), 10);
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (uint64_t u = 0; u < 0x100000000u; u += 1013) {
		float x = s_ufloat((uint32_t)u);

		if (!(fabsf(x) <= FLT_MAX))
			continue;
		wrong += !nearest16(x, amp_f32_to_f16(x), 10);
		wrong += !nearest16(x, amp_f32_to_bf16(x), 7);
		wrong += !nearest16(x, amp_f64_to_bf16((double)x), 7);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(amp_f32_to_f16(65519.996f), 0x7bff);
	CU_ASSERT_EQUAL(amp_f32_to_f16(65520.0f), 0x7c00);
	CU_ASSERT_EQUAL(amp_f32_to_f16(-INFINITY), 0xfc00);
	CU_ASSERT_EQUAL(amp_f64_to_f16(1e300), 0x7c00);
	CU_ASSERT_EQUAL(amp_f64_to_f16(-1e-300), 0x8000);
	CU_ASSERT_EQUAL(amp_f32_to_bf16(FLT_MAX), 0x7f80);
}

/* ---- selections, the tree ---- */

static void test_order(void)
{
	CU_ASSERT(signbit(s_max(0.0f, -0.0f)) && !signbit(s_max(-0.0f, 0.0f)));
	CU_ASSERT(signbit(s_min(0.0f, -0.0f)) && !signbit(s_min(-0.0f, 0.0f)));
	CU_ASSERT(s_max(NAN, 1.0f) == 1.0f && isnan(s_max(1.0f, NAN)));
	CU_ASSERT(s_min(NAN, 1.0f) == 1.0f && isnan(s_min(1.0f, NAN)));
	CU_ASSERT(isnan(s_relu(NAN)) && !signbit(s_relu(-0.0f)) && s_relu(-3.0f) == 0);
	CU_ASSERT(d_max(NAN, 1.0) == 1.0 && isnan(d_max(1.0, NAN)) && signbit(d_max(0.0, -0.0)));
}

static void test_tree(void)
{
	float f[16], g[8], want;

	for (int n = 0; n < 1000; n++) {
		for (int i = 0; i < 16; i++)
			f[i] = (float)(int32_t)(uint32_t)next() * 0x1p-20f;
		for (int i = 0; i < 8; i++)
			g[i] = f[i] + f[i + 8];
		want = ((g[0] + g[4]) + (g[2] + g[6])) + ((g[1] + g[5]) + (g[3] + g[7]));
		CU_ASSERT_EQUAL(v_tree_add(v_load(f)), want);
	}
}

/* ---- the mode ---- */

static volatile float tiny = 0x1p-140f, half_up = 0x1p-24f;

static void test_mode(void)
{
	static const int rounding[] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };

	for (int i = 0; i < 4; i++) {
		uint64_t saved;
		float sub, sum;

		fesetround(rounding[i]);
#if defined __SSE2__
		unsigned flush = _mm_getcsr() | 0x8040;
		_mm_setcsr(flush);
#endif
		saved = amp_fenv_enter();
		sub = tiny * 0.5f;
		sum = 1.0f + half_up * 1.5f;
		amp_fenv_leave(saved);
#if defined __SSE2__
		CU_ASSERT_EQUAL(_mm_getcsr() & 0xffc0, flush & 0xffc0);
		_mm_setcsr(flush & ~0x8040u);
#endif
		CU_ASSERT_EQUAL(fegetround(), rounding[i]);
		fesetround(FE_TONEAREST);
		CU_ASSERT_EQUAL(s_ubits(sub), 1u << 8);
		CU_ASSERT_EQUAL(s_ubits(sum), 0x3f800001u);
	}
}

int main(void)
{
	CU_pSuite s;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite("simd", NULL, NULL);
	if (!s || !CU_add_test(s, "fma in software equals the hardware's", test_fma) ||
	    !CU_add_test(s, "fma on double", test_fma_double) ||
	    !CU_add_test(s, "square roots and rounding", test_rounding) ||
	    !CU_add_test(s, "float to integer", test_to_int) ||
	    !CU_add_test(s, "float16 and bfloat16", test_half) ||
	    !CU_add_test(s, "operand order of max and min", test_order) ||
	    !CU_add_test(s, "the combining tree", test_tree) ||
	    !CU_add_test(s, "floating-point mode", test_mode))
		return 1;
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
