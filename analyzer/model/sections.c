// SPDX-License-Identifier: MIT
#include "model/sections.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK          (UINT64_C(64) << 10)
#define LARGEST_RECORD 4096
#define RECORD_ALIGN   8 /* their sizes are multiples of it, so that all fields are aligned in a chunk */

/* What a record of a type must at least be to hold what this reader wants of it. */
static const struct kind {
    uint32_t record_size;
    const char *name;
} kinds[] = {
    [TRACE_STRINGS] = {0, "strings"},
    [TRACE_MODULES] = {sizeof(struct trace_module), "modules"},
    [TRACE_FRAMES] = {sizeof(struct trace_frame), "frames"},
    [TRACE_NODES] = {sizeof(struct trace_node), "call paths"},
    [TRACE_SITES] = {sizeof(struct trace_site), "sites"},
    [TRACE_COUNTERS] = {sizeof(struct trace_counter), "counters"},
    [TRACE_INHERITED] = {sizeof(struct trace_inherited), "inherited figures"},
    [TRACE_SPILLS] = {sizeof(struct trace_spill), "spills"},
    [TRACE_TIMELINE] = {sizeof(struct trace_point), "points"},
    [TRACE_SNAPSHOTS] = {sizeof(struct trace_snapshot), "snapshots"},
    [TRACE_SNAPSHOT_SITES] = {sizeof(struct trace_snapshot_site), "sites of snapshots"},
    [TRACE_CONTROL] = {sizeof(struct trace_control), "words of control"},
    [TRACE_MARKS] = {sizeof(struct trace_mark), "marks"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool section_is_known(uint32_t type)
{
    return type != 0 && type < KINDS;
}

bool section_check(const struct section *section, struct failure *why)
{
    const struct kind *kind = section_is_known(section->type) ? &kinds[section->type] : NULL;
    if (!kind || !kind->record_size)
        return true;
    if (section->record_size < kind->record_size || section->record_size > LARGEST_RECORD ||
        section->record_size % RECORD_ALIGN)
        return failure_set(why, "is damaged: %s of %u bytes", kind->name, section->record_size);
    if ((uint64_t)section->capacity * section->record_size > section->length)
        return failure_set(why, "is damaged: a section has no room for its %s", kind->name);
    if (section->first > UINT32_MAX)
        return failure_set(why, "is damaged: %s with impossible numbers", kind->name);
    return true;
}

bool section_read(struct section *section, const struct file *file, uint64_t offset, uint64_t used,
                  struct failure *why)
{
    struct trace_section raw;
    if (used - offset < sizeof(raw))
        return failure_set(why, "is damaged: a section is cut off at byte %llu", (unsigned long long)offset);
    if (!file_read(file, offset, &raw, sizeof(raw), why))
        return false;
    if (raw.size < sizeof(raw) || raw.size % TRACE_ALIGN || raw.size > used - offset)
        return failure_set(why, "is damaged: a section of impossible size at byte %llu",
                           (unsigned long long)offset);
    bool sharded = raw.type == TRACE_COUNTERS || raw.type == TRACE_SNAPSHOT_SITES;
    *section = (struct section){.type = raw.type,
                                .record_size = raw.record_size,
                                .capacity = raw.capacity,
                                .shard = sharded ? raw.shard : 0,
                                .first = raw.first,
                                .data = offset + sizeof(raw),
                                .length = raw.size - sizeof(raw)};
    return true;
}

uint64_t section_end(const struct section *section)
{
    return section->data + section->length;
}

static int by_number(const void *a, const void *b)
{
    const struct section *x = *(const struct section *const *)a, *y = *(const struct section *const *)b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static bool check_overlap(const struct sections *sections, struct failure *why)
{
    const struct section **sorted = memory_get(sections->count, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; i < sections->count; i++)
        if (kinds[sections->all[i].type].record_size)
            sorted[count++] = &sections->all[i];
    qsort(sorted, count, sizeof(*sorted), by_number);
    bool fine = true;
    for (size_t i = 1; i < count && fine; i++) {
        const struct section *a = sorted[i - 1], *b = sorted[i];
        if (a->type == b->type && a->shard == b->shard && b->first < a->first + a->capacity)
            fine = failure_set(why, "is damaged: two sections hold the same %s", kinds[a->type].name);
    }
    free(sorted);
    return fine;
}

static bool read_chain(struct sections *sections, const struct file *file, uint64_t from, uint64_t used,
                       struct failure *why)
{
    struct section section;
    for (uint64_t offset = from; offset < used; offset = section_end(&section)) {
        if (!section_read(&section, file, offset, used, why) || !section_check(&section, why))
            return false;
        if (!section_is_known(section.type))
            continue;
        sections->all = memory_grow(sections->all, sections->count, &sections->capacity, sizeof(section));
        sections->all[sections->count++] = section;
    }
    return true;
}

bool sections_read(struct sections *sections, const struct file *file, const struct trace_header *header,
                   struct failure *why)
{
    *sections = (struct sections){0};
    if (sections_extend(sections, file, header, header->header_size, why))
        return true;
    sections_free(sections);
    return false;
}

bool sections_extend(struct sections *sections, const struct file *file, const struct trace_header *header,
                     uint64_t from, struct failure *why)
{
    return read_chain(sections, file, from, header->used, why) && check_overlap(sections, why);
}

void sections_free(struct sections *sections)
{
    free(sections->all);
    *sections = (struct sections){0};
}

bool section_visit(const struct section *section, const struct file *file, uint64_t count,
                   record_visitor *visit, void *context, struct failure *why)
{
    uint64_t size = section->record_size, number = 0, last = section->capacity;
    if (section->first >= count)
        return true;
    if (last > count - section->first)
        last = count - section->first;
    char *chunk = memory_get(1, CHUNK);
    bool fine = true;
    while (fine && number < last) {
        uint64_t data = file_next_data(file, section->data + number * size, section->data + last * size);
        number = (data - section->data) / size;
        uint64_t records = CHUNK / size < last - number ? CHUNK / size : last - number;
        fine = file_read(file, section->data + number * size, chunk, records * size, why);
        for (uint64_t i = 0; fine && i < records; i++)
            visit(section->first + number + i, chunk + i * size, context);
        number += records;
    }
    free(chunk);
    return fine;
}

struct table {
    char *records;
    size_t record_size;
};

static void copy_record(uint64_t number, const void *record, void *context)
{
    struct table *table = context;
    memcpy(table->records + number * table->record_size, record, table->record_size);
}

/* How many of the records `first` to count - 1 the sections of a type have. */
static uint64_t present(const struct sections *sections, enum trace_section_type type, uint64_t first,
                        uint64_t count)
{
    uint64_t records = 0;
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = &sections->all[i];
        uint64_t from = section->first > first ? section->first : first;
        uint64_t to = section->first + section->capacity;
        if (section->type == type && (to < count ? to : count) > from)
            records += (to < count ? to : count) - from;
    }
    return records;
}

uint64_t sections_capacity(const struct sections *sections, enum trace_section_type type, uint64_t count)
{
    return present(sections, type, 0, count);
}

void *sections_table(const struct sections *sections, struct file *file, enum trace_section_type type,
                     uint32_t count, size_t record_size, struct failure *why)
{
    uint64_t there = present(sections, type, 1, count);
    if (count && there < count - 1u) {
        failure_set(why, "is damaged: it counts %u %s, but has %llu", count - 1u, kinds[type].name,
                    (unsigned long long)there);
        return NULL;
    }
    struct table table = {file_memory(file, count, record_size, why), record_size};
    bool fine = table.records;
    for (size_t i = 0; fine && i < sections->count; i++)
        if (sections->all[i].type == type)
            fine = section_visit(&sections->all[i], file, count, copy_record, &table, why);
    if (fine)
        return table.records;
    free(table.records);
    return NULL;
}
