// SPDX-License-Identifier: MIT
/* tracemalloc check: whether a trace keeps to limits. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/suppression_options.h"
#include "commands/symbol_options.h"
#include "commands/view_options.h"
#include "output/checked.h"
#include "output/message.h"

#define TEXT_ROWS 5

struct options {
    const char *file, *baseline;
    struct limits limits;
    struct view view;
    struct suppression_options suppressions;
    uint32_t tolerance; /* in thousandths of a percent */
    size_t limit;
    bool json, limited, tolerant;
};

/* A limit's key is KEY_MAX and its number. */
enum {
    KEY_LIMIT = 'n',
    KEY_JSON = 'j',
    KEY_MAX = 0x100,
    KEY_SITE = KEY_MAX + LIMITED,
    KEY_ALL_FRAMES,
    KEY_BASELINE,
    KEY_TOLERANCE
};

static const struct argp_option argp_options[] = {
    {"max-peak", KEY_MAX + LIMITED_PEAK, "SIZE", 0,
     "Bytes live at the peak, at most: 4096, 64K, 1.5G. The sites of --site count with what they had at the "
     "program's peak",
     1},
    {"max-current", KEY_MAX + LIMITED_CURRENT, "SIZE", 0, "Bytes live at the end, at most", 1},
    {"max-leaked", KEY_MAX + LIMITED_LEAKED, "SIZE", 0,
     "Bytes live at the end less what is suppressed, at most; 0: not one block", 1},
    {"max-allocated", KEY_MAX + LIMITED_ALLOCATED, "SIZE", 0, "Bytes ever allocated, at most", 1},
    {"max-allocations", KEY_MAX + LIMITED_ALLOCATIONS, "N", 0, "Allocations, at most", 1},
    {"max-temporary", KEY_MAX + LIMITED_TEMPORARY, "N", 0, "Blocks freed by the very next heap call, at most",
     1},
    {"baseline", KEY_BASELINE, "OLD", 0,
     "Peak, leaked, allocated and allocations are not to be more than in the trace OLD", 1},
    {"tolerance", KEY_TOLERANCE, "PERCENT", 0, "How much more than in OLD is tolerated (default: 0%)", 1},
    {"site", KEY_SITE, "PATTERN", 0,
     "Limits are for what is allocated in a place that matches: function=GLOB, file=GLOB, file=GLOB:LINE, "
     "module=GLOB, or a GLOB for any of them; can be given again for others",
     2},
    {"all-frames", KEY_ALL_FRAMES, NULL, 0,
     "--site matches any frame of the stack, not only the one that the allocation is attributed to", 2},
    {"limit", KEY_LIMIT, "N", 0, "Show the first N sites at fault (0: all; default: 5, with --json all)", 3},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 3},
    {0}};

static const struct argp_child children[] = {
    {&suppression_argp}, {&symbol_options}, {&view_argp_domain, 0, NULL, 2}, {0}};

static void add_limit(struct options *options, const struct argp_state *state, enum limited what,
                      const char *argument)
{
    char name[32];
    snprintf(name, sizeof(name), "max-%s", limited_names[what]);
    if (limits_find(&options->limits, what, false))
        argp_error(state, "--%s can be given once", name);
    limits_add(&options->limits, what,
               limited_is_count(what) ? options_number(state, name, argument, 0, INT64_MAX)
                                      : options_bytes(state, name, argument));
}

static void add_site(struct options *options, struct argp_state *state, const char *text)
{
    struct failure why;
    if (!patterns_add(&options->view.filter, text, PATTERN_ANY, &why))
        argp_error(state, "--site=%s: %s", text, why.text);
}

