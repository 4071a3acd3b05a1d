// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* qsort_r */
#include "model/rows.h"

#include <stdlib.h>

#include "model/stack_numbers.h"
#include "model/sums.h"

static bool wanted(struct scope *scope, uint32_t site)
{
    return figures_any(&scope->trace->sites[site].figures) && scope_has(scope, site);
}

/* --- sites --------------------------------------------------------------------------------------------- */

static void make_sites(struct rows *rows, struct scope *scope)
{
    rows->all = memory_get(scope->trace->header.site_count, sizeof(*rows->all));
    for (uint32_t i = 1; i < scope->trace->header.site_count; i++)
        if (wanted(scope, i))
            rows->all[rows->count++] = (struct row){.figures = &scope->trace->sites[i].figures, .site = i};
}

/* Sites of which the same is seen are one. */
static void merge_sites(struct rows *rows, struct scope *scope)
{
    uint32_t sites = scope->trace->header.site_count;
    struct stack_numbers numbers = {0};
    rows->all = memory_get(sites, sizeof(*rows->all));
    rows->sums = memory_get(sites, sizeof(*rows->sums));
    for (uint32_t i = 1; i < sites; i++) {
        if (!wanted(scope, i))
            continue;
        struct scope_stack stack = scope_stack(scope, i);
        uint32_t number = stack_number(&numbers, &stack);
        struct figures *sum = &rows->sums[number - 1];
        if (number > rows->count)
            rows->all[rows->count++] = (struct row){.figures = sum, .site = i};
        figures_add(sum, &scope->trace->sites[i].figures);
    }
    stack_numbers_free(&numbers);
}

/* --- groups -------------------------------------------------------------------------------------------- */

/* A function that occurs twice in a stack counts once.  From outside, so that of equal rows the caller is the
   first. */
static void add_site(struct sums *sums, struct scope *scope, uint32_t site)
{
    const struct figures *figures = &scope->trace->sites[site].figures;
    if (!view_adds_callees(scope->view)) {
        sums_add(sums, scope_group(scope, scope_grouped(scope, site, scope->view->by)), site, figures);
        return;
    }
    struct scope_stack stack = scope_stack(scope, site);
    for (size_t i = stack.count; i-- > stack.origin;)
        sums_add(sums, scope_group(scope, stack.frames[i]), site, figures);
}

static void make_groups(struct rows *rows, struct scope *scope)
{
    struct sums sums = {0};
    for (uint32_t i = 1; i < scope->trace->header.site_count; i++)
        if (wanted(scope, i))
            add_site(&sums, scope, i);
    rows->all = memory_get(sums.count, sizeof(*rows->all));
    rows->sums = memory_get(sums.count, sizeof(*rows->sums));
    for (uint32_t i = 1; i < sums.count; i++) {
        if (!sums.all[i].last)
            continue;
        rows->sums[i] = sums.all[i].figures;
        rows->all[rows->count++] = (struct row){.figures = &rows->sums[i],
                                                .site = i, /* the order of equal ones */
                                                .frame = groups_frame(&scope->groups, i)};
    }
    sums_free(&sums);
}

/* ------------------------------------------------------------------------------------------------------- */

static void drop_small(struct rows *rows, const struct view *view)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (view_shows(view, rows->all[i].figures))
            rows->all[kept++] = rows->all[i];
    rows->total = rows->count;
    rows->count = kept;
}

static int by_rank(const void *a, const void *b, void *context)
{
    const struct row *x = a, *y = b;
    enum metric metric = *(const enum metric *)context;
    uint64_t mine = metric_of(x->figures, metric), theirs = metric_of(y->figures, metric);
    if (mine != theirs)
        return mine < theirs ? 1 : -1;
    return x->site < y->site ? -1 : x->site > y->site;
}

void rows_make(struct rows *rows, struct scope *scope)
{
    enum metric metric = scope->view->metric;
    *rows = (struct rows){0};
    if (scope->view->by != BY_SITE)
        make_groups(rows, scope);
    else if (view_reshapes(scope->view))
        merge_sites(rows, scope);
    else
        make_sites(rows, scope);
    drop_small(rows, scope->view);
    qsort_r(rows->all, rows->count, sizeof(*rows->all), by_rank, &metric);
}

void rows_resolve(const struct rows *rows, const struct scope *scope, size_t limit)
{
    const struct trace *trace = scope->trace;
    if (scope->view->by != BY_SITE)
        return;
    bool *seen = memory_get(trace->header.node_count, sizeof(*seen));
    for (size_t i = 0; i < rows->count && (!limit || i < limit); i++) {
        uint32_t node = trace->sites[rows->all[i].site].node;
        for (; node >= TRACE_NODE_FIRST && !seen[node]; node = trace->nodes[node].parent) {
            seen[node] = true;
            symbols_resolve(scope->symbols, trace->nodes[node].frame);
        }
    }
    free(seen);
}

void rows_free(struct rows *rows)
{
    free(rows->all);
    free(rows->sums);
    *rows = (struct rows){0};
}
