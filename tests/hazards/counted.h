// SPDX-License-Identifier: MIT
/*
 * Blocks that the program counts itself: counted_print says how many it made, of how many bytes, and how many
 * of how many bytes are left.  Traces have them below counted_malloc and counted_realloc.
 */
#ifndef HAZARDS_COUNTED_H
#define HAZARDS_COUNTED_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    _Atomic long allocations, bytes, blocks_left, bytes_left;
} counted;

static inline void counted_change(long blocks, long bytes)
{
    atomic_fetch_add(&counted.blocks_left, blocks);
    atomic_fetch_add(&counted.bytes_left, bytes);
}

__attribute__((noinline, unused)) static void *counted_malloc(size_t size)
{
    void *block = malloc(size);
    if (!block)
        abort();
    atomic_fetch_add(&counted.allocations, 1);
    atomic_fetch_add(&counted.bytes, (long)size);
    counted_change(1, (long)size);
    return block;
}

/* The block, of the size `old`, lives on with another: it is one allocation, and one less of the old size. */
__attribute__((noinline, unused)) static void *counted_realloc(void *block, size_t old, size_t size)
{
    void *moved = realloc(block, size);
    if (!moved)
        abort();
    atomic_fetch_add(&counted.allocations, 1);
    atomic_fetch_add(&counted.bytes, (long)size);
    counted_change(0, (long)size - (long)old);
    return moved;
}

/* A block that is counted, of that size. */
__attribute__((unused)) static void counted_free(void *block, size_t size)
{
    counted_change(-1, -(long)size);
    free(block);
}

__attribute__((unused)) static void counted_print(void)
{
    printf("%ld %ld %ld %ld\n", counted.allocations, counted.bytes, counted.blocks_left, counted.bytes_left);
    fflush(stdout);
}

#endif
