// SPDX-License-Identifier: MIT
/* What was live when, as it is seen while a program runs: bounded, and so the coarser the longer it takes. */
#ifndef MODEL_HISTORY_H
#define MODEL_HISTORY_H

#include "model/trace.h"

#define HISTORY_UNKNOWN UINT64_MAX

struct history {
    struct point *points; /* by time */
    size_t count, capacity;
    uint64_t step; /* points are at least so far apart, in ns */
};

void history_free(struct history *history);

/* Adds a moment; of those that come too close to each other the one with more is kept.  A moment before the
   last one is left out. */
void history_add(struct history *history, const struct point *point);

/*
 * Divides the time from ... to into `count` parts, and gives for each its largest current and resident bytes:
 * where there is no moment, those of the last before; HISTORY_UNKNOWN where there was none, or after the
 * last one.
 */
void history_parts(const struct history *history, uint64_t from, uint64_t to, size_t count, uint64_t *current,
                   uint64_t *resident);

#endif
