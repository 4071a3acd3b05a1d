// SPDX-License-Identifier: MIT
/*
 * A list: a header, and an array that can grow, so that it usually has room left over.
 */
#include "records.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

struct list {
    size_t length, capacity;
    char **item;
};

static bool make_room(struct list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    char **grown = reallocarray(list->item, capacity, sizeof *grown);
    if (!grown)
        return false;
    list->item = grown;
    list->capacity = capacity;
    return true;
}

static bool append(struct list *list, const char *text)
{
    if (list->length == list->capacity && !make_room(list))
        return false;
    list->item[list->length] = strdup(text);
    return list->item[list->length++];
}

static bool list_add(void *table, const struct row *row)
{
    struct list *list = records_add(table, calloc(1, sizeof *list));
    for (int i = 0; list && i < FIELDS; i++)
        if (!append(list, row->text[i]))
            return false;
    return list;
}

static bool list_next(void *table, struct ride *ride)
{
    const struct list *list = records_next(table);
    if (list)
        *ride = ride_of(list->item[ROUTE], list->item[RIDES]);
    return list;
}

static size_t list_blocks(void *table, const void *block[])
{
    const struct list *list = records_first(table);
    if (!list)
        return 0;
    size_t count = texts_blocks(block, list, list->item, list->length);
    block[count++] = list->item;
    return count;
}

static void drop(void *record)
{
    struct list *list = record;
    for (size_t i = 0; i < list->length; i++)
        free(list->item[i]);
    free(list->item);
    free(list);
}

static void list_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation list_representation = {
    .name = "list",
    .summary = "a growable array of four strings per row",
    .create = records_create,
    .add = list_add,
    .next = list_next,
    .blocks = list_blocks,
    .destroy = list_destroy,
};
