// SPDX-License-Identifier: MIT
/*
 * Slots with rides as a number.  In C the number takes the pointer's place, and its string is gone.
 */
#include "records.h"
#include <stdlib.h>
#include <string.h>

struct record {
    char *route;
    char *date;
    char *daytype;
    double rides;
};

static bool float_add(void *table, const struct row *row)
{
    struct record *record = records_add(table, malloc(sizeof *record));
    if (!record)
        return false;
    record->route = strdup(row->text[ROUTE]);
    record->date = strdup(row->text[DATE]);
    record->daytype = strdup(row->text[DAYTYPE]);
    record->rides = (double)row->rides;
    return record->route && record->date && record->daytype;
}

static bool float_next(void *table, struct ride *ride)
{
    const struct record *record = records_next(table);
    if (record)
        *ride = (struct ride){.route = record->route, .rides = (uint64_t)record->rides};
    return record;
}

static size_t float_blocks(void *table, const void *block[])
{
    const struct record *record = records_first(table);
    if (!record)
        return 0;
    char *const text[] = {record->route, record->date, record->daytype};
    return texts_blocks(block, record, text, 3);
}

static void drop(void *dropped)
{
    struct record *record = dropped;
    free(record->route);
    free(record->date);
    free(record->daytype);
    free(record);
}

static void float_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation float_representation = {
    .name = "float",
    .summary = "slots with rides as a number",
    .create = records_create,
    .add = float_add,
    .next = float_next,
    .blocks = float_blocks,
    .destroy = float_destroy,
};
