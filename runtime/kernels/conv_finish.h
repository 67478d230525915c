/*
 * conv_finish.h - what follows the sums of a convolution in c16: bias, residual, activation, +0 in lanes beyond m.
 */
#ifndef AMP_CONV_FINISH_H
#define AMP_CONV_FINISH_H

#include "kernels/type.h"
#include "kernels/epilogue_v.h"

#define AMP_CONV_FINISH(act) \
	for (int32_t t = 0; t < n; t++) { \
		vf v = v_add(v_load(sum + t * 16), bias); \
		if (z) \
			v = v_add(v, v_load(z + t * z_step)); \
		v = amp_v_activation(v, act, alpha, beta); \
		v_store(y + t * y_step, v_sel(lanes, v, v_zero())); \
	}

/* the same, two vectors at a time: for activations that are long chains of operations */
#ifndef AMP_ISA_AVX512
#define AMP_CONV_FINISH_PAIRS AMP_CONV_FINISH
#else
#define AMP_CONV_FINISH_PAIRS(act) \
	for (; n >= 2; n -= 2, sum += 32, y += 2 * y_step) { \
		struct pair v = { v_add(v_load(sum), bias), v_add(v_load(sum + 16), bias) }; \
		if (z) { \
			v = (struct pair){ v_add(v.a, v_load(z)), v_add(v.b, v_load(z + z_step)) }; \
			z += 2 * z_step; \
		} \
		v = amp_pair_activation(v, act); \
		v_store(y, v_sel(lanes, v.a, v_zero())); \
		v_store(y + y_step, v_sel(lanes, v.b, v_zero())); \
	} \
	AMP_CONV_FINISH(act)
#endif

/*
 * sums -> y: bias, residual, activation, lanes beyond m.  One loop for each activation: a switch inside it would make
 * compilers pass the halves of a vector through memory.  One function for all callers: this is much code.
 */
static __attribute__((noinline, unused)) void amp_conv_finish(int act, float alpha, float beta, const float *sum,
							      int32_t n, vf bias, const float *z, int64_t z_step,
							      vm lanes, float *y, int64_t y_step)
{
	switch (act) {
	case AMP_EPI_NONE:
		AMP_CONV_FINISH(AMP_EPI_NONE)
		break;
	AMP_ACT(RELU)
		AMP_CONV_FINISH(AMP_EPI_RELU)
		break;
	AMP_ACT(CLIP)
		AMP_CONV_FINISH(AMP_EPI_CLIP)
		break;
	AMP_ACT(SIGMOID)
		AMP_CONV_FINISH_PAIRS(AMP_EPI_SIGMOID)
		break;
	AMP_ACT(SILU)
		AMP_CONV_FINISH_PAIRS(AMP_EPI_SILU)
		break;
	AMP_ACT(HARDSIGMOID)
		AMP_CONV_FINISH(AMP_EPI_HARDSIGMOID)
		break;
	AMP_ACT(HARDSWISH)
		AMP_CONV_FINISH(AMP_EPI_HARDSWISH)
		break;
	AMP_ACT(LEAKYRELU)
		AMP_CONV_FINISH(AMP_EPI_LEAKYRELU)
		break;
	AMP_ACT(TANH)
		AMP_CONV_FINISH_PAIRS(AMP_EPI_TANH)
		break;
	AMP_ACT(GELU)
		AMP_CONV_FINISH_PAIRS(AMP_EPI_GELU)
		break;
	AMP_ACT(GELU_TANH)
		AMP_CONV_FINISH(AMP_EPI_GELU_TANH)
		break;
	default:
		break;
	}
}
#undef AMP_CONV_FINISH
#undef AMP_CONV_FINISH_PAIRS
#endif
