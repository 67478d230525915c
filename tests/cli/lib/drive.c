/*
 * drive.c - a user's program around an emitted model, for the tests of tests/cli.
 *
 *   drive run ISA IN.npy...	runs variant ISA (-1: the best) and writes out0.bin, out1.bin, ...
 *   drive check IN.npy...	checks what the header promises, over every variant that this CPU runs
 *
 * Built with -DMODEL=NAME_model; with -DPOOL for models of several threads: everything is then done with pools of 1 to
 * that many.  The blob comes from the binary, or from the file NAME.weights here.  Every piece
 * of memory has exactly the promised size (a sanitizer sees a byte too many) and the smallest promised
 * alignment: 64 for arena and weights, the element's for inputs and outputs.
 */
#define _POSIX_C_SOURCE 200809L
#include "ampoule_rt.h"

#if defined __wasm__		/* one mode, one thread */
#define ONLY_MODE 1
#else
#define ONLY_MODE 0
#include <fenv.h>
#include <pthread.h>
#endif
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined __SSE2__
#include <immintrin.h>
#endif

#ifdef _WIN32
#include <malloc.h>
#define posix_memalign(P, ALIGN, BYTES) ((*(P) = _aligned_malloc(BYTES, ALIGN)) == NULL)
#endif

extern const struct amp_model MODEL;
static const struct amp_model *const m = &MODEL;

#define CHECK(x) ((x) ? (void)0 : (printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), exit(1)))

/* Exactly `bytes` (freed by nobody), at a multiple of 64, or at one of `align` but not of 2 * align. */
static void *odd(int64_t bytes, size_t align)
{
	void *p = NULL;
	const size_t extra = align < 64 ? align : 0;
	CHECK(posix_memalign(&p, 64, extra + (size_t)bytes ? extra + (size_t)bytes : 1) == 0);
	return (unsigned char *)p + extra;
}

static size_t element(enum amp_dtype t)
{
	switch (t) {
	case AMP_UINT8: case AMP_INT8: case AMP_BOOL: return 1;
	case AMP_UINT16: case AMP_INT16: case AMP_FLOAT16: case AMP_BFLOAT16: return 2;
	case AMP_FLOAT: case AMP_INT32: case AMP_UINT32: return 4;
	default: return 8;
	}
}

/* Files are little-endian: on other machines the bytes of each element are turned round. */
static void swap(void *data, int64_t bytes, size_t size)
{
	const uint16_t one = 1;
	unsigned char *p = data;
	if (*(const unsigned char *)&one == 1)
		return;
	for (int64_t i = 0; i < bytes; i += (int64_t)size, p += size)
		for (size_t k = 0; k < size / 2; k++) {
			const unsigned char b = p[k];
			p[k] = p[size - 1 - k];
			p[size - 1 - k] = b;
		}
}

static void *read_file(const char *name, long skip_npy, int64_t bytes, size_t align)
{
	FILE *f = fopen(name, "rb");
	unsigned char head[10] = { 0 };
	CHECK(f != NULL);
	CHECK(!skip_npy || (fread(head, 1, 10, f) == 10 && fseek(f, head[8] | head[9] << 8, SEEK_CUR) == 0));
	void *p = odd(bytes, align);
	CHECK(fread(p, 1, (size_t)bytes, f) == (size_t)bytes && fgetc(f) == EOF);
	fclose(f);
	return p;
}

static const void *blob;
static const void **in;

/* Filled otherwise each time: an output that is not written shows. */
static void **outputs(void)
{
	static atomic_int calls;		/* two threads call */
	const int fill = calls++ % 2 ? 0xa5 : 0x5a;
	void **out = calloc((size_t)m->n_out + 1, sizeof *out);
	CHECK(out != NULL);
	for (int i = 0; i < m->n_out; i++) {
		out[i] = odd(m->out[i].bytes, element(m->out[i].dtype));
		memset(out[i], fill, (size_t)m->out[i].bytes);
	}
	return out;
}

static void *arena(int fill)
{
	void *p = odd(m->arena_bytes, 64);
	memset(p, fill, (size_t)m->arena_bytes);
	return p;
}

static struct amp_pool *pool;

/* what prepare() fills: nothing, or what is made of the weights */
static unsigned char *room(void)
{
	return m->prepared_bytes ? odd(m->prepared_bytes, 64) : NULL;
}

static void *prepared(int isa)
{
	void *s = odd(m->state_bytes, 64);
	const enum amp_status r = m->prepare(s, blob, room(), pool, isa);
	if (r == AMP_ERR_ISA)
		return NULL;
	CHECK(r == AMP_OK);
	return s;
}

