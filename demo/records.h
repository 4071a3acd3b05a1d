// SPDX-License-Identifier: MIT
/*
 * The list of records: an array of pointers that grows by an eighth, as Python's lists do.  It is
 * common to the representations that keep one record per row, so that their tables differ by the
 * records alone.
 */
#ifndef DEMO_RECORDS_H
#define DEMO_RECORDS_H

#include "representation.h"

struct records {
    void **record;
    size_t count, capacity;
    size_t next; /* to be iterated */
};

/* Usable as a representation's create. */
void *records_create(struct source *source);

/* Appends a record that malloc made and returns it; null when there is none (malloc's null may be
   passed on as it is) or no room for it: then it is freed. */
void *records_add(struct records *records, void *record);

/* The next record, or null at the end. */
void *records_next(struct records *records);

/* The first record, or null. */
void *records_first(const struct records *records);

/* Frees the list, each record by way of drop. */
void records_destroy(struct records *records, void (*drop)(void *record));

/* Copies the four strings; false: out of memory, and what could not be copied is null. */
bool texts_copy(char *copy[FIELDS], const char *const text[FIELDS]);

void texts_free(char *const copy[FIELDS]);

/* A representation's blocks, of a record that is one block: itself and `count` strings. */
size_t texts_blocks(const void *block[], const void *record, char *const copy[], size_t count);

/* A ride from its texts, which the source has checked. */
struct ride ride_of(const char *route, const char *rides);

#endif
