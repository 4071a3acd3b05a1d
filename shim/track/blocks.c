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

static bool is_long(const block_slot *slot)
{
    uint32_t word = atomic_load_explicit(slot, memory_order_relaxed);
    return (word & BLOCK_SIZE_LONG) == BLOCK_SIZE_LONG && word > BLOCK_SIZE_LONG;
}

/* Behind an entry of a long size are no entries, though it may look like that. */
struct block_entry blocks_get_any(const void *address)
{
    const block_slot *slot = blocks_find(address);
    size_t index = ((uintptr_t)address & (((uintptr_t)1 << LEAF_BITS) - 1)) >> block_map.granule_shift;
    if (!slot || (index >= 1 && is_long(slot - 1)) || (index >= 2 && is_long(slot - 2)))
        return (struct block_entry){0};
    return blocks_read(slot);
}

static void forget(const void *block, struct block_entry entry, void *unused)
{
    (void)unused;
    block_slot *slot = blocks_find(block);
    blocks_clear(slot, entry);
    if (entry.watch)
        blocks_write(slot, (struct block_entry){.watch = true});
}

void blocks_forget(void)
{
    blocks_visit(forget, NULL);
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
