// SPDX-License-Identifier: MIT
#include "model/dwarf_walk.h"

#include <stdlib.h>

#include "model/failure.h"

#define BACK 64 /* how many ranges that begin before an address are tried */

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

bool dwarf_ranges_add(struct dwarf_ranges *ranges, Dwarf_Die *die, size_t index)
{
    size_t before = ranges->count;
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;
    while (ranges->count < ranges->most && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
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

void dwarf_ranges_sort(struct dwarf_ranges *ranges)
{
    if (ranges->count)
        qsort(ranges->all, ranges->count, sizeof(*ranges->all), by_start);
}

/* Code that the linker left out keeps ranges at address 0, which may overlap anything. */
const struct dwarf_range *dwarf_ranges_find(const struct dwarf_ranges *ranges, uint64_t address)
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

void dwarf_ranges_free(struct dwarf_ranges *ranges)
{
    free(ranges->all);
    *ranges = (struct dwarf_ranges){0};
}
