// SPDX-License-Identifier: MIT
/*
 * Frames of a trace as places in the source.  A module's file is opened when its first frame is asked
 * for, and only used if it is still the file that was recorded.  With a frame all others of its
 * compilation unit are looked up: each unit is read once, whatever the order of the questions.
 */
#ifndef MODEL_SYMBOLS_H
#define MODEL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"

/* Null and 0 where unknown. */
struct source_frame {
    const char *function; /* demangled */
    const char *file;     /* as the debug information gives it */
    const char *module;   /* path of the ELF file, or a name that is no file */
    uint64_t address;     /* of the call, in the ELF file */
    int line;
    bool inlined; /* into the next frame, which has the same address */
};

struct source_frames {
    const struct source_frame *frames; /* innermost first */
    size_t count;
};

enum module_state {
    MODULE_UNTOUCHED, /* nobody asked for a frame of it */
    MODULE_NO_FILE,   /* never was one: the vdso, code made at run time */
    MODULE_GONE,
    MODULE_CHANGED,    /* since it was recorded */
    MODULE_UNREADABLE, /* no ELF file, or it cannot be opened */
    MODULE_NO_DWARF,   /* function names at best */
    MODULE_FINE,
};

struct symbols;

/* The trace must live as long as the result; it may grow.  Reads nothing yet. */
struct symbols *symbols_open(const struct trace *trace);

void symbols_close(struct symbols *symbols);

/* What frame number `frame` of the trace stands for: at least one.  The array lives until the next call,
   the strings as long as symbols. */
struct source_frames symbols_resolve(struct symbols *symbols, uint32_t frame);

/* The function of another module that is called at a frame, as its own module names it: not demangled.  Null if that
   is not known; it lives as long as symbols. */
const char *symbols_called(struct symbols *symbols, uint32_t frame);

/* From now on answers are what `translate` makes of them: it may change a place of frame number `frame`, to
   strings that live as long as it is asked. */
typedef void symbols_translator(struct source_frame *place, uint32_t frame, const void *context);
void symbols_translate(struct symbols *symbols, symbols_translator *translate, const void *context);

/* Where the code of a resolved frame was compiled: its file, if relative, is relative to it.  Null if that is not
   known; it lives as long as symbols. */
const char *symbols_directory(struct symbols *symbols, const struct source_frame *frame);

/* How looking at a module went. */
enum module_state symbols_state(const struct symbols *symbols, uint32_t module);

/* The state of the module with this path; MODULE_UNTOUCHED if there is none. */
enum module_state symbols_state_of_path(const struct symbols *symbols, const char *path);

#endif
