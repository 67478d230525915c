/*
 * kernel_test.h - calling a generic kernel in every build of it, on memory of the exact size.
 *
 * Each call runs the plain and, where this CPU has it, the FMA build, and those of TEST_KERNELS (tools/build.mk) with the
 * header of each instruction set that this CPU has; whole and in 2, 3 and 8 parts (one after another,
 * the last one first, each with scratch of its own); their bytes must be equal, and whatever the kernel should write was
 * NaN (0xff) before.  Memory behind the buffers is guarded
 * by a pattern (and by AddressSanitizer in the sanitized run).
 */
#ifndef KERNEL_TEST_H
#define KERNEL_TEST_H

#include "ir/schedule.h"
#include "eval/kernel_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct { const char *isa; const struct kernel *const *list; } kernel_test_lists[];

static int bad, checks;
static const char *what = "";		/* the case, for messages */

#define EXPECT(cond, ...) do { \
	checks++; \
	if (!(cond)) { \
		if (bad++ < 20) { \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, what); \
			fprintf(stderr, __VA_ARGS__); \
			fputc('\n', stderr); \
		} \
	} \
} while (0)

static uint64_t seed = 1;

static inline uint64_t random_bits(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* lo .. hi */
static inline int64_t random_int(int64_t lo, int64_t hi)
{
	return lo + (int64_t)(random_bits() % (uint64_t)(hi - lo + 1));
}

static inline float random_float(void)
{
	return (float)((double)(int64_t)(random_bits() >> 11) / 4503599627370496.0 - 1.0);
}

static inline void *get(size_t bytes)
{
	void *p = NULL;
	if (posix_memalign(&p, 64, bytes ? bytes : 1))
		abort();
	return p;
}

static inline float *floats(int64_t n)
{
	float *p = get((size_t)n * sizeof *p);
	for (int64_t i = 0; i < n; i++)
		p[i] = random_float();
	return p;
}

static inline const struct kernel *find_in(const struct kernel *const *list, const char *base, const char *type)
{
	for (; *list; list++)
		for (const struct kernel *k = *list; k->base; k++)
			if (strcmp(k->base, base) == 0 && strcmp(k->type, type) == 0)
				return k;
	return NULL;
}

static inline int cpu_has(const char *isa)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (strcmp(isa, "avx512") == 0)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
	if (strcmp(isa, "avx2") == 0)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return strcmp(isa, "sse2") == 0;
#else
	return isa == NULL;
#endif
}

static size_t test_shared;		/* bytes of scratch that all parts share, and how often each is called */
static int test_phases = 1;

/* One run in `parts` parts. */
static inline void call_parts(const struct kernel *k, const void *params, const void *const in[], void *const out[],
			      size_t scratch, int parts)
{
	const size_t slice = (scratch + 64 + 63) / 64 * 64;
	unsigned char *s = get(slice * (size_t)parts), *shared = get(test_shared + 64);
	int kept = 1;
	memset(shared, 0xff, test_shared);
	memset(shared + test_shared, 0xa5, 64);
	for (int phase = 0; phase < test_phases; phase++)
		for (int part = parts - 1; part >= 0; part--) {
			unsigned char *own = s + slice * (size_t)part;
			memset(own, 0xff, scratch);
			memset(own + scratch, 0xa5, 64);
			struct amp_env env = { .scratch = own, .part = part, .parts = parts, .status = AMP_OK,
					       .phase = phase, .shared = shared };
			k->fn(params, in, out, &env);
			for (int i = 0; i < 64; i++)
				kept = kept && own[scratch + (size_t)i] == 0xa5;
		}
	for (int i = 0; i < 64; i++)
		kept = kept && shared[test_shared + (size_t)i] == 0xa5;
	EXPECT(kept, "%s %s writes behind its scratch (%d parts)", k->base, k->type, parts);
	free(s);
	free(shared);
}

static inline int same_bits(float a, float b)
{
	return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* Equal but for the sign and payload of NaN, which are not in the contract (docs/numerics.md rule 12). */
static inline int same_bytes(const char *type, const void *a, const void *b, size_t bytes)
{
	if (memcmp(a, b, bytes) == 0)
		return 1;
	if (strcmp(type, "f32") != 0)
		return 0;
	for (size_t i = 0; i < bytes / 4; i++)
		if (!same_bits(((const float *)a)[i], ((const float *)b)[i]))
			return 0;
	return 1;
}

/* out[i] has bytes[i] bytes (NULL: absent); ends where n_out says. */
static inline void call(const char *base, const char *type, const void *params, const void *const in[],
			void *const out[], const size_t bytes[], int n_out, size_t scratch)
{
	static const int parts[] = { 2, 3, 8, 1 };	/* the last result is the caller's to look at */
	const struct kernel *const *lists[8] = { kernel_list_base };
	void *first[4] = { 0 };
	int n = 1;
#if defined(__x86_64__)
	if (cpu_has("avx2"))
		lists[n++] = kernel_list_fma;
#endif
	for (int i = 0; kernel_test_lists[i].isa; i++)
		if (cpu_has(kernel_test_lists[i].isa) && find_in(kernel_test_lists[i].list, base, type))
			lists[n++] = kernel_test_lists[i].list;
	for (int v = 0; v < n; v++) {
		const struct kernel *k = find_in(lists[v], base, type);
		EXPECT(k != NULL, "no kernel %s %s", base, type);
		if (!k)
			return;
		for (int r = 0; r < 4; r++) {
			for (int i = 0; i < n_out; i++)
				if (out[i])
					memset(out[i], 0xff, bytes[i]);
			call_parts(k, params, in, out, scratch, parts[r]);
			for (int i = 0; i < n_out; i++) {
				if (!out[i])
					continue;
				if (!first[i]) {
					first[i] = get(bytes[i]);
					memcpy(first[i], out[i], bytes[i]);
				} else {
					EXPECT(same_bytes(type, first[i], out[i], bytes[i]),
					       "%s %s: output %d differs between builds or numbers of parts (build %d, "
					       "%d parts)", base, type, i, v, parts[r]);
				}
			}
		}
	}
	for (int i = 0; i < 4; i++)
		free(first[i]);
}

/* n results against bits in a stated order and against double within a bound that belongs to each */
static inline void check(const float *y, const float *order, const double *truth, const double *bound, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		EXPECT(same_bits(y[i], order[i]), "element %lld is %.9g, in the contract's order %.9g",
		       (long long)i, (double)y[i], (double)order[i]);
		EXPECT(fabs((double)y[i] - truth[i]) <= bound[i], "element %lld is %.9g, truth %.17g, bound %g",
		       (long long)i, (double)y[i], truth[i], bound[i]);
	}
}

#define EPS 5.9604644775390625e-8	/* half a unit in the last place of 1.0f */

static inline int finish(const char *name)
{
	printf("%s: %d checks, %d failed\n", name, checks, bad);
	return bad || !checks;
}

#endif
