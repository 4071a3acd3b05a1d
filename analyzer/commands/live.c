// SPDX-License-Identifier: MIT
/* tracemalloc live: a program's heap while it runs. */
#include "commands/live_view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/view_options.h"
#include "model/find.h"
#include "output/message.h"

struct options {
    const char *what;
    struct view_options view;
};

enum { KEY_SORT = 's' };

static const struct argp_option argp_options[] = {
    {"sort", KEY_SORT, "WHAT", 0, "Rank by current (default), peak, allocated, allocations or temporary", 0},
    {0}};

static const struct argp_child children[] = {
    {&view_argp_selection}, {&view_argp_grouping}, {&view_argp_cumulative}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &options->view;
        return 0;
    case KEY_SORT:
        options->view.view.metric =
            (enum metric)options_choose(state, "sort", argument, metric_names, METRICS);
        return 0;
    case ARGP_KEY_ARG:
        if (options->what)
            argp_error(state, "one program at a time, please");
        options->what = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[PID|FILE]",
    "Watch a program's heap while it runs: totals, their course, the top call sites, whole stacks."
    "\vPID is a process that is recorded, FILE a trace, of a program that runs or has ended. Without either "
    "it is the newest trace of a running program in the current directory, or else the newest. Press ? for "
    "the "
    "keys.",
    children,
    NULL,
    NULL};

/* A number, unless a file bears that very name. */
static bool is_process(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits < 10 && !text[digits] && access(text, F_OK) != 0;
}

static char *find_trace(const char *what)
{
    if (!what) {
        char *running = find_running(".");
        return running ? running : options_trace(NULL);
    }
    return is_process(what) ? options_trace_of_process(atoi(what)) : options_trace(what);
}

int command_live(int argc, char **argv)
{
    struct options options = {.view.view.metric = METRIC_CURRENT};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.what && strchr(options.what, '@') && access(options.what, F_OK) != 0) {
        message("%s: a snapshot does not change: `tracemalloc report` shows it", options.what);
        return EXIT_USAGE;
    }
    char *path = find_trace(options.what);
    if (!path)
        return EXIT_FAILURE;
    struct live_start start = {.path = path,
                               .follow = options.what && is_process(options.what),
                               .view = options.view.view,
                               .out = stdout,
                               .keys = stdin};
    int status = live_show(&start);
    view_free(&options.view.view);
    free(path);
    return status;
}
