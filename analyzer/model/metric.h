// SPDX-License-Identifier: MIT
/* What sites can be ranked by. */
#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include "model/trace.h"

enum metric { METRIC_PEAK, METRIC_CURRENT, METRIC_ALLOCATED, METRIC_ALLOCATIONS, METRIC_TEMPORARY, METRICS };

extern const char *const metric_names[METRICS];

uint64_t metric_of(const struct figures *figures, enum metric metric);

#endif
