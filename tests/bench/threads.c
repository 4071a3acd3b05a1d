// SPDX-License-Identifier: MIT
/*
 * threads COUNT EVENTS shared|separate: COUNT threads (up to eight) each make EVENTS pairs of malloc and
 * free, all at one call site or each at its own.  Says how many pairs a second they made together.
 */
#include "bench.h"
#include <pthread.h>

enum { THREADS_MAX = 8 };

static pthread_barrier_t barrier;
static long events;

static inline __attribute__((always_inline)) void churn(void)
{
    unsigned random = 1;
    for (long i = 0; i < events; i++) {
        void *block = malloc(16 + next_random(&random) % 256);
        KEEP(block);
        free(block);
    }
}

#define WORKER(n) \
    NOINLINE static void *worker_##n(void *took) \
    { \
        pthread_barrier_wait(&barrier); \
        ((double *)took)[0] = wall_ns(); \
        churn(); \
        ((double *)took)[1] = wall_ns(); \
        __asm__ volatile("# " #n); \
        return NULL; \
    }

WORKER(0) WORKER(1) WORKER(2) WORKER(3) WORKER(4) WORKER(5) WORKER(6) WORKER(7)

static void *(*const workers[THREADS_MAX])(void *) = {
    worker_0, worker_1, worker_2, worker_3, worker_4, worker_5, worker_6, worker_7,
};

int main(int argc, char **argv)
{
    pthread_t ids[THREADS_MAX];
    double times[THREADS_MAX][2], begin, end;
    int count = argc == 4 ? atoi(argv[1]) : 0;
    if (count < 1 || count > THREADS_MAX)
        return 2;
    events = atol(argv[2]);
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++)
        if (pthread_create(&ids[i], NULL, workers[strcmp(argv[3], "shared") == 0 ? 0 : i], times[i]))
            return 1;
    for (int i = 0; i < count; i++) {
        pthread_join(ids[i], NULL);
        begin = i && begin < times[i][0] ? begin : times[i][0];
        end = i && end > times[i][1] ? end : times[i][1];
    }
    figure("pairs_per_second", (double)count * (double)events / (end - begin) * 1e9);
    return 0;
}
