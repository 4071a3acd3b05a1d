// SPDX-License-Identifier: MIT
#include "model/dwarf_units.h"

#include <dwarf.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/file.h"
#include "model/progress.h"

#define MOST_GATHERED (1 << 20) /* bytes of units that were only looked at */

void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf, const char *path, size_t most)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    const char *gathered = NULL;
    *units = (struct dwarf_units){.directory = strdup(path), .ranges.most = most};
    for (size_t i = 0; i < most / 16 && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0; i++) {
        if (dwarf_tag(&die) != DW_TAG_compile_unit && dwarf_tag(&die) != DW_TAG_skeleton_unit)
            continue;
        progress_tick();
        if (!gathered)
            dwarf_pages_open(&units->pages, &die);
        if (!gathered || (const char *)die.addr - gathered > MOST_GATHERED) {
            dwarf_pages_drop(&units->pages, gathered, die.addr);
            gathered = die.addr;
        }
        if (!dwarf_ranges_add(&units->ranges, &die, units->count))
            continue;
        units->all = memory_grow(units->all, units->count, &units->capacity, sizeof(*units->all));
        units->all[units->count++] = die;
    }
    dwarf_ranges_sort(&units->ranges);
}

void dwarf_units_free(struct dwarf_units *units)
{
    free(units->all);
    dwarf_ranges_free(&units->ranges);
    free(units->directory);
    *units = (struct dwarf_units){0};
}

const Dwarf_Die *dwarf_units_find(const struct dwarf_units *units, uint64_t address)
{
    const struct dwarf_range *range = dwarf_ranges_find(&units->ranges, address);
    return range ? &units->all[range->index] : NULL;
}

void dwarf_units_rest(const struct dwarf_units *units, const Dwarf_Die *unit)
{
    Dwarf_Die die = *unit;
    Dwarf *dwarf = dwarf_cu_getdwarf(die.cu);
    Dwarf_Off start = dwarf_dieoffset(&die) - dwarf_cuoffset(&die), next;
    const char *info = (const char *)die.addr - dwarf_dieoffset(&die);
    if (dwarf_next_unit(dwarf, start, &next, NULL, NULL, NULL, NULL, NULL, NULL, NULL) == 0)
        dwarf_pages_drop(&units->pages, info + start, info + next);
}

/* The file with the rest of a unit is opened by libdw, which does not look at what it is. */
static bool split_may_block(const char *directory, Dwarf_Die *unit)
{
    static const unsigned names[] = {DW_AT_dwo_name, DW_AT_GNU_dwo_name};
    Dwarf_Attribute attribute;
    const char *name = NULL, *built = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    for (size_t i = 0; !name && i < sizeof(names) / sizeof(names[0]); i++)
        name = dwarf_formstring(dwarf_attr(unit, names[i], &attribute));
    const char *directories[] = {directory, built ? built : ""};
    for (size_t i = 0; name && i < sizeof(directories) / sizeof(directories[0]); i++) {
        char path[2 * PATH_MAX];
        bool absolute = name[0] == '/';
        int size = snprintf(path, sizeof(path), "%s/%s", absolute ? "" : directories[i], name);
        if (size < 0 || size >= (int)sizeof(path) || file_may_block(path))
            return true;
    }
    return false;
}

Dwarf_Die dwarf_units_contents(const struct dwarf_units *units, const Dwarf_Die *unit, bool *whole)
{
    Dwarf_Die die = *unit, split;
    uint8_t type;
    *whole = true;
    if (dwarf_cu_info(die.cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) != 0 || type != DW_UT_skeleton)
        return die;
    char *directory = strdup(units->directory);
    bool safe = directory && !split_may_block(dirname(directory), &die);
    free(directory);
    if (safe && dwarf_cu_info(die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 && split.cu)
        return split;
    *whole = false;
    return die;
}
