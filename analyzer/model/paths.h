// SPDX-License-Identifier: MIT
/* The call paths of a trace: whether each is what the format says, and leads to a root. */
#ifndef MODEL_PATHS_H
#define MODEL_PATHS_H

#include "model/trace.h"

/* What is known of each node that was checked. */
struct paths {
    uint8_t *roots;   /* number of the root that it leads to (enum trace_root) */
    uint32_t *depths; /* frames up to there */
};

/* Checks the frames, nodes and sites that the trace has beyond the counts of `known`, which were checked
   before; sites get their `truncated`.  The arrays have room for all nodes. */
bool paths_check(struct paths *paths, struct trace *trace, const struct trace_header *known,
                 struct failure *why);

void paths_free(struct paths *paths);

#endif
