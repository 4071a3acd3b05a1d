// SPDX-License-Identifier: MIT
#include "model/scope.h"

#include <stdlib.h>
#include <string.h>

enum verdict { VERDICT_OPEN, VERDICT_IN, VERDICT_OUT };

/* A frame of the trace: itself, and what is inlined there. */
struct scope_frames {
    struct scope_frame *all; /* innermost first; null: not met yet */
    size_t count;
};

static struct scope_frame look_at(const struct view *view, const struct source_frame *frame)
{
    return (struct scope_frame){
        .source = *frame,
        .runtime = stack_is_runtime(frame),
        .from = patterns_match(&view->from, frame),
        .hidden = patterns_match(&view->hide, frame),
        .filtered = patterns_match(&view->filter, frame),
        .excluded = patterns_match(&view->exclude, frame),
        .marked = patterns_match(&view->marked, frame),
    };
}

static void name_domain(struct scope_domain *domain)
{
    domain_name(domain->domain, domain->name);
    domain->frame = (struct scope_frame){.source = {.module = domain->name}};
}

void scope_open(struct scope *scope, const struct view *view, const struct trace *trace,
                struct symbols *symbols)
{
    static const struct source_frame hidden = {.function = "[hidden]"}, unknown;
    *scope = (struct scope){.view = view, .trace = trace, .symbols = symbols};
    groups_start(&scope->groups, view->by);
    scope->overflow = look_at(view, &stack_overflow);
    scope->unknown = look_at(view, &unknown);
    scope->hidden = (struct scope_frame){.source = hidden};
    name_domain(&scope->heap);
}

/* Room for as many as the trace has by now. */
static void *grow(void *array, uint32_t *room, uint32_t count, size_t size)
{
    uint32_t wanted = *room && count < UINT32_MAX / 2 ? 2 * count : count;
    void *moved = memory_widen(array, *room, wanted, size);
    *room = wanted;
    return moved;
}

void scope_regroup(struct scope *scope)
{
    groups_free(&scope->groups);
    groups_start(&scope->groups, scope->view->by);
    scope->overflow.group = scope->unknown.group = scope->hidden.group = scope->heap.frame.group = 0;
    for (uint32_t i = 0; i < scope->domain_room; i++)
        if (scope->domains[i])
            scope->domains[i]->frame.group = 0;
    for (uint32_t i = 0; i < scope->frame_room; i++)
        for (size_t j = 0; j < scope->known[i].count; j++)
            scope->known[i].all[j].group = 0;
}

void scope_close(struct scope *scope)
{
    for (uint32_t i = 0; i < scope->frame_room; i++)
        free(scope->known[i].all);
    free(scope->known);
    free(scope->verdicts);
    free(scope->frames);
    for (uint32_t i = 0; i < scope->domain_room; i++)
        free(scope->domains[i]);
    free(scope->domains);
    free(scope->outermost);
    groups_free(&scope->groups);
    *scope = (struct scope){0};
}

static const struct scope_frames *frames_of(struct scope *scope, uint32_t number)
{
    if (number >= scope->frame_room)
        scope->known =
            grow(scope->known, &scope->frame_room, scope->trace->header.frame_count, sizeof(*scope->known));
    struct scope_frames *frames = &scope->known[number];
    if (frames->all)
        return frames;
    struct source_frames here = symbols_resolve(scope->symbols, number);
    frames->all = memory_get(here.count, sizeof(*frames->all));
    frames->count = here.count;
    for (size_t i = 0; i < here.count; i++)
        frames->all[i] = look_at(scope->view, &here.frames[i]);
    return frames;
}

/* --- stacks -------------------------------------------------------------------------------------------- */

/* A stack while it is walked from inside. */
struct walk {
    bool brief;         /* no further than the frame that allocations are attributed to */
    bool found;         /* a frame of `from` */
    bool cut;           /* something was hidden */
    bool full;          /* deeper than any that is recorded */
    size_t below, seen; /* frames up to the outermost of `from`; all that were seen */
};

/* False: no more is wanted. */
static bool push(struct scope *scope, struct walk *walk, const struct scope_frame *frame)
{
    bool done = false;
    walk->full = walk->seen++ == STACK_DEEPEST;
    if (walk->full)
        return false;
    if (frame->hidden) {
        walk->cut = true;
    } else {
        scope->frames = memory_grow(scope->frames, scope->count, &scope->capacity, sizeof(*scope->frames));
        scope->frames[scope->count++] = frame;
        done = walk->brief && !frame->runtime;
    }
    if (frame->from) {
        walk->found = true;
        walk->below = scope->count;
    }
    return !done;
}

static void walk_site(struct scope *scope, struct walk *walk, uint32_t site)
{
    const struct trace *trace = scope->trace;
    uint32_t node = stack_innermost(trace, site);
    scope->count = 0;
    for (; node >= TRACE_NODE_FIRST; node = trace->nodes[node].parent) {
        const struct scope_frames *here = frames_of(scope, trace->nodes[node].frame);
        for (size_t i = 0; i < here->count; i++)
            if (!push(scope, walk, &here->all[i]))
                return;
    }
    if (node == TRACE_NODE_OVERFLOW)
        push(scope, walk, &scope->overflow);
}

/* Into scope->frames; false: nothing of it is below `from`. */
static bool see_site(struct scope *scope, struct walk *walk, uint32_t site)
{
    bool from = scope->view->from.count;
    walk->brief &= !from;
    walk_site(scope, walk, site);
    if (from && !walk->found)
        return false;
    if (from)
        scope->count = walk->below;
    if (!scope->count) {
        scope->frames = memory_grow(scope->frames, 0, &scope->capacity, sizeof(*scope->frames));
        scope->frames[scope->count++] = walk->cut ? &scope->hidden : &scope->unknown;
    }
    return true;
}