static int same(void *const *a, void *const *b)
{
	for (int i = 0; i < m->n_out; i++)
		if (memcmp(a[i], b[i], (size_t)m->out[i].bytes) != 0)
			return 0;
	return 1;
}

#if ONLY_MODE
static void modes(const void *state, void *const *want)
{
	(void)state, (void)want;
}
static void together(const void *state, void *const *want)
{
	(void)state, (void)want;
}
#else
struct job { const void *state; void *const *want; int ok; };

static void *thread(void *arg)
{
	struct job *j = arg;
	void *a = arena(0xff);
	for (int i = 0; i < 20; i++) {
		void **out = outputs();
		j->ok = j->ok && m->run(j->state, a, in, out) == AMP_OK && same(out, j->want);
	}
	return NULL;
}

static void modes(const void *state, void *const *want)
{
	static const int round[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	void *a = arena(0xff);
	for (int i = 0; i < 4; i++)
		for (unsigned flush = 0; flush < 4; flush++) {
			void **out = outputs();
			CHECK(fesetround(round[i]) == 0);
#if defined __SSE2__
			const unsigned word = (_mm_getcsr() & ~0x8040u) | (flush & 1 ? 0x8000u : 0) |
					      (flush & 2 ? 0x40u : 0);
			_mm_setcsr(word);
#elif defined __aarch64__
			uint64_t word, after;	/* FPCR: FZ flushes subnormals, DN makes every NaN one */
			__asm__ volatile("mrs %0, fpcr" : "=r"(word));
			word |= (flush & 1 ? 1u << 24 : 0) | (flush & 2 ? 1u << 25 : 0);
			__asm__ volatile("msr fpcr, %0" :: "r"(word));
#elif defined __arm__
			uint32_t word, after;	/* FPSCR: the same bits; the top byte holds flags, too */
			__asm__ volatile("vmrs %0, fpscr" : "=r"(word));
			word |= (flush & 1 ? 1u << 24 : 0) | (flush & 2 ? 1u << 25 : 0);
			__asm__ volatile("vmsr fpscr, %0" :: "r"(word));
#endif
			const enum amp_status s = m->run(state, a, in, out);
#if defined __SSE2__
			const unsigned after = _mm_getcsr();	/* its low six bits are flags, not modes */
			_mm_setcsr(0x1f80);
			CHECK((after & ~0x3fu) == (word & ~0x3fu));
#elif defined __aarch64__
			__asm__ volatile("mrs %0, fpcr\n\tmsr fpcr, xzr" : "=&r"(after));
			CHECK(after == word);
#elif defined __arm__
			__asm__ volatile("vmrs %0, fpscr\n\tvmsr fpscr, %1" : "=&r"(after) : "r"(0));
			CHECK(((after ^ word) & 0x07f79f00u) == 0);
#else
			CHECK(fegetround() == round[i]);
#endif
			fesetround(FE_TONEAREST);
			CHECK(s == AMP_OK && same(out, want));
		}
}

/* Two threads with an arena each. */
static void together(const void *state, void *const *want)
{
	struct job jobs[2] = { { state, want, 1 }, { state, want, 1 } };
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, thread, &jobs[i]) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], NULL) == 0 && jobs[i].ok);
}
#endif

/* An index outside its axis, in the model's input `rows`: the run says so, and the next one is as if it had not been. */
/* an index beyond its bounds, in the models whose input "rows" holds indices: "wide" is one */
static void bad_index(void *state, void *const *want)
{
	void **out = outputs(), *a = arena(0xff);
	int tried = strcmp(m->name, "wide") != 0;
	for (int i = 0; i < m->n_in; i++) {
		if (strcmp(m->in[i].name, "rows") != 0)
			continue;
		tried = 1;
		const void *good = in[i];
		int64_t *bad = odd(m->in[i].bytes, 8);
		memcpy(bad, good, (size_t)m->in[i].bytes);
		bad[m->in[i].bytes / 8 - 1] = INT64_C(1) << 40;
		in[i] = bad;
		CHECK(m->run(state, a, in, out) == AMP_ERR_INDEX);
		in[i] = good;
		CHECK(m->run(state, a, in, out) == AMP_OK && same(out, want));
	}
	CHECK(tried);
}

