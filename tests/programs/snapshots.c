// SPDX-License-Identifier: MIT
/*
 * snapshots WHAT ...: takes snapshots of itself, or does what makes the recorder take some.
 *
 *   labels LABEL...   one of each label, a block of 100 bytes more before each
 *   many N            N without a label
 *   slowly MS         allocates a block each millisecond, for so long
 *   grows KIB         one block of 1 KiB after the other, and frees them again
 *   threads N MS      N threads allocate in pairs, while the main one takes snapshots; says how many
 *   forks N           takes 30 of N call paths; then a child, which allocates 2000 blocks, takes one
 *   fails MIB         allows itself so much address space, and allocates until there is no more; says how much
 *   fails-all         allocations of several kinds that fail; says whether all did
 *   sites N TIMES     from N call paths in each of TIMES threads; says how long the snapshots take, in us
 */
#include "sites.h"
#include "tracemalloc.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define KEEP(block) __asm__ volatile("" : "+r"(block) : : "memory")

NOINLINE static void *allocate(size_t size)
{
    void *block = malloc(size);
    KEEP(block);
    return block;
}

static void take(const char *label)
{
    int result = tracemalloc_take_snapshot(label);
    if (result)
        printf("%s: %s\n", label ? label : "", strerror(-result));
}

static double us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void labels(char **names)
{
    for (; *names; names++) {
        allocate(100);
        take(*names);
    }
}

static void slowly(long ms)
{
    for (double end = us() + 1e3 * (double)ms; us() < end;) {
        free(allocate(1000));
        usleep(1000);
    }
}

static void grows(long kib)
{
    void **blocks = calloc((size_t)kib, sizeof *blocks);
    for (long i = 0; i < kib; i++)
        blocks[i] = allocate(1024);
    for (long i = 0; i < kib; i++)
        free(blocks[i]);
    free(blocks);
}

/* --- many sites ---------------------------------------------------------------------------------------- */

static void one(void)
{
    allocate(10);
}

static void *many_sites(void *count)
{
    for (long i = 0; i < *(long *)count; i++)
        site_at((uint32_t)i, 2, (uint32_t)i * 2654435761u, one);
    return NULL;
}

/* --- threads: at any moment inner has as many blocks as outer, or one less for each ---------------------- */

NOINLINE static void *outer(void)
{
    void *block = malloc(100);
    KEEP(block);
    return block;
}

NOINLINE static void *inner(void)
{
    void *block = malloc(10);
    KEEP(block);
    return block;
}

static _Atomic bool over;

/* Many sites come between these two: it takes a while to get from one to the other. */
static void *pairs(void *unused)
{
    for (long between = 5000; !over; between = 0) {
        void *a = outer();
        many_sites(&between);
        void *b = inner();
        free(b);
        free(a);
    }
    return unused;
}

static void threads(long count, long ms)
{
    pthread_t ids[64];
    long taken = 0;
    for (long i = 0; i < count; i++)
        pthread_create(&ids[i], NULL, pairs, NULL);
    for (double end = us() + 1e3 * (double)ms; us() < end; taken++) {
        take(NULL);
        usleep(1000);
    }
    over = true;
    for (long i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    printf("%ld\n", taken);
}

/* --- processes and memory ------------------------------------------------------------------------------ */

static void forks(long sites)
{
    void *before = allocate(1000);
    many_sites(&sites);
    for (int i = 0; i < 30; i++)
        take("parent");
    if (fork() == 0) {
        for (int i = 0; i < 2000; i++)
            allocate(10);
        free(before);
        take("child");
        exit(0);
    }
    wait(NULL);
}

static void fails(long mib)
{
    struct rlimit limit = {(rlim_t)mib << 20, (rlim_t)mib << 20};
    setrlimit(RLIMIT_AS, &limit);
    long blocks = 0;
    errno = 0;
    while (allocate(1000000))
        blocks++;
    printf("%ld %s\n", blocks, errno == ENOMEM ? "ENOMEM" : "?");
}

static volatile size_t huge = 1ul << 46, impossible = SIZE_MAX / 2;

/* Not what there can never be, nor what is refused for another reason; of five that there is no memory for four. */
static void fails_in_all_ways(void)
{
    void *block = malloc(10), *aligned = NULL;
    KEEP(block);
    bool failed = !malloc(impossible) && !calloc(impossible, 4) && posix_memalign(&aligned, 3, 10) == EINVAL;
    failed = failed && !calloc(2, huge) && !realloc(block, huge + 1) && !aligned_alloc(64, huge + 64) &&
             posix_memalign(&aligned, 64, huge + 2) == ENOMEM && !malloc(huge + 3);
    puts(failed ? "all failed" : "?");
    free(block);
}

/* --- how long it takes --------------------------------------------------------------------------------- */

static void sites_taken(long count, long times)
{
    pthread_t ids[64];
    for (long i = 0; i < times; i++)
        pthread_create(&ids[i], NULL, many_sites, &count);
    for (long i = 0; i < times; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < 5; i++) {
        double begin = us();
        take("timed");
        printf("%.0f\n", us() - begin);
    }
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    const char *what = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0, m = argc > 3 ? atol(argv[3]) : 0;
    if (!strcmp(what, "labels"))
        labels(argv + 2);
    else if (!strcmp(what, "many"))
        for (long i = 0; i < n; i++)
            take(NULL);
    else if (!strcmp(what, "slowly"))
        slowly(n);
    else if (!strcmp(what, "grows"))
        grows(n);
    else if (!strcmp(what, "threads"))
        threads(n, m);
    else if (!strcmp(what, "forks"))
        forks(n);
    else if (!strcmp(what, "fails"))
        fails(n);
    else if (!strcmp(what, "fails-all"))
        fails_in_all_ways();
    else if (!strcmp(what, "sites"))
        sites_taken(n, m);
    else
        return 2;
    return 0;
}
