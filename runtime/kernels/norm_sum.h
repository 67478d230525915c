/*
 * norm_sum.h - the sums that normalisations divide: of x - mean, or of its square, 16 lanes side by side (rule 4).
 */
#ifndef AMP_NORM_SUM_H
#define AMP_NORM_SUM_H

#include "kernels/type.h"

/* n more elements of a row, of which `at` came before: element i of the row is lane i mod 16 of the sum. */
AMP_INLINE vf amp_norm_sum(vf sum, const float *restrict x, int64_t n, int64_t at, float mean, int square)
{
	int64_t i = 0;
	if (at % 16) {
		float lane[16];
		v_store(lane, sum);
		for (; i < n && (at + i) % 16; i++) {
			const float d = x[i] - mean, before = lane[(at + i) % 16];
			lane[(at + i) % 16] = square ? s_fma(d, d, before) : before + d;
		}
		sum = v_load(lane);
	}
	for (; i + 16 <= n; i += 16) {
		const vf d = v_sub(v_load(x + i), v_set1(mean));
		sum = square ? v_fma(d, d, sum) : v_add(sum, d);
	}
	if (i < n) {
		const vf d = v_sub(v_load_n(x + i, (int)(n - i)), v_set1(mean));
		sum = v_sel(vm_first((int)(n - i)), square ? v_fma(d, d, sum) : v_add(sum, d), sum);
	}
	return sum;
}

#endif
