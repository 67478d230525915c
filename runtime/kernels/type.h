/*
 * type.h - the type parameter of the portable kernels.  Before it is included AMP_T is an ONNX dtype
 * number; after it these are defined:
 *	FN(name)	the instance's symbol: amp_name_f32 (with the ISA variant's suffix when emitted)
 *	ST, CT		type in memory, type of the arithmetic (float for float16 and bfloat16)
 *	LD(x), SV(x)	memory -> arithmetic, arithmetic -> memory (rounds to nearest even)
 *	T_FLOAT		1 for floating types
 *	T_ADD T_SUB T_MUL T_FMA(a,b,c)=a*b+c	integers wrap; floats by the contract's primitives
 *	T_MAX T_MIN	a > b ? a : b, a < b ? a : b;  T_ISNAN(x);  T_LOWEST, T_HIGHEST
 * A kernel file is runtime/kernels/NAME.inc and has, in its opening comment, one line
 *	kernel NAME: f32 f64 f16 ...
 * (the types of the instances that the compiler links).  Its parameters are one list
 *	#define AMP_NAME_FIELDS(I, IA, L, LA, F, D) I(n) IA(pad, 6) L(count) F(alpha)
 *	AMP_PARAMS(name, AMP_NAME_FIELDS)
 * inside an include guard of its own, so that several instances share the struct.  See copy.inc.
 */
#ifndef AMP_KERNEL_TYPE_H
#define AMP_KERNEL_TYPE_H

#include <stdint.h>
#include <stddef.h>
#include "ampoule_rt.h"
#include "simd/simd.h"
#include "simd/math_f64.h"

#ifndef AMP_SUFFIX
#define AMP_SUFFIX
#endif
#define AMP_CAT3_(a, b, c) a##b##c
#define AMP_CAT3(a, b, c) AMP_CAT3_(a, b, c)

#define AMP_M_I(n) int32_t n;
#define AMP_M_IA(n, k) int32_t n[k];
#define AMP_M_L(n) int64_t n;
#define AMP_M_LA(n, k) int64_t n[k];
#define AMP_M_F(n) float n;
#define AMP_M_D(n) double n;
#define AMP_STRUCT(name, FIELDS) \
	struct amp_##name { FIELDS(AMP_M_I, AMP_M_IA, AMP_M_L, AMP_M_LA, AMP_M_F, AMP_M_D) };

#ifdef AMP_KERNEL_TABLE		/* in the compiler: the struct and its description */
#include "ir/schedule.h"
#define AMP_D_(t, n, k) { #n, t, k, offsetof(AMP_THIS, n) },
#define AMP_D_I(n) AMP_D_('i', n, 0)
#define AMP_D_IA(n, k) AMP_D_('i', n, k)
#define AMP_D_L(n) AMP_D_('l', n, 0)
#define AMP_D_LA(n, k) AMP_D_('l', n, k)
#define AMP_D_F(n) AMP_D_('f', n, 0)
#define AMP_D_D(n) AMP_D_('d', n, 0)
#define AMP_PARAMS(name, FIELDS) AMP_STRUCT(name, FIELDS)
#else
#define AMP_PARAMS(name, FIELDS) AMP_STRUCT(name, FIELDS)
#endif

/*
 * The share of n pieces of work, numbered from 0, that part p of parts has: *from <= i < *to, as even as can be.
 * A kernel that uses it says so by a line " * parts: of what" in its opening comment.
 */
static inline __attribute__((unused)) void amp_share(int64_t n, int p, int parts, int64_t *from, int64_t *to)
{
	const int64_t each = n / parts, more = n % parts;
	*from = p * each + (p < more ? p : more);
	*to = *from + each + (p < more);
}

/* Of several axes to share along, with so many pieces each: the first that is nearly as even as the most even one. */
static inline __attribute__((unused)) int amp_share_axis(int axes, const int64_t *pieces, int parts)
{
	int64_t most[4], best = 0;
	for (int a = 0; a < axes; a++) {	/* what the busiest part does, in 1/1024 of all */
		most[a] = pieces[a] ? ((pieces[a] + parts - 1) / parts * 1024 + pieces[a] - 1) / pieces[a] : 0;
		best = most[a] < most[best] ? a : best;
	}
	for (int a = 0; a < axes; a++)
		if (most[a] * 10 <= most[best] * 11)
			return a;
	return (int)best;
}

/*
 * The same where it is known what the axes cost.  An axis is `length` long and shared in pieces of `piece`, the last one may
 * be shorter; whoever has a share of it reads (or computes) `again` what all others do too, in multiply-adds.  Its busiest
 * part takes its share of `work` and `again`; the first axis of those that take least.  A core of an Intel Xeon does 94
 * multiply-adds a nanosecond and reads 24 bytes of what another core wrote (and writes 16 over it), which is AMP_SHARE_BYTE
 * of them a byte; weights, which are read in order, prefetched and written by nobody, are one.
 */
#define AMP_SHARE_BYTE 4
struct amp_axis {
	int64_t length, piece, again;
};

