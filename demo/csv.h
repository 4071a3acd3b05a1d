// SPDX-License-Identifier: MIT
/*
 * A streaming reader of RFC 4180: one record at a time, in memory that grows to the longest record.
 *
 * Quoted fields may hold commas, doubled quotes and line ends.  Records end at LF, CRLF or the end of
 * the file; blank lines are skipped, as Python's csv.DictReader does.  Everything else is refused, so
 * that a damaged file is never taken for another table: a quote inside a plain field, text after a
 * closing quote, a quote that nothing closes, a lone CR, and a NUL byte, since fields are C strings.
 */
#ifndef DEMO_CSV_H
#define DEMO_CSV_H

#include <stddef.h>
#include <stdio.h>

enum csv_status { CSV_FAILED = -1, CSV_END = 0, CSV_RECORD = 1 };

struct csv {
    FILE *in;
    unsigned long line;      /* where the last record began, or where the file is at fault */
    unsigned long next_line; /* of the next byte */
    const char *error;       /* what is wrong, after CSV_FAILED */
    char *text;              /* the fields, each closed by a NUL */
    size_t length, capacity;
    size_t *start; /* of each field in text */
    size_t count, start_capacity;
};

/* Reads from in, which stays the caller's.  Cannot fail. */
void csv_start(struct csv *csv, FILE *in);

/* The next record, or why there is none.  After CSV_END or CSV_FAILED it must not be called again. */
enum csv_status csv_read(struct csv *csv);

void csv_free(struct csv *csv);

/* Field i of the last record, valid until the next csv_read. */
static inline const char *csv_field(const struct csv *csv, size_t i)
{
    return csv->text + csv->start[i];
}

#endif
