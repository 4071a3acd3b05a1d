// SPDX-License-Identifier: MIT
/*
 * takes_address: calls malloc by its address, as a table of functions would.  To be linked at a fixed
 * address.
 */
#include <stdio.h>
#include <stdlib.h>

static void *(*const volatile allocate)(size_t size) = malloc;
static void (*const volatile release)(void *block) = free;

int main(void)
{
    for (int i = 0; i < 1000; i++)
        release(allocate(100));
    printf("main allocations 1001\n");  /* and the buffer of this */
    return 0;
}
