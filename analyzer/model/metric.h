// SPDX-License-Identifier: MIT
/* What sites can be ranked by. */
#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include "model/trace.h"

enum metric { METRIC_PEAK, METRIC_CURRENT, METRIC_ALLOCATED, METRIC_ALLOCATIONS, METRIC_TEMPORARY, METRICS };

extern const char *const metric_names[METRICS];

uint64_t metric_of(const struct figures *figures, enum metric metric);

/* The bytes and blocks of which the metric speaks; no bytes are known of temporary blocks: 0. */
uint64_t metric_bytes(const struct figures *figures, enum metric metric);
uint64_t metric_blocks(const struct figures *figures, enum metric metric);

#endif
