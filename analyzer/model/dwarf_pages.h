// SPDX-License-Identifier: MIT
/*
 * libelf maps a file whole, and what was read of it stays in memory.  What has been read of .debug_info, by
 * far the largest part, can leave: it comes back from the file when it is needed again.
 */
#ifndef MODEL_DWARF_PAGES_H
#define MODEL_DWARF_PAGES_H

#include <elfutils/libdw.h>

struct dwarf_pages {
    const char *start, *end; /* of what can leave; the same: nothing can */
};

/* `unit` is any of the file's units in .debug_info. */
void dwarf_pages_open(struct dwarf_pages *pages, Dwarf_Die *unit);

/* Lets go of what is between two addresses in .debug_info. */
void dwarf_pages_drop(const struct dwarf_pages *pages, const char *from, const char *to);

#endif