static inline __attribute__((unused)) int amp_share_cheapest(int axes, const struct amp_axis *axis, int64_t work, int parts)
{
	int64_t least = INT64_MAX;
	int best = 0;
	for (int a = 0; a < axes; a++) {
		const struct amp_axis *x = &axis[a];
		const int64_t pieces = (x->length + x->piece - 1) / x->piece, each = (pieces + parts - 1) / parts * x->piece;
		const int64_t busiest = each < x->length ? each : x->length;
		const int64_t cost = (x->length ? work / x->length * busiest : 0) + x->again;
		if (cost < least) {
			least = cost;
			best = a;
		}
	}
	return best;
}

/*
 * n elements that lie side by side in both: gcc 12 at -O2 copies one by one what has no known length, and for a few
 * a call does not pay.
 */
#define AMP_COPY_RUN(to, from, n) \
	do { \
		const int64_t run_ = (n); \
		if (run_ >= 16) \
			memcpy((to), (from), (size_t)run_ * sizeof *(to)); \
		else \
			for (int k_ = 0; k_ < (int)run_; k_++) \
				(to)[k_] = (from)[k_]; \
	} while (0)

/* M(0) to M(n - 1), written out: a vector that a loop would index stays in its register */
#define AMP_REP1(M) M(0)
#define AMP_REP2(M) AMP_REP1(M) M(1)
#define AMP_REP3(M) AMP_REP2(M) M(2)
#define AMP_REP4(M) AMP_REP3(M) M(3)
#define AMP_REP5(M) AMP_REP4(M) M(4)
#define AMP_REP6(M) AMP_REP5(M) M(5)
#define AMP_REP7(M) AMP_REP6(M) M(6)
#define AMP_REP8(M) AMP_REP7(M) M(7)
#define AMP_REP9(M) AMP_REP8(M) M(8)
#define AMP_REP10(M) AMP_REP9(M) M(9)
#define AMP_REP11(M) AMP_REP10(M) M(10)
#define AMP_REP12(M) AMP_REP11(M) M(11)
#define AMP_REP13(M) AMP_REP12(M) M(12)
#define AMP_REP14(M) AMP_REP13(M) M(13)

/* The k-th index, in row-major order, of an array with these dims. */
static inline __attribute__((unused)) void amp_index_of(int64_t k, int rank, const int64_t *dim, int64_t *index)
{
	for (int d = rank - 1; d >= 0 && dim[d]; d--) {
		index[d] = k % dim[d];
		k /= dim[d];
	}
}

/*
 * The values that the parameters `act`, `mode`, `op`, `b_packed`, `plain`, `form`, `last_half`, `copy` and `x_plain` of a file's calls
 * take, one bit each: the model says so before it includes the kernels, and what only others would need is left out.  A field of such a name
 * means its own kernel's list; the bits are of all kernels together.
 */
#ifndef AMP_USED_ACT
#define AMP_USED_ACT 0xffffffffu
#endif
#ifndef AMP_USED_MODE
#define AMP_USED_MODE 0xffffffffu
#endif
#ifndef AMP_USED_OP
#define AMP_USED_OP 0xffffffffu
#endif
#ifndef AMP_USED_PLAIN
#define AMP_USED_PLAIN 0xffffffffu
#endif
#ifndef AMP_USED_B_PACKED
#define AMP_USED_B_PACKED 0xffffffffu
#endif
#ifndef AMP_USED_LAST_HALF
#define AMP_USED_LAST_HALF 0xffffffffu
#endif
#ifndef AMP_USED_COPY
#define AMP_USED_COPY 0xffffffffu
#endif
#ifndef AMP_USED_X_PLAIN
#define AMP_USED_X_PLAIN 0xffffffffu
#endif
#ifndef AMP_USED_FORM
#define AMP_USED_FORM 0xffffffffu
#endif
#define AMP_USES(FIELD, value) ((AMP_USED_##FIELD >> (value) & 1u) != 0)

/* Instances that a model does not call are no fault. */
#if defined(__GNUC__)
#define AMP_KERNEL static __attribute__((unused)) void
#define AMP_INLINE static inline __attribute__((unused))
#else
#define AMP_KERNEL static void
#define AMP_INLINE static inline
#endif

#endif

#undef FN
#undef ST
#undef CT
#undef LD
#undef SV
#undef T_FLOAT
#undef T_ADD
#undef T_SUB
#undef T_MUL
#undef T_FMA
#undef T_MAX
#undef T_MIN
#undef T_ISNAN
#undef T_LOWEST
#undef T_HIGHEST
#undef T_NAME
#undef T_DIV
#undef T_SQRT
#undef T_EXP
#undef T_EXP_SOFTMAX
#undef T_LOG
#undef T_TANH
#undef T_ERF
#undef T_SIGMOID
#undef T_ABS

#define FN(name) AMP_CAT3(amp_##name##_, T_NAME, AMP_SUFFIX)

