// SPDX-License-Identifier: MIT
/* What the program itself has noted: the marks of a trace. */
#ifndef MODEL_MARKS_H
#define MODEL_MARKS_H

#include "model/reader.h"
#include "model/trace.h"

/* Fills in trace->marks. */
bool marks_read(struct trace *trace, struct reader *reader, struct failure *why);

#endif
