// SPDX-License-Identifier: MIT
/*
 * load_threads THREADS SECONDS FILE: threads that allocate at different depths, free what they made and what
 * others made, until the time is over; FILE gets the counts.
 */
#include "load.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { RING = 32, SHELVES = 64, ROUNDS = 256 };

/* The size stands in the block. */
static _Atomic(uint64_t *) shelves[SHELVES];
static _Atomic int over;

struct worker {
    pthread_t id;
    uint64_t random;
    uint64_t *ring[RING];
    struct load load;
};

static uint64_t choose(struct worker *worker, uint64_t n)
{
    worker->random = worker->random * 6364136223846793005u + 1442695040888963407u;
    return (worker->random >> 33) % n;
}

__attribute__((noinline)) static void bury(struct worker *worker, uint64_t *block)
{
    if (!block)
        return;
    load_died(&worker->load, *block);
    free(block);
}

__attribute__((noinline)) static uint64_t *load_work(struct worker *worker, int depth)
{
    uint64_t *block;
    if (depth) {
        block = load_work(worker, depth - 1);
    } else {
        uint64_t size = 8 + choose(worker, 200);
        block = malloc(size);
        load_born(&worker->load, block, size);
        *block = size;
    }
    __asm__ volatile("" ::: "memory");
    return block;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        for (int i = 0; i < ROUNDS; i++) {
            uint64_t *block = load_work(worker, (int)choose(worker, 12));
            uint64_t **place = &worker->ring[choose(worker, RING)];
            bury(worker, *place);
            *place = NULL;
            if (choose(worker, 4))
                *place = block;
            else
                bury(worker, atomic_exchange(&shelves[choose(worker, SHELVES)], block));
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int threads = atoi(argv[1]), fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct worker *workers = load_room((size_t)threads * sizeof *workers);
    struct load sum = {0};
    for (int i = 0; i < threads; i++) {
        workers[i].random = (uint64_t)i;
        if (pthread_create(&workers[i].id, NULL, work, &workers[i]))
            return 1;
    }
    sleep((unsigned)atoi(argv[2]));
    atomic_store(&over, 1);
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].id, NULL);
        load_add(&sum, &workers[i].load);
    }
    load_say(fd, &sum);
    close(fd);
    return 0;
}