static void statuses(void)
{
	const int64_t n = m->weights_bytes;
	void *s = prepared(-1), *a = arena(0), **out = outputs();
	unsigned char *copy = odd(n + 64, 64), *made = room();
	memcpy(copy, blob, (size_t)n);
	CHECK(m->prepare(NULL, blob, made, NULL, -1) == AMP_ERR_ARGUMENT);
	CHECK(m->prepare(s, NULL, made, NULL, -1) == AMP_ERR_ARGUMENT);
	CHECK(m->prepare(s, copy, made, NULL, -1) == AMP_OK);
	copy[20] ^= 1;
	CHECK(m->prepare(s, copy, made, NULL, -1) == AMP_ERR_BLOB);
	copy[20] ^= 1;
	copy[0] ^= 1;
	CHECK(m->prepare(s, copy, made, NULL, -1) == AMP_ERR_BLOB);
	memmove(copy + 4, blob, (size_t)n);
	CHECK(m->prepare(s, copy + 4, made, NULL, -1) == AMP_ERR_ARGUMENT);
	CHECK(m->prepare(s, blob, made, (struct amp_pool *)(void *)copy, -1) == AMP_ERR_POOL);
	CHECK(m->prepare(s, blob, made, NULL, m->n_isa) == AMP_ERR_ISA);
	CHECK(m->prepare(s, blob, made, NULL, -2) == AMP_ERR_ISA);
	CHECK(m->prepare(s, blob, made, NULL, m->best_isa()) == AMP_OK);
	if (made) {
		CHECK(m->prepare(s, blob, NULL, NULL, -1) == AMP_ERR_ARGUMENT);
		CHECK(m->prepare(s, blob, made + 4, NULL, -1) == AMP_ERR_ARGUMENT);
	}
	CHECK(m->best_isa() >= 0 && m->best_isa() < m->n_isa && m->isa_names[0][0]);

	CHECK(m->run(NULL, a, in, out) == AMP_ERR_ARGUMENT);
	CHECK(m->run(s, a, NULL, out) == AMP_ERR_ARGUMENT);
	CHECK(m->run(s, a, in, NULL) == AMP_ERR_ARGUMENT);
	if (m->arena_bytes) {
		CHECK(m->run(s, NULL, in, out) == AMP_ERR_ARGUMENT);
		CHECK(m->run(s, (char *)arena(0) + 4, in, out) == AMP_ERR_ARGUMENT);
	}
	for (int i = 0; i < m->n_in; i++) {
		const void *was = in[i];
		in[i] = NULL;
		CHECK(m->run(s, a, in, out) == AMP_ERR_ARGUMENT);
		in[i] = was;
	}
	for (int i = 0; i < m->n_out; i++) {
		void *was = out[i];
		out[i] = NULL;
		CHECK(m->run(s, a, in, out) == AMP_ERR_ARGUMENT);
		out[i] = was;
	}
	for (int i = 0; i < m->n_out; i++)	/* nothing was written */
		for (int64_t k = 0; k < m->out[i].bytes; k++)
			CHECK(((unsigned char *)out[i])[k] == ((unsigned char *)out[0])[0]);
}

#ifdef POOL
static atomic_int steps_seen;

static void count(void *arg, int step)
{
	CHECK(arg == &steps_seen && step == steps_seen++);
}

/* A pool of the user's own: each part in a thread that lives as long as the run. */
struct part { void (*job)(void *, int, int); void *arg; int part, parts; };

static void *part_of(void *arg)
{
	struct part *p = arg;
	p->job(p->arg, p->part, p->parts);
	return NULL;
}

static int own_run(struct amp_pool *p, void (*job)(void *, int, int), void *arg)
{
	pthread_t t[AMP_MAX_THREADS];
	struct part part[AMP_MAX_THREADS];
	for (int i = 1; i < p->threads; i++) {
		part[i] = (struct part){ job, arg, i, p->threads };
		CHECK(pthread_create(&t[i], NULL, part_of, &part[i]) == 0);
	}
	job(arg, 0, p->threads);
	for (int i = 1; i < p->threads; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	return 0;
}

/* Threads that come only when the caller's part has ended, or not at all. */
static int late_run(struct amp_pool *p, void (*job)(void *, int, int), void *arg)
{
	job(arg, 0, p->threads);
	for (int i = 1; i < p->threads - 1; i++)
		job(arg, i, p->threads);
	return 0;
}

static void pools(void *const *want)
{
	struct amp_pool late = { m->threads, late_run, NULL };
	struct amp_pool own = { m->threads, own_run, NULL }, *p = &own;
	void *s = odd(m->state_bytes, 64), **out = outputs();
	CHECK(m->threads > 1 && m->steps && m->n_steps > 0);
	CHECK(amp_pool_new(0, &p) == AMP_ERR_ARGUMENT && p == NULL);
	CHECK(amp_pool_new(AMP_MAX_THREADS + 1, &p) == AMP_ERR_ARGUMENT && p == NULL);
	CHECK(amp_pool_new(1, NULL) == AMP_ERR_ARGUMENT);
	amp_pool_free(NULL);
	CHECK(amp_pool_new(m->threads + 1, &p) == AMP_OK && p->threads == m->threads + 1);
	CHECK(m->prepare(s, blob, room(), p, -1) == AMP_ERR_POOL);
	amp_pool_free(p);
	CHECK(m->prepare(s, blob, room(), &own, -1) == AMP_OK);
	m->watch(s, count, &steps_seen);
	CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want) && steps_seen == m->n_steps + 1);
	m->watch(s, NULL, NULL);
	CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want) && steps_seen == m->n_steps + 1);
	CHECK(m->prepare(s, blob, room(), &late, -1) == AMP_OK);
	CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want));
	int shared = 0;
	for (int i = 0; i < m->n_steps; i++)
		shared += m->steps[i].parts > 1;
	/* a small model may share none: tests/cli/threads.sh looks */
	printf("%d of %d steps are shared by %d threads\n", shared, m->n_steps, m->threads);
}
#endif

