// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* vasprintf */
#include "output/losses.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/units.h"

struct listener {
    void (*tell)(const char *sentence, void *context);
    void *context;
};

static void say(const struct listener *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct listener *to, const char *format, ...)
{
    char *sentence;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&sentence, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    to->tell(sentence, to->context);
    free(sentence);
}

static void say_flags(const struct listener *to, uint32_t flags)
{
    static const struct {
        enum trace_flags flag;
        const char *sentence;
    } sentences[] = {
        {TRACE_STOPPED, "recording was stopped: new blocks are not counted"},
        {TRACE_NO_UNWINDER, "libunwind could not be loaded: stacks are one frame"},
        {TRACE_DISK_FULL, "the disk was full: the trace could not grow further"},
        {TRACE_GAVE_UP, "recording ended early: a signal's handler had jumped out of the recorder"},
        {TRACE_TABLES_FULL,
         "there was no room for later call sites: they are counted on the stack [overflow]"},
    };
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
        if (flags & sentences[i].flag)
            say(to, "%s", sentences[i].sentence);
}

/* "1.2 s" from the start to a moment */
static const char *since_start(const struct trace_header *header, uint64_t ns, char text[UNITS_SIZE])
{
    return units_duration(ns > header->started_ns ? ns - header->started_ns : 0, text);
}

static void say_what_was_changed(const struct listener *to, const struct trace_header *header)
{
    char time[UNITS_SIZE];
    if (header->cleared_ns)
        say(to, "all was forgotten after %s: the figures count from there",
            since_start(header, header->cleared_ns, time));
    if (header->peak_reset_ns)
        say(to, "the peak was reset after %s: it is that since then",
            since_start(header, header->peak_reset_ns, time));
}

void losses_tell(const struct trace *trace, bool several, void (*tell)(const char *sentence, void *context),
                 void *context)
{
    const struct trace_header *header = &trace->header;
    const struct listener to = {tell, context};
    char amount[UNITS_SIZE];
    if (trace->first_malloc)
        say(&to, "malloc was that of %s: only what it passed on was recorded", trace->first_malloc);
    if (header->flags & TRACE_FORKED && several)
        say(&to, "forks' children: what they inherited is counted in each; allocated counts from the fork on");
    else if (header->flags & TRACE_FORKED)
        say(&to, "fork's child: allocated and peak count from the fork on");
    if (header->peak_error_bytes)
        say(&to, "the peak is exact to within %s (several threads)",
            units_bytes(header->peak_error_bytes, amount));
    if (header->missed_events)
        say(&to, "%s heap calls were seen, but could not be counted",
            units_count(header->missed_events, amount));
    if (trace->truncated_allocations)
        say(&to, "the stacks of %s allocations are not known to their end",
            units_count(trace->truncated_allocations, amount));
    if (!several)
        say_what_was_changed(&to, header);
    say_flags(&to, header->flags);
}
