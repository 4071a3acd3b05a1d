// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* fwrite_unlocked */
#include "output/json.h"

#include <errno.h>
#include <error.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/utf8.h"

/* How many characters at the start can be written as they are; nearly all names are nothing else. */
static size_t plain(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    while (*at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - (const unsigned char *)string);
}

void json_string(FILE *out, const char *string)
{
    if (!string) {
        fputs("null", out);
        return;
    }
    putc('"', out);
    while (*string) {
        size_t size = plain(string);
        fwrite(string, 1, size, out);
        string += size;
        if (!*string)
            break;
        uint32_t character = utf8_decode(string, &size);
        char encoded[5];
        string += size;
        if (character == '"' || character == '\\')
            fprintf(out, "\\%c", (char)character);
        else if (character < 0x10000 && !utf8_is_printable(character))
            fprintf(out, "\\u%04x", character);
        else
            fwrite(encoded, 1, utf8_encode(character, encoded), out);
    }
    putc('"', out);
}

static void put_command(FILE *out, const char *const *command, size_t count)
{
    fputs("[", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", out);
        json_string(out, command[i]);
    }
    fputs("]", out);
}

static void put_started(FILE *out, uint64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    char text[64];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_string(out, text);
}

static void put_state(FILE *out, const struct process *process)
{
    static const char *const names[] = {
        [PROCESS_RUNNING] = "\"running\"",
        [PROCESS_EXITED] = "\"exited %d\"",
        [PROCESS_KILLED] = "\"killed %d\"",
        [PROCESS_ENDED] = "\"ended\"",
    };
    fprintf(out, names[process->end], process->status);
}

static void put_times(FILE *out, uint64_t started_realtime_ns, const struct process *process)
{
    fputs(", \"started\": ", out);
    put_started(out, started_realtime_ns);
    fprintf(out, ", \"duration_seconds\": %" PRIu64 ".%06u", process->duration_ns / 1000000000,
            (unsigned)(process->duration_ns % 1000000000 / 1000));
}

static void put_snapshot(FILE *out, const struct snapshot *snapshot)
{
    fprintf(out, "{\"number\": %" PRIu64 ", \"label\": ", snapshot->number);
    json_string(out, snapshot->label);
    fprintf(out, ", \"reason\": \"%s\", \"exact\": %s", snapshot_reason(snapshot),
            snapshot->blurred ? "false" : "true");
    fprintf(out, ", \"seconds\": %" PRIu64 ".%06u", snapshot->ns / 1000000000,
            (unsigned)(snapshot->ns % 1000000000 / 1000));
    fprintf(out, ", \"current_bytes\": %" PRIu64 ", \"current_blocks\": %" PRIu64 "}",
            snapshot->current_bytes, snapshot->blocks);
}

static void put_snapshots(FILE *out, const struct trace *trace)
{
    fputs(" \"snapshot\": ", out);
    if (trace->at)
        put_snapshot(out, trace->at);
    else
        fputs("null", out);
    fputs(", \"snapshots\": [", out);
    for (size_t i = 0; i < trace->snapshot_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        put_snapshot(out, &trace->snapshots[i]);
    }
    fputs("],\n", out);
}

static void put_seconds(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%06u", ns / 1000000000, (unsigned)(ns % 1000000000 / 1000));
}

/* A moment of the clock, from the start on; 0: there was none. */
static void put_moment(FILE *out, const char *name, const struct trace_header *header, uint64_t ns)
{
    fprintf(out, ", \"%s\": ", name);
    if (ns)
        put_seconds(out, ns > header->started_ns ? ns - header->started_ns : 0);
    else
        fputs("null", out);
}

/* What the program, or its user, has changed and noted on the way. */
static void put_control(FILE *out, const struct trace *trace)
{
    const struct trace_header *header = &trace->header;
    fprintf(out, " \"stopped\": %s", header->flags & TRACE_STOPPED ? "true" : "false");
    put_moment(out, "cleared_seconds", header, header->cleared_ns);
    put_moment(out, "peak_reset_seconds", header, header->peak_reset_ns);
    fputs(", \"marks\": [", out);
    for (size_t i = 0; i < trace->mark_count; i++) {
        const struct mark *mark = &trace->marks[i];
        fputs(i ? ",\n  {\"label\": " : "\n  {\"label\": ", out);
        json_string(out, mark->label);
        fputs(", \"seconds\": ", out);
        put_seconds(out, mark->ns);
        fprintf(out, ", \"current_bytes\": %" PRIu64 ", \"current_blocks\": %" PRIu64 "}", mark->current_bytes,
                mark->blocks);
    }
    fputs("],\n", out);
}

