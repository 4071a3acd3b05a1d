// SPDX-License-Identifier: MIT
/*
 * A library that is loaded late: what the loader gives its constructor.
 */
#include <stdio.h>

__attribute__((constructor)) static void begin(int argc, char **argv, char **environment)
{
    int count = 0;
    while (environment && environment[count])
        count++;
    printf("constructor: %d arguments, the last %s, environment %s\n", argc, argc ? argv[argc - 1] : "",
           count ? "is there" : "is empty");
}
