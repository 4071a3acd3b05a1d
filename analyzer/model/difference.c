// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* qsort_r */
#include "model/difference.h"

#include <stdlib.h>
#include <string.h>

#include "model/common_paths.h"

const char *const change_names[CHANGE_KINDS] = {
    [CHANGE_NONE] = "unchanged", [CHANGE_NEW] = "new",       [CHANGE_GONE] = "gone",
    [CHANGE_GROWN] = "grown",    [CHANGE_SHRUNK] = "shrunk",
};

enum side change_side(const struct change *change)
{
    return change->site[NEW] ? NEW : OLD;
}

/* --- sites --------------------------------------------------------------------------------------------- */

static void compare_sites(struct difference *difference, const struct translation *translation)
{
    struct scope *scope[SIDES] = {&difference->scope[OLD], &difference->scope[NEW]};
    struct common_paths *paths = common_paths_open(scope, translation);
    uint32_t *sites[SIDES];
    /* The newer first: equal changes are in its order. */
    for (int side = NEW; side >= OLD; side--)
        sites[side] = common_paths_of_sites(paths, (enum side)side);
    size_t *by_path = memory_get(common_paths_count(paths), sizeof(*by_path)), capacity = 0;
    for (int side = NEW; side >= OLD; side--) {
        const struct trace *trace = scope[side]->trace;
        for (uint32_t site = 1; site < trace->header.site_count; site++) {
            uint32_t path = sites[side][site];
            if (!path)
                continue;
            if (!by_path[path]) {
                difference->all =
                    memory_grow(difference->all, difference->total, &capacity, sizeof(*difference->all));
                difference->all[difference->total] = (struct change){0};
                by_path[path] = ++difference->total;
            }
            struct change *change = &difference->all[by_path[path] - 1];
            figures_add(&change->figures[side], &trace->sites[site].figures);
            if (!change->site[side])
                change->site[side] = site;
        }
        free(sites[side]);
    }
    free(by_path);
    common_paths_close(paths);
}

/* --- groups -------------------------------------------------------------------------------------------- */

/* Groups are the same if their places are, which are translated. */
static void compare_groups(struct difference *difference)
{
    groups_start(&difference->groups, difference->view->by);
    for (int side = NEW; side >= OLD; side--) {
        rows_make(&difference->rows[side], &difference->scope[side]);
        for (size_t i = 0; i < difference->rows[side].count; i++)
            groups_number(&difference->groups, difference->rows[side].all[i].frame);
    }
    difference->total = difference->groups.count - 1;
    difference->all = memory_get(difference->total, sizeof(*difference->all));
    for (int side = NEW; side >= OLD; side--) {
        for (size_t i = 0; i < difference->rows[side].count; i++) {
            const struct row *row = &difference->rows[side].all[i];
            uint32_t number = groups_number(&difference->groups, row->frame);
            struct change *change = &difference->all[number - 1];
            change->frame = groups_frame(&difference->groups, number);
            figures_add(&change->figures[side], row->figures);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static enum change_kind kind_of(const struct change *change, enum metric metric)
{
    uint64_t old = metric_of(&change->figures[OLD], metric), new = metric_of(&change->figures[NEW], metric);
    if (old == new)
        return CHANGE_NONE;
    if (!old)
        return CHANGE_NEW;
    if (!new)
        return CHANGE_GONE;
    return old < new ? CHANGE_GROWN : CHANGE_SHRUNK;
}

static bool is_large(const struct change *change, const struct view *view)
{
    const struct figures *old = &change->figures[OLD], *new = &change->figures[NEW];
    return distance(metric_bytes(old, view->metric), metric_bytes(new, view->metric)) >= view->min_bytes &&
           distance(metric_blocks(old, view->metric), metric_blocks(new, view->metric)) >= view->min_blocks;
}

static void judge(struct difference *difference)
{
    difference->equal = true;
    for (size_t i = 0; i < difference->total; i++) {
        struct change *change = &difference->all[i];
        change->kind = kind_of(change, difference->view->metric);
        difference->kinds[change->kind]++;
        if (memcmp(&change->figures[OLD], &change->figures[NEW], sizeof(change->figures[OLD])) != 0)
            difference->equal = false;
    }
}

/* Equal changes stay in their order, which their addresses tell: the pointers are sorted. */
static int by_change(const void *a, const void *b, void *context)
{
    const struct change *x = *(const struct change *const *)a, *y = *(const struct change *const *)b;
    enum metric metric = *(const enum metric *)context;
    uint64_t mine = distance(metric_of(&x->figures[OLD], metric), metric_of(&x->figures[NEW], metric));
    uint64_t theirs = distance(metric_of(&y->figures[OLD], metric), metric_of(&y->figures[NEW], metric));
    if (mine != theirs)
        return mine < theirs ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* What the view shows of them comes first. */
static void rank(struct difference *difference)
{
    enum metric metric = difference->view->metric;
    struct change **shown = memory_get(difference->total, sizeof(struct change *));
    struct change *all = memory_get(difference->total, sizeof(*all));
    size_t rest = difference->total;
    for (size_t i = difference->total; i-- > 0;) {
        struct change *change = &difference->all[i];
        if (change->kind != CHANGE_NONE && is_large(change, difference->view))
            shown[difference->count++] = change;
        else
            all[--rest] = *change;
    }
    qsort_r(shown, difference->count, sizeof(struct change *), by_change, &metric);
    for (size_t i = 0; i < difference->count; i++)
        all[i] = *shown[i];
    free(difference->all);
    free(shown);
    difference->all = all;
}

void difference_make(struct difference *difference, const struct view *view,
                     const struct trace *const trace[SIDES], struct symbols *const symbols[SIDES],
                     const struct translation *translation)
{
    *difference = (struct difference){.view = view, .seen = *view};
    difference->seen.min_bytes = difference->seen.min_blocks = 0;
    for (enum side side = OLD; side < SIDES; side++) {
        scope_open(&difference->scope[side], &difference->seen, trace[side], symbols[side]);
        difference->selection[side] = scope_select(&difference->scope[side]);
    }
    if (view->by == BY_SITE)
        compare_sites(difference, translation);
    else
        compare_groups(difference);
    judge(difference);
    rank(difference);
}

void difference_keep_grown(struct difference *difference)
{
    struct change *others = memory_get(difference->count, sizeof(*others));
    size_t grown = 0, rest = 0;
    for (size_t i = 0; i < difference->count; i++) {
        const struct change change = difference->all[i];
        if (change.kind == CHANGE_NEW || change.kind == CHANGE_GROWN)
            difference->all[grown++] = change;
        else
            others[rest++] = change;
    }
    memcpy(difference->all + grown, others, rest * sizeof(*others));
    difference->count = grown;
    free(others);
}

void difference_free(struct difference *difference)
{
    for (enum side side = OLD; side < SIDES; side++) {
        rows_free(&difference->rows[side]);
        scope_close(&difference->scope[side]);
    }
    groups_free(&difference->groups);
    free(difference->all);
    *difference = (struct difference){0};
}
