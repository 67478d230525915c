/*
 * fpmode.h - the floating-point mode of the contract: nearest even, subnormals kept (rule 11).
 *
 * In:  whatever mode the caller is in.  Out: amp_fenv_enter() sets the contract's mode, with every
 *      exception masked, and returns the caller's; amp_fenv_leave() puts that one back.
 *
 * The empty asm statements keep loads and stores, and with them the arithmetic between, inside.
 */
#ifndef AMP_SIMD_FPMODE_H
#define AMP_SIMD_FPMODE_H

#include <stdint.h>

#include "guard.h"

static inline uint64_t amp_fenv_enter(void)
{
	uint64_t saved = 0;
#if defined __SSE2__
	saved = _mm_getcsr();
	_mm_setcsr(0x1f80);
#elif defined __aarch64__
	__asm__ volatile("mrs %0, fpcr\n\tmsr fpcr, xzr" : "=&r"(saved));
#elif defined __arm__ && defined __ARM_FP
	uint32_t w;
	__asm__ volatile("vmrs %0, fpscr\n\tvmsr fpscr, %1" : "=&r"(w) : "r"(0));
	saved = w;
#elif defined __riscv_flen
	__asm__ volatile("fsrm %0, zero" : "=r"(saved));
#elif defined __s390x__
	uint32_t w, zero = 0;
	__asm__ volatile("efpc %0\n\tsfpc %1" : "=&d"(w) : "d"(zero));
	saved = w;
#else
	/* No mode is known here: the machine must round to nearest even and keep subnormals. */
#endif
	__asm__ volatile("" ::: "memory");
	return saved;
}

static inline void amp_fenv_leave(uint64_t saved)
{
	__asm__ volatile("" ::: "memory");
#if defined __SSE2__
	_mm_setcsr((unsigned)saved);
#elif defined __aarch64__
	__asm__ volatile("msr fpcr, %0" :: "r"(saved));
#elif defined __arm__ && defined __ARM_FP
	__asm__ volatile("vmsr fpscr, %0" :: "r"((uint32_t)saved));
#elif defined __riscv_flen
	__asm__ volatile("fsrm %0" :: "r"(saved));
#elif defined __s390x__
	__asm__ volatile("sfpc %0" :: "d"((uint32_t)saved));
#else
	(void)saved;
#endif
}

#endif
