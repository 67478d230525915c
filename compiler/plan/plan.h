/* plan.h - from steps to places: which values lie in the arena and where, which views need no copy. */
#ifndef AMP_PLAN_H
#define AMP_PLAN_H

#include "ir/schedule.h"

/*
 * Plans the memory of a schedule and puts its steps into the planned order (views that vanish leave the list).
 * fatal() when the planner finds the sizes absurd; its result is verified each time.
 */
struct plan *plan_memory(struct ctx *c, struct schedule *s);

#endif
