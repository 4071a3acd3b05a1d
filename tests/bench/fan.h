// SPDX-License-Identifier: MIT
/*
 * fan(path, size): malloc(size) by one of FAN_PATHS call paths, which differ in their innermost four frames.
 */
#ifndef FAN_H
#define FAN_H

#include "bench.h"

enum { FAN = 18, FAN_LEVELS = 4, FAN_PATHS = FAN * FAN * FAN * FAN };

/* The text differs from case to case, or the compiler would make one call of them all. */
#define FAN_CASE(n, call) \
    case n: \
        block = call; \
        __asm__ volatile("# " #n : "+r"(block)); \
        break;

#define FAN_CASES(call) \
    FAN_CASE(0, call) FAN_CASE(1, call) FAN_CASE(2, call) FAN_CASE(3, call) FAN_CASE(4, call) \
    FAN_CASE(5, call) FAN_CASE(6, call) FAN_CASE(7, call) FAN_CASE(8, call) FAN_CASE(9, call) \
    FAN_CASE(10, call) FAN_CASE(11, call) FAN_CASE(12, call) FAN_CASE(13, call) FAN_CASE(14, call) \
    FAN_CASE(15, call) FAN_CASE(16, call) FAN_CASE(17, call)

#define FAN_LEVEL(name, call) \
    NOINLINE static void *name(unsigned path, size_t size) \
    { \
        void *block = NULL; \
        switch (path % FAN) { \
            FAN_CASES(call) \
        } \
        return block; \
    }

FAN_LEVEL(fan_4, malloc(size))
FAN_LEVEL(fan_3, fan_4(path / FAN, size))
FAN_LEVEL(fan_2, fan_3(path / FAN, size))
FAN_LEVEL(fan, fan_2(path / FAN, size))

#endif
