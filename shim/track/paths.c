// SPDX-License-Identifier: MIT
#include "paths.h"
#include "counters.h"
#include "../base/life.h"
#include "../base/map.h"
#include "../base/options.h"
#include "../base/records.h"
#include "../unwind/frames.h"

enum {
    NODES_PER_SECTION = 1024,
    SITES_PER_SECTION = 512,
    NODES_MAX = 1 << 26,
    SITE_OVERFLOW = 1,
    FIRST_SLOTS = 1024,
};

static struct records nodes = {
    .type = TRACE_NODES, .size = sizeof(struct trace_node), .per_section = NODES_PER_SECTION, .max = NODES_MAX,
};
static struct records sites = {
    .type = TRACE_SITES, .size = sizeof(struct trace_site), .per_section = SITES_PER_SECTION, .max = SITES_MAX,
};

/* --- nodes ------------------------------------------------------------------------------------------- */

/*
 * (parent, frame) -> (node, site or 0), in 32 bits each.  The hash is one of the whole path, not of the parent's
 * number: with that each look-up waited for the one before, for what lies in no near cache.  That was most of the
 * cost of a program with many call paths.
 */
static uint32_t hash_of_entry(uint64_t key, uint64_t value);
static struct map known = {.hash = hash_of_entry};

struct node {
    uint32_t number, site;
};

static inline uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static uint32_t hash_of_entry(uint64_t key, uint64_t value)
{
    (void)key;
    return ((const struct trace_node *)record_at(&nodes, (uint32_t)value))->hash;
}

static const struct node no_room = {TRACE_NODE_OVERFLOW, SITE_OVERFLOW};

/* The next four: under world.tables. */
static struct node add_node(uint32_t parent, uint32_t frame, uint32_t hash)
{
    struct trace_node *node = records_room(&nodes);
    if (!node || !map_put(&known, pair(parent, frame), hash, pair(0, nodes.count)))
        return no_room;
    *node = (struct trace_node){.parent = parent, .frame = frame, .hash = hash};
    return (struct node){.number = records_done(&nodes, &file_header->node_count)};
}

/* A fork's parent may have written a number of its own there, before the child had a file. */
static bool is_site_of(uint32_t site, uint32_t node)
{
    return site && site < sites.count && ((const struct trace_site *)record_at(&sites, site))->node == node;
}

static uint32_t site_number(uint32_t node_of_site)
{
    struct trace_node *node = record_at(&nodes, node_of_site);
    if (is_site_of(node->site, node_of_site))
        return node->site;
    struct trace_site *site = records_room(&sites);
    if (!site)
        return SITE_OVERFLOW;
    site->node = node_of_site;
    node->site = records_done(&sites, &file_header->site_count);
    return node->site;
}

static struct node find_slowly(uint32_t parent, uint32_t frame, uint32_t hash, bool want_site)
{
    struct node node = no_room;
    tables_take();
    uint64_t value = map_get(&known, pair(parent, frame), hash);
    if (value)
        node = (struct node){(uint32_t)value, (uint32_t)(value >> 32)};
    else if (parent != TRACE_NODE_OVERFLOW && frame)
        node = add_node(parent, frame, hash);
    if (want_site && !node.site) {
        node.site = site_number(node.number);
        map_put(&known, pair(parent, frame), hash, pair(node.site, node.number));
    }
    if (node.site == SITE_OVERFLOW)
        file_header->flags |= TRACE_TABLES_FULL;
    tables_drop();
    return node;
}

static inline struct node find(uint32_t parent, uint32_t frame, uint32_t hash, bool want_site)
{
    uint64_t value = map_get(&known, pair(parent, frame), hash);
    if (likely(value && (!want_site || value >> 32)))
        return (struct node){(uint32_t)value, (uint32_t)(value >> 32)};
    return find_slowly(parent, frame, hash, want_site);
}

bool paths_start(void)
{
    walk_paths = &known;
    return frames_start() && map_start(&known, FIRST_SLOTS) &&
           records_start(&nodes, TRACE_NODE_FIRST, &file_header->node_count) &&
           records_start(&sites, 1, &file_header->site_count) &&
           site_number(TRACE_NODE_OVERFLOW) == SITE_OVERFLOW;
}

void paths_child(void)
{
    frames_child();
    file_header->node_count = nodes.count;
    file_header->site_count = sites.count;
}

/* --- stacks ------------------------------------------------------------------------------------------ */

static uint32_t node_outside(const struct stack_memo *stack, uint32_t i)
{
    if (i)
        return stack->frames[i - 1].node;
    return stack->cut ? TRACE_NODE_TRUNCATED : TRACE_NODE_ROOT;
}

static inline uint32_t frame_of(struct thread *self, const struct kept_frame *kept)
{
    return likely(kept->frame) ? kept->frame : frames_number_of(self, kept->at.lookup);
}

/* Gives the frames that have none their nodes, and the innermost its site. */
static uint32_t name_stack(struct thread *self, struct stack_memo *stack)
{
    uint32_t last = stack->count - 1, i = stack->known < last ? stack->known : last;
    uint32_t outer = node_outside(stack, i), hash = i ? stack->frames[i - 1].hash : 0;
    struct node node = no_room;
    for (; i <= last; i++) {
        struct kept_frame *kept = &stack->frames[i];
        uint32_t frame = frame_of(self, kept);
        if (unlikely(!kept->hash))
            kept->hash = path_hash(hash, frame);
        hash = kept->hash;
        node = find(outer, frame, hash, i == last);
        kept->node = outer = node.number;
    }
    stack->known = stack->count;
    stack->site = node.site;
    return node.site;
}

uint32_t paths_site(struct thread *self, struct frame_state from)
{
    struct stack_memo *stack = walk(self, from, __atomic_load_n(&options.depth, __ATOMIC_RELAXED));
    if (unlikely(!stack))
        return SITE_OVERFLOW;
    if (likely(stack->site))
        return stack->site;
    return name_stack(self, stack);
}

uint32_t paths_site_below(struct thread *self, uint32_t frame, struct frame_state from)
{
    struct stack_memo *stack = walk(self, from, __atomic_load_n(&options.depth, __ATOMIC_RELAXED));
    if (unlikely(!stack))
        return SITE_OVERFLOW;
    uint32_t hash = path_hash(0, frame);
    struct node node = find(node_outside(stack, 0), frame, hash, false);
    for (uint32_t i = 0; i < stack->count; i++) {
        frame = frame_of(self, &stack->frames[i]);
        hash = path_hash(hash, frame);
        node = find(node.number, frame, hash, i + 1 == stack->count);
    }
    return node.site;
}

uint32_t paths_site_of_caller(struct thread *self, uint32_t below, uintptr_t lookup)
{
    uint32_t frame = frames_number_of(self, lookup), outer = TRACE_NODE_ROOT, hash = 0;
    if (below) {
        hash = path_hash(0, below);
        outer = find(outer, below, hash, false).number;
    }
    return find(outer, frame, path_hash(hash, frame), true).site;
}

int paths_addresses(uint32_t site, void **addresses, int n)
{
    const struct trace_site *record = record_at(&sites, site);
    int count = 0;
    for (uint32_t number = record->node; number >= TRACE_NODE_FIRST; count++) {
        const struct trace_node *node = record_at(&nodes, number);
        if (count < n)
            addresses[count] = (void *)modules_address(frames_place(node->frame));
        number = node->parent;
    }
    return count;
}
