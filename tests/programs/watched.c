// SPDX-License-Identifier: MIT
/*
 * watched: does what each line of its input says, and answers with a line:
 *     few N, many N    allocates N blocks of 100,000 bytes, of 10 bytes
 *     free             frees all of them
 *     die              by SIGKILL
 * and exits with 3 at the end of its input.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void **blocks;
static size_t count;

__attribute__((noinline)) static void *site_few(void)
{
    return malloc(100000);
}

__attribute__((noinline)) static void *site_many(void)
{
    return malloc(10);
}

__attribute__((noinline)) static void fetch(int n)
{
    for (int i = 0; i < n; i++)
        blocks[count++] = site_few();
}

__attribute__((noinline)) static void collect(int n)
{
    for (int i = 0; i < n; i++)
        blocks[count++] = site_many();
}

int main(void)
{
    static void *room[1 << 20];
    char line[64];
    int n;
    blocks = room;
    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "few %d", &n) == 1)
            fetch(n);
        if (sscanf(line, "many %d", &n) == 1)
            collect(n);
        while (strcmp(line, "free\n") == 0 && count)
            free(blocks[--count]);
        if (strcmp(line, "die\n") == 0)
            raise(SIGKILL);
        printf("did %s", line);
        fflush(stdout);
    }
    return 3;
}
