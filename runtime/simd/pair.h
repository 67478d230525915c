/*
 * pair.h - Softmax's exp, sigmoid, tanh and erf of two vectors side by side.
 *
 * In:  the sixteen-lane primitives.  Out: struct pair, pair_sigmoid and so on: the bits of v_sigmoid of each.
 * Each of these functions is one chain of dependent operations, longer than a core looks ahead. Where registers are
 * many, two chains are interleaved, operation by operation: activation.inc over pairs. Elsewhere it is two calls.
 */
#ifndef AMP_SIMD_PAIR_H
#define AMP_SIMD_PAIR_H

struct pair { vf a, b; };

#ifdef AMP_ISA_AVX512

/* a struct of two vectors passes through memory where the call does not vanish */
#ifdef __GNUC__
#define AMP_INLINE_PAIR static inline __attribute__((always_inline))
#else
#define AMP_INLINE_PAIR static inline
#endif

struct pair_i { vi a, b; };
struct pair_m { vm a, b; };

#define AMP_PAIR1(name) \
	static inline struct pair pair_##name(struct pair x) { return (struct pair){ v_##name(x.a), v_##name(x.b) }; }
#define AMP_PAIR2(name) \
	static inline struct pair pair_##name(struct pair x, struct pair y) \
	{ \
		return (struct pair){ v_##name(x.a, y.a), v_##name(x.b, y.b) }; \
	}
#define AMP_PAIR2_I(name) \
	static inline struct pair_i pair_i_##name(struct pair_i x, struct pair_i y) \
	{ \
		return (struct pair_i){ vi_##name(x.a, y.a), vi_##name(x.b, y.b) }; \
	}
AMP_PAIR1(abs)
AMP_PAIR1(neg)
AMP_PAIR2(add)
AMP_PAIR2(sub)
AMP_PAIR2(mul)
AMP_PAIR2(div)
AMP_PAIR2(max)
AMP_PAIR2(min)
AMP_PAIR2(copysign)
AMP_PAIR2_I(add)
AMP_PAIR2_I(sub)
#undef AMP_PAIR1
#undef AMP_PAIR2
#undef AMP_PAIR2_I

static inline struct pair pair_set1(float x) { return (struct pair){ v_set1(x), v_set1(x) }; }
static inline struct pair_i pair_i_set1(int32_t x) { return (struct pair_i){ vi_set1(x), vi_set1(x) }; }
static inline struct pair_i pair_bits(struct pair x) { return (struct pair_i){ v_bits(x.a), v_bits(x.b) }; }
static inline struct pair pair_float(struct pair_i x) { return (struct pair){ v_float(x.a), v_float(x.b) }; }
static inline struct pair_i pair_i_shl(struct pair_i x, int k)
{
	return (struct pair_i){ vi_shl(x.a, k), vi_shl(x.b, k) };
}
static inline struct pair pair_fma(struct pair x, struct pair y, struct pair z)
{
	return (struct pair){ v_fma(x.a, y.a, z.a), v_fma(x.b, y.b, z.b) };
}
static inline struct pair pair_ldexp(struct pair x, struct pair nf, struct pair_i n)
{
	return (struct pair){ v_ldexp(x.a, nf.a, n.a), v_ldexp(x.b, nf.b, n.b) };
}
static inline struct pair_m pair_lt(struct pair x, struct pair y)
{
	return (struct pair_m){ v_lt(x.a, y.a), v_lt(x.b, y.b) };
}
static inline struct pair pair_sel(struct pair_m m, struct pair x, struct pair y)
{
	return (struct pair){ v_sel(m.a, x.a, y.a), v_sel(m.b, x.b, y.b) };
}

#define INLINE AMP_INLINE_PAIR
#define V struct pair
#define I struct pair_i
#define P(name) pair_##name
#define PI(name) pair_i_##name
#include "activation.inc"
#undef V
#undef I
#undef P
#undef PI
#undef INLINE

#else

#define AMP_INLINE_PAIR AMP_INLINE_VECTOR

static inline struct pair pair_exp_softmax(struct pair x)
{
	return (struct pair){ v_exp_softmax(x.a), v_exp_softmax(x.b) };
}
static inline struct pair pair_sigmoid(struct pair x) { return (struct pair){ v_sigmoid(x.a), v_sigmoid(x.b) }; }
static inline struct pair pair_tanh(struct pair x) { return (struct pair){ v_tanh(x.a), v_tanh(x.b) }; }
static inline struct pair pair_erf(struct pair x) { return (struct pair){ v_erf(x.a), v_erf(x.b) }; }

#endif
#endif
