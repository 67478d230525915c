/*
 * profile.c - --profile: how long each step of the model takes, and how near the processor's limit that is.
 *
 * In:  the model's table of steps, times read by a watch before each step of several runs; how many runs.
 * Out: a row a step on standard error, as text or JSON: median time, share of the run, GFLOP/s (two operations a
 *      multiply-accumulate of the ONNX node, however the step computes it: Winograd can pass the limit), share of
 *      the peak, GB/s of operands; and the sums.
 * The peak is measured here: independent FMAs on the widest vectors that this processor has, best of several
 * rounds, times the threads of the pool.  It is 0, and not printed, on processors this file has no loop for.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>

#define ACC(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#define N_ACC 12
#define ROUNDS 20000

#define ZERO512(i) __m512 a##i = _mm512_set1_ps(i);
#define STEP512(i) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(a##i) : "v"(x));
#define SUM512(i) x = _mm512_add_ps(x, a##i);
__attribute__((target("avx512f"))) static double flops_512(float *sink)
{
	__m512 x = _mm512_set1_ps(0.5f);
	ACC(ZERO512)
	for (int i = 0; i < ROUNDS; i++) {
		ACC(STEP512)
	}
	ACC(SUM512)
	_mm_storeu_ps(sink, _mm512_castps512_ps128(x));
	return 2.0 * 16 * N_ACC * ROUNDS;
}

#define ZERO256(i) __m256 a##i = _mm256_set1_ps(i);
#define STEP256(i) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(a##i) : "x"(x));
#define SUM256(i) x = _mm256_add_ps(x, a##i);
__attribute__((target("avx2,fma"))) static double flops_256(float *sink)
{
	__m256 x = _mm256_set1_ps(0.5f);
	ACC(ZERO256)
	for (int i = 0; i < ROUNDS; i++) {
		ACC(STEP256)
	}
	ACC(SUM256)
	_mm_storeu_ps(sink, _mm256_castps256_ps128(x));
	return 2.0 * 8 * N_ACC * ROUNDS;
}

static double flops(float *sink)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return flops_512(sink);
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return flops_256(sink);
	return 0;
}
#elif defined(__GNUC__) && defined(__aarch64__)
#include <arm_neon.h>

#define ACC(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#define N_ACC 16
#define ROUNDS 20000
#define ZERO128(i) float32x4_t a##i = vdupq_n_f32(i);
#define STEP128(i) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(a##i) : "w"(x));
#define SUM128(i) x = vaddq_f32(x, a##i);
static double flops(float *sink)
{
	float32x4_t x = vdupq_n_f32(0.5f);
	ACC(ZERO128)
	for (int i = 0; i < ROUNDS; i++) {
		ACC(STEP128)
	}
	ACC(SUM128)
	vst1q_f32(sink, x);
	return 2.0 * 4 * N_ACC * ROUNDS;
}
#else
static double flops(float *sink)
{
	(void)sink;
	return 0;
}
#endif

/* Floating-point operations a second of one thread. */
double app_peak(void)
{
	float sink[4];
	double best = 0;
	for (int i = 0; i < 200; i++) {
		const double start = app_seconds(), n = flops(sink), t = app_seconds() - start;
		if (t > 0 && n / t > best)
			best = n / t;
	}
	return best;
}

static void watch(void *arg, int step)
{
	struct app_profile *p = arg;
	p->seconds[p->run * (p->m->n_steps + 1) + step] = app_seconds();
}

int app_profile_runs(struct app_profile *p, const struct amp_model *m, void *state, void *arena,
		     const void *const *in, void *const *out)
{
	memset(p, 0, sizeof *p);
	p->m = m;
	p->seconds = calloc((size_t)APP_PROFILE_RUNS * ((size_t)m->n_steps + 1), sizeof *p->seconds);
	if (!p->seconds || !m->watch)
		return -1;
	m->watch(state, watch, p);
	int failed = 0;
	for (p->run = 0; p->run < APP_PROFILE_RUNS && !failed; p->run++)
		failed = m->run(state, arena, in, out) != AMP_OK;
	m->watch(state, NULL, NULL);
	return failed ? -1 : 0;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* median over the runs of the time from reading a to reading b */
static double median(const struct app_profile *p, int a, int b)
{
	double t[APP_PROFILE_RUNS];
	for (int r = 0; r < APP_PROFILE_RUNS; r++) {
		const double *s = p->seconds + r * (p->m->n_steps + 1);
		t[r] = s[b] - s[a];
	}
	qsort(t, APP_PROFILE_RUNS, sizeof *t, by_size);
	return t[APP_PROFILE_RUNS / 2];
}

static void json_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		if ((unsigned char)*s < 0x20)
			fprintf(f, "\\u%04x", (unsigned)(unsigned char)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

void app_profile_print(const struct app_profile *p, int threads, int json, FILE *f)
{
	const struct amp_model *m = p->m;
	const double all = median(p, 0, m->n_steps), peak = app_peak() * threads;
	int64_t macs = 0;
	if (json)
		fprintf(f, "{\"model\": \"%s\", \"threads\": %d, \"runs\": %d, \"peak_gflops\": %.1f, \"steps\": [",
			m->name, threads, APP_PROFILE_RUNS, peak / 1e9);
	else
		fprintf(f, "%5s %9s %6s %9s %6s %7s  %s\n", "step", "us", "%", "GFLOP/s", "peak%", "GB/s",
			"node (kernel, threads) output");
	for (int i = 0; i < m->n_steps; i++) {
		const struct amp_step *s = &m->steps[i];
		const double t = median(p, i, i + 1), flop = 2.0 * (double)s->macs;
		const int parts = s->parts < threads ? s->parts : threads;
		macs += s->macs;
		if (json) {
			fprintf(f, "%s\n{\"step\": %d, \"op\": ", i ? "," : "", i);
			json_string(f, s->op);
			fprintf(f, ", \"name\": ");
			json_string(f, s->name);
			fprintf(f, ", \"kernel\": \"%s\", \"output\": \"%s\", \"threads\": %d, \"seconds\": %.9f, "
				"\"macs\": %lld, \"bytes\": %lld", s->how, s->shape, parts, t, (long long)s->macs,
				(long long)s->bytes);
			if (peak > 0 && t > 0)
				fprintf(f, ", \"share_of_peak\": %.4f", flop / t / peak);
			fputc('}', f);
			continue;
		}
		fprintf(f, "%5d %9.1f %6.2f", i, t * 1e6, all > 0 ? t / all * 100 : 0);
		if (s->macs && t > 0)
			fprintf(f, " %9.1f", flop / t * 1e-9);
		else
			fprintf(f, " %9s", "");
		if (s->macs && t > 0 && peak > 0)
			fprintf(f, " %6.1f", flop / t / peak * 100);
		else
			fprintf(f, " %6s", "");
		fprintf(f, " %7.1f  %s%s%s (%s, %d) %s\n", t > 0 ? (double)s->bytes / t * 1e-9 : 0, s->op,
			*s->name ? " " : "", s->name, s->how, parts, s->shape);
	}
	if (json) {
		fprintf(f, "],\n\"seconds\": %.9f, \"macs\": %lld}\n", all, (long long)macs);
		return;
	}
	fprintf(f, "total %9.1f us", all * 1e6);
	if (macs && all > 0)
		fprintf(f, ", %.1f GFLOP/s", 2e-9 * (double)macs / all);
	if (peak > 0)
		fprintf(f, ", peak of %d thread%s %.1f", threads, threads > 1 ? "s" : "", peak * 1e-9);
	fprintf(f, "; medians of %d runs\n", APP_PROFILE_RUNS);
}
