// SPDX-License-Identifier: MIT
/* Traces whose frames are known by a name: each is in a module of its own, which is all that is known of it. */
#ifndef STACKS_WRITER_H
#define STACKS_WRITER_H

#include "model/symbols.h"
#include "trace_writer.h"

/* A trace with a site for each stack, with names from the outermost on, as "main run put"; the n-th, counted
   from 1, has 10^(n-1) blocks of a byte, all live.  A name with "!" before it is another call of that one.
   The trace is read into *trace. */
void stacks_write(struct trace *trace, const char *const *stacks, size_t count);

#endif
