// SPDX-License-Identifier: MIT
/*
 * Stacks become paths, strings of the numbers of groups; sorted, all that go through a node are neighbours.
 * So a node is a range of paths, and what is below a node that is too small is never looked at.
 */
#define _GNU_SOURCE 1 /* qsort_r */
#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

#define MOST      (1u << 27) /* frames of all stacks together */
#define RECURSIVE (1u << 31) /* beside a number */

struct path {
    uint32_t site;
    uint32_t length;
    size_t start;
};

struct paths {
    struct path *all;
    size_t count, capacity;
    uint32_t *numbers;
    size_t used, room;
    size_t walked; /* frames */
};

/* A node with its paths, whose children are still to be found. */
struct task {
    uint32_t node;
    size_t from, to;
    uint32_t depth;
};

struct making {
    struct tree *tree;
    struct scope *scope;
    uint64_t least;
    struct paths paths;
    struct task *tasks;
    size_t task_count, task_capacity;
};

/* --- paths --------------------------------------------------------------------------------------------- */

static void add_number(struct paths *paths, struct path *path, uint32_t number)
{
    uint32_t *last = path->length ? &paths->numbers[paths->used - 1] : NULL;
    if (last && (*last & ~RECURSIVE) == number) {
        *last |= RECURSIVE;
        return;
    }
    paths->numbers = memory_grow(paths->numbers, paths->used, &paths->room, sizeof(*paths->numbers));
    paths->numbers[paths->used++] = number;
    path->length++;
}

static bool add_path(struct paths *paths, struct scope *scope, uint32_t site, bool inverted)
{
    struct scope_stack stack = scope_stack(scope, site);
    struct path path = {.site = site, .start = paths->used};
    paths->walked += stack.count;
    if (paths->walked > MOST)
        return false;
    for (size_t i = stack.origin; i < stack.count; i++) {
        size_t at = inverted ? i : stack.count - 1 - (i - stack.origin);
        add_number(paths, &path, scope_group(scope, stack.frames[at]));
    }
    paths->all = memory_grow(paths->all, paths->count, &paths->capacity, sizeof(*paths->all));
    paths->all[paths->count++] = path;
    return true;
}

static bool collect(struct making *making, bool inverted)
{
    struct scope *scope = making->scope;
    const struct trace *trace = scope->trace;
    for (uint32_t i = 1; i < trace->header.site_count; i++)
        if (metric_of(&trace->sites[i].figures, scope->view->metric) && scope_has(scope, i) &&
            !add_path(&making->paths, scope, i, inverted))
            return false;
    return true;
}

static int in_order(const void *a, const void *b, void *context)
{
    const uint32_t *numbers = context;
    const struct path *x = a, *y = b;
    uint32_t common = x->length < y->length ? x->length : y->length;
    for (uint32_t i = 0; i < common; i++) {
        uint32_t mine = numbers[x->start + i] & ~RECURSIVE, theirs = numbers[y->start + i] & ~RECURSIVE;
        if (mine != theirs)
            return mine < theirs ? -1 : 1;
    }
    return x->length < y->length ? -1 : x->length > y->length;
}

static uint32_t number_at(const struct making *making, size_t path, uint32_t depth)
{
    return making->paths.numbers[making->paths.all[path].start + depth];
}

/* --- nodes --------------------------------------------------------------------------------------------- */

static uint64_t rank(const struct making *making, const struct figures *figures)
{
    return metric_of(figures, making->scope->view->metric);
}

/* Returns the node; 0: it is folded. */
static uint32_t add_child(struct making *making, uint32_t parent, const struct tree_node *child)
{
    struct tree *tree = making->tree;
    if (rank(making, &child->figures) < making->least || !view_shows(making->scope->view, &child->figures)) {
        tree->nodes[parent].folded++;
        figures_add(&tree->nodes[parent].rest, &child->figures);
        return 0;
    }
    tree->nodes = memory_grow(tree->nodes, tree->count, &tree->capacity, sizeof(*tree->nodes));
    uint32_t number = (uint32_t)tree->count++;
    tree->nodes[number] = *child;
    tree->nodes[number].parent = parent;
    tree->nodes[parent].children++;
    return number;
}

