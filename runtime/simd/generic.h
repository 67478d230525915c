/*
 * generic.h - the sixteen-lane primitives in plain C.
 *
 * In:  nothing but C11 and scalar.h.  Out: vf, vi, vm as arrays of 16, every primitive a loop over
 *      lanes that calls the scalar one. It is the definition: the other headers must equal it.
 */
#ifndef AMP_SIMD_GENERIC_H
#define AMP_SIMD_GENERIC_H

#include "scalar.h"

#define AMP_ISA_NAME "generic"

typedef struct { float f[16]; } vf;
typedef struct { int32_t i[16]; } vi;
typedef struct { uint32_t m[16]; } vm; /* all ones or zero */

/* ---- memory and lanes ---- */

static inline vf v_load(const float *p)
{
	vf r;

	memcpy(r.f, p, sizeof r.f);
	return r;
}

static inline void v_store(float *p, vf a) { memcpy(p, a.f, sizeof a.f); }

static inline vf v_load_n(const float *p, int n)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = i < n ? p[i] : 0.0f;
	return r;
}

static inline void v_store_n(float *p, vf a, int n)
{
	for (int i = 0; i < 16 && i < n; i++)
		p[i] = a.f[i];
}

static inline vi vi_load(const int32_t *p)
{
	vi r;

	memcpy(r.i, p, sizeof r.i);
	return r;
}

static inline void vi_store(int32_t *p, vi a) { memcpy(p, a.i, sizeof a.i); }
static inline float v_get(vf a, int lane) { return a.f[lane]; }

static inline vf v_set1(float x)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = x;
	return r;
}

static inline vf v_zero(void)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = 0.0f;
	return r;
}

static inline vi vi_set1(int32_t x)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = x;
	return r;
}

static inline vm vm_first(int n)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = i < n ? 0xffffffffu : 0;
	return r;
}

/* ---- arithmetic ---- */

static inline vf v_add(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_add(a.f[i], b.f[i]);
	return r;
}

static inline vf v_sub(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_sub(a.f[i], b.f[i]);
	return r;
}

static inline vf v_mul(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_mul(a.f[i], b.f[i]);
	return r;
}

static inline vf v_div(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_div(a.f[i], b.f[i]);
	return r;
}

static inline vf v_max(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_max(a.f[i], b.f[i]);
	return r;
}

static inline vf v_min(vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_min(a.f[i], b.f[i]);
	return r;
}

static inline vf v_sqrt(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_sqrt(a.f[i]);
	return r;
}

static inline vf v_neg(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_neg(a.f[i]);
	return r;
}

static inline vf v_abs(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_abs(a.f[i]);
	return r;
}

static inline vf v_rint(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_rint(a.f[i]);
	return r;
}

static inline vf v_floor(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_floor(a.f[i]);
	return r;
}

static inline vf v_ceil(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_ceil(a.f[i]);
	return r;
}

static inline vf v_trunc(vf a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_trunc(a.f[i]);
	return r;
}

#if AMP_FMA_F32
static inline vf v_fma(vf a, vf b, vf c)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_fma(a.f[i], b.f[i], c.f[i]);
	return r;
}
#else
/* One loop that a compiler can vectorise, and the exact one only if a lane needs it. */
static inline vf v_fma(vf a, vf b, vf c)
{
	vf r;
	uint64_t rare = 0;

	for (int i = 0; i < 16; i++) {
		double s = (double)a.f[i] * (double)b.f[i] + (double)c.f[i];

		r.f[i] = (float)s;
		rare |= (uint64_t)s_fma_rare(s);
	}
	if (rare)
		for (int i = 0; i < 16; i++)
			r.f[i] = s_fma_soft(a.f[i], b.f[i], c.f[i]);
	return r;
}
#endif

/* guard.h, AMP_OPAQUE; by way of memory, so that loops over lanes can still be vectorised */
static inline vf v_opaque(vf a)
{
#if AMP_FMA_F32
	__asm__("" : "+m"(a));
#endif
	return a;
}

/* ---- comparisons, masks, selection ---- */

static inline vm v_lt(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_lt(a.f[i], b.f[i]);
	return r;
}

static inline vm v_le(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_le(a.f[i], b.f[i]);
	return r;
}

