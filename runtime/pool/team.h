/*
 * team.h - the threads of one run share its jobs: a job is a phase of a step, and has one part or as many as there are
 * threads.
 *
 * in:  struct amp_team, shared by all threads of a run, which go through the same jobs in the same order
 * out: each part of each job is done once, and after every part of the jobs before it
 *
 * A thread waits until the jobs before have ended, takes its own part, and then each part that nobody has taken yet: a
 * thread that comes late (the system gave its core to somebody else, or woke it on the core of another one) finds its
 * parts done, and nobody has waited for them.  A part, once taken, is waited for.  Who waits spins, and after a while
 * lets other threads run, for machines on which more threads are ready than there are cores.  The model itself calls
 * nothing of the system: yield comes with the pool.
 */
#ifndef AMP_TEAM_H
#define AMP_TEAM_H

#include <stdatomic.h>

#include "ampoule_rt.h"

#ifndef AMP_TEAM_PARTS
#define AMP_TEAM_PARTS AMP_MAX_THREADS	/* at most so many in a run */
#endif
#define AMP_TEAM_SPINS 4000		/* about 100 microseconds */
#define AMP_TEAM_PATIENCE 400		/* before a job of one part, whose data are in its thread's caches, is taken away */

struct amp_team {
	_Alignas(64) atomic_int done;		/* parts that have ended, of all jobs */
	_Alignas(64) atomic_int status;
	void (*yield)(void);
	struct {
		_Alignas(64) atomic_int job;	/* the first job whose part is still to be taken */
	} next[AMP_TEAM_PARTS];
};

static inline void amp_team_init(struct amp_team *t, void (*yield)(void))
{
	atomic_init(&t->done, 0);
	atomic_init(&t->status, AMP_OK);
	t->yield = yield;
	for (int i = 0; i < AMP_TEAM_PARTS; i++)
		atomic_init(&t->next[i].job, 0);
}

static inline void amp_team_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

/* Until so many parts have ended. */
static inline void amp_team_wait(struct amp_team *t, int parts)
{
	for (long spins = 0; atomic_load_explicit(&t->done, memory_order_acquire) < parts; spins++) {
		if (spins < AMP_TEAM_SPINS || !t->yield)
			amp_team_relax();
		else
			t->yield();
	}
}

/* One thread of a run: where it stands. */
struct amp_team_member {
	int part;		/* its own part of each job that all share */
	int watched;		/* a watch is told of each step by part 0's thread: nobody else does part 0 */
	int job, shares;	/* the job at hand, from 0, and its parts */
	int before;		/* parts of the jobs before it */
	int tried, asked;
};

static inline struct amp_team_member amp_team_join(int part, int watched)
{
	const struct amp_team_member me = { .part = part, .watched = watched, .job = -1 };
	return me;
}

/* The next job, of so many parts: when all parts of the jobs before have ended. */
static inline void amp_team_begin(struct amp_team *t, struct amp_team_member *me, int shares)
{
	me->job++;
	me->before += me->shares;
	me->shares = shares;
	me->tried = 0;
	amp_team_wait(t, me->before);
}

/* Whether this thread does this part: one thread only is told so; `patience`: how long the part's own thread may take. */
static inline int amp_team_take(struct amp_team *t, int part, int job, int patience)
{
	int next;
	while ((next = atomic_load_explicit(&t->next[part].job, memory_order_relaxed)) <= job && patience-- > 0)
		amp_team_relax();
	return next <= job && atomic_compare_exchange_strong_explicit(&t->next[part].job, &next, job + 1,
		memory_order_relaxed, memory_order_relaxed);
}

/*
 * The part of the job that this thread does now, or -1: its own first, then each that nobody has taken.  Before the
 * first of those it lets other threads run: that part's own may be ready on this very core.
 */
static inline int amp_team_next(struct amp_team *t, struct amp_team_member *me)
{
	while (me->tried < me->shares) {
		const int others = me->tried > 0, part = (me->part + me->tried++) % me->shares;
		if (part == 0 && me->part > 0 && me->watched)
			continue;
		if (others && !me->asked && t->yield &&
		    atomic_load_explicit(&t->next[part].job, memory_order_relaxed) <= me->job) {
			me->asked = 1;
			t->yield();
		}
		if (amp_team_take(t, part, me->job, me->shares == 1 && me->part > 0 ? AMP_TEAM_PATIENCE : 0))
			return part;
	}
	return -1;
}

/* A part that was taken has ended. */
static inline void amp_team_done(struct amp_team *t, enum amp_status s)
{
	if (s != AMP_OK)
		atomic_store_explicit(&t->status, (int)s, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->done, 1, memory_order_release);
}

/* AMP_OK, or what a part failed with: the parts of later jobs have nothing to do. */
static inline enum amp_status amp_team_status(struct amp_team *t)
{
	return (enum amp_status)atomic_load_explicit(&t->status, memory_order_relaxed);
}

#endif
