/*
 * mac.h - the inner loop of the generic convolution and matrix product: a tile of 4 x 16 sums.
 *
 * in:  acc[4][16], up to 4 scalars a step, 16 weights a step
 * out: acc[p][j] = fma(x[p], w[j], acc[p][j]) for `n` steps in ascending order
 * The vector runs over 16 independent sums, never over a sum.  The full tile has its sums in four
 * arrays with names of their own: compilers then keep them in registers.
 */
/* once for each type, however many kernels of that type include this */
#undef AMP_MAC_NEW
#if AMP_T == 1 && !defined AMP_MAC_1
#define AMP_MAC_1
#define AMP_MAC_NEW
#elif AMP_T == 6 && !defined AMP_MAC_6
#define AMP_MAC_6
#define AMP_MAC_NEW
#elif AMP_T == 7 && !defined AMP_MAC_7
#define AMP_MAC_7
#define AMP_MAC_NEW
#elif AMP_T == 10 && !defined AMP_MAC_10
#define AMP_MAC_10
#define AMP_MAC_NEW
#elif AMP_T == 11 && !defined AMP_MAC_11
#define AMP_MAC_11
#define AMP_MAC_NEW
#elif AMP_T == 12 && !defined AMP_MAC_12
#define AMP_MAC_12
#define AMP_MAC_NEW
#elif AMP_T == 13 && !defined AMP_MAC_13
#define AMP_MAC_13
#define AMP_MAC_NEW
#elif AMP_T == 16 && !defined AMP_MAC_16
#define AMP_MAC_16
#define AMP_MAC_NEW
#endif

#ifdef AMP_MAC_NEW
/* x: step k of row p is x[k * step + p * row]; w: step k is w[k * 16 .. k * 16 + 15] */
AMP_INLINE void FN(mac4)(CT (*restrict acc)[16], const ST *restrict x, int64_t step, int64_t row,
			 const CT *restrict w, int64_t n)
{
	CT a0[16], a1[16], a2[16], a3[16];
	for (int j = 0; j < 16; j++) {
		a0[j] = acc[0][j];
		a1[j] = acc[1][j];
		a2[j] = acc[2][j];
		a3[j] = acc[3][j];
	}
	for (int64_t k = 0; k < n; k++, x += step, w += 16) {
		const CT v0 = (CT)LD(x[0]), v1 = (CT)LD(x[row]);
		const CT v2 = (CT)LD(x[2 * row]), v3 = (CT)LD(x[3 * row]);
		for (int j = 0; j < 16; j++) {
			a0[j] = T_FMA(v0, w[j], a0[j]);
			a1[j] = T_FMA(v1, w[j], a1[j]);
			a2[j] = T_FMA(v2, w[j], a2[j]);
			a3[j] = T_FMA(v3, w[j], a3[j]);
		}
	}
	for (int j = 0; j < 16; j++) {
		acc[0][j] = a0[j];
		acc[1][j] = a1[j];
		acc[2][j] = a2[j];
		acc[3][j] = a3[j];
	}
}

AMP_INLINE void FN(mac1)(CT *restrict acc, const ST *restrict x, int64_t step,
			 const CT *restrict w, int64_t n)
{
	CT a0[16];
	for (int j = 0; j < 16; j++)
		a0[j] = acc[j];
	for (int64_t k = 0; k < n; k++, x += step, w += 16) {
		const CT v0 = (CT)LD(x[0]);
		for (int j = 0; j < 16; j++)
			a0[j] = T_FMA(v0, w[j], a0[j]);
	}
	for (int j = 0; j < 16; j++)
		acc[j] = a0[j];
}
#endif
