// SPDX-License-Identifier: MIT
/* tracemalloc report: what a program's heap was made of. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/listing_options.h"
#include "commands/options.h"
#include "commands/reading.h"
#include "commands/traces.h"
#include "commands/view_options.h"
#include "output/json.h"
#include "output/text.h"

struct options {
    char **files; /* as named */
    size_t file_count, file_room;
    struct view_options view;
    struct listing_options listing;
    bool per_process;
};

enum { KEY_PER_PROCESS = 0x100 };

static const struct argp_option argp_options[] = {
    {"per-process", KEY_PER_PROCESS, NULL, 0,
     "Of several traces show each by itself, in the order in which they are named (of a directory: in which "
     "they began), instead of their sum; with --json an object for each",
     0},
    {0}};

static const struct argp_child children[] = {
    {&view_argp}, {&view_argp_grouping}, {&view_argp_cumulative}, {&listing_argp}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &options->view;
        state->child_inputs[3] = &options->listing;
        return 0;
    case KEY_PER_PROCESS:
        options->per_process = true;
        return 0;
    case ARGP_KEY_ARG:
        options->files =
            memory_grow(options->files, options->file_count, &options->file_room, sizeof(char *));
        options->files[options->file_count++] = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE[@SNAPSHOT]|DIRECTORY...]",
    "Show the current and peak heap of a traced program, and where in the program it was allocated."
    "\vFILE is a trace, of a program that has ended or is still running; left out, it is the newest trace in "
    "the current directory. SNAPSHOT is the label of a snapshot, its number, or -1 for the last, -2 for the "
    "one before. Of several traces, and of all those in a DIRECTORY, the sum is shown: call sites at the "
    "same place of the same program, or library, are one.",
    children,
    NULL,
    NULL};

/* `file`: whose trace it is, null if the user did not name it; of a sum, its processes. */
static void write_report(const struct trace *trace, const char *file, const struct processes *processes,
                         const struct options *options)
{
    struct reading reading;
    struct report *report = &reading.report;
    struct rows rows;
    reading_begin(&reading, trace, &options->view.view, file);
    rows_make(&rows, &reading.scope);
    rows_resolve(&rows, &reading.scope, options->listing.limit);
    reading_is_made(&reading);
    report->rows = &rows;
    report->limit = options->listing.limit;
    report->full = options->listing.full;
    if (processes) {
        report->process = processes_together(processes);
        report->processes = processes;
        report->files = options->files;
        report->file_count = options->file_count;
    }
    (options->listing.json ? json_report : text_report)(stdout, report);
    rows_free(&rows);
    reading_end(&reading);
}

static bool report_one(const char *name, const char *file, const struct options *options)
{
    struct trace trace;
    if (!options_open(&trace, name))
        return false;
    write_report(&trace, file, NULL, options);
    trace_free(&trace);
    return true;
}

static bool report_each(const struct traces *traces, const struct options *options)
{
    bool fine = true;
    for (size_t i = 0; i < traces->count; i++) {
        if (i && !options->listing.json)
            printf("\n\n");
        fine &= report_one(traces->files[i], traces->files[i], options);
    }
    return fine;
}

static bool report_sum(const struct traces *traces, const struct options *options)
{
    struct processes processes;
    struct trace sum;
    bool fine = traces_sum(traces, &sum, &processes);
    if (processes.count)
        write_report(&sum, NULL, &processes, options);
    processes_free(&processes);
    trace_free(&sum);
    return fine;
}

static bool report(const struct options *options)
{
    struct traces traces;
    if (!traces_find(&traces, options->files, options->file_count))
        return false;
    bool fine = !traces.several
                    ? report_one(traces.files[0], options->file_count ? traces.files[0] : NULL, options)
                : options->per_process ? report_each(&traces, options)
                                       : report_sum(&traces, options);
    traces_free(&traces);
    return fine;
}

int command_report(int argc, char **argv)
{
    struct options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool fine = report(&options);
    free(options.files);
    view_free(&options.view.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
