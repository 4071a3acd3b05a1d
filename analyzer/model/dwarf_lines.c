// SPDX-License-Identifier: MIT
#include "model/dwarf_lines.h"

#include <dwarf.h>
#include <limits.h>
#include <string.h>

void dwarf_lines_open(struct dwarf_lines *lines, size_t most)
{
    *lines = (struct dwarf_lines){.most = most};
}

static void forget(struct dwarf_line_table *table)
{
    line_table_free(&table->table);
    line_rows_free(&table->rows);
    table->dwarf = NULL;
    table->run = false;
}

void dwarf_lines_rest(struct dwarf_lines *lines)
{
    forget(&lines->of_code);
    forget(&lines->of_calls);
}

/* --- where a unit's table is --------------------------------------------------------------------------- */

static struct bytes contents(Elf_Scn *section)
{
    Elf_Data *data = elf_getdata(section, NULL);
    const uint8_t *start = data ? data->d_buf : NULL;
    return start ? (struct bytes){start, start + data->d_size, false} : BYTES_NONE;
}

/* The sections of a file, uncompressed by libdw if need be; their names begin with .debug or .zdebug, and end
   with .dwo if it has what was split off. */
static struct line_sections find_sections(Elf *elf)
{
    struct line_sections sections = {BYTES_NONE, BYTES_NONE, BYTES_NONE};
    const struct {
        const char *name;
        struct bytes *bytes;
    } wanted[] = {
        {"_line", &sections.line}, {"_str", &sections.strings}, {"_line_str", &sections.line_strings}};
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return sections;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
        if (!name || header.sh_type == SHT_NOBITS || !(name = strstr(name, "debug_")))
            continue;
        size_t size = strcspn(name += strlen("debug"), ".");
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (strncmp(name, wanted[i].name, size) == 0 && !wanted[i].name[size])
                *wanted[i].bytes = contents(section);
    }
    return sections;
}

static bool read_table(struct dwarf_line_table *table, Dwarf *dwarf, Dwarf_Off offset)
{
    if (table->dwarf == dwarf && table->offset == offset)
        return table->table.files;
    forget(table);
    struct line_sections sections = find_sections(dwarf_getelf(dwarf));
    table->dwarf = dwarf;
    table->offset = offset;
    return line_table_read(&table->table, &sections, offset);
}

static bool is_split(const Dwarf_Die *unit)
{
    uint8_t type = 0;
    dwarf_cu_info(unit->cu, NULL, &type, NULL, NULL, NULL, NULL, NULL);
    return type == DW_UT_split_compile || type == DW_UT_split_type;
}

/* What is split off has a table with names alone, at the front of its file. */
static bool table_of_unit(struct dwarf_line_table *table, Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    Dwarf_Word offset = 0;
    if (!is_split(unit) && dwarf_formudata(dwarf_attr(unit, DW_AT_stmt_list, &attribute), &offset) != 0)
        return false;
    return read_table(table, dwarf_cu_getdwarf(unit->cu), offset);
}

static const char *path_of(struct dwarf_lines *lines, const struct line_table *table, uint64_t number,
                           Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    const char *directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    bool known = line_table_path(table, number, directory, lines->path, sizeof(lines->path));
    return known ? lines->path : NULL;
}

/* --- questions ----------------------------------------------------------------------------------------- */

const char *dwarf_lines_find(struct dwarf_lines *lines, const Dwarf_Die *unit, uint64_t address, int *number)
{
    Dwarf_Die die = *unit;
    struct dwarf_line_table *at_hand = &lines->of_code;
    *number = 0;
    if (!table_of_unit(at_hand, &die))
        return NULL;
    if (!at_hand->run)
        line_rows_read(&at_hand->rows, &at_hand->table, lines->most);
    at_hand->run = true;
    const struct line_row *row = line_rows_find(&at_hand->rows, address);
    if (!row || !row->line || row->line > INT_MAX)
        return NULL;
    *number = (int)row->line;
    return path_of(lines, &at_hand->table, row->file, &die);
}

const char *dwarf_lines_file(struct dwarf_lines *lines, const Dwarf_Die *unit, const Dwarf_Die *left,
                             uint64_t number)
{
    Dwarf_Die die = *unit;
    if (table_of_unit(&lines->of_calls, &die))
        return path_of(lines, &lines->of_calls.table, number, &die);
    die = *left;
    if (is_split(unit) && table_of_unit(&lines->of_code, &die))
        return path_of(lines, &lines->of_code.table, number, &die);
    return NULL;
}
