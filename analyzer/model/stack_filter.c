// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* strcasestr */
#include "model/stack_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

enum verdict { VERDICT_OPEN, VERDICT_OUT, VERDICT_IN };

void stack_filter_set(struct stack_filter *filter, const char *text)
{
    free(filter->text);
    filter->text = *text ? strdup(text) : NULL;
    if (filter->frame_room)
        memset(filter->frames, VERDICT_OPEN, filter->frame_room);
    if (filter->node_room)
        memset(filter->nodes, VERDICT_OPEN, filter->node_room);
}

void stack_filter_free(struct stack_filter *filter)
{
    free(filter->text);
    free(filter->frames);
    free(filter->nodes);
    *filter = (struct stack_filter){0};
}

static uint32_t make_more(uint8_t **verdicts, uint32_t room, uint32_t wanted)
{
    if (wanted <= room)
        return room;
    if (wanted < UINT32_MAX / 2)
        wanted *= 2;
    *verdicts = memory_widen(*verdicts, room, wanted, 1);
    return wanted;
}

/* The trace may have grown. */
static void make_room(struct stack_filter *filter, const struct trace_header *header)
{
    filter->frame_room = make_more(&filter->frames, filter->frame_room, header->frame_count);
    filter->node_room = make_more(&filter->nodes, filter->node_room, header->node_count);
}

static bool contains(const char *text, const char *part)
{
    return text && strcasestr(text, part);
}

static bool frame_matches(const struct source_frame *frame, const char *text)
{
    char place[4096];
    if (contains(frame->function, text) || contains(frame->module, text))
        return true;
    if (!frame->file)
        return false;
    snprintf(place, sizeof(place), "%s:%d", frame->file, frame->line);
    return contains(place, text);
}

static uint8_t look_at_frame(struct stack_filter *filter, struct symbols *symbols, uint32_t number)
{
    uint8_t *verdict = &filter->frames[number];
    if (*verdict != VERDICT_OPEN)
        return *verdict;
    struct source_frames here = symbols_resolve(symbols, number);
    *verdict = VERDICT_OUT;
    for (size_t i = 0; i < here.count && *verdict == VERDICT_OUT; i++)
        if (frame_matches(&here.frames[i], filter->text))
            *verdict = VERDICT_IN;
    return *verdict;
}

/* Up to the first node whose verdict is known; then all below it have theirs. */
static bool path_matches(struct stack_filter *filter, const struct scope *scope, uint32_t node)
{
    const struct trace_node *nodes = scope->trace->nodes;
    uint8_t verdict = VERDICT_OPEN;
    uint32_t at = node;
    make_room(filter, &scope->trace->header);
    while (verdict == VERDICT_OPEN && at >= TRACE_NODE_FIRST) {
        verdict = filter->nodes[at];
        if (verdict == VERDICT_OPEN && look_at_frame(filter, scope->symbols, nodes[at].frame) == VERDICT_IN)
            verdict = VERDICT_IN;
        if (verdict == VERDICT_OPEN)
            at = nodes[at].parent;
    }
    if (verdict == VERDICT_OPEN) {
        bool overflow = at == TRACE_NODE_OVERFLOW && frame_matches(&stack_overflow, filter->text);
        verdict = overflow ? VERDICT_IN : VERDICT_OUT;
    }
    for (uint32_t i = node; i != at; i = nodes[i].parent)
        filter->nodes[i] = verdict;
    if (at >= TRACE_NODE_FIRST)
        filter->nodes[at] = verdict;
    return verdict == VERDICT_IN;
}

/* Where the view shows stacks other than they were recorded, the text is sought in what it shows. */
bool stack_filter_passes(struct stack_filter *filter, struct scope *scope, uint32_t site)
{
    if (!filter->text)
        return true;
    if (!view_reshapes(scope->view))
        return path_matches(filter, scope, scope->trace->sites[site].node);
    struct scope_stack stack = scope_stack(scope, site);
    for (size_t i = 0; i < stack.count; i++)
        if (frame_matches(&stack.frames[i]->source, filter->text))
            return true;
    return false;
}
