// SPDX-License-Identifier: MIT
/* Lines and file names of units: the tables of the units that were asked about last are at hand. */
#ifndef MODEL_DWARF_LINES_H
#define MODEL_DWARF_LINES_H

#include <elfutils/libdw.h>

#include "model/line_rows.h"

#define DWARF_LINES_PATH 8192 /* bytes: longer names are not known */

/* A line table that was read. */
struct dwarf_line_table {
    Dwarf *dwarf; /* null: none */
    Dwarf_Off offset;
    struct line_table table;
    bool run; /* the table's program: it made these rows */
    struct line_rows rows;
};

struct dwarf_lines {
    size_t most; /* rows of a unit */
    struct dwarf_line_table of_code, of_calls;
    char path[DWARF_LINES_PATH];
};

void dwarf_lines_open(struct dwarf_lines *lines, size_t most);

/* Forgets the tables at hand. */
void dwarf_lines_rest(struct dwarf_lines *lines);

/* The file and line of an address in a unit; the file null, the line 0 if not known.  A file's name lives
   until the next question. */
const char *dwarf_lines_find(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t address, int *line);

/* The name of a unit's file by its number, or null; it lives as long.  `left`: the unit itself, or what was
   left when it was split off, whose names it may use. */
const char *dwarf_lines_file(struct dwarf_lines *lines, const Dwarf_Die *unit, const Dwarf_Die *left,
                             uint64_t number);

#endif
