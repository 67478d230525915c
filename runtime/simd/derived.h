/*
 * derived.h - vector operations that are the same composition of primitives everywhere.
 *
 * In:  any vector header.  Out: v_copysign, v_canon, v_relu and s_relu, v_turn, amp_prefetch.
 */
#ifndef AMP_SIMD_DERIVED_H
#define AMP_SIMD_DERIVED_H

#include <stddef.h>

static inline vf v_copysign(vf mag, vf sign)
{
	vi top = vi_set1(INT32_MIN), rest = vi_set1(INT32_MAX);

	return v_float(vi_or(vi_and(v_bits(mag), rest), vi_and(v_bits(sign), top)));
}

/* Rule 12: one NaN. */
static inline vf v_canon(vf a) { return v_sel(v_eq(a, a), a, v_float(vi_set1(0x7fc00000))); }

/* Rule 13: Relu keeps NaN and turns -0 into +0. */
static inline float s_relu(float x) { return s_max(0.0f, x) + 0.0f; }
static inline vf v_relu(vf a) { return v_add(v_max(v_zero(), a), v_zero()); }

#ifndef AMP_HAS_TURN
/* to[c * 16 + r] = from[r * step + c] for rows r < 16, columns c < 16 */
static inline void v_turn(const float *from, ptrdiff_t step, float *to)
{
	for (int r = 0; r < 16; r++, from += step)
		for (int c = 0; c < 16; c++)
			to[c * 16 + r] = from[c];
}
#endif

static inline void amp_prefetch(const void *p)
{
#if defined __GNUC__
	__builtin_prefetch(p);
#else
	(void)p;
#endif
}

#endif
