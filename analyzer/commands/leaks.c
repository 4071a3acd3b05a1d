// SPDX-License-Identifier: MIT
/* tracemalloc leaks: what a program never freed. */
#include <stdlib.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/symbol_options.h"
#include "commands/view_options.h"
#include "model/progress.h"
#include "output/leaks.h"
#include "output/message.h"

#define TEXT_ROWS 10

struct options {
    const char *file;
    const char **suppressions;
    size_t suppression_count, suppression_capacity;
    size_t limit;
    struct domains domains;
    bool json, full, limited, strict;
};

enum { KEY_SUPPRESSIONS = 'S', KEY_STRICT = 'x', KEY_LIMIT = 'n', KEY_JSON = 'j', KEY_FULL = 'f' };

static const struct argp_option argp_options[] = {
    {"suppressions", KEY_SUPPRESSIONS, "FILE", 0,
     "Leave out what FILE lists, in LeakSanitizer's format: a line leak:PATTERN each, looked for in the "
     "functions, source files and modules of the stack; can be given again for another",
     0},
    {"strict", KEY_STRICT, NULL, 0,
     "Do not leave out what the C library, the dynamic loader and libstdc++ hold by design", 0},
    {"limit", KEY_LIMIT, "N", 0, "Show the first N (0: all; default: 10, with --json all)", 0},
    {"full", KEY_FULL, NULL, 0, "Show whole call stacks", 0},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 0},
    {0}};

static void add_suppressions(struct options *options, const char *file)
{
    options->suppressions = memory_grow(options->suppressions, options->suppression_count,
                                        &options->suppression_capacity, sizeof(file));
    options->suppressions[options->suppression_count++] = file;
}

static const struct argp_child children[] = {{&symbol_options}, {&view_argp_domain}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[1] = &options->domains;
        return 0;
    case KEY_SUPPRESSIONS:
        add_suppressions(options, argument);
        return 0;
    case KEY_STRICT:
        options->strict = true;
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
    case ARGP_KEY_END:
        if (options->json && options->full)
            argp_error(state, "--full: with --json stacks are always whole");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE[@SNAPSHOT]]",
    "Show what a traced program never freed, by call site, largest first."
    "\vFILE is a trace; left out, it is the newest trace in the current directory. Of a program that is "
    "still "
    "running, or was killed, or at a snapshot, it is what is live at that moment, leaked or not.",
    children,
    NULL,
    NULL};

static void write_leaks(const struct trace *trace, const struct suppressions *suppressions,
                        const struct options *options)
{
    struct symbols *symbols = symbols_open(trace);
    struct view view = {.metric = METRIC_CURRENT, .by = BY_SITE, .domains = options->domains};
    struct scope scope;
    struct leaks leaks;
    struct progress progress;
    scope_open(&scope, &view, trace, symbols);
    progress_begin(&progress, "reading symbols");
    leaks_find(&leaks, &scope, suppressions);
    progress_end(&progress);
    struct leaks_report report = {.report = {.file = options->file,
                                             .trace = trace,
                                             .symbols = symbols,
                                             .process = process_of(trace),
                                             .view = &view,
                                             .scope = &scope,
                                             .selection = scope_select(&scope),
                                             .rows = &leaks.rows,
                                             .limit = options->limit,
                                             .full = options->full},
                                  .leaks = &leaks,
                                  .suppressions = suppressions};
    (options->json ? leaks_json : leaks_text)(stdout, &report);
    message_flush_stdout();
    message_modules(trace, symbols);
    leaks_free(&leaks);
    scope_close(&scope);
    symbols_close(symbols);
}

static bool read_suppressions(struct suppressions *suppressions, const struct options *options,
                              struct failure *why)
{
    suppressions_start(suppressions, !options->strict);
    for (size_t i = 0; i < options->suppression_count; i++)
        if (!suppressions_read(suppressions, options->suppressions[i], why))
            return false;
    return true;
}

int command_leaks(int argc, char **argv)
{
    struct options options = {0};
    struct suppressions suppressions;
    struct trace trace;
    struct failure why;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (!options.json && !options.limited)
        options.limit = TEXT_ROWS;
    bool fine = read_suppressions(&suppressions, &options, &why);
    if (!fine)
        message("%s", why.text);
    else if ((fine = options_open(&trace, options.file))) {
        write_leaks(&trace, &suppressions, &options);
        trace_free(&trace);
    }
    suppressions_free(&suppressions);
    free(options.suppressions);
    domains_free(&options.domains);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
