/*
 * team.h - the parts of one run wait for one another: a barrier that spins.
 *
 * in:  struct amp_team, shared by all parts of a run; amp_team_meet() called by each part, equally often
 * out: amp_team_meet() returns, the same to every part, the first status other than AMP_OK that a part had stored
 *      before this meeting (amp_team_status), else AMP_OK
 *
 * The last part to arrive resets the count, notes the status and turns; the others watch the turn, and after a
 * while let other threads run, for machines on which more threads are ready than there are cores.  The model
 * itself calls nothing of the system: yield comes with the pool.
 */
#ifndef AMP_TEAM_H
#define AMP_TEAM_H

#include <stdatomic.h>

#include "ampoule_rt.h"

#define AMP_TEAM_SPINS 4000		/* about 100 microseconds */

struct amp_team {
	_Alignas(64) atomic_int arrived;	/* on cache lines of their own: all wait on `turn` */
	_Alignas(64) atomic_uint turn;
	_Alignas(64) atomic_int status;
	enum amp_status stop;			/* written by the last to arrive, read after the turn */
	void (*yield)(void);
};

static inline void amp_team_init(struct amp_team *t, void (*yield)(void))
{
	atomic_init(&t->arrived, 0);
	atomic_init(&t->turn, 0);
	atomic_init(&t->status, AMP_OK);
	t->stop = AMP_OK;
	t->yield = yield;
}

static inline void amp_team_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

/* A part's step failed. */
static inline void amp_team_status(struct amp_team *t, enum amp_status s)
{
	if (s != AMP_OK)
		atomic_store_explicit(&t->status, (int)s, memory_order_relaxed);
}

static inline enum amp_status amp_team_meet(struct amp_team *t, int parts)
{
	if (parts == 1)
		return (enum amp_status)atomic_load_explicit(&t->status, memory_order_relaxed);
	const unsigned turn = atomic_load_explicit(&t->turn, memory_order_relaxed);
	if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) == parts - 1) {
		t->stop = (enum amp_status)atomic_load_explicit(&t->status, memory_order_relaxed);
		atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
		atomic_store_explicit(&t->turn, turn + 1, memory_order_release);
		return t->stop;
	}
	for (long spins = 0; atomic_load_explicit(&t->turn, memory_order_acquire) == turn; spins++) {
		if (spins < AMP_TEAM_SPINS || !t->yield)
			amp_team_relax();
		else
			t->yield();
	}
	return t->stop;
}

#endif
