// SPDX-License-Identifier: MIT
/*
 * The page itself is fixed (see page.h); what is written here is its title and its data: JSON in a script
 * element that is no script.  Names are made harmless as for a terminal, and no `<` is left in them: nothing
 * can end the element, or begin another.
 */
#define _GNU_SOURCE 1 /* open_memstream */
#include "output/html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "output/losses.h"
#include "output/names.h"
#include "output/page.h"
#include "output/text.h"
#include "output/units.h"
#include "output/utf8.h"

#define LONGEST 4000 /* columns of a name: what is longer nobody reads */

/* --- strings ------------------------------------------------------------------------------------------- */

static void put_harmless(FILE *out, const char *harmless)
{
    putc('"', out);
    for (const char *at = harmless; *at; at++)
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at == '<' || *at == '>' || *at == '&')
            fprintf(out, "\\u%04x", (unsigned)*at);
        else
            putc(*at, out);
    putc('"', out);
}

static char *harmless(const char *string)
{
    char *escaped = utf8_escape(string, true), *clipped = utf8_clip(escaped, LONGEST, true, false);
    free(escaped);
    return clipped;
}

static void put_string(FILE *out, const char *string)
{
    char *safe = harmless(string);
    put_harmless(out, safe);
    free(safe);
}

/* --- names: functions, files, modules ------------------------------------------------------------------ */

/* A name, and how it is shown where that is not the same. */
struct name {
    char *full, *shown;
    int number;
    UT_hash_handle hh;
};

struct names {
    struct name *all; /* in the order of their numbers */
};

/* `shown` is freed; null: as the name itself. */
static int names_number(struct names *names, const char *string, char *shown)
{
    char *full = harmless(string);
    struct name *name;
    HASH_FIND_STR(names->all, full, name);
    if (name) {
        free(full);
    } else {
        name = memory_get(1, sizeof(*name));
        name->full = full;
        name->shown = shown ? harmless(shown) : NULL;
        name->number = (int)HASH_COUNT(names->all);
        HASH_ADD_KEYPTR(hh, names->all, name->full, strlen(name->full), name);
    }
    free(shown);
    return name->number;
}

static void names_free(struct names *names)
{
    struct name *name, *next;
    HASH_ITER(hh, names->all, name, next)
    {
        HASH_DEL(names->all, name);
        free(name->full);
        free(name->shown);
        free(name);
    }
}

static void put_names(FILE *out, const struct names *names)
{
    fputs(",\n\"names\":[", out);
    for (const struct name *name = names->all; name; name = name->hh.next) {
        fputs(name->number ? ",\n" : "", out);
        put_harmless(out, name->full);
    }
    fputs("],\n\"short\":{", out);
    const char *comma = "";
    for (const struct name *name = names->all; name; name = name->hh.next)
        if (name->shown && strcmp(name->shown, name->full) != 0) {
            fprintf(out, "%s\"%d\":", comma, name->number);
            put_harmless(out, name->shown);
            comma = ",";
        }
    fputs("}", out);
}

/* --- frames and nodes ---------------------------------------------------------------------------------- */

static int function_number(struct names *names, const struct source_frame *frame)
{
    char address[32];
    if (frame->function)
        return names_number(names, frame->function, names_function(frame->function, true));
    if (!frame->address)
        return -1;
    snprintf(address, sizeof(address), "0x%" PRIx64, frame->address);
    return names_number(names, address, NULL);
}

static void put_frame(FILE *out, const struct html_page *page, struct names *names,
                      const struct calltree_frame *frame)
{
    const struct source_frame *source = &frame->source;
    const char *cwd = page->traces[page->trace_count - 1].trace->cwd;
    int file = source->file ? names_number(names, source->file, names_path(source->file, cwd)) : -1;
    int module = source->module ? names_number(names, source->module, names_path(source->module, cwd)) : -1;
    fprintf(out, "%d,%d,%d,%d,%d", function_number(names, source), file, source->line, module,
            frame->runtime);
}

