/*
 * test_fma.c - multiply-accumulate without hardware fma: the same bits as with it.
 *
 * In:  the scalar form, the vector of the header that this file is built for, and the register tile of convolution
 *      (whose loop only watches for doubtful steps: tile_soft.h).  On x86-64 that header is sse2.h; test_fma_avx.c
 *      builds the same text with -mavx.
 * Out: CUnit's verdict.
 * Triples are directed: their exact sum is a midpoint of two floats or a hair beside one - normal, subnormal, near
 * overflow -, since random ones meet a midpoint once in 2^28.  The reference is the CPU's fma, and fma in
 * integers, which judges a part of the triples, and all where the CPU has none.
 * 10^7 triples a form; FULL=1: 2 * 10^8.
 */
#if defined __x86_64__
#define AMP_ISA_SSE2
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

#include "kernels/tile.h"

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int same(float a, float b) { return s_ubits(s_canon(a)) == s_ubits(s_canon(b)); }

static long triples(void)
{
	const char *full = getenv("FULL");
	return full && full[0] == '1' ? 200000000 : 10000000;
}

/* ---- references ---- */

#if defined __x86_64__
__attribute__((target("fma"), noinline)) static void hard_fmas(int n, const float *a, const float *b, const float *c,
							       float *r)
{
	for (int i = 0; i < n; i++)
		r[i] = __builtin_fmaf(a[i], b[i], c[i]);
}
static int has_fma(void) { return __builtin_cpu_supports("fma") != 0; }
#elif AMP_FMA_F32
static void hard_fmas(int n, const float *a, const float *b, const float *c, float *r)
{
	for (int i = 0; i < n; i++)
		r[i] = __builtin_fmaf(a[i], b[i], c[i]);
}
static int has_fma(void) { return 1; }
#else
static void hard_fmas(int n, const float *a, const float *b, const float *c, float *r)
{
	for (int i = 0; i < n; i++)
		r[i] = (float)NAN;
	(void)a, (void)b, (void)c;
}
static int has_fma(void) { return 0; }
#endif

/* significand (below 2^24) and exponent of a finite float */
static uint64_t parts(float x, int *e)
{
	const uint32_t u = s_ubits(x) & 0x7fffffffu;
	*e = (u >> 23 ? (int)(u >> 23) : 1) - 150;
	return (u & 0x7fffffu) | (u >> 23 ? 0x800000u : 0);
}

/* m 2^e to float, nearest even; `sticky`: m is a little more */
static float round_parts(uint64_t m, int e, int sticky)
{
	int bits = 0, drop;
	uint64_t low, half;
	while (bits < 64 && m >> bits)
		bits++;
	drop = bits - 24;
	if (e + drop < -149)
		drop = -149 - e;
	if (drop > 0) {
		if (drop > 63)
			return 0; /* far below half of 2^-149 */
		low = m & (((uint64_t)1 << drop) - 1);
		half = (uint64_t)1 << (drop - 1);
		m >>= drop;
		e += drop;
		m += low > half || (low == half && (sticky || (m & 1)));
	}
	return ldexpf((float)m, e);
}

/* a b + c in integers: the smaller term is cut where it is far below the larger, and the cut remembered */
static float integer_fma(float a, float b, float c)
{
	int ea, eb, ep, ec, sp = signbit(a) != signbit(b), sc = signbit(c) != 0, cut = 0, gap;
	uint64_t mp, mc, r;
	float f;
	if (isfinite(a) && isfinite(b) && !isfinite(c))
		return c;
	if (!isfinite(a) || !isfinite(b) || a == 0 || b == 0)
		return a * b + c; /* a product that is exact, or no number */
	mp = parts(a, &ea) * parts(b, &eb);
	ep = ea + eb;
	mc = parts(c, &ec);
	if (mc == 0)
		return copysignf(round_parts(mp, ep, 0), sp ? -1.0f : 1.0f);
	/* both with their first bit at 2^61 */
	for (; !(mp >> 61); ep--)
		mp <<= 1;
	for (; !(mc >> 61); ec--)
		mc <<= 1;
	gap = ep - ec;
	if (gap > 0) {
		cut = gap > 63 || (mc & (((uint64_t)1 << gap) - 1)) != 0;
		mc = gap > 63 ? 0 : mc >> gap;
		ec = ep;
	} else if (gap < 0) {
		cut = -gap > 63 || (mp & (((uint64_t)1 << -gap) - 1)) != 0;
		mp = -gap > 63 ? 0 : mp >> -gap;
	}
	if (sp == sc) {
		r = mp + mc;
		f = round_parts(r, ec, cut);
	} else {
		const int turn = mc > mp || (mc == mp && gap < 0);
		r = turn ? mc - mp : mp - mc;
		if (turn)
			sp = sc;
		if (r == 0 && !cut)
			return 0;
		/* what was cut is taken away: one less, and a little more */
		f = round_parts(r - (uint64_t)cut, ec, cut);
	}
	return sp ? -f : f;
}

