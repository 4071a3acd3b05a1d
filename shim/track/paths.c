// SPDX-License-Identifier: MIT
#include "paths.h"
#include "counters.h"
#include "../base/hash.h"
#include "../base/life.h"
#include "../base/options.h"
#include <string.h>

enum {
    NODES_PER_SECTION = 1024,
    FRAMES_PER_SECTION = 512,
    SITES_PER_SECTION = 512,
    NODES_MAX = 1 << 26,
    FRAMES_MAX = 1 << 24,
    SITE_OVERFLOW = 1,
};

/* --- records ----------------------------------------------------------------------------------------- */

/*
 * A table of the file: where its sections are in memory, and how many records it has.  The count in the
 * header is a copy: after a fork the parent goes on counting there until the child has its own file.
 */
struct records {
    enum trace_section_type type;
    uint32_t size, per_section, max;
    uint32_t count;
    char **sections;
};

static struct records nodes = {
    .type = TRACE_NODES, .size = sizeof(struct trace_node), .per_section = NODES_PER_SECTION, .max = NODES_MAX,
};
static struct records frames = {
    .type = TRACE_FRAMES, .size = sizeof(struct trace_frame), .per_section = FRAMES_PER_SECTION, .max = FRAMES_MAX,
};
static struct records sites = {
    .type = TRACE_SITES, .size = sizeof(struct trace_site), .per_section = SITES_PER_SECTION, .max = SITES_MAX,
};

static void *record(const struct records *table, uint32_t number)
{
    return table->sections[number / table->per_section] + (size_t)(number % table->per_section) * table->size;
}

/* Room for the next record; null when there is none. */
static void *record_room(struct records *table)
{
    uint32_t number = table->count;
    if (number >= table->max)
        return NULL;
    char **section = &table->sections[number / table->per_section];
    if (!*section) {
        struct trace_section *made =
            file_section(table->type, table->size, table->per_section, number - number % table->per_section, 0);
        if (!made)
            return NULL;
        *section = (char *)(made + 1);
    }
    return record(table, number);
}

/* The next record is complete; returns its number. */
static uint32_t record_done(struct records *table, uint32_t *header_count)
{
    uint32_t number = table->count++;
    __atomic_store_n(header_count, table->count, __ATOMIC_RELEASE);
    return number;
}

static bool records_start(struct records *table, uint32_t first, uint32_t *header_count)
{
    table->sections = arena_reserve(table->max / table->per_section * sizeof *table->sections);
    if (!table->sections || !record_room(table))
        return false;
    *header_count = table->count = first;
    return true;
}

/* --- the authoritative tables ------------------------------------------------------------------------ */

struct frame_key {
    uint64_t offset;
    uint32_t module, flags;
};
struct known_frame {
    struct frame_key key;
    uint32_t number;
    UT_hash_handle hh;
};

struct node_key {
    uint32_t parent, frame;
};
struct known_node {
    struct node_key key;
    uint32_t number;
    UT_hash_handle hh;
};

static struct known_frame *known_frames;
static struct known_node *known_nodes;

/* The number of a frame, 0 when there is no room.  Under world.tables, as all below. */
static uint32_t frame_number(uintptr_t lookup)
{
    struct code_place place = modules_place(lookup & ~LOOKUP_EXACT);
    struct frame_key key = {place.offset, place.module, lookup & LOOKUP_EXACT ? TRACE_FRAME_EXACT : 0};
    struct known_frame *known;
    HASH_FIND(hh, known_frames, &key, sizeof key, known);
    if (known)
        return known->number;
    struct trace_frame *frame = record_room(&frames);
    if (!frame || !(known = arena_alloc(sizeof *known)))
        return 0;
    *known = (struct known_frame){.key = key, .number = frames.count};
    HASH_ADD(hh, known_frames, key, sizeof key, known);
    if (!known->hh.tbl)
        return 0;
    *frame = (struct trace_frame){place.module, key.flags, place.offset};
    return record_done(&frames, &file_header->frame_count);
}

static uint32_t node_number(uint32_t parent, uint32_t frame)
{
    struct node_key key = {parent, frame};
    struct known_node *known;
    if (!frame)
        return TRACE_NODE_OVERFLOW;
    HASH_FIND(hh, known_nodes, &key, sizeof key, known);
    if (known)
        return known->number;
    struct trace_node *node = record_room(&nodes);
    if (!node || !(known = arena_alloc(sizeof *known)))
        return TRACE_NODE_OVERFLOW;
    *known = (struct known_node){.key = key, .number = nodes.count};
    HASH_ADD(hh, known_nodes, key, sizeof key, known);
    if (!known->hh.tbl)
        return TRACE_NODE_OVERFLOW;
    *node = (struct trace_node){.parent = parent, .frame = frame};
    return record_done(&nodes, &file_header->node_count);
}

static uint32_t site_number(uint32_t node_of_site)
{
    struct trace_node *node = record(&nodes, node_of_site);
    if (node->site && node->site < sites.count)
        return node->site;
    struct trace_site *site = record_room(&sites);
    if (!site) {
        file_header->flags |= TRACE_TABLES_FULL;
        return SITE_OVERFLOW;
    }
    site->node = node_of_site;
    node->site = record_done(&sites, &file_header->site_count);
    return node->site;
}

