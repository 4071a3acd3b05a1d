// SPDX-License-Identifier: MIT
/* What was never freed: the sites with live blocks, less those that are suppressed. */
#ifndef MODEL_LEAKS_H
#define MODEL_LEAKS_H

#include "model/rows.h"
#include "model/suppressions.h"

struct leak_sum {
    uint64_t bytes, blocks, sites;
};

struct leaks {
    struct rows rows; /* of sites, largest first */
    struct leak_sum leaked, suppressed;
    struct leak_sum *by; /* what is suppressed, by number of the suppression */
    size_t *used;        /* the numbers of those that suppress anything, that of most bytes first */
    size_t used_count;
    const char
        *nameless; /* a library of the built-in list some of whose functions that leak have no names, so
                             that the list cannot know them; null: there is none */
};

/* The scope's view is one of sites by METRIC_CURRENT; scope and suppressions must live as long. */
void leaks_find(struct leaks *leaks, struct scope *scope, const struct suppressions *suppressions);

/* a += b */
void leak_sum_add(struct leak_sum *a, const struct leak_sum *b);

void leaks_free(struct leaks *leaks);

/* Makes *leaking a copy of the trace in which nothing is live of what is suppressed.  All but its sites,
   which are to be freed, is the trace's. */
void leaks_only(struct trace *leaking, const struct trace *trace, struct symbols *symbols,
                const struct suppressions *suppressions);

#endif
