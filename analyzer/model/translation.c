// SPDX-License-Identifier: MIT
#include "model/translation.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct translation {
    const struct trace *trace[SIDES];
    struct symbols *symbols[SIDES];
    uint32_t *same[SIDES];        /* by number of a module: that of the other trace, which is the same file */
    const char **module_paths;    /* by number of an older module: what it is called now */
    struct function_lines *lines; /* of modules that are not the same */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- modules ------------------------------------------------------------------------------------------- */

/* What makes two modules the same file. */
struct file_id {
    uint8_t build_id[32];
    uint64_t build_id_size;
    uint64_t size, mtime_ns; /* only where there is no build-id */
};

struct known_file {
    UT_hash_handle hh;
    struct file_id id;
    uint32_t module;
};

static struct file_id id_of(const struct trace_module *module)
{
    struct file_id id = {.build_id_size = module->build_id_size};
    memcpy(id.build_id, module->build_id, module->build_id_size);
    if (!module->build_id_size) {
        id.size = module->file_size;
        id.mtime_ns = module->file_mtime_ns;
    }
    return id;
}

static bool is_known(const struct file_id *id)
{
    return id->build_id_size || id->size;
}

/* Each of the older modules with the first newer one that is the same file. */
static void pair_modules(struct translation *translation)
{
    const struct trace *old = translation->trace[OLD], *new = translation->trace[NEW];
    struct known_file *files = NULL, *file, *next;
    for (uint32_t i = 1; i < new->header.module_count; i++) {
        struct file_id id = id_of(&new->modules[i]);
        HASH_FIND(hh, files, &id, sizeof(id), file);
        if (file || !is_known(&id))
            continue;
        file = memory_get(1, sizeof(*file));
        *file = (struct known_file){.id = id, .module = i};
        HASH_ADD(hh, files, id, sizeof(id), file);
    }
    for (uint32_t i = 1; i < old->header.module_count; i++) {
        struct file_id id = id_of(&old->modules[i]);
        HASH_FIND(hh, files, &id, sizeof(id), file);
        if (!file || translation->same[NEW][file->module])
            continue;
        translation->same[OLD][i] = file->module;
        translation->same[NEW][file->module] = i;
    }
    HASH_ITER(hh, files, file, next)
    {
        HASH_DEL(files, file);
        free(file);
    }
}

/* What of a module's name stays when a version of it is replaced by the next; of a program nothing need stay.
   0: it has none. */
static size_t lasting_name(const struct trace *trace, uint32_t module, const char **name)
{
    const char *path = trace->module_paths[module];
    *name = "/";
    if (!path)
        return 0;
    if (trace->exe && strcmp(path, trace->exe) == 0)
        return strlen(*name);
    *name = base_name(path);
    const char *version = strstr(*name, ".so.");
    const char *deleted = strstr(*name, " (deleted)");
    const char *end = version ? version + strlen(".so") : deleted ? deleted : *name + strlen(*name);
    return (size_t)(end - *name);
}

struct known_name {
    UT_hash_handle hh;
    const char *path;
};

static const char *find_name(const struct known_name *names, const char *name, size_t size)
{
    struct known_name *known;
    HASH_FIND(hh, names, name, size, known);
    return known ? known->path : NULL;
}

static void add_name(struct known_name **names, const char *name, size_t size, const char *path)
{
    if (!size || find_name(*names, name, size))
        return;
    struct known_name *known = memory_get(1, sizeof(*known));
    known->path = path;
    HASH_ADD_KEYPTR(hh, *names, name, size, known);
}

static struct known_name *names_of(const struct translation *translation)
{
    const struct trace *trace = translation->trace[NEW];
    struct known_name *names = NULL;
    for (uint32_t i = 1; i < trace->header.module_count; i++) {
        const char *path = trace->module_paths[i], *name;
        size_t size = lasting_name(trace, i, &name);
        if (!path || translation->same[NEW][i])
            continue;
        add_name(&names, path, strlen(path), path);
        add_name(&names, name, size, path);
    }
    return names;
}

