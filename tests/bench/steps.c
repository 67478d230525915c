/*
 * steps.c - the time of each step of an emitted model, by its watch.
 *
 *	steps RUNS THREADS [ISA]
 *
 * In:  a library that `ampoule compile --name net` and make built; inputs are seeded.
 * Out: first a line a step: "STEP OP HOW SHARED MACS BYTES SHAPE|NAME"; then for each run a line of nanoseconds, one number
 *      a step.  Three runs that are not told come first.
 */
#include "net.h"
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_IO 16

static long long *reading;		/* of the clock, before each step and after the last */

static void watch(void *arg, int step)
{
	struct timespec t;
	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	reading[step] = t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct amp_model *m = &net_model;
	const void *in[MAX_IO];
	void *out[MAX_IO], *state = block(m->state_bytes), *prepared = block(m->prepared_bytes), *arena = block(m->arena_bytes);
	struct amp_pool *pool = NULL;
	unsigned seed = 7;
	int isa = -1;
	if (argc < 3 || m->n_in > MAX_IO || m->n_out > MAX_IO)
		return 2;
	for (int i = 0; argc > 3 && i < m->n_isa; i++)
		isa = strcmp(m->isa_names[i], argv[3]) ? isa : i;
#if NET_THREADS > 1
	if (amp_pool_new(atoi(argv[2]), &pool))
		return 6;
#endif
	for (int i = 0; i < m->n_in; i++) {
		float *x = block(m->in[i].bytes);
		if (m->in[i].dtype != AMP_FLOAT)
			return 3;
		for (int64_t k = 0; k < m->in[i].bytes / 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			x[k] = (float)(seed >> 8) / 8388608.0f - 1.0f;
		}
		in[i] = x;
	}
	for (int i = 0; i < m->n_out; i++)
		out[i] = block(m->out[i].bytes);
	reading = block((m->n_steps + 1) * (int64_t)sizeof *reading);
	if (m->prepare(state, m->weights, prepared, pool, isa))
		return 4;
	for (int i = 0; i < m->n_steps; i++) {
		const struct amp_step *s = &m->steps[i];
		printf("%d %s %s %d %lld %lld %s|%s\n", i, s->op, s->how, s->parts, (long long)s->macs, (long long)s->bytes,
		       s->shape, s->name);
	}
	m->watch(state, watch, NULL);
	for (int run = -3; run < atoi(argv[1]); run++) {
		if (m->run(state, arena, in, out))
			return 5;
		for (int i = 0; run >= 0 && i < m->n_steps; i++)
			printf("%lld%c", reading[i + 1] - reading[i], i + 1 < m->n_steps ? ' ' : '\n');
	}
	return 0;
}
