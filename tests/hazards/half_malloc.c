// SPDX-License-Identifier: MIT
/*
 * half_malloc: has a malloc and a free of its own, and leaves the rest of the family to the C library.
 */
#include "told.h"
#include <malloc.h>
#include <string.h>

void __libc_free(void *block);

enum { SIZE = 1 << 20, TIMES = 2000 };

static char memory[SIZE] __attribute__((aligned(16)));
static size_t used;
static long freed;

void *malloc(size_t size)
{
    char *block = memory + used;
    used += (size + 15) & ~(size_t)15;
    return used <= SIZE ? block : NULL;
}

void free(void *block)
{
    freed += block != NULL;
    if ((char *)block < memory || (char *)block >= memory + SIZE)
        __libc_free(block);
}

static bool is_own(const char *block)
{
    return block >= memory && block < memory + SIZE;
}

int main(void)
{
    long before = freed;
    for (int i = 0; i < TIMES; i++) {
        char *own = malloc(100), *zeroed = calloc(10, 10), *grown = realloc(NULL, 50);
        void *aligned;
        must(is_own(own) && !is_own(zeroed) && !is_own(grown));
        must(!posix_memalign(&aligned, 256, 100));
        for (int k = 0; k < 100; k++)
            must(zeroed[k] == 0);
        memset(zeroed, 1, 100);
        grown = realloc(grown, 5000);
        must(grown);
        free(own);
        free(zeroed);
        free(grown);
        free(aligned);
    }
    printf("%ld freed\n", freed - before);
    return 0;
}