/* Those that are left of the tree, each when it is first met; frame -1: of "(other)", and of the root. */
static void put_nodes(FILE *out, const struct html_page *page, struct names *names)
{
    const struct pruned *pruned = page->pruned;
    int *numbers = memory_get(page->tree->frame_count + 1, sizeof(*numbers)), count = 0; /* 0: not met */
    fputs(",\n\"frames\":[", out);
    for (size_t i = 1; i < pruned->count; i++) {
        uint32_t frame = pruned->nodes[i].frame;
        if (frame == PRUNING_OTHER || numbers[frame])
            continue;
        fputs(count ? ",\n" : "", out);
        put_frame(out, page, names, &page->tree->frames[frame]);
        numbers[frame] = ++count;
    }
    fputs("],\n\"parents\":[0", out);
    for (size_t i = 1; i < pruned->count; i++)
        fprintf(out, ",%" PRIu32, pruned->nodes[i].parent);
    fputs("],\n\"nodes\":[-1", out);
    for (size_t i = 1; i < pruned->count; i++)
        fprintf(out, ",%d",
                pruned->nodes[i].frame == PRUNING_OTHER ? -1 : numbers[pruned->nodes[i].frame] - 1);
    free(numbers);
}

/* The nodes that have sites of their own; the figures are theirs. */
static void put_rows(FILE *out, const struct pruned *pruned)
{
    fputs("],\n\"rows\":[", out);
    const char *comma = "";
    for (size_t i = 0; i < pruned->count; i++)
        if (pruned->counting[i]) {
            fprintf(out, "%s%zu", comma, i);
            comma = ",";
        }
    fputs("]", out);
}

/* --- figures ------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} columns[] = {
    {"peak_bytes", offsetof(struct figures, peak_bytes)},
    {"peak_blocks", offsetof(struct figures, peak_blocks)},
    {"current_bytes", offsetof(struct figures, current_bytes)},
    {"current_blocks", offsetof(struct figures, current_blocks)},
    {"allocated_bytes", offsetof(struct figures, allocated_bytes)},
    {"allocations", offsetof(struct figures, allocations)},
    {"temporary", offsetof(struct figures, temporary)},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static uint64_t figure(const struct figures *figures, size_t column)
{
    return *(const uint64_t *)((const char *)figures + columns[column].offset);
}

/* Of every row, by columns; `own`: those of each node's own sites. */
static void put_figures(FILE *out, const struct html_page *page, const struct figures *own)
{
    const struct pruned *pruned = page->pruned;
    struct figures *figures = memory_get(pruned->count, sizeof(*figures));
    for (size_t i = 0; i < page->tree->node_count; i++)
        figures_add(&figures[pruned->places[i]], &own[i]);
    for (size_t column = 0; column < COLUMNS; column++) {
        fprintf(out, "%s\"%s\":[", column ? ",\n " : "", columns[column].name);
        const char *comma = "";
        for (size_t i = 0; i < pruned->count; i++)
            if (pruned->counting[i]) {
                fprintf(out, "%s%" PRIu64, comma, figure(&figures[i], column));
                comma = ",";
            }
        fputs("]", out);
    }
    free(figures);
}

static void put_snapshot(FILE *out, const struct snapshot *snapshot)
{
    char label[64], reason[64 + UNITS_SIZE], size[UNITS_SIZE];
    snprintf(label, sizeof(label), "snapshot %" PRIu64, snapshot->number);
    snprintf(reason, sizeof(reason), "%s", snapshot_reason(snapshot));
    if (snapshot->asked_bytes)
        snprintf(reason, sizeof(reason), "%s: %s were not to be had", snapshot_reason(snapshot),
                 units_bytes(snapshot->asked_bytes, size));
    put_string(out, snapshot->label ? snapshot->label : label);
    fputs(",\"reason\":", out);
    put_string(out, reason);
    fprintf(out, ",\"exact\":%s,\"ns\":%" PRIu64, snapshot->blurred ? "false" : "true", snapshot->ns);
}

