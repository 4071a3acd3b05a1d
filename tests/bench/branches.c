// SPDX-License-Identifier: MIT
/*
 * branches: allocates once by each of 8000 call paths that are alike in their outer three functions only: a
 * call tree of 48,000 branches, each of which is a part of 8000 at least.
 */
#include "bench.h"

enum { FAN = 20, LEVELS = 3, PATHS = FAN * FAN * FAN, BELOW = 5 };

NOINLINE static void *below_all(unsigned frames)
{
    void *block = frames ? below_all(frames - 1) : malloc(64);
    KEEP(block); /* not the last call: each is a frame */
    return block;
}

typedef void *function(unsigned path, unsigned levels);
static function *const functions[FAN];

#define FUNCTION(n) \
    NOINLINE static void *function_##n(unsigned path, unsigned levels) \
    { \
        void *block = levels ? functions[path % FAN](path / FAN, levels - 1) : below_all(BELOW - 1); \
        __asm__ volatile("# " #n : "+r"(block)); \
        return block; \
    }

FUNCTION(0) FUNCTION(1) FUNCTION(2) FUNCTION(3) FUNCTION(4) FUNCTION(5) FUNCTION(6)
FUNCTION(7) FUNCTION(8) FUNCTION(9) FUNCTION(10) FUNCTION(11) FUNCTION(12) FUNCTION(13)
FUNCTION(14) FUNCTION(15) FUNCTION(16) FUNCTION(17) FUNCTION(18) FUNCTION(19)

static function *const functions[FAN] = {
    function_0, function_1, function_2, function_3, function_4, function_5, function_6,
    function_7, function_8, function_9, function_10, function_11, function_12, function_13,
    function_14, function_15, function_16, function_17, function_18, function_19};

int main(void)
{
    for (unsigned path = 0; path < PATHS; path++)
        functions[path % FAN](path / FAN, LEVELS - 1);
    return 0;
}
