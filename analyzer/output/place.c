// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* asprintf */
#include "output/place.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/names.h"
#include "output/utf8.h"

#define LEAST_WHAT 12

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *print(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = memory_get(1, 1);
    va_end(arguments);
    return text;
}

static char *location(const struct source_frame *frame, const char *cwd)
{
    if (!frame->file)
        return print("%s", frame->module ? base_name(frame->module) : "");
    char *path = names_path(frame->file, cwd);
    if (!frame->line)
        return path;
    char *whole = print("%s:%d", path, frame->line);
    free(path);
    return whole;
}

static char *subject(const struct source_frame *frame, const struct text *text)
{
    if (frame->function && text->report->full)
        return print("%s", frame->function);
    if (frame->function)
        return names_function(frame->function, text->terminal.wide);
    if (frame->address)
        return print("0x%" PRIx64, frame->address);
    return print("%s", "(unknown code)");
}

static char *escaped(char *name, bool wide)
{
    char *harmless = utf8_escape(name, wide);
    free(name);
    return harmless;
}

static void clip(char **part, size_t columns, bool wide, bool tail)
{
    char *clipped = utf8_clip(*part, columns, wide, tail);
    free(*part);
    *part = clipped;
}

/* The end of a path says most, and the beginning of a function's name. */
static void fit(struct place_text *place, size_t columns, bool wide)
{
    size_t what = utf8_columns(place->what), where = utf8_columns(place->where), gap = where ? 2 : 0;
    if (what + gap + where <= columns)
        return;
    size_t least = what < LEAST_WHAT ? what : LEAST_WHAT, half = columns / 2 > least ? columns / 2 : least;
    size_t kept = what < half ? what : half;
    if (where + gap + kept > columns) {
        where = columns > kept + gap ? columns - kept - gap : 0;
        clip(&place->where, where, wide, true);
    }
    clip(&place->what, columns > where + gap ? columns - where - gap : 0, wide, false);
}

struct place_text place_text(const struct text *text, const struct source_frame *frame, size_t columns)
{
    const struct report *report = text->report;
    bool wide = text->terminal.wide;
    struct place_text place;
    if (frame->function || frame->address || !(frame->file || frame->module))
        place = (struct place_text){subject(frame, text), location(frame, report->trace->cwd)};
    else if (frame->file) /* a group of which no more is known */
        place = (struct place_text){location(frame, report->trace->cwd), print("%s", "")};
    else
        place = (struct place_text){print("%s", frame->module), print("%s", "")};
    place.what = escaped(place.what, wide);
    place.where = escaped(place.where, wide);
    if (columns)
        fit(&place, columns, wide);
    return place;
}

void place_free(struct place_text *place)
{
    free(place->what);
    free(place->where);
}
