// SPDX-License-Identifier: MIT
#include "model/ranking.h"

#include <stdlib.h>
#include <string.h>

#include "model/clock.h"
#include "model/stack_filter.h"
#include "model/stack_numbers.h"

#define BASE_NS UINT64_C(1000000000) /* changes are seen over one to two of these */

enum verdict { VERDICT_OPEN, VERDICT_OUT, VERDICT_IN };

/* The keys as they were a while ago. */
struct base {
    uint64_t *keys;
    uint32_t count; /* what came later had none */
    uint64_t ns;    /* 0: there is none */
};

struct ranking {
    const struct trace *trace;
    struct symbols *symbols;
    struct view view;
    struct scope scope; /* of it; its groups are the rows, unless rows are sites */
    struct stack_filter filter;
    bool is_inside;
    struct groups around; /* by what the row that was entered had in common */
    uint32_t inside;      /* its number there */
    struct source_frame inside_frame;

    /* by number of the site; those below `done` have found their place, and those below `known` wait */
    uint32_t known, done, site_room;
    uint8_t *verdicts;
    uint32_t *row_of;     /* the only one; 0: not known, or there can be several */
    struct figures *seen; /* what of the site was taken in */
    struct selection selection;

    /* by number of a row's site, stack or group */
    struct stack_numbers stacks;
    uint32_t count, room;
    uint32_t *first_sites; /* of stacks */
    struct figures *sums;  /* of stacks and groups */
    uint64_t *taken;       /* the last take of a site that they are in */
    uint64_t takes;
    uint64_t *keys; /* the metric */
    bool *shown;    /* neither zero nor too small */
    size_t shown_count;
    struct base old, new;
    uint64_t ns; /* of the last update */

    struct ranked *top;
    size_t top_room, top_count, top_limit;
    bool top_is_old;
};

static uint32_t more(uint32_t room, uint32_t wanted)
{
    return wanted < UINT32_MAX / 2 && wanted > room ? 2 * wanted : wanted;
}

static void make_site_room(struct ranking *ranking, uint32_t wanted)
{
    if (wanted <= ranking->site_room)
        return;
    uint32_t room = more(ranking->site_room, wanted), old = ranking->site_room;
    ranking->verdicts = memory_widen(ranking->verdicts, old, room, sizeof(*ranking->verdicts));
    ranking->row_of = memory_widen(ranking->row_of, old, room, sizeof(*ranking->row_of));
    ranking->seen = memory_widen(ranking->seen, old, room, sizeof(*ranking->seen));
    ranking->site_room = room;
}

static void make_row_room(struct ranking *ranking, uint32_t wanted)
{
    if (wanted <= ranking->room)
        return;
    uint32_t room = more(ranking->room, wanted), old = ranking->room;
    ranking->keys = memory_widen(ranking->keys, old, room, sizeof(*ranking->keys));
    ranking->old.keys = memory_widen(ranking->old.keys, old, room, sizeof(*ranking->keys));
    ranking->new.keys = memory_widen(ranking->new.keys, old, room, sizeof(*ranking->keys));
    ranking->sums = memory_widen(ranking->sums, old, room, sizeof(*ranking->sums));
    ranking->taken = memory_widen(ranking->taken, old, room, sizeof(*ranking->taken));
    ranking->shown = memory_widen(ranking->shown, old, room, sizeof(*ranking->shown));
    ranking->first_sites = memory_widen(ranking->first_sites, old, room, sizeof(*ranking->first_sites));
    ranking->room = room;
}

/* --- the place of a site --------------------------------------------------------------------------- */

static bool is_around(struct ranking *ranking, const struct scope_frame *frame)
{
    return groups_number(&ranking->around, &frame->source) == ranking->inside;
}

/* Whether the site is in the group that was entered. */
static bool is_entered(struct ranking *ranking, uint32_t site)
{
    enum grouping by = ranking->around.by;
    if (!ranking->view.cumulative || by == BY_DOMAIN)
        return is_around(ranking, scope_grouped(&ranking->scope, site, by));
    struct scope_stack stack = scope_stack(&ranking->scope, site);
    for (size_t i = stack.origin; i < stack.count; i++)
        if (is_around(ranking, stack.frames[i]))
            return true;
    return false;
}

static bool is_in(struct ranking *ranking, uint32_t site)
{
    return scope_has(&ranking->scope, site) && (!ranking->is_inside || is_entered(ranking, site)) &&
           stack_filter_passes(&ranking->filter, &ranking->scope, site);
}

