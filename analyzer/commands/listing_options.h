// SPDX-License-Identifier: MIT
/* The options of commands that list call sites: how many, how much of each, and for whom. */
#ifndef COMMANDS_LISTING_OPTIONS_H
#define COMMANDS_LISTING_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed before argp_parse(). */
struct listing_options {
    size_t limit; /* of rows; 0: all */
    bool limited; /* --limit was given */
    bool full, json;
};

extern const struct argp listing_argp; /* --limit, --full, --json */

#endif
