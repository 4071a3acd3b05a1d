// SPDX-License-Identifier: MIT
/*
 * Blocks that are live at the end and shall not count as leaks: suppressions as LeakSanitizer reads them, and
 * a list of what the C library, the dynamic loader and libstdc++ hold by design.
 *
 *   # a comment
 *   leak:PATTERN
 *
 * A pattern is looked for within the names of a stack: functions, source files, modules.  "*" stands for
 * anything, "^" at its front for the name's beginning, "$" for its end.
 */
#ifndef MODEL_SUPPRESSIONS_H
#define MODEL_SUPPRESSIONS_H

#include "model/symbols.h"

struct suppression {
    char *pattern;
    const char *file; /* that it was read from; null: built in */
    unsigned line;
    uint64_t blocks; /* built in: it is for sites of so many at most; 0: of any number */
    bool anywhere;   /* built in: for frames in any module, not only the libraries' */
};

struct suppressions {
    struct suppression *all;
    size_t count, capacity;
    size_t builtin; /* so many of them, at the front, are built in */
};

/* What is said of a site that no suppression is for. */
#define SUPPRESSED_BY_NONE UINT32_MAX

/* An empty list, or the built-in one. */
void suppressions_start(struct suppressions *suppressions, bool builtin);

/* Adds those of a file, whose name must live as long as the list.  On failure `why` begins with the file's
   name, and the line's number if it is a line that is wrong. */
bool suppressions_read(struct suppressions *suppressions, const char *path, struct failure *why);

void suppressions_free(struct suppressions *suppressions);

/* For each site of the trace, by its number, the number of the suppression that it falls under, or
   SUPPRESSED_BY_NONE; to be freed.  Of several it is that of the innermost frame, and there the first of the
   files; the built-in ones come last.  Sites where nothing is live are not looked at. */
uint32_t *suppressions_of_sites(const struct suppressions *suppressions, const struct trace *trace,
                                struct symbols *symbols);

/* Whether a module is one of those that the built-in list is for (null: none). */
bool suppressions_is_runtime(const char *module);

/* Whether a pattern is found in a name (null: in none). */
bool suppressions_match(const char *pattern, const char *name);

#endif
