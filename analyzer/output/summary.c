// SPDX-License-Identifier: MIT
/* What `tracemalloc run` says at the end. */
#include <stdlib.h>

#include "output/place.h"
#include "output/text.h"
#include "output/units.h"

static void put_totals(const struct text *text)
{
    const struct figures *totals = &text->report->trace->totals;
    char peak[UNITS_SIZE], current[UNITS_SIZE], allocated[UNITS_SIZE], count[UNITS_SIZE];
    units_count(totals->allocations, count);
    fprintf(text->out, "  %s %s, at the end %s, allocated %s in %s %s\n",
            text->report->processes ? "sum of the peaks" : "peak", units_bytes(totals->peak_bytes, peak),
            units_bytes(totals->current_bytes, current), units_bytes(totals->allocated_bytes, allocated),
            count, text_plural(totals->allocations, "allocation", "allocations"));
}

/* Many programs allocate everything by one function of theirs: its caller tells the rows apart. */
static void put_caller(const struct text *text, const struct row *row, size_t columns)
{
    struct stack stack = {0};
    scope_copy(text->report->scope, row->site, &stack);
    if (stack.origin + 1 < text_stack_end(&stack)) {
        struct place_text caller = place_text(text, &stack.frames[stack.origin + 1], columns);
        fprintf(text->out, "  %s%s", text->terminal.wide ? "\u2190 " : "< ", caller.what);
        place_free(&caller);
    }
    stack_free(&stack);
}

static void put_row(const struct text *text, const struct row *row)
{
    enum { CALLER = 30, LEAST = 50 }; /* columns of a caller, and of what is before it if there is one */
    const struct report *report = text->report;
    char bytes[UNITS_SIZE], share[UNITS_SIZE];
    int indent = fprintf(text->out, "  %10s  %7s  ", units_bytes(row->figures->peak_bytes, bytes),
                         units_share(row->figures->peak_bytes, report->trace->totals.peak_bytes, share));
    const struct source_frame *origin = &scope_origin(report->scope, row->site)->source;
    size_t columns = text->terminal.columns > indent ? (size_t)(text->terminal.columns - indent) : 0;
    bool room = columns == 0 || columns >= CALLER + LEAST;
    struct place_text place = place_text(text, origin, room && columns ? columns - CALLER : columns);
    fprintf(text->out, "%s%s%s", place.what, *place.where ? "  " : "", place.where);
    if (room)
        put_caller(text, row, columns ? CALLER - 4 : 0);
    fputc('\n', text->out);
    place_free(&place);
}

/* `columns` of the line are taken by what follows. */
static void put_command(const struct text *text, const char **command, size_t count, const char *exe,
                        int taken)
{
    size_t columns = (size_t)text->terminal.columns,
           kept = columns > (size_t)taken ? columns - (size_t)taken : columns;
    char *line = text_command_line(text, command, count, exe, kept);
    fprintf(text->out, "tracemalloc: %s: ", line);
    free(line);
    text_state(text->out, &text->report->process);
}

static void put_more(const struct text *text)
{
    fputs("  more: ", text->out);
    text_report_command(text, "");
    fputc('\n', text->out);
}

void text_summary(FILE *out, const struct report *report)
{
    struct text text = {out, terminal_of(out), report};
    const struct trace *trace = report->trace;
    put_command(&text, trace->command, trace->command_count, trace->exe, 45);
    fputc('\n', out);
    put_totals(&text);
    for (size_t i = 0; i < report->rows->count && i < SUMMARY_ROWS; i++)
        if (report->rows->all[i].figures->peak_bytes)
            put_row(&text, &report->rows->all[i]);
    put_more(&text);
}

void text_summary_of_tree(FILE *out, const struct report *report, const char **command)
{
    struct text text = {out, terminal_of(out), report};
    size_t count = 0;
    while (command[count])
        count++;
    put_command(&text, command, count, NULL, 55);
    fprintf(out, ", left %zu traces\n", report->processes->count);
    put_totals(&text);
    text_processes(&text);
    put_more(&text);
}
