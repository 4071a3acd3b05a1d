// SPDX-License-Identifier: MIT
/*
 * The sum of several traces, as one trace.  Modules are the same when their build-ids are (without one: path,
 * size and time of the file), frames when module and offset are, call paths when their frames are: address
 * randomisation plays no part.  Figures are added; the sum of the peaks is an upper bound, since the processes
 * need not have been at their peaks at one time.
 */
#ifndef MODEL_MERGE_H
#define MODEL_MERGE_H

#include "model/trace.h"

struct merge;

struct merge *merge_start(void);

/* Adds a trace, which is not needed afterwards. */
void merge_add(struct merge *merge, const struct trace *trace);

/* The sum, to be freed by trace_free; `merge` is gone.  It is of no process: it has no pid and no command; its
   start is that of the first, its directory the one that all have in common, or null. */
void merge_finish(struct merge *merge, struct trace *sum);

#endif
