// SPDX-License-Identifier: MIT
#include "model/merge.h"

#include <obstack.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

struct module_key {
    uint8_t build_id[sizeof(((struct trace_module *)0)->build_id)];
    uint64_t build_id_size, file_size, file_mtime_ns;
    const char *path; /* the sum's own copy; null where the build-id tells */
};

/* A record of the sum, by what makes it the same in all traces. */
struct known {
    UT_hash_handle hh;
    uint32_t number;
    union {
        struct module_key module;
        struct trace_frame frame;
        struct {
            uint32_t parent, frame;
        } node;
    } key;
};

struct merge {
    struct trace sum;
    struct known *strings, *modules, *frames, *nodes;
    uint32_t *site_of_node;
    size_t module_room, path_room, frame_room, node_room, node_site_room, site_room, string_room;
    struct obstack memory; /* of what is known */
    bool any;
};

/* Numbers of a trace's records in the sum. */
struct numbers {
    uint32_t *modules, *frames, *nodes;
};

struct merge *merge_start(void)
{
    struct merge *merge = memory_get(1, sizeof(*merge));
    struct trace *sum = &merge->sum;
    obstack_init(&merge->memory);
    sum->header.module_count = sum->header.frame_count = sum->header.site_count = 1;
    sum->header.node_count = TRACE_NODE_FIRST;
    return merge;
}

/* --- what is known ------------------------------------------------------------------------------------ */

static struct known *find(struct known *all, const void *key, size_t size, unsigned *hash)
{
    struct known *known;
    HASH_VALUE(key, size, *hash);
    HASH_FIND_BYHASHVALUE(hh, all, key, size, *hash, known);
    return known;
}

static struct known *make(struct merge *merge, uint32_t number)
{
    struct known *known = obstack_alloc(&merge->memory, sizeof(*known));
    memset(known, 0, sizeof(*known));
    known->number = number;
    return known;
}

/* The number of what has this key; *new: it had none, and now has `next`. */
static uint32_t number_of(struct merge *merge, struct known **all, const void *key, size_t size,
                          uint32_t next, bool *new)
{
    unsigned hash;
    struct known *known = find(*all, key, size, &hash);
    *new = !known;
    if (known)
        return known->number;
    known = make(merge, next);
    memcpy(&known->key, key, size);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *all, &known->key, size, hash, known);
    return next;
}

static const char *keep(struct merge *merge, const char *string)
{
    struct trace *sum = &merge->sum;
    unsigned hash;
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    struct known *known = find(merge->strings, string, size, &hash);
    if (known)
        return sum->strings[known->number].bytes;
    known = make(merge, (uint32_t)sum->string_areas);
    sum->strings = memory_grow(sum->strings, sum->string_areas, &merge->string_room, sizeof(*sum->strings));
    char *bytes = memcpy(memory_get(1, size), string, size);
    sum->strings[sum->string_areas++] = (struct string_area){.size = size, .bytes = bytes};
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, merge->strings, bytes, size, hash, known);
    return bytes;
}

/* --- tables -------------------------------------------------------------------------------------------- */

static uint32_t add_module(struct merge *merge, const struct trace *trace, uint32_t number)
{
    struct trace *sum = &merge->sum;
    uint32_t count = sum->header.module_count;
    struct trace_module module = trace->modules[number];
    struct module_key key;
    bool new;
    memset(&key, 0, sizeof(key));
    if (module.build_id_size) {
        key.build_id_size = module.build_id_size;
        memcpy(key.build_id, module.build_id, module.build_id_size);
    } else {
        key.path = keep(merge, trace->module_paths[number]);
        key.file_size = module.file_size;
        key.file_mtime_ns = module.file_mtime_ns;
    }
    uint32_t found = number_of(merge, &merge->modules, &key, sizeof(key), count, &new);
    if (!new)
        return found;
    sum->modules = memory_grow(sum->modules, count, &merge->module_room, sizeof(*sum->modules));
    sum->module_paths = memory_grow(sum->module_paths, count, &merge->path_room, sizeof(*sum->module_paths));
    sum->modules[count] = module;
    sum->module_paths[count] = keep(merge, trace->module_paths[number]);
    sum->header.module_count++;
    return count;
}

static uint32_t add_frame(struct merge *merge, struct trace_frame frame)
{
    struct trace *sum = &merge->sum;
    uint32_t count = sum->header.frame_count;
    bool new;
    uint32_t found = number_of(merge, &merge->frames, &frame, sizeof(frame), count, &new);
    if (!new)
        return found;
    sum->frames = memory_grow(sum->frames, count, &merge->frame_room, sizeof(frame));
    sum->frames[count] = frame;
    sum->header.frame_count++;
    return count;
}

static uint32_t add_node(struct merge *merge, uint32_t parent, uint32_t frame)
{
    struct trace *sum = &merge->sum;
    const uint32_t key[] = {parent, frame}, count = sum->header.node_count;
    bool new;
    uint32_t found = number_of(merge, &merge->nodes, key, sizeof(key), count, &new);
    if (!new)
        return found;
    sum->nodes = memory_grow(sum->nodes, count, &merge->node_room, sizeof(*sum->nodes));
    sum->nodes[count] = (struct trace_node){.parent = parent, .frame = frame};
    sum->header.node_count++;
    return count;
}