/* ---- triples ---- */

static float power(int e) { return s_ufloat((uint32_t)(e < -126 ? 1 : e > 127 ? 254 : e + 127) << 23); }

static void directed(float *a, float *b, float *c)
{
	const uint64_t r = next();
	const uint32_t mant = (uint32_t)r & 0x7fffffu, d = r >> 63 ? 0 : (uint32_t)(r >> 23) & 31;
	const uint32_t shift = (uint32_t)(r >> 28) & 127;
	int k;
	/* a b = 1 - d^2 ulp^2: to be half an ulp of c, or a hair less */
	*a = s_ufloat(0x3f800000u + d);
	*b = s_ufloat(0x3f800000u - 2 * d);
	switch ((int)(r >> 40) & 7) {
	case 0: /* any exponent */
	case 1:
		k = (int)(r >> 45) % 200 + 30;
		*c = s_ufloat(mant | (uint32_t)k << 23);
		*a *= power(k - 151);
		break;
	case 2: /* subnormal: half of 2^-149 */
		*c = s_ufloat(mant);
		*a *= 0x1p-75f;
		*b *= 0x1p-75f;
		break;
	case 3: /* around the smallest normal */
		*c = s_ufloat(0x00800000u - 8 + (mant & 15));
		*a *= 0x1p-75f;
		*b *= 0x1p-75f;
		break;
	case 4: /* near overflow */
		*c = s_ufloat(0x7f7fffffu - (mant & 3));
		*a *= 0x1p+52f;
		*b *= 0x1p+51f;
		break;
	case 5: /* a b of 25 bits is the midpoint, and c far below decides */
	case 6:
		k = (int)(r >> 45) % 120 - 60;
		*a = (float)(4097 + 2 * (mant & 2047)) * power(k);
		*b = (float)(4097 + 2 * (mant >> 11 & 2047));
		*c = r >> 59 & 3 ? power(k + 23 - 20 - (int)shift % 60) : 0;
		break;
	default: /* a subnormal midpoint and a product far below: what double loses */
		*a = (float)(1 + 2 * (mant & 2047)) * 0x1p-75f;
		*b = 0x1p-75f * s_ufloat(0x3f800000u + (mant >> 12 & 3) - (d & 1));
		*c = s_ufloat(mant >> 11 & 0xfff);
	}
	if (r >> 62 & 1)
		*a = -*a;
	if (r >> 61 & 1)
		*c = -*c;
}

static const float specials[] = {
	0.0f, -0.0f, 0x1p-149f, -0x1p-149f, 0x1.fffffcp-127f, 0x1p-126f, -0x1p-126f, 0.5f, 1.0f, -1.0f,
	0x1.fffffep-1f, 0x1.000002p+0f, 1.5f, 2.0f, 3.0f, 0x1p+23f, 0x1.fffffep+127f, -0x1.fffffep+127f,
	0x1p+127f, INFINITY, -INFINITY, NAN, 0x1p-75f, -0x1p-75f, 0x1p+64f, 0x1p-64f
};
#define SPECIALS ((int)(sizeof specials / sizeof *specials))

/* ---- one at a time, and sixteen ---- */

static long wrong_soft, wrong_vector, wrong_reference, naive;

/* sixteen triples in both forms against the references; every `part`-th in integers */
static void compare(const float a[16], const float b[16], const float c[16], uint64_t part)
{
	float want[16], got[16];
	const int hard = has_fma();
	v_store(got, v_fma(v_load(a), v_load(b), v_load(c)));
	if (hard)
		hard_fmas(16, a, b, c, want);
	for (int i = 0; i < 16; i++) {
		if (!hard || next() % part == 0) {
			const float exact = integer_fma(a[i], b[i], c[i]);
			if (!hard)
				want[i] = exact;
			wrong_reference += !same(exact, want[i]);
		}
		wrong_soft += !same(s_fma_soft(a[i], b[i], c[i]), want[i]);
		wrong_vector += !same(got[i], want[i]);
		naive += !same((float)((double)a[i] * (double)b[i] + (double)c[i]), want[i]);
	}
}

