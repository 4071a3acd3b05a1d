// SPDX-License-Identifier: MIT
/*
 * Calls every allocation function, and says what that came to.  All in scenario() and below, so that the
 * report can be asked for it alone.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    long allocations, allocated_bytes, frees, reallocations, current_bytes, current_blocks;
} truth;

static void *volatile sink;
static size_t volatile huge = SIZE_MAX;

static void *born(void *block, size_t size)
{
    sink = block;
    if (!block)
        abort();
    truth.allocations++;
    truth.allocated_bytes += (long)size;
    truth.current_blocks++;
    truth.current_bytes += (long)size;
    return block;
}

static void died(size_t size)
{
    truth.frees++;
    truth.current_blocks--;
    truth.current_bytes -= (long)size;
}

static void *moved(void *block, size_t old, size_t size)
{
    died(old);
    truth.reallocations++;
    return born(block, size);
}

__attribute__((noinline)) static void aligned_functions(void)
{
    void *block;
    if (posix_memalign(&block, 64, 100) == 0)
        born(block, 100);
    born(aligned_alloc(256, 512), 512);
    born(memalign(4096, 33), 33);
    born(valloc(77), 77);
    born(pvalloc(5), 5);
    if (posix_memalign(&block, 3, 100) != EINVAL)
        abort();
}

__attribute__((noinline)) static void reallocs(void)
{
    char *block = born(realloc(NULL, 10), 10);
    block = moved(realloc(block, 20000), 10, 20000);
    block = moved(realloc(block, 20000), 20000, 20000);
    block = moved(realloc(block, 7), 20000, 7);
    if (realloc(block, huge))
        abort();
    if (realloc(block, 0) == NULL)
        died(7);
    block = born(malloc(50), 50);
    block = moved(realloc(block, 60), 50, 60);
    sink = block;
}

__attribute__((noinline)) static void failures(void)
{
    errno = 0;
    if (malloc(huge) || errno != ENOMEM || calloc(huge, 2) || calloc(huge / 2, 3))
        abort();
    free(NULL);
}

__attribute__((noinline)) static void scenario(void)
{
    void *block = born(malloc(1000), 1000);
    free(block);
    died(1000);
    born(malloc(0), 0);
    born(calloc(13, 17), 13 * 17);
    char *copy = strdup("eleven char");
    born(copy, 12);
    free(copy);
    died(12);
    aligned_functions();
    reallocs();
    failures();
    for (int i = 0; i < 1000; i++) {
        errno = 1234;
        void *quick = born(malloc((size_t)i), (size_t)i);
        free(quick);
        died((size_t)i);
        if (errno != 1234)
            abort();
    }
}

int main(void)
{
    scenario();
    printf("%ld %ld %ld %ld %ld %ld\n", truth.allocations, truth.allocated_bytes, truth.frees,
           truth.reallocations, truth.current_blocks, truth.current_bytes);
    return 0;
}
