/*
 * vector.h - the sixteen-lane primitives on the vectors of the C language as clang extends it: one vector of 16
 * elements, which LLVM lays into as many registers as the machine has for it.
 *
 * In:  clang 17 or newer; RISC-V's V (any vector length from 128 bits: 16 floats are a group of registers), WebAssembly's
 *      SIMD128, or any other vectors of LLVM that are IEEE and keep subnormals (ARMv7's do not).
 * Out: as generic.h, bit for bit.
 *
 * Maximum and minimum are a comparison and a selection of bits (rule 13); masks that are combined are opaque, as
 * in guard.h. Without hardware fma (WebAssembly: its relaxed fma may or may not fuse) fma goes through double as
 * in scalar.h: a quick sum for all lanes, the exact one if any lane's sum is a tie or subnormal.
 */
#ifndef AMP_SIMD_VECTOR_H
#define AMP_SIMD_VECTOR_H

#include "scalar.h"

#if !defined __clang__ || __clang_major__ < 17
#error "AMP_ISA_VECTOR needs clang 17 or newer; elsewhere use plain C, AMP_ISA_GENERIC"
#endif
#if defined __arm__
#error "the vectors of 32-bit Arm flush subnormals: use plain C, AMP_ISA_GENERIC"
#endif

#define AMP_ISA_NAME "vector"

typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vm __attribute__((vector_size(64))); /* lanes all ones or zero */

/* ---- memory and lanes ---- */

static inline vf v_load(const float *p)
{
	vf r;

	memcpy(&r, p, sizeof r);
	return r;
}

static inline void v_store(float *p, vf a) { memcpy(p, &a, sizeof a); }

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
	vi r;

	memcpy(&r, p, sizeof r);
	return r;
}

static inline void vi_store(int32_t *p, vi a) { memcpy(p, &a, sizeof a); }
static inline float v_get(vf a, int lane) { return a[lane]; }

static inline vi vi_set1(int32_t x)
{
	return (vi){ x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x };
}

static inline vf v_set1(float x)
{
	return (vf){ x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x };
}

static inline vf v_zero(void) { return v_set1(0.0f); }

static inline vm vm_first(int n)
{
	const vi lanes = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	return (vm)(lanes < vi_set1(n));
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b) { return (vm)(a < b); }
static inline vm v_le(vf a, vf b) { return (vm)(a <= b); }
static inline vm v_eq(vf a, vf b) { return (vm)(a == b); }
static inline vm v_gt(vf a, vf b) { return (vm)(a > b); }
static inline vm v_ge(vf a, vf b) { return (vm)(a >= b); }
static inline vm v_ne(vf a, vf b) { return (vm)(a != b); }

static inline vm vm_and(vm a, vm b)
{
	AMP_OPAQUE_MASKS(a);
	AMP_OPAQUE_MASKS(b);
	return a & b;
}

static inline vm vm_or(vm a, vm b)
{
	AMP_OPAQUE_MASKS(a);
	AMP_OPAQUE_MASKS(b);
	return a | b;
}

static inline vm vm_not(vm a) { return ~a; }

static inline int vm_any(vm a)
{
	AMP_OPAQUE_MASKS(a);
	return __builtin_reduce_or(a) != 0;
}

static inline int vm_all(vm a) { return !vm_any(vm_not(a)); }
static inline vf v_sel(vm m, vf a, vf b) { return (vf)(((vm)a & m) | ((vm)b & ~m)); }
static inline vi vi_sel(vm m, vi a, vi b) { return (vi)(((vm)a & m) | ((vm)b & ~m)); }

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b) { return a + b; }
static inline vf v_sub(vf a, vf b) { return a - b; }
static inline vf v_mul(vf a, vf b) { return a * b; }
static inline vf v_div(vf a, vf b) { return a / b; }
static inline vf v_max(vf a, vf b) { return v_sel(v_gt(a, b), a, b); }
static inline vf v_min(vf a, vf b) { return v_sel(v_lt(a, b), a, b); }
static inline vf v_sqrt(vf a) { return __builtin_elementwise_sqrt(a); }
static inline vf v_neg(vf a) { return (vf)((vm)a ^ 0x80000000u); }
static inline vf v_abs(vf a) { return (vf)((vm)a & 0x7fffffffu); }
static inline vf v_rint(vf a) { return __builtin_elementwise_roundeven(a); }
static inline vf v_floor(vf a) { return __builtin_elementwise_floor(a); }
static inline vf v_ceil(vf a) { return __builtin_elementwise_ceil(a); }
static inline vf v_trunc(vf a) { return __builtin_elementwise_trunc(a); }

