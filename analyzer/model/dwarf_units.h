// SPDX-License-Identifier: MIT
/*
 * The compilation units of a DWARF file, by address.  An own table, since .debug_aranges is missing from
 * what clang makes.
 */
#ifndef MODEL_DWARF_UNITS_H
#define MODEL_DWARF_UNITS_H

#include "model/dwarf_pages.h"
#include "model/dwarf_walk.h"

struct dwarf_units {
    Dwarf_Die *all;
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the units */
    struct dwarf_pages pages;
    char *directory;            /* where the file lies */
};

/* `path` is that of the file.  Of ranges there are `most` at most, of units a sixteenth of it: what is
   beyond is left out. */
void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf, const char *path, size_t most);

void dwarf_units_free(struct dwarf_units *units);

/* The unit whose code is at an address, or null. */
const Dwarf_Die *dwarf_units_find(const struct dwarf_units *units, uint64_t address);

/* Nothing more will be asked about a unit for now: it can leave memory. */
void dwarf_units_rest(const struct dwarf_units *units, const Dwarf_Die *unit);

/* The die that has the unit's functions: with -gsplit-dwarf it is in another file; *whole: that is there. */
Dwarf_Die dwarf_units_contents(const struct dwarf_units *units, const Dwarf_Die *unit, bool *whole);

#endif
