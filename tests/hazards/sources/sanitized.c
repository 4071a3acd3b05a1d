// SPDX-License-Identifier: MIT
/*
 * sanitized [leak | misuse | preloads]: says what it was given, and does what a sanitizer finds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char *volatile block = malloc(10);
    volatile char first;
    strcpy(block, "as it was");
    for (int i = 0; i < argc; i++)
        printf("<%s> ", argv[i]);
    printf("%s\n", block);
    if (argc > 1 && !strcmp(argv[1], "preloads"))
        puts(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none");
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "leak"))
        block = NULL;
    free(block);
    if (argc > 1 && !strcmp(argv[1], "misuse"))
        first = *block, (void)first;
    return 3;
}
