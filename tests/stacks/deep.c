// SPDX-License-Identifier: MIT
/*
 * deep compare [COMPARISONS]: stacks of about 1000 frames.
 *
 * deep alternate [LEVELS] [DEPTH]: recursion by two callers in turns, an allocation in each level on the way
 * down and up; at some levels compared.
 *
 * deep levels [LEVELS]: the same, not compared: for the time that it takes.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <alloca.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint64_t comparisons, levels;
static uint32_t compare_every;

/* --- about 1000 frames ---------------------------------------------------------------------------------- */

__attribute__((noinline)) static void down(uint32_t depth, uint32_t turn);

__attribute__((noinline)) static void by_array(uint32_t depth, uint32_t turn)
{
    volatile char *bytes = alloca(16 + turn % 64);
    bytes[0] = 1;
    down(depth, turn);
    NOT_A_TAIL_CALL;
}

/* Each turn leaves some of the outer frames as they are: all within less than one out of 16. */
static uint32_t change_at;

__attribute__((noinline)) static void down(uint32_t depth, uint32_t turn)
{
    if (!depth)
        compare_here();
    else if ((depth < change_at ? turn + depth : depth) % 3)
        down(depth - 1, turn);
    else
        by_array(depth - 1, turn);
    NOT_A_TAIL_CALL;
}

static void compare_deep(void)
{
    for (uint32_t turn = 0; compare_count() < comparisons; turn++) {
        change_at = choose(choose(2) ? 20 : 800);
        down(750 - choose(20), turn);
    }
}

/* --- two callers in turns ------------------------------------------------------------------------------- */

static void *volatile block;

__attribute__((noinline)) static void caller_too(uint64_t n);

/* One place that allocates, two that recurse: two nodes for a level, or three. */
__attribute__((noinline)) static void level(uint64_t n)
{
    if (compare_every && n % compare_every == 0)
        compare_here();
    for (volatile int pass = 0; pass < 2; pass++) {
        block = malloc(16);
        free(block);
        if (pass || !n)
            continue;
        if (n * 0x9e3779b97f4a7c15u >> 63)
            level(n - 1);
        else
            caller_too(n - 1);
    }
}

__attribute__((noinline)) static void caller_too(uint64_t n)
{
    level(n);
    NOT_A_TAIL_CALL;
}

static void *run_levels(void *unused)
{
    level(levels);
    return unused;
}

/* On a stack that is large enough. */
static int alternate(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 20);
    if (pthread_create(&thread, &attributes, run_levels, NULL))
        return 2;
    return pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "compare";
    if (!strcmp(what, "compare")) {
        comparisons = argument(argc, argv, 2, 500);
        compare_deep();
        return compare_report();
    }
    levels = argument(argc, argv, 2, 6000);
    if (!strcmp(what, "levels"))
        return alternate();
    compare_every = 100;
    compare_expect_depth((uint32_t)argument(argc, argv, 3, 1024));
    return alternate() || compare_report();
}
