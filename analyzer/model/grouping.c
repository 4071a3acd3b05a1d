// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/grouping.h"

#include <stdlib.h>
#include <string.h>

#include "model/stack.h"

/* Groups are found by what their frames say, not by where the strings are. */
#define HASH_KEYCMP(a, b, size) (!same_frame(a, b))
#include <uthash.h>

const char *const grouping_names[GROUPINGS] = {
    [BY_SITE] = "site", [BY_LINE] = "line",     [BY_FUNCTION] = "function",
    [BY_FILE] = "file", [BY_MODULE] = "module",
};

/* What the frames of a group have in common; where it is not known, the next coarser thing. */
static struct source_frame only_module(const struct source_frame *frame)
{
    return (struct source_frame){.module = frame->module};
}

static struct source_frame only_file(const struct source_frame *frame)
{
    return frame->file ? (struct source_frame){.file = frame->file} : only_module(frame);
}

static struct source_frame only_function(const struct source_frame *frame)
{
    if (!frame->function)
        return only_module(frame);
    return (struct source_frame){.function = frame->function, .file = frame->file, .module = frame->module};
}

static struct source_frame only_line(const struct source_frame *frame)
{
    if (!frame->file || !frame->line)
        return only_function(frame);
    return (struct source_frame){.file = frame->file, .line = frame->line};
}

static struct source_frame (*const common[GROUPINGS])(const struct source_frame *frame) = {
    [BY_LINE] = only_line,
    [BY_FUNCTION] = only_function,
    [BY_FILE] = only_file,
    [BY_MODULE] = only_module,
};

struct group {
    struct figures figures;
    struct source_frame frame;
    UT_hash_handle hh;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_frame(const struct source_frame *a, const struct source_frame *b)
{
    return a->line == b->line && same(a->function, b->function) && same(a->file, b->file) &&
           same(a->module, b->module);
}

static unsigned hash_of(const struct source_frame *frame)
{
    const char *const strings[] = {frame->function, frame->file, frame->module};
    unsigned sum = (unsigned)frame->line, hash;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const char *string = strings[i] ? strings[i] : "";
        HASH_VALUE(string, strlen(string), hash);
        sum = sum * 31 + hash;
    }
    return sum;
}

static struct group *find_or_add(struct group **groups, const struct source_frame *frame)
{
    struct group *group;
    unsigned hash = hash_of(frame);
    HASH_FIND_BYHASHVALUE(hh, *groups, frame, sizeof(*frame), hash, group);
    if (group)
        return group;
    group = memory_get(1, sizeof(*group));
    group->frame = *frame;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *groups, &group->frame, sizeof(*frame), hash, group);
    return group;
}

static void make_sites(struct rows *rows, const struct trace *trace)
{
    rows->all = memory_get(trace->header.site_count, sizeof(*rows->all));
    for (uint32_t i = 1; i < trace->header.site_count; i++)
        if (figures_any(&trace->sites[i].figures))
            rows->all[rows->count++] = (struct row){.figures = &trace->sites[i].figures, .site = i};
}

static void make_groups(struct rows *rows, const struct trace *trace, struct symbols *symbols,
                        enum grouping by)
{
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        if (!figures_any(&trace->sites[i].figures))
            continue;
        struct source_frame origin = stack_origin(trace, symbols, i), shared = common[by](&origin);
        figures_add(&find_or_add(&rows->groups, &shared)->figures, &trace->sites[i].figures);
    }
    rows->all = memory_get(HASH_COUNT(rows->groups), sizeof(*rows->all));
    for (const struct group *group = rows->groups; group; group = group->hh.next, rows->count++)
        rows->all[rows->count] = (struct row){.figures = &group->figures,
                                              .site = (uint32_t)rows->count, /* the order of equal ones */
                                              .frame = &group->frame};
}

static int by_rank(const void *a, const void *b, void *context)
{
    const struct row *x = a, *y = b;
    enum metric metric = *(const enum metric *)context;
    uint64_t mine = metric_of(x->figures, metric), theirs = metric_of(y->figures, metric);
    if (mine != theirs)
        return mine < theirs ? 1 : -1;
    return x->site < y->site ? -1 : x->site > y->site;
}

void rows_make(struct rows *rows, const struct trace *trace, struct symbols *symbols, enum grouping by,
               enum metric metric)
{
    *rows = (struct rows){0};
    if (by == BY_SITE)
        make_sites(rows, trace);
    else
        make_groups(rows, trace, symbols, by);
    qsort_r(rows->all, rows->count, sizeof(*rows->all), by_rank, &metric);
}

void rows_free(struct rows *rows)
{
    struct group *group, *next;
    HASH_ITER(hh, rows->groups, group, next)
    {
        HASH_DEL(rows->groups, group);
        free(group);
    }
    free(rows->all);
    *rows = (struct rows){0};
}
