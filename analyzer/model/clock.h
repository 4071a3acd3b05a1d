// SPDX-License-Identifier: MIT
/* Reading clocks. */
#ifndef MODEL_CLOCK_H
#define MODEL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* What a clock shows, in nanoseconds. */
static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* CLOCK_MONOTONIC: what the times in a trace are of. */
static inline uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

#endif
