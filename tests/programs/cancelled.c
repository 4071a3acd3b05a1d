// SPDX-License-Identifier: MIT
/*
 * A cancelled thread calls the malloc family 100,000 times from places never seen and seen, as does a forked
 * child's: it must come to its own cancellation point.
 */
#include "sites.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 100000, CALLS_EACH = 10, BELOW = 12 };

static void *volatile sink;
static bool arrived;

static void calls(void)
{
    void *block = NULL;
    sink = malloc(100);
    sink = realloc(sink, 300);
    free(sink);
    sink = calloc(3, 5);
    free(sink);
    sink = posix_memalign(&block, 64, 100) ? NULL : block;
    free(sink);
    sink = aligned_alloc(64, 128);
    sink = (void *)malloc_usable_size(sink);
    errno = 0;
    sink = malloc(SIZE_MAX / 2);
}

static void *worker(void *unused)
{
    pthread_cancel(pthread_self());
    for (uint32_t i = 0; i < CALLS / CALLS_EACH; i++)
        site_at(i, BELOW, i, calls);
    arrived = true;
    pthread_testcancel();
    return unused;
}

static const char *outcome(void)
{
    pthread_t id;
    void *result = NULL;
    arrived = false;
    if (pthread_create(&id, NULL, worker, NULL) || pthread_join(id, &result))
        return "no thread";
    return !arrived                     ? "cancelled in an allocation"
           : result != PTHREAD_CANCELED ? "not cancelled"
                                        : "cancelled in time";
}

int main(void)
{
    puts(outcome());
    fflush(stdout);
    if (fork() == 0) {
        puts(outcome());
        return 0;
    }
    wait(NULL);
    return 0;
}
