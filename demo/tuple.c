// SPDX-License-Identifier: MIT
/*
 * A tuple: its length never changes, so it is one block of exactly four pointers.
 */
#include "records.h"
#include <stdlib.h>

struct tuple {
    char *item[FIELDS];
};

static bool tuple_add(void *table, const struct row *row)
{
    struct tuple *tuple = records_add(table, malloc(sizeof *tuple));
    return tuple && texts_copy(tuple->item, row->text);
}

static bool tuple_next(void *table, struct ride *ride)
{
    const struct tuple *tuple = records_next(table);
    if (tuple)
        *ride = ride_of(tuple->item[ROUTE], tuple->item[RIDES]);
    return tuple;
}

static size_t tuple_blocks(void *table, const void *block[])
{
    const struct tuple *tuple = records_first(table);
    return tuple ? texts_blocks(block, tuple, tuple->item, FIELDS) : 0;
}

static void drop(void *record)
{
    struct tuple *tuple = record;
    texts_free(tuple->item);
    free(tuple);
}

static void tuple_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation tuple_representation = {
    .name = "tuple",
    .summary = "one block of four pointers to strings per row",
    .create = records_create,
    .add = tuple_add,
    .next = tuple_next,
    .blocks = tuple_blocks,
    .destroy = tuple_destroy,
};