static size_t origin_of(const struct scope *scope)
{
    size_t origin = 0;
    while (origin + 1 < scope->count && scope->frames[origin]->runtime)
        origin++;
    return origin;
}

/* --- domains ------------------------------------------------------------------------------------------- */

/* A node's parent has a smaller number: its outermost frame is known. */
static void look_outside(struct scope *scope)
{
    const struct trace *trace = scope->trace;
    uint32_t count = trace->header.node_count;
    if (count > scope->outermost_room)
        scope->outermost = grow(scope->outermost, &scope->outermost_room, count, sizeof(*scope->outermost));
    for (uint32_t i = scope->outermost_count; i < count; i++) {
        uint32_t parent = trace->nodes[i].parent;
        if (i >= TRACE_NODE_FIRST)
            scope->outermost[i] = parent >= TRACE_NODE_FIRST ? scope->outermost[parent]
                                                             : trace->frames[trace->nodes[i].frame].module;
    }
    scope->outermost_count = count;
}

static struct scope_domain *new_domain(struct domain which)
{
    struct scope_domain *domain = memory_get(1, sizeof(*domain));
    domain->domain = which;
    name_domain(domain);
    return domain;
}

const struct scope_domain *scope_domain(struct scope *scope, uint32_t site)
{
    const struct trace *trace = scope->trace;
    uint32_t node = trace->sites[site].node;
    if (node >= scope->outermost_count)
        look_outside(scope);
    uint32_t module = scope->outermost[node];
    if (!module)
        return &scope->heap;
    if (module >= scope->domain_room)
        scope->domains =
            grow(scope->domains, &scope->domain_room, trace->header.module_count, sizeof(*scope->domains));
    if (scope->domains[module])
        return scope->domains[module];
    struct domain domain = domain_of_module(trace->module_paths[module]);
    if (domain.kind == DOMAIN_HEAP)
        return &scope->heap;
    scope->domains[module] = new_domain(domain);
    return scope->domains[module];
}

static bool is_of_domain(struct scope *scope, uint32_t site)
{
    const struct domains *domains = &scope->view->domains;
    return !domains->count || domains_have(domains, scope_domain(scope, site)->domain);
}

/* --- filters ------------------------------------------------------------------------------------------- */

static bool passes(const struct scope *scope)
{
    bool filtered = !scope->view->filter.count, excluded = false;
    bool all = scope->view->all_frames;
    for (size_t i = all ? 0 : origin_of(scope); i < scope->count; i++) {
        filtered |= scope->frames[i]->filtered;
        excluded |= scope->frames[i]->excluded;
        if (!all)
            break;
    }
    return filtered && !excluded;
}

bool scope_has(struct scope *scope, uint32_t site)
{
    if (!view_selects(scope->view))
        return true;
    if (site >= scope->site_room)
        scope->verdicts = grow(scope->verdicts, &scope->site_room, scope->trace->header.site_count,
                               sizeof(*scope->verdicts));
    if (scope->verdicts[site] == VERDICT_OPEN) {
        struct walk walk = {.brief = !scope->view->all_frames};
        scope->verdicts[site] = is_of_domain(scope, site) && see_site(scope, &walk, site) && passes(scope)
                                    ? VERDICT_IN
                                    : VERDICT_OUT;
    }
    return scope->verdicts[site] == VERDICT_IN;
}

struct selection scope_select(struct scope *scope)
{
    struct selection selection = {0};
    for (uint32_t i = 1; i < scope->trace->header.site_count; i++) {
        const struct figures *figures = &scope->trace->sites[i].figures;
        if (!figures_any(figures))
            continue;
        selection.of++;
        if (!scope_has(scope, i))
            continue;
        selection.sites++;
        figures_add(&selection.figures, figures);
    }
    return selection;
}

/* --- answers ------------------------------------------------------------------------------------------- */

struct scope_stack scope_stack(struct scope *scope, uint32_t site)
{
    struct walk walk = {0};
    see_site(scope, &walk, site);
    bool outer_end = !scope->view->from.count;
    return (struct scope_stack){.frames = scope->frames,
                                .count = scope->count,
                                .origin = origin_of(scope),
                                .truncated = walk.full || (outer_end && scope->trace->sites[site].truncated)};
}

const struct scope_frame *scope_origin(struct scope *scope, uint32_t site)
{
    struct walk walk = {.brief = true};
    see_site(scope, &walk, site);
    return scope->frames[origin_of(scope)];
}

const struct scope_frame *scope_grouped(struct scope *scope, uint32_t site, enum grouping by)
{
    return by == BY_DOMAIN ? &scope_domain(scope, site)->frame : scope_origin(scope, site);
}

/* Frames are handed out as they are; only their number is noted in them. */
uint32_t scope_group(struct scope *scope, const struct scope_frame *frame)
{
    struct scope_frame *noted = (struct scope_frame *)frame;
    if (!noted->group)
        noted->group = groups_number(&scope->groups, &noted->source);
    return noted->group;
}

void scope_copy(struct scope *scope, uint32_t site, struct stack *stack)
{
    struct scope_stack seen = scope_stack(scope, site);
    stack->count = 0;
    stack->origin = seen.origin;
    stack->truncated = seen.truncated;
    for (size_t i = 0; i < seen.count; i++) {
        stack->frames = memory_grow(stack->frames, stack->count, &stack->capacity, sizeof(*stack->frames));
        stack->frames[stack->count++] = seen.frames[i]->source;
    }
}
