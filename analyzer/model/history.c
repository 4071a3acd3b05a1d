// SPDX-License-Identifier: MIT
#include "model/history.h"

#include <stdlib.h>

#define MOST 4096 /* points */

void history_free(struct history *history)
{
    free(history->points);
    *history = (struct history){0};
}

static void merge(struct point *kept, const struct point *point)
{
    if (point->current_bytes >= kept->current_bytes) {
        kept->current_bytes = point->current_bytes;
        kept->blocks = point->blocks;
    }
    if (point->resident_bytes > kept->resident_bytes)
        kept->resident_bytes = point->resident_bytes;
}

/* Every two become one. */
static void thin(struct history *history)
{
    size_t kept = history->count / 2;
    for (size_t i = 0; i < kept; i++) {
        history->points[i] = history->points[2 * i];
        merge(&history->points[i], &history->points[2 * i + 1]);
    }
    history->count = kept;
    history->step = (history->points[kept - 1].ns - history->points[0].ns) / kept;
}

void history_add(struct history *history, const struct point *point)
{
    struct point *last = history->count ? &history->points[history->count - 1] : NULL;
    if (last && point->ns < last->ns)
        return;
    if (last && point->ns - last->ns < history->step) {
        merge(last, point);
        return;
    }
    if (history->count == MOST)
        thin(history);
    history->points = memory_grow(history->points, history->count, &history->capacity, sizeof(*point));
    history->points[history->count++] = *point;
}

static void raise(uint64_t *largest, uint64_t value)
{
    if (*largest == HISTORY_UNKNOWN || value > *largest)
        *largest = value;
}

void history_parts(const struct history *history, uint64_t from, uint64_t to, size_t count, uint64_t *current,
                   uint64_t *resident)
{
    uint64_t last_current = HISTORY_UNKNOWN, last_resident = HISTORY_UNKNOWN;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = from + (uint64_t)((double)(to - from) / (double)count * (double)(i + 1));
        current[i] = last_current;
        resident[i] = last_resident;
        if (i + 1 == count)
            end = to;
        bool over = at == history->count;
        for (; at < history->count && history->points[at].ns <= end; at++) {
            const struct point *point = &history->points[at];
            last_current = point->current_bytes;
            if (point->resident_bytes)
                last_resident = point->resident_bytes;
            if (point->ns < from)
                current[i] = resident[i] = HISTORY_UNKNOWN;
            raise(&current[i], last_current);
            if (last_resident != HISTORY_UNKNOWN)
                raise(&resident[i], last_resident);
        }
        if (over)
            current[i] = resident[i] = HISTORY_UNKNOWN;
    }
}
