// SPDX-License-Identifier: MIT
/*
 * What a row of the file is kept as.  Each representation is the C counterpart of one of Python's
 * record types, in a file of its own, and they share nothing but this table of functions: the same
 * rows go in, the same rides come out, and only the memory between differs.
 *
 * Strings are copies in blocks of exactly their size, one for every occurrence, unless the
 * representation is about sharing them.
 */
#ifndef DEMO_REPRESENTATION_H
#define DEMO_REPRESENTATION_H

#include "ridership.h"
#include <stdbool.h>
#include <stdint.h>

/* What the aggregation wants of a row.  The route stays the table's. */
struct ride {
    const char *route;
    uint64_t rides;
};

enum { ROW_BLOCKS_MAX = 16 };

struct representation {
    const char *name;
    const char *summary;

    /* An empty table, or null: out of memory.  The source is for one that keeps no rows. */
    void *(*create)(struct source *source);

    /* Keeps a row; false: out of memory, the table can still be destroyed.  Null: no rows are kept. */
    bool (*add)(void *table, const struct row *row);

    /* The next row, beginning with the first; false at the end. */
    bool (*next)(void *table, struct ride *ride);

    /* The blocks that the first row has for itself alone, the record first; returns how many, 0 without
       rows.  Null: a row has no record. */
    size_t (*blocks)(void *table, const void *block[ROW_BLOCKS_MAX]);

    void (*destroy)(void *table);
};

/* The first is the default; null ends the list. */
extern const struct representation *const representations[];

/* By name, or null. */
const struct representation *representation_find(const char *name);

/* Reads all rows of the source into the table; false: the source has failed. */
bool representation_load(const struct representation *as, void *table, struct source *source);

extern const struct representation dict_representation;
extern const struct representation list_representation;
extern const struct representation tuple_representation;
extern const struct representation instance_representation;
extern const struct representation namedtuple_representation;
extern const struct representation slots_representation;
extern const struct representation float_representation;
extern const struct representation cached_representation;
extern const struct representation columns_representation;
extern const struct representation stream_representation;

#endif
