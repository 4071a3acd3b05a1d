// SPDX-License-Identifier: MIT
/*
 * A library whose functions are chosen while it is relocated, by code that allocates: before the libraries in
 * front of it are relocated.
 */
#include <stddef.h>
#include <stdlib.h>

static int chosen(void)
{
    return 42;
}

static void *blocks[7];

static int (*choose(void))(void)
{
    for (size_t i = 0; i < 4; i++)
        blocks[i] = malloc(100 * i);
    blocks[4] = calloc(10, 10);
    blocks[5] = realloc(malloc(10), 5000);
    blocks[6] = aligned_alloc(64, 640);
    free(malloc(1000));
    return chosen;
}

static int one_of_several(void) __attribute__((ifunc("choose")));

int early_function(void)
{
    return one_of_several();
}

/* To be freed. */
void **early_blocks(void)
{
    return blocks;
}