/* The sum's site at a node, made when it is first met. */
static struct site *site_at(struct merge *merge, uint32_t node, bool truncated)
{
    struct trace *sum = &merge->sum;
    while (node >= merge->node_site_room) {
        size_t before = merge->node_site_room;
        merge->site_of_node =
            memory_grow(merge->site_of_node, before, &merge->node_site_room, sizeof(uint32_t));
        memset(merge->site_of_node + before, 0, (merge->node_site_room - before) * sizeof(uint32_t));
    }
    if (!merge->site_of_node[node]) {
        uint32_t count = sum->header.site_count++;
        sum->sites = memory_grow(sum->sites, count, &merge->site_room, sizeof(*sum->sites));
        sum->sites[count] = (struct site){.node = node, .truncated = truncated};
        merge->site_of_node[node] = count;
    }
    return &sum->sites[merge->site_of_node[node]];
}

/* --- one trace ----------------------------------------------------------------------------------------- */

static uint32_t map_frame(struct merge *merge, const struct trace *trace, struct numbers *numbers,
                          uint32_t number)
{
    struct trace_frame frame = trace->frames[number];
    if (numbers->frames[number])
        return numbers->frames[number];
    if (frame.module && !numbers->modules[frame.module])
        numbers->modules[frame.module] = add_module(merge, trace, frame.module);
    frame.module = numbers->modules[frame.module];
    return numbers->frames[number] = add_frame(merge, frame);
}

static void add_sites(struct merge *merge, const struct trace *trace, struct numbers *numbers)
{
    for (uint32_t i = 1; i < trace->header.node_count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        numbers->nodes[i] = i < TRACE_NODE_FIRST ? i
                                                 : add_node(merge, numbers->nodes[node->parent],
                                                            map_frame(merge, trace, numbers, node->frame));
    }
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        const struct site *site = &trace->sites[i];
        if (figures_any(&site->figures))
            figures_add(&site_at(merge, numbers->nodes[site->node], site->truncated)->figures,
                        &site->figures);
    }
}

static void add_header(struct merge *merge, const struct trace *trace)
{
    struct trace_header *sum = &merge->sum.header;
    const struct trace_header *header = &trace->header;
    if (!merge->any || header->started_realtime_ns < sum->started_realtime_ns)
        sum->started_realtime_ns = header->started_realtime_ns;
    if (!merge->any)
        merge->sum.cwd = keep(merge, trace->cwd);
    sum->flags |= header->flags;
    if (header->sample_bytes > sum->sample_bytes)
        sum->sample_bytes = header->sample_bytes;
    sum->threads += header->threads;
    sum->missed_events += header->missed_events;
    sum->recorder_bytes += trace_recorder_bytes(trace);
    sum->peak_error_bytes += header->peak_error_bytes;
    if (!merge->sum.cwd || !trace->cwd || strcmp(merge->sum.cwd, trace->cwd) != 0)
        merge->sum.cwd = NULL;
    if (!merge->sum.first_malloc)
        merge->sum.first_malloc = keep(merge, trace->first_malloc);
    merge->any = true;
}

void merge_add(struct merge *merge, const struct trace *trace)
{
    struct numbers numbers = {
        .modules = memory_get(trace->header.module_count, sizeof(uint32_t)),
        .frames = memory_get(trace->header.frame_count, sizeof(uint32_t)),
        .nodes = memory_get(trace->header.node_count, sizeof(uint32_t)),
    };
    add_header(merge, trace);
    add_sites(merge, trace, &numbers);
    figures_add(&merge->sum.totals, &trace->totals);
    merge->sum.truncated_allocations += trace->truncated_allocations;
    free(numbers.modules);
    free(numbers.frames);
    free(numbers.nodes);
}

/* A table begins with records that nobody uses; it is there even if it has no others. */
static void *with_first(void *table, size_t count, size_t size)
{
    if (!table)
        return memory_get(count, size);
    memset(table, 0, count * size);
    return table;
}

void merge_finish(struct merge *merge, struct trace *sum)
{
    *sum = merge->sum;
    sum->modules = with_first(sum->modules, 1, sizeof(*sum->modules));
    sum->module_paths = with_first(sum->module_paths, 1, sizeof(*sum->module_paths));
    sum->frames = with_first(sum->frames, 1, sizeof(*sum->frames));
    sum->nodes = with_first(sum->nodes, TRACE_NODE_FIRST, sizeof(*sum->nodes));
    sum->sites = with_first(sum->sites, 1, sizeof(*sum->sites));
    HASH_CLEAR(hh, merge->strings);
    HASH_CLEAR(hh, merge->modules);
    HASH_CLEAR(hh, merge->frames);
    HASH_CLEAR(hh, merge->nodes);
    obstack_free(&merge->memory, NULL);
    free(merge->site_of_node);
    free(merge);
}
