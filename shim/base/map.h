// SPDX-License-Identifier: MIT
/*
 * A map from numbers to numbers that is read without a lock and written under one of the caller's.
 *
 * Open addressing, linear probing, four slots to a cache line.  A reader takes the key with acquire and then the
 * value: the writer stored the value first.  A table that was outgrown stays mapped, but empty: a reader that is
 * late there finds nothing, and asks again under the lock, as it does for whatever it does not find.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "sys.h"
#include <stdatomic.h>

struct map_slot {
    _Atomic uint64_t key;       /* 0 = free, MAP_DROPPED */
    _Atomic uint64_t value;
};

struct map_table {
    size_t mask, used;
    struct map_slot slots[];
};

struct map {
    struct map_table *_Atomic table;
    uint32_t (*hash)(uint64_t key, uint64_t value);     /* of an entry, when the table grows */
};

#define MAP_DROPPED ((uint64_t)1)

/* A hash is good in its low bits. */
static inline uint32_t map_mix(uint64_t number)
{
    return (uint32_t)(number * 0x9e3779b97f4a7c15u >> 32);
}

/* Room for a power of two of slots, three quarters of which are used before it grows: what is looked for should
   lie in a near cache rather than at the first place.  False: no memory. */
bool map_start(struct map *map, size_t slots);

/* Under the lock.  The key, 2 or more, gets the value.  False: no memory, nothing has changed. */
bool map_put(struct map *map, uint64_t key, uint32_t hash, uint64_t value);

/* Under the lock.  Takes out the keys from `low` to below `high`.  Their slots are used again, so nobody may look
   for one of them at the same time who would mind to find another's value: no reader of ours does, whose key is
   a code address that was unmapped. */
void map_drop(struct map *map, uint64_t low, uint64_t high);

/* Any thread.  The slot of a key; null: it is not there, as far as can be seen without the lock. */
static inline struct map_slot *map_find(const struct map *map, uint64_t key, uint32_t hash)
{
    struct map_table *table = atomic_load_explicit(&map->table, memory_order_acquire);
    size_t mask = table->mask;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint64_t there = atomic_load_explicit(&table->slots[i].key, memory_order_acquire);
        if (likely(there == key))
            return &table->slots[i];
        if (!there)
            return NULL;
    }
}

/* Any thread.  The first place of a key with this hash is wanted in the cache. */
static inline void map_fetch(const struct map *map, uint32_t hash)
{
    struct map_table *table = atomic_load_explicit(&map->table, memory_order_acquire);
    __builtin_prefetch(&table->slots[hash & table->mask]);
}

static inline uint64_t map_value(const struct map_slot *slot)
{
    return atomic_load_explicit(&slot->value, memory_order_relaxed);
}

/* The value of a key, in a map that has no 0 among its values; 0: it is not there, as far as can be seen without
   the lock, or its slot was emptied between the two. */
static inline uint64_t map_get(const struct map *map, uint64_t key, uint32_t hash)
{
    const struct map_slot *slot = map_find(map, key, hash);
    return likely(slot != NULL) ? map_value(slot) : 0;
}

#endif
