/*
 * pool.c - threads that wait for work: amp_pool_new(), amp_pool_free() of ampoule_rt.h.
 *
 * in:  a number of threads, the caller's own included
 * out: struct amp_pool, whose run() calls a job once for each part, part 0 in the caller's thread
 *
 * A thread that has nothing to do watches the turn for a little while, then sleeps on a condition variable, so that a
 * program that waits for its next picture takes no time.  One run at a time: `busy` is taken by exchange, and who
 * finds it taken is told so.  POSIX threads or Windows; nothing else of the system is used.
 */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
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

#define SPINS 4000			/* about 100 microseconds */

struct worker {
	struct pool *pool;
	thread id;
	int part;
};

struct pool {
	struct amp_pool open;		/* what the caller sees: first */
	lock lock;			/* for sleeping only */
	bell bell;
	_Alignas(64) atomic_uint turn;	/* counts jobs */
	_Alignas(64) atomic_int left;	/* threads that have not ended the job */
	_Alignas(64) atomic_int sleeping;
	atomic_int busy, ending;
	void (*job)(void *arg, int part, int parts);
	void *arg;
	int started;
	struct worker worker[AMP_MAX_THREADS];
};

/* The next turn, watched at first, then slept for. */
static unsigned next_turn(struct pool *p, unsigned seen)
{
	for (int i = 0; i < SPINS; i++) {
		if (atomic_load_explicit(&p->turn, memory_order_acquire) != seen)
			return seen + 1;
		amp_team_relax();
	}
	lock_take(&p->lock);
	atomic_fetch_add(&p->sleeping, 1);
	while (atomic_load(&p->turn) == seen)
		bell_wait(&p->bell, &p->lock);
	atomic_fetch_sub(&p->sleeping, 1);
	lock_give(&p->lock);
	return seen + 1;
}

/* `turn`, then `sleeping`, here; the other way round in next_turn(): one of the two sees the other. */
static void new_turn(struct pool *p)
{
	atomic_fetch_add(&p->turn, 1);
	if (atomic_load(&p->sleeping) > 0) {
		lock_take(&p->lock);
		bell_ring(&p->bell);
		lock_give(&p->lock);
	}
}

static void serve(struct worker *w)
{
	struct pool *p = w->pool;
	unsigned seen = 0;
	for (;;) {
		seen = next_turn(p, seen);
		if (atomic_load_explicit(&p->ending, memory_order_relaxed))
			return;
		p->job(p->arg, w->part, p->open.threads);
		atomic_fetch_sub_explicit(&p->left, 1, memory_order_release);
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
	atomic_store_explicit(&p->left, pool->threads - 1, memory_order_relaxed);
	if (pool->threads > 1)
		new_turn(p);
	job(arg, 0, pool->threads);
	for (long spins = 0; atomic_load_explicit(&p->left, memory_order_acquire) > 0; spins++) {
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
	atomic_init(&p->turn, 0);
	atomic_init(&p->left, 0);
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
	atomic_store_explicit(&p->ending, 1, memory_order_relaxed);
	new_turn(p);
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
