/*
 * peak.c - how many float32 fused multiply-adds a second one core of this machine does.
 *
 * In:  nothing.  Compile with -O2 -march=native -ffp-contract=fast.
 * Out: one line, GFLOP/s (an FMA is two operations), the best of several short runs.
 *
 * Twelve independent sums, as wide as the registers are, so that neither latency nor memory counts.
 */
#include <stdio.h>
#include <time.h>

#if defined __AVX512F__
#define WIDTH 16
#elif defined __AVX__
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef float vec __attribute__((vector_size(WIDTH * 4)));

#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define SUMS 12

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double gflops(long rounds, volatile float *sink)
{
	const vec zero = { 0 };
	vec a = zero + 0.999f, b = zero + 0.001f;
	/* the values are hidden from the compiler: nothing can be computed ahead */
	__asm__ volatile("" : "+m"(a), "+m"(b));
	const vec m = a, n = b;
#define DECLARE(i) vec s##i = zero + (float)(i);
	EACH(DECLARE)
	const double start = now();
	for (long r = 0; r < rounds; r++) {
#define STEP(i) s##i = s##i * m + n;
		EACH(STEP)
	}
	const double took = now() - start;
	vec sum = zero;
#define ADD(i) sum += s##i;
	EACH(ADD)
	*sink = sum[0] + sum[WIDTH - 1];
	return 2e-9 * WIDTH * SUMS * (double)rounds / took;
}

int main(void)
{
	volatile float sink;
	double best = 0;
	for (int i = 0; i < 12; i++) {
		const double g = gflops(10000000, &sink);
		best = g > best ? g : best;
	}
	printf("%.1f\n", best);
	return 0;
}
