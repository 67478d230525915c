/* reduction.h - how ScatterElements and ScatterND join an update u with what is there. */
#ifndef AMP_REDUCTION_H
#define AMP_REDUCTION_H

enum { AMP_REDUCE_NONE, AMP_REDUCE_ADD, AMP_REDUCE_MUL, AMP_REDUCE_MAX, AMP_REDUCE_MIN };

#endif

/* for each type: after kernels/type.h, with AMP_JOIN the name; NaN wins in max and min */
AMP_INLINE ST AMP_JOIN(int how, ST old, ST update)
{
	const CT a = LD(old), u = LD(update);
	switch (how) {
	case AMP_REDUCE_ADD: return SV(T_ADD(a, u));
	case AMP_REDUCE_MUL: return SV(T_MUL(a, u));
	case AMP_REDUCE_MAX: return T_ISNAN(a) ? old : SV(T_MAX(a, u));
	case AMP_REDUCE_MIN: return T_ISNAN(a) ? old : SV(T_MIN(a, u));
	default: return update;
	}
}