#if AMP_FMA_F32
static inline vf v_fma(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
#else
typedef float amp_f4 __attribute__((vector_size(16)));
typedef double amp_d4 __attribute__((vector_size(32)));
typedef uint64_t amp_u4 __attribute__((vector_size(32)));

AMP_OUTLINE vf amp_fma_exact(vf a, vf b, vf c)
{
	for (int i = 0; i < 16; i++)
		c[i] = s_fma_soft(a[i], b[i], c[i]);
	return c;
}

/* four lanes of a * b + c; *rare gets ones where that may be wrong (scalar.h, s_fma_rare) */
static inline amp_f4 amp_fma4(amp_f4 a, amp_f4 b, amp_f4 c, amp_u4 *rare)
{
	amp_d4 s = __builtin_convertvector(a, amp_d4) * __builtin_convertvector(b, amp_d4) +
		   __builtin_convertvector(c, amp_d4);
	amp_u4 u = (amp_u4)s;

	*rare |= (amp_u4)((u & 0x1fffffffu) == 0x10000000u);
	*rare |= (amp_u4)((u & 0x7fffffffffffffffu) - 1 < 0x3810000000000000u - 1);
	return __builtin_convertvector(s, amp_f4);
}

static inline vf v_fma(vf a, vf b, vf c)
{
	amp_f4 x[4], y[4], z[4];
	amp_u4 rare = { 0 };
	vf r;

	memcpy(x, &a, sizeof x);
	memcpy(y, &b, sizeof y);
	memcpy(z, &c, sizeof z);
	for (int i = 0; i < 4; i++)
		z[i] = amp_fma4(x[i], y[i], z[i], &rare);
	if (__builtin_reduce_or(rare))
		return amp_fma_exact(a, b, c);
	memcpy(&r, z, sizeof r);
	return r;
}
#endif

/* guard.h, AMP_OPAQUE */
static inline vf v_opaque(vf a)
{
#if AMP_FMA_F32
	__asm__("" : "+m"(a));
#endif
	return a;
}

/* ---- integers ---- */

static inline vi v_bits(vf a) { return (vi)a; }
static inline vf v_float(vi a) { return (vf)a; }
static inline vi vi_add(vi a, vi b) { return (vi)((vm)a + (vm)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((vm)a - (vm)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl(vi a, int k) { return (vi)((vm)a << (uint32_t)k); }
static inline vi vi_shr(vi a, int k) { return (vi)((vm)a >> (uint32_t)k); }
static inline vi vi_sar(vi a, int k) { return a >> k; }
static inline vm vi_lt(vi a, vi b) { return (vm)(a < b); }
static inline vm vi_eq(vi a, vi b) { return (vm)(a == b); }
static inline vf v_from_i(vi a) { return __builtin_convertvector(a, vf); }

/* Only what fits is converted (elsewhere C leaves the answer open); then NaN is 0 and the rest saturates. */
static inline vi v_to_i_trunc(vf a)
{
	vm high = v_ge(a, v_set1(2147483648.0f)), low = v_lt(a, v_set1(-2147483648.0f));
	vm fits = v_eq(a, a) & ~high & ~low;
	vi r = __builtin_convertvector((vf)((vm)a & fits), vi);

	return (vi)((vm)r | (high & 0x7fffffffu) | (low & 0x80000000u));
}

static inline vi v_to_i(vf a) { return v_to_i_trunc(v_rint(a)); }

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
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a[i] = s_add(a[i], a[i + h]);
	return a[0];
}

static inline float v_tree_mul(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a[i] = s_mul(a[i], a[i + h]);
	return a[0];
}

static inline float v_tree_max(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a[i] = s_max(a[i], a[i + h]);
	return a[0];
}

static inline float v_tree_min(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a[i] = s_min(a[i], a[i + h]);
	return a[0];
}

#endif
