/*
 * epilogue_v.h - epilogue.h for 16 float sums side by side: the same operations, so the same bits.
 */
#ifndef AMP_EPILOGUE_V_H
#define AMP_EPILOGUE_V_H

#include "kernels/type.h"
#include "kernels/epilogue.h"

AMP_INLINE_VECTOR vf amp_v_activation(vf x, int act, float alpha, float beta)
{
	const vf zero = v_zero(), one = v_set1(1.0f), half = v_set1(0.5f);
	vf t;
	switch (act) {
	AMP_ACT(RELU)
		return v_add(v_max(zero, x), zero);
	AMP_ACT(CLIP)
		return v_add(v_min(v_set1(beta), v_max(v_set1(alpha), x)), zero);
	AMP_ACT(SIGMOID)
		return v_sigmoid(x);
	AMP_ACT(TANH)
		return v_tanh(x);
	AMP_ACT(SILU)
		return v_mul(x, v_sigmoid(x));
	AMP_ACT(GELU)
		return v_mul(v_mul(half, x),
			     v_add(one, v_erf(v_mul(x, v_set1((float)0.70710678118654752440)))));
	AMP_ACT(GELU_TANH)
		t = v_fma(v_mul(v_set1(0.044715f), x), v_mul(x, x), x);
		return v_mul(v_mul(half, x),
			     v_add(one, v_tanh(v_mul(v_set1((float)0.79788456080286535588), t))));
	AMP_ACT(HARDSIGMOID)
		t = v_min(one, v_fma(v_set1(alpha), x, v_set1(beta)));
		return v_add(v_max(zero, t), zero);
	AMP_ACT(HARDSWISH)
		t = v_min(one, v_fma(v_set1((float)(1.0 / 6.0)), x, half));
		return v_mul(x, v_add(v_max(zero, t), zero));
	AMP_ACT(LEAKYRELU)
		return v_sel(v_lt(x, zero), v_mul(v_set1(alpha), x), x);
	default:
		break;
	}
	return x;
}

/* Activations that are a clamp, min(high, max(low, x)): its bounds, which are no -0 */
AMP_INLINE int amp_is_clamp(int act)
{
	return act == AMP_EPI_NONE || act == AMP_EPI_RELU || act == AMP_EPI_CLIP;
}

AMP_INLINE float amp_clamp_low(int act, float alpha)
{
	return act == AMP_EPI_CLIP ? alpha + 0.0f : act == AMP_EPI_RELU ? 0.0f : -__builtin_inff();
}

AMP_INLINE float amp_clamp_high(int act, float beta)
{
	return act == AMP_EPI_CLIP ? beta + 0.0f : __builtin_inff();
}

/* two vectors side by side (pair.h), for the activations that are long chains of operations */
AMP_INLINE_PAIR struct pair amp_pair_activation(struct pair x, int act)
{
	struct pair s;
	switch (act) {
	AMP_ACT(SIGMOID)
		return pair_sigmoid(x);
	AMP_ACT(TANH)
		return pair_tanh(x);
	AMP_ACT(SILU)
		s = pair_sigmoid(x);
		return (struct pair){ v_mul(x.a, s.a), v_mul(x.b, s.b) };
	AMP_ACT(GELU) {
		const vf root = v_set1((float)0.70710678118654752440), half = v_set1(0.5f), one = v_set1(1.0f);
		s = pair_erf((struct pair){ v_mul(x.a, root), v_mul(x.b, root) });
		return (struct pair){ v_mul(v_mul(half, x.a), v_add(one, s.a)), v_mul(v_mul(half, x.b), v_add(one, s.b)) };
	}
	default:
		break;
	}
	return x;
}

#endif
