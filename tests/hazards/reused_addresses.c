// SPDX-License-Identifier: MIT
/*
 * reused_addresses: addresses that come back at once, to another thread.
 *
 * Before a block is freed for real, the recorder must know it no longer.  Then a thread's realloc stands
 * still between the allocator's work and the recorder's, while another thread gets, and frees, the address
 * that was left.  At last two threads hand blocks to each other, of which each is freed while the next one is
 * allocated.
 */
#include "counted.h"
#include "tracemalloc.h"
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { OLD = 2000, NEW = 4000, ROUNDS = 1000, HANDED = 500000 };

/* Volatile: malloc and realloc are declared to call nothing of this file. */
static __thread volatile bool stops_when_moved __attribute__((tls_model("initial-exec")));
static sem_t moved, go_on;
static void *volatile freed;            /* being freed just now */
static int still_known;

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore))
        ;
}

void libtrace_point(const char *name)
{
    if (freed && !strcmp(name, "freeing"))
        still_known += tracemalloc_get_object_traceback(freed, NULL, 0) != 0;
    if (!stops_when_moved || strcmp(name, "moved"))
        return;
    sem_post(&moved);
    wait_for(&go_on);
}

static int known_before;

static void free_known_block(void)
{
    freed = counted_malloc(30);
    known_before += tracemalloc_get_object_traceback(freed, NULL, 0) != 0;
    counted_free(freed, 30);
    freed = NULL;
}

/* --- realloc -------------------------------------------------------------------------------------------- */

static void *block, *barrier;

/* What lies behind the block keeps it from growing where it is. */
static void *moves(void *unused)
{
    block = counted_malloc(OLD);
    barrier = counted_malloc(OLD);
    stops_when_moved = true;
    block = counted_realloc(block, OLD, NEW);
    stops_when_moved = false;
    sem_post(&moved);
    return unused;
}

/* Is the old address the next one's? */
static bool reuse_what_was_left(int round)
{
    pthread_t thread;
    void *left;
    if (pthread_create(&thread, NULL, moves, NULL))
        abort();
    wait_for(&moved);
    left = counted_malloc(OLD);
    bool same = (char *)left + OLD + 16 == (char *)barrier;
    if (round % 2) {
        counted_free(left, OLD);
        left = NULL;
    }
    sem_post(&go_on);
    pthread_join(thread, NULL);
    if (left)
        counted_free(left, OLD);
    counted_free(block, NEW);
    counted_free(barrier, OLD);
    while (!sem_trywait(&moved) || !sem_trywait(&go_on))
        ;
    return same;
}

/* --- handing over ------------------------------------------------------------------------------------ */

enum { SLOTS = 4 };
static _Atomic(void *) slots[SLOTS];

static size_t size_of(int i)
{
    return 24 + (size_t)(i % 3) * 700;
}

static void *makes(void *unused)
{
    for (int i = 0; i < HANDED; i++) {
        void *made = counted_malloc(size_of(i));
        while (slots[i % SLOTS])
            sched_yield();
        slots[i % SLOTS] = made;
    }
    return unused;
}

static void *takes(void *unused)
{
    for (int i = 0; i < HANDED; i++) {
        void *taken;
        while (!(taken = atomic_exchange(&slots[i % SLOTS], NULL)))
            sched_yield();
        counted_free(taken, size_of(i));
    }
    return unused;
}

int main(void)
{
    pthread_t maker, taker;
    int reused = 0;
    mallopt(M_ARENA_MAX, 1);
    sem_init(&moved, 0, 0);
    sem_init(&go_on, 0, 0);
    for (int i = 0; i < ROUNDS; i++)
        free_known_block();
    for (int i = 0; i < ROUNDS; i++)
        reused += reuse_what_was_left(i);
    printf("%d known when they were freed\n", still_known);
    if (tracemalloc_is_tracing() && (known_before != ROUNDS || reused < ROUNDS / 2))
        printf("the test shows nothing: %d known before, %d reused\n", known_before, reused);
    pthread_create(&maker, NULL, makes, NULL);
    pthread_create(&taker, NULL, takes, NULL);
    pthread_join(maker, NULL);
    pthread_join(taker, NULL);
    counted_print();
    return 0;
}
