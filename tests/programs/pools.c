// SPDX-License-Identifier: MIT
/*
 * pools EVENTS THREADS: an arena over mmap and a slab over malloc, that tell of their blocks, and the heap between
 * them; used at random.  Says of each domain what was allocated and freed and is live, as it knows itself.
 */
#include "tracemalloc.h"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline))

enum { HEAP, ARENA, SLAB, KINDS };
enum { ARENA_SIZE = 1 << 16, SLOT = 48, SLOTS = 64, LIVE = 200 };

struct truth {
    uint64_t allocations, bytes, frees, freed;
};

/* --- an arena: blocks one behind the other, all freed at once ---------------------------------------------- */

struct arena {
    char *memory;
    size_t used;
    struct truth truth;
};

NOINLINE static void arena_reset(struct arena *arena)
{
    for (size_t at = 0; at < arena->used; at += 16 + *(size_t *)(arena->memory + at)) {
        tracemalloc_untrack(ARENA, arena->memory + at + 16);
        arena->truth.frees++;
        arena->truth.freed += *(size_t *)(arena->memory + at);
    }
    arena->used = 0;
}

NOINLINE static void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (arena->used + 16 + size > ARENA_SIZE)
        arena_reset(arena);
    char *block = arena->memory + arena->used + 16;
    *(size_t *)(block - 16) = size;
    arena->used += 16 + size;
    tracemalloc_track(ARENA, block, size);
    arena->truth.allocations++;
    arena->truth.bytes += size;
    return block;
}

/* --- a slab: slots of one size, cut from chunks of the heap, that come back one by one -------------------- */

struct slab {
    void *spare;
    struct truth truth, heap;
};

NOINLINE static void *slab_chunk(struct slab *slab)
{
    slab->heap.allocations++;
    slab->heap.bytes += SLOT * SLOTS;
    return malloc(SLOT * SLOTS);
}

/* The first slot has the address of the chunk. */
NOINLINE static void *slab_alloc(struct slab *slab)
{
    if (!slab->spare) {
        char *chunk = slab_chunk(slab);
        for (int i = SLOTS; i-- > 0; slab->spare = chunk + i * SLOT)
            *(void **)(chunk + i * SLOT) = slab->spare;
    }
    void *block = slab->spare;
    slab->spare = *(void **)block;
    tracemalloc_track(SLAB, block, SLOT);
    slab->truth.allocations++;
    slab->truth.bytes += SLOT;
    return block;
}

NOINLINE static void slab_free(struct slab *slab, void *block)
{
    tracemalloc_untrack(SLAB, block);
    *(void **)block = slab->spare;
    slab->spare = block;
    slab->truth.frees++;
    slab->truth.freed += SLOT;
}

/* --- both ---------------------------------------------------------------------------------------------- */

static long events;
static pthread_mutex_t sums_lock = PTHREAD_MUTEX_INITIALIZER;
static struct truth sums[KINDS];

static void add(struct truth *sum, const struct truth *truth)
{
    sum->allocations += truth->allocations;
    sum->bytes += truth->bytes;
    sum->frees += truth->frees;
    sum->freed += truth->freed;
}

static uint32_t chosen(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

static void *uses_both(void *seed)
{
    int how = MAP_PRIVATE | MAP_ANONYMOUS;
    struct arena arena = {.memory = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, how, -1, 0)};
    struct slab slab = {0};
    void *live[LIVE] = {0};
    uint64_t state = (uint64_t)(uintptr_t)seed;
    for (long i = 0; i < events; i++) {
        void **slot = &live[chosen(&state, LIVE)];
        if (chosen(&state, 3) == 0)
            arena_alloc(&arena, 1 + chosen(&state, 500));
        else if (*slot)
            slab_free(&slab, *slot), *slot = NULL;
        else
            *slot = slab_alloc(&slab);
    }
    pthread_mutex_lock(&sums_lock);
    add(&sums[HEAP], &slab.heap);
    add(&sums[ARENA], &arena.truth);
    add(&sums[SLAB], &slab.truth);
    pthread_mutex_unlock(&sums_lock);
    return NULL;
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    static const char *const names[KINDS] = {"heap", "[domain 1]", "[domain 2]"};
    pthread_t ids[16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    events = argc > 1 ? atol(argv[1]) : 1000;
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, uses_both, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < KINDS; i++)
        printf("%s %lu %lu %lu %lu %lu\n", names[i], sums[i].allocations, sums[i].bytes, sums[i].frees,
               sums[i].allocations - sums[i].frees, sums[i].bytes - sums[i].freed);
    return 0;
}
