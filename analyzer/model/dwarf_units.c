// SPDX-License-Identifier: MIT
#include "model/dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>

#include "model/failure.h"

#define MOST_RANGES (1u << 22) /* of all units or all functions of a unit: bounds memory */
#define DEEPEST     64         /* of scopes that functions are looked for in */
#define BACK        64         /* how many ranges that begin before an address are tried */

bool dwarf_go_child(Dwarf_Die *die)
{
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0 || dwarf_dieoffset(&child) <= dwarf_dieoffset(die))
        return false;
    *die = child;
    return true;
}

bool dwarf_go_sibling(Dwarf_Die *die)
{
    Dwarf_Die sibling;
    if (dwarf_siblingof(die, &sibling) != 0 || dwarf_dieoffset(&sibling) <= dwarf_dieoffset(die))
        return false;
    *die = sibling;
    return true;
}

/* Adds the address ranges of a die; false if it has none. */
static bool add_ranges(struct dwarf_ranges *ranges, Dwarf_Die *die, size_t index)
{
    size_t before = ranges->count;
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0;
         ranges->count < MOST_RANGES && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        if (start >= end)
            continue;
        ranges->all = memory_grow(ranges->all, ranges->count, &ranges->capacity, sizeof(*ranges->all));
        ranges->all[ranges->count++] = (struct dwarf_range){start, end, index};
    }
    return ranges->count > before;
}

static int by_start(const void *a, const void *b)
{
    const struct dwarf_range *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void sort(struct dwarf_ranges *ranges)
{
    if (ranges->count)
        qsort(ranges->all, ranges->count, sizeof(*ranges->all), by_start);
}

/* The range around an address that begins last.  Code that the linker left out keeps ranges at
   address 0, which may overlap anything. */
static const struct dwarf_range *find(const struct dwarf_ranges *ranges, uint64_t address)
{
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges->all[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = 0; i < BACK && i < low; i++)
        if (address < ranges->all[low - 1 - i].end)
            return &ranges->all[low - 1 - i];
    return NULL;
}

void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    *units = (struct dwarf_units){0};
    while (dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0) {
        if (dwarf_tag(&die) != DW_TAG_compile_unit && dwarf_tag(&die) != DW_TAG_skeleton_unit)
            continue;
        if (!add_ranges(&units->ranges, &die, units->count))
            continue;
        units->all = memory_grow(units->all, units->count, &units->capacity, sizeof(*units->all));
        units->all[units->count++] = (struct dwarf_unit){.die = die};
    }
    sort(&units->ranges);
}

void dwarf_units_free(struct dwarf_units *units)
{
    for (size_t i = 0; i < units->count; i++) {
        free(units->all[i].functions);
        free(units->all[i].ranges.all);
    }
    free(units->all);
    free(units->ranges.all);
    *units = (struct dwarf_units){0};
}

struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address)
{
    const struct dwarf_range *range = find(&units->ranges, address);
    return range ? &units->all[range->index] : NULL;
}

/* Where functions with code can be found. */
static bool is_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

static void add_function(struct dwarf_unit *unit, Dwarf_Die *die)
{
    if (!add_ranges(&unit->ranges, die, unit->count))
        return;
    unit->functions = memory_grow(unit->functions, unit->count, &unit->capacity, sizeof(*die));
    unit->functions[unit->count++] = *die;
}

static void scan(struct dwarf_unit *unit, Dwarf_Die scope, int depth)
{
    if (depth > DEEPEST || !dwarf_go_child(&scope))
        return;
    do {
        int tag = dwarf_tag(&scope);
        if (tag == DW_TAG_subprogram)
            add_function(unit, &scope);
        if (is_scope(tag) && dwarf_haschildren(&scope) == 1)
            scan(unit, scope, depth + 1);
    } while (dwarf_go_sibling(&scope));
}

Dwarf_Die *dwarf_unit_function(struct dwarf_unit *unit, uint64_t address)
{
    if (!unit->scanned) {
        unit->scanned = true;
        scan(unit, unit->die, 0);
        sort(&unit->ranges);
    }
    const struct dwarf_range *range = find(&unit->ranges, address);
    return range ? &unit->functions[range->index] : NULL;
}
