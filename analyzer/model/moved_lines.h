// SPDX-License-Identifier: MIT
/*
 * The lines of a function at which it calls others, in two versions of a program: which are the same, when text
 * was added or taken away.
 */
#ifndef MODEL_MOVED_LINES_H
#define MODEL_MOVED_LINES_H

#include <stddef.h>
#include <stdint.h>

struct calling_line {
    int line;
    uint64_t callees; /* a bit for each function that is called there, by its hash; all: it is not known */
};

#define MOVED_NOWHERE SIZE_MAX

/*
 * Both lists are ascending.  match[i] becomes the index of the new line that the old one is, or MOVED_NOWHERE.
 * Lines keep their order, and have a callee in common.  Of all ways that which needs the fewest lines to be
 * added or taken away between them, rather added than taken away; a line that would need more than 40 is taken
 * for another.
 * Of functions with so many lines that this takes long, lines are only the same if their numbers are.
 */
void moved_lines_match(const struct calling_line *old, size_t old_count, const struct calling_line *new,
                       size_t new_count, size_t *match);

#endif
