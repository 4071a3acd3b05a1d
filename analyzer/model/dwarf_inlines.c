// SPDX-License-Identifier: MIT
/*
 * The tree of a function's blocks and inlined functions is painted onto its addresses, from outside in: all
 * ranges cut the code into stretches, and each range takes those of its stretches that belong to the one
 * it is in.  So the first of two that overlap has what both claim, and a search needs no walk.
 */
#include "model/dwarf_inlines.h"

#include <dwarf.h>
#include <stdlib.h>

#include "model/failure.h"

#define DEEPEST    1024                 /* of blocks and functions in one another */
#define MOST_STEPS (UINT64_C(1) << 28)  /* of painting: a hostile file's ranges may all overlap */

static void collect(struct dwarf_inlines *inlines, struct dwarf_ranges *ranges, Dwarf_Die die, size_t outer,
                    int depth)
{
    if (depth > DEEPEST || !dwarf_go_child(&die))
        return;
    do {
        int tag = dwarf_tag(&die);
        if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
            !dwarf_ranges_add(ranges, &die, inlines->count))
            continue;
        inlines->all = memory_grow(inlines->all, inlines->count, &inlines->capacity, sizeof(*inlines->all));
        inlines->all[inlines->count] = (struct dwarf_inline){die, outer};
        collect(inlines, ranges, die, inlines->count++, depth + 1);
    } while (dwarf_go_sibling(&die));
}

static int by_start(const void *a, const void *b)
{
    const struct dwarf_stretch *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* All code as stretches of the function itself. */
static void cut(struct dwarf_inlines *inlines, const struct dwarf_ranges *ranges)
{
    size_t count = 1;
    inlines->stretches = memory_get(2 * ranges->count + 1, sizeof(*inlines->stretches));
    for (size_t i = 0; i < ranges->count; i++) {
        inlines->stretches[count++].start = ranges->all[i].start;
        inlines->stretches[count++].start = ranges->all[i].end;
    }
    qsort(inlines->stretches, count, sizeof(*inlines->stretches), by_start);
    for (size_t i = 1; i < count; i++)
        if (inlines->stretches[i].start != inlines->stretches[inlines->stretch_count].start)
            inlines->stretches[++inlines->stretch_count] = inlines->stretches[i];
    inlines->stretch_count++;
}

/* The stretch an address is in. */
static size_t stretch_at(const struct dwarf_inlines *inlines, uint64_t address)
{
    size_t low = 0, high = inlines->stretch_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (inlines->stretches[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void paint(struct dwarf_inlines *inlines, const struct dwarf_ranges *ranges)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < ranges->count && steps < MOST_STEPS; i++) {
        const struct dwarf_range *range = &ranges->all[i];
        size_t outer = inlines->all[range->index].outer;
        size_t at = stretch_at(inlines, range->start), end = stretch_at(inlines, range->end);
        steps += end - at;
        for (; at < end; at++)
            if (inlines->stretches[at].owner == outer)
                inlines->stretches[at].owner = range->index;
    }
}

void dwarf_inlines_read(struct dwarf_inlines *inlines, const Dwarf_Die *function, size_t most)
{
    struct dwarf_ranges ranges = {.most = most};
    *inlines = (struct dwarf_inlines){0};
    inlines->all = memory_grow(NULL, 0, &inlines->capacity, sizeof(*inlines->all));
    inlines->all[inlines->count++] = (struct dwarf_inline){.die = *function};
    collect(inlines, &ranges, *function, 0, 1);
    cut(inlines, &ranges);
    paint(inlines, &ranges);
    dwarf_ranges_free(&ranges);
}

void dwarf_inlines_free(struct dwarf_inlines *inlines)
{
    free(inlines->all);
    free(inlines->stretches);
    *inlines = (struct dwarf_inlines){0};
}

size_t dwarf_inlines_find(const struct dwarf_inlines *inlines, uint64_t address, Dwarf_Die *chain,
                          size_t most)
{
    size_t levels[DEEPEST], depth = 0, count = 0;
    size_t at = inlines->stretches[stretch_at(inlines, address)].owner;
    for (; at && depth < DEEPEST; at = inlines->all[at].outer)
        levels[depth++] = at;
    chain[count++] = inlines->all[0].die;
    while (depth-- && count < most) {
        Dwarf_Die *die = &inlines->all[levels[depth]].die;
        if (dwarf_tag(die) == DW_TAG_inlined_subroutine)
            chain[count++] = *die;
    }
    return count;
}
