// SPDX-License-Identifier: MIT
/* In place of model/symbols.c: nothing is looked up, names are any strings of the trace. */
#include <stdlib.h>
#include <string.h>

#include "model/demangle.h"
#include "model/pool.h"
#include "model/symbols.h"

struct symbols {
    const struct trace *trace;
    struct pool names;
    struct source_frame frames[3];
    symbols_translator *translate;
    const void *context;
};

struct symbols *symbols_open(const struct trace *trace)
{
    struct symbols *symbols = memory_get(1, sizeof(*symbols));
    symbols->trace = trace;
    pool_start(&symbols->names, 1 << 20);
    return symbols;
}

void symbols_close(struct symbols *symbols)
{
    pool_free(&symbols->names);
    free(symbols);
}

static const char *any_string(const struct trace *trace, uint64_t number)
{
    number %= trace->command_count + trace->header.module_count + 3;
    if (number == 0)
        return NULL;
    if (number == 1)
        return trace->exe;
    if (number == 2)
        return trace->cwd;
    number -= 3;
    return number < trace->command_count ? trace->command[number]
                                         : trace->module_paths[number - trace->command_count];
}

static const char *any_function(struct symbols *symbols, uint64_t number)
{
    const char *name = any_string(symbols->trace, number);
    char *plain = name ? demangle(name) : NULL;
    if (!plain)
        return name;
    const char *kept = pool_keep(&symbols->names, plain, strlen(plain));
    free(plain);
    return kept ? kept : name;
}

struct source_frames symbols_resolve(struct symbols *symbols, uint32_t frame)
{
    const struct trace_frame *recorded = &symbols->trace->frames[frame];
    uint64_t offset = recorded->offset;
    size_t count = 1 + offset % 3;
    for (size_t i = 0; i < count; i++, offset >>= 8) {
        symbols->frames[i] = (struct source_frame){
            .function = any_function(symbols, offset >> 2),
            .file = any_string(symbols->trace, offset >> 4),
            .line = (int)(offset >> 8 & 0xfff),
            .module = symbols->trace->module_paths[recorded->module],
            .address = recorded->offset,
            .inlined = i + 1 < count,
        };
        if (symbols->translate)
            symbols->translate(&symbols->frames[i], frame, symbols->context);
    }
    return (struct source_frames){symbols->frames, count};
}

const char *symbols_called(struct symbols *symbols, uint32_t frame)
{
    return any_string(symbols->trace, symbols->trace->frames[frame].offset >> 6);
}

void symbols_translate(struct symbols *symbols, symbols_translator *translate, const void *context)
{
    symbols->translate = translate;
    symbols->context = context;
}

const char *symbols_directory(struct symbols *symbols, const struct source_frame *frame)
{
    return any_string(symbols->trace, frame->address >> 8);
}

enum module_state symbols_state(const struct symbols *symbols, uint32_t module)
{
    return (enum module_state)((symbols->trace->modules[module].bias + module) % (MODULE_FINE + 1));
}

enum module_state symbols_state_of_path(const struct symbols *symbols, const char *path)
{
    (void)symbols;
    return (enum module_state)(strlen(path) % (MODULE_FINE + 1));
}
