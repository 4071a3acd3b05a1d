// SPDX-License-Identifier: MIT
/* Noting in a trace how its process ended: the one thing that is written to a trace from outside. */
#ifndef MODEL_ENDING_H
#define MODEL_ENDING_H

#include <stdint.h>

#include "format.h"
#include "model/failure.h"

/* Writes the end of process `pid` into its trace, and gives the file the size that is used of it.
   Only for a process that is no more.  An end that the recorder noted itself keeps its time. */
bool ending_note(const char *path, int32_t pid, enum trace_state state, int32_t status, struct failure *why);

#endif
