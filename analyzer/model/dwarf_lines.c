// SPDX-License-Identifier: MIT
#include "model/dwarf_lines.h"

#include <stdbool.h>

#define MOST_GATHERED (1u << 14) /* lines: about 2 MB */

void dwarf_lines_open(struct dwarf_lines *lines, Dwarf *dwarf)
{
    *lines = (struct dwarf_lines){.dwarf = dwarf};
}

void dwarf_lines_close(struct dwarf_lines *lines)
{
    dwarf_end(lines->own);
    *lines = (struct dwarf_lines){0};
}

void dwarf_lines_rest(struct dwarf_lines *lines)
{
    Dwarf *dwarf = lines->dwarf;
    if (lines->gathered > MOST_GATHERED) {
        dwarf_lines_close(lines);
        dwarf_lines_open(lines, dwarf);
    }
}

/* Units of one file may name things in another, which dwz made of what several have in common. */
static Dwarf *open_again(Dwarf *dwarf)
{
    Dwarf *again = dwarf_begin_elf(dwarf_getelf(dwarf), DWARF_C_READ, NULL), *common = dwarf_getalt(dwarf);
    if (again && common)
        dwarf_setalt(again, common);
    return again;
}

/* Makes lines->unit the same unit in the own handle. */
static bool go_to(struct dwarf_lines *lines, Dwarf_Off offset)
{
    Dwarf_Lines *table;
    size_t count;
    if (lines->own && offset == lines->offset)
        return true;
    if (!lines->own)
        lines->own = open_again(lines->dwarf);
    if (!lines->own || !dwarf_offdie(lines->own, offset, &lines->unit))
        return false;
    lines->offset = offset;
    if (dwarf_getsrclines(&lines->unit, &table, &count) == 0)
        lines->gathered += count;
    return true;
}

/* What is to be asked about a unit's lines: the unit itself if it is in yet another file. */
static Dwarf_Die *unit_for_lines(struct dwarf_lines *lines, Dwarf_Die *unit)
{
    bool here = dwarf_cu_getdwarf(unit->cu) == lines->dwarf && go_to(lines, dwarf_dieoffset(unit));
    return here ? &lines->unit : unit;
}

const char *dwarf_lines_find(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t address, int *number)
{
    Dwarf_Die die = *unit;
    Dwarf_Line *line = dwarf_getsrc_die(unit_for_lines(lines, &die), address);
    if (line && dwarf_lineno(line, number) == 0 && *number > 0)
        return dwarf_linesrc(line, NULL, NULL);
    *number = 0;
    return NULL;
}

const char *dwarf_lines_file(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t number)
{
    Dwarf_Die die = *unit;
    Dwarf_Files *files;
    size_t count;
    if (dwarf_getsrcfiles(unit_for_lines(lines, &die), &files, &count) != 0 || number >= count)
        return NULL;
    return dwarf_filesrc(files, number, NULL, NULL);
}
