// SPDX-License-Identifier: MIT
/*
 * frames DEPTH EVENTS: malloc and free of 16 to 271 bytes below DEPTH frames.
 * Says when main began and ended, and the CPU time of an event without what comes before the first.
 */
#include "bench.h"

enum { WARM_UP = 1000 };

NOINLINE static void churn(long events)
{
    unsigned random = 1;
    for (long i = 0; i < events; i++) {
        random = random * 1103515245 + 12345;
        void *block = malloc(16 + (random >> 24));
        KEEP(block);
        free(block);
    }
}

static void leaf(void *argument)
{
    long events = *(long *)argument;
    churn(WARM_UP);
    double begin = cpu_ns();
    churn(events);
    figure("event_ns", (cpu_ns() - begin) / (double)events);
}

int main(int argc, char **argv)
{
    double begin = wall_ns();
    if (argc != 3)
        return 2;
    long events = atol(argv[2]);
    below(atoi(argv[1]), leaf, &events);
    figure("main_began", begin);
    figure("main_ended", wall_ns());
    return 0;
}
