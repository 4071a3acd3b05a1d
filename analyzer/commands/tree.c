// SPDX-License-Identifier: MIT
/* tracemalloc tree: who calls whom, and how much is allocated below. */
#include "output/tree.h"

#include <stdlib.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/reading.h"
#include "commands/view_options.h"
#include "output/message.h"

struct options {
    const char *file;
    struct view_options view;
    double percent;
    bool inverted, json;
};

enum { KEY_INVERTED = 'i', KEY_THRESHOLD = 't', KEY_JSON = 'j' };

static const struct argp_option argp_options[] = {
    {"inverted", KEY_INVERTED, NULL, 0, "From what allocates to its callers", 0},
    {"threshold", KEY_THRESHOLD, "PERCENT", 0,
     "Fold what has less than this share of what is selected (default: 1%)", 0},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 0},
    {0}};

static const struct argp_child children[] = {{&view_argp}, {&view_argp_grouping}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 2; i++)
            state->child_inputs[i] = &options->view;
        return 0;
    case KEY_INVERTED:
        options->inverted = true;
        return 0;
    case KEY_THRESHOLD:
        options->percent = options_percent(state, "threshold", argument, 100);
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        options_take_trace(state, &options->file, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE[@SNAPSHOT]]",
    "Show the call tree of what a traced program allocated: from callers to callees or, inverted, from what "
    "allocates to its callers, with what is allocated below each."
    "\vFILE is a trace, of a program that has ended or is still running; left out, it is the newest trace in "
    "the current directory.",
    children,
    NULL,
    NULL};

/* The least that makes this share of a whole. */
static uint64_t share_of(uint64_t whole, double percent)
{
    double part = (double)whole / 100 * percent;
    if (part >= (double)UINT64_MAX)
        return UINT64_MAX;
    uint64_t least = (uint64_t)part;
    return least + ((double)least < part);
}

static bool write_tree(const struct trace *trace, const struct options *options, struct failure *why)
{
    const struct view *view = &options->view.view;
    struct reading reading;
    struct tree tree;
    reading_begin(&reading, trace, view, options->file);
    struct call_tree call_tree = {&reading.report, &tree, options->inverted, options->percent};
    uint64_t whole = metric_of(&reading.report.selection.figures, view->metric);
    bool fine = tree_make(&tree, &reading.scope, options->inverted, share_of(whole, options->percent), why);
    reading_is_made(&reading);
    if (fine) {
        (options->json ? tree_json : tree_text)(stdout, &call_tree);
        tree_free(&tree);
    }
    reading_end(&reading);
    return fine;
}

int command_tree(int argc, char **argv)
{
    struct options options = {.percent = 1, .view = {.view = {.by = BY_FUNCTION}, .is_tree = true}};
    struct failure why;
    struct trace trace;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool fine = options_open(&trace, options.file);
    if (fine) {
        fine = write_tree(&trace, &options, &why);
        if (!fine)
            message("%s", why.text);
        trace_free(&trace);
    }
    view_free(&options.view.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
