// SPDX-License-Identifier: MIT
/*
 * Rides summed by route: one aggregation over every representation.
 */
#ifndef DEMO_AGGREGATE_H
#define DEMO_AGGREGATE_H

#include "representation.h"
#include "hash.h"

struct route_total {
    uint64_t rides;
    UT_hash_handle hh;
    char route[];
};

struct totals {
    struct route_total *by_route;
    uint64_t rows;
};

/* All rows of the table.  0, -ENOMEM, or -EOVERFLOW when a sum does not fit 64 bits. */
int totals_collect(struct totals *totals, const struct representation *as, void *table);

/* One row; results as above, and a row that failed is not counted. */
int totals_add(struct totals *totals, const struct ride *ride);

/* The rides of a route, 0 for one that does not occur. */
uint64_t totals_of(const struct totals *totals, const char *route);

/* The routes with the most rides, the largest first, equal ones by name; returns how many there are,
   at most n. */
size_t totals_largest(struct totals *totals, const struct route_total *largest[], size_t n);

void totals_free(struct totals *totals);

#endif
