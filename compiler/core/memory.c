/*
 * memory.c - the context: one arena a compilation, fatal errors, checked arithmetic, vectors.
 *
 * The arena is a list of blocks; an allocation bumps a pointer in the newest block or gets a
 * block of its own when it is large.  Nothing is freed before ctx_free().
 */
#include "core/core.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define DEFAULT_LIMIT ((size_t)1 << 37)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	void *base;
	bool own;			/* holds one large allocation */
};

struct ctx *ctx_new(void)
{
	struct ctx *c = calloc(1, sizeof *c);
	if (c)
		c->limit = DEFAULT_LIMIT;
	return c;
}

void ctx_free(struct ctx *c)
{
	if (!c)
		return;
	for (struct arena_block *b = c->blocks, *next; b; b = next) {
		next = b->next;
		free(b->base);
		free(b);
	}
	free(c);
}

enum result ctx_run(struct ctx *c, enum result (*fn)(struct ctx *, void *), void *arg)
{
	if (setjmp(c->on_fatal)) {
		c->running = false;
		return c->result;
	}
	c->running = true;
	enum result r = fn(c, arg);
	c->running = false;
	return r;
}

_Noreturn void fatal(struct ctx *c, enum result r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(c, SEV_ERROR, r == R_INTERNAL ? "internal error" : NULL, NULL, fmt, ap);
	va_end(ap);
	c->result = r;
	if (c->running)
		longjmp(c->on_fatal, 1);
	diag_print(c, stderr);
	exit(r);
}

static _Noreturn void out_of_memory(struct ctx *c, size_t bytes)
{
	/* diag() itself needs memory: allow it a little beyond the limit */
	c->limit += BLOCK_BYTES * 4;
	fatal(c, R_INPUT, "out of memory: %zu bytes wanted, %zu in use", bytes, c->allocated);
}

static struct arena_block *block_new(struct ctx *c, size_t size)
{
	if (size > c->limit || c->allocated > c->limit - size)
		out_of_memory(c, size);
	struct arena_block *b = malloc(sizeof *b);
	void *p = NULL;
	if (b && posix_memalign(&p, 64, size)) {
		free(b);
		b = NULL;
	}
	if (!b)
		out_of_memory(c, size);
	b->base = p;
	b->used = 0;
	b->size = size;
	b->own = false;
	c->allocated += size;
	return b;
}

void *mem_alloc(struct ctx *c, size_t bytes)
{
	const size_t align = bytes >= 64 ? 64 : 16;
	if (bytes > SIZE_MAX / 2)
		out_of_memory(c, bytes);
	const size_t need = bytes ? bytes : 1;
	struct arena_block *b = c->blocks;
	size_t at = b ? (b->used + align - 1) / align * align : 0;
	if (!b || at > b->size || need > b->size - at) {
		const bool own = need > BLOCK_BYTES / 4;
		struct arena_block *n = block_new(c, own ? need : BLOCK_BYTES);
		n->own = own;
		if (own && b) {		/* keep filling the current block afterwards */
			n->next = b->next;
			b->next = n;
		} else {
			n->next = b;
			c->blocks = n;
		}
		b = n;
		at = 0;
	}
	b->used = at + need;
	return memset((char *)b->base + at, 0, need);
}

void mem_give_back(struct ctx *c, const void *p)
{
	for (struct arena_block **b = &c->blocks; p && *b; b = &(*b)->next) {
		struct arena_block *old = *b;
		if (!old->own || old->base != p)
			continue;
		*b = old->next;
		c->allocated -= old->size;
		free(old->base);
		free(old);
		return;
	}
}

void *mem_array(struct ctx *c, int64_t n, size_t size)
{
	int64_t bytes;
	if (n < 0 || !mul_i64(n, (int64_t)size, &bytes))
		fatal(c, R_INPUT, "a size of %lld elements of %zu bytes is absurd", (long long)n, size);
	return mem_alloc(c, (size_t)bytes);
}

void *mem_copy(struct ctx *c, const void *p, size_t bytes)
{
	void *q = mem_alloc(c, bytes);
	if (bytes)
		memcpy(q, p, bytes);
	return q;
}

/* Two ints before the elements: length, room. */
void *vec_grow(struct ctx *c, void *v, size_t size)
{
	int *head = v ? (int *)(void *)((char *)v - 16) : NULL;
	if (!head || head[0] == head[1]) {
		const int n = head ? head[0] : 0, room = n ? n * 2 : 4;
		if (n > INT32_MAX / 4)
			fatal(c, R_INPUT, "a list of over %d entries", n);
		char *p = mem_alloc(c, 16 + (size_t)room * size);
		if (n)
			memcpy(p + 16, v, (size_t)n * size);
		v = p + 16;
		head = (int *)(void *)p;
		head[0] = n;
		head[1] = room;
	}
	memset((char *)v + (size_t)head[0] * size, 0, size);
	head[0]++;
	return v;
}

bool mul_i64(int64_t a, int64_t b, int64_t *r)
{
	return !__builtin_mul_overflow(a, b, r);
}

bool add_i64(int64_t a, int64_t b, int64_t *r)
{
	return !__builtin_add_overflow(a, b, r);
}
