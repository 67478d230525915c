/* emit_ew.h - prints an elementwise program as a readable loop nest. */
#ifndef AMP_EMIT_EW_H
#define AMP_EMIT_EW_H

#include "ir/ew.h"

/*
 * The body of a function, indented by one tab: declarations of the operands (from the C expressions
 * in[k], out[k] of pointer type) and one loop nest.  threads > 1: part r->part of r->parts of
 * it, shared along one axis.
 */
void emit_ew(struct text *t, const struct ew *e, const char *const *in, const char *const *out, int threads);

#endif
