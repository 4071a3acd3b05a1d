// SPDX-License-Identifier: MIT
/* What was live when: the points of a trace. */
#ifndef MODEL_POINTS_H
#define MODEL_POINTS_H

#include "model/reader.h"
#include "model/trace.h"

/* Fills in trace->points. */
bool points_read(struct trace *trace, struct reader *reader, struct failure *why);

#endif
