// SPDX-License-Identifier: MIT
/*
 * Line tables and file names of units.  libdw keeps every table that it has parsed, at some 20 times its
 * size in the file, until its handle is closed: they are read through a handle of their own, which is
 * closed when much has gathered.
 */
#ifndef MODEL_DWARF_LINES_H
#define MODEL_DWARF_LINES_H

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_lines {
    Dwarf *dwarf;     /* the caller's */
    Dwarf *own;       /* null: none yet, or none to be had */
    Dwarf_Die unit;   /* that was read last, of the own handle */
    Dwarf_Off offset; /* its place in the file */
    size_t gathered;  /* lines in the own handle */
};

void dwarf_lines_open(struct dwarf_lines *lines, Dwarf *dwarf);

void dwarf_lines_close(struct dwarf_lines *lines);

/* To be called now and then, best between two units: makes room if need be. */
void dwarf_lines_rest(struct dwarf_lines *lines);

/* The file and line of an address in a unit; the file null, the line 0 if not known.  A file's name lives
   until dwarf_lines_rest. */
const char *dwarf_lines_find(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t address, int *line);

/* The name of a unit's file by its number, or null; it lives as long. */
const char *dwarf_lines_file(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t number);

#endif
