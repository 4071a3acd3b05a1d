// SPDX-License-Identifier: MIT
/*
 * load_sites DEPTH CHAIN TIMES [wait]: 2^DEPTH different call paths, each of which leads through CHAIN more
 * frames to twelve places that allocate, TIMES times each; every other block is freed.  Then all once more.
 * `wait`: writes a line when half of the paths of the first time are done, and goes on when it has read one.
 */
#include "load.h"

static struct load load;
static unsigned depth, chain, times;
static volatile int rounds = 2;
static int wait;
static void *keep;

static void note(void *block, size_t size)
{
    load_born(&load, block, size);
    if (keep) {
        load_died(&load, size);
        free(block);
    }
    keep = keep ? NULL : block;
}

#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")
#define PLACE           note(malloc(size), size);

__attribute__((noinline)) static void allocate(size_t size)
{
    for (unsigned i = 0; i < times; i++) {
        PLACE PLACE PLACE PLACE
        PLACE PLACE PLACE PLACE
        PLACE PLACE PLACE PLACE
    }
}

__attribute__((noinline)) static void pass_on(uint32_t path, unsigned left)
{
    if (left)
        pass_on(path, left - 1);
    else
        allocate(1 + path % 100);
    NOT_A_TAIL_CALL;
}

static void wait_here(void)
{
    char byte;
    wait = 0;
    if (write(1, "half\n", 5) != 5)
        _exit(5);
    while (read(0, &byte, 1) == 1 && byte != '\n')
        ;
}

/* The two calls are two frames. */
__attribute__((noinline)) static void branch(uint32_t path, unsigned level)
{
    if (level == depth) {
        if (wait && path == 1u << (depth - 1))
            wait_here();
        pass_on(path, chain);
        return;
    }
    branch(path * 2, level + 1);
    branch(path * 2 + 1, level + 1);
    NOT_A_TAIL_CALL;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    depth = (unsigned)atoi(argv[1]);
    chain = (unsigned)atoi(argv[2]);
    times = (unsigned)atoi(argv[3]);
    wait = argc > 4;
    while (rounds--)
        branch(0, 0);
    load_say(1, &load);
    return 0;
}