/* Those that are not the same file by their path, or else by what stays of their names. */
static void name_modules(struct translation *translation)
{
    const struct trace *trace = translation->trace[OLD];
    struct known_name *names = names_of(translation), *known, *next;
    for (uint32_t i = 1; i < trace->header.module_count; i++) {
        uint32_t same = translation->same[OLD][i];
        const char *path = trace->module_paths[i], *name, *found = NULL;
        size_t size = lasting_name(trace, i, &name);
        if (same)
            found = translation->trace[NEW]->module_paths[same];
        else if (path && !(found = find_name(names, path, strlen(path))) && size)
            found = find_name(names, name, size);
        translation->module_paths[i] = found ? found : path;
    }
    HASH_ITER(hh, names, known, next)
    {
        HASH_DEL(names, known);
        free(known);
    }
}

/* --- functions ----------------------------------------------------------------------------------------- */

/* Of the function that a frame was called as: the outermost of those that are inlined there. */
static uint64_t bit_of_frame(struct symbols *symbols, uint64_t *known, uint32_t frame)
{
    if (!known[frame]) {
        struct source_frames here = symbols_resolve(symbols, frame);
        known[frame] = function_lines_bit(&here.frames[here.count - 1]);
    }
    return known[frame];
}

static bool is_same(const struct translation *translation, enum side side, uint32_t frame)
{
    return translation->same[side][translation->trace[side]->frames[frame].module];
}

/* By number of the frame, what is called from there; to be freed. */
static uint64_t *callees_of(struct translation *translation, enum side side)
{
    const struct trace *trace = translation->trace[side];
    uint64_t *bits = memory_get(trace->header.frame_count, sizeof(*bits));
    uint64_t *callees = memory_get(trace->header.frame_count, sizeof(*callees));
    for (uint32_t i = TRACE_NODE_FIRST; i < trace->header.node_count; i++) {
        uint32_t parent = trace->nodes[i].parent;
        if (parent < TRACE_NODE_FIRST || is_same(translation, side, trace->nodes[parent].frame))
            continue;
        callees[trace->nodes[parent].frame] |=
            bit_of_frame(translation->symbols[side], bits, trace->nodes[i].frame);
    }
    free(bits);
    return callees;
}

static void collect_lines(struct translation *translation, enum side side)
{
    const struct trace *trace = translation->trace[side];
    uint64_t *callees = callees_of(translation, side);
    for (uint32_t i = 1; i < trace->header.frame_count; i++) {
        if (!trace->frames[i].module || is_same(translation, side, i))
            continue;
        uint64_t bits = callees[i] ? callees[i] : UINT64_MAX;
        struct source_frames here = symbols_resolve(translation->symbols[side], i);
        for (size_t j = 0; j < here.count; j++) {
            function_lines_add(translation->lines, side, &here.frames[j], bits);
            bits = function_lines_bit(&here.frames[j]);
        }
    }
    free(callees);
}

/* --- answers ------------------------------------------------------------------------------------------- */

static void translate(struct source_frame *place, uint32_t frame, const void *context)
{
    const struct translation *translation = context;
    uint32_t module = translation->trace[OLD]->frames[frame].module;
    if (!module)
        return;
    place->module = translation->module_paths[module];
    if (!translation->same[OLD][module])
        function_lines_translate(translation->lines, place);
}

struct translation *translation_start(const struct trace *old, struct symbols *old_symbols,
                                      const struct trace *new, struct symbols *new_symbols)
{
    struct translation *translation = memory_get(1, sizeof(*translation));
    *translation = (struct translation){
        .trace = {old, new},
        .symbols = {old_symbols, new_symbols},
        .same = {memory_get(old->header.module_count, sizeof(uint32_t)),
                 memory_get(new->header.module_count, sizeof(uint32_t))},
        .module_paths = memory_get(old->header.module_count, sizeof(char *)),
        .lines = function_lines_open(),
    };
    pair_modules(translation);
    name_modules(translation);
    collect_lines(translation, OLD);
    collect_lines(translation, NEW);
    function_lines_match(translation->lines);
    symbols_translate(old_symbols, translate, translation);
    return translation;
}

void translation_end(struct translation *translation)
{
    function_lines_close(translation->lines);
    free(translation->same[OLD]);
    free(translation->same[NEW]);
    free(translation->module_paths);
    free(translation);
}

uint32_t translation_module(const struct translation *translation, uint32_t old)
{
    return translation->same[OLD][old];
}

uint32_t translation_old_module(const struct translation *translation, uint32_t new)
{
    return translation->same[NEW][new];
}
