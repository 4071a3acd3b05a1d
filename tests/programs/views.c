// SPDX-License-Identifier: MIT
/*
 * Known blocks on known stacks, all live but those of temporary():
 *
 *   main -> load -> make              10 of 100 bytes
 *   main -> load -> parse -> make     1000 bytes, and so in parse called by parse, three levels in all
 *   main -> odd -> parse -> make      1000 bytes
 *   main -> copy -> strdup            20 of 8 bytes
 *   main -> temporary                 5 of 64 bytes, freed at once
 */
#include <stdlib.h>
#include <string.h>

#define OUTLINE         __attribute__((noinline, noclone)) static
#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")

static void *volatile sink;

OUTLINE void make(size_t size)
{
    sink = malloc(size); /* in make */
    NOT_A_TAIL_CALL;
}

OUTLINE void parse(int deeper)
{
    make(1000); /* in parse */
    if (deeper)
        parse(deeper - 1); /* parse again */
    NOT_A_TAIL_CALL;
}

OUTLINE void load(void)
{
    for (int i = 0; i < 10; i++)
        make(100); /* in load */
    parse(2);
    NOT_A_TAIL_CALL;
}

OUTLINE void odd(void)
{
    parse(0);
    NOT_A_TAIL_CALL;
}

OUTLINE void copy(void)
{
    for (int i = 0; i < 20; i++)
        sink = strdup("7 bytes");
}

OUTLINE void temporary(void)
{
    for (int i = 0; i < 5; i++) {
        sink = malloc(64);
        free(sink);
    }
}

int main(void)
{
    load();
    odd();
    copy();
    temporary();
    return 0;
}
