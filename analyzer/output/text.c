// SPDX-License-Identifier: MIT
#include "output/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/losses.h"
#include "output/units.h"
#include "output/utf8.h"

void text_style(const struct text *text, enum text_style style)
{
    static const char *const codes[] = {[TEXT_PLAIN] = "\033[0m",
                                        [TEXT_STRONG] = "\033[1m",
                                        [TEXT_FAINT] = "\033[2m",
                                        [TEXT_WARN] = "\033[33m"};
    if (text->terminal.colour)
        fputs(codes[style], text->out);
}

const char *text_plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

char *text_command_line(const struct text *text, const char **command, size_t count, const char *exe,
                        size_t columns)
{
    char *joined = NULL;
    size_t size;
    FILE *line = open_memstream(&joined, &size);
    for (size_t i = 0; line && i < count; i++)
        fprintf(line, "%s%s", i ? " " : "", command[i]);
    if (line && !count)
        fputs(exe ? exe : "(unknown command)", line);
    if (line)
        fclose(line);
    char *escaped = utf8_escape(joined ? joined : "", text->terminal.wide);
    free(joined);
    if (!text->terminal.columns)
        return escaped;
    char *clipped = utf8_clip(escaped, columns, text->terminal.wide, false);
    free(escaped);
    return clipped;
}

char *text_command(const struct text *text, size_t columns)
{
    const struct trace *trace = text->report->trace;
    return text_command_line(text, trace->command, trace->command_count, trace->exe, columns);
}

void text_state(FILE *out, const struct process *process)
{
    static const char *const formats[] = {
        [PROCESS_RUNNING] = "running for",
        [PROCESS_EXITED] = "exited %d after",
        [PROCESS_KILLED] = "killed by signal %d (%s) after",
        [PROCESS_ENDED] = "ended after",
    };
    char duration[UNITS_SIZE];
    const char *signal = process->end == PROCESS_KILLED ? strsignal(process->status) : NULL;
    fprintf(out, formats[process->end], process->status, signal ? signal : "unknown");
    fprintf(out, " %s", units_duration(process->duration_ns, duration));
}

static void put_state(const struct text *text)
{
    const struct trace_header *header = &text->report->trace->header;
    time_t started = (time_t)(header->started_realtime_ns / 1000000000);
    struct tm local;
    char when[64] = "";
    if (localtime_r(&started, &local))
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    text_state(text->out, &text->report->process);
    if (!text->report->processes)
        fprintf(text->out, ", pid %d", header->pid);
    fprintf(text->out, ", started %s", when);
    if (header->threads > 1)
        fprintf(text->out, ", %" PRIu32 " threads", header->threads);
    if (header->sample_bytes > 1)
        fprintf(text->out, ", sampled every %" PRIu64 " bytes", header->sample_bytes);
    fputc('\n', text->out);
}

/* "snapshot 3 'after load' (asked for) at 1.25 s" */
static void put_snapshot(const struct text *text, const struct snapshot *snapshot)
{
    char when[UNITS_SIZE];
    fprintf(text->out, "snapshot %" PRIu64, snapshot->number);
    if (snapshot->label) {
        char *harmless = utf8_escape(snapshot->label, text->terminal.wide);
        fprintf(text->out, " '%s'", harmless);
        free(harmless);
    }
    fprintf(text->out, " (%s) at %s", snapshot_reason(snapshot), units_duration(snapshot->ns, when));
    if (snapshot->blurred)
        fputs(", while threads went on", text->out);
    fputc('\n', text->out);
}

static void put_together(const struct text *text)
{
    size_t count = text->report->processes->count;
    text_style(text, TEXT_STRONG);
    fprintf(text->out, "%zu %s, added up", count, text_plural(count, "trace", "traces"));
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
    put_state(text);
    fputc('\n', text->out);
    text_processes(text);
    fputc('\n', text->out);
}

void text_process(const struct text *text)
{
    char *command = text_command(text, (size_t)text->terminal.columns);
    text_style(text, TEXT_STRONG);
    fputs(command, text->out);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
    free(command);
    put_state(text);
    if (text->report->trace->at)
        put_snapshot(text, text->report->trace->at);
    fputc('\n', text->out);
}

