// SPDX-License-Identifier: MIT
/*
 * A named tuple: the tuple, and one word that leads to the names of its fields.
 */
#include "records.h"
#include <stdlib.h>
#include <string.h>

struct namedtuple {
    const char *const *names;
    char *item[FIELDS];
};

static const char *get(const struct namedtuple *tuple, const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(tuple->names[i], name) == 0)
            return tuple->item[i];
    return NULL;
}

static bool namedtuple_add(void *table, const struct row *row)
{
    struct namedtuple *tuple = records_add(table, malloc(sizeof *tuple));
    if (!tuple)
        return false;
    tuple->names = field_names;
    return texts_copy(tuple->item, row->text);
}

static bool namedtuple_next(void *table, struct ride *ride)
{
    const struct namedtuple *tuple = records_next(table);
    if (tuple)
        *ride = ride_of(get(tuple, "route"), get(tuple, "rides"));
    return tuple;
}

static size_t namedtuple_blocks(void *table, const void *block[])
{
    const struct namedtuple *tuple = records_first(table);
    return tuple ? texts_blocks(block, tuple, tuple->item, FIELDS) : 0;
}

static void drop(void *record)
{
    struct namedtuple *tuple = record;
    texts_free(tuple->item);
    free(tuple);
}

static void namedtuple_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation namedtuple_representation = {
    .name = "namedtuple",
    .summary = "a tuple with one word more, for the names",
    .create = records_create,
    .add = namedtuple_add,
    .next = namedtuple_next,
    .blocks = namedtuple_blocks,
    .destroy = namedtuple_destroy,
};
