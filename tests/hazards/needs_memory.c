// SPDX-License-Identifier: MIT
/*
 * needs_memory KIB: allocates so much in blocks of several sizes; says at how many bytes malloc failed, if it
 * did.
 */
#include "counted.h"
#include <errno.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const size_t sizes[] = {100, 3000, 200000, 40};
    size_t wanted = argc == 2 ? (size_t)atol(argv[1]) * 1024 : 0, got = 0;
    for (int i = 0; got < wanted; i++) {
        size_t size = sizes[i % 4];
        errno = 0;
        if (!malloc(size)) {
            printf("%s at %zu of %zu\n", strerror(errno), got, wanted);
            return 1;
        }
        got += size;
    }
    printf("got %zu\n", wanted);
    return 0;
}
