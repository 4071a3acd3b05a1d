// SPDX-License-Identifier: MIT
/*
 * early: uses what a library allocated while it was relocated.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int early_function(void);
void **early_blocks(void);

static void *volatile block;

__attribute__((noinline)) static void in_main(void)
{
    for (int i = 0; i < 1000; i++)
        block = malloc(10);
    __asm__ volatile("");
}

int main(void)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    void **blocks = early_blocks();
    if (early_function() != 42 || (uintptr_t)blocks[6] % 64)
        return 1;
    blocks[1] = realloc(blocks[1], 3000);
    for (int i = 0; i < 7; i++) {
        if (!blocks[i])
            return 1;
        free(blocks[i]);
    }
    in_main();
    puts("in_main allocations 1000");
    return 0;
}
