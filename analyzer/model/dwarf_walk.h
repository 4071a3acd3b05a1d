// SPDX-License-Identifier: MIT
/*
 * Going through the tree of DWARF's entries (dies), and the address ranges they have.  The file may be
 * hostile: the walk only goes forward, and the number of ranges is bounded.
 */
#ifndef MODEL_DWARF_WALK_H
#define MODEL_DWARF_WALK_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes *die its first child, or its next sibling; false at the end, and where a damaged file leads
   backwards. */
bool dwarf_go_child(Dwarf_Die *die);
bool dwarf_go_sibling(Dwarf_Die *die);

struct dwarf_range {
    uint64_t start, end;
    size_t index; /* of what has this range */
};

struct dwarf_ranges {
    struct dwarf_range *all;
    size_t count, capacity;
    size_t most; /* further ones are left out */
};

/* Adds the address ranges of a die; false if it has none. */
bool dwarf_ranges_add(struct dwarf_ranges *ranges, Dwarf_Die *die, size_t index);

/* By where they start: before they can be searched. */
void dwarf_ranges_sort(struct dwarf_ranges *ranges);

/* The range around an address that begins last, or null. */
const struct dwarf_range *dwarf_ranges_find(const struct dwarf_ranges *ranges, uint64_t address);

void dwarf_ranges_free(struct dwarf_ranges *ranges);

#endif
