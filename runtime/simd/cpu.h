/*
 * cpu.h - what the CPU and the operating system can run, asked at start, so that one binary serves every machine
 * and never meets an instruction that it does not know.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapters 14 and 15 (detection of
 * AVX, FMA, AVX2, AVX-512: CPUID bits and the state that the OS saves, XCR0).
 */
#ifndef AMP_CPU_H
#define AMP_CPU_H

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* The register sets that the OS saves; 0 when it saves none of them. */
static inline unsigned amp_xcr0(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27)))	/* OSXSAVE */
		return 0;
	__asm__ volatile (".byte 0x0f, 0x01, 0xd0" : "=a"(a), "=d"(d) : "c"(0));	/* xgetbv */
	return a;
}

/* AVX alone: Intel's second and third Core generation, AMD's Bulldozer. */
static inline __attribute__((unused)) int amp_cpu_has_avx(void)
{
	unsigned a, b, c, d;
	return (amp_xcr0() & 0x6) == 0x6 && __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 28));
}

/* AVX2, FMA and F16C, as x86-64-v3 has them. */
static inline __attribute__((unused)) int amp_cpu_has_avx2(void)
{
	unsigned a, b, c, d;
	if ((amp_xcr0() & 0x6) != 0x6)
		return 0;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 28)) || !(c & (1u << 12)) || !(c & (1u << 29)))
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 5));
}

/* AVX-512 F, BW, CD, DQ and VL, as x86-64-v4 has them. */
static inline __attribute__((unused)) int amp_cpu_has_avx512(void)
{
	const unsigned need = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
	unsigned a, b, c, d;
	if (!amp_cpu_has_avx2() || (amp_xcr0() & 0xe6) != 0xe6)
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & need) == need;
}
#endif

#endif
