// SPDX-License-Identifier: MIT
/* From the shards' counters to the figures of sites and the totals. */
#ifndef MODEL_FIGURES_H
#define MODEL_FIGURES_H

#include "model/reader.h"
#include "model/trace.h"

/* Fills in trace->sites[].figures, trace->totals and trace->truncated_allocations.  On failure these are as
   before. */
bool figures_read(struct trace *trace, struct reader *reader, struct failure *why);

/* The same, as they were at a snapshot. */
bool figures_read_snapshot(struct trace *trace, const struct snapshot *snapshot, struct reader *reader,
                           struct failure *why);

#endif
