// SPDX-License-Identifier: MIT
#include "model/common_paths.h"

#include <obstack.h>
#include <stdlib.h>
#include <uthash.h>

#include "model/place_numbers.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

/* A frame that both traces know by its address, in the newer one's terms. */
struct exact {
    UT_hash_handle hh;
    struct {
        uint64_t offset;
        uint32_t module, flags;
    } key;
    uint32_t number;
};

/* A path called from another. */
struct edge {
    UT_hash_handle hh;
    struct {
        uint32_t caller, frame;
    } key;
    uint32_t path;
};

/* A frame of one trace as numbers: itself, or what is inlined there, outermost first. */
struct numbers {
    uint32_t *all; /* null: not asked for yet */
    size_t count;
};

struct common_paths {
    struct scope *scope[SIDES];
    const struct translation *translation;
    struct numbers *frames[SIDES];
    struct place_numbers places; /* numbers the exact ones, too */
    struct exact *exact;
    struct edge *edges;
    uint32_t count;
    struct obstack memory;
};

struct common_paths *common_paths_open(struct scope *const scope[SIDES],
                                       const struct translation *translation)
{
    struct common_paths *paths = memory_get(1, sizeof(*paths));
    *paths =
        (struct common_paths){.translation = translation, .places = {.next = 1}, .count = TRACE_NODE_FIRST};
    obstack_init(&paths->memory);
    for (enum side side = OLD; side < SIDES; side++) {
        paths->scope[side] = scope[side];
        paths->frames[side] =
            memory_get(scope[side]->trace->header.frame_count, sizeof(*paths->frames[side]));
    }
    return paths;
}

void common_paths_close(struct common_paths *paths)
{
    HASH_CLEAR(hh, paths->exact);
    HASH_CLEAR(hh, paths->edges);
    place_numbers_free(&paths->places);
    for (enum side side = OLD; side < SIDES; side++)
        free(paths->frames[side]);
    obstack_free(&paths->memory, NULL);
    free(paths);
}

uint32_t common_paths_count(const struct common_paths *paths)
{
    return paths->count;
}

static uint32_t call(struct common_paths *paths, uint32_t caller, uint32_t frame)
{
    struct edge *edge, wanted = {.key = {caller, frame}};
    HASH_FIND(hh, paths->edges, &wanted.key, sizeof(wanted.key), edge);
    if (edge)
        return edge->path;
    edge = obstack_alloc(&paths->memory, sizeof(*edge));
    *edge = (struct edge){.key = wanted.key, .path = paths->count++};
    HASH_ADD(hh, paths->edges, key, sizeof(edge->key), edge);
    return edge->path;
}

/* --- frames -------------------------------------------------------------------------------------------- */

static uint32_t exact_number(struct common_paths *paths, const struct trace_frame *frame, uint32_t module)
{
    struct exact *exact, wanted = {.key = {frame->offset, module, frame->flags}};
    HASH_FIND(hh, paths->exact, &wanted.key, sizeof(wanted.key), exact);
    if (exact)
        return exact->number;
    exact = obstack_alloc(&paths->memory, sizeof(*exact));
    *exact = (struct exact){.key = wanted.key, .number = paths->places.next++};
    HASH_ADD(hh, paths->exact, key, sizeof(exact->key), exact);
    return exact->number;
}

/* Code that was made at run time lies wherever there was room. */
static struct source_frame place_of(const struct source_frame *place, const struct trace_frame *frame)
{
    return frame->module ? *place : (struct source_frame){0};
}

static const struct numbers *numbers_of(struct common_paths *paths, enum side side, uint32_t number)
{
    struct numbers *numbers = &paths->frames[side][number];
    if (numbers->all)
        return numbers;
    const struct trace_frame *frame = &paths->scope[side]->trace->frames[number];
    uint32_t module = side == NEW
                          ? translation_old_module(paths->translation, frame->module) ? frame->module : 0
                          : translation_module(paths->translation, frame->module);
    struct source_frames here = {.count = 1};
    if (!module)
        here = symbols_resolve(paths->scope[side]->symbols, number);
    numbers->all = obstack_alloc(&paths->memory, here.count * sizeof(*numbers->all));
    numbers->count = here.count;
    if (module)
        numbers->all[0] = exact_number(paths, frame, module);
    for (size_t i = 0; !module && i < here.count; i++) {
        struct source_frame place = place_of(&here.frames[here.count - 1 - i], frame);
        numbers->all[i] = place_number(&paths->places, &place);
    }
    return numbers;
}

/* --- whole stacks -------------------------------------------------------------------------------------- */

#define WANTED UINT32_MAX

static bool is_wanted(struct scope *scope, uint32_t site)
{
    return figures_any(&scope->trace->sites[site].figures) && scope_has(scope, site);
}

/* By node, its path, or 0. */
static uint32_t *number_nodes(struct common_paths *paths, enum side side)
{
    struct scope *scope = paths->scope[side];
    const struct trace *trace = scope->trace;
    uint32_t *numbered = memory_get(trace->header.node_count, sizeof(*numbered));
    for (uint32_t site = 1; site < trace->header.site_count; site++) {
        uint32_t node = is_wanted(scope, site) ? stack_innermost(trace, site) : TRACE_NODE_NONE;
        for (; node >= TRACE_NODE_FIRST && !numbered[node]; node = trace->nodes[node].parent)
            numbered[node] = WANTED;
    }
    for (uint32_t root = TRACE_NODE_ROOT; root < TRACE_NODE_FIRST && root < trace->header.node_count; root++)
        numbered[root] = root;
    for (uint32_t node = TRACE_NODE_FIRST; node < trace->header.node_count; node++) {
        if (numbered[node] != WANTED)
            continue;
        const struct numbers *frames = numbers_of(paths, side, trace->nodes[node].frame);
        uint32_t path = numbered[trace->nodes[node].parent];
        for (size_t i = 0; i < frames->count; i++)
            path = call(paths, path, frames->all[i]);
        numbered[node] = path;
    }
    return numbered;
}

static void number_whole(struct common_paths *paths, enum side side, uint32_t *sites)
{
    struct scope *scope = paths->scope[side];
    uint32_t *nodes = number_nodes(paths, side);
    for (uint32_t site = 1; site < scope->trace->header.site_count; site++)
        if (is_wanted(scope, site))
            sites[site] = nodes[stack_innermost(scope->trace, site)];
    free(nodes);
}

/* --- what a view leaves of them ------------------------------------------------------------------------ */

static void number_seen(struct common_paths *paths, enum side side, uint32_t *sites)
{
    struct scope *scope = paths->scope[side];
    for (uint32_t site = 1; site < scope->trace->header.site_count; site++) {
        if (!is_wanted(scope, site))
            continue;
        struct scope_stack stack = scope_stack(scope, site);
        uint32_t path = stack.truncated ? TRACE_NODE_TRUNCATED : TRACE_NODE_ROOT;
        for (size_t i = stack.count; i-- > 0;)
            path = call(paths, path, place_number(&paths->places, &stack.frames[i]->source));
        sites[site] = path;
    }
}

uint32_t *common_paths_of_sites(struct common_paths *paths, enum side side)
{
    struct scope *scope = paths->scope[side];
    uint32_t *sites = memory_get(scope->trace->header.site_count, sizeof(*sites));
    if (view_reshapes(scope->view))
        number_seen(paths, side, sites);
    else
        number_whole(paths, side, sites);
    return sites;
}
