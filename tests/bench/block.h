/* block.h - memory for a model, as the classifier takes it: AMP_ALIGN, and large pages for what is large. */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include "ampoule_rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE (2 << 20)

/* At least `bytes` and one unit of alignment; the program ends where there is no memory. */
static void *block(int64_t bytes)
{
	const size_t align = bytes >= LARGE_PAGE / 2 ? LARGE_PAGE : AMP_ALIGN, room = ((size_t)bytes / align + 1) * align;
	void *p = aligned_alloc(align, room);
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
#ifdef MADV_HUGEPAGE
	if (align == LARGE_PAGE)
		madvise(p, room, MADV_HUGEPAGE);
#endif
	return p;
}

#endif
