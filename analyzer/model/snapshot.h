// SPDX-License-Identifier: MIT
/* The snapshots of a trace; their figures are read when one is asked for (trace_at_snapshot). */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include "model/reader.h"
#include "model/trace.h"

/* Fills in trace->snapshots. */
bool snapshots_read(struct trace *trace, struct reader *reader, struct failure *why);

void snapshots_free(struct trace *trace);

/* Whether the file has that snapshot still: a running program may have put another in its place. */
bool snapshot_is_there(const struct snapshot *snapshot, const struct file *file, struct failure *why);

#endif
