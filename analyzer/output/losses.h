// SPDX-License-Identifier: MIT
/* What makes a trace's figures less than they seem. */
#ifndef OUTPUT_LOSSES_H
#define OUTPUT_LOSSES_H

#include "model/trace.h"

/* Calls `tell` with a sentence for each thing that is so; names in it are as the trace has them.  several: the trace
   is the sum of several. */
void losses_tell(const struct trace *trace, bool several, void (*tell)(const char *sentence, void *context),
                 void *context);

#endif
