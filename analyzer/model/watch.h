// SPDX-License-Identifier: MIT
/*
 * A trace that is looked at again and again while its program runs.  The file is mapped, and each look
 * reads the counters alone; modules, frames, nodes and sites only ever get more, so that of them the new
 * ones are read.  What is read is checked as model/trace.h says, every time.
 *
 * The file may be cut short meanwhile (see model/truncation.h, which must have been asked to survive it).
 */
#ifndef MODEL_WATCH_H
#define MODEL_WATCH_H

#include "model/trace.h"

struct watch;

/* Opens the trace at `path` and reads all of it; null: it cannot be read. */
struct watch *watch_open(const char *path, struct failure *why);

void watch_close(struct watch *watch);

/* The trace as of the last look.  Its address stays, and its strings; its tables may move with each look. */
const struct trace *watch_trace(const struct watch *watch);

/* Looks again.  False: the file is damaged or was cut short, and the trace stays as it was last seen; so it
   is from then on. */
bool watch_update(struct watch *watch, struct failure *why);

/* The sites whose figures the last look changed, in no order; new ones that counted something are among
   them.  After watch_open: all that ever counted anything. */
const uint32_t *watch_changed(const struct watch *watch, size_t *count);

#endif
