// SPDX-License-Identifier: MIT
#include "model/paths.h"

#include <stdlib.h>

#define DEEPEST (1u << 18) /* four times the largest depth that can be asked for */

static uint32_t first_new(uint32_t known, uint32_t first)
{
    return known > first ? known : first;
}

static bool check_frames(const struct trace *trace, uint32_t from, struct failure *why)
{
    for (uint32_t i = from; i < trace->header.frame_count; i++)
        if (trace->frames[i].module && trace->frames[i].module >= trace->header.module_count)
            return failure_set(why, "is damaged: frame %u is in no module", i);
    return true;
}

/* Every path leads to a root, since parents have smaller numbers. */
static bool check_nodes(struct paths *paths, const struct trace *trace, uint32_t from, struct failure *why)
{
    const struct trace_header *header = &trace->header;
    for (uint32_t i = from; i < header->node_count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        if (i < TRACE_NODE_FIRST) {
            paths->roots[i] = (uint8_t)i;
            continue;
        }
        if (node->parent == TRACE_NODE_NONE || node->parent >= i)
            return failure_set(why, "is damaged: call path %u has no caller", i);
        if (node->frame == 0 || node->frame >= header->frame_count)
            return failure_set(why, "is damaged: call path %u has no frame", i);
        paths->roots[i] = paths->roots[node->parent];
        paths->depths[i] = paths->depths[node->parent] + 1;
        if (paths->depths[i] > DEEPEST)
            return failure_set(why, "is damaged: call path %u is endless", i);
    }
    return true;
}

static bool check_sites(const struct paths *paths, struct trace *trace, uint32_t from, struct failure *why)
{
    for (uint32_t i = from; i < trace->header.site_count; i++) {
        struct site *site = &trace->sites[i];
        if (site->node == TRACE_NODE_NONE || site->node >= trace->header.node_count)
            return failure_set(why, "is damaged: site %u has no call path", i);
        site->truncated = paths->roots[site->node] != TRACE_NODE_ROOT;
    }
    return true;
}

bool paths_check(struct paths *paths, struct trace *trace, const struct trace_header *known,
                 struct failure *why)
{
    return check_frames(trace, first_new(known->frame_count, 1), why) &&
           check_nodes(paths, trace, first_new(known->node_count, 1), why) &&
           check_sites(paths, trace, first_new(known->site_count, 1), why);
}

void paths_free(struct paths *paths)
{
    free(paths->roots);
    free(paths->depths);
    *paths = (struct paths){0};
}
