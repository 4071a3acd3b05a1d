// SPDX-License-Identifier: MIT
/*
 * live COUNT ROUNDS MIN MAX: COUNT blocks of MIN to MAX bytes, all live, then freed in random order; ROUNDS
 * times.  Says what a malloc and what a free took, by how much the blocks grew the resident memory, and what a load
 * takes whose place in as much memory as the map has of it (a word a block) the load before tells.
 */
#include "bench.h"

static void **blocks;
static unsigned *order;

static void shuffle(unsigned count)
{
    unsigned random = 1;
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count; i-- > 1;) {
        /* 24 random bits are too few for ten million. */
        unsigned other = (next_random(&random) << 12 ^ next_random(&random)) % (i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

NOINLINE static double allocate(unsigned count, unsigned min, unsigned max)
{
    unsigned random = 1;
    double begin = cpu_ns();
    for (unsigned i = 0; i < count; i++)
        blocks[i] = malloc(min + next_random(&random) % (max - min + 1));
    return cpu_ns() - begin;
}

NOINLINE static double release(unsigned count)
{
    double begin = cpu_ns();
    for (unsigned i = 0; i < count; i++)
        free(blocks[order[i]]);
    return cpu_ns() - begin;
}

/* The blocks' order, read as a chain: it leads through all of them in one cycle. */
NOINLINE static double miss(unsigned count)
{
    enum { LOADS = 1 << 20 };
    for (unsigned i = 0; i < count; i++)
        ((unsigned *)blocks)[order[i]] = order[i + 1 < count ? i + 1 : 0];
    unsigned at = 0;
    double begin = cpu_ns();
    for (unsigned i = 0; i < LOADS; i++)
        at = ((unsigned *)blocks)[at];
    double took = cpu_ns() - begin;
    KEEP(at);
    return took / LOADS;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    unsigned count = (unsigned)atol(argv[1]), min = (unsigned)atol(argv[3]), max = (unsigned)atol(argv[4]);
    long rounds = atol(argv[2]);
    double allocated = 0, released = 0, grown = 0;
    blocks = malloc(count * sizeof *blocks);
    order = malloc(count * sizeof *order);
    if (!blocks || !order)
        return 1;
    memset(blocks, 1, count * sizeof *blocks);
    shuffle(count);
    for (long round = 0; round < rounds; round++) {
        double before = round ? 0 : resident();
        allocated += allocate(count, min, max);
        if (!round)
            grown = resident() - before;
        released += release(count);
    }
    figure("malloc_ns", allocated / count / (double)rounds);
    figure("free_ns", released / count / (double)rounds);
    figure("grown", grown);
    figure("miss_ns", miss(count));
    return 0;
}
