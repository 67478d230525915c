/*
 * tuning.h - choices that change time and memory but no bit (rule 17): the rows of a band, the tiles of a chunk, how
 * far weights are prefetched.  Plain data: operators ask while they are lowered, `--tune` answers.
 */
#ifndef AMP_TUNING_H
#define AMP_TUNING_H

#include "ir/ir.h"

/* What an operator asked for while it was lowered. */
struct choice {
	const char *what;		/* "band": of which parameter */
	const char *key;		/* operator, algorithm, types, attributes: the same work, in any model */
	const struct node *node;
	int64_t usual;			/* the value without tuning */
	int64_t *candidates;		/* vec, the usual one among them */
};

struct tuning {
	struct map values;		/* "WHAT KEY" -> int64_t *: known answers */
	struct choice *asked;		/* vec: of the last lowering */
};

#endif