/* Rows are the trace's sites, by their numbers. */
static bool rows_are_sites(const struct ranking *ranking)
{
    return ranking->view.by == BY_SITE && !view_reshapes(&ranking->view);
}

static const struct figures *row_figures(const struct ranking *ranking, uint32_t number)
{
    return rows_are_sites(ranking) ? &ranking->trace->sites[number].figures : &ranking->sums[number];
}

static void set_key(struct ranking *ranking, uint32_t number)
{
    const struct figures *figures = row_figures(ranking, number);
    bool *shown = &ranking->shown[number];
    ranking->keys[number] = metric_of(figures, ranking->view.metric);
    ranking->shown_count -= *shown;
    *shown = ranking->keys[number] && view_shows(&ranking->view, figures);
    ranking->shown_count += *shown;
}

/* What a site has more than when it was last seen; once for a row, however often it is given. */
static void add_to_row(struct ranking *ranking, uint32_t number, uint32_t site)
{
    if (ranking->taken[number] == ranking->takes)
        return;
    ranking->taken[number] = ranking->takes;
    figures_replace(&ranking->sums[number], &ranking->seen[site], &ranking->trace->sites[site].figures);
    set_key(ranking, number);
}

static uint32_t group_of(struct ranking *ranking, const struct scope_frame *frame)
{
    uint32_t number = scope_group(&ranking->scope, frame);
    ranking->count = (uint32_t)ranking->scope.groups.count;
    make_row_room(ranking, ranking->count);
    return number;
}

static uint32_t stack_of(struct ranking *ranking, uint32_t site)
{
    struct scope_stack stack = scope_stack(&ranking->scope, site);
    uint32_t number = stack_number(&ranking->stacks, &stack);
    ranking->count = ranking->stacks.count + 1;
    make_row_room(ranking, ranking->count);
    if (!ranking->first_sites[number])
        ranking->first_sites[number] = site;
    return number;
}

/* From outside, so that of equal rows the caller is the first. */
static void add_to_callers(struct ranking *ranking, uint32_t site)
{
    struct scope_stack stack = scope_stack(&ranking->scope, site);
    for (size_t i = stack.count; i-- > stack.origin;)
        add_to_row(ranking, group_of(ranking, stack.frames[i]), site);
}

static void add_to_rows(struct ranking *ranking, uint32_t site)
{
    uint32_t *row = &ranking->row_of[site];
    ranking->takes++;
    if (rows_are_sites(ranking)) {
        set_key(ranking, site);
        return;
    }
    if (view_adds_callees(&ranking->view)) {
        add_to_callers(ranking, site);
        return;
    }
    if (!*row)
        *row = ranking->view.by == BY_SITE
                   ? stack_of(ranking, site)
                   : group_of(ranking, scope_grouped(&ranking->scope, site, ranking->view.by));
    add_to_row(ranking, *row, site);
}

static void take_figures(struct ranking *ranking, uint32_t site)
{
    const struct figures *figures = &ranking->trace->sites[site].figures;
    struct selection *selection = &ranking->selection;
    size_t met = (size_t)figures_any(figures) - (size_t)figures_any(&ranking->seen[site]);
    selection->of += met;
    if (ranking->verdicts[site] == VERDICT_IN) {
        selection->sites += met;
        figures_replace(&selection->figures, &ranking->seen[site], figures);
        add_to_rows(ranking, site);
    }
    ranking->seen[site] = *figures;
}

static void place_site(struct ranking *ranking, uint32_t site)
{
    ranking->verdicts[site] = is_in(ranking, site) ? VERDICT_IN : VERDICT_OUT;
    take_figures(ranking, site);
}

bool ranking_selects(const struct ranking *ranking)
{
    return view_selects(&ranking->view) || ranking->filter.text || ranking->is_inside;
}

/* Sites find their place without that anything is resolved. */
static bool is_simple(const struct ranking *ranking)
{
    return rows_are_sites(ranking) && !ranking_selects(ranking);
}

bool ranking_work(struct ranking *ranking, uint64_t ns)
{
    uint64_t end = now_ns() + ns;
    ranking->top_is_old |= ranking->done < ranking->known;
    while (ranking->done < ranking->known) {
        place_site(ranking, ranking->done++);
        if (!is_simple(ranking) && now_ns() >= end)
            break;
    }
    return ranking->done < ranking->known;
}

