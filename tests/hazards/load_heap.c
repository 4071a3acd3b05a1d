// SPDX-License-Identifier: MIT
/*
 * load_heap VIRTUAL LIVE: MiB of blocks that are never touched, in eight; and MiB of small and large ones
 * that are, half of which are freed at the end.
 */
#include "load.h"

enum { PARTS = 8, SMALL = 100, LARGE = 300 * 1000 };

static struct load load;

__attribute__((noinline)) static char *keep(size_t size)
{
    char *block = malloc(size);
    load_born(&load, block, size);
    return block;
}

/* Blocks of a size until there are so many bytes, each with its number in it.  Returns how many. */
static size_t fill(char **blocks, size_t bytes, size_t size)
{
    size_t count = bytes / size;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = keep(size);
        memset(blocks[i], (int)(i & 0x7f), size);
    }
    return count;
}

/* Are they what they were?  Frees every other one. */
static void thin_out(char **blocks, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (blocks[i][0] != (int)(i & 0x7f) || blocks[i][size - 1] != (int)(i & 0x7f))
            _exit(6);
        if (i % 2)
            continue;
        load_died(&load, size);
        free(blocks[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    size_t untouched = strtoul(argv[1], NULL, 10) << 20, bytes = strtoul(argv[2], NULL, 10) << 20;
    char **small = load_room(bytes / SMALL * sizeof *small);
    char **large = load_room(bytes / LARGE * sizeof *large);
    for (int i = 0; i < PARTS; i++)
        keep(untouched / PARTS);
    size_t smalls = fill(small, bytes / 2, SMALL), larges = fill(large, bytes / 2, LARGE);
    thin_out(small, smalls, SMALL);
    thin_out(large, larges, LARGE);
    load_say(1, &load);
    return 0;
}
