// SPDX-License-Identifier: MIT
/*
 * The live-block map: address -> (site, size).
 *
 * A radix table over the address.  The top level has a pointer for each 64 MiB of address space; a leaf
 * has one 4-byte entry for each granule, the smallest distance at which two blocks can lie: 32 bytes over
 * glibc, whose smallest chunk that is, 8 over others.  Both are only touched where there are blocks.
 *
 * No lock, no hash, no collision: between malloc returning an address and free taking it that address
 * has one owner, and so has its entry.  An entry is taken out before the real free.
 *
 *     31    30 ........... 7   6 ... 0
 *   watch       site 24        size 7         0 = no block
 *
 * A size of 127 says that it is a longer one: it stands, in 64 bits, in place of the next two entries.  A
 * block of 127 bytes or more covers these granules itself, so nobody else needs them.
 *
 * Small entries matter more than short ways here: over a heap of small blocks a page of the map costs as much
 * as a page of the heap.  With 8 bytes an entry the map was a quarter of such a heap; it is an eighth.
 */
#ifndef TRACK_BLOCKS_H
#define TRACK_BLOCKS_H

#include "../base/sys.h"
#include <stdatomic.h>
#include <string.h>

enum {
    BLOCK_SIZE_BITS = 7,
    BLOCK_SITE_BITS = 24,
    BLOCK_SIZE_LONG = (1 << BLOCK_SIZE_BITS) - 1,
    LEAF_BITS = 26,             /* a leaf covers 64 MiB of addresses */
    TOP_ENTRIES = 1 << (47 - LEAF_BITS),
};

typedef _Atomic uint32_t block_slot;

/* What the map knows of a block; of none, or of one that does not count: site 0. */
struct block_entry {
    uint64_t size;
    uint32_t site;
    bool watch;                 /* for the layer above: its death may be a module's end */
};

extern struct block_map {
    block_slot *_Atomic *top;
    unsigned granule_shift;
} block_map hidden;

/* granule: a power of two from 8 to 32.  False: no address space. */
bool blocks_start(unsigned granule);

/* Makes the leaf that an address needs; null when there is no memory or the address is not a user's. */
block_slot *blocks_slot_slowly(uintptr_t address);

/* The entry's slot, or null when no block was ever near. */
static inline block_slot *blocks_find(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    if (unlikely(address >> 47))
        return NULL;
    block_slot *leaf = atomic_load_explicit(&block_map.top[address >> LEAF_BITS], memory_order_acquire);
    if (unlikely(!leaf))
        return NULL;
    return &leaf[(address & (((uintptr_t)1 << LEAF_BITS) - 1)) >> block_map.granule_shift];
}

/* What the slot says.  A leaf has room for a long size behind its last entry. */
static inline struct block_entry blocks_read(const block_slot *slot)
{
    uint32_t word = atomic_load_explicit(slot, memory_order_relaxed);
    struct block_entry entry = {
        .size = word & BLOCK_SIZE_LONG,
        .site = word >> BLOCK_SIZE_BITS & ((1u << BLOCK_SITE_BITS) - 1),
        .watch = word >> (BLOCK_SIZE_BITS + BLOCK_SITE_BITS),
    };
    if (entry.size == BLOCK_SIZE_LONG)
        memcpy(&entry.size, (const void *)(slot + 1), sizeof entry.size);
    return entry;
}

/* Clears what was read. */
static inline void blocks_clear(block_slot *slot, struct block_entry entry)
{
    atomic_store_explicit(slot, 0, memory_order_relaxed);
    if (entry.size >= BLOCK_SIZE_LONG)
        memset((void *)(slot + 1), 0, sizeof entry.size);
}

static inline void blocks_write(block_slot *slot, struct block_entry entry)
{
    bool is_long = entry.size >= BLOCK_SIZE_LONG;
    uint32_t word = (uint32_t)entry.watch << (BLOCK_SIZE_BITS + BLOCK_SITE_BITS) | entry.site << BLOCK_SIZE_BITS;
    atomic_store_explicit(slot, word | (is_long ? BLOCK_SIZE_LONG : (uint32_t)entry.size), memory_order_relaxed);
    if (is_long)
        memcpy((void *)(slot + 1), &entry.size, sizeof entry.size);
}

/* Takes a block's entry out of the map. */
static inline struct block_entry blocks_take(const void *block)
{
    block_slot *slot = blocks_find(block);
    struct block_entry entry = {0};
    if (likely(slot != NULL) && likely(atomic_load_explicit(slot, memory_order_relaxed))) {
        entry = blocks_read(slot);
        blocks_clear(slot, entry);
    }
    return entry;
}

/* Puts an entry in.  False: no memory for it. */
static inline bool blocks_put(const void *block, struct block_entry entry)
{
    block_slot *slot = blocks_find(block);
    if (unlikely(!slot) && !(slot = blocks_slot_slowly((uintptr_t)block)))
        return false;
    blocks_write(slot, entry);
    return true;
}

/* The entry of a block. */
static inline struct block_entry blocks_get(const void *block)
{
    const block_slot *slot = blocks_find(block);
    return slot ? blocks_read(slot) : (struct block_entry){0};
}

/* The same of an address that need not be a block's start, by more than a granule. */
struct block_entry blocks_get_any(const void *address);

/* Whether anything is known of a block: of most, no leaf is ever looked at. */
static inline bool blocks_has(const void *block)
{
    const block_slot *slot = blocks_find(block);
    return slot && atomic_load_explicit(slot, memory_order_relaxed);
}

/* Forgets all blocks.  Those to be watched are known of site 0 from then on: they count nowhere. */
void blocks_forget(void);

/* Calls visit for every live block. */
void blocks_visit(void (*visit)(const void *block, struct block_entry entry, void *context), void *context);

#endif
