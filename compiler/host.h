/*
 * host.h - emitted code on this machine: built in a folder of its own under TMPDIR, run, thrown away.
 */
#ifndef AMP_HOST_H
#define AMP_HOST_H

#include "compile.h"

/* Runs a program in `dir` (NULL: here), stdout on stderr; its exit code, or -1. */
int host_call(const char *dir, bool quiet, char *const argv[]);

/*
 * Emits the model as the library "model" with the one variant that this machine would pick, and driver.c beside it;
 * builds both with o->cc.  The folder (the caller removes it), or NULL and a diagnostic of `stage`.
 */
const char *host_build(struct ctx *c, const struct options *o, const struct compiled *k, const char *driver,
		       const char *stage);

/* The bytes of each input into dir/in0.bin, in1.bin, ... */
bool host_inputs(struct ctx *c, const char *dir, const struct graph *g, const struct tensor *const *in);

#endif
