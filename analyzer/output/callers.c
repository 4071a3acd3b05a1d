// SPDX-License-Identifier: MIT
/* The callers of an allocation in the text report. */
#include <stdlib.h>
#include <string.h>

#include "output/place.h"
#include "output/text.h"

#define MOST       4 /* callers shown of a stack */
#define STARTS     3 /* how many frames lead into main at most */
#define LEAST_ROOM 20

/* A caller as it is shown: recursion from one line is one, with the number of its levels. */
struct caller {
    const struct source_frame *frame;
    size_t levels;
    bool shown;
};

void text_place(const struct text *text, const struct source_frame *frame, int indent, bool strong)
{
    int columns = text->terminal.columns;
    size_t room = columns == 0 ? 0 : columns > indent + LEAST_ROOM ? (size_t)(columns - indent) : LEAST_ROOM;
    struct place_text place = place_text(text, frame, room);
    if (strong)
        text_style(text, TEXT_STRONG);
    fputs(place.what, text->out);
    if (strong)
        text_style(text, TEXT_PLAIN);
    if (*place.where) {
        text_style(text, TEXT_FAINT);
        fprintf(text->out, "  %s", place.where);
        text_style(text, TEXT_PLAIN);
    }
    place_free(&place);
}

/* The C library's way into main and into threads says nothing about the program. */
static bool is_start(const struct source_frame *frame)
{
    static const char *const names[] = {
        "_start",   "__libc_start_main", "__libc_start_call_main", "start_thread", "clone", "clone3",
        "__clone3", "__clone",           "__libc_start_main_impl"};
    for (size_t i = 0; frame->function && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(frame->function, names[i]) == 0)
            return true;
    return false;
}

/* The same without a name: libc's symbol table may be stripped. */
static bool is_nameless_libc(const struct source_frame *frame)
{
    return !frame->function && frame->module && strstr(frame->module, "/libc.so.");
}

/* Where that way begins, counted from inside; outside of it (a nameless _start) is nothing else. */
size_t text_stack_end(const struct stack *stack)
{
    size_t first = stack->origin + 1, at = stack->count > STARTS ? stack->count - STARTS : 0;
    if (at < first)
        at = first;
    while (at < stack->count && !is_start(&stack->frames[at]))
        at++;
    while (at > first && at <= stack->count && is_nameless_libc(&stack->frames[at - 1]))
        at--;
    return at < stack->count ? at : stack->count;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_line(const struct source_frame *a, const struct source_frame *b)
{
    return a->line == b->line && same(a->function, b->function) && same(a->file, b->file) &&
           same(a->module, b->module) && (a->function || a->address == b->address);
}

static size_t collect(struct caller *callers, const struct stack *stack, bool full)
{
    size_t end = full ? stack->count : text_stack_end(stack), count = 0;
    for (size_t i = (full ? 0 : stack->origin) + 1; i < end; i++) {
        const struct source_frame *frame = &stack->frames[i];
        if (!full && count && same_line(callers[count - 1].frame, frame))
            callers[count - 1].levels++;
        else
            callers[count++] = (struct caller){frame, 1, full};
    }
    return count;
}

/* Code of the system, which few people can change: they look for what is not. */
static bool is_library(const struct source_frame *frame, const char *exe)
{
    if (frame->file &&
        (strncmp(frame->file, "/usr/include/", 13) == 0 || strstr(frame->file, "/include/c++/")))
        return true;
    if (!frame->module || same(frame->module, exe))
        return !frame->module;
    return strncmp(frame->module, "/usr/lib", 8) == 0 || strncmp(frame->module, "/lib", 4) == 0;
}

static size_t show(struct caller *caller, size_t room)
{
    if (caller->shown || !room)
        return room;
    caller->shown = true;
    return room - 1;
}

/* Of a long stack: the nearest caller and the outermost, then the program's own code from inside, then
   anything. */
static void choose(struct caller *callers, size_t count, const char *exe)
{
    size_t room = MOST;
    if (!count)
        return;
    room = show(&callers[count - 1], show(&callers[0], room));
    for (size_t i = 0; i < count; i++)
        if (!is_library(callers[i].frame, exe))
            room = show(&callers[i], room);
    for (size_t i = 0; i < count; i++)
        room = show(&callers[i], room);
}

static void put_caller(const struct text *text, const struct caller *caller, int indent)
{
    fprintf(text->out, "%*s%s", indent, "", text->terminal.wide ? "\u2190 " : "< ");
    indent += 2;
    if (caller->levels > 1)
        indent += fprintf(text->out, "%zu x ", caller->levels);
    text_place(text, caller->frame, indent, false);
    fputs(text->report->full && caller->frame->inlined ? "  (inlined)\n" : "\n", text->out);
}

static void put_gap(const struct text *text, int indent, size_t left_out)
{
    text_style(text, TEXT_FAINT);
    fprintf(text->out, "%*s%s %zu more", indent + 2, "", text->terminal.wide ? "\u2026" : "...", left_out);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
}

void text_callers(const struct text *text, const struct stack *stack, int indent)
{
    bool full = text->report->full;
    struct caller *callers = memory_get(stack->count, sizeof(*callers));
    size_t count = collect(callers, stack, full), hidden = 0;
    choose(callers, count, text->report->trace->exe);
    for (size_t i = 0; i < count; i++) {
        if (!callers[i].shown && !full) {
            hidden++;
            continue;
        }
        /* A single one takes no more room than saying that it is missing. */
        if (hidden == 1)
            put_caller(text, &callers[i - 1], indent);
        else if (hidden)
            put_gap(text, indent, hidden);
        hidden = 0;
        put_caller(text, &callers[i], indent);
    }
    if (stack->truncated)
        fprintf(text->out, "%*s[truncated]\n", indent + 2, "");
    free(callers);
}
