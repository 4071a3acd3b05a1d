// SPDX-License-Identifier: MIT
/*
 * No records at all: four arrays, one per column, of interned strings and of numbers.  They grow by
 * an eighth, as the list of records does.
 */
#include "representation.h"
#include "strings.h"
#include <stdlib.h>

struct columns {
    const char **route;
    const char **date;
    const char **daytype;
    double *rides;
    size_t count, capacity, next;
    struct strings cache;
};

static void *columns_create(struct source *source)
{
    (void)source;
    return calloc(1, sizeof(struct columns));
}

static bool widen(const char ***column, size_t capacity)
{
    const char **grown = reallocarray(*column, capacity, sizeof *grown);
    if (grown)
        *column = grown;
    return grown;
}

static bool make_room(struct columns *columns)
{
    size_t capacity = columns->capacity + columns->capacity / 8 + 8;
    double *rides = reallocarray(columns->rides, capacity, sizeof *rides);
    if (!rides)
        return false;
    columns->rides = rides;
    if (!widen(&columns->route, capacity) || !widen(&columns->date, capacity) ||
        !widen(&columns->daytype, capacity))
        return false;
    columns->capacity = capacity;
    return true;
}

static bool columns_add(void *table, const struct row *row)
{
    struct columns *columns = table;
    if (columns->count == columns->capacity && !make_room(columns))
        return false;
    size_t i = columns->count++;
    columns->route[i] = strings_intern(&columns->cache, row->text[ROUTE]);
    columns->date[i] = strings_intern(&columns->cache, row->text[DATE]);
    columns->daytype[i] = strings_intern(&columns->cache, row->text[DAYTYPE]);
    columns->rides[i] = (double)row->rides;
    return columns->route[i] && columns->date[i] && columns->daytype[i];
}

static bool columns_next(void *table, struct ride *ride)
{
    struct columns *columns = table;
    if (columns->next == columns->count)
        return false;
    size_t i = columns->next++;
    *ride = (struct ride){.route = columns->route[i], .rides = (uint64_t)columns->rides[i]};
    return true;
}

static void columns_destroy(void *table)
{
    struct columns *columns = table;
    free(columns->route);
    free(columns->date);
    free(columns->daytype);
    free(columns->rides);
    strings_free(&columns->cache);
    free(columns);
}

const struct representation columns_representation = {
    .name = "columns",
    .summary = "four arrays, equal strings kept once",
    .create = columns_create,
    .add = columns_add,
    .next = columns_next,
    .destroy = columns_destroy,
};