static const struct html_trace *trace_of(const struct html_page *page, const struct moment *moment)
{
    const struct html_trace *of = page->traces;
    while (of->trace != moment->trace)
        of++;
    return of;
}

/* The sums over the sites in the view. */
static void put_totals(FILE *out, const struct html_page *page, const struct figures *own)
{
    struct figures totals = {0};
    for (size_t i = 0; i < page->tree->node_count; i++)
        figures_add(&totals, &own[i]);
    fputs(",\"totals\":{", out);
    for (size_t column = 0; column < COLUMNS; column++)
        fprintf(out, "\"%s\":%" PRIu64 ",", columns[column].name, figure(&totals, column));
    fprintf(out, "\"reallocations\":%" PRIu64 "}}", totals.reallocations);
}

static void put_moment(FILE *out, const struct html_page *page, const struct moment *moment)
{
    const struct snapshot *snapshot = moment_snapshot(moment);
    const struct html_trace *of = trace_of(page, moment);
    fprintf(out, "{\"trace\":%zu,\"label\":", (size_t)(of - page->traces));
    if (snapshot)
        put_snapshot(out, snapshot);
    else
        fprintf(out, "\"%s\",\"ns\":%" PRIu64, of->process.end == PROCESS_RUNNING ? "now" : "the end",
                of->process.duration_ns);
}

/* Totals with the data; the rows of each moment in an element of their own, read when they are wanted. */
static bool put_moments(FILE *out, FILE *rows, const struct html_page *page, struct failure *why)
{
    fputs(",\n\"moments\":[", out);
    for (size_t i = 0; i < page->moment_count; i++) {
        const struct moment *moment = &page->moments[i];
        if (!moment_go_to(moment, why))
            return false;
        fputs(i ? ",\n" : "", out);
        struct figures *own = calltree_figures(page->tree, moment->trace, moment->nodes);
        put_moment(out, page, moment);
        put_totals(out, page, own);
        fprintf(rows, "<script type=\"application/json\" id=\"figures-%zu\">{", i);
        put_figures(rows, page, own);
        fputs("}</script>\n", rows);
        free(own);
    }
    fputs("]", out);
    return true;
}

/* Of the first trace; of two there is no common time. */
static void put_points(FILE *out, const struct trace *trace)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
        {"ns", offsetof(struct point, ns)},
        {"current", offsetof(struct point, current_bytes)},
        {"resident", offsetof(struct point, resident_bytes)},
    };
    const char *comma = ",\n\"points\":{";
    for (size_t member = 0; member < sizeof(members) / sizeof(members[0]); member++) {
        fprintf(out, "%s\"%s\":[", comma, members[member].name);
        for (size_t i = 0; i < trace->point_count; i++)
            fprintf(out, "%s%" PRIu64, i ? "," : "",
                    *(const uint64_t *)((const char *)&trace->points[i] + members[member].offset));
        fputs("]", out);
        comma = ",\n ";
    }
    fprintf(out, ",\"peak\":%" PRIu64 "}", trace->totals.peak_bytes);
}

/* --- the head ------------------------------------------------------------------------------------------ */

struct list {
    FILE *out;
    const char *comma;
};

static void put_loss(const char *sentence, void *context)
{
    struct list *list = context;
    fputs(list->comma, list->out);
    put_string(list->out, sentence);
    list->comma = ",";
}

/* What part of the trace the page is about, if it is not all. */
static void put_selection(const struct html_page *page, const struct html_trace *of, struct list *notes)
{
    const struct selection *selection = &of->selection;
    char sites[UNITS_SIZE], all[UNITS_SIZE], part[UNITS_SIZE], whole[UNITS_SIZE], note[256];
    if (!view_selects(page->view))
        return;
    snprintf(note, sizeof(note), "selected: %s of %s call sites, with %s of the peak's %s",
             units_count(selection->sites, sites), units_count(selection->of, all),
             units_bytes(selection->figures.peak_bytes, part),
             units_bytes(of->trace->totals.peak_bytes, whole));
    put_loss(note, notes);
}