static void sum_up(const struct making *making, size_t from, size_t to, struct figures *sum)
{
    for (; from < to; from++)
        figures_add(sum, &making->scope->trace->sites[making->paths.all[from].site].figures);
}

static void add_task(struct making *making, struct task task)
{
    making->tasks =
        memory_grow(making->tasks, making->task_count, &making->task_capacity, sizeof(*making->tasks));
    making->tasks[making->task_count++] = task;
}

/* The paths that end here come first. */
static size_t add_end(struct making *making, const struct task *task)
{
    size_t end = task->from;
    while (end < task->to && making->paths.all[end].length == task->depth)
        end++;
    if (end == task->from || end == task->to)
        return end;
    struct tree_node itself = {0};
    sum_up(making, task->from, end, &itself.figures);
    add_child(making, task->node, &itself);
    return end;
}

static size_t add_next(struct making *making, const struct task *task, size_t from)
{
    uint32_t number = number_at(making, from, task->depth) & ~RECURSIVE;
    struct tree_node child = {.frame = groups_frame(&making->scope->groups, number)};
    bool may =
        child.frame->function || child.frame->line; /* files and modules go on without calling themselves */
    size_t to = from;
    for (; to < task->to && (number_at(making, to, task->depth) & ~RECURSIVE) == number; to++)
        child.recursive |= may && number_at(making, to, task->depth) != number;
    sum_up(making, from, to, &child.figures);
    uint32_t node = add_child(making, task->node, &child);
    if (node)
        add_task(making, (struct task){node, from, to, task->depth + 1});
    return to;
}

struct ranked {
    uint64_t value;
    uint32_t node;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return x->node < y->node ? -1 : 1;
}

/* Children were added one after the other, from `first` on. */
static void link_children(const struct making *making, uint32_t parent, uint32_t first)
{
    struct tree_node *nodes = making->tree->nodes;
    uint32_t count = nodes[parent].children;
    struct ranked *ranked = memory_get(count, sizeof(*ranked));
    for (uint32_t i = 0; i < count; i++)
        ranked[i] = (struct ranked){rank(making, &nodes[first + i].figures), first + i};
    qsort(ranked, count, sizeof(*ranked), by_rank);
    for (uint32_t i = 0; i + 1 < count; i++)
        nodes[ranked[i].node].next = ranked[i + 1].node;
    nodes[parent].child = count ? ranked[0].node : 0;
    free(ranked);
}

static void grow(struct making *making)
{
    sum_up(making, 0, making->paths.count, &making->tree->nodes[0].figures);
    add_task(making, (struct task){.to = making->paths.count});
    while (making->task_count) {
        struct task task = making->tasks[--making->task_count];
        uint32_t first = (uint32_t)making->tree->count;
        for (size_t at = add_end(making, &task); at < task.to;)
            at = add_next(making, &task, at);
        link_children(making, task.node, first);
    }
}

/* ------------------------------------------------------------------------------------------------------- */

bool tree_make(struct tree *tree, struct scope *scope, bool inverted, uint64_t least, struct failure *why)
{
    struct making making = {.tree = tree, .scope = scope, .least = least};
    *tree = (struct tree){.count = 1};
    tree->nodes = memory_grow(NULL, 0, &tree->capacity, sizeof(*tree->nodes));
    tree->nodes[0] = (struct tree_node){0};
    bool fine = collect(&making, inverted);
    if (fine) {
        if (making.paths.count)
            qsort_r(making.paths.all, making.paths.count, sizeof(*making.paths.all), in_order,
                    making.paths.numbers);
        grow(&making);
    } else {
        failure_set(why, "its stacks are too many for one tree: --filter and --hide leave fewer");
        tree_free(tree);
    }
    free(making.paths.all);
    free(making.paths.numbers);
    free(making.tasks);
    return fine;
}

void tree_free(struct tree *tree)
{
    free(tree->nodes);
    *tree = (struct tree){0};
}

uint32_t tree_following(const struct tree *tree, uint32_t node)
{
    const struct tree_node *nodes = tree->nodes;
    if (nodes[node].child)
        return nodes[node].child;
    while (node && !nodes[node].next)
        node = nodes[node].parent;
    return nodes[node].next;
}
