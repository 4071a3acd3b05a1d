// SPDX-License-Identifier: MIT
/* handover EVENTS: one thread allocates blocks of 16 to 271 bytes, another frees them. */
#include "bench.h"
#include <pthread.h>

enum { BATCH = 512, BATCHES = 32 };

/* Batches, so that what is measured is not the handing over itself. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long made, taken;           /* batches */
    void *blocks[BATCHES][BATCH];
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wait_until(const long *counter, long value)
{
    pthread_mutex_lock(&ring.lock);
    while (*counter < value)
        pthread_cond_wait(&ring.changed, &ring.lock);
    pthread_mutex_unlock(&ring.lock);
}

static void advance(long *counter)
{
    pthread_mutex_lock(&ring.lock);
    ++*counter;
    pthread_cond_signal(&ring.changed);
    pthread_mutex_unlock(&ring.lock);
}

static void *consume(void *batches)
{
    for (long batch = 0; batch < *(long *)batches; batch++) {
        wait_until(&ring.made, batch + 1);
        for (int i = 0; i < BATCH; i++)
            free(ring.blocks[batch % BATCHES][i]);
        advance(&ring.taken);
    }
    return NULL;
}

static void produce(long batches)
{
    unsigned random = 1;
    for (long batch = 0; batch < batches; batch++) {
        wait_until(&ring.taken, batch - BATCHES + 1);
        for (int i = 0; i < BATCH; i++)
            ring.blocks[batch % BATCHES][i] = malloc(16 + next_random(&random) % 256);
        advance(&ring.made);
    }
}

int main(int argc, char **argv)
{
    pthread_t consumer;
    long batches = argc == 2 ? atol(argv[1]) / BATCH : 0;
    if (batches < 1)
        return 2;
    if (pthread_create(&consumer, NULL, consume, &batches))
        return 1;
    produce(batches);
    return pthread_join(consumer, NULL);
}
