/*
 * pool.c - threads that wait for work: amp_pool_new(), amp_pool_free() of ampoule_rt.h.
 *
 * in:  a number of threads, the caller's own included
 * out: struct amp_pool, whose run() calls a job for part 0 in the caller's thread, and for each other part whose
 *      thread comes before that has ended
 *
 * A thread that has nothing to do watches the gate for a little while, then sleeps on a condition variable, so that a
 * program that waits for its next picture takes no time.  The gate counts jobs and the threads inside the present one;
 * it closes when the caller's part has ended, so that nobody waits for a thread that the system has not let in by then.
 * One run at a time: `busy` is taken by exchange, and who finds it taken is told so.
 *
 * A scheduler may wake a thread on the caller's own core although others are idle, and leave it there for
 * milliseconds, which is all of a run.  So the caller gives way once, should a part be left to it (team.h), and a
 * thread that finds itself on the caller's core has the system move it before it goes in (Linux: sched_setaffinity).
 * POSIX threads or Windows.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE			/* sched_getcpu(), sched_setaffinity() */
#elif !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#include "ampoule_rt.h"
#include "pool/team.h"

#include <stdlib.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef HANDLE thread;
typedef SRWLOCK lock;
typedef CONDITION_VARIABLE bell;

static void lock_init(lock *l) { InitializeSRWLock(l); }
static void lock_take(lock *l) { AcquireSRWLockExclusive(l); }
static void lock_give(lock *l) { ReleaseSRWLockExclusive(l); }
static void lock_end(lock *l) { (void)l; }
static void bell_init(bell *b) { InitializeConditionVariable(b); }
static void bell_wait(bell *b, lock *l) { SleepConditionVariableSRW(b, l, INFINITE, 0); }
static void bell_ring(bell *b) { WakeAllConditionVariable(b); }
static void bell_end(bell *b) { (void)b; }
static void give_way(void) { SwitchToThread(); }
static DWORD WINAPI begin(void *arg);
static int thread_start(thread *t, void *arg) { return (*t = CreateThread(NULL, 0, begin, arg, 0, NULL)) != NULL; }
static void thread_join(thread t) { WaitForSingleObject(t, INFINITE); CloseHandle(t); }
#else
#include <pthread.h>
#include <sched.h>

typedef pthread_t thread;
typedef pthread_mutex_t lock;
typedef pthread_cond_t bell;

static void lock_init(lock *l) { pthread_mutex_init(l, NULL); }
static void lock_take(lock *l) { pthread_mutex_lock(l); }
static void lock_give(lock *l) { pthread_mutex_unlock(l); }
static void lock_end(lock *l) { pthread_mutex_destroy(l); }
static void bell_init(bell *b) { pthread_cond_init(b, NULL); }
static void bell_wait(bell *b, lock *l) { pthread_cond_wait(b, l); }
static void bell_ring(bell *b) { pthread_cond_broadcast(b); }
static void bell_end(bell *b) { pthread_cond_destroy(b); }
static void give_way(void) { sched_yield(); }
static void *begin(void *arg);
static int thread_start(thread *t, void *arg) { return pthread_create(t, NULL, begin, arg) == 0; }
static void thread_join(thread t) { pthread_join(t, NULL); }
#endif

#ifdef __linux__
static int core(void) { return sched_getcpu(); }

/* The calling thread to another core, if it may run on one; then it may run on all of today's cores again. */
static void leave(int old)
{
	cpu_set_t all, others;
	if (old < 0 || old >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all))
		return;
	others = all;
	CPU_CLR(old, &others);
	if (CPU_COUNT(&others) > 0 && !sched_setaffinity(0, sizeof others, &others))
		(void)sched_setaffinity(0, sizeof all, &all);
}
#else
static int core(void) { return -1; }
static void leave(int old) { (void)old; }
#endif

#define SPINS 40000			/* one to two milliseconds: a picture is decoded meanwhile */
/* Of the gate: below it the threads inside, above it the jobs begun, modulo 2^24: a thread that sleeps through so many
 * misses one. */
#define OPEN 128u
_Static_assert(AMP_MAX_THREADS < OPEN, "the gate counts the threads inside a job");

struct worker {
	struct pool *pool;
	thread id;
	int part;
};

struct pool {
	struct amp_pool open;		/* what the caller sees: first */
	lock lock;			/* for sleeping only */
	bell bell;
	_Alignas(64) atomic_uint gate;
	_Alignas(64) atomic_int sleeping;
	atomic_int busy, ending;
	void (*job)(void *arg, int part, int parts);
	void *arg;
	atomic_int core;		/* where the caller began the job; -1: unknown */
	int started;
	struct worker worker[AMP_MAX_THREADS];
};

