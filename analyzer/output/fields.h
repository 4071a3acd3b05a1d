// SPDX-License-Identifier: MIT
/* The fields of the trace file's structures by name, and how each is written. */
#ifndef OUTPUT_FIELDS_H
#define OUTPUT_FIELDS_H

#include <stdio.h>

#include "model/layout.h"

struct dump {
    FILE *out;
    struct layout *layout; /* what is found wrong on the way is noted in it */
    bool wide;             /* characters beyond ASCII can be shown */
};

/* `at` is the field, of `size` bytes. */
typedef void field_put(const struct dump *dump, const void *at, size_t size);

struct field {
    const char *name;
    size_t offset, size;
    field_put *put;
};

struct record_fields {
    const char *name; /* of the table; null: no such type */
    const struct field *fields;
    size_t count;
};

extern const struct record_fields header_fields;

/* By section type. */
#define FIELDS_TYPES (TRACE_MARKS + 1)
extern const struct record_fields record_fields[FIELDS_TYPES];

/* Writes the value of a field of `record`. */
void field_write(const struct dump *dump, const struct field *field, const void *record);

/* Writes a string of the file in quotes and returns the bytes it takes there; 0: there is none, as it then
   says. */
size_t field_write_string(const struct dump *dump, uint64_t offset);

/* Writes "+1.234567 s", since recording began. */
void field_write_moment(const struct dump *dump, uint64_t ns);

#endif
