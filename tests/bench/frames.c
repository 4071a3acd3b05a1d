// SPDX-License-Identifier: MIT
/* frames DEPTH EVENTS: malloc and free of 16 to 271 bytes below DEPTH frames. */
#include <stdlib.h>

__attribute__((noinline)) static int leaf(long events)
{
    unsigned random = 1;
    for (long i = 0; i < events; i++) {
        random = random * 1103515245 + 12345;
        void *block = malloc(16 + (random >> 24));
        __asm__ volatile("" : : "r"(block) : "memory");
        free(block);
    }
    return 0;
}

__attribute__((noinline)) static int deeper(int depth, long events)
{
    int result = depth ? deeper(depth - 1, events) : leaf(events);
    __asm__ volatile("" : "+r"(result));
    return result;
}

int main(int argc, char **argv)
{
    return argc == 3 ? deeper(atoi(argv[1]), atol(argv[2])) : 2;
}
