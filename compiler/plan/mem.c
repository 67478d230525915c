/*
 * The planner's memory: blocks in a list, handed out from front to back, freed together.
 * A mark lets a search throw away what it has allocated since. plan_fail() leaves plan_solve() at
 * once: it writes the sentence and jumps.
 */
#include "plan_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 16)

struct plan_block {
	struct plan_block *older;
	size_t used, size;
	max_align_t data[];
};

void *plan_alloc(struct plan_mem *m, size_t count, size_t size)
{
	if (count > SIZE_MAX / 4 / size)
		plan_fail(m, PLAN_NO_MEMORY, "out of memory");
	size_t bytes = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t)
		* sizeof(max_align_t);
	struct plan_block *b = m->blocks;
	if (!b || b->size - b->used < bytes) {
		size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
		b = malloc(sizeof *b + room);
		if (!b)
			plan_fail(m, PLAN_NO_MEMORY, "out of memory");
		b->older = m->blocks;
		b->used = 0;
		b->size = room;
		m->blocks = b;
	}
	void *p = (char *)b->data + b->used;
	b->used += bytes;
	return memset(p, 0, bytes);
}

struct plan_mark plan_mark(const struct plan_mem *m)
{
	return (struct plan_mark){m->blocks, m->blocks ? m->blocks->used : 0};
}

void plan_rewind(struct plan_mem *m, struct plan_mark mark)
{
	while (m->blocks != mark.block) {
		struct plan_block *older = m->blocks->older;
		free(m->blocks);
		m->blocks = older;
	}
	if (m->blocks)
		m->blocks->used = mark.used;
}

void plan_fail(struct plan_mem *m, enum plan_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (m->why && m->why_size > 0)
		vsnprintf(m->why, m->why_size, format, args);
	va_end(args);
	longjmp(m->failed, (int)status);
}
