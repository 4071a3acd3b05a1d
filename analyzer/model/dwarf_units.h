// SPDX-License-Identifier: MIT
/*
 * Compilation units and functions of a DWARF file, by address.  Own tables, since .debug_aranges is
 * missing from what clang makes, and since libdw walks a whole unit for every question.
 */
#ifndef MODEL_DWARF_UNITS_H
#define MODEL_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_range {
    uint64_t start, end;
    size_t index; /* of the unit, or the function */
};

struct dwarf_ranges {
    struct dwarf_range *all;
    size_t count, capacity;
};

struct dwarf_unit {
    Dwarf_Die die;
    Dwarf_Die *functions; /* with code of their own; filled in when first asked for */
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the functions */
    bool scanned;
};

struct dwarf_units {
    struct dwarf_unit *all;
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the units */
};

void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf);

void dwarf_units_free(struct dwarf_units *units);

/* The unit whose code is at an address, or null. */
struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address);

/* The function (no inlined one) at an address, or null. */
Dwarf_Die *dwarf_unit_function(struct dwarf_unit *unit, uint64_t address);

/* Makes *die its first child, or its next sibling; false at the end, and where a damaged file leads
   backwards. */
bool dwarf_go_child(Dwarf_Die *die);
bool dwarf_go_sibling(Dwarf_Die *die);

#endif