static void check(const struct options *options, const struct argp_state *state)
{
    if (!options->limits.count && !options->baseline)
        argp_error(state, "no limit is given: --max-peak, --max-leaked, --baseline, ...");
    if (options->tolerant && !options->baseline)
        argp_error(state, "--tolerance is that of a baseline: it needs --baseline");
    if (options->view.all_frames && !options->view.filter.count)
        argp_error(state, "--all-frames tells how sites match: it needs --site");
    if ((options->suppressions.strict || options->suppressions.count) && !options->baseline &&
        !limits_find(&options->limits, LIMITED_LEAKED, false))
        argp_error(state, "--suppressions and --strict are for what leaked: they need --max-leaked or "
                          "--baseline");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    if (key >= KEY_MAX && key < KEY_MAX + LIMITED) {
        add_limit(options, state, (enum limited)(key - KEY_MAX), argument);
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->suppressions;
        state->child_inputs[2] = &options->view.domains;
        return 0;
    case KEY_BASELINE:
        if (options->baseline)
            argp_error(state, "--baseline can be given once");
        options->baseline = argument;
        return 0;
    case KEY_TOLERANCE:
        options->tolerant = true;
        options->tolerance = (uint32_t)(options_percent(state, "tolerance", argument, 1000) * 1000 + 0.5);
        return 0;
    case KEY_SITE:
        add_site(options, state, argument);
        return 0;
    case KEY_ALL_FRAMES:
        options->view.all_frames = true;
        return 0;
    case KEY_LIMIT:
        options->limit = options_number(state, "limit", argument, 0, UINT32_MAX);
        options->limited = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        options_take_trace(state, &options->file, argument);
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
    "[FILE[@SNAPSHOT]]",
    "Check that a trace keeps to limits: the exit status is 0 if it does, and 1 if not; the call sites at "
    "fault are then shown."
    "\vFILE is a trace; left out, it is the newest trace in the current directory.",
    children,
    NULL,
    NULL};

static void write_report(const struct checked *checked, const struct options *options, bool fine)
{
    const char *const files[SIDES] = {options->baseline, options->file};
    struct checked_report report = {
        .checked = checked, .limits = &options->limits, .fine = fine, .limit = options->limit};
    for (enum side side = OLD; side < SIDES; side++) {
        const struct checked_side *from = &checked->side[side];
        if (from->trace)
            report.side[side] = (struct report){.file = files[side],
                                                .trace = from->trace,
                                                .symbols = from->symbols,
                                                .process = process_of(from->trace),
                                                .view = checked->view,
                                                .selection = from->selection};
    }
    (options->json ? checked_json : checked_text)(stdout, &report);
    message_flush_stdout();
    for (enum side side = OLD; side < SIDES; side++)
        if (checked->side[side].trace)
            message_modules(checked->side[side].trace, checked->side[side].symbols);
}

static bool needs_leaks(const struct options *options)
{
    return options->baseline || limits_find(&options->limits, LIMITED_LEAKED, false);
}

/* Whether the limits hold. */
static bool judge(const struct trace *const trace[SIDES], struct options *options,
                  const struct suppressions *suppressions)
{
    struct checked checked;
    checked_open(&checked, &options->view, needs_leaks(options) ? suppressions : NULL, trace);
    if (trace[OLD])
        limits_add_baseline(&options->limits, &checked.side[OLD].amounts, options->tolerance);
    bool fine = limits_judge(&options->limits, &checked.side[NEW].amounts);
    write_report(&checked, options, fine);
    checked_close(&checked);
    return fine;
}

static bool open_and_judge(struct options *options, const struct suppressions *suppressions)
{
    struct trace new, old;
    bool compares = options->baseline;
    if (!options_open(&new, options->file))
        return false;
    bool fine = !compares || options_open(&old, options->baseline);
    if (fine) {
        fine = judge((const struct trace *const[SIDES]){compares ? &old : NULL, &new}, options, suppressions);
        if (compares)
            trace_free(&old);
    }
    trace_free(&new);
    return fine;
}

int command_check(int argc, char **argv)
{
    struct options options = {.view = {.metric = METRIC_CURRENT, .by = BY_SITE}};
    struct suppressions suppressions;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (!options.json && !options.limited)
        options.limit = TEXT_ROWS;
    bool fine = suppression_options_read(&options.suppressions, &suppressions) &&
                open_and_judge(&options, &suppressions);
    suppressions_free(&suppressions);
    free(options.suppressions.files);
    view_free(&options.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
