/* ew_run.c - runs elementwise programs (ew_run.inc), in the build that this CPU is fastest with. */
#define EW_RUN ew_run_base
struct ew;
static void ew_run_base(const struct ew *e, const void *const in[], void *const out[]);
#include "ir/ew_run.inc"

void ew_run_fma(const struct ew *e, const void *const in[], void *const out[]);

void ew_run(const struct ew *e, const void *const in[], void *const out[])
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		ew_run_fma(e, in, out);
		return;
	}
#endif
	ew_run_base(e, in, out);
}