static void test_triples(void)
{
	float a[16], b[16], c[16];
	const long n = triples();
	int at = 0;
	if (!has_fma())
		puts("  this CPU has no fma: compared with integers only");
	for (int i = 0; i < SPECIALS; i++)
		for (int j = 0; j < SPECIALS; j++)
			for (int k = 0; k < SPECIALS; k++) {
				a[at] = specials[i], b[at] = specials[j], c[at] = specials[k];
				if (++at == 16 || i + j + k == 3 * SPECIALS - 3)
					compare(a, b, c, 1), at = 0;
			}
	CU_ASSERT_EQUAL(wrong_soft + wrong_vector + wrong_reference, 0);
	naive = 0;
	for (long i = 0; i < n; i += 16) {
		for (int j = 0; j < 16; j++)
			directed(a + j, b + j, c + j);
		compare(a, b, c, 16);
	}
	CU_ASSERT_EQUAL(wrong_soft + wrong_vector + wrong_reference, 0);
	printf("  %ld triples; plain double is wrong on %ld\n", n, naive);
	CU_ASSERT(naive > n / 10); /* the triples have power */
	for (long i = 0; i < n / 10; i += 16) {
		for (int j = 0; j < 16; j++) {
			const uint64_t r = next(), q = next();
			a[j] = s_ufloat((uint32_t)r);
			b[j] = s_ufloat((uint32_t)(r >> 32));
			c[j] = q & 1 ? s_ufloat((uint32_t)(q >> 32)) : -(a[j] * b[j]);
		}
		compare(a, b, c, 16);
	}
	CU_ASSERT_EQUAL(wrong_soft + wrong_vector + wrong_reference, 0);
}

/* ---- the register tile ---- */

#define ROWS AMP_TILE_T
#define STEPS 40

/* the tile's sums by the reference, in the tile's order */
static void reference(const struct amp_tile *p, int rows, float sum[ROWS][16])
{
	for (int t = 0; t < rows; t++)
		for (int j = 0; j < 16; j++)
			sum[t][j] = 0;
	for (int ib = 0; ib < p->blocks; ib++)
		for (int ky = p->ky0; ky < p->ky1; ky++)
			for (int kx = 0; kx < p->kw; kx++)
				for (int k = 0; k < (ib + 1 < p->blocks ? p->cs : p->last); k++) {
					const float *x = p->x + ib * p->x_block + (ky - p->ky0) * p->x_row + kx * p->x_col;
					const float *w = p->w + (((ib * p->kh + ky) * p->kw + kx) * p->cs + k) * 16;
					for (int t = 0; t < rows; t++) {
						float a[16];
						for (int j = 0; j < 16; j++)
							a[j] = x[t * p->x_pixel + k];
						if (has_fma())
							hard_fmas(16, a, w, sum[t], sum[t]);
						else
							for (int j = 0; j < 16; j++)
								sum[t][j] = integer_fma(a[j], w[j], sum[t][j]);
					}
				}
}

static long tile_differs(const struct amp_tile *p, int rows)
{
	float got[ROWS * 16], want[ROWS][16];
	long wrong = 0;
	amp_tiles[0][rows - 1](p, got);
	reference(p, rows, want);
	for (int t = 0; t < rows; t++)
		for (int j = 0; j < 16; j++)
			wrong += !same(got[t * 16 + j], want[t][j]);
	return wrong;
}

/*
 * The first steps put c into every sum, one row at a time: row t of x is 1 in step t, elsewhere 0.  The last step adds
 * products that are near half an ulp of it: rows have a, columns b, with one d, so that every pair is near a midpoint.
 */
