// SPDX-License-Identifier: MIT
/*
 * plain: allocates, says who it runs as, and ends with 5.  Built in several ways by the test that needs them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    void *volatile sum = NULL;
    for (int i = 0; i < 2000; i++)
        sum = malloc(1000);
    printf("%d %d\n", (int)geteuid(), sum != NULL);
    return 5;
}
