// SPDX-License-Identifier: MIT
/* The options of every command that names functions, files and lines. */
#ifndef COMMANDS_SYMBOL_OPTIONS_H
#define COMMANDS_SYMBOL_OPTIONS_H

#include <argp.h>

/* A child of view_argp, and of commands that name code without a view; what it parses takes effect at once. */
extern const struct argp symbol_options;

#endif
