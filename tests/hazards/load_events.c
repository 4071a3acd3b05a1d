// SPDX-License-Identifier: MIT
/*
 * load_events N: N heap events, at least, out of several functions: allocations, frees, and reallocations.
 */
#include "load.h"

enum { RING = 64 };

static struct load load;
static void *ring[RING];
static size_t sizes[RING];

__attribute__((noinline)) static void renew(unsigned place, size_t size)
{
    if (ring[place])
        load_died(&load, sizes[place]);
    free(ring[place]);
    ring[place] = malloc(size);
    load_born(&load, ring[place], sizes[place] = size);
}

__attribute__((noinline)) static void grow(unsigned place, size_t size)
{
    if (!ring[place])
        return;
    load_died(&load, sizes[place]);
    ring[place] = realloc(ring[place], size);
    load_born(&load, ring[place], sizes[place] = size);
    load.reallocations++;
}

/* Freed by the very next event. */
__attribute__((noinline)) static void fleet(size_t size)
{
    void *block = calloc(1, size);
    load_born(&load, block, size);
    free(block);
    load_died(&load, size);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    uint64_t events = strtoull(argv[1], NULL, 10);
    for (uint64_t i = 0; load.allocations + load.frees - load.reallocations < events; i++) {
        unsigned place = (unsigned)(i * 7 % RING);
        size_t size = 1 + i * 13 % 300;
        if (i % 8 == 7)
            grow(place, size);
        else if (i % 8 == 3)
            renew(place, size);
        else
            fleet(size);
    }
    load_say(1, &load);
    return 0;
}
