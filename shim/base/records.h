// SPDX-License-Identifier: MIT
/*
 * A table of the file: where its sections are in memory, and how many records it has.
 *
 * Records stand by number and only ever grow.  The count in the header is a copy: after a fork the parent goes on
 * counting there until the child has its own file.  Under world.tables, save record_at of a record that is known
 * to be there.
 */
#ifndef BASE_RECORDS_H
#define BASE_RECORDS_H

#include "file.h"

struct records {
    enum trace_section_type type;
    uint32_t size, per_section, max;
    uint32_t count;
    char **sections;
};

/* The first `first` numbers are no records.  False: no memory. */
bool records_start(struct records *table, uint32_t first, uint32_t *header_count);

/* Room for the next record; null when there is none. */
void *records_room(struct records *table);

/* The next record is complete; returns its number. */
uint32_t records_done(struct records *table, uint32_t *header_count);

static inline void *record_at(const struct records *table, uint32_t number)
{
    return table->sections[number / table->per_section] + (size_t)(number % table->per_section) * table->size;
}

#endif
