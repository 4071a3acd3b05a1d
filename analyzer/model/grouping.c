// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/grouping.h"

#include <stdlib.h>
#include <string.h>

/* Groups are found by what their frames say, not by where the strings are. */
#define HASH_KEYCMP(a, b, size) (!same_frame(a, b))
#include <uthash.h>

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
    [BY_SITE] = only_function, [BY_LINE] = only_line,     [BY_FUNCTION] = only_function,
    [BY_FILE] = only_file,     [BY_MODULE] = only_module, [BY_DOMAIN] = only_module,
};

struct grouped {
    struct source_frame frame;
    uint32_t number;
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

void groups_start(struct groups *groups, enum grouping by)
{
    *groups = (struct groups){.by = by, .count = 1};
    groups->all = memory_grow(NULL, 0, &groups->capacity, sizeof(*groups->all));
}

void groups_free(struct groups *groups)
{
    HASH_CLEAR(hh, groups->known);
    for (size_t i = 1; i < groups->count; i++)
        free(groups->all[i]);
    free(groups->all);
    *groups = (struct groups){0};
}

static struct grouped *add(struct groups *groups, const struct source_frame *frame, unsigned hash)
{
    struct grouped *group = memory_get(1, sizeof(*group));
    *group = (struct grouped){.frame = *frame, .number = (uint32_t)groups->count};
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, groups->known, &group->frame, sizeof(*frame), hash, group);
    groups->all = memory_grow(groups->all, groups->count, &groups->capacity, sizeof(*groups->all));
    groups->all[groups->count++] = group;
    return group;
}

uint32_t groups_number(struct groups *groups, const struct source_frame *frame)
{
    struct source_frame shared = common[groups->by](frame);
    struct grouped *group;
    unsigned hash = hash_of(&shared);
    HASH_FIND_BYHASHVALUE(hh, groups->known, &shared, sizeof(shared), hash, group);
    return (group ? group : add(groups, &shared, hash))->number;
}

const struct source_frame *groups_frame(const struct groups *groups, uint32_t number)
{
    return &groups->all[number]->frame;
}
