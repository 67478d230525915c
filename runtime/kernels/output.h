/* output.h - the end of a step; what leaves the model: NaN as the contract's one quiet NaN (rule 12). */
#ifndef AMP_KERNEL_OUTPUT_H
#define AMP_KERNEL_OUTPUT_H

#include "kernels/type.h"

/*
 * Ends a step.  The same bytes of the arena are floats in one step and 32-bit words in the next (copies
 * move bits), and C lets a compiler reorder such accesses once steps are inlined into one function.
 * This keeps them apart.
 */
#define AMP_STEP_ENDS __asm__ volatile("" ::: "memory")

AMP_INLINE void amp_canonical_nan_f32(void *data, int64_t n)
{
	uint32_t *p = data;
	for (int64_t i = 0; i < n; i++)
		p[i] = (p[i] & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : p[i];
}

AMP_INLINE void amp_canonical_nan_f64(void *data, int64_t n)
{
	uint64_t *p = data;
	for (int64_t i = 0; i < n; i++)
		p[i] = (p[i] & UINT64_C(0x7fffffffffffffff)) > UINT64_C(0x7ff0000000000000)
			? UINT64_C(0x7ff8000000000000) : p[i];
}

AMP_INLINE void amp_canonical_nan_f16(void *data, int64_t n)
{
	uint16_t *p = data;
	for (int64_t i = 0; i < n; i++)
		p[i] = (p[i] & 0x7fff) > 0x7c00 ? 0x7e00 : p[i];
}

AMP_INLINE void amp_canonical_nan_bf16(void *data, int64_t n)
{
	uint16_t *p = data;
	for (int64_t i = 0; i < n; i++)
		p[i] = (p[i] & 0x7fff) > 0x7f80 ? 0x7fc0 : p[i];
}

#endif
