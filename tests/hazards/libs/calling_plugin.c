// SPDX-License-Identifier: MIT
/*
 * A plug-in that allocates by its program's function, and in its constructor by itself.
 */
#include <stdlib.h>

static void *volatile kept;

__attribute__((constructor)) static void begin(void)
{
    kept = malloc(10);
}

__attribute__((destructor)) static void end(void)
{
    free(kept);
}

__attribute__((noinline)) static void *deeper(void *(*allocate)(size_t), size_t size, int depth)
{
    void *block = depth ? deeper(allocate, size, depth - 1) : allocate(size);
    __asm__ volatile("");
    return block;
}

void *plugin_call(void *(*allocate)(size_t), size_t size);

void *plugin_call(void *(*allocate)(size_t), size_t size)
{
    return deeper(allocate, size, 5);
}
