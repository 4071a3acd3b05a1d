// SPDX-License-Identifier: MIT
#include "records.h"
#include "arena.h"

void *records_room(struct records *table)
{
    uint32_t number = table->count;
    if (number >= table->max)
        return NULL;
    char **section = &table->sections[number / table->per_section];
    if (!*section) {
        struct trace_section *made =
            file_section(table->type, table->size, table->per_section, number - number % table->per_section, 0);
        if (!made)
            return NULL;
        *section = (char *)(made + 1);
    }
    return record_at(table, number);
}

uint32_t records_done(struct records *table, uint32_t *header_count)
{
    uint32_t number = table->count++;
    __atomic_store_n(header_count, table->count, __ATOMIC_RELEASE);
    return number;
}

bool records_start(struct records *table, uint32_t first, uint32_t *header_count)
{
#ifdef TEST_RECORDS_MAX
    static const uint32_t small[] = TEST_RECORDS_MAX;   /* by type: for tests that see tables full */
    table->max = small[table->type];
#endif
    table->sections = arena_reserve(table->max / table->per_section * sizeof *table->sections);
    if (!table->sections || !records_room(table))
        return false;
    *header_count = table->count = first;
    return true;
}
