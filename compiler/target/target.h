/*
 * target.h - a target's description: one short text file (compiler/target/NAME.target, or the user's own).
 *
 * Lines `key value`, '#' starts a comment:
 *	name x86-64			what --target takes
 *	about one line for `ampoule targets`
 *	note a line that inspect and the manifest repeat: what users of the target must know
 *	endian little|big
 *	bits 64				of a pointer
 *	incbin yes|no			the assembler knows .incbin
 *	run qemu-aarch64 -L /usr/...	how to run its binaries; absent: natively
 *	cc aarch64-linux-gnu-gcc	default compiler of the emitted Makefile
 *	cflags ...			for every file
 *	ldflags ...			for programs
 *	exe .exe			what programs' names end in; absent: nothing
 *	make LINE			a line of the emitted Makefile: make AR := llvm-ar
 *	threads yes|no			--threads is refused where there are none
 *	cache KB			of a core, the second level: bands and chunks of work are sized for it; default 1024
 *	prefetch KB			how far ahead weights are fetched from memory, at most; 0: never; default 256
 *	variant NAME MACRO [flags...]	one build of the model: NAME ends its symbols, MACRO picks simd/ header;
 *					in order, best last; the first must run everywhere
 *	detect NAME FUNCTION		simd/cpu.h function that says whether this CPU runs variant NAME
 */
#ifndef AMP_TARGET_H
#define AMP_TARGET_H

#include "core/core.h"

struct target_variant {
	const char *name, *macro, *flags;
	const char *detect;		/* NULL: always */
};

struct target {
	const char *name, *about, *note, *cc, *cflags, *ldflags, *run, *exe;
	bool big_endian, incbin, no_threads;
	const char **make;		/* vec */
	int bits;
	int64_t cache, prefetch;	/* bytes; 0, -1: not said */
	struct target_variant *variants;	/* vec */
};

/*
 * A built-in name, or the path of a file (when it has a '/' or ends in .target).  NULL: the one that this machine
 * runs.  "native": the same, and where LLVM is linked only the variant that suits this CPU best.
 */
const struct target *target_find(struct ctx *c, const char *name);
/* A description's text; `file` is for messages.  NULL after diagnostics. */
const struct target *target_parse(struct ctx *c, const char *text, size_t n, const char *file);
/* The flag by which its code would give up the numeric contract, or NULL: kept. */
const char *target_breach(struct ctx *c, const struct target *t);
/* All built-in ones: vec. */
const struct target **target_all(struct ctx *c);

#endif