/* The job after `seen`, watched for at first, then slept for; its number. */
static unsigned next_job(struct pool *p, unsigned seen)
{
	unsigned gate;
	for (int i = 0; i < SPINS; i++) {
		if ((gate = atomic_load_explicit(&p->gate, memory_order_relaxed)) / (2 * OPEN) != seen)
			return gate / (2 * OPEN);
		amp_team_relax();
	}
	lock_take(&p->lock);
	atomic_fetch_add(&p->sleeping, 1);
	while ((gate = atomic_load(&p->gate)) / (2 * OPEN) == seen)
		bell_wait(&p->bell, &p->lock);
	atomic_fetch_sub(&p->sleeping, 1);
	lock_give(&p->lock);
	return gate / (2 * OPEN);
}

/* The gate, then `sleeping`, here; the other way round in next_job(): one of the two sees the other. */
static void new_job(struct pool *p)
{
	atomic_fetch_add(&p->gate, 2 * OPEN + OPEN);	/* nobody is inside */
	if (atomic_load(&p->sleeping) > 0) {
		lock_take(&p->lock);
		bell_ring(&p->bell);
		lock_give(&p->lock);
	}
}

/* Into the job, if it is still going on. */
static int enter(struct pool *p, unsigned job)
{
	unsigned gate = atomic_load_explicit(&p->gate, memory_order_relaxed);
	while (gate / (2 * OPEN) == job && gate & OPEN)
		if (atomic_compare_exchange_weak_explicit(&p->gate, &gate, gate + 1, memory_order_acquire,
							  memory_order_relaxed))
			return 1;
	return 0;
}

static void serve(struct worker *w)
{
	struct pool *p = w->pool;
	for (unsigned job = 0; !atomic_load(&p->ending);) {
		job = next_job(p, job);
		const int callers = atomic_load_explicit(&p->core, memory_order_relaxed);
		if (callers >= 0 && core() == callers)
			leave(callers);
		if (enter(p, job)) {
			if (!atomic_load(&p->ending))
				p->job(p->arg, w->part, p->open.threads);
			atomic_fetch_sub_explicit(&p->gate, 1, memory_order_release);
		}
	}
}

#ifdef _WIN32
static DWORD WINAPI begin(void *arg)
{
	serve(arg);
	return 0;
}
#else
static void *begin(void *arg)
{
	serve(arg);
	return NULL;
}
#endif

static int run(struct amp_pool *pool, void (*job)(void *arg, int part, int parts), void *arg)
{
	struct pool *p = (struct pool *)pool;
	if (atomic_exchange_explicit(&p->busy, 1, memory_order_acquire))
		return 1;
	p->job = job;
	p->arg = arg;
	atomic_store_explicit(&p->core, core(), memory_order_relaxed);
	if (pool->threads > 1)
		new_job(p);
	job(arg, 0, pool->threads);
	if (pool->threads > 1)
		atomic_fetch_sub_explicit(&p->gate, OPEN, memory_order_relaxed);
	for (long spins = 0; atomic_load_explicit(&p->gate, memory_order_acquire) % OPEN > 0; spins++) {
		if (spins < AMP_TEAM_SPINS)
			amp_team_relax();
		else
			give_way();
	}
	atomic_store_explicit(&p->busy, 0, memory_order_release);
	return 0;
}

enum amp_status amp_pool_new(int threads, struct amp_pool **pool)
{
	if (!pool)
		return AMP_ERR_ARGUMENT;
	*pool = NULL;
	if (threads < 1 || threads > AMP_MAX_THREADS)
		return AMP_ERR_ARGUMENT;
#ifdef _WIN32
	struct pool *p = _aligned_malloc(sizeof *p, 64);
#else
	void *block = NULL;
	struct pool *p = posix_memalign(&block, 64, sizeof *p) == 0 ? block : NULL;
#endif
	if (!p)
		return AMP_ERR_POOL;
	p->open.threads = threads;
	p->open.run = run;
	p->open.yield = give_way;
	lock_init(&p->lock);
	bell_init(&p->bell);
	atomic_init(&p->gate, 0);
	atomic_init(&p->core, -1);
	atomic_init(&p->sleeping, 0);
	atomic_init(&p->busy, 0);
	atomic_init(&p->ending, 0);
	for (p->started = 0; p->started < threads - 1; p->started++) {
		struct worker *w = &p->worker[p->started];
		w->pool = p;
		w->part = p->started + 1;
		if (!thread_start(&w->id, w)) {
			amp_pool_free(&p->open);
			return AMP_ERR_POOL;
		}
	}
	*pool = &p->open;
	return AMP_OK;
}

void amp_pool_free(struct amp_pool *pool)
{
	struct pool *p = (struct pool *)pool;
	if (!p)
		return;
	atomic_store(&p->ending, 1);
	new_job(p);
	for (int i = 0; i < p->started; i++)
		thread_join(p->worker[i].id);
	lock_end(&p->lock);
	bell_end(&p->bell);
#ifdef _WIN32
	_aligned_free(p);
#else
	free(p);
#endif
}
