// SPDX-License-Identifier: MIT
/*
 * many_sites COUNT [BYTES]: a block on each of so many call paths, so that the recorder's tables grow; and
 * one block of BYTES that is written to.  It does not survive a SIGXFSZ or SIGBUS.
 */
#include "paths.h"
#include <string.h>

static void *volatile block;
static long made;

NOT_INLINED static void at_end(size_t size)
{
    block = malloc(size);
    must(block);
    memset(block, 1, size);
    free(block);
    made++;
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    long count = argc > 1 ? atol(argv[1]) : 0, bytes = argc > 2 ? atol(argv[2]) : 0;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (unsigned path = 1; path <= count; path++)
        on_path(path, at_end, 24);
    at_end((size_t)bytes);
    tell("at_end", "allocations", made);
    tell("at_end", "frees", made);
    tell("at_end", "current_blocks", 0);
    return 0;
}
