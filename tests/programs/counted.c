// SPDX-License-Identifier: MIT
/*
 * Over the allocator of libs/counting.c: calls the malloc family from places never seen and seen, here, in
 * threads and in a forked child, and says how often the real functions were called beyond that.
 */
#include "sites.h"
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 3, BELOW = 20, CALLS = 7, THREADS = 8 };

__attribute__((weak)) long calls_of_allocator(void);

static void *volatile sink;

static void calls(void)
{
    sink = malloc(100);
    sink = realloc(sink, 300);
    free(sink);
    sink = calloc(3, 5);
    free(sink);
    sink = memalign(64, 100);
    free(sink);
}

/* Returns how many calls the real allocator got too many. */
static long surplus(void)
{
    long before = calls_of_allocator();
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t n = 0; n < SITES; n++)
            site_at(n, BELOW, n * ROUNDS + round, calls);
    return calls_of_allocator() - before - (long)ROUNDS * SITES * CALLS;
}

static void *thread(void *unused)
{
    (void)unused;
    return (void *)surplus();
}

/* One after the other: each counts for itself. */
static long in_threads(void)
{
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_t id;
        void *result;
        if (pthread_create(&id, NULL, thread, NULL) || pthread_join(id, &result))
            return -1;
        sum += (long)result;
    }
    return sum;
}

int main(void)
{
    if (!calls_of_allocator)
        return 2;
    calls();
    printf("%ld", surplus());
    printf(" %ld", in_threads());
    fflush(stdout);
    if (fork() == 0) {
        printf(" %ld\n", surplus());
        return 0;
    }
    wait(NULL);
    return 0;
}
