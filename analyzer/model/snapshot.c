// SPDX-License-Identifier: MIT
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/figures.h"

struct reading {
    struct snapshot *snapshots;
    size_t count;
    const struct trace_header *header;
    const struct section *section;
};

static char *copy_label(const char *label, size_t size)
{
    return *label ? strndup(label, size) : NULL;
}

static uint32_t at_most(uint32_t number, uint32_t most)
{
    return number < most ? number : most;
}

static void add_snapshot(uint64_t place, const void *record, void *context)
{
    struct reading *reading = context;
    const struct trace_snapshot *raw = record;
    const struct trace_header *header = reading->header;
    const struct section *section = reading->section;
    if (!raw->number)
        return;
    reading->snapshots[reading->count++] = (struct snapshot){
        .label = copy_label(raw->label, sizeof(raw->label)),
        .number = raw->number,
        .ns = raw->ns > header->started_ns ? raw->ns - header->started_ns : 0,
        .reason = raw->reason,
        .blurred = raw->flags & TRACE_SNAPSHOT_BLURRED,
        .current_bytes = raw->current_bytes,
        .blocks = raw->blocks,
        .asked_bytes = raw->asked_bytes,
        .place = (uint32_t)place,
        .site_count = at_most(raw->site_count, header->site_count),
        .spill_count = at_most(raw->spill_count, header->spill_count),
        .at = section->data + (place - section->first) * section->record_size +
              offsetof(struct trace_snapshot, number),
    };
}

static bool read_number(const struct snapshot *snapshot, const struct file *file, uint64_t *number,
                        struct failure *why)
{
    return file_read(file, snapshot->at, number, sizeof(*number), why);
}

bool snapshot_is_there(const struct snapshot *snapshot, const struct file *file, struct failure *why)
{
    uint64_t number;
    if (!read_number(snapshot, file, &number, why))
        return false;
    return number == snapshot->number || failure_set(why, "the program has dropped that snapshot meanwhile");
}

/* One whose place got another while it was read may be half of each. */
static bool drop_replaced(struct trace *trace, const struct file *file, struct failure *why)
{
    size_t kept = 0;
    bool fine = true;
    for (size_t i = 0; i < trace->snapshot_count; i++) {
        struct snapshot *snapshot = &trace->snapshots[i];
        uint64_t number = 0;
        fine = fine && read_number(snapshot, file, &number, why);
        if (number == snapshot->number)
            trace->snapshots[kept++] = *snapshot;
        else
            free((char *)snapshot->label);
    }
    trace->snapshot_count = kept;
    return fine;
}

static int by_number(const void *a, const void *b)
{
    const struct snapshot *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

bool snapshots_read(struct trace *trace, struct reader *reader, struct failure *why)
{
    const struct sections *sections = &reader->sections;
    uint32_t count = trace->header.snapshot_count;
    uint64_t room = sections_capacity(sections, TRACE_SNAPSHOTS, count);
    struct reading reading = {.header = &trace->header};
    /* The labels, too. */
    if (!file_charge(&reader->file, room, sizeof(((struct trace_snapshot *)0)->label), why))
        return false;
    reading.snapshots = trace->snapshots = file_memory(&reader->file, room, sizeof(struct snapshot), why);
    bool fine = reading.snapshots;
    for (size_t i = 0; fine && i < sections->count; i++) {
        reading.section = &sections->all[i];
        if (reading.section->type == TRACE_SNAPSHOTS)
            fine = section_visit(reading.section, &reader->file, count, add_snapshot, &reading, why);
    }
    trace->snapshot_count = reading.count;
    fine = fine && drop_replaced(trace, &reader->file, why);
    if (fine)
        qsort(trace->snapshots, trace->snapshot_count, sizeof(*trace->snapshots), by_number);
    return fine;
}

void snapshots_free(struct trace *trace)
{
    for (size_t i = 0; i < trace->snapshot_count; i++)
        free((char *)trace->snapshots[i].label);
    free(trace->snapshots);
}

/* --- looking for one ------------------------------------------------------------------------------------ */

static bool find_label(const struct trace *trace, const char *label, size_t *index)
{
    for (size_t i = trace->snapshot_count; i-- > 0;)
        if (trace->snapshots[i].label && strcmp(trace->snapshots[i].label, label) == 0) {
            *index = i;
            return true;
        }
    return false;
}

static bool find_number(const struct trace *trace, uint64_t number, size_t *index)
{
    for (size_t i = 0; i < trace->snapshot_count; i++)
        if (trace->snapshots[i].number == number) {
            *index = i;
            return true;
        }
    return false;
}

bool trace_find_snapshot(const struct trace *trace, const char *name, size_t *index)
{
    if (find_label(trace, name, index))
        return true;
    bool from_the_end = *name == '-';
    const char *digits = name + from_the_end;
    char *end;
    errno = 0;
    uint64_t number = strtoull(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end || errno || !number)
        return false;
    if (!from_the_end)
        return find_number(trace, number, index);
    *index = trace->snapshot_count - number;
    return number <= trace->snapshot_count;
}

/* --- its figures ---------------------------------------------------------------------------------------- */

bool trace_at_snapshot(struct trace *trace, size_t index, struct failure *why)
{
    if (index >= trace->snapshot_count)
        return failure_set(why, "there is no such snapshot");
    const struct snapshot *snapshot = &trace->snapshots[index];
    if (!figures_read_snapshot(trace, snapshot, trace->reader, why))
        return false;
    trace->at = snapshot;
    return true;
}

bool trace_at_latest(struct trace *trace, struct failure *why)
{
    if (!figures_read(trace, trace->reader, why))
        return false;
    trace->at = NULL;
    return true;
}

const char *snapshot_reason(const struct snapshot *snapshot)
{
    static const char *const names[] = {
        [TRACE_SNAPSHOT_ASKED] = "asked for",      [TRACE_SNAPSHOT_INTERVAL] = "interval",
        [TRACE_SNAPSHOT_GROWTH] = "growth",        [TRACE_SNAPSHOT_SIZE] = "size",
        [TRACE_SNAPSHOT_FAILED] = "out of memory",
    };
    uint32_t reason = snapshot->reason;
    return reason && reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}