static void test_tile_midpoints(void)
{
	static float x[ROWS][ROWS + 1], w[(ROWS + 1) * 16];
	const long n = triples();
	long wrong = 0;
	for (long i = 0; i < n; i += ROWS * 16) {
		const uint64_t r = next();
		const uint32_t d = r & 1 ? (uint32_t)(r >> 1) & 31 : 0;
		/* subnormal, around the smallest normal, near overflow, any */
		const int kind = (int)(r >> 8) & 3, e = kind < 2 ? 1 : kind == 2 ? 254 : (int)(r >> 16 & 127) + 60;
		/* a few steps in a tile near a midpoint, others far: both ways through the loop */
		const int few = (int)(r >> 10) & 1, half = e - 151;
		for (int t = 0; t < ROWS; t++) {
			for (int k = 0; k < ROWS; k++)
				x[t][k] = t == k;
			x[t][ROWS] = s_ufloat(0x3f800000u + d) * power(half / 2);
			if (few)
				x[t][ROWS] *= s_ufloat(0x3f800000u + (uint32_t)(next() & 0x7fffff));
			for (int j = 0; j < 16; j++) {
				const uint64_t q = next();
				const uint32_t mant = kind == 1 ? (uint32_t)q & 15 : kind == 2 ? 0x7fffffu - ((uint32_t)q & 3) :
							  (uint32_t)q & 0x7fffff;
				const uint32_t exponent = kind == 0 ? 0 : (uint32_t)e;
				w[t * 16 + j] = s_ufloat(mant | exponent << 23 | (q >> 63 ? 0x80000000u : 0));
			}
		}
		for (int j = 0; j < 16; j++)
			w[ROWS * 16 + j] = s_ufloat(0x3f800000u - 2 * d) * power(half - half / 2);
		const struct amp_tile p = { .x = x[0], .w = w, .x_pixel = ROWS + 1, .blocks = 1, .last = ROWS + 1,
					    .cs = ROWS + 1, .ky1 = 1, .kh = 1, .kw = 1 };
		wrong += tile_differs(&p, ROWS);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* rows, blocks and taps of any size; values of one kind a tile, now and then a special one */
static void test_tile_shapes(void)
{
	static float x[ROWS + 8][STEPS * 8], w[STEPS * 8 * 16];
	long wrong = 0;
	for (long i = 0; i < triples() / 5000; i++) {
		const uint64_t r = next();
		const int rows = (int)(r % ROWS) + 1, kind = (int)((r >> 8) % 5);
		struct amp_tile p = { .blocks = (int)(r >> 16 & 1) + 1, .kh = (int)(r >> 20 & 1) + 1,
				      .kw = (int)(r >> 24 & 1) + 1, .cs = (int)((r >> 28) % STEPS) + 1 };
		p.last = p.blocks == 1 ? p.cs : (int)((r >> 36) % (unsigned)p.cs) + 1;
		p.ky1 = p.kh;
		p.ky0 = (int)(r >> 44) & (p.kh - 1);
		p.x = x[0];
		p.w = w;
		p.x_pixel = STEPS * 8, p.x_block = STEPS, p.x_row = 2 * STEPS, p.x_col = 4 * STEPS;
		for (int k = 0; k < (ROWS + 8) * STEPS * 8 + STEPS * 8 * 16; k++) {
			const uint64_t q = next();
			float f = s_ufloat(0x3f000000u | ((uint32_t)q & 0x80ffffffu));
			if (kind == 1) /* small integers: sums and midpoints that are exact */
				f = (float)((int)(q & 511) - 255);
			if (kind == 2) /* bfloat16 of any size: exact midpoints now and then */
				f = s_ufloat((uint32_t)q & 0x8fff0000u) * power(40);
			if (kind == 3) /* products and sums on both sides of 2^-126 */
				f = s_ufloat(((uint32_t)q & 0x83ffffffu) + 0x1f000000u);
			if (kind == 4 && (q >> 40) % 256 == 0)
				f = specials[(q >> 48) % (unsigned)SPECIALS];
			if (q >> 63 && (q >> 60 & 1))
				f = 0;
			if (k < (ROWS + 8) * STEPS * 8)
				(&x[0][0])[k] = f;
			else
				w[k - (ROWS + 8) * STEPS * 8] = f;
		}
		wrong += tile_differs(&p, rows);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

int main(void)
{
	CU_pSuite s;
	unsigned failed;
#if defined __x86_64__ && defined __AVX__
	if (!__builtin_cpu_supports("avx")) {
		puts("not run: this CPU has no AVX");
		return 0;
	}
#endif
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite("fma without an instruction, " AMP_ISA_NAME, NULL, NULL);
	if (!s || !CU_add_test(s, "one and sixteen", test_triples) ||
	    !CU_add_test(s, "the tile at midpoints", test_tile_midpoints) ||
	    !CU_add_test(s, "tiles of all shapes", test_tile_shapes))
		return 1;
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
