// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/calltree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stack.h"

/* What is looked up is compared whole: padding has to be zero. */
#include <uthash.h>

/* Nodes by caller and frame. */
struct edge {
    struct calltree_node key;
    uint32_t node;
    UT_hash_handle hh;
};

/* Frames by where their strings are: the fast way, for the same string is nearly always the same address. */
struct known {
    struct source_frame key;
    uint32_t frame;
    UT_hash_handle hh;
};

/* Frames by what they say: function, file, line, module, address in one string. */
struct spelling {
    uint32_t frame;
    UT_hash_handle hh;
    char text[];
};

struct calltree_index {
    struct edge *edges;
    struct known *known;
    struct spelling *spellings;
    char *scratch;
    size_t size;
    FILE *speller;
};

void calltree_open(struct calltree *tree)
{
    *tree = (struct calltree){.index = memory_get(1, sizeof(*tree->index))};
    tree->index->speller = open_memstream(&tree->index->scratch, &tree->index->size);
    tree->nodes = memory_grow(NULL, 0, &tree->node_capacity, sizeof(*tree->nodes));
    tree->nodes[tree->node_count++] = (struct calltree_node){0};
}

#define FREE_ALL(table, item, next)  \
    HASH_ITER(hh, table, item, next) \
    {                                \
        HASH_DEL(table, item);       \
        free(item);                  \
    }

void calltree_close(struct calltree *tree)
{
    struct calltree_index *index = tree->index;
    struct edge *edge, *next_edge;
    struct known *known, *next_known;
    struct spelling *spelling, *next_spelling;
    FREE_ALL(index->edges, edge, next_edge)
    FREE_ALL(index->known, known, next_known)
    FREE_ALL(index->spellings, spelling, next_spelling)
    if (index->speller)
        fclose(index->speller);
    free(index->scratch);
    free(index);
    free(tree->frames);
    free(tree->nodes);
    *tree = (struct calltree){0};
}

/* What makes a frame the same as another; in index->scratch. */
static size_t spell(struct calltree_index *index, const struct source_frame *frame)
{
    rewind(index->speller);
    const char *function = frame->function ? frame->function : "";
    if (frame->file && frame->function)
        fprintf(index->speller, "f%s%c%s%c%d", function, 0, frame->file, 0, frame->line);
    else if (frame->file)
        fprintf(index->speller, "l%s%c%d", frame->file, 0, frame->line);
    else if (frame->function)
        fprintf(index->speller, "m%s%c%s", function, 0, frame->module ? frame->module : "");
    else
        fprintf(index->speller, "a%s%c%llx", frame->module ? frame->module : "", 0,
                (unsigned long long)frame->address);
    fflush(index->speller);
    return index->size;
}

static uint32_t frame_by_spelling(struct calltree *tree, const struct source_frame *frame)
{
    struct calltree_index *index = tree->index;
    struct spelling *spelling;
    size_t size = spell(index, frame);
    HASH_FIND(hh, index->spellings, index->scratch, size, spelling);
    if (spelling)
        return spelling->frame;
    spelling = memory_get(1, sizeof(*spelling) + size);
    memcpy(spelling->text, index->scratch, size);
    spelling->frame = (uint32_t)tree->frame_count;
    HASH_ADD_KEYPTR(hh, index->spellings, spelling->text, size, spelling);
    tree->frames = memory_grow(tree->frames, tree->frame_count, &tree->frame_capacity, sizeof(*tree->frames));
    tree->frames[tree->frame_count].source = *frame;
    tree->frames[tree->frame_count].runtime = false;
    return (uint32_t)tree->frame_count++;
}

static uint32_t frame_number(struct calltree *tree, const struct source_frame *frame)
{
    struct source_frame key;
    memset(&key, 0, sizeof(key));
    key.function = frame->function;
    key.file = frame->file;
    key.module = frame->module;
    key.line = frame->line;
    key.address = frame->function || frame->file ? 0 : frame->address;
    struct known *known;
    HASH_FIND(hh, tree->index->known, &key, sizeof(key), known);
    if (known)
        return known->frame;
    known = memory_get(1, sizeof(*known));
    known->key = key;
    known->frame = frame_by_spelling(tree, frame);
    HASH_ADD(hh, tree->index->known, key, sizeof(key), known);
    return known->frame;
}

static uint32_t node_number(struct calltree *tree, uint32_t parent, uint32_t frame)
{
    struct calltree_node key = {.parent = parent, .frame = frame};
    struct edge *edge;
    HASH_FIND(hh, tree->index->edges, &key, sizeof(key), edge);
    if (edge)
        return edge->node;
    edge = memory_get(1, sizeof(*edge));
    edge->key = key;
    edge->node = (uint32_t)tree->node_count;
    HASH_ADD(hh, tree->index->edges, key, sizeof(key), edge);
    tree->nodes = memory_grow(tree->nodes, tree->node_count, &tree->node_capacity, sizeof(*tree->nodes));
    tree->nodes[tree->node_count++] = key;
    return edge->node;
}

