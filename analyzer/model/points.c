// SPDX-License-Identifier: MIT
#include "model/points.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 4 /* while a running program moves its points */

struct reading {
    struct point *points;
    size_t count;
    uint64_t started_ns;
};

static void add_point(uint64_t number, const void *record, void *context)
{
    (void)number;
    struct reading *reading = context;
    const struct trace_point *point = record;
    if (point->ns < reading->started_ns || !point->ns)
        return;
    reading->points[reading->count++] = (struct point){.ns = point->ns - reading->started_ns,
                                                       .current_bytes = point->current_bytes,
                                                       .blocks = point->blocks,
                                                       .resident_bytes = point->resident_bytes};
}

static bool read_changes(const struct file *file, uint32_t *changes, struct failure *why)
{
    return file_read(file, offsetof(struct trace_header, point_changes), changes, sizeof(*changes), why);
}

static bool visit_points(struct reading *reading, const struct reader *reader, uint32_t count,
                         struct failure *why)
{
    const struct sections *sections = &reader->sections;
    reading->count = 0;
    for (size_t i = 0; i < sections->count; i++)
        if (sections->all[i].type == TRACE_TIMELINE &&
            !section_visit(&sections->all[i], &reader->file, count, add_point, reading, why))
            return false;
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* What was moved when the program was killed is there twice. */
static void put_in_order(struct reading *reading)
{
    size_t kept = 0;
    qsort(reading->points, reading->count, sizeof(*reading->points), by_time);
    for (size_t i = 0; i < reading->count; i++)
        if (!kept || reading->points[i].ns != reading->points[kept - 1].ns)
            reading->points[kept++] = reading->points[i];
    reading->count = kept;
}

bool points_read(struct trace *trace, struct reader *reader, struct failure *why)
{
    uint32_t count = trace->header.point_count, before, after;
    uint64_t room = sections_capacity(&reader->sections, TRACE_TIMELINE, count);
    struct reading reading = {.started_ns = trace->header.started_ns};
    reading.points = trace->points = file_memory(&reader->file, room, sizeof(*reading.points), why);
    bool fine = reading.points && read_changes(&reader->file, &after, why);
    for (int try = 0; fine && try < TRIES; try++) {
        before = after;
        fine = visit_points(&reading, reader, count, why) && read_changes(&reader->file, &after, why);
        if (before == after && before % 2 == 0)
            break;
    }
    if (!fine)
        return false;
    put_in_order(&reading);
    trace->point_count = reading.count;
    return true;
}
