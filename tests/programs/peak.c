// SPDX-License-Identifier: MIT
/*
 * Several hills; the highest is not the last, and the last is just as high.  Who has how much on the first of
 * the highest is known: low() 10 x 1000 bytes, high() 50 x 10000, tail() nothing yet; and shrink()'s block has
 * been made smaller by then.
 */
#include <stdlib.h>

static void *blocks[1000];
static int count;

static void take(size_t size)
{
    blocks[count++] = malloc(size);
}

static void drop(int down_to)
{
    while (count > down_to)
        free(blocks[--count]);
}

__attribute__((noinline)) static void low(void)
{
    for (int i = 0; i < 10; i++)
        take(1000);
    __asm__ volatile("");
}

__attribute__((noinline)) static void high(int n)
{
    for (int i = 0; i < n; i++)
        take(10000);
    __asm__ volatile("");
}

__attribute__((noinline)) static void tail(void)
{
    for (int i = 0; i < 500; i++)
        take(1000);
    __asm__ volatile("");
}

__attribute__((noinline)) static void *shrink(void *block)
{
    void *smaller = realloc(block, 100);
    __asm__ volatile("");
    return smaller;
}

int main(void)
{
    void *shrunk = malloc(5000);
    low();
    high(30);
    drop(10);
    shrunk = shrink(shrunk);
    high(50);
    drop(10);
    tail();
    drop(0);
    free(shrunk);
    return 0;
}
