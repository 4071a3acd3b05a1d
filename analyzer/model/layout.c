// SPDX-License-Identifier: MIT
#include "model/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK          (UINT64_C(64) << 10)
#define LONGEST_STRING 65536

void layout_note(struct layout *layout, const char *format, ...)
{
    struct failure why;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why.text, sizeof(why.text), format, arguments);
    va_end(arguments);
    size_t kept = layout->problem_count < LAYOUT_PROBLEMS ? layout->problem_count : LAYOUT_PROBLEMS;
    for (size_t i = 0; i < kept; i++)
        if (strcmp(layout->problems[i].text, why.text) == 0)
            return;
    if (kept < LAYOUT_PROBLEMS)
        layout->problems[kept] = why;
    layout->problem_count++;
}

static uint64_t file_size(const struct layout *layout)
{
    return (uint64_t)layout->file.stat.st_size;
}

/* The counts are read before `used`: what a running program adds meanwhile is not looked at. */
static bool read_header(struct layout *layout, struct failure *why)
{
    struct trace_header *header = &layout->header;
    size_t size = file_size(layout) < sizeof(*header) ? (size_t)file_size(layout) : sizeof(*header);
    if (!size)
        return failure_set(why, "is empty");
    if (!file_read(&layout->file, 0, header, size, why))
        return false;
    if (memcmp(header->magic, TRACE_MAGIC, size < sizeof(header->magic) ? size : sizeof(header->magic)) != 0)
        return failure_set(why, "not a trace file");
    layout->header_there = size;
    return size < sizeof(*header) ||
           file_read(&layout->file, offsetof(struct trace_header, used), &header->used, sizeof(header->used),
                     why);
}

/* --- the chain ------------------------------------------------------------------------------------- */

static bool is_plausible(const struct layout *layout, const struct trace_section *raw, uint64_t offset,
                         uint64_t end)
{
    static const uint64_t zero[sizeof(raw->reserved) / sizeof(raw->reserved[0])];
    struct section section;
    struct failure why;
    return section_is_known(raw->type) && raw->record_size &&
           memcmp(raw->reserved, zero, sizeof(zero)) == 0 &&
           section_read(&section, &layout->file, offset, end, &why) && section_check(&section, &why);
}

/* Behind a damaged section: where something stands again that looks like one, or `end`. */
static uint64_t find_section(const struct layout *layout, uint64_t offset, uint64_t end)
{
    struct trace_section *chunk = memory_get(1, CHUNK);
    uint64_t last = end < file_size(layout) ? end : file_size(layout), found = end;
    struct failure why;
    while (found == end && offset < last) {
        offset = file_next_data(&layout->file, offset, last) / TRACE_ALIGN * TRACE_ALIGN;
        uint64_t count = (last - offset < CHUNK ? last - offset : CHUNK) / sizeof(*chunk);
        if (!count || !file_read(&layout->file, offset, chunk, count * sizeof(*chunk), &why))
            break;
        for (uint64_t i = 0; i < count && found == end; i++)
            if (is_plausible(layout, &chunk[i], offset + i * sizeof(*chunk), end))
                found = offset + i * sizeof(*chunk);
        offset += count * sizeof(*chunk);
    }
    free(chunk);
    return found;
}

static uint64_t chain_start(const struct trace_header *header)
{
    bool possible = header->header_size >= sizeof(*header) && header->header_size % TRACE_ALIGN == 0 &&
                    header->header_size <= header->used;
    return possible ? header->header_size : sizeof(*header);
}

static void read_chain(struct layout *layout)
{
    const struct trace_header *header = &layout->header;
    struct section section;
    struct failure why;
    size_t capacity = 0;
    uint64_t offset = chain_start(header), end = header->used > offset ? header->used : file_size(layout);
    while (offset < end) {
        if (!section_read(&section, &layout->file, offset, end, &why)) {
            layout_note(layout, "%s", why.text);
            offset = find_section(layout, offset + TRACE_ALIGN, end);
            continue;
        }
        if (!section_check(&section, &why))
            layout_note(layout, "%s", why.text);
        struct sections *sections = &layout->sections;
        sections->all = memory_grow(sections->all, sections->count, &capacity, sizeof(section));
        sections->all[sections->count++] = section;
        offset = section_end(&section);
    }
}