static void put_state(FILE *out, const struct process *process)
{
    char *text;
    size_t size;
    FILE *line = open_memstream(&text, &size);
    text_state(line, process);
    fclose(line);
    put_string(out, text);
    free(text);
}

static void put_started(FILE *out, uint64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm local;
    char when[64] = "";
    if (localtime_r(&seconds, &local))
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    put_string(out, when);
}

static char *command_of(const struct trace *trace)
{
    struct report report = {.trace = trace};
    struct text text = {.terminal = {.wide = true}, .report = &report};
    return text_command(&text, 0);
}

static void put_trace(FILE *out, const struct html_page *page, const struct html_trace *of)
{
    const struct trace_header *header = &of->trace->header;
    char *command = command_of(of->trace);
    fputs("{\"command\":", out);
    put_string(out, command);
    free(command);
    fputs(",\"file\":", out);
    put_string(out, of->file);
    fputs(",\"state\":", out);
    put_state(out, &of->process);
    fputs(",\"started\":", out);
    put_started(out, header->started_realtime_ns);
    fprintf(out, ",\"pid\":%" PRId32 ",\"threads\":%" PRIu32 ",\"sample_bytes\":%" PRIu64 ",\"notes\":[",
            header->pid, header->threads, header->sample_bytes);
    struct list notes = {out, ""};
    put_selection(page, of, &notes);
    losses_tell(of->trace, false, put_loss, &notes);
    fputs("]}", out);
}

static void put_traces(FILE *out, const struct html_page *page)
{
    fputs("\"traces\":[", out);
    for (size_t i = 0; i < page->trace_count; i++) {
        fputs(i ? ",\n" : "", out);
        put_trace(out, page, &page->traces[i]);
    }
    fprintf(out, "],\n\"metric\":\"%s\"", metric_names[page->metric]);
    fprintf(out, ",\n\"shown\":%zu,\"base\":%zd", page->shown, (ssize_t)page->base); /* no base: -1 */
    fprintf(out, ",\n\"left_out\":{\"nodes\":%zu,\"of\":%zu,\"share\":%g,\"moments\":%zu}",
            page->pruned->left_out, page->tree->node_count - 1, page->pruned->threshold,
            page->moments_left_out);
}

/* The title is text of the document: there only & and < mean something. */
static void put_title(FILE *out, const struct html_page *page)
{
    char *command = command_of(page->traces[page->trace_count - 1].trace);
    char *clipped = utf8_clip(command, 100, true, false);
    for (const char *at = clipped; *at; at++)
        if (*at == '<' || *at == '&')
            fputs(*at == '<' ? "&lt;" : "&amp;", out);
        else
            putc(*at, out);
    free(clipped);
    free(command);
}

static bool has_timeline(const struct html_page *page)
{
    return page->trace_count == 1 && page->traces[0].trace->point_count > 1;
}

bool html_data(FILE *out, const struct html_page *page, struct failure *why)
{
    struct names names = {0};
    char *rows = NULL;
    size_t size;
    FILE *later = open_memstream(&rows, &size);
    fputs("<script type=\"application/json\" id=\"data\">{", out);
    put_traces(out, page);
    put_nodes(out, page, &names);
    put_rows(out, page->pruned);
    put_names(out, &names);
    if (has_timeline(page))
        put_points(out, page->traces[0].trace);
    bool fine = later && put_moments(out, later, page, why);
    fputs("}</script>\n", out);
    if (later && fclose(later) == 0)
        fwrite(rows, 1, size, out);
    free(rows);
    names_free(&names);
    return fine;
}

bool html_page(FILE *out, const struct html_page *page, struct failure *why)
{
    fputs(HTML_MARK, out);
    page_write(out, PAGE_START);
    put_title(out, page);
    page_write(out, PAGE_BODY);
    bool fine = html_data(out, page, why);
    page_write(out, PAGE_SCRIPT);
    if (has_timeline(page))
        page_write(out, PAGE_CHART);
    page_write(out, PAGE_END);
    return fine;
}
