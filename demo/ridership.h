// SPDX-License-Identifier: MIT
/*
 * The rows of a bus-ridership file: CSV with the header `route,date,daytype,rides`.
 *
 * A source checks every row as it reads it, while file and line are known: four fields, and rides a
 * whole number.  What is wrong goes to stderr as `demo: FILE:LINE: what`, once, and sets `failed`.
 */
#ifndef DEMO_RIDERSHIP_H
#define DEMO_RIDERSHIP_H

#include "csv.h"
#include <stdbool.h>
#include <stdint.h>

enum field { ROUTE, DATE, DAYTYPE, RIDES, FIELDS };

extern const char *const field_names[FIELDS];

/* The largest ride count of a row.  Some representations keep rides as a double, as Python's float;
   up to here a double is exact, so that all of them give the same sums. */
#define RIDES_MAX (UINT64_C(1) << 53)

struct row {
    const char *text[FIELDS];
    uint64_t rides;
};

struct source {
    const char *name;
    FILE *file;
    struct csv csv;
    bool failed;
};

/* Opens the file and reads its header; false: it failed, and source_close is still to be called. */
bool source_open(struct source *source, const char *path);

/* The same for a file that is open already; source_close closes it. */
bool source_start(struct source *source, const char *name, FILE *file);

/* The next row, valid until the next call; false at the end and after a failure. */
bool source_next(struct source *source, struct row *row);

/* Reports a failure at the row that was read last. */
__attribute__((format(printf, 2, 3))) void source_fail(struct source *source, const char *format, ...);

void source_close(struct source *source);

/* Only digits, at least one, at most RIDES_MAX. */
bool rides_parse(const char *text, uint64_t *rides);

/* Text from a file for a terminal: what is not printable ASCII as \xNN, and at most `most` bytes. */
void put_escaped(FILE *out, const char *text, size_t most);

#endif
