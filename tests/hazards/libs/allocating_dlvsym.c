// SPDX-License-Identifier: MIT
/*
 * Preloaded: a dlvsym that allocates, also when it is asked for the real malloc.  The program uses and frees
 * what it left.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 4 };

void *dlvsym_blocks[BLOCKS];

static void allocate(void)
{
    dlvsym_blocks[0] = calloc(3, 100);
    dlvsym_blocks[1] = realloc(malloc(100), 300);
    dlvsym_blocks[2] = memalign(64, 300);
    dlvsym_blocks[3] = aligned_alloc(4096, 300);
    free(malloc(20));
    for (int i = 0; i < BLOCKS; i++)
        memset(dlvsym_blocks[i], 1, 300);
}

void *dlvsym(void *handle, const char *name, const char *version)
{
    static void *(*real)(void *, const char *, const char *);
    if (!real)
        real = (void *(*)(void *, const char *, const char *))(uintptr_t)dlsym(RTLD_NEXT, "dlvsym");
    if (!dlvsym_blocks[0])
        allocate();
    return real(handle, name, version);
}