double ranking_progress(const struct ranking *ranking)
{
    return ranking->known > 1 ? (ranking->done - 1.0) / (ranking->known - 1.0) : 1;
}

/* --- changes of the view ------------------------------------------------------------------------------- */

/* All sites look for their places again. */
static void restart(struct ranking *ranking)
{
    ranking->done = 1;
    ranking->top_is_old = true;
    ranking->selection = (struct selection){0};
    ranking->shown_count = 0;
    ranking->old.ns = ranking->new.ns = 0;
    scope_regroup(&ranking->scope);
    stack_numbers_free(&ranking->stacks);
    ranking->count = rows_are_sites(ranking) ? ranking->known : 1;
    make_row_room(ranking, ranking->count);
    for (uint32_t i = 0; i < ranking->room; i++) {
        ranking->keys[i] = 0;
        ranking->shown[i] = false;
        ranking->first_sites[i] = 0;
        ranking->sums[i] = (struct figures){0};
    }
    for (uint32_t i = 0; i < ranking->site_room; i++) {
        ranking->verdicts[i] = VERDICT_OPEN;
        ranking->row_of[i] = 0;
        ranking->seen[i] = (struct figures){0};
    }
    if (is_simple(ranking))
        ranking_work(ranking, 0);
}

struct ranking *ranking_open(const struct trace *trace, struct symbols *symbols, const struct view *view)
{
    struct ranking *ranking = memory_get(1, sizeof(*ranking));
    ranking->trace = trace;
    ranking->symbols = symbols;
    ranking->view = *view;
    ranking->known = 1;
    scope_open(&ranking->scope, &ranking->view, trace, symbols);
    restart(ranking);
    return ranking;
}

void ranking_close(struct ranking *ranking)
{
    ranking_leave(ranking);
    stack_numbers_free(&ranking->stacks);
    scope_close(&ranking->scope);
    stack_filter_free(&ranking->filter);
    free(ranking->verdicts);
    free(ranking->row_of);
    free(ranking->seen);
    free(ranking->first_sites);
    free(ranking->taken);
    free(ranking->shown);
    free(ranking->sums);
    free(ranking->keys);
    free(ranking->old.keys);
    free(ranking->new.keys);
    free(ranking->top);
    free(ranking);
}

const struct view *ranking_view(const struct ranking *ranking)
{
    return &ranking->view;
}

void ranking_group(struct ranking *ranking, enum grouping by)
{
    ranking->view.by = by;
    restart(ranking);
}

/* The sites keep their places. */
void ranking_sort(struct ranking *ranking, enum metric metric)
{
    ranking->view.metric = metric;
    ranking->top_is_old = true;
    ranking->old.ns = ranking->new.ns = 0;
    for (uint32_t i = 1; i < ranking->count; i++)
        if (!rows_are_sites(ranking) || ranking->verdicts[i] == VERDICT_IN)
            set_key(ranking, i);
}

void ranking_filter(struct ranking *ranking, const char *text)
{
    stack_filter_set(&ranking->filter, text);
    restart(ranking);
}

void ranking_enter(struct ranking *ranking, const struct ranked *group)
{
    struct source_frame frame = *group->frame;
    groups_free(&ranking->around);
    groups_start(&ranking->around, ranking->view.by);
    ranking->inside_frame = frame;
    ranking->inside = groups_number(&ranking->around, &frame);
    ranking->is_inside = true;
    ranking_group(ranking, BY_SITE);
}

void ranking_leave(struct ranking *ranking)
{
    if (!ranking->is_inside)
        return;
    enum grouping by = ranking->around.by;
    groups_free(&ranking->around);
    ranking->is_inside = false;
    ranking_group(ranking, by);
}

const struct source_frame *ranking_inside(const struct ranking *ranking)
{
    return ranking->is_inside ? &ranking->inside_frame : NULL;
}

/* --- looks --------------------------------------------------------------------------------------------- */

static void take_base(struct ranking *ranking)
{
    struct base base = ranking->old;
    if (ranking->done < ranking->known || (ranking->new.ns && ranking->ns - ranking->new.ns < BASE_NS))
        return;
    ranking->old = ranking->new;
    memcpy(base.keys, ranking->keys, ranking->count * sizeof(*base.keys));
    base.count = ranking->count;
    base.ns = ranking->ns;
    ranking->new = base;
    ranking->top_is_old = true;
}