bool layout_open(struct layout *layout, const char *path, struct failure *why)
{
    *layout = (struct layout){0};
    if (!file_open(&layout->file, path, why))
        return false;
    if (!read_header(layout, why)) {
        file_close(&layout->file);
        return false;
    }
    read_chain(layout);
    return true;
}

void layout_close(struct layout *layout)
{
    sections_free(&layout->sections);
    file_close(&layout->file);
}

/* --- records --------------------------------------------------------------------------------------- */

struct section layout_present(const struct layout *layout, const struct section *section)
{
    struct section present = *section;
    uint64_t end = file_size(layout), there = section->data < end ? end - section->data : 0;
    if (present.length > there)
        present.length = there;
    uint64_t room = present.record_size ? present.length / present.record_size : 0;
    if (present.capacity > room)
        present.capacity = (uint32_t)room;
    return present;
}

uint64_t layout_count(const struct layout *layout, uint32_t type)
{
    const struct trace_header *header = &layout->header;
    switch (type) {
    case TRACE_MODULES:
        return header->module_count;
    case TRACE_FRAMES:
        return header->frame_count;
    case TRACE_NODES:
        return header->node_count;
    case TRACE_SITES:
    case TRACE_COUNTERS:
    case TRACE_INHERITED:
    case TRACE_SNAPSHOT_SITES:
        return header->site_count;
    case TRACE_SPILLS:
        return header->spill_count;
    case TRACE_TIMELINE:
        return header->point_count;
    case TRACE_SNAPSHOTS:
        return header->snapshot_count;
    case TRACE_CONTROL:
        return header->control != 0;
    case TRACE_MARKS:
        return header->mark_count;
    default:
        return 0;
    }
}

uint64_t layout_first(uint32_t type)
{
    bool from_zero = type == TRACE_SPILLS || type == TRACE_TIMELINE || type == TRACE_SNAPSHOTS;
    return from_zero ? 0 : type == TRACE_NODES ? TRACE_NODE_FIRST : 1;
}

uint64_t layout_used(const struct layout *layout, const struct section *section)
{
    uint64_t from = layout_first(section->type), to = layout_count(layout, section->type), end;
    if (__builtin_add_overflow(section->first, section->capacity, &end))
        end = UINT64_MAX;
    if (from < section->first)
        from = section->first;
    if (to > end)
        to = end;
    return to > from ? to - from : 0;
}

/* --- strings --------------------------------------------------------------------------------------- */

/* Sections are in the order of the file. */
static const struct section *strings_around(const struct layout *layout, uint64_t offset)
{
    size_t low = 0, high = layout->sections.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (layout->sections.all[middle].data <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    const struct section *section = low ? &layout->sections.all[low - 1] : NULL;
    return section && section->type == TRACE_STRINGS && offset < section_end(section) ? section : NULL;
}

/* What is read at first: most are shorter. */
#define SHORT_STRING 256

char *layout_string(const struct layout *layout, uint64_t offset)
{
    const struct section *around = strings_around(layout, offset);
    if (!around)
        return NULL;
    struct section there = layout_present(layout, around);
    uint64_t room = section_end(&there) > offset ? section_end(&there) - offset : 0;
    struct failure why;
    if (room > LONGEST_STRING)
        room = LONGEST_STRING;
    for (uint64_t size = room < SHORT_STRING ? room : SHORT_STRING;; size = room) {
        char *string = memory_get(1, size);
        if (file_read(&layout->file, offset, string, size, &why) && memchr(string, 0, size))
            return string;
        free(string);
        if (size == room)
            return NULL;
    }
}

uint64_t layout_next_string(const struct layout *layout, const struct section *section, uint64_t offset)
{
    struct section there = layout_present(layout, section);
    uint64_t end = section_end(&there), found = 0;
    char *chunk = memory_get(1, CHUNK);
    struct failure why;
    while (!found && offset < end) {
        offset = file_next_data(&layout->file, offset, end);
        uint64_t size = end - offset < CHUNK ? end - offset : CHUNK, i = 0;
        if (!size || !file_read(&layout->file, offset, chunk, size, &why))
            break;
        while (i < size && !chunk[i])
            i++;
        if (i < size)
            found = offset + i;
        offset += size;
    }
    free(chunk);
    return found;
}
