// SPDX-License-Identifier: MIT
/* What is inlined into a function, by address. */
#ifndef MODEL_DWARF_INLINES_H
#define MODEL_DWARF_INLINES_H

#include "model/dwarf_walk.h"

/* A function inlined into another, a block in one, or (number 0) the function that is really there. */
struct dwarf_inline {
    Dwarf_Die die;
    size_t outer; /* number of what it is in */
};

/* Code from `start` to the next stretch. */
struct dwarf_stretch {
    uint64_t start;
    size_t owner; /* number of the innermost that is there */
};

struct dwarf_inlines {
    struct dwarf_inline *all; /* each before what is in it */
    size_t count, capacity;
    struct dwarf_stretch *stretches; /* by address */
    size_t stretch_count;
};

/* Of ranges there are `most` at most. */
void dwarf_inlines_read(struct dwarf_inlines *inlines, const Dwarf_Die *function, size_t most);

void dwarf_inlines_free(struct dwarf_inlines *inlines);

/* The functions at an address, each inlined into the one before, the first is that of the reading; at most
   `most`: inner ones are left out. */
size_t dwarf_inlines_find(const struct dwarf_inlines *inlines, uint64_t address, Dwarf_Die *chain,
                          size_t most);

#endif
