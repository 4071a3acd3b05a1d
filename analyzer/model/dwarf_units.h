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

/* A namespace or class. */
struct dwarf_scope {
    Dwarf_Die die;
    size_t outer; /* as struct dwarf_member's */
};

struct dwarf_member {
    Dwarf_Off function; /* offset of a die */
    size_t scope;       /* 1 + index of the scope it is in */
};

struct dwarf_unit {
    Dwarf_Die die;
    /* What follows is filled in when first asked for. */
    bool scanned;
    Dwarf_Die *functions; /* with code of their own */
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the functions */
    struct dwarf_scope *scopes;
    size_t scope_count, scope_capacity;
    struct dwarf_member *members; /* functions with or without code, by offset */
    size_t member_count, member_capacity;
};

struct dwarf_units {
    struct dwarf_unit *all;
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the units */
    char *directory;            /* where the file lies */
};

/* `path` is that of the file. */
void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf, const char *path);

void dwarf_units_free(struct dwarf_units *units);

/* The unit whose code is at an address, or null. */
struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address);

/* The function (no inlined one) at an address, or null. */
Dwarf_Die *dwarf_units_function(const struct dwarf_units *units, struct dwarf_unit *unit, uint64_t address);

/* The namespace or class that a function is declared in, or null; then that one's, and so on. */
const struct dwarf_scope *dwarf_unit_scope(const struct dwarf_unit *unit, Dwarf_Die *function);
const struct dwarf_scope *dwarf_unit_outer(const struct dwarf_unit *unit, const struct dwarf_scope *scope);

/* Makes *die its first child, or its next sibling; false at the end, and where a damaged file leads
   backwards. */
bool dwarf_go_child(Dwarf_Die *die);
bool dwarf_go_sibling(Dwarf_Die *die);

#endif
