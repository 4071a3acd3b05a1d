// SPDX-License-Identifier: MIT
#include "model/function_lines.h"

#include <stdlib.h>
#include <string.h>

#include "model/moved_lines.h"

/* Functions, and files, are found by what their names say, not by where the strings are. */
struct name {
    const char *function, *file;
    bool part; /* of the file's path only the last part: no other path may be taken for it */
};

static bool same_name(const struct name *a, const struct name *b)
{
    return a->part == b->part && strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0;
}

#define HASH_KEYCMP(a, b, size) (!same_name(a, b))
#include <uthash.h>

struct lines {
    struct calling_line *all;
    size_t count, capacity;
};

struct function {
    UT_hash_handle hh;
    struct name name;        /* its file's whole path, or the path's last part */
    const char *path[SIDES]; /* of the file; null: it is not on that side */
    struct lines lines[SIDES];
    size_t *match; /* of the old lines; null: it is not on both sides */
};

/* A file that lies in another folder. */
struct moved_file {
    UT_hash_handle hh;
    struct name name; /* no function; the old path */
    const char *path; /* the new one */
};

struct function_lines {
    struct function *functions;
    struct moved_file *files;
};

struct function_lines *function_lines_open(void)
{
    return memory_get(1, sizeof(struct function_lines));
}

void function_lines_close(struct function_lines *lines)
{
    struct function *function, *next_function;
    struct moved_file *file, *next_file;
    HASH_ITER(hh, lines->functions, function, next_function)
    {
        HASH_DEL(lines->functions, function);
        free(function->lines[OLD].all);
        free(function->lines[NEW].all);
        free(function->match);
        free(function);
    }
    HASH_ITER(hh, lines->files, file, next_file)
    {
        HASH_DEL(lines->files, file);
        free(file);
    }
    free(lines);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static unsigned hash_of(const struct name *name)
{
    unsigned function, file;
    HASH_VALUE(name->function, strlen(name->function), function);
    HASH_VALUE(name->file, strlen(name->file), file);
    return function * 31 + file;
}

static struct function *find_function(const struct function_lines *lines, const struct name *name)
{
    struct function *function;
    unsigned hash = hash_of(name);
    HASH_FIND_BYHASHVALUE(hh, lines->functions, name, sizeof(*name), hash, function);
    return function;
}

static struct function *get_function(struct function_lines *lines, const struct name *name)
{
    struct function *function = find_function(lines, name);
    if (function)
        return function;
    function = memory_get(1, sizeof(*function));
    function->name = *name;
    unsigned hash = hash_of(name);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, lines->functions, &function->name, sizeof(*name), hash, function);
    return function;
}

static struct moved_file *find_file(const struct function_lines *lines, const struct name *name)
{
    struct moved_file *file;
    unsigned hash = hash_of(name);
    HASH_FIND_BYHASHVALUE(hh, lines->files, name, sizeof(*name), hash, file);
    return file;
}

/* --- collecting ---------------------------------------------------------------------------------------- */

uint64_t function_lines_bit(const struct source_frame *callee)
{
    unsigned hash;
    if (!callee->function)
        return UINT64_MAX;
    HASH_VALUE(callee->function, strlen(callee->function), hash);
    return UINT64_C(1) << (hash % 64);
}

static void add_as(struct function_lines *lines, enum side side, const struct name *name,
                   const struct source_frame *place, uint64_t callees)
{
    struct function *function = get_function(lines, name);
    struct lines *list = &function->lines[side];
    if (!function->path[side])
        function->path[side] = place->file;
    list->all = memory_grow(list->all, list->count, &list->capacity, sizeof(*list->all));
    list->all[list->count++] = (struct calling_line){place->line, callees};
}

void function_lines_add(struct function_lines *lines, enum side side, const struct source_frame *place,
                        uint64_t callees)
{
    if (!place->function || !place->file)
        return;
    add_as(lines, side, &(struct name){place->function, place->file, false}, place, callees);
    add_as(lines, side, &(struct name){place->function, base_name(place->file), true}, place, callees);
}

static int by_line(const void *a, const void *b)
{
    const struct calling_line *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Ascending, each line once. */
static void sort_lines(struct lines *list)
{
    size_t kept = 0;
    qsort(list->all, list->count, sizeof(*list->all), by_line);
    for (size_t i = 0; i < list->count; i++) {
        if (kept && list->all[kept - 1].line == list->all[i].line)
            list->all[kept - 1].callees |= list->all[i].callees;
        else
            list->all[kept++] = list->all[i];
    }
    list->count = kept;
}

static void note_file(struct function_lines *lines, const char *old, const char *new)
{
    struct name name = {"", old, false};
    if (strcmp(old, new) == 0 || find_file(lines, &name))
        return;
    struct moved_file *file = memory_get(1, sizeof(*file));
    file->name = name;
    file->path = new;
    unsigned hash = hash_of(&name);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, lines->files, &file->name, sizeof(name), hash, file);
}

void function_lines_match(struct function_lines *lines)
{
    for (struct function *function = lines->functions; function; function = function->hh.next) {
        struct lines *old = &function->lines[OLD], *new = &function->lines[NEW];
        if (!old->count || !new->count)
            continue;
        sort_lines(old);
        sort_lines(new);
        function->match = memory_get(old->count, sizeof(*function->match));
        moved_lines_match(old->all, old->count, new->all, new->count, function->match);
        note_file(lines, function->path[OLD], function->path[NEW]);
    }
}

/* --- answers ------------------------------------------------------------------------------------------- */

static const struct calling_line *find_line(const struct lines *list, int line)
{
    struct calling_line wanted = {.line = line};
    return bsearch(&wanted, list->all, list->count, sizeof(wanted), by_line);
}

/* An old line that is none of the new ones must not be taken for one of the same number: it is then unknown. */
static int translate_line(const struct function *function, int line)
{
    const struct lines *old = &function->lines[OLD], *new = &function->lines[NEW];
    const struct calling_line *found = find_line(old, line);
    size_t match = found ? function->match[found - old->all] : MOVED_NOWHERE;
    if (match != MOVED_NOWHERE)
        return new->all[match].line;
    return find_line(new, line) ? 0 : line;
}

/* In the file itself if it is still there, otherwise in one of that name. */
static const struct function *find_on_both(const struct function_lines *lines,
                                           const struct source_frame *place)
{
    const struct name names[] = {{place->function, place->file, false},
                                 {place->function, base_name(place->file), true}};
    for (size_t i = 0; place->function && i < sizeof(names) / sizeof(names[0]); i++) {
        const struct function *function = find_function(lines, &names[i]);
        if (function && function->match)
            return function;
    }
    return NULL;
}

void function_lines_translate(const struct function_lines *lines, struct source_frame *place)
{
    const struct moved_file *file;
    if (!place->file)
        return;
    const struct function *function = find_on_both(lines, place);
    if (function) {
        place->line = translate_line(function, place->line);
        place->file = function->path[NEW];
    } else if ((file = find_file(lines, &(struct name){"", place->file, false}))) {
        place->file = file->path;
    }
}
