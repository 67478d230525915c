/*
 * tune.h - `--tune FILE`: which of the values that change no bit are fastest on this machine.
 *
 * The file, one line a choice, for people and for later compilations:
 *	band 14 Conv direct float[1,64,56,56] ...
 */
#ifndef AMP_TUNE_H
#define AMP_TUNE_H

#include "compile.h"
#include "ir/tuning.h"

/* Reads o->tune if it exists; false and a diagnostic when it is no such file. */
bool tune_load(struct ctx *c, const struct options *o, struct tuning *t);
/*
 * Measures what the model asks for and t does not know yet, and writes all to o->tune.  k is built; it is built anew
 * when something was measured.  False after diagnostics.
 */
bool tune_measure(struct ctx *c, const struct options *o, struct compiled *k, struct tuning *t);

#endif
