// SPDX-License-Identifier: MIT
#include "commands/view_options.h"

#include <stdlib.h>

#include "commands/options.h"
#include "commands/symbol_options.h"

enum {
    KEY_SORT = 's',
    KEY_GROUP = 'g',
    KEY_CUMULATIVE = 'c',
    KEY_FILTER = 'F',
    KEY_EXCLUDE = 'x',
    KEY_ALL_FRAMES = 0x100,
    KEY_FROM,
    KEY_HIDE,
    KEY_DOMAIN,
    KEY_MIN_BYTES,
    KEY_MIN_BLOCKS
};

/* --- of what -------------------------------------------------------------------------------------------- */

static const struct argp_option domain_list[] = {
    {"domain", KEY_DOMAIN, "DOMAIN", 0,
     "Only what is of the heap, of mmap, of a mapped file (file), or of the program's own domain of that "
     "number; can be given again for others",
     0},
    {0}};

/* What follows "it can be" is what completion offers. */
static error_t parse_domain(int key, char *argument, struct argp_state *state)
{
    struct domain domain;
    if (key != KEY_DOMAIN)
        return ARGP_ERR_UNKNOWN;
    if (!domain_read(&domain, argument))
        argp_error(state, "--domain=%s: if not a number up to %u: it can be heap, mmap, file", argument,
                   UINT32_MAX);
    domains_add(state->input, domain);
    return 0;
}

const struct argp view_argp_domain = {domain_list, parse_domain, NULL, NULL, NULL, NULL, NULL};

/* --- which sites, in which order ----------------------------------------------------------------------- */

static const struct argp_option selection_list[] = {
    {"filter", KEY_FILTER, "PATTERN", 0,
     "Only what is allocated in a place that matches: function=GLOB, file=GLOB, file=GLOB:LINE, module=GLOB, "
     "or a GLOB for any of them; can be given again for others",
     0},
    {"exclude", KEY_EXCLUDE, "PATTERN", 0, "Nothing of what matches; can be given again", 0},
    {"all-frames", KEY_ALL_FRAMES, NULL, 0,
     "The filters match any frame of the stack, not only the one that the allocation is attributed to", 0},
    {"from", KEY_FROM, "FUNCTION", 0, "Only what is below FUNCTION, where stacks are then cut", 0},
    {"hide", KEY_HIDE, "PATTERN", 0,
     "Leave out frames that match: they count as their callers; can be given again", 0},
    {"min-bytes", KEY_MIN_BYTES, "SIZE", 0, "Only rows of so many bytes or more: 4096, 64K, 1M, 2G", 0},
    {"min-blocks", KEY_MIN_BLOCKS, "N", 0, "Only rows of so many blocks or more", 0},
    {0}};

static void add_pattern(struct argp_state *state, struct patterns *patterns, const char *option,
                        const char *text, enum pattern_field otherwise)
{
    struct failure why;
    if (!patterns_add(patterns, text, otherwise, &why))
        argp_error(state, "--%s=%s: %s", option, text, why.text);
}

static void check(const struct view *view, const struct argp_state *state)
{
    if (view->all_frames && !view->filter.count && !view->exclude.count)
        argp_error(state, "--all-frames tells how filters match: it needs --filter or --exclude");
    if (view->min_bytes && view->metric == METRIC_TEMPORARY)
        argp_error(state,
                   "--min-bytes: temporary blocks are counted, but not their bytes; --min-blocks can be "
                   "used with --sort=temporary");
}

static error_t parse_selection(int key, char *argument, struct argp_state *state)
{
    struct view_options *options = state->input;
    struct view *view = &options->view;
    switch (key) {
    case KEY_FILTER:
        add_pattern(state, &view->filter, "filter", argument, PATTERN_ANY);
        return 0;
    case KEY_EXCLUDE:
        add_pattern(state, &view->exclude, "exclude", argument, PATTERN_ANY);
        return 0;
    case KEY_ALL_FRAMES:
        view->all_frames = true;
        return 0;
    case KEY_FROM:
        if (view->from.count)
            argp_error(state, "--from can be given once: a stack is cut at one place");
        add_pattern(state, &view->from, "from", argument, PATTERN_FUNCTION);
        return 0;
    case KEY_HIDE:
        add_pattern(state, &view->hide, "hide", argument, PATTERN_ANY);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[1] = &view->domains;
        return 0;
    case KEY_MIN_BYTES:
        view->min_bytes = options_bytes(state, "min-bytes", argument);
        return 0;
    case KEY_MIN_BLOCKS:
        view->min_blocks = options_number(state, "min-blocks", argument, 0, UINT32_MAX);
        return 0;
    case ARGP_KEY_END:
        check(view, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child selection_children[] = {
    {&symbol_options, 0, NULL, 0}, {&view_argp_domain, 0, NULL, 0}, {0}};

const struct argp view_argp_selection = {
    selection_list, parse_selection, NULL, NULL, selection_children, NULL, NULL};

static const struct argp_option sort_list[] = {
    {"sort", KEY_SORT, "WHAT", 0, "Rank by peak (default), current, allocated, allocations or temporary", 0},
    {0}};

static error_t parse_sort(int key, char *argument, struct argp_state *state)
{
    struct view_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case KEY_SORT:
        options->sorted = true;
        options->view.metric = (enum metric)options_choose(state, "sort", argument, metric_names, METRICS);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child sort_children[] = {{&view_argp_selection, 0, NULL, 0}, {0}};

const struct argp view_argp = {sort_list, parse_sort, NULL, NULL, sort_children, NULL, NULL};

/* --- how they are added up ----------------------------------------------------------------------------- */

static const struct argp_option grouping_list[] = {
    {"group-by", KEY_GROUP, "WHAT", 0,
     "Add up by site (the whole call stack), line, function, file, module or domain (heap, mmap, ...); line "
     "to module go by the innermost frame that is not a language's own allocator (operator new, ...)",
     0},
    {0}};

static error_t parse_grouping(int key, char *argument, struct argp_state *state)
{
    struct view_options *options = state->input;
    int first = options->is_tree ? BY_LINE : BY_SITE, end = options->is_tree ? BY_DOMAIN : GROUPINGS;
    if (key != KEY_GROUP)
        return ARGP_ERR_UNKNOWN;
    options->grouped = true;
    options->view.by = (enum grouping)(
        first + options_choose(state, "group-by", argument, grouping_names + first, (size_t)(end - first)));
    return 0;
}

const struct argp view_argp_grouping = {grouping_list, parse_grouping, NULL, NULL, NULL, NULL, NULL};

static const struct argp_option cumulative_list[] = {
    {"cumulative", KEY_CUMULATIVE, NULL, 0,
     "Figures include what callees allocate; recursion counts once. Without --group-by: by function", 0},
    {0}};

static error_t parse_cumulative(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    struct view_options *options = state->input;
    switch (key) {
    case KEY_CUMULATIVE:
        options->view.cumulative = true;
        return 0;
    case ARGP_KEY_END:
        if (options->view.cumulative == view_adds_callees(&options->view))
            return 0;
        if (options->grouped)
            argp_error(state,
                       "--cumulative: %s has no callees; it goes with --group-by=line, function, file or "
                       "module",
                       options->view.by == BY_DOMAIN ? "a domain" : "a site is a whole stack and");
        options->view.by = BY_FUNCTION;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp view_argp_cumulative = {cumulative_list, parse_cumulative, NULL, NULL, NULL, NULL, NULL};
