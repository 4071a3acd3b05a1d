// SPDX-License-Identifier: MIT
#include "model/moments.h"

#include <stdlib.h>

const struct snapshot *moment_snapshot(const struct moment *moment)
{
    return moment->snapshot == MOMENT_LATEST ? NULL : &moment->trace->snapshots[moment->snapshot];
}

uint64_t moment_number(const struct moment *moment)
{
    const struct snapshot *snapshot = moment_snapshot(moment);
    return snapshot ? snapshot->number : 0;
}

size_t moment_of(const struct trace *trace)
{
    return trace->at ? (size_t)(trace->at - trace->snapshots) : MOMENT_LATEST;
}

bool moment_go_to(const struct moment *moment, struct failure *why)
{
    if (moment->snapshot == moment_of(moment->trace))
        return true;
    if (moment->snapshot == MOMENT_LATEST)
        return trace_at_latest(moment->trace, why);
    return trace_at_snapshot(moment->trace, moment->snapshot, why);
}

static bool is_wanted(uint64_t number, const uint64_t *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wanted[i] == number)
            return true;
    return false;
}

/* Whether a snapshot is one of `most` out of `all` that lie evenly. */
static bool is_even(size_t snapshot, size_t all, size_t most)
{
    return all <= most || snapshot * most / all != (snapshot + 1) * most / all;
}

struct moment *moments_of(struct trace *trace, const uint32_t *nodes, size_t most, const uint64_t *wanted,
                          size_t wanted_count, size_t *count)
{
    size_t all = trace->snapshot_count;
    struct moment *moments = memory_get(all + 1, sizeof(*moments));
    moments[0] = (struct moment){trace, nodes, MOMENT_LATEST};
    *count = 1;
    for (size_t i = 0; i < all; i++)
        if (is_even(i, all, most) || is_wanted(trace->snapshots[i].number, wanted, wanted_count))
            moments[(*count)++] = (struct moment){trace, nodes, i};
    return moments;
}
