/*
 * epilogue.h - what happens to a finished sum of a convolution or matrix product: bias, residual,
 * activation.
 *
 * in:  the sum s, the bias b (absent: 0), the residual z (absent: none), the activation and its two
 * numbers
 * out: FN(epilogue)(...) = act((s + (b + 0)) + z), in CT
 * "b + 0" makes a stored -0 a +0.  In float16 and bfloat16 each ONNX node that was fused rounds its
 * result (FN(as_stored)), so the fused form gives the bits of the separate nodes.  The activations
 * are the expressions of the elementwise operators of the same names.
 */
#ifndef AMP_EPILOGUE_H
#define AMP_EPILOGUE_H
enum amp_epilogue {
	AMP_EPI_NONE, AMP_EPI_RELU, AMP_EPI_CLIP, AMP_EPI_SILU, AMP_EPI_GELU, AMP_EPI_GELU_TANH,
	AMP_EPI_SIGMOID, AMP_EPI_TANH, AMP_EPI_HARDSWISH, AMP_EPI_HARDSIGMOID, AMP_EPI_LEAKYRELU
};

/* in a switch: what follows is for this activation, and left out where no call has it (type.h) */
#define AMP_ACT(A) case AMP_EPI_##A: if (!AMP_USES(ACT, AMP_EPI_##A)) break;
#endif

/* once for each type, however many kernels of that type include this */
#undef AMP_EPI_NEW
#if AMP_T == 1 && !defined AMP_EPI_1
#define AMP_EPI_1
#define AMP_EPI_NEW
#elif AMP_T == 6 && !defined AMP_EPI_6
#define AMP_EPI_6
#define AMP_EPI_NEW
#elif AMP_T == 10 && !defined AMP_EPI_10
#define AMP_EPI_10
#define AMP_EPI_NEW
#elif AMP_T == 11 && !defined AMP_EPI_11
#define AMP_EPI_11
#define AMP_EPI_NEW
#elif AMP_T == 16 && !defined AMP_EPI_16
#define AMP_EPI_16
#define AMP_EPI_NEW
#endif

#ifdef AMP_EPI_NEW
#if !T_FLOAT	/* int32: the sum wraps; no activation */
AMP_INLINE CT FN(epilogue)(CT s, CT b, int has_z, CT z, int act, CT alpha, CT beta)
{
	(void)act, (void)alpha, (void)beta;
	s = T_ADD(s, b);
	return has_z ? T_ADD(s, z) : s;
}
#else
AMP_INLINE CT FN(as_stored)(CT x)
{
	return (CT)LD(SV(x));
}

AMP_INLINE CT FN(activation)(CT x, int act, CT alpha, CT beta)
{
	CT t;
	switch (act) {
	AMP_ACT(RELU)
		return T_MAX((CT)0, x) + (CT)0;
	AMP_ACT(CLIP)		/* alpha: low, beta: high */
		t = T_MAX(alpha, x);
		return T_MIN(beta, t) + (CT)0;
	AMP_ACT(SIGMOID)
		return T_SIGMOID(x);
	AMP_ACT(TANH)
		return T_TANH(x);
	AMP_ACT(SILU)
		return x * FN(as_stored)(T_SIGMOID(x));
	AMP_ACT(GELU)
		return ((CT)0.5 * x) * ((CT)1 + T_ERF(x * (CT)0.70710678118654752440));
	AMP_ACT(GELU_TANH)
		t = T_FMA((CT)0.044715 * x, x * x, x);
		return ((CT)0.5 * x) * ((CT)1 + T_TANH((CT)0.79788456080286535588 * t));
	AMP_ACT(HARDSIGMOID)
		t = T_FMA(alpha, x, beta);
		t = T_MIN((CT)1, t);
		return T_MAX((CT)0, t) + (CT)0;
	AMP_ACT(HARDSWISH)
		t = T_FMA((CT)(1.0 / 6.0), x, (CT)0.5);
		t = T_MIN((CT)1, t);
		return x * (T_MAX((CT)0, t) + (CT)0);
	AMP_ACT(LEAKYRELU)
		return x < 0 ? alpha * x : x;
	default:
		break;
	}
	return x;
}

/* b is the bias with +0 added; z is used when has_z */
AMP_INLINE CT FN(epilogue)(CT s, CT b, int has_z, CT z, int act, CT alpha, CT beta)
{
	CT y = s + b;
	if (has_z)
		y = FN(as_stored)(y) + z;
	if (act != AMP_EPI_NONE)
		y = FN(activation)(FN(as_stored)(y), act, alpha, beta);
	return y;
}
#endif
#endif