bool paths_start(void)
{
    return records_start(&nodes, TRACE_NODE_FIRST, &file_header->node_count) &&
           records_start(&frames, 1, &file_header->frame_count) &&
           records_start(&sites, 1, &file_header->site_count) &&
           site_number(TRACE_NODE_OVERFLOW) == SITE_OVERFLOW;
}

void paths_child(void)
{
    file_header->node_count = nodes.count;
    file_header->frame_count = frames.count;
    file_header->site_count = sites.count;
}

/* --- each thread's cache -----------------------------------------------------------------------------
 *
 * Direct-mapped.  Small at first, for the many threads that allocate little; four times larger whenever it
 * has missed four times its size, for the few that allocate everywhere.
 */

enum { CACHE_FIRST = 64, CACHE_MAX = 1 << 14 };

struct path_slot {
    uintptr_t lookup;
    uint32_t parent, node, site;
};

struct path_cache {
    uint32_t bits, misses;
    struct path_slot slots[];
};

static size_t cache_size(uint32_t bits)
{
    return sizeof(struct path_cache) + ((size_t)1 << bits) * sizeof(struct path_slot);
}

static bool cache_make(struct thread *self, uint32_t bits)
{
    struct path_cache *old = self->paths, *cache = arena_alloc(cache_size(bits));
    if (!cache)
        return old != NULL;
    cache->bits = bits;
    self->paths = cache;
    if (old)
        arena_free(old, cache_size(old->bits));
    return true;
}

static inline bool cache_ready(struct thread *self)
{
    return likely(self->paths != NULL) || cache_make(self, __builtin_ctz(CACHE_FIRST));
}

static inline struct path_slot *slot_of(struct path_cache *cache, uint32_t parent, uintptr_t lookup)
{
    uint64_t mixed = (lookup ^ (uint64_t)parent << 32) * 0x9e3779b97f4a7c15u;
    return &cache->slots[mixed >> (64 - cache->bits)];
}

static struct path_slot *cache_miss(struct thread *self, uint32_t parent, uintptr_t lookup)
{
    struct path_cache *cache = self->paths;
    if (++cache->misses > 4u << cache->bits && cache->bits < (uint32_t)__builtin_ctz(CACHE_MAX))
        cache_make(self, cache->bits + 2);
    struct path_slot *slot = slot_of(self->paths, parent, lookup);
    uint32_t node = TRACE_NODE_OVERFLOW;
    if (parent != TRACE_NODE_OVERFLOW)
        node = node_number(parent, frame_number(lookup));
    if (node == TRACE_NODE_OVERFLOW)
        file_header->flags |= TRACE_TABLES_FULL;
    *slot = (struct path_slot){lookup, parent, node, 0};
    return slot;
}

/* The slot of (parent, lookup), filled; with the site if that is wanted. */
static struct path_slot *find(struct thread *self, uint32_t parent, uintptr_t lookup, bool want_site)
{
    struct path_slot *slot = slot_of(self->paths, parent, lookup);
    bool hit = slot->lookup == lookup && slot->parent == parent;
    if (likely(hit && (slot->site || !want_site)))
        return slot;
    tables_take();
    if (!hit)
        slot = cache_miss(self, parent, lookup);
    if (want_site)
        slot->site = site_number(slot->node);
    tables_drop();
    return slot;
}

void paths_forget(struct thread *self)
{
    if (self->paths)
        memset(self->paths->slots, 0, cache_size(self->paths->bits) - sizeof *self->paths);
}

/* --- sites ------------------------------------------------------------------------------------------- */

static uint32_t node_outside(const struct stack_memo *stack, uint32_t i)
{
    if (i)
        return stack->frames[i - 1].node;
    return stack->cut ? TRACE_NODE_TRUNCATED : TRACE_NODE_ROOT;
}

/* Gives the frames that have none their nodes, and the innermost its site. */
static uint32_t name_stack(struct thread *self, struct stack_memo *stack)
{
    uint32_t last = stack->count - 1, i = stack->known < last ? stack->known : last;
    for (; i < last; i++)
        stack->frames[i].node = find(self, node_outside(stack, i), stack->frames[i].at.lookup, false)->node;
    const struct path_slot *slot = find(self, node_outside(stack, last), stack->frames[last].at.lookup, true);
    stack->frames[last].node = slot->node;
    stack->known = stack->count;
    stack->site = slot->site;
    return slot->site;
}

uint32_t paths_site(struct thread *self, struct frame_state from)
{
    struct stack_memo *stack = walk(self, from, options.depth);
    if (unlikely(!stack) || !cache_ready(self))
        return SITE_OVERFLOW;
    if (likely(stack->site))
        return stack->site;
    return name_stack(self, stack);
}

uint32_t paths_site_of_caller(struct thread *self, uintptr_t lookup)
{
    if (!cache_ready(self))
        return SITE_OVERFLOW;
    return find(self, TRACE_NODE_ROOT, lookup, true)->site;
}

int paths_addresses(uint32_t site, void **addresses, int n)
{
    const struct trace_site *record_of_site = record(&sites, site);
    int count = 0;
    for (uint32_t number = record_of_site->node; number >= TRACE_NODE_FIRST; count++) {
        const struct trace_node *node = record(&nodes, number);
        const struct trace_frame *frame = record(&frames, node->frame);
        if (count < n)
            addresses[count] = (void *)modules_address((struct code_place){frame->module, frame->offset});
        number = node->parent;
    }
    return count;
}