void ranking_update(struct ranking *ranking, const uint32_t *changed, size_t count, uint64_t ns)
{
    uint32_t sites = ranking->trace->header.site_count;
    bool all_done = ranking->done == ranking->known;
    ranking->ns = ns;
    ranking->top_is_old |= count > 0;
    if (sites > ranking->known) {
        ranking->known = sites;
        make_site_room(ranking, sites);
    }
    if (rows_are_sites(ranking) && ranking->count < ranking->known) {
        ranking->count = ranking->known;
        make_row_room(ranking, ranking->count);
    }
    for (size_t i = 0; i < count; i++)
        if (changed[i] < ranking->done)
            take_figures(ranking, changed[i]);
    if (is_simple(ranking) && all_done)
        ranking_work(ranking, 0);
    take_base(ranking);
}

/* --- answers ------------------------------------------------------------------------------------------- */

const struct selection *ranking_selection(const struct ranking *ranking)
{
    return &ranking->selection;
}

size_t ranking_count(const struct ranking *ranking)
{
    return ranking->shown_count;
}

const struct figures *ranking_figures(const struct ranking *ranking, uint32_t site)
{
    return row_figures(ranking, rows_are_sites(ranking) ? site : ranking->row_of[site]);
}

void ranking_stack(struct ranking *ranking, uint32_t site, struct stack *stack)
{
    scope_copy(&ranking->scope, site, stack);
}

/* Whether row a comes behind row b. */
static bool is_behind(const uint64_t *keys, const struct ranked *a, const struct ranked *b)
{
    uint64_t x = keys[a->number], y = keys[b->number];
    return x != y ? x < y : a->number > b->number;
}

static int by_rank(const void *a, const void *b, void *context)
{
    return is_behind(context, a, b) ? 1 : -1;
}

/* A heap, whose first is behind all others, loses its first. */
static void sift(struct ranked *heap, size_t count, const uint64_t *keys)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_behind(keys, &heap[child + 1], &heap[child]))
            child++;
        if (!is_behind(keys, &heap[child], &heap[at]))
            return;
        struct ranked moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

static void push(struct ranked *heap, size_t count, const uint64_t *keys)
{
    for (size_t at = count, parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (!is_behind(keys, &heap[at], &heap[parent]))
            return;
        struct ranked moved = heap[at];
        heap[at] = heap[parent];
        heap[parent] = moved;
    }
}

static void find_top(struct ranking *ranking, size_t limit)
{
    struct ranked *heap = ranking->top;
    const uint64_t *keys = ranking->keys;
    size_t count = 0;
    for (uint32_t i = 1; i < ranking->count; i++) {
        if (!ranking->shown[i] || (count == limit && keys[i] <= keys[heap[0].number]))
            continue;
        if (count < limit) {
            heap[count] = (struct ranked){.number = i};
            push(heap, count++, keys);
        } else {
            heap[0] = (struct ranked){.number = i};
            sift(heap, count, keys);
        }
    }
    qsort_r(heap, count, sizeof(*heap), by_rank, ranking->keys);
    ranking->top_count = count;
}

static void fill(const struct ranking *ranking, struct ranked *row)
{
    const struct base *base = ranking->old.ns ? &ranking->old : &ranking->new;
    uint32_t number = row->number;
    bool is_site = ranking->view.by == BY_SITE;
    row->site = rows_are_sites(ranking) ? number : is_site ? ranking->first_sites[number] : 0;
    row->frame = is_site ? NULL : groups_frame(&ranking->scope.groups, number);
    row->figures = row_figures(ranking, number);
    row->has_change = base->ns && ranking->ns >= base->ns + BASE_NS / 2;
    if (!row->has_change)
        return;
    double before = number < base->count ? (double)base->keys[number] : 0;
    row->change = ((double)ranking->keys[number] - before) * 1e9 / (double)(ranking->ns - base->ns);
}

const struct ranked *ranking_top(struct ranking *ranking, size_t limit, size_t *count)
{
    if (limit > ranking->top_room) {
        free(ranking->top);
        ranking->top = memory_get(limit, sizeof(*ranking->top));
        ranking->top_room = limit;
        ranking->top_is_old = true;
    }
    if (limit && (ranking->top_is_old || limit != ranking->top_limit))
        find_top(ranking, limit);
    else if (!limit)
        ranking->top_count = 0;
    for (size_t i = 0; i < ranking->top_count; i++)
        fill(ranking, &ranking->top[i]);
    ranking->top_is_old = false;
    ranking->top_limit = limit;
    *count = ranking->top_count;
    return ranking->top;
}
