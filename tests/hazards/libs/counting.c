// SPDX-License-Identifier: MIT
/*
 * A real allocator that counts how often it is called, to be preloaded behind the recorder.  A program asks
 * for the sum by calls_of_allocator().
 */
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size), *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

long calls_of_allocator(void);

static _Atomic long calls;

long calls_of_allocator(void)
{
    return calls;
}

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    calls++;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    calls++;
    return __libc_memalign(alignment, size);
}

void free(void *block)
{
    calls += block != NULL;
    __libc_free(block);
}
