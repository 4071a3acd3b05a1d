// SPDX-License-Identifier: MIT
#include "blocks.h"
#include "../base/arena.h"

enum { BIG_MAX = 64 };

struct block_map block_map;

/* Address space holds at most 2^47 / 2^39 such blocks, and no real program has many. */
static struct {
    _Atomic(const void *) block;
    uint64_t size;
} big[BIG_MAX];

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

_Atomic uint64_t *blocks_slot_slowly(uintptr_t address)
{
    if (address >> 47)
        return NULL;
    _Atomic(_Atomic uint64_t *) *place = &block_map.top[address >> LEAF_BITS];
    _Atomic uint64_t *seen = NULL, *leaf = arena_reserve(leaf_entries() * sizeof *leaf);
    if (!leaf)
        return NULL;
    /* The table is sparse: a huge page would make 2 MiB resident for one block. */
    sys_madvise((void *)leaf, leaf_entries() * sizeof *leaf, MADV_NOHUGEPAGE);
    if (!atomic_compare_exchange_strong(place, &seen, leaf))
        sys_munmap((void *)leaf, leaf_entries() * sizeof *leaf);
    return blocks_find((const void *)address);
}

bool blocks_big_put(const void *block, uint64_t size)
{
    for (int i = 0; i < BIG_MAX; i++) {
        const void *seen = NULL;
        if (atomic_compare_exchange_strong(&big[i].block, &seen, block)) {
            big[i].size = size;
            return true;
        }
    }
    return false;
}

uint64_t blocks_big_get(const void *block)
{
    for (int i = 0; i < BIG_MAX; i++)
        if (atomic_load(&big[i].block) == block)
            return big[i].size;
    return 0;
}

void blocks_big_drop(const void *block)
{
    for (int i = 0; i < BIG_MAX; i++)
        if (atomic_load(&big[i].block) == block)
            atomic_store(&big[i].block, NULL);
}

void blocks_visit(void (*visit)(uint64_t entry, const void *block, void *context), void *context)
{
    for (size_t t = 0; t < TOP_ENTRIES; t++) {
        _Atomic uint64_t *leaf = atomic_load(&block_map.top[t]);
        for (size_t i = 0; leaf && i < leaf_entries(); i++) {
            uint64_t entry = atomic_load_explicit(&leaf[i], memory_order_relaxed);
            if (entry)
                visit(entry, (const void *)((t << LEAF_BITS) + (i << block_map.granule_shift)), context);
        }
    }
}
