// SPDX-License-Identifier: MIT
/*
 * threads N BLOCKS: N threads each allocate BLOCKS blocks of (8 + thread) bytes, free half of them, and
 * hand the rest to the next thread, which frees all but one of them.
 */
#include <pthread.h>
#include <stdlib.h>

static int threads, blocks;
static void ***handed;
static pthread_barrier_t barrier;

__attribute__((noinline)) static void *worker(void *argument)
{
    long me = (long)argument;
    void **mine = handed[me];
    for (int i = 0; i < blocks; i++)
        mine[i] = malloc((size_t)(8 + me));
    for (int i = 0; i < blocks / 2; i++)
        free(mine[i]);
    pthread_barrier_wait(&barrier);
    void **others = handed[(me + 1) % threads];
    for (int i = blocks / 2; i < blocks - 1; i++)
        free(others[i]);
    __asm__ volatile("");
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    threads = atoi(argv[1]);
    blocks = atoi(argv[2]);
    pthread_t *ids = malloc((size_t)threads * sizeof *ids);
    handed = malloc((size_t)threads * sizeof *handed);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++)
        handed[i] = malloc((size_t)blocks * sizeof **handed);
    for (long i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, worker, (void *)i))
            return 1;
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return 0;
}
