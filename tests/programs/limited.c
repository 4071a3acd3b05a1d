// SPDX-License-Identifier: MIT
/*
 * limited [SIZE [HOW]]: keeps 4 blocks of 256 bytes, and one of SIZE if it is given; then allocates and frees 10
 * blocks of 1000.  HOW: "killed": ends by SIGKILL.  Without SIZE: peak 2024, leaked 1024, allocated 11024,
 * 14 allocations, 10 temporary.
 */
#include <signal.h>
#include <stdlib.h>

#define NOT_INLINED __attribute__((noinline))

static void *kept[5];

NOT_INLINED static void keep(int place, size_t size)
{
    kept[place] = malloc(size);
}

NOT_INLINED static void grow(size_t size)
{
    keep(4, size);
}

NOT_INLINED static void work(void)
{
    for (volatile int i = 0; i < 10; i++)
        free(malloc(1000));
}

int main(int argc, char **argv)
{
    for (volatile int i = 0; i < 4; i++)
        keep(i, 256);
    volatile int arguments = argc; /* not known to the compiler: one call of work */
    if (arguments > 1)
        grow((size_t)atoi(argv[1]));
    work();
    if (arguments > 2)
        raise(SIGKILL);
    return 0;
}
