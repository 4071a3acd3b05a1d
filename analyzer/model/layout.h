// SPDX-License-Identifier: MIT
/*
 * A trace file as it lies there, for people who debug the format: nothing is derived from it, and what
 * is wrong is noted instead of refused.  What a report can use is model/trace.h.
 */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H

#include "model/sections.h"

#define LAYOUT_PROBLEMS 32 /* so many are kept */

struct layout {
    struct file file;
    struct trace_header header;
    size_t header_there;      /* bytes of it that the file has; the rest is zero */
    struct sections sections; /* those of unknown types, too */
    struct failure problems[LAYOUT_PROBLEMS];
    size_t problem_count; /* kept or not */
};

/* Reads header and sections.  False: it is no trace at all. */
bool layout_open(struct layout *layout, const char *path, struct failure *why);

void layout_close(struct layout *layout);

/* Notes a problem, unless it is noted already. */
void layout_note(struct layout *layout, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The part of a section that the file has: what is cut off is not in its capacity and length. */
struct section layout_present(const struct layout *layout, const struct section *section);

/* How many records of a type there are according to the header, and the number of the first. */
uint64_t layout_count(const struct layout *layout, uint32_t type);
uint64_t layout_first(uint32_t type);

/* How many records of a section the counts cover; of strings and unknown types none. */
uint64_t layout_used(const struct layout *layout, const struct section *section);

/* The string at `offset`, to be freed; null if there is none. */
char *layout_string(const struct layout *layout, uint64_t offset);

/* Where the next string (not an empty one) of a section of strings begins; 0 if there is no more. */
uint64_t layout_next_string(const struct layout *layout, const struct section *section, uint64_t offset);

#endif
