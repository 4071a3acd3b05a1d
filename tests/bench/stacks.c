// SPDX-License-Identifier: MIT
/*
 * stacks PATHS ROUNDS: malloc and free by each of PATHS call paths of 30 frames, ROUNDS times; the outer 26
 * are of the same functions in all.  Says what the first round took, and the later ones.
 */
#include "fan.h"

/* Of the 30, libc and main take four, below itself one, work and walk two. */
enum { BETWEEN = 30 - 4 - 1 - 2 - FAN_LEVELS, STRIDE = 7919, ROUNDS_MAX = 1000 };

static unsigned paths;
static long rounds;

/* Neighbours in time have little in common. */
NOINLINE static double walk(void)
{
    double begin = cpu_ns();
    for (unsigned i = 0; i < paths; i++) {
        void *block = fan((unsigned)((unsigned long)i * STRIDE % paths), 16 + i % 256);
        KEEP(block);
        free(block);
    }
    return (cpu_ns() - begin) / paths;
}

static void work(void *unused)
{
    (void)unused;
    double before = resident(), took[ROUNDS_MAX], again = 0;
    for (long round = 0; round < rounds; round++)
        took[round] = walk();   /* one call: another would be another path */
    for (long round = 1; round < rounds; round++)
        again += took[round];
    figure("first_ns", took[0]);
    if (rounds > 1)
        figure("again_ns", again / (double)(rounds - 1));
    figure("grown", resident() - before);
}

int main(int argc, char **argv)
{
    paths = argc == 3 ? (unsigned)atol(argv[1]) : 0;
    rounds = argc == 3 ? atol(argv[2]) : 0;
    if (paths < 1 || paths > FAN_PATHS || paths % STRIDE == 0 || rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    below(BETWEEN, work, NULL);
    return 0;
}
