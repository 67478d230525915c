/*
 * runner.c - an emitted model as a contestant: runs when it is told to, and says how long it took.
 *
 *	runner INPUT OUTPUT [ISA]
 *
 * In:  INPUT, the bytes of the model's one input; ISA, a variant's name ("avx2"), else the best; on stdin a byte for each run that is wanted.
 * Out: OUTPUT, the bytes of its first output after the first run.  On stdout first one line
 *      "FIRST-NS BEFORE-KB PEAK-KB": time from preparing to the answer, resident memory (VmHWM) at
 *      the start and after it; then a line for each run: nanoseconds.
 *
 * Linked with a library that `ampoule compile --name net` and make built.
 */
#include "net.h"
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_IO 16

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "runner: %s\n", what);
	exit(1);
}

static long peak_kb(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

int main(int argc, char **argv)
{
	const struct amp_model *m = &net_model;
	const long before = peak_kb();
	void *out[MAX_IO];
	if (argc != 3 && argc != 4)
		fail("usage: runner INPUT OUTPUT [ISA]");
	int isa = -1;
	for (int i = 0; argc == 4 && i < m->n_isa; i++)
		if (!strcmp(m->isa_names[i], argv[3]))
			isa = i;
	if (argc == 4 && isa < 0)
		fail("the model has no such variant");
	if (m->n_in != 1 || m->n_out > MAX_IO)
		fail("this program runs models of one input");

	void *x = block(m->in[0].bytes);
	FILE *f = fopen(argv[1], "rb");
	if (!f || fread(x, 1, (size_t)m->in[0].bytes, f) != (size_t)m->in[0].bytes || fgetc(f) != EOF)
		fail("the input's size is not the model's");
	fclose(f);

	const long long start = now();
	void *state = block(m->state_bytes), *prepared = block(m->prepared_bytes);
	void *arena = block(m->arena_bytes);
	for (int i = 0; i < m->n_out; i++)
		out[i] = block(m->out[i].bytes);
	const void *const in[] = { x };
	struct amp_pool *pool = NULL;
#if NET_THREADS > 1
	if (amp_pool_new(m->threads, &pool))
		fail("no threads");
#endif
	if (m->prepare(state, m->weights, prepared, pool, isa) || m->run(state, arena, in, out))
		fail("the model failed");
	const long long first = now() - start;

	f = fopen(argv[2], "wb");
	if (!f || fwrite(out[0], 1, (size_t)m->out[0].bytes, f) != (size_t)m->out[0].bytes || fclose(f))
		fail("cannot write the output");
	printf("%lld %ld %ld\n", first, before, peak_kb());
	fflush(stdout);

	while (getchar() != EOF) {
		const long long begin = now();
		if (m->run(state, arena, in, out))
			fail("the model failed");
		printf("%lld\n", now() - begin);
		fflush(stdout);
	}
	return 0;
}
