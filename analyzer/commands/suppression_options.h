// SPDX-License-Identifier: MIT
/* The options by which is chosen what is no leak. */
#ifndef COMMANDS_SUPPRESSION_OPTIONS_H
#define COMMANDS_SUPPRESSION_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/suppressions.h"

/* Zeroed before argp_parse(). */
struct suppression_options {
    const char **files; /* to be freed */
    size_t count, capacity;
    bool strict;
};

extern const struct argp suppression_argp; /* --suppressions, --strict */

/* What they name, to be freed by suppressions_free() either way.  False: a file cannot be read, as it has then
   said. */
bool suppression_options_read(const struct suppression_options *options, struct suppressions *suppressions);

#endif
