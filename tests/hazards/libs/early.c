// SPDX-License-Identifier: MIT
/*
 * Preloaded, before the recorder or behind it: allocates in its constructor, which may be the first of all to
 * run. The program frees what it left.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 4 };

void *early_blocks[BLOCKS];

__attribute__((constructor(101))) static void allocate_early(void)
{
    early_blocks[0] = malloc(64 * 1024);
    early_blocks[1] = realloc(malloc(100), 64 * 1024);
    early_blocks[2] = memalign(4096, 300);
    early_blocks[3] = calloc(10, 1000);
    memset(early_blocks[0], 1, 64 * 1024);
    memset(early_blocks[1], 2, 64 * 1024);
    memset(early_blocks[2], 3, 300);
    free(malloc(50));
}
