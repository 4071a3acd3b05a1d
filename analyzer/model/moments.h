// SPDX-License-Identifier: MIT
/* The moments at which a trace's figures are known: the latest, and the snapshots. */
#ifndef MODEL_MOMENTS_H
#define MODEL_MOMENTS_H

#include "model/trace.h"

#define MOMENT_LATEST SIZE_MAX

struct moment {
    struct trace *trace;
    const uint32_t *nodes; /* of its sites in a call tree, as from calltree_add */
    size_t snapshot;       /* index of a snapshot, or MOMENT_LATEST */
};

/* The snapshot of a moment; null: it is none. */
const struct snapshot *moment_snapshot(const struct moment *moment);

/* The moment whose figures a trace has now. */
size_t moment_of(const struct trace *trace);

/* Makes the figures of its trace those of a moment. */
bool moment_go_to(const struct moment *moment, struct failure *why);

/* The number of a moment's snapshot; 0: it is none. */
uint64_t moment_number(const struct moment *moment);

/* All moments of a trace, the latest first, to be freed; of the snapshots at most `most`, left out evenly,
   but always those of the `wanted_count` numbers. */
struct moment *moments_of(struct trace *trace, const uint32_t *nodes, size_t most, const uint64_t *wanted,
                          size_t wanted_count, size_t *count);

#endif
