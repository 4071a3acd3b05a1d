// SPDX-License-Identifier: MIT
#include "aggregate.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct route_total *find(const struct totals *totals, const char *route, size_t length)
{
    struct route_total *total;
    HASH_FIND(hh, totals->by_route, route, length, total);
    return total;
}

static struct route_total *new_total(struct totals *totals, const char *route, size_t length)
{
    struct route_total *total = malloc(sizeof *total + length + 1);
    if (!total)
        return NULL;
    total->rides = 0;
    memcpy(total->route, route, length + 1);
    HASH_ADD_KEYPTR(hh, totals->by_route, total->route, length, total);
    if (hash_refused(total)) {
        free(total);
        return NULL;
    }
    return total;
}

int totals_add(struct totals *totals, const struct ride *ride)
{
    size_t length = strlen(ride->route);
    struct route_total *total = find(totals, ride->route, length);
    if (!total)
        total = new_total(totals, ride->route, length);
    if (!total)
        return -ENOMEM;
    if (ride->rides > UINT64_MAX - total->rides)
        return -EOVERFLOW;
    total->rides += ride->rides;
    totals->rows++;
    return 0;
}

int totals_collect(struct totals *totals, const struct representation *as, void *table)
{
    struct ride ride;
    int result = 0;
    while (result == 0 && as->next(table, &ride))
        result = totals_add(totals, &ride);
    return result;
}

uint64_t totals_of(const struct totals *totals, const char *route)
{
    const struct route_total *total = find(totals, route, strlen(route));
    return total ? total->rides : 0;
}

static int by_rides(const struct route_total *a, const struct route_total *b)
{
    if (a->rides != b->rides)
        return a->rides < b->rides ? 1 : -1;
    return strcmp(a->route, b->route);
}

size_t totals_largest(struct totals *totals, const struct route_total *largest[], size_t n)
{
    size_t count = 0;
    HASH_SORT(totals->by_route, by_rides);
    for (const struct route_total *total = totals->by_route; total && count < n; total = total->hh.next)
        largest[count++] = total;
    return count;
}

void totals_free(struct totals *totals)
{
    struct route_total *total = totals->by_route;
    HASH_CLEAR(hh, totals->by_route);
    while (total) {
        struct route_total *following = total->hh.next;
        free(total);
        total = following;
    }
}
