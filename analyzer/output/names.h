// SPDX-License-Identifier: MIT
/* Names and paths made short enough to be read in a table. */
#ifndef OUTPUT_NAMES_H
#define OUTPUT_NAMES_H

#include <stdbool.h>

/* A function's name without what only a compiler wants to know, to be freed: of a long C++ name the
   template arguments become <...>, parameters and return type go. `wide`: "…" may be used. */
char *names_function(const char *name, bool wide);

/* A path without "." and "x/..", and relative to `cwd` (may be null) if it is below; to be freed. */
char *names_path(const char *path, const char *cwd);

#endif