static inline vm v_eq(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_eq(a.f[i], b.f[i]);
	return r;
}

static inline vm v_gt(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_gt(a.f[i], b.f[i]);
	return r;
}

static inline vm v_ge(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_ge(a.f[i], b.f[i]);
	return r;
}

static inline vm v_ne(vf a, vf b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = s_ne(a.f[i], b.f[i]);
	return r;
}

static inline vm vm_and(vm a, vm b)
{
	vm r;

	AMP_OPAQUE_MASKS(a);
	AMP_OPAQUE_MASKS(b);
	for (int i = 0; i < 16; i++)
		r.m[i] = a.m[i] & b.m[i];
	return r;
}

static inline vm vm_or(vm a, vm b)
{
	vm r;

	AMP_OPAQUE_MASKS(a);
	AMP_OPAQUE_MASKS(b);
	for (int i = 0; i < 16; i++)
		r.m[i] = a.m[i] | b.m[i];
	return r;
}

static inline vm vm_not(vm a)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = ~a.m[i];
	return r;
}

static inline int vm_any(vm a)
{
	uint32_t r = 0;

	AMP_OPAQUE_MASKS(a);
	for (int i = 0; i < 16; i++)
		r |= a.m[i];
	return r != 0;
}

static inline int vm_all(vm a) { return !vm_any(vm_not(a)); }

static inline vf v_sel(vm m, vf a, vf b)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_sel(m.m[i], a.f[i], b.f[i]);
	return r;
}

static inline vi vi_sel(vm m, vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_sel(m.m[i], a.i[i], b.i[i]);
	return r;
}

/* ---- integers ---- */

static inline vi v_bits(vf a)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = s_bits(a.f[i]);
	return r;
}

static inline vf v_float(vi a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_float(a.i[i]);
	return r;
}

static inline vi vi_add(vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_add(a.i[i], b.i[i]);
	return r;
}

static inline vi vi_sub(vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_sub(a.i[i], b.i[i]);
	return r;
}

static inline vi vi_and(vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_and(a.i[i], b.i[i]);
	return r;
}

static inline vi vi_or(vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_or(a.i[i], b.i[i]);
	return r;
}

static inline vi vi_xor(vi a, vi b)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_xor(a.i[i], b.i[i]);
	return r;
}

static inline vi vi_shl(vi a, int k)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_shl(a.i[i], k);
	return r;
}

static inline vi vi_shr(vi a, int k)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_shr(a.i[i], k);
	return r;
}

static inline vi vi_sar(vi a, int k)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = si_sar(a.i[i], k);
	return r;
}

static inline vm vi_lt(vi a, vi b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = si_lt(a.i[i], b.i[i]);
	return r;
}

static inline vm vi_eq(vi a, vi b)
{
	vm r;

	for (int i = 0; i < 16; i++)
		r.m[i] = si_eq(a.i[i], b.i[i]);
	return r;
}

static inline vf v_from_i(vi a)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_from_i(a.i[i]);
	return r;
}

static inline vi v_to_i(vf a)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = s_to_i(a.f[i]);
	return r;
}

static inline vi v_to_i_trunc(vf a)
{
	vi r;

	for (int i = 0; i < 16; i++)
		r.i[i] = s_to_i_trunc(a.f[i]);
	return r;
}

static inline vf v_ldexp(vf a, vf nf, vi n)
{
	vf r;

	for (int i = 0; i < 16; i++)
		r.f[i] = s_ldexp(a.f[i], nf.f[i], n.i[i]);
	return r;
}

/* ---- the combining tree of rule 4: lanes 8 apart, then 4, 2, 1 ---- */

static inline float v_tree_add(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a.f[i] = s_add(a.f[i], a.f[i + h]);
	return a.f[0];
}

static inline float v_tree_mul(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a.f[i] = s_mul(a.f[i], a.f[i + h]);
	return a.f[0];
}

static inline float v_tree_max(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a.f[i] = s_max(a.f[i], a.f[i + h]);
	return a.f[0];
}

static inline float v_tree_min(vf a)
{
	for (int h = 8; h; h >>= 1)
		for (int i = 0; i < h; i++)
			a.f[i] = s_min(a.f[i], a.f[i + h]);
	return a.f[0];
}

#endif
