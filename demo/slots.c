// SPDX-License-Identifier: MIT
/*
 * A class with __slots__: a struct of four strings.
 */
#include "records.h"
#include <stdlib.h>
#include <string.h>

struct slots {
    char *route;
    char *date;
    char *daytype;
    char *rides;
};

static bool slots_add(void *table, const struct row *row)
{
    struct slots *slots = records_add(table, malloc(sizeof *slots));
    if (!slots)
        return false;
    slots->route = strdup(row->text[ROUTE]);
    slots->date = strdup(row->text[DATE]);
    slots->daytype = strdup(row->text[DAYTYPE]);
    slots->rides = strdup(row->text[RIDES]);
    return slots->route && slots->date && slots->daytype && slots->rides;
}

static bool slots_next(void *table, struct ride *ride)
{
    const struct slots *slots = records_next(table);
    if (slots)
        *ride = ride_of(slots->route, slots->rides);
    return slots;
}

static size_t slots_blocks(void *table, const void *block[])
{
    const struct slots *slots = records_first(table);
    if (!slots)
        return 0;
    char *const text[] = {slots->route, slots->date, slots->daytype, slots->rides};
    return texts_blocks(block, slots, text, FIELDS);
}

static void drop(void *record)
{
    struct slots *slots = record;
    free(slots->route);
    free(slots->date);
    free(slots->daytype);
    free(slots->rides);
    free(slots);
}

static void slots_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation slots_representation = {
    .name = "slots",
    .summary = "a struct of four strings per row",
    .create = records_create,
    .add = slots_add,
    .next = slots_next,
    .blocks = slots_blocks,
    .destroy = slots_destroy,
};
