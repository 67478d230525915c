/*
 * digest.c - one line per primitive and elementary function: a hash of its results on fixed inputs.
 *
 * In:  the instruction set and compiler options that this file is built with.
 * Out: "name hash" lines on standard output, the same for every build: tests/cli/simd_digest.sh
 *      builds it in many ways and compares. Results are hashed as bits, NaN as one NaN (rule 12).
 *
 * The inputs hold all combinations of special values, arbitrary bits, numbers of order one, ties of
 * fma (normal, subnormal, near overflow), and the ends of each function's range. "contract" lines
 * compute what a compiler would like to contract, in the form that forbids it. Every v_ result is
 * also compared here with the s_ result of its lane.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../../runtime/simd/simd.h"

#define N 8192 /* inputs of functions of one argument; a multiple of 16 */

static const uint32_t special[] = {
	0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000,
	0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x40000000, 0xc0000000, 0x3f000000, 0xbf000000,
	0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000, 0x4afffffe, 0x4affffff, 0xcaffffff, 0x4b000000,
	0x4b000001, 0xcb000001, 0x4b7fffff, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff,
	0x5f000000, 0xdf000000, 0x7f7fffff, 0xff7fffff, 0x7f000000, 0x7f800000, 0xff800000, 0x7fc00000,
	0xffc00000, 0x7f800001, 0x42b17218, 0xc2cff1b5, 0x40490fdb, 0x3eaaaaab, 0x33800000, 0x00400000,
};
#define S ((int)(sizeof special / sizeof *special))

static uint64_t state = 88172645463325252u;

static uint32_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* the i-th input: specials, then one of several kinds of random number */
static float input(int i)
{
	uint32_t r = next();

	if (i < S)
		return s_ufloat(special[i]);
	switch (i & 3) {
	case 0:
		return s_ufloat(r); /* any bits */
	case 1:
		return s_ufloat((r & 0x807fffffu) | (117 + (r >> 23) % 20) << 23); /* 2^-10 to 2^10 */
	case 2:
		return s_ufloat((r & 0x807fffffu) | (126 + (r >> 23) % 8) << 23); /* 1/2 to 2^7 */
	default:
		return (float)((int32_t)(r % 8001) - 4000) * 0.03125f; /* ties of rounding */
	}
}

static uint64_t hash;
static int failures;

static void add(uint32_t bits)
{
	hash = (hash ^ bits) * 0x100000001b3u;
	hash ^= hash >> 29;
}

static void start(void) { hash = 0xcbf29ce484222325u; }
static void line(const char *name) { printf("%-14s %08lx%08lx\n", name,
	(unsigned long)(hash >> 32), (unsigned long)(hash & 0xffffffffu)); }

static void add_f(float x) { add(s_ubits(s_canon(x))); }

static void add_v(const char *name, vf r, const float *want)
{
	float f[16];

	v_store(f, r);
	for (int i = 0; i < 16; i++) {
		add_f(f[i]);
		if (s_ubits(s_canon(f[i])) == s_ubits(s_canon(want[i])))
			continue;
		if (failures++ < 10)
			fprintf(stderr, "%s (%s): lane %d is %a, one lane wide it is %a\n", name,
				AMP_ISA_NAME, i, (double)f[i], (double)want[i]);
	}
}

static void add_vi(const char *name, vi r, const int32_t *want)
{
	int32_t f[16];

	vi_store(f, r);
	for (int i = 0; i < 16; i++) {
		add((uint32_t)f[i]);
		if (f[i] != want[i] && failures++ < 10)
			fprintf(stderr, "%s (%s): lane %d is %ld, one lane wide it is %ld\n", name,
				AMP_ISA_NAME, i, (long)f[i], (long)want[i]);
	}
}

static float in1[N], in2[N], in3[N]; /* single values; pairs; triples come from all three */

