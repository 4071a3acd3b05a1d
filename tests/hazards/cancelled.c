// SPDX-License-Identifier: MIT
/*
 * cancelled: threads with a request to end pending allocate; they may end where they ask for it, and nowhere
 * before.  Allocating is no such place, not by new stacks, of which each may make the tables grow, either.
 */
#include "counted.h"
#include <pthread.h>
#include <stdbool.h>

enum { BLOCKS = 100000, DEPTH = 300 };

static _Atomic bool got_there;
static pthread_barrier_t barrier;

/* A new call site in each level. */
__attribute__((noinline)) static void recurse(int depth)
{
    counted_free(counted_malloc(20), 20);
    if (depth)
        recurse(depth - 1);
    __asm__ volatile("");
}

static void *allocates(void *unused)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < BLOCKS; i++)
        counted_free(counted_malloc(10), 10);
    recurse(DEPTH);
    got_there = true;
    pthread_testcancel();
    return unused;
}

int main(void)
{
    pthread_t thread;
    void *result = NULL;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, allocates, NULL);
    pthread_barrier_wait(&barrier);
    pthread_cancel(thread);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, &result);
    printf("%s, %s\n", got_there ? "got there" : "ended on the way",
           result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    counted_print();
    return 0;
}
