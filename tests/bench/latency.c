// SPDX-License-Identifier: MIT
/*
 * latency SECONDS PATHS: how long a malloc and free takes, by PATHS call paths in turn: the median, the
 * 99.9th percentile, the maximum.
 */
#include "fan.h"

/* Buckets: 2^SUB_BITS to each power of two. */
enum { SUB_BITS = 5, SUBS = 1 << SUB_BITS, BUCKETS = 64 * SUBS, CALLS_A_LOOK = 1024 };

static unsigned long buckets[BUCKETS];

static unsigned bucket_of(unsigned long ns)
{
    unsigned power = ns < SUBS ? 0 : 63 - (unsigned)__builtin_clzl(ns) - SUB_BITS;
    return power * SUBS + (unsigned)(ns >> power);
}

/* The upper end of a bucket. */
static double bucket_ns(unsigned bucket)
{
    unsigned power = bucket < 2 * SUBS ? 0 : bucket / SUBS - 1;
    return (double)((bucket - power * SUBS + 1ul) << power);
}

static double percentile(unsigned long events, double part)
{
    unsigned long seen = 0;
    unsigned bucket = 0;
    while (bucket < BUCKETS - 1 && (double)(seen += buckets[bucket]) < (double)events * part)
        bucket++;
    return bucket_ns(bucket);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    double until = wall_ns() + atof(argv[1]) * 1e9, now = 0, longest = 0;
    unsigned paths = (unsigned)atol(argv[2]);
    unsigned long events = 0;
    while (now < until)
        for (int i = 0; i < CALLS_A_LOOK; i++) {
            double begin = wall_ns();
            void *block = fan((unsigned)(events++ % paths), 100);
            KEEP(block);
            free(block);
            now = wall_ns();
            buckets[bucket_of((unsigned long)(now - begin))]++;
            longest = now - begin > longest ? now - begin : longest;
        }
    figure("events", (double)events);
    figure("p50_ns", percentile(events, 0.5));
    figure("p999_ns", percentile(events, 0.999));
    figure("longest_ns", longest);
    return 0;
}