static void put_amount(const struct text *text, const char *label, uint64_t bytes, uint64_t count,
                       const char *one, const char *many)
{
    char size[UNITS_SIZE], number[UNITS_SIZE];
    fprintf(text->out, "%-11s", label);
    text_style(text, TEXT_STRONG);
    fputs(units_bytes(bytes, size), text->out);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, " in %s %s", units_count(count, number), text_plural(count, one, many));
}

static void put_totals(const struct text *text)
{
    const struct figures *totals = &text->report->trace->totals;
    char number[UNITS_SIZE], share[UNITS_SIZE];
    put_amount(text, "current", totals->current_bytes, totals->current_blocks, "block", "blocks");
    fputc('\n', text->out);
    put_amount(text, "peak", totals->peak_bytes, totals->peak_blocks, "block", "blocks");
    fputs(text->report->processes ? " at most: the sum of the peaks, which may have come at different times\n"
                                  : "\n",
          text->out);
    put_amount(text, "allocated", totals->allocated_bytes, totals->allocations, "allocation", "allocations");
    if (totals->reallocations)
        fprintf(text->out, ", %s of them by realloc", units_count(totals->reallocations, number));
    fputc('\n', text->out);
    if (totals->temporary)
        fprintf(text->out, "%-11s%s (%s) freed by the very next heap call\n", "temporary",
                units_count(totals->temporary, number),
                units_share(totals->temporary, totals->allocations, share));
}

static void put_loss(const char *sentence, void *context)
{
    const struct text *text = context;
    char *harmless = utf8_escape(sentence, text->terminal.wide);
    text_style(text, TEXT_WARN);
    fputs(harmless, text->out);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
    free(harmless);
}

/* Of what the rows below speak, if it is not all. */
static void put_selection(const struct text *text)
{
    static const char *const wholes[METRICS] = {
        [METRIC_PEAK] = "of the peak",           [METRIC_CURRENT] = "of what is live",
        [METRIC_ALLOCATED] = "of all bytes",     [METRIC_ALLOCATIONS] = "of all allocations",
        [METRIC_TEMPORARY] = "of all temporary",
    };
    const struct report *report = text->report;
    const struct selection *selection = &report->selection;
    enum metric metric = report->view->metric;
    bool counted = metric == METRIC_ALLOCATIONS || metric == METRIC_TEMPORARY;
    uint64_t value = metric_of(&selection->figures, metric);
    char amount[UNITS_SIZE], share[UNITS_SIZE], sites[UNITS_SIZE], of[UNITS_SIZE];
    if (!view_selects(report->view))
        return;
    if (!selection->sites) {
        text_style(text, TEXT_WARN);
        fprintf(text->out, "%-11sno call site matches", "selected");
        text_style(text, TEXT_PLAIN);
        fputc('\n', text->out);
        return;
    }
    fprintf(text->out, "%-11s", "selected");
    text_style(text, TEXT_STRONG);
    fputs((counted ? units_count : units_bytes)(value, amount), text->out);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, ", %s %s, in %s of %s %s\n",
            units_share(value, metric_of(&report->trace->totals, metric), share), wholes[metric],
            units_count(selection->sites, sites), units_count(selection->of, of),
            text_plural(selection->of, "call site", "call sites"));
}

void text_losses(const struct text *text)
{
    losses_tell(text->report->trace, text->report->processes, put_loss, (void *)text);
}

void text_side(const struct text *text, const char *label)
{
    const struct report *report = text->report;
    char *command = text_command(text, (size_t)text->terminal.columns);
    fprintf(text->out, "%s  ", label);
    text_style(text, TEXT_STRONG);
    fputs(command, text->out);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, "\n%*s", (int)strlen(label) + 2, "");
    text_state(text->out, &report->process);
    fprintf(text->out, ", pid %d", report->trace->header.pid);
    if (report->file) {
        char *file = utf8_escape(report->file, text->terminal.wide);
        fprintf(text->out, ": %s", file);
        free(file);
    }
    fputc('\n', text->out);
    text_losses(text);
    free(command);
}

void text_head(const struct text *text)
{
    if (text->report->processes)
        put_together(text);
    else
        text_process(text);
    put_totals(text);
    text_losses(text);
    put_selection(text);
    fputc('\n', text->out);
}

void text_report(FILE *out, const struct report *report)
{
    struct text text = {out, terminal_of(out), report};
    text_head(&text);
    bool has_rows = text_table(&text);
    text_hint(&text, has_rows);
}
