// SPDX-License-Identifier: MIT
/* The processes of a sum, a line each: in the head of a report and in the summary of a run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "output/units.h"

#define LINES 20

static const char *ending(const struct one_process *one, char text[UNITS_SIZE])
{
    switch (one->process.end) {
    case PROCESS_RUNNING:
        return "running";
    case PROCESS_EXITED:
        snprintf(text, UNITS_SIZE, "exited %d", one->process.status);
        return text;
    case PROCESS_KILLED:
        snprintf(text, UNITS_SIZE, "signal %d", one->process.status);
        return text;
    default:
        return one->replaced ? "exec" : "ended"; /* how is not known */
    }
}

static void put_line(const struct text *text, const struct one_process *one)
{
    char peak[UNITS_SIZE], allocated[UNITS_SIZE], end[UNITS_SIZE];
    int indent = fprintf(text->out, "%7" PRId32 "  %10s  %10s  %-10s  ", one->pid,
                         units_bytes(one->totals.peak_bytes, peak),
                         units_bytes(one->totals.allocated_bytes, allocated), ending(one, end));
    size_t columns = text->terminal.columns > indent + 8 ? (size_t)(text->terminal.columns - indent) : 8;
    char *command =
        text_command_line(text, (const char **)one->command, one->command_count, one->exe, columns);
    fprintf(text->out, "%s\n", command);
    free(command);
}

void text_processes(const struct text *text)
{
    const struct processes *processes = text->report->processes;
    text_style(text, TEXT_FAINT);
    fprintf(text->out, "%7s  %10s  %10s  %-10s  %s\n", "pid", "peak", "allocated", "end", "command");
    text_style(text, TEXT_PLAIN);
    for (size_t i = 0; i < processes->count && i < LINES; i++)
        put_line(text, &processes->all[i]);
    if (processes->count > LINES)
        fprintf(text->out, "and %zu more\n", processes->count - LINES);
}
