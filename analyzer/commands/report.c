// SPDX-License-Identifier: MIT
/* tracemalloc report: what a program's heap was made of. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/symbol_options.h"
#include "commands/view_options.h"
#include "output/json.h"
#include "output/message.h"
#include "output/text.h"

#define TEXT_ROWS 10

struct options {
    const char *file;
    struct view_options view;
    size_t limit;
    bool json, full, limited;
};

enum { KEY_LIMIT = 'n', KEY_JSON = 'j', KEY_FULL = 'f' };

static const struct argp_option argp_options[] = {
    {"limit", KEY_LIMIT, "N", 0, "Show the first N (0: all; default: 10, with --json all)", 0},
    {"full", KEY_FULL, NULL, 0, "Show whole call stacks", 0},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 0},
    {0}};

static const struct argp_child children[] = {
    {&view_argp}, {&view_argp_grouping}, {&view_argp_cumulative}, {&symbol_options}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &options->view;
        return 0;
    case KEY_LIMIT:
        options->limit = options_number(state, "limit", argument, 0, UINT32_MAX);
        options->limited = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_FULL:
        options->full = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file)
            argp_error(state, "one trace at a time, please");
        options->file = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE[@SNAPSHOT]]",
    "Show the current and peak heap of a traced program, and where in the program it was allocated."
    "\vFILE is a trace, of a program that has ended or is still running; left out, it is the newest trace in "
    "the current directory. SNAPSHOT is the label of a snapshot, its number, or -1 for the last, -2 for the "
    "one before.",
    children,
    NULL,
    NULL};

static void write_report(const struct trace *trace, const struct options *options)
{
    struct symbols *symbols = symbols_open(trace);
    struct scope scope;
    struct rows rows;
    scope_open(&scope, &options->view.view, trace, symbols);
    rows_make(&rows, &scope);
    struct report report = {.file = options->file,
                            .trace = trace,
                            .symbols = symbols,
                            .scope = &scope,
                            .view = &options->view.view,
                            .process = process_of(trace),
                            .selection = scope_select(&scope),
                            .rows = &rows,
                            .limit = options->limit,
                            .full = options->full};
    if (options->json)
        json_report(stdout, &report);
    else
        text_report(stdout, &report);
    fflush(stdout);
    message_modules(trace, symbols);
    rows_free(&rows);
    scope_close(&scope);
    symbols_close(symbols);
}

int command_report(int argc, char **argv)
{
    struct options options = {0};
    struct trace trace;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (!options.json && !options.limited)
        options.limit = TEXT_ROWS;
    if (!options_open(&trace, options.file))
        return EXIT_FAILURE;
    write_report(&trace, &options);
    trace_free(&trace);
    view_free(&options.view.view);
    return EXIT_SUCCESS;
}