#ifdef AMP_T		/* else only what does not depend on the type is wanted */
#if AMP_T == 1 || AMP_T == 10 || AMP_T == 16
#define CT float
#define T_FLOAT 1
#define T_MAX(a, b) s_max((a), (b))
#define T_MIN(a, b) s_min((a), (b))
#define T_ADD(a, b) ((a) + (b))
#define T_SUB(a, b) ((a) - (b))
#define T_MUL(a, b) ((a) * (b))
#define T_DIV(a, b) ((a) / (b))
#define T_FMA(a, b, c) s_fma((a), (b), (c))
#define T_ISNAN(x) ((x) != (x))
#define T_LOWEST (-__builtin_inff())
#define T_HIGHEST __builtin_inff()
#define T_SQRT(x) s_sqrt(x)
#define T_EXP(x) s_exp(x)
#define T_EXP_SOFTMAX(x) s_exp_softmax(x)
#define T_LOG(x) s_log(x)
#define T_TANH(x) s_tanh(x)
#define T_ERF(x) s_erf(x)
#define T_SIGMOID(x) s_sigmoid(x)
#define T_ABS(x) s_abs(x)
#endif

#if AMP_T == 1
#define T_NAME f32
#define ST float
#define LD(x) (x)
#define SV(x) (x)
#elif AMP_T == 10
#define T_NAME f16
#define ST uint16_t
#define LD(x) amp_f16_to_f32(x)
#define SV(x) amp_f32_to_f16(x)
#elif AMP_T == 16
#define T_NAME bf16
#define ST uint16_t
#define LD(x) amp_bf16_to_f32(x)
#define SV(x) amp_f32_to_bf16(x)
#elif AMP_T == 11
#define T_NAME f64
#define ST double
#define CT double
#define LD(x) (x)
#define SV(x) (x)
#define T_FLOAT 1
#define T_MAX(a, b) d_max((a), (b))
#define T_MIN(a, b) d_min((a), (b))
#define T_ADD(a, b) ((a) + (b))
#define T_SUB(a, b) ((a) - (b))
#define T_MUL(a, b) ((a) * (b))
#define T_DIV(a, b) ((a) / (b))
#define T_FMA(a, b, c) d_fma((a), (b), (c))
#define T_ISNAN(x) ((x) != (x))
#define T_LOWEST (-__builtin_inf())
#define T_HIGHEST __builtin_inf()
#define T_SQRT(x) d_sqrt(x)
#define T_EXP(x) d_exp(x)
#define T_EXP_SOFTMAX(x) d_exp_softmax(x)
#define T_LOG(x) d_log(x)
#define T_TANH(x) d_tanh(x)
#define T_ERF(x) d_erf(x)
#define T_SIGMOID(x) d_sigmoid(x)
#define T_ABS(x) d_abs(x)
#else
/* Integers: the arithmetic wraps, done in the unsigned type of 64 bits and cut back. */
#if AMP_T == 2
#define T_NAME u8
#define CT uint8_t
#define T_LOWEST 0
#define T_HIGHEST UINT8_MAX
#elif AMP_T == 3
#define T_NAME i8
#define CT int8_t
#define T_LOWEST INT8_MIN
#define T_HIGHEST INT8_MAX
#elif AMP_T == 4
#define T_NAME u16
#define CT uint16_t
#define T_LOWEST 0
#define T_HIGHEST UINT16_MAX
#elif AMP_T == 5
#define T_NAME i16
#define CT int16_t
#define T_LOWEST INT16_MIN
#define T_HIGHEST INT16_MAX
#elif AMP_T == 6
#define T_NAME i32
#define CT int32_t
#define T_LOWEST INT32_MIN
#define T_HIGHEST INT32_MAX
#elif AMP_T == 7
#define T_NAME i64
#define CT int64_t
#define T_LOWEST INT64_MIN
#define T_HIGHEST INT64_MAX
#elif AMP_T == 9
#define T_NAME b8
#define CT uint8_t
#define T_LOWEST 0
#define T_HIGHEST 1
#elif AMP_T == 12
#define T_NAME u32
#define CT uint32_t
#define T_LOWEST 0
#define T_HIGHEST UINT32_MAX
#elif AMP_T == 13
#define T_NAME u64
#define CT uint64_t
#define T_LOWEST 0
#define T_HIGHEST UINT64_MAX
#else
#error "AMP_T is not a dtype that kernels have"
#endif
#define ST CT
#define LD(x) (x)
#define SV(x) (x)
#define T_FLOAT 0
#define T_MAX(a, b) ((a) > (b) ? (a) : (b))
#define T_MIN(a, b) ((a) < (b) ? (a) : (b))
#define T_ADD(a, b) ((CT)((uint64_t)(a) + (uint64_t)(b)))
#define T_SUB(a, b) ((CT)((uint64_t)(a) - (uint64_t)(b)))
#define T_MUL(a, b) ((CT)((uint64_t)(a) * (uint64_t)(b)))
#define T_FMA(a, b, c) T_ADD(T_MUL(a, b), c)
#define T_ISNAN(x) 0
#endif
#endif
