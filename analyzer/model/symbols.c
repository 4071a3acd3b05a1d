// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/debuginfo.h"
#include "model/demangle.h"
#include "model/file.h"
#include "model/pool.h"
#include "model/progress.h"
#include "model/symbol_cache.h"
#include "model/truncation.h"

/* Bytes of readable names that are kept; further ones are left as they are in the file. */
#define NAMES               (16u << 20)
#define NAMES_PER_FRAME     256

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

/* A frame of a module that is to be looked up together with those of the same unit. */
struct wanted {
    size_t unit;
    uint32_t frame;
};

struct module {
    enum module_state state;
    struct debuginfo *info; /* null if there is none to be had */
    uint32_t first;         /* frame of the module, 0: there is none */
    struct symbol_cache *cache; /* null: there is none */
    struct wanted *wanted;  /* its frames that were not known when they were listed, by unit and address */
    size_t wanted_count;
    bool listed;            /* no frame of it has come since */
};

struct resolved {
    struct place *places; /* null: not yet */
    uint32_t count;
    bool readable; /* functions are demangled: done when somebody asks */
    uint32_t next; /* frame of the same module, 0: there is no more */
};

struct symbols {
    const struct trace *trace;
    struct module *modules;
    struct resolved *resolved; /* by number of the frame */
    uint32_t module_count, frame_count; /* of the trace when it was looked at last: it may grow */
    uint32_t kept; /* of them: their places are known */
    struct obstack memory;
    struct pool names;
    struct source_frame frames[DEBUGINFO_DEEPEST]; /* of the last answer */
    symbols_translator *translate;                 /* null: answers stay as they are */
    const void *context;
};

/* Takes in the modules and frames that the trace has and we do not know yet. */
static void grow(struct symbols *symbols)
{
    const struct trace_header *header = &symbols->trace->header;
    uint32_t known = symbols->frame_count > 1 ? symbols->frame_count : 1;
    symbols->modules = memory_widen(symbols->modules, symbols->module_count, header->module_count,
                                    sizeof(*symbols->modules));
    symbols->resolved = memory_widen(symbols->resolved, symbols->frame_count, header->frame_count,
                                     sizeof(*symbols->resolved));
    for (uint32_t i = header->frame_count; i-- > known;) {
        struct module *module = &symbols->modules[symbols->trace->frames[i].module];
        symbols->resolved[i].next = module->first;
        module->first = i;
        module->listed = false;
    }
    symbols->names.room += (size_t)(header->frame_count - symbols->frame_count) * NAMES_PER_FRAME;
    symbols->module_count = header->module_count;
    symbols->frame_count = header->frame_count;
}

struct symbols *symbols_open(const struct trace *trace)
{
    struct symbols *symbols = memory_get(1, sizeof(*symbols));
    symbols->trace = trace;
    obstack_init(&symbols->memory);
    pool_start(&symbols->names, NAMES);
    grow(symbols);
    return symbols;
}

void symbols_close(struct symbols *symbols)
{
    bool saved = !truncation_happened();
    for (uint32_t i = 0; i < symbols->module_count; i++) {
        struct module *module = &symbols->modules[i];
        symbol_cache_close(module->cache, saved && module->info && debuginfo_was_whole(module->info));
        debuginfo_close(module->info);
        free(module->wanted);
    }
    obstack_free(&symbols->memory, NULL);
    pool_free(&symbols->names);
    free(symbols->modules);
    free(symbols->resolved);
    free(symbols);
}

/* "[vdso]" and "linux-vdso.so.1" name no file. */
static bool names_file(const char *path)
{
    return path && strchr(path, '/') && path[0] != '[';
}

static int open_file(const char *path, struct stat *stat)
{
    if (!file_may_block(path))
        return file_open_regular(path, O_RDONLY, stat);
    errno = EINVAL;
    return -1;
}

/* Opens a module's file; a path that is not absolute was meant in the program's directory.  What was
   replaced while it ran carries " (deleted)": the file at that path may still be the same. */
