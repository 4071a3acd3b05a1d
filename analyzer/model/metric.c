// SPDX-License-Identifier: MIT
#include "model/metric.h"

const char *const metric_names[METRICS] = {
    [METRIC_PEAK] = "peak",           [METRIC_CURRENT] = "current",
    [METRIC_ALLOCATED] = "allocated", [METRIC_ALLOCATIONS] = "allocations",
    [METRIC_TEMPORARY] = "temporary",
};

static const size_t offsets[METRICS] = {
    [METRIC_PEAK] = offsetof(struct figures, peak_bytes),
    [METRIC_CURRENT] = offsetof(struct figures, current_bytes),
    [METRIC_ALLOCATED] = offsetof(struct figures, allocated_bytes),
    [METRIC_ALLOCATIONS] = offsetof(struct figures, allocations),
    [METRIC_TEMPORARY] = offsetof(struct figures, temporary),
};

uint64_t metric_of(const struct figures *figures, enum metric metric)
{
    return *(const uint64_t *)((const char *)figures + offsets[metric]);
}
