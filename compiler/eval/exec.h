/*
 * exec.h - executes steps inside the compiler, with the generic kernels: the contract's own bytes
 * (`ampoule run --exact`, golden vectors, constant folding), and - on a graph whose float types
 * are replaced by double - the truth that `verify` measures against.
 */
#ifndef AMP_EXEC_H
#define AMP_EXEC_H

#include "ir/schedule.h"

/* The step of a node (its op's lower(), or its elementwise program); NULL and diagnostics if it has none. */
struct step *lower_node(struct node *n);
/* All nodes in the graph's order; NULL and diagnostics when any cannot be lowered. */
struct schedule *make_schedule(struct graph *g);

/*
 * Divides steps among threads (struct step, parts): those whose kernel can and which would take one thread longer than
 * `least` nanoseconds, roughly.  Before plan_memory(): each part has scratch of its own.
 */
void schedule_parts(struct schedule *s, int threads, double least);

/* Runs one step on the caller's memory (values as they lie, layout included), its parts one after another. */
enum amp_status exec_step(const struct step *s, const void *const in[], void *const out[]);

/*
 * Evaluates a node whose inputs are all constant, in contract arithmetic in its own dtypes, and makes its
 * outputs constants.  False (and no change) when an input is not constant or the node may not be folded.
 */
bool exec_fold(struct node *n);

/* Called after each step with the values it wrote (plain memory of value_bytes()); NULL: not wanted. */
typedef void exec_watch(void *arg, const struct step *s, void *const out[]);

/*
 * Runs a schedule: in[] by graph input, out[] by graph output (new tensors in the context; NaN canonical).
 * Inputs must have the graph's types (R_INPUT and a diagnostic otherwise).
 */
enum result exec_run(struct ctx *c, const struct schedule *s, const struct tensor *const *in,
		     struct tensor **out, exec_watch *watch, void *arg);

/* A clone of the graph in which every float, float16 and bfloat16 is double: the truth. */
struct graph *graph_to_double(struct ctx *c, const struct graph *g);
/* Its schedule, ready for exec_run() with double inputs; NULL and diagnostics. */
struct schedule *truth_schedule(struct ctx *c, const struct graph *g);

/* Writes NaN as the contract's quiet NaN, in float and double data. */
void canonical_nan(enum dtype t, void *data, int64_t n);

/* Plain row-major tensor <-> the value's layout, for values that are watched or compared. */
struct tensor *value_to_plain(struct ctx *c, const struct value *v, const void *data);

#endif
