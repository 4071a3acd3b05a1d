// SPDX-License-Identifier: MIT
#include "map.h"
#include "arena.h"

static size_t table_size(size_t slots)
{
    return sizeof(struct map_table) + slots * sizeof(struct map_slot);
}

static struct map_table *table_make(size_t slots)
{
    struct map_table *table = arena_alloc(table_size(slots));
    if (table)
        table->mask = slots - 1;
    return table;
}

bool map_start(struct map *map, size_t slots)
{
    atomic_store(&map->table, table_make(slots));
    return atomic_load(&map->table) != NULL;
}

static void insert(struct map_table *table, uint64_t key, uint32_t hash, uint64_t value)
{
    size_t i = hash & table->mask;
    while (atomic_load_explicit(&table->slots[i].key, memory_order_relaxed) > MAP_DROPPED)
        i = (i + 1) & table->mask;
    table->used += atomic_load_explicit(&table->slots[i].key, memory_order_relaxed) == 0;
    atomic_store_explicit(&table->slots[i].value, value, memory_order_relaxed);
    atomic_store_explicit(&table->slots[i].key, key, memory_order_release);
}

static bool grow(struct map *map, struct map_table *old)
{
    struct map_table *table = table_make(2 * (old->mask + 1));
    if (!table)
        return false;
    for (size_t i = 0; i <= old->mask; i++) {
        uint64_t key = atomic_load_explicit(&old->slots[i].key, memory_order_relaxed);
        uint64_t value = map_value(&old->slots[i]);
        if (key > MAP_DROPPED)
            insert(table, key, map->hash(key, value), value);
    }
    atomic_store_explicit(&map->table, table, memory_order_release);
    arena_empty(old, table_size(old->mask + 1));
    return true;
}

bool map_put(struct map *map, uint64_t key, uint32_t hash, uint64_t value)
{
    struct map_slot *slot = map_find(map, key, hash);
    struct map_table *table = atomic_load_explicit(&map->table, memory_order_relaxed);
    if (slot) {
        atomic_store_explicit(&slot->value, value, memory_order_relaxed);
        return true;
    }
    if (table->used * 4 > table->mask * 3 && !grow(map, table))
        return false;
    insert(atomic_load_explicit(&map->table, memory_order_relaxed), key, hash, value);
    return true;
}

void map_drop(struct map *map, uint64_t low, uint64_t high)
{
    struct map_table *table = atomic_load_explicit(&map->table, memory_order_relaxed);
    for (size_t i = 0; i <= table->mask; i++) {
        uint64_t key = atomic_load_explicit(&table->slots[i].key, memory_order_relaxed);
        if (key >= low && key < high && key > MAP_DROPPED)
            atomic_store_explicit(&table->slots[i].key, MAP_DROPPED, memory_order_relaxed);
    }
}