/* --- stacks -------------------------------------------------------------------------------------------- */

#define NOT_YET UINT32_MAX

/* Where the call paths of a trace are in the tree; those between a site and the first that is known. */
struct adding {
    struct calltree *tree;
    struct scope *scope;
    uint32_t *places; /* by call path */
    uint32_t *unknown;
    size_t count, capacity;
};

static uint32_t add_frame(struct calltree *tree, uint32_t parent, const struct source_frame *frame)
{
    uint32_t number = frame_number(tree, frame);
    tree->frames[number].runtime = stack_is_runtime(frame);
    return node_number(tree, parent, number);
}

/* Stacks whose outer end is not known begin with a node that says so. */
static uint32_t place_of_root(struct calltree *tree, uint32_t path)
{
    static const struct source_frame beyond = {.function = "[truncated]"};
    if (path == TRACE_NODE_ROOT)
        return CALLTREE_ROOT;
    return add_frame(tree, CALLTREE_ROOT, path == TRACE_NODE_OVERFLOW ? &stack_overflow : &beyond);
}

/* A call path, whose caller is placed: with what is inlined there. */
static void place_path(struct adding *adding, uint32_t path)
{
    const struct trace_node *node = &adding->scope->trace->nodes[path];
    struct source_frames here = symbols_resolve(adding->scope->symbols, node->frame);
    uint32_t place = adding->places[node->parent];
    for (size_t i = here.count; i-- > 0;)
        place = add_frame(adding->tree, place, &here.frames[i]);
    adding->places[path] = place;
}

static uint32_t place_of(struct adding *adding, uint32_t path)
{
    adding->count = 0;
    for (uint32_t at = path; adding->places[at] == NOT_YET; at = adding->scope->trace->nodes[at].parent) {
        if (at < TRACE_NODE_FIRST) {
            adding->places[at] = place_of_root(adding->tree, at);
            break;
        }
        adding->unknown = memory_grow(adding->unknown, adding->count, &adding->capacity, sizeof(uint32_t));
        adding->unknown[adding->count++] = at;
    }
    while (adding->count > 0)
        place_path(adding, adding->unknown[--adding->count]);
    return adding->places[path];
}

/* A stack that is seen other than it was recorded. */
static uint32_t place_of_stack(struct calltree *tree, const struct scope_stack *stack)
{
    uint32_t place = CALLTREE_ROOT;
    bool overflow = stack->frames[stack->count - 1]->source.function == stack_overflow.function;
    if (stack->truncated && !overflow)
        place = place_of_root(tree, TRACE_NODE_TRUNCATED);
    for (size_t i = stack->count; i-- > 0;)
        place = add_frame(tree, place, &stack->frames[i]->source);
    return place;
}

uint32_t *calltree_add(struct calltree *tree, struct scope *scope)
{
    const struct trace *trace = scope->trace;
    uint32_t *nodes = memory_get(trace->header.site_count, sizeof(*nodes));
    size_t paths = trace->header.node_count > TRACE_NODE_FIRST ? trace->header.node_count : TRACE_NODE_FIRST;
    struct adding adding = {tree, scope, memory_get(paths, sizeof(uint32_t)), NULL, 0, 0};
    memset(adding.places, 0xff, paths * sizeof(uint32_t));
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        nodes[i] = CALLTREE_NONE;
        if (!figures_any(&trace->sites[i].figures) || !scope_has(scope, i))
            continue;
        if (view_reshapes(scope->view)) {
            struct scope_stack stack = scope_stack(scope, i);
            nodes[i] = place_of_stack(tree, &stack);
        } else {
            nodes[i] = place_of(&adding, stack_innermost(trace, i));
        }
    }
    free(adding.places);
    free(adding.unknown);
    return nodes;
}

/* --- figures ------------------------------------------------------------------------------------------- */

struct figures *calltree_figures(const struct calltree *tree, const struct trace *trace,
                                 const uint32_t *nodes)
{
    struct figures *figures = memory_get(tree->node_count, sizeof(*figures));
    for (uint32_t i = 1; i < trace->header.site_count; i++)
        if (nodes[i] != CALLTREE_NONE)
            figures_add(&figures[nodes[i]], &trace->sites[i].figures);
    return figures;
}

void calltree_sum(const struct calltree *tree, struct figures *figures)
{
    for (size_t i = tree->node_count; i-- > 1;)
        figures_add(&figures[tree->nodes[i].parent], &figures[i]);
}