static void put_head(FILE *out, const struct report *report)
{
    const struct trace_header *header = &report->trace->header;
    fputs("{\"version\": 1, \"command\": ", out);
    if (report->processes) {
        fputs("null, \"pid\": null", out);
    } else {
        put_command(out, report->trace->command, report->trace->command_count);
        fprintf(out, ", \"pid\": %d", header->pid);
    }
    put_times(out, header->started_realtime_ns, &report->process);
    fputs(",\n \"state\": ", out);
    put_state(out, &report->process);
    uint64_t sample = header->sample_bytes ? header->sample_bytes : 1;
    fprintf(out, ", \"mode\": \"%s\", \"sample_bytes\": %" PRIu64 ", \"sites_total\": %zu,\n",
            sample > 1 ? "sampled" : "exact", sample,
            report->rows ? report->rows->total : report->selection.sites);
}

static void put_totals(FILE *out, const struct trace *trace)
{
    const struct trace_header *header = &trace->header;
    const struct figures *totals = &trace->totals;
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        {"current_bytes", totals->current_bytes},
        {"current_blocks", totals->current_blocks},
        {"peak_bytes", totals->peak_bytes},
        {"peak_blocks", totals->peak_blocks},
        {"peak_error_bytes", header->peak_error_bytes},
        {"allocated_bytes", totals->allocated_bytes},
        {"allocations", totals->allocations},
        {"frees", totals->frees},
        {"reallocations", totals->reallocations},
        {"temporary", totals->temporary},
        {"threads", header->threads},
        {"recorder_bytes", trace_recorder_bytes(trace)},
        {"truncated_stacks", trace->truncated_allocations},
        {"missed_events", header->missed_events},
    };
    fputs(" \"totals\": {", out);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", members[i].name, members[i].value);
    fputs("},\n", out);
}

void json_figures(FILE *out, const struct figures *figures)
{
    fprintf(out, "\"current_bytes\": %" PRIu64 ", \"current_blocks\": %" PRIu64, figures->current_bytes,
            figures->current_blocks);
    fprintf(out, ", \"peak_bytes\": %" PRIu64 ", \"peak_blocks\": %" PRIu64, figures->peak_bytes,
            figures->peak_blocks);
    fprintf(out, ", \"allocated_bytes\": %" PRIu64 ", \"allocations\": %" PRIu64, figures->allocated_bytes,
            figures->allocations);
    fprintf(out, ", \"frees\": %" PRIu64 ", \"reallocations\": %" PRIu64 ", \"temporary\": %" PRIu64,
            figures->frees, figures->reallocations, figures->temporary);
}

static void put_processes(FILE *out, const struct processes *processes)
{
    fputs(" \"peak_is_upper_bound\": true, \"processes\": [", out);
    for (size_t i = 0; i < processes->count; i++) {
        const struct one_process *one = &processes->all[i];
        fputs(i ? ",\n  {\"file\": " : "\n  {\"file\": ", out);
        json_string(out, one->file);
        fprintf(out, ", \"pid\": %d, \"command\": ", one->pid);
        put_command(out, (const char *const *)one->command, one->command_count);
        put_times(out, one->started_realtime_ns, &one->process);
        fputs(", \"state\": ", out);
        if (one->replaced)
            fputs("\"replaced\"", out);
        else
            put_state(out, &one->process);
        fputs(",\n   ", out);
        json_figures(out, &one->totals);
        fputs("}", out);
    }
    fputs("],\n", out);
}

static void put_selection(FILE *out, const struct selection *selection)
{
    fprintf(out, " \"selected\": {\"sites\": %zu, ", selection->sites);
    json_figures(out, &selection->figures);
    fputs("},\n", out);
}

void json_frame(FILE *out, const struct source_frame *frame)
{
    fputs("{\"function\": ", out);
    json_string(out, frame->function);
    fputs(", \"file\": ", out);
    json_string(out, frame->file);
    if (frame->line)
        fprintf(out, ", \"line\": %d, \"module\": ", frame->line);
    else
        fputs(", \"line\": null, \"module\": ", out);
    json_string(out, frame->module);
    if (frame->address)
        fprintf(out, ", \"address\": \"0x%" PRIx64 "\"", frame->address);
    else
        fputs(", \"address\": null", out);
    fprintf(out, ", \"inlined\": %s}", frame->inlined ? "true" : "false");
}

void json_head(FILE *out, const struct report *report)
{
    put_head(out, report);
    if (report->processes)
        put_processes(out, report->processes);
    put_snapshots(out, report->trace);
    put_control(out, report->trace);
    put_totals(out, report->trace);
    put_selection(out, &report->selection);
}

void json_side(FILE *out, const struct report *report)
{
    json_head(out, report);
    fputs(" \"file\": ", out);
    json_string(out, report->file);
    fputs("},\n", out);
}

/* --- stacks -------------------------------------------------------------------------------------------- */

/* Frames rendered lately, each at the place that its number gives: stacks have most of theirs in common. */
#define LATELY  2048
#define LARGEST 4096 /* bytes of one that is kept: names may be of any length */

