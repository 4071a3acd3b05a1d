// SPDX-License-Identifier: MIT
/* From the shards' counters to the figures of sites and the totals. */
#ifndef MODEL_FIGURES_H
#define MODEL_FIGURES_H

#include "model/sections.h"
#include "model/trace.h"

/* Fills in trace->sites[].figures, trace->totals and trace->truncated_allocations. */
bool figures_read(struct trace *trace, const struct sections *sections, struct file *file,
                  struct failure *why);

#endif
