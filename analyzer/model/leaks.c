// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* qsort_r */
#include "model/leaks.h"

#include <stdlib.h>
#include <string.h>

#include "model/stack.h"

void leak_sum_add(struct leak_sum *a, const struct leak_sum *b)
{
    a->bytes += b->bytes;
    a->blocks += b->blocks;
    a->sites += b->sites;
}

static void count(struct leak_sum *sum, const struct figures *figures)
{
    leak_sum_add(sum, &(struct leak_sum){figures->current_bytes, figures->current_blocks, 1});
}

static int by_bytes(const void *a, const void *b, void *context)
{
    const struct leak_sum *by = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (by[x].bytes != by[y].bytes)
        return by[x].bytes < by[y].bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

static void rank_suppressions(struct leaks *leaks, size_t all)
{
    leaks->used = memory_get(all, sizeof(*leaks->used));
    for (size_t i = 0; i < all; i++)
        if (leaks->by[i].blocks)
            leaks->used[leaks->used_count++] = i;
    qsort_r(leaks->used, leaks->used_count, sizeof(*leaks->used), by_bytes, leaks->by);
}

/* The module of a site's innermost frame, if it is of the built-in list and the function has no name. */
static const char *nameless_module(const struct trace *trace, struct symbols *symbols, uint32_t site)
{
    uint32_t node = stack_innermost(trace, site);
    if (node < TRACE_NODE_FIRST)
        return NULL;
    struct source_frames here = symbols_resolve(symbols, trace->nodes[node].frame);
    const char *module = here.frames[0].module;
    return !here.frames[0].function && suppressions_is_runtime(module) ? module : NULL;
}

void leaks_find(struct leaks *leaks, struct scope *scope, const struct suppressions *suppressions)
{
    *leaks = (struct leaks){.by = memory_get(suppressions->count, sizeof(*leaks->by))};
    uint32_t *suppressed_by = suppressions_of_sites(suppressions, scope->trace, scope->symbols);
    rows_make(&leaks->rows, scope);
    size_t kept = 0;
    for (size_t i = 0; i < leaks->rows.count; i++) {
        const struct row row = leaks->rows.all[i];
        if (!row.figures->current_blocks)
            continue;
        uint32_t by = suppressed_by[row.site];
        if (by != SUPPRESSED_BY_NONE) {
            count(&leaks->by[by], row.figures);
            count(&leaks->suppressed, row.figures);
        } else {
            count(&leaks->leaked, row.figures);
            if (suppressions->builtin && !leaks->nameless)
                leaks->nameless = nameless_module(scope->trace, scope->symbols, row.site);
            leaks->rows.all[kept++] = row;
        }
    }
    leaks->rows.count = leaks->rows.total = kept;
    free(suppressed_by);
    rank_suppressions(leaks, suppressions->count);
}

void leaks_free(struct leaks *leaks)
{
    rows_free(&leaks->rows);
    free(leaks->by);
    free(leaks->used);
    *leaks = (struct leaks){0};
}

void leaks_only(struct trace *leaking, const struct trace *trace, struct symbols *symbols,
                const struct suppressions *suppressions)
{
    uint32_t *suppressed_by = suppressions_of_sites(suppressions, trace, symbols);
    *leaking = *trace;
    leaking->sites = memory_get(trace->header.site_count, sizeof(*leaking->sites));
    memcpy(leaking->sites, trace->sites, trace->header.site_count * sizeof(*leaking->sites));
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        struct figures *figures = &leaking->sites[i].figures;
        if (suppressed_by[i] == SUPPRESSED_BY_NONE)
            continue;
        leaking->totals.current_bytes -= figures->current_bytes;
        leaking->totals.current_blocks -= figures->current_blocks;
        figures->current_bytes = figures->current_blocks = 0;
    }
    free(suppressed_by);
}
