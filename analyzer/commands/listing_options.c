// SPDX-License-Identifier: MIT
#include "commands/listing_options.h"

#include <stdint.h>

#include "commands/options.h"

#define TEXT_ROWS 10

enum { KEY_LIMIT = 'n', KEY_JSON = 'j', KEY_FULL = 'f' };

static const struct argp_option options_list[] = {
    {"limit", KEY_LIMIT, "N", 0, "Show the first N (0: all; default: 10, with --json all)", 0},
    {"full", KEY_FULL, NULL, 0, "Show whole call stacks", 0},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 0},
    {0}};

static void check(struct listing_options *options, const struct argp_state *state)
{
    if (options->json && options->full)
        argp_error(state, "--full: with --json stacks are always whole");
    if (!options->json && !options->limited)
        options->limit = TEXT_ROWS;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct listing_options *options = state->input;
    switch (key) {
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
    case ARGP_KEY_END:
        check(options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp listing_argp = {options_list, parse, NULL, NULL, NULL, NULL, NULL};