/* A frame of the trace, with all that is inlined there, as it stands in a stack. */
struct rendered {
    uint32_t frame; /* 0: none */
    char *text;
    size_t size;
};

struct json_stacks {
    const struct report *report;
    struct rendered lately[LATELY];
    FILE *scratch; /* writes text */
    char *text;
    size_t size;
};

static const char separator[] = ",\n    "; /* before every frame but a stack's first */

struct json_stacks *json_stacks_start(const struct report *report)
{
    struct json_stacks *stacks = memory_get(1, sizeof(*stacks));
    stacks->report = report;
    stacks->scratch = open_memstream(&stacks->text, &stacks->size);
    if (!stacks->scratch)
        error(EXIT_FAILURE, errno, "cannot write into memory");
    return stacks;
}

void json_stacks_end(struct json_stacks *stacks)
{
    fclose(stacks->scratch);
    free(stacks->text);
    for (size_t i = 0; i < LATELY; i++)
        free(stacks->lately[i].text);
    free(stacks);
}

/* Into the scratch, and a copy to be kept if it is not too large. */
static void render(struct json_stacks *stacks, struct rendered *rendered, uint32_t frame)
{
    struct source_frames here = symbols_resolve(stacks->report->symbols, frame);
    rewind(stacks->scratch);
    for (size_t i = 0; i < here.count; i++) {
        fputs(separator, stacks->scratch);
        json_frame(stacks->scratch, &here.frames[i]);
    }
    if (fflush(stacks->scratch) != 0)
        error(EXIT_FAILURE, errno, "cannot write into memory");
    free(rendered->text);
    *rendered = (struct rendered){0};
    if (stacks->size <= LARGEST) {
        *rendered = (struct rendered){frame, memory_get(1, stacks->size), stacks->size};
        memcpy(rendered->text, stacks->text, stacks->size);
    }
}

/* A frame as it stands in a stack, without its first `skipped` characters. */
static void put_rendered(FILE *out, struct json_stacks *stacks, uint32_t frame, size_t skipped)
{
    struct rendered *rendered = &stacks->lately[frame % LATELY];
    if (rendered->frame != frame)
        render(stacks, rendered, frame);
    const char *text = rendered->frame ? rendered->text : stacks->text;
    size_t size = rendered->frame ? rendered->size : stacks->size;
    fwrite_unlocked(text + skipped, 1, size - skipped, out);
}

static void put_stack(FILE *out, struct json_stacks *stacks, uint32_t site)
{
    const struct trace *trace = stacks->report->trace;
    size_t skipped = strlen(separator);
    uint32_t node = stack_innermost(trace, site);
    for (; node >= TRACE_NODE_FIRST; node = trace->nodes[node].parent, skipped = 0)
        put_rendered(out, stacks, trace->nodes[node].frame, skipped);
    if (node == TRACE_NODE_OVERFLOW) {
        fputs(separator + skipped, out);
        json_frame(out, &stack_overflow);
    }
}

/* What a view leaves of a stack. */
static void put_seen(FILE *out, const struct scope_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++) {
        fputs(i ? separator : "", out);
        json_frame(out, &stack->frames[i]->source);
    }
}

void json_stacks_put(FILE *out, struct json_stacks *stacks, uint32_t site)
{
    const struct report *report = stacks->report;
    bool seen = view_reshapes(report->view), truncated = report->trace->sites[site].truncated;
    struct scope_stack stack = {0};
    if (seen) {
        stack = scope_stack(report->scope, site);
        truncated = stack.truncated;
    }
    fprintf(out, ", \"domain\": \"%s\", \"truncated\": %s,\n   \"frames\": [",
            scope_domain(report->scope, site)->name, truncated ? "true" : "false");
    if (seen)
        put_seen(out, &stack);
    else
        put_stack(out, stacks, site);
    fputc(']', out);
}

static void put_row(FILE *out, struct json_stacks *stacks, const struct row *row)
{
    fputs("{", out);
    json_figures(out, row->figures);
    if (stacks->report->view->by == BY_SITE) {
        json_stacks_put(out, stacks, row->site);
    } else {
        fputs(", \"truncated\": false,\n   \"frames\": [", out);
        json_frame(out, row->frame);
        fputc(']', out);
    }
    fputc('}', out);
}

void json_sites(FILE *out, const struct report *report)
{
    size_t count = report->rows->count;
    if (report->limit && report->limit < count)
        count = report->limit;
    fputs(" \"sites\": [", out);
    struct json_stacks *stacks = json_stacks_start(report);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        put_row(out, stacks, &report->rows->all[i]);
    }
    json_stacks_end(stacks);
    fputs("]}\n", out);
}

void json_report(FILE *out, const struct report *report)
{
    json_head(out, report);
    json_sites(out, report);
}