/* two vectors side by side (pair.h): a failure where they are not those of the function itself */
#define PAIR(name) do { \
	for (int i = 0; i < N; i += 32) { \
		const struct pair r = pair_##name((struct pair){ v_load(in1 + i), v_load(in1 + (i + 16) % N) }); \
		float w[16]; \
		start(); \
		v_store(w, v_##name(v_load(in1 + i))); \
		add_v("pair_" #name, r.a, w); \
		v_store(w, v_##name(v_load(in1 + (i + 16) % N))); \
		add_v("pair_" #name, r.b, w); \
	} \
} while (0)

#define UNARY(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		float w[16]; \
		for (int k = 0; k < 16; k++) \
			w[k] = s_##name(in1[i + k]); \
		add_v(#name, v_##name(v_load(in1 + i)), w); \
	} \
	line(#name); \
} while (0)

#define BINARY(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		float w[16]; \
		for (int k = 0; k < 16; k++) \
			w[k] = s_##name(in2[i + k], in3[i + k]); \
		add_v(#name, v_##name(v_load(in2 + i), v_load(in3 + i)), w); \
	} \
	line(#name); \
} while (0)

#define COMPARE(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		int32_t w[16]; \
		for (int k = 0; k < 16; k++) \
			w[k] = si_sel(s_##name(in2[i + k], in3[i + k]), 3, 5); \
		add_vi(#name, vi_sel(v_##name(v_load(in2 + i), v_load(in3 + i)), vi_set1(3), \
				     vi_set1(5)), w); \
	} \
	line(#name); \
} while (0)

#define INT_BINARY(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		int32_t a[16], b[16], w[16]; \
		for (int k = 0; k < 16; k++) { \
			a[k] = s_bits(in2[i + k]); \
			b[k] = s_bits(in3[i + k]); \
			w[k] = si_##name(a[k], b[k]); \
		} \
		add_vi("i_" #name, vi_##name(vi_load(a), vi_load(b)), w); \
	} \
	line("i_" #name); \
} while (0)

#define INT_COMPARE(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		int32_t a[16], b[16], w[16]; \
		for (int k = 0; k < 16; k++) { \
			a[k] = s_bits(in2[i + k]); \
			b[k] = s_bits(in3[i + k]); \
			w[k] = si_sel(si_##name(a[k], b[k]), a[k], b[k]); \
		} \
		add_vi("i_" #name, vi_sel(vi_##name(vi_load(a), vi_load(b)), vi_load(a), \
					  vi_load(b)), w); \
	} \
	line("i_" #name); \
} while (0)

#define SHIFT(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		int32_t a[16], w[16]; \
		for (int k = 0; k < 16; k++) { \
			a[k] = s_bits(in1[i + k]); \
			w[k] = si_##name(a[k], (i >> 4) & 31); \
		} \
		add_vi("i_" #name, vi_##name(vi_load(a), (i >> 4) & 31), w); \
	} \
	line("i_" #name); \
} while (0)

#define TO_INT(name) do { \
	start(); \
	for (int i = 0; i < N; i += 16) { \
		int32_t w[16]; \
		for (int k = 0; k < 16; k++) \
			w[k] = s_##name(in1[i + k]); \
		add_vi(#name, v_##name(v_load(in1 + i)), w); \
	} \
	line(#name); \
} while (0)

static void fma_lines(void)
{
	float a[16], b[16], c[16], w[16];

	start(); /* all triples of specials */
	for (int i = 0; i < S; i++)
		for (int j = 0; j < S; j++)
			for (int k = 0; k < S; k += 16) {
				for (int l = 0; l < 16; l++) {
					a[l] = s_ufloat(special[i]);
					b[l] = s_ufloat(special[j]);
					c[l] = s_ufloat(special[k + l]);
					w[l] = s_fma(a[l], b[l], c[l]);
				}
				add_v("fma", v_fma(v_load(a), v_load(b), v_load(c)), w);
			}
	line("fma special");
	start(); /* arbitrary */
	for (int i = 0; i < N; i += 16) {
		for (int l = 0; l < 16; l++)
			w[l] = s_fma(in1[i + l], in2[i + l], in3[i + l]);
		add_v("fma", v_fma(v_load(in1 + i), v_load(in2 + i), v_load(in3 + i)), w);
	}
	line("fma any");
	start(); /* c and half its ulp, or nearly: (1 + d)(1 - d) = 1 - d^2 decides the tie */
	for (int i = 0; i < 4 * N; i += 16) {
		for (int l = 0; l < 16; l++) {
			uint32_t r = next(), mant = r & 0x7fffffu, d = 1 + (next() & 15);
			int e = (r >> 23) % 3, up = (int)(next() & 1);
			float half = e == 0 ? 0x1p-24f : e == 1 ? 0x1p-75f : 0x1p+52f;
			float other = e == 0 ? 1.0f : e == 1 ? 0x1p-75f : 0x1p+51f;

			c[l] = s_ufloat(mant | (e == 0 ? 127u : e == 1 ? 0u : 254u) << 23);
			a[l] = s_ufloat(0x3f800000u + (up ? d : 0)) * half;
			b[l] = s_ufloat(0x3f800000u - (up ? 2 * d : 0)) * other;
			if (r >> 31)
				a[l] = s_neg(a[l]);
			w[l] = s_fma(a[l], b[l], c[l]);
		}
		add_v("fma", v_fma(v_load(a), v_load(b), v_load(c)), w);
	}
	line("fma ties");
}

/* lanes, partial loads and stores, the tree, masks */
static void lane_lines(void)
{
	float out[48], w[16];

	start();
	for (int i = 0; i < 64; i++)
		for (int n = -1; n <= 17; n++) {
			for (int k = 0; k < 48; k++)
				out[k] = -1.0f;
			v_store_n(out + 16, v_load_n(in1 + i, n), n);
			for (int k = 0; k < 48; k++) {
				int in = k >= 16 && k - 16 < n && k < 32;
				add_f(out[k]);
				if (s_ubits(s_canon(out[k])) !=
				    s_ubits(s_canon(in ? in1[i + k - 16] : -1.0f)) && failures++ < 10)
					fprintf(stderr, "load_n/store_n (%s): n = %d, lane %d\n",
						AMP_ISA_NAME, n, k - 16);
			}
			for (int k = 0; k < 16; k++)
				w[k] = k < n ? 1.0f : 2.0f;
			add_v("first", v_sel(vm_first(n), v_set1(1.0f), v_set1(2.0f)), w);
			for (int k = 0; k < 16; k++)
				w[k] = k < n ? in1[i + k] : 0.0f;
			add_v("load_n", v_load_n(in1 + i, n), w);
		}
	line("partial");
	start();
	for (int i = 0; i + 16 <= N; i += 7) {
		vf a = v_load(in1 + i);
		vm m = v_lt(a, v_load(in2 + i)), q = v_gt(a, v_set1(0.0f));

		add_f(v_tree_add(a));
		add_f(v_tree_mul(a));
		add_f(v_tree_max(a));
		add_f(v_tree_min(a));
		for (int k = 0; k < 16; k++)
			add_f(v_get(a, k));
		add((uint32_t)(vm_any(m) | vm_all(m) << 1 | vm_any(vm_and(m, q)) << 2 |
			       vm_all(vm_or(m, q)) << 3 | vm_any(vm_not(vm_or(m, q))) << 4));
	}
	line("tree");
}

/*
 * Masks of two comparisons with one number, quiet and signaling NaNs among the rest: a compiler that makes
 * "a > c or b > c" into one comparison of a maximum must not lose b. Inputs are all pairs of specials.
 */
static void mask_lines(void)
{
	start();
	for (int i = 0; i < N; i += 16) {
		vf a = v_load(in2 + i), b = v_load(in3 + i), c = v_set1(65536.0f);
		vm m[6] = { vm_or(v_gt(a, c), v_gt(b, c)), vm_or(v_lt(a, c), v_lt(b, c)),
			    vm_and(v_ge(a, c), v_ge(b, c)), vm_and(v_le(a, c), v_le(b, c)),
			    vm_or(v_ge(c, a), v_ge(c, b)), vm_not(vm_or(v_gt(a, c), v_gt(b, c))) };
		int32_t w[6][16];

		for (int k = 0; k < 16; k++) {
			float x = in2[i + k], y = in3[i + k], z = 65536.0f;
			uint32_t s[6] = { sm_or(s_gt(x, z), s_gt(y, z)), sm_or(s_lt(x, z), s_lt(y, z)),
					  sm_and(s_ge(x, z), s_ge(y, z)), sm_and(s_le(x, z), s_le(y, z)),
					  sm_or(s_ge(z, x), s_ge(z, y)),
					  sm_not(sm_or(s_gt(x, z), s_gt(y, z))) };

			for (int j = 0; j < 6; j++)
				w[j][k] = si_sel(s[j], 3, 5);
		}
		for (int j = 0; j < 6; j++) {
			add_vi("masks", vi_sel(m[j], vi_set1(3), vi_set1(5)), w[j]);
			add((uint32_t)(vm_any(m[j]) | vm_all(m[j]) << 1));
		}
	}
	line("masks");
	start(); /* one large lane among NaNs of each kind */
	for (int i = 0; i < 16; i++)
		for (int k = 0; k < S; k++) {
			float f[16];

			for (int l = 0; l < 16; l++)
				f[l] = s_ufloat(special[k]);
			f[i] = 65537.0f;
			add((uint32_t)(vm_any(v_gt(v_load(f), v_set1(65536.0f))) |
				       vm_all(v_lt(v_load(f), v_set1(65536.0f))) << 1));
		}
	line("any");
}

/*
 * Sums of inexact products, in the two forms that the contract allows. A loop of its own for each: a product that
 * something else reads as well is not contracted, and the test would see nothing.
 */
static void contract_lines(void)
{
	float w[16];

	start();
	for (int i = 0; i < N; i += 16) {
		vf a = v_load(in1 + i), b = v_load(in2 + i), c = v_load(in3 + i);

		for (int k = 0; k < 16; k++)
			w[k] = s_add(s_opaque(s_mul(in1[i + k], in2[i + k])), in3[i + k]);
		add_v("contract", v_add(v_opaque(v_mul(a, b)), c), w);
	}
	for (int i = 0; i < N; i += 16) {
		for (int k = 0; k < 16; k++)
			w[k] = s_log1p(s_mul(in1[i + k], in2[i + k]));
		add_v("contract", v_log1p(v_mul(v_load(in1 + i), v_load(in2 + i))), w);
	}
	for (int i = 0; i < N; i += 16) {
		for (int k = 0; k < 16; k++)
			w[k] = s_rint(s_mul(in1[i + k], in2[i + k]));
		add_v("contract", v_rint(v_mul(v_load(in1 + i), v_load(in2 + i))), w);
	}
	line("contract");
}

static void add_d(double x)
{
	uint64_t u = d_ubits(d_canon(x));

	add((uint32_t)u);
	add((uint32_t)(u >> 32));
}

/* a double from two random words: any bits, or of order one */
static double input_d(int i)
{
	uint64_t r = (uint64_t)next() << 32 | next();

	if (i < S)
		return (double)s_ufloat(special[i]);
	if (i & 1)
		return d_ufloat(r);
	return d_ufloat((r & 0x800fffffffffffffu) | (1013 + (r >> 52) % 20) << 52);
}

#define DOUBLE(name) do { \
	start(); \
	state = 12345; \
	for (int i = 0; i < 1000; i++) \
		add_d(d_##name(input_d(i))); \
	line("d_" #name); \
} while (0)

static void double_lines(void)
{
	start();
	state = 777;
	for (int i = 0; i < 4000; i++) {
		double a = input_d(i), b = input_d(i * 7 % 4000), c = input_d(i * 11 % 4000);

		add_d(d_fma(a, b, c));
		add_d(d_pow(a, b));
		add_d(d_max(a, b));
		add_d(d_min(a, b));
		add_d(d_add(d_opaque(d_mul(a, b)), c));
		add((uint32_t)d_to_i32(a));
		add((uint32_t)d_to_i64(a));
		add(amp_f64_to_f16(a));
		add(amp_f64_to_bf16(a));
	}
	line("d_ arithmetic");
	DOUBLE(sqrt); DOUBLE(rint); DOUBLE(floor); DOUBLE(ceil); DOUBLE(trunc);
	DOUBLE(exp); DOUBLE(exp_softmax); DOUBLE(expm1); DOUBLE(log); DOUBLE(log1p); DOUBLE(softplus); DOUBLE(sigmoid);
	DOUBLE(tanh); DOUBLE(erf); DOUBLE(sin); DOUBLE(cos); DOUBLE(tan); DOUBLE(asin);
	DOUBLE(acos); DOUBLE(atan); DOUBLE(sinh); DOUBLE(cosh); DOUBLE(asinh); DOUBLE(acosh);
	DOUBLE(atanh);
}

int main(void)
{
	uint64_t mode = amp_fenv_enter();

	for (int i = 0; i < N; i++)
		in1[i] = input(i);
	for (int i = 0; i < N; i++) { /* first all pairs of specials */
		in2[i] = i < S * S ? s_ufloat(special[i / S]) : input(i);
		in3[i] = i < S * S ? s_ufloat(special[i % S]) : input(i);
	}
	BINARY(add); BINARY(sub); BINARY(mul); BINARY(div); BINARY(max); BINARY(min);
	BINARY(copysign);
	UNARY(sqrt); UNARY(neg); UNARY(abs); UNARY(rint); UNARY(floor); UNARY(ceil); UNARY(trunc);
	UNARY(relu); UNARY(canon); UNARY(opaque);
	COMPARE(lt); COMPARE(le); COMPARE(eq); COMPARE(gt); COMPARE(ge); COMPARE(ne);
	INT_BINARY(add); INT_BINARY(sub); INT_BINARY(and); INT_BINARY(or); INT_BINARY(xor);
	INT_COMPARE(lt); INT_COMPARE(eq);
	SHIFT(shl); SHIFT(shr); SHIFT(sar);
	TO_INT(to_i); TO_INT(to_i_trunc);
	start();
	for (int i = 0; i < N; i += 16) {
		int32_t a[16];
		float w[16];

		for (int k = 0; k < 16; k++) {
			a[k] = s_bits(in1[i + k]);
			w[k] = s_from_i(a[k]);
		}
		add_v("from_i", v_from_i(vi_load(a)), w);
	}
	line("from_i");
	fma_lines();
	lane_lines();
	mask_lines();
	contract_lines();
	UNARY(exp); UNARY(exp_softmax); UNARY(exp2); UNARY(expm1); UNARY(log); UNARY(log1p); UNARY(softplus);
	UNARY(sigmoid); UNARY(tanh); UNARY(erf); UNARY(sin); UNARY(cos); UNARY(tan); UNARY(asin);
	UNARY(acos); UNARY(atan); UNARY(sinh); UNARY(cosh); UNARY(asinh); UNARY(acosh);
	UNARY(atanh); BINARY(pow);
	PAIR(exp_softmax); PAIR(sigmoid); PAIR(tanh); PAIR(erf);
	double_lines();
	amp_fenv_leave(mode);
	return failures != 0;
}