static int open_module(const struct symbols *symbols, const char *name, char path[PATH_MAX],
                       struct stat *stat)
{
    static const char deleted[] = " (deleted)";
    const char *cwd = symbols->trace->cwd;
    int size = snprintf(path, PATH_MAX, "%s%s%s", name[0] == '/' || !cwd ? "" : cwd,
                        name[0] == '/' || !cwd ? "" : "/", name);
    if (size < 0 || size >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open_file(path, stat);
    char *end = path + size - (sizeof(deleted) - 1);
    if (fd >= 0 || errno != ENOENT || end <= path || strcmp(end, deleted) != 0)
        return fd;
    *end = 0;
    return open_file(path, stat);
}

static bool same_file(const struct trace_module *module, struct debuginfo *info, const struct stat *stat)
{
    const uint8_t *id;
    size_t size = debuginfo_build_id(info, &id);
    if (module->build_id_size == sizeof(module->build_id))
        size = size > sizeof(module->build_id) ? sizeof(module->build_id) : size; /* kept in part */
    if (module->build_id_size || size)
        return module->build_id_size == size && memcmp(module->build_id, id, size) == 0;
    uint64_t mtime = (uint64_t)stat->st_mtim.tv_sec * 1000000000 + (uint64_t)stat->st_mtim.tv_nsec;
    return module->file_size == (uint64_t)stat->st_size && module->file_mtime_ns == mtime;
}

static void keep(struct symbols *symbols, uint32_t frame, const struct place *places, size_t count)
{
    symbols->resolved[frame].places = obstack_copy(&symbols->memory, places, count * sizeof(*places));
    symbols->resolved[frame].count = (uint32_t)count;
    symbols->kept++;
}

/* Whether the cache has all frames of a module; those that it has are kept. */
static bool take_cached(struct symbols *symbols, struct module *module)
{
    struct place places[DEBUGINFO_DEEPEST];
    bool all = module->cache != NULL;
    for (uint32_t i = module->cache ? module->first : 0; i; i = symbols->resolved[i].next) {
        size_t count = symbol_cache_find(module->cache, symbols->trace->frames[i].offset, places);
        if (count)
            keep(symbols, i, places, count);
        all &= count > 0;
    }
    return all;
}

static bool is_cached(struct symbols *symbols, struct module *module, const struct stat *stat)
{
    const uint8_t *id;
    size_t size = debuginfo_build_id(module->info, &id);
    module->cache = symbol_cache_open(id, size, stat);
    return take_cached(symbols, module);
}

/* Of a file that was replaced or is gone, as a program that was built again, the cache may know all that is asked. */
static bool is_remembered(struct symbols *symbols, struct module *module, const struct trace_module *recorded)
{
    if (recorded->build_id_size == sizeof(recorded->build_id)) /* kept in part */
        return false;
    module->cache = symbol_cache_open(recorded->build_id, recorded->build_id_size, NULL);
    return take_cached(symbols, module);
}

static enum module_state look_at_file(struct symbols *symbols, uint32_t number)
{
    const struct trace_module *recorded = &symbols->trace->modules[number];
    struct module *module = &symbols->modules[number];
    const char *name = symbols->trace->module_paths[number];
    char path[PATH_MAX];
    struct stat stat;
    if (!names_file(name))
        return MODULE_NO_FILE;
    int fd = open_module(symbols, name, path, &stat);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? MODULE_GONE : MODULE_UNREADABLE;
    module->info = debuginfo_open(fd, path);
    if (!module->info)
        return recorded->build_id_size ? MODULE_CHANGED : MODULE_UNREADABLE;
    if (same_file(recorded, module->info, &stat))
        return is_cached(symbols, module, &stat) || debuginfo_has_dwarf(module->info) ? MODULE_FINE
                                                                                      : MODULE_NO_DWARF;
    debuginfo_close(module->info);
    module->info = NULL;
    return MODULE_CHANGED;
}

static enum module_state look_at(struct symbols *symbols, uint32_t number)
{
    enum module_state state = look_at_file(symbols, number);
    if ((state == MODULE_GONE || state == MODULE_CHANGED) &&
        is_remembered(symbols, &symbols->modules[number], &symbols->trace->modules[number]))
        return MODULE_FINE;
    return state;
}

/* --- looking up ---------------------------------------------------------------------------------------- */

static int by_unit(const void *a, const void *b, void *context)
{
    const struct trace_frame *frames = context;
    const struct wanted *x = a, *y = b;
    uint64_t mine = frames[x->frame].offset, theirs = frames[y->frame].offset;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return mine < theirs ? -1 : mine > theirs;
}

static void list_frames(struct symbols *symbols, struct module *module)
{
    size_t capacity = 0;
    free(module->wanted);
    module->wanted = NULL;
    module->wanted_count = 0;
    module->listed = true;
    for (uint32_t i = module->first; i; i = symbols->resolved[i].next) {
        if (symbols->resolved[i].places)
            continue;
        module->wanted = memory_grow(module->wanted, module->wanted_count, &capacity, sizeof(struct wanted));
        module->wanted[module->wanted_count++] =
            (struct wanted){debuginfo_unit(module->info, symbols->trace->frames[i].offset), i};
    }
    if (module->wanted_count)
        qsort_r(module->wanted, module->wanted_count, sizeof(struct wanted), by_unit, symbols->trace->frames);
}

static void look_up_unit(struct symbols *symbols, const struct module *module, size_t unit)
{
    struct place places[DEBUGINFO_DEEPEST];
    size_t low = 0, high = module->wanted_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (module->wanted[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < module->wanted_count && module->wanted[low].unit == unit; low++) {
        uint32_t frame = module->wanted[low].frame;
        uint64_t offset = symbols->trace->frames[frame].offset;
        size_t count = debuginfo_find(module->info, offset, places);
        keep(symbols, frame, places, count);
        /* Without DWARF it is soon done, and there may be some to be had next time. */
        if (module->cache && module->state == MODULE_FINE)
            symbol_cache_add(module->cache, offset, places, count);
    }
    debuginfo_rest(module->info);
    progress_at(symbols->kept, symbols->trace->header.frame_count);
}

static void look_up(struct symbols *symbols, uint32_t frame)
{
    const struct trace_frame *recorded = &symbols->trace->frames[frame];
    struct module *module = &symbols->modules[recorded->module];
    if (recorded->module && module->state == MODULE_UNTOUCHED)
        module->state = look_at(symbols, recorded->module);
    if (module->info && !module->listed)
        list_frames(symbols, module);
    if (symbols->resolved[frame].places)
        return;
    if (recorded->module && module->info)
        look_up_unit(symbols, module, debuginfo_unit(module->info, recorded->offset));
    else
        keep(symbols, frame, &(struct place){0}, 1);
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* A name for a person: demangled, and without a symbol version. */
static const char *readable(struct symbols *symbols, const char *name)
{
    if (!name)
        return NULL;
    char *plain = demangle(name);
    if (plain) {
        const char *kept = pool_keep(&symbols->names, plain, strlen(plain));
        free(plain);
        return kept ? kept : name;
    }
    const char *version = strchr(name, '@');
    const char *kept =
        version && version > name ? pool_keep(&symbols->names, name, (size_t)(version - name)) : NULL;
    return kept ? kept : name;
}

static void make_readable(struct symbols *symbols, struct resolved *resolved)
{
    for (uint32_t i = 0; i < resolved->count; i++)
        resolved->places[i].function = readable(symbols, resolved->places[i].function);
    resolved->readable = true;
}

struct source_frames symbols_resolve(struct symbols *symbols, uint32_t frame)
{
    if (frame >= symbols->frame_count)
        grow(symbols);
    const struct trace_frame *recorded = &symbols->trace->frames[frame];
    struct resolved *resolved = &symbols->resolved[frame];
    if (!resolved->places)
        look_up(symbols, frame);
    if (!resolved->readable)
        make_readable(symbols, resolved);
    for (uint32_t i = 0; i < resolved->count; i++) {
        symbols->frames[i] = (struct source_frame){
            .function = resolved->places[i].function,
            .file = resolved->places[i].file,
            .line = resolved->places[i].line,
            .module = symbols->trace->module_paths[recorded->module],
            .address = recorded->offset,
            .inlined = i + 1 < resolved->count,
        };
        if (symbols->translate)
            symbols->translate(&symbols->frames[i], frame, symbols->context);
    }
    return (struct source_frames){symbols->frames, resolved->count};
}

const char *symbols_called(struct symbols *symbols, uint32_t frame)
{
    const struct trace_frame *recorded = &symbols->trace->frames[frame];
    if (!symbols->resolved[frame].places)
        look_up(symbols, frame);
    struct debuginfo *info = recorded->module ? symbols->modules[recorded->module].info : NULL;
    return info && !(recorded->flags & TRACE_FRAME_EXACT) ? debuginfo_called(info, recorded->offset) : NULL;
}

void symbols_translate(struct symbols *symbols, symbols_translator *translate, const void *context)
{
    symbols->translate = translate;
    symbols->context = context;
}

enum module_state symbols_state(const struct symbols *symbols, uint32_t module)
{
    return module < symbols->module_count ? symbols->modules[module].state : MODULE_UNTOUCHED;
}

/* The number of the module with this path; 0: there is none. */
static uint32_t module_of_path(const struct symbols *symbols, const char *path)
{
    for (uint32_t i = 1; path && i < symbols->module_count; i++)
        if (symbols->trace->module_paths[i] && strcmp(symbols->trace->module_paths[i], path) == 0)
            return i;
    return 0;
}

const char *symbols_directory(struct symbols *symbols, const struct source_frame *frame)
{
    struct debuginfo *info = symbols->modules[module_of_path(symbols, frame->module)].info;
    return info ? debuginfo_directory(info, frame->address) : NULL;
}

enum module_state symbols_state_of_path(const struct symbols *symbols, const char *path)
{
    uint32_t module = module_of_path(symbols, path);
    return module ? symbols->modules[module].state : MODULE_UNTOUCHED;
}
