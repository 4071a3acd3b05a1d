// SPDX-License-Identifier: MIT
/* The functions of a unit, by address.  An own table, since libdw walks a whole unit for every question. */
#ifndef MODEL_DWARF_FUNCTIONS_H
#define MODEL_DWARF_FUNCTIONS_H

#include "model/dwarf_walk.h"

/* A namespace or class. */
struct dwarf_scope {
    Dwarf_Die die;
    size_t outer; /* as struct dwarf_member's */
};

struct dwarf_member {
    Dwarf_Off function; /* offset of a die */
    size_t scope;       /* 1 + index of the scope it is in */
};

struct dwarf_functions {
    Dwarf_Die *all; /* with code of their own */
    size_t count, capacity;
    struct dwarf_ranges ranges; /* of the functions */
    struct dwarf_scope *scopes;
    size_t scope_count, scope_capacity;
    struct dwarf_member *members; /* functions with or without code, by offset */
    size_t member_count, member_capacity;
};

/* `unit` is the die they are in; of ranges, scopes and functions in them there are `most` at most. */
void dwarf_functions_read(struct dwarf_functions *functions, const Dwarf_Die *unit, size_t most);

void dwarf_functions_free(struct dwarf_functions *functions);

/* The function (no inlined one) at an address, or null. */
const Dwarf_Die *dwarf_functions_find(const struct dwarf_functions *functions, uint64_t address);

/* The namespace or class that a function is declared in, or null; then that one's, and so on. */
const struct dwarf_scope *dwarf_functions_scope(const struct dwarf_functions *functions,
                                                const Dwarf_Die *function);
const struct dwarf_scope *dwarf_functions_outer(const struct dwarf_functions *functions,
                                                const struct dwarf_scope *scope);

#endif
