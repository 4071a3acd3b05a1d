// SPDX-License-Identifier: MIT
/*
 * Float with route and date interned: the rows of a route share one string, those of a day another.
 */
#include "records.h"
#include "strings.h"
#include <stdlib.h>
#include <string.h>

struct record {
    const char *route;
    const char *date;
    char *daytype;
    double rides;
};

struct table {
    struct records *records;
    struct strings cache;
};

/* Route and date belong to other rows, too. */
static size_t cached_blocks(void *from, const void *block[])
{
    const struct table *table = from;
    const struct record *record = records_first(table->records);
    return record ? texts_blocks(block, record, &record->daytype, 1) : 0;
}

static void drop(void *dropped)
{
    struct record *record = dropped;
    free(record->daytype);
    free(record);
}

static void cached_destroy(void *destroyed)
{
    struct table *table = destroyed;
    records_destroy(table->records, drop);
    strings_free(&table->cache);
    free(table);
}

static void *cached_create(struct source *source)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->records = records_create(source);
    if (table->records)
        return table;
    free(table);
    return NULL;
}

static bool cached_add(void *to, const struct row *row)
{
    struct table *table = to;
    struct record *record = records_add(table->records, malloc(sizeof *record));
    if (!record)
        return false;
    record->route = strings_intern(&table->cache, row->text[ROUTE]);
    record->date = strings_intern(&table->cache, row->text[DATE]);
    record->daytype = strdup(row->text[DAYTYPE]);
    record->rides = (double)row->rides;
    return record->route && record->date && record->daytype;
}

static bool cached_next(void *from, struct ride *ride)
{
    struct table *table = from;
    const struct record *record = records_next(table->records);
    if (record)
        *ride = (struct ride){.route = record->route, .rides = (uint64_t)record->rides};
    return record;
}

const struct representation cached_representation = {
    .name = "cached",
    .summary = "float with equal routes and dates kept once",
    .create = cached_create,
    .add = cached_add,
    .next = cached_next,
    .blocks = cached_blocks,
    .destroy = cached_destroy,
};
