// SPDX-License-Identifier: MIT
#include "model/dwarf_units.h"

#include <dwarf.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/file.h"

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

void dwarf_units_read(struct dwarf_units *units, Dwarf *dwarf, const char *path)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    *units = (struct dwarf_units){.directory = strdup(path)};
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
        free(units->all[i].scopes);
        free(units->all[i].members);
    }
    free(units->all);
    free(units->ranges.all);
    free(units->directory);
    *units = (struct dwarf_units){0};
}

struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address)
{
    const struct dwarf_range *range = find(&units->ranges, address);
    return range ? &units->all[range->index] : NULL;
}

/* --- the functions of a unit -------------------------------------------------------------------------- */

/* Where functions with code can be found. */
static bool is_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

/* What a function's full name begins with. */
static bool is_named_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

static void add_function(struct dwarf_unit *unit, Dwarf_Die *die, size_t scope)
{
    if (scope) {
        unit->members =
            memory_grow(unit->members, unit->member_count, &unit->member_capacity, sizeof(*unit->members));
        unit->members[unit->member_count++] = (struct dwarf_member){dwarf_dieoffset(die), scope};
    }
    if (!add_ranges(&unit->ranges, die, unit->count))
        return;
    unit->functions = memory_grow(unit->functions, unit->count, &unit->capacity, sizeof(*die));
    unit->functions[unit->count++] = *die;
}

static size_t add_scope(struct dwarf_unit *unit, Dwarf_Die *die, size_t outer)
{
    unit->scopes = memory_grow(unit->scopes, unit->scope_count, &unit->scope_capacity, sizeof(*unit->scopes));
    unit->scopes[unit->scope_count++] = (struct dwarf_scope){*die, outer};
    return unit->scope_count;
}

static void scan(struct dwarf_unit *unit, Dwarf_Die die, size_t scope, int depth)
{
    if (depth > DEEPEST || !dwarf_go_child(&die))
        return;
    do {
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_subprogram)
            add_function(unit, &die, scope);
        if (is_scope(tag) && dwarf_haschildren(&die) == 1)
            scan(unit, die, is_named_scope(tag) ? add_scope(unit, &die, scope) : 0, depth + 1);
    } while (dwarf_go_sibling(&die));
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

/* The die that has the unit's functions: with -gsplit-dwarf it is in another file. */
static Dwarf_Die contents(const struct dwarf_units *units, struct dwarf_unit *unit)
{
    Dwarf_Die split;
    uint8_t type;
    if (dwarf_cu_info(unit->die.cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) != 0 || type != DW_UT_skeleton)
        return unit->die;
    char *directory = strdup(units->directory);
    bool safe = directory && !split_may_block(dirname(directory), &unit->die);
    free(directory);
    if (safe && dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 && split.cu)
        return split;
    return unit->die;
}

Dwarf_Die *dwarf_units_function(const struct dwarf_units *units, struct dwarf_unit *unit, uint64_t address)
{
    if (!unit->scanned) {
        unit->scanned = true;
        scan(unit, contents(units, unit), 0, 0);
        sort(&unit->ranges);
    }
    const struct dwarf_range *range = find(&unit->ranges, address);
    return range ? &unit->functions[range->index] : NULL;
}

/* --- their scopes -------------------------------------------------------------------------------------- */

#define MOST_ORIGINS 8 /* from an inlined function to its declaration */

/* A function's declaration: where it stands says what scope it belongs to. */
static Dwarf_Die declaration(const Dwarf_Die *function)
{
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    Dwarf_Die at = *function;
    for (int i = 0; i < MOST_ORIGINS; i++) {
        Dwarf_Attribute attribute;
        Dwarf_Die next;
        bool found = false;
        for (size_t link = 0; !found && link < sizeof(links) / sizeof(links[0]); link++)
            found = dwarf_formref_die(dwarf_attr(&at, links[link], &attribute), &next) != NULL;
        if (!found)
            break;
        at = next;
    }
    return at;
}

static int by_offset(const void *a, const void *b)
{
    const struct dwarf_member *x = a, *y = b;
    return x->function < y->function ? -1 : x->function > y->function;
}

const struct dwarf_scope *dwarf_unit_scope(const struct dwarf_unit *unit, Dwarf_Die *function)
{
    Dwarf_Die at = declaration(function);
    struct dwarf_member wanted = {.function = dwarf_dieoffset(&at)}, *found = NULL;
    if (unit->member_count)
        found = bsearch(&wanted, unit->members, unit->member_count, sizeof(wanted), by_offset);
    return found ? &unit->scopes[found->scope - 1] : NULL;
}

const struct dwarf_scope *dwarf_unit_outer(const struct dwarf_unit *unit, const struct dwarf_scope *scope)
{
    return scope->outer ? &unit->scopes[scope->outer - 1] : NULL;
}
