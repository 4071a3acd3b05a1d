// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* strcasestr */
#include "model/ranking.h"

#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/stack.h"

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
    enum grouping by;
    enum metric metric;
    char *filter;
    bool is_inside;
    struct groups around; /* by what the row that was entered had in common */
    uint32_t inside;      /* its number there */
    struct source_frame inside_frame;

    /* by number of the site; those below `done` have found their place, and those below `known` wait */
    uint32_t known, done, site_room;
    uint8_t *verdicts;
    uint32_t *group_of;
    struct figures *seen; /* what of the site is in its group */

    /* by number of a row's site or group */
    struct groups groups;
    uint32_t count, room;
    struct figures *sums; /* of groups */
    uint64_t *keys;       /* the metric */
    struct base old, new;
    uint64_t ns; /* of the last update */
    uint64_t sum;
    size_t not_zero;

    /* whether the filter is met: by frame; by node, for it or one of its callers */
    uint8_t *frames, *nodes;
    uint32_t frame_room, node_room;

    struct ranked *top;
    size_t top_room, top_count, top_limit;
    bool top_is_old;
};

static void *grow(void *array, uint32_t count, uint32_t wanted, size_t size)
{
    char *moved = reallocarray(array, wanted, size);
    if (!moved)
        error(1, ENOMEM, "%u x %zu bytes", wanted, size);
    memset(moved + count * size, 0, (wanted - count) * size);
    return moved;
}

static uint32_t more(uint32_t room, uint32_t wanted)
{
    return wanted < UINT32_MAX / 2 && wanted > room ? 2 * wanted : wanted;
}

static void make_site_room(struct ranking *ranking, uint32_t wanted)
{
    if (wanted <= ranking->site_room)
        return;
    uint32_t room = more(ranking->site_room, wanted), old = ranking->site_room;
    ranking->verdicts = grow(ranking->verdicts, old, room, sizeof(*ranking->verdicts));
    ranking->group_of = grow(ranking->group_of, old, room, sizeof(*ranking->group_of));
    ranking->seen = grow(ranking->seen, old, room, sizeof(*ranking->seen));
    ranking->site_room = room;
}

static void make_row_room(struct ranking *ranking, uint32_t wanted)
{
    if (wanted <= ranking->room)
        return;
    uint32_t room = more(ranking->room, wanted), old = ranking->room;
    ranking->keys = grow(ranking->keys, old, room, sizeof(*ranking->keys));
    ranking->old.keys = grow(ranking->old.keys, old, room, sizeof(*ranking->keys));
    ranking->new.keys = grow(ranking->new.keys, old, room, sizeof(*ranking->keys));
    ranking->sums = grow(ranking->sums, old, room, sizeof(*ranking->sums));
    ranking->room = room;
}

static void make_path_room(struct ranking *ranking)
{
    const struct trace_header *header = &ranking->trace->header;
    if (header->frame_count > ranking->frame_room) {
        uint32_t room = more(ranking->frame_room, header->frame_count);
        ranking->frames = grow(ranking->frames, ranking->frame_room, room, sizeof(*ranking->frames));
        ranking->frame_room = room;
    }
    if (header->node_count > ranking->node_room) {
        uint32_t room = more(ranking->node_room, header->node_count);
        ranking->nodes = grow(ranking->nodes, ranking->node_room, room, sizeof(*ranking->nodes));
        ranking->node_room = room;
    }
}

/* --- the place of a site --------------------------------------------------------------------------- */

static bool contains(const char *text, const char *part)
{
    return text && strcasestr(text, part);
}

static bool frame_matches(const struct source_frame *frame, const char *filter)
{
    char place[4096];
    if (contains(frame->function, filter) || contains(frame->module, filter))
        return true;
    if (!frame->file)
        return false;
    snprintf(place, sizeof(place), "%s:%d", frame->file, frame->line);
    return contains(place, filter);
}

static uint8_t look_at_frame(struct ranking *ranking, uint32_t number)
{
    uint8_t *verdict = &ranking->frames[number];
    if (*verdict != VERDICT_OPEN)
        return *verdict;
    struct source_frames here = symbols_resolve(ranking->symbols, number);
    *verdict = VERDICT_OUT;
    for (size_t i = 0; i < here.count && *verdict == VERDICT_OUT; i++)
        if (frame_matches(&here.frames[i], ranking->filter))
            *verdict = VERDICT_IN;
    return *verdict;
}

/* Up to the first node whose verdict is known; then all below it have theirs. */
static bool path_matches(struct ranking *ranking, uint32_t node)
{
    const struct trace_node *nodes = ranking->trace->nodes;
    uint8_t verdict = VERDICT_OPEN;
    uint32_t at = node;
    make_path_room(ranking);
    while (verdict == VERDICT_OPEN && at >= TRACE_NODE_FIRST) {
        verdict = ranking->nodes[at];
        if (verdict == VERDICT_OPEN && look_at_frame(ranking, nodes[at].frame) == VERDICT_IN)
            verdict = VERDICT_IN;
        if (verdict == VERDICT_OPEN)
            at = nodes[at].parent;
    }
    if (verdict == VERDICT_OPEN) {
        bool overflow = at == TRACE_NODE_OVERFLOW && frame_matches(&stack_overflow, ranking->filter);
        verdict = overflow ? VERDICT_IN : VERDICT_OUT;
    }
    for (uint32_t i = node; i != at; i = nodes[i].parent)
        ranking->nodes[i] = verdict;
    if (at >= TRACE_NODE_FIRST)
        ranking->nodes[at] = verdict;
    return verdict == VERDICT_IN;
}

