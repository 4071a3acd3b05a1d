// SPDX-License-Identifier: MIT
#include "model/metric.h"

const char *const metric_names[METRICS] = {
    [METRIC_PEAK] = "peak",           [METRIC_CURRENT] = "current",
    [METRIC_ALLOCATED] = "allocated", [METRIC_ALLOCATIONS] = "allocations",
    [METRIC_TEMPORARY] = "temporary",
};

#define OFFSET(member) offsetof(struct figures, member)

static const struct {
    size_t rank, bytes, blocks;
} offsets[METRICS] = {
    [METRIC_PEAK] = {OFFSET(peak_bytes), OFFSET(peak_bytes), OFFSET(peak_blocks)},
    [METRIC_CURRENT] = {OFFSET(current_bytes), OFFSET(current_bytes), OFFSET(current_blocks)},
    [METRIC_ALLOCATED] = {OFFSET(allocated_bytes), OFFSET(allocated_bytes), OFFSET(allocations)},
    [METRIC_ALLOCATIONS] = {OFFSET(allocations), OFFSET(allocated_bytes), OFFSET(allocations)},
    [METRIC_TEMPORARY] = {OFFSET(temporary), 0, OFFSET(temporary)},
};

static uint64_t at(const struct figures *figures, size_t offset)
{
    return *(const uint64_t *)((const char *)figures + offset);
}

uint64_t metric_of(const struct figures *figures, enum metric metric)
{
    return at(figures, offsets[metric].rank);
}

uint64_t metric_bytes(const struct figures *figures, enum metric metric)
{
    return metric == METRIC_TEMPORARY ? 0 : at(figures, offsets[metric].bytes);
}

uint64_t metric_blocks(const struct figures *figures, enum metric metric)
{
    return at(figures, offsets[metric].blocks);
}
