// SPDX-License-Identifier: MIT
#include "model/strings.h"

#include <stdlib.h>
#include <string.h>

/* Bounds the time that overlapping or unended strings can take. */
#define LONGEST 65536

bool strings_read(struct trace *trace, const struct sections *sections, struct file *file,
                  struct failure *why)
{
    size_t capacity = 0;
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = &sections->all[i];
        if (section->type != TRACE_STRINGS || !section->length)
            continue;
        struct string_area area = {section->data, section->length, NULL};
        area.bytes = file_memory(file, area.size, 1, why);
        if (!area.bytes)
            return false;
        trace->strings = memory_grow(trace->strings, trace->string_areas, &capacity, sizeof(area));
        trace->strings[trace->string_areas++] = area;
        if (!file_read(file, area.offset, area.bytes, area.size, why))
            return false;
    }
    return true;
}

void strings_free(struct trace *trace)
{
    for (size_t i = 0; i < trace->string_areas; i++)
        free(trace->strings[i].bytes);
    free(trace->strings);
    free(trace->command);
}

/* From `offset` to the end of its area: *size bytes, or null. */
static const char *at(const struct trace *trace, uint64_t offset, uint64_t *size)
{
    size_t low = 0, high = trace->string_areas;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct string_area *area = &trace->strings[middle];
        if (offset < area->offset) {
            high = middle;
        } else if (offset - area->offset >= area->size) {
            low = middle + 1;
        } else {
            *size = area->size - (offset - area->offset);
            return area->bytes + (offset - area->offset);
        }
    }
    return NULL;
}

bool strings_get(const struct trace *trace, uint64_t offset, const char **string, struct failure *why)
{
    uint64_t size;
    *string = NULL;
    if (!offset)
        return true;
    const char *found = at(trace, offset, &size);
    if (!found || !memchr(found, 0, size < LONGEST ? size : LONGEST))
        return failure_set(why, "is damaged: no string at byte %llu", (unsigned long long)offset);
    *string = found;
    return true;
}

/* Each argument is ended by a zero; one that was cut off has its zero behind the size. */
bool strings_command(struct trace *trace, uint64_t offset, uint64_t size, struct failure *why)
{
    uint64_t there;
    if (!offset || !size)
        return true;
    const char *found = at(trace, offset, &there);
    if (!found || size > there || size > LONGEST || (found[size - 1] && (size == there || found[size])))
        return failure_set(why, "is damaged: the command is not where it should be");
    size_t capacity = 0;
    for (const char *end = found + size; found < end; found += strlen(found) + 1) {
        trace->command = memory_grow(trace->command, trace->command_count, &capacity, sizeof(char *));
        trace->command[trace->command_count++] = found;
    }
    return true;
}
