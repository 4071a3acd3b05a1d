// SPDX-License-Identifier: MIT
/*
 * idle THREADS SITES: threads that each allocate and free once at each of SITES call sites, and idle then.
 * Says by how much they grew the resident memory.
 */
#include "fan.h"
#include <pthread.h>

enum { STACK = 64 * 1024 };

static pthread_barrier_t all_there, all_may_go;
static unsigned sites;

static void *work(void *unused)
{
    for (unsigned i = 0; i < sites; i++) {
        void *block = fan(i, 100);
        KEEP(block);
        free(block);
    }
    pthread_barrier_wait(&all_there);
    pthread_barrier_wait(&all_may_go);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int count = atoi(argv[1]);
    sites = (unsigned)atol(argv[2]);
    pthread_t *ids = calloc((size_t)count, sizeof *ids);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    pthread_barrier_init(&all_there, NULL, (unsigned)count + 1);
    pthread_barrier_init(&all_may_go, NULL, (unsigned)count + 1);
    double before = resident();
    for (int i = 0; i < count; i++)
        if (pthread_create(&ids[i], &small, work, NULL))
            return 1;
    pthread_barrier_wait(&all_there);
    double grown = resident() - before;
    pthread_barrier_wait(&all_may_go);
    for (int i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    figure("grown", grown);
    return 0;
}
