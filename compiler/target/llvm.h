/*
 * llvm.h - LLVM's C API, where the build was asked for it (make WITH_LLVM=1): triples, data layouts, the host's CPU.
 */
#ifndef AMP_LLVM_H
#define AMP_LLVM_H

#include "core/core.h"

struct llvm_layout {
	const char *triple;		/* normalised */
	const char *layout;		/* LLVM's data layout string */
	bool big_endian;
	int bits;			/* of a pointer */
};

/* LLVM's version, or NULL: not linked. */
const char *llvm_version(struct ctx *c);
/* False and *why when LLVM is not linked or does not know the triple. */
bool llvm_layout(struct ctx *c, const char *triple, struct llvm_layout *l, const char **why);
/* The CPU of this machine and its features ("+sse2,+avx,..."); false when LLVM is not linked. */
bool llvm_host(struct ctx *c, const char **triple, const char **cpu, const char **features);

#endif
