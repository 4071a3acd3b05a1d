// SPDX-License-Identifier: MIT
/* tracemalloc diff: what changed from one trace to another. */
#include <stdlib.h>

#include "commands/commands.h"
#include "commands/listing_options.h"
#include "commands/options.h"
#include "commands/view_options.h"
#include "model/progress.h"
#include "output/difference.h"
#include "output/message.h"

struct options {
    const char *file[SIDES];
    struct view_options view;
    struct listing_options listing;
    bool folded;
};

enum { KEY_FOLDED = 'o' };

static const struct argp_option argp_options[] = {
    {"folded", KEY_FOLDED, NULL, 0,
     "Write folded stacks with the old and the new figure, for programs that draw differential flame graphs",
     0},
    {0}};

static const struct argp_child children[] = {
    {&view_argp}, {&view_argp_grouping}, {&view_argp_cumulative}, {&listing_argp}, {0}};

static void check(const struct options *options, const struct argp_state *state)
{
    const struct listing_options *listing = &options->listing;
    if (!options->file[NEW])
        argp_error(state, "two traces are to be compared: the older, then the newer");
    if (listing->json && options->folded)
        argp_error(state, "--json and --folded: one of them, please");
    if (options->folded && (listing->limited || listing->full || options->view.grouped))
        argp_error(state,
                   "--folded writes all stacks, whole: --limit, --full and --group-by do not go with it");
    if (options->folded && (options->view.view.min_bytes || options->view.view.min_blocks))
        argp_error(state, "--folded writes all stacks: --min-bytes and --min-blocks do not go with it");
    if (options->folded && options->view.view.cumulative)
        argp_error(state, "--folded writes stacks as they are: --cumulative does not go with it");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &options->view;
        state->child_inputs[3] = &options->listing;
        return 0;
    case KEY_FOLDED:
        options->folded = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num >= SIDES)
            argp_error(state, "two traces at a time, please");
        options->file[state->arg_num] = argument;
        return 0;
    case ARGP_KEY_END:
        check(options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "OLD[@SNAPSHOT] NEW[@SNAPSHOT]",
    "Show what changed from one trace to another, or from one snapshot of a trace to another."
    "\vStacks are the same if they have the same addresses in the same files (by their build-ids), or else "
    "the same functions and lines; lines that moved within their function are found again. Of two different "
    "programs, what they have in common is the same.",
    children,
    NULL,
    NULL};

static void write_difference(const struct trace *const trace[SIDES], struct symbols *const symbols[SIDES],
                             const struct translation *translation, const struct options *options)
{
    const struct view *view = &options->view.view;
    struct difference difference;
    struct progress progress;
    progress_begin(&progress, "comparing");
    difference_make(&difference, view, trace, symbols, translation);
    progress_end(&progress);
    struct difference_report report = {.difference = &difference, .limit = options->listing.limit};
    for (enum side side = OLD; side < SIDES; side++)
        report.side[side] = (struct report){.file = options->file[side],
                                            .trace = trace[side],
                                            .symbols = symbols[side],
                                            .process = process_of(trace[side]),
                                            .view = view,
                                            .scope = &difference.scope[side],
                                            .selection = difference.selection[side],
                                            .full = options->listing.full};
    if (options->listing.json)
        difference_json(stdout, &report);
    else if (options->folded)
        difference_folded(stdout, &report);
    else
        difference_text(stdout, &report);
    message_flush_stdout();
    difference_free(&difference);
}

/* Whether files of a trace are missing that the other trace has in another version. */
static bool lacks_old_files(const struct trace *trace, const struct symbols *symbols,
                            const struct translation *translation)
{
    for (uint32_t i = 1; i < trace->header.module_count; i++) {
        enum module_state state = symbols_state(symbols, i);
        if (!translation_module(translation, i) && (state == MODULE_CHANGED || state == MODULE_GONE))
            return true;
    }
    return false;
}

static void compare(const struct trace *const trace[SIDES], const struct options *options)
{
    struct symbols *symbols[SIDES] = {symbols_open(trace[OLD]), symbols_open(trace[NEW])};
    struct progress progress;
    progress_begin(&progress, "reading symbols");
    struct translation *translation = translation_start(trace[OLD], symbols[OLD], trace[NEW], symbols[NEW]);
    progress_end(&progress);
    write_difference(trace, symbols, translation, options);
    for (enum side side = OLD; side < SIDES; side++)
        message_modules(trace[side], symbols[side]);
    if (lacks_old_files(trace[OLD], symbols[OLD], translation))
        message("functions of files that are no more cannot be found again in newer ones: keep what was "
                "traced, or have a report before it is replaced");
    translation_end(translation);
    symbols_close(symbols[OLD]);
    symbols_close(symbols[NEW]);
}

/* What a snapshot knows of: its peak is that of the program so far. */
static void choose_metric(struct options *options, const struct trace trace[SIDES])
{
    if (!options->view.sorted && (trace[OLD].at || trace[NEW].at))
        options->view.view.metric = METRIC_CURRENT;
}

int command_diff(int argc, char **argv)
{
    struct options options = {0};
    struct trace trace[SIDES];
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool fine = options_open(&trace[OLD], options.file[OLD]);
    if (fine && !(fine = options_open(&trace[NEW], options.file[NEW])))
        trace_free(&trace[OLD]);
    if (fine) {
        choose_metric(&options, trace);
        compare((const struct trace *const[SIDES]){&trace[OLD], &trace[NEW]}, &options);
        trace_free(&trace[OLD]);
        trace_free(&trace[NEW]);
    }
    view_free(&options.view.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
