// SPDX-License-Identifier: MIT
/*
 * The live-block map: address -> (site, size).
 *
 * A radix table over the address.  The top level has a pointer for each 64 MiB of address space; a leaf
 * has one 8-byte entry for each granule, the smallest distance at which two blocks can lie: 32 bytes over
 * glibc, whose smallest chunk that is, 8 over others.  Both are only touched where there are blocks.
 *
 * No lock, no hash, no collision: between malloc returning an address and free taking it that address
 * has one owner, and so has its entry.  An entry is taken out before the real free.
 *
 *    63      62 .......... 39  38 ............... 0
 *   watch        site 24            size 39             0 = no block
 *
 * A size of all ones stands for one that does not fit: it is kept in a side table.
 */
#ifndef TRACK_BLOCKS_H
#define TRACK_BLOCKS_H

#include "../base/sys.h"
#include <stdatomic.h>

enum {
    BLOCK_SIZE_BITS = 39,
    BLOCK_SITE_BITS = 24,
    LEAF_BITS = 26,             /* a leaf covers 64 MiB of addresses */
    TOP_ENTRIES = 1 << (47 - LEAF_BITS),
};
#define BLOCK_SIZE_BIG (((uint64_t)1 << BLOCK_SIZE_BITS) - 1)
#define BLOCK_WATCH    ((uint64_t)1 << 63)

extern struct block_map {
    _Atomic(uint64_t) *_Atomic *top;
    unsigned granule_shift;
} block_map;

/* granule: a power of two.  False: no address space. */
bool blocks_start(unsigned granule);

/* Makes the leaf that an address needs; null when there is no memory or the address is not a user's. */
_Atomic uint64_t *blocks_slot_slowly(uintptr_t address);

static inline uint32_t block_site(uint64_t entry)
{
    return (uint32_t)(entry >> BLOCK_SIZE_BITS) & ((1u << BLOCK_SITE_BITS) - 1);
}

/* The entry's slot, or null when no block was ever near. */
static inline _Atomic uint64_t *blocks_find(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    if (unlikely(address >> 47))
        return NULL;
    _Atomic uint64_t *leaf = atomic_load_explicit(&block_map.top[address >> LEAF_BITS], memory_order_acquire);
    if (unlikely(!leaf))
        return NULL;
    return &leaf[(address & (((uintptr_t)1 << LEAF_BITS) - 1)) >> block_map.granule_shift];
}

/* Takes a block's entry out of the map; 0 when it has none. */
static inline uint64_t blocks_take(const void *block)
{
    _Atomic uint64_t *slot = blocks_find(block);
    uint64_t entry = slot ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    if (likely(entry))
        atomic_store_explicit(slot, 0, memory_order_relaxed);
    return entry;
}

/* Puts an entry in.  False: no memory for it. */
static inline bool blocks_put(const void *block, uint64_t entry)
{
    _Atomic uint64_t *slot = blocks_find(block);
    if (unlikely(!slot) && !(slot = blocks_slot_slowly((uintptr_t)block)))
        return false;
    atomic_store_explicit(slot, entry, memory_order_relaxed);
    return true;
}

/* The entry of a block, or 0. */
static inline uint64_t blocks_get(const void *block)
{
    _Atomic uint64_t *slot = blocks_find(block);
    return slot ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
}

/* Sizes from 512 GiB on.  Remembering fails (false) when the side table is full. */
bool blocks_big_put(const void *block, uint64_t size);
uint64_t blocks_big_get(const void *block);
void blocks_big_drop(const void *block);

static inline uint64_t block_size(uint64_t entry, const void *block)
{
    uint64_t size = entry & BLOCK_SIZE_BIG;
    return likely(size != BLOCK_SIZE_BIG) ? size : blocks_big_get(block);
}

/* Calls visit for every live block. */
void blocks_visit(void (*visit)(uint64_t entry, const void *block, void *context), void *context);

#endif
