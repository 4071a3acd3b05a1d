// SPDX-License-Identifier: MIT
// Is refused a block by operator new, and goes on: 1000 blocks of 10 bytes by malloc, deeper in the stack, and
// 500 of 8 by new, half of which are deleted.
#include <cstdio>
#include <cstdlib>
#include <new>

static void *volatile sink;
static size_t volatile too_much = (size_t)1 << 60;

__attribute__((noinline)) static void refused()
{
    try {
        sink = ::operator new(too_much);
    } catch (const std::bad_alloc &) {
        std::puts("refused");
    }
    __asm__ volatile("");
}

__attribute__((noinline)) static void deeper(int n)
{
    char room[100];
    sink = room;
    if (n)
        deeper(n - 1);
    for (int i = 0; i < 1000 && !n; i++)
        sink = std::malloc(10);
    __asm__ volatile("");
}

__attribute__((noinline)) static void objects()
{
    for (int i = 0; i < 500; i++) {
        long *object = new long(i);
        sink = object;
        if (i % 2)
            delete object;
    }
    __asm__ volatile("");
}

int main()
{
    refused();
    deeper(20);
    objects();
    return 0;
}
