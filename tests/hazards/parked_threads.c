// SPDX-License-Identifier: MIT
/*
 * parked_threads N FILE: N threads that allocate once and then wait.  FILE gets the resident KiB of the
 * process.
 */
#include "counted.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t parked, done;

static void *parks(void *unused)
{
    counted_malloc(10);
    pthread_barrier_wait(&parked);
    pthread_barrier_wait(&done);
    return unused;
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        abort();
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    int n = argc == 3 ? atoi(argv[1]) : 0;
    pthread_t threads[n];
    pthread_attr_t attributes;
    FILE *file = argc == 3 ? fopen(argv[2], "w") : NULL;
    if (!file)
        return 2;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_barrier_init(&parked, NULL, (unsigned)n + 1);
    pthread_barrier_init(&done, NULL, (unsigned)n + 1);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], &attributes, parks, NULL))
            return 1;
    pthread_barrier_wait(&parked);
    fprintf(file, "%ld\n", resident_kib());
    fclose(file);
    pthread_barrier_wait(&done);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    counted_print();
    return 0;
}
