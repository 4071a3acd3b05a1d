// SPDX-License-Identifier: MIT
/* What the measured programs share: clocks, resident memory, figures as bench.py reads them. */
#ifndef BENCH_H
#define BENCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The compiler may neither leave the block out nor pair its malloc with its free. */
#define KEEP(block) __asm__ volatile("" : "+r"(block) : : "memory")

#define NOINLINE __attribute__((noinline, unused))

static inline double clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline double wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* Of all threads. */
static inline double cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void figure(const char *name, double value)
{
    printf("%s %.3f\n", name, value);
}

static inline unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 8;
}

/* In bytes, counted page by page: what statm and getrusage say is some pages per CPU off. */
static inline double resident(void)
{
    char text[4096];
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nRss:");
    return line ? (double)atol(line + 5) * 1024 : 0;
}

/* Calls work with so many frames in between. */
NOINLINE static void below(int frames, void (*work)(void *), void *argument)
{
    if (frames > 0)
        below(frames - 1, work, argument);
    else
        work(argument);
    __asm__ volatile("");       /* no tail call */
}

#endif
