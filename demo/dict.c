// SPDX-License-Identifier: MIT
/*
 * As csv.DictReader: every row is a hash of its own from field name to value.  The names are shared,
 * as Python shares them; table, buckets, entries and values are each row's own.
 */
#include "hash.h"
#include "records.h"
#include <stdlib.h>
#include <string.h>

struct item {
    const char *name;
    char *value;
    UT_hash_handle hh;
};

struct dict {
    struct item *items;
};

static bool put(struct dict *dict, const char *name, const char *value)
{
    struct item *item = malloc(sizeof *item);
    if (!item)
        return false;
    item->name = name;
    item->value = strdup(value);
    if (item->value) {
        HASH_ADD_KEYPTR(hh, dict->items, name, strlen(name), item);
        if (!hash_refused(item))
            return true;
    }
    free(item->value);
    free(item);
    return false;
}

static const char *get(const struct dict *dict, const char *name)
{
    struct item *item;
    HASH_FIND_STR(dict->items, name, item);
    return item->value;
}

static bool dict_add(void *table, const struct row *row)
{
    struct dict *dict = records_add(table, calloc(1, sizeof *dict));
    for (int i = 0; dict && i < FIELDS; i++)
        if (!put(dict, field_names[i], row->text[i]))
            return false;
    return dict;
}

static bool dict_next(void *table, struct ride *ride)
{
    const struct dict *dict = records_next(table);
    if (dict)
        *ride = ride_of(get(dict, "route"), get(dict, "rides"));
    return dict;
}

static size_t dict_blocks(void *table, const void *block[])
{
    const struct dict *dict = records_first(table);
    size_t count = 0;
    if (!dict)
        return 0;
    block[count++] = dict;
    block[count++] = dict->items->hh.tbl;
    block[count++] = dict->items->hh.tbl->buckets;
    for (const struct item *item = dict->items; item; item = item->hh.next) {
        block[count++] = item;
        block[count++] = item->value;
    }
    return count;
}

static void drop(void *record)
{
    struct dict *dict = record;
    struct item *item = dict->items;
    HASH_CLEAR(hh, dict->items);
    while (item) {
        struct item *following = item->hh.next;
        free(item->value);
        free(item);
        item = following;
    }
    free(dict);
}

static void dict_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation dict_representation = {
    .name = "dict",
    .summary = "a hash from field name to value per row",
    .create = records_create,
    .add = dict_add,
    .next = dict_next,
    .blocks = dict_blocks,
    .destroy = dict_destroy,
};
