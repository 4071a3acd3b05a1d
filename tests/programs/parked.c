// SPDX-License-Identifier: MIT
/*
 * parked THREADS: so many threads make one block each and wait; says how many bytes of memory became resident
 * meanwhile.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { STACK = 64 * 1024 };

static pthread_barrier_t barrier;

/* The second number in statm; read without the heap. */
static long resident(void)
{
    char text[256] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    char *second = text;
    strtol(text, &second, 10);
    return n > 0 ? strtol(second, NULL, 10) * sysconf(_SC_PAGESIZE) : -1;
}

static void *park(void *unused)
{
    void *volatile block = malloc(24);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    free(block);
    return unused;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1000;
    pthread_t id;
    pthread_attr_t attributes;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);      /* a huge page more or less would hide all else */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    long before = resident();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&id, &attributes, park, NULL))
            return 1;
    pthread_barrier_wait(&barrier);
    printf("%ld\n", resident() - before);
    pthread_barrier_wait(&barrier);
    return 0;
}
