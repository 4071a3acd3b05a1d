// SPDX-License-Identifier: MIT
/* tracemalloc leaks: what a program never freed. */
#include <stdlib.h>

#include "commands/commands.h"
#include "commands/listing_options.h"
#include "commands/options.h"
#include "commands/reading.h"
#include "commands/suppression_options.h"
#include "commands/symbol_options.h"
#include "commands/view_options.h"
#include "output/leaks.h"

struct options {
    const char *file;
    struct suppression_options suppressions;
    struct listing_options listing;
    struct domains domains;
};

static const struct argp_child children[] = {
    {&suppression_argp}, {&listing_argp}, {&symbol_options}, {&view_argp_domain}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->suppressions;
        state->child_inputs[1] = &options->listing;
        state->child_inputs[3] = &options->domains;
        return 0;
    case ARGP_KEY_ARG:
        options_take_trace(state, &options->file, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    NULL,
    parse,
    "[FILE[@SNAPSHOT]]",
    "Show what a traced program never freed, by call site, largest first."
    "\vFILE is a trace; left out, it is the newest trace in the current directory. Of a program that is "
    "still running, or was killed, or at a snapshot, it is what is live at that moment, leaked or not.",
    children,
    NULL,
    NULL};

static void write_leaks(const struct trace *trace, const struct suppressions *suppressions,
                        const struct options *options)
{
    const struct view view = {.metric = METRIC_CURRENT, .by = BY_SITE, .domains = options->domains};
    struct reading reading;
    struct leaks leaks;
    reading_begin(&reading, trace, &view, options->file);
    leaks_find(&leaks, &reading.scope, suppressions);
    reading_is_made(&reading);
    struct leaks_report report = {.report = reading.report, .leaks = &leaks, .suppressions = suppressions};
    report.report.rows = &leaks.rows;
    report.report.limit = options->listing.limit;
    report.report.full = options->listing.full;
    (options->listing.json ? leaks_json : leaks_text)(stdout, &report);
    leaks_free(&leaks);
    reading_end(&reading);
}

int command_leaks(int argc, char **argv)
{
    struct options options = {0};
    struct suppressions suppressions;
    struct trace trace;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool fine =
        suppression_options_read(&options.suppressions, &suppressions) && options_open(&trace, options.file);
    if (fine) {
        write_leaks(&trace, &suppressions, &options);
        trace_free(&trace);
    }
    suppressions_free(&suppressions);
    free(options.suppressions.files);
    domains_free(&options.domains);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
