// SPDX-License-Identifier: MIT
/* short_threads N: N threads, eight at a time, each of which leaves one block of 100 bytes and frees another. */
#include <pthread.h>
#include <stdlib.h>

__attribute__((noinline)) static void *worker(void *unused)
{
    void *volatile kept = malloc(100);
    void *volatile freed = malloc(50);
    (void)unused;
    (void)kept;
    free(freed);
    return NULL;
}

int main(int argc, char **argv)
{
    enum { TOGETHER = 8 };
    pthread_t ids[TOGETHER];
    for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left -= TOGETHER) {
        for (int i = 0; i < TOGETHER; i++)
            if (pthread_create(&ids[i], NULL, worker, NULL))
                return 1;
        for (int i = 0; i < TOGETHER; i++)
            pthread_join(ids[i], NULL);
    }
    return 0;
}