static bool is_in(struct ranking *ranking, uint32_t site)
{
    if (ranking->is_inside) {
        struct source_frame origin = stack_origin(ranking->trace, ranking->symbols, site);
        if (groups_number(&ranking->around, &origin) != ranking->inside)
            return false;
    }
    return !ranking->filter || path_matches(ranking, ranking->trace->sites[site].node);
}

static void set_key(struct ranking *ranking, uint32_t number, uint64_t key)
{
    ranking->sum += key - ranking->keys[number];
    ranking->not_zero += (size_t)(key != 0) - (size_t)(ranking->keys[number] != 0);
    ranking->keys[number] = key;
}

static void take_figures(struct ranking *ranking, uint32_t site)
{
    const struct figures *figures = &ranking->trace->sites[site].figures;
    if (ranking->verdicts[site] != VERDICT_IN)
        return;
    if (ranking->by == BY_SITE) {
        set_key(ranking, site, metric_of(figures, ranking->metric));
        return;
    }
    uint32_t group = ranking->group_of[site];
    figures_replace(&ranking->sums[group], &ranking->seen[site], figures);
    ranking->seen[site] = *figures;
    set_key(ranking, group, metric_of(&ranking->sums[group], ranking->metric));
}

static void place_site(struct ranking *ranking, uint32_t site)
{
    ranking->verdicts[site] = is_in(ranking, site) ? VERDICT_IN : VERDICT_OUT;
    if (ranking->verdicts[site] == VERDICT_OUT)
        return;
    if (ranking->by != BY_SITE) {
        struct source_frame origin = stack_origin(ranking->trace, ranking->symbols, site);
        ranking->group_of[site] = groups_number(&ranking->groups, &origin);
        ranking->count = (uint32_t)ranking->groups.count;
        make_row_room(ranking, ranking->count);
    }
    take_figures(ranking, site);
}

/* Sites find their place without that anything is resolved. */
static bool is_simple(const struct ranking *ranking)
{
    return ranking->by == BY_SITE && !ranking->filter && !ranking->is_inside;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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
    ranking->sum = ranking->not_zero = 0;
    ranking->old.ns = ranking->new.ns = 0;
    groups_free(&ranking->groups);
    groups_start(&ranking->groups, ranking->by);
    ranking->count = ranking->by == BY_SITE ? ranking->known : 1;
    make_row_room(ranking, ranking->count);
    for (uint32_t i = 0; i < ranking->room; i++) {
        ranking->keys[i] = 0;
        ranking->sums[i] = (struct figures){0};
    }
    for (uint32_t i = 0; i < ranking->site_room; i++) {
        ranking->verdicts[i] = VERDICT_OPEN;
        ranking->seen[i] = (struct figures){0};
    }
    if (is_simple(ranking))
        ranking_work(ranking, 0);
}

struct ranking *ranking_open(const struct trace *trace, struct symbols *symbols, enum grouping by,
                             enum metric metric)
{
    struct ranking *ranking = memory_get(1, sizeof(*ranking));
    ranking->trace = trace;
    ranking->symbols = symbols;
    ranking->by = by;
    ranking->metric = metric;
    ranking->known = 1;
    groups_start(&ranking->groups, by);
    restart(ranking);
    return ranking;
}

void ranking_close(struct ranking *ranking)
{
    ranking_leave(ranking);
    groups_free(&ranking->groups);
    free(ranking->filter);
    free(ranking->verdicts);
    free(ranking->group_of);
    free(ranking->seen);
    free(ranking->sums);
    free(ranking->keys);
    free(ranking->old.keys);
    free(ranking->new.keys);
    free(ranking->frames);
    free(ranking->nodes);
    free(ranking->top);
    free(ranking);
}

enum grouping ranking_by(const struct ranking *ranking)
{
    return ranking->by;
}

enum metric ranking_metric(const struct ranking *ranking)
{
    return ranking->metric;
}

void ranking_group(struct ranking *ranking, enum grouping by)
{
    ranking->by = by;
    restart(ranking);
}

/* The sites keep their places. */
void ranking_sort(struct ranking *ranking, enum metric metric)
{
    ranking->metric = metric;
    ranking->top_is_old = true;
    ranking->old.ns = ranking->new.ns = 0;
    for (uint32_t i = 1; i < ranking->count; i++) {
        bool in = ranking->by != BY_SITE || ranking->verdicts[i] == VERDICT_IN;
        const struct figures *figures =
            ranking->by == BY_SITE ? &ranking->trace->sites[i].figures : &ranking->sums[i];
        set_key(ranking, i, in ? metric_of(figures, metric) : 0);
    }
}

void ranking_filter(struct ranking *ranking, const char *text)
{
    free(ranking->filter);
    ranking->filter = *text ? strdup(text) : NULL;
    if (ranking->frame_room)
        memset(ranking->frames, VERDICT_OPEN, ranking->frame_room);
    if (ranking->node_room)
        memset(ranking->nodes, VERDICT_OPEN, ranking->node_room);
    restart(ranking);
}

void ranking_enter(struct ranking *ranking, const struct ranked *group)
{
    struct source_frame frame = *group->frame;
    groups_free(&ranking->around);
    groups_start(&ranking->around, ranking->by);
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
    if (ranking->by == BY_SITE && ranking->count < ranking->known) {
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

uint64_t ranking_sum(const struct ranking *ranking)
{
    return ranking->sum;
}

size_t ranking_count(const struct ranking *ranking)
{
    return ranking->not_zero;
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
        if (!keys[i] || (count == limit && keys[i] <= keys[heap[0].number]))
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
    bool is_site = ranking->by == BY_SITE;
    row->site = is_site ? number : 0;
    row->frame = is_site ? NULL : groups_frame(&ranking->groups, number);
    row->figures = is_site ? &ranking->trace->sites[number].figures : &ranking->sums[number];
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