int main(int argc, char **argv)
{
	const int first = argc > 1 && strcmp(argv[1], "run") == 0 ? 3 : 2;
	if (argc != first + m->n_in)
		return fprintf(stderr, "usage: drive run ISA IN.npy... | check IN.npy...\n"), 2;
	char name[256];
	snprintf(name, sizeof name, "%s.weights", m->name);
	if (m->weights) {
		CHECK((uintptr_t)m->weights % AMP_ALIGN == 0 && !m->weights_file);
		blob = m->weights;
	} else {
		CHECK(m->weights_file && strcmp(m->weights_file, name) == 0);
		blob = read_file(name, 0, m->weights_bytes, 64);
	}
	CHECK((in = calloc((size_t)m->n_in + 1, sizeof *in)) != NULL);
	for (int i = 0; i < m->n_in; i++) {
		void *data = read_file(argv[first + i], 1, m->in[i].bytes, element(m->in[i].dtype));
		swap(data, m->in[i].bytes, element(m->in[i].dtype));
		in[i] = data;
	}
#ifdef POOL
	CHECK(amp_pool_new(m->threads, &pool) == AMP_OK);
#endif
	if (first == 3) {
		void *s = prepared(atoi(argv[2])), **out = outputs();
		if (!s)
			return printf("not run: %s (this CPU has none)\n", m->isa_names[atoi(argv[2])]), 3;
		CHECK(m->run(s, arena(0xff), in, out) == AMP_OK);
		for (int i = 0; i < m->n_out; i++) {
			snprintf(name, sizeof name, "out%d.bin", i);
			FILE *f = fopen(name, "wb");
			swap(out[i], m->out[i].bytes, element(m->out[i].dtype));
			CHECK(f && fwrite(out[i], 1, (size_t)m->out[i].bytes, f) == (size_t)m->out[i].bytes);
			CHECK(fclose(f) == 0);
		}
		return 0;
	}
	statuses();
	void **want = outputs();
	CHECK(m->run(prepared(0), arena(0xff), in, want) == AMP_OK);
	int ran = 0;
#ifdef POOL
	pools(want);
	for (int i = 1; i < m->threads; i++) {
		struct amp_pool *most = pool;
		void *s, **out = outputs();
		CHECK(amp_pool_new(i, &pool) == AMP_OK && (s = prepared(-1)) != NULL);
		CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want));
		bad_index(s, want);
		for (int k = 0; k < 20; k++) {		/* threads that watch, that fall asleep and that sleep */
			const struct timespec pause = { 0, k * 20000 };
			nanosleep(&pause, NULL);
			CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want));
		}
		amp_pool_free(pool);
		CHECK(amp_pool_new(i, &pool) == AMP_OK);
		amp_pool_free(pool);			/* without any work */
		pool = most;
	}
#endif
	for (int isa = 0; isa < m->n_isa; isa++) {
		void *s = prepared(isa), **out = outputs();
		if (!s) {
			printf("not run: %s (this CPU has none)\n", m->isa_names[isa]);
			continue;
		}
		CHECK(m->run(s, arena(0xff), in, out) == AMP_OK && same(out, want));
		CHECK(m->run(s, arena(0x00), in, out) == AMP_OK && same(out, want));
		bad_index(s, want);
		modes(s, want);
		together(s, want);
		ran++;
	}
#ifdef POOL
	amp_pool_free(pool);
#endif
	printf("%s: the same bytes from %d variants%s\n", m->name, ran, ONLY_MODE ? "" : " in every mode");
	return ran < 1;
}
