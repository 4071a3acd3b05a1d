// SPDX-License-Identifier: MIT
/*
 * news_fail: asks operator new for more than there is, catches what it throws, and allocates, there and
 * deeper.
 */
#include "told.h"
#include <cstdint>
#include <new>

enum { TIMES = 500 };
static volatile size_t huge = PTRDIFF_MAX / 2;
static void *volatile block;

static inline void make_and_drop()
{
    block = operator new(8);
    operator delete(block);
    block = malloc(10);
    free(block);
}

extern "C" NOT_INLINED void deeper(char first)
{
    volatile char much[2000];
    much[0] = first;
    must(much[0] == first);
    make_and_drop();
    NOT_A_TAIL_CALL;
}

extern "C" NOT_INLINED void here()
{
    make_and_drop();
    NOT_A_TAIL_CALL;
}

NOT_INLINED static bool fails(bool look_deeper)
{
    try {
        block = operator new(huge);
    } catch (const std::bad_alloc &) {
        if (look_deeper)
            deeper('a');
        here();
        return true;
    }
    return false;
}

int main()
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (int i = 0; i < TIMES; i++)
        must(fails(i % 2));
    tell("here", "allocations", 2 * TIMES);
    tell("here", "frees", 2 * TIMES);
    tell("deeper", "allocations", TIMES);
    return 0;
}
