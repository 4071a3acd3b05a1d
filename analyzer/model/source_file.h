// SPDX-License-Identifier: MIT
/* The text of a source file, found where it may be by now; it may be anything. */
#ifndef MODEL_SOURCE_FILE_H
#define MODEL_SOURCE_FILE_H

#include <stdint.h>

#include "model/failure.h"

struct source_file {
    char *path; /* where it was found */
    int64_t mtime_ns;
    const char **lines; /* each ends with a zero; those that are too long are cut */
    size_t line_count;
    char *bytes;
};

/* Where source may be. */
struct source_places {
    const char *const *directories; /* that somebody named */
    size_t directory_count;
    const char *compiled, *cwd; /* the compiler's and the program's directory; null if unknown */
};

/* Looks for `path`, of debug information, below each of the named directories, by as many of its last parts as
   can be found there; then at `path` itself, which may be relative to the other two.  False: it is in none of
   these places, too large, or no text. */
bool source_file_read(struct source_file *source, const char *path, const struct source_places *places,
                      struct failure *why);

void source_file_free(struct source_file *source);

#endif
