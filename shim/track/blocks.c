// SPDX-License-Identifier: MIT
#include "blocks.h"
#include "../base/arena.h"

struct block_map block_map;

bool blocks_start(unsigned granule)
{
    block_map.granule_shift = (unsigned)__builtin_ctz(granule);
    block_map.top = arena_reserve(TOP_ENTRIES * sizeof *block_map.top);
    return block_map.top != NULL;
}

static size_t leaf_entries(void)
{
    return (size_t)1 << (LEAF_BITS - block_map.granule_shift);
}

/* With room for a long size behind the last entry. */
static size_t leaf_size(void)
{
    return leaf_entries() * sizeof(block_slot) + PAGE_SIZE;
}

/*
 * The table is sparse: a huge page would make 2 MiB resident for one block.  (Where the heap is dense huge pages
 * were tried, and pages populated in advance: neither was faster by more than a hundredth of the demo.)
 */
block_slot *blocks_slot_slowly(uintptr_t address)
{
    if (address >> 47)
        return NULL;
    block_slot *seen = NULL, *leaf = arena_reserve(leaf_size());
    if (!leaf)
        return NULL;
    sys_madvise((void *)leaf, leaf_size(), MADV_NOHUGEPAGE);
    sys_madvise((void *)leaf, leaf_size(), MADV_DONTDUMP);
    if (!atomic_compare_exchange_strong(&block_map.top[address >> LEAF_BITS], &seen, leaf))
        sys_munmap((void *)leaf, leaf_size());
    return blocks_find((const void *)address);
}

void blocks_visit(void (*visit)(const void *block, struct block_entry entry, void *context), void *context)
{
    for (size_t t = 0; t < TOP_ENTRIES; t++) {
        const block_slot *leaf = atomic_load(&block_map.top[t]);
        for (size_t i = 0; leaf && i < leaf_entries(); i++) {
            struct block_entry entry = blocks_read(&leaf[i]);
            if (!entry.site)
                continue;
            visit((const void *)((t << LEAF_BITS) + (i << block_map.granule_shift)), entry, context);
            if (entry.size >= BLOCK_SIZE_LONG)
                i += 2;         /* its size, no entries */
        }
    }
}
