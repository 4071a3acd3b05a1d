// SPDX-License-Identifier: MIT
/* growth ARRAYS STEPS: arrays that grow in turn, by a page and by realloc, STEPS times each. */
#include "bench.h"

enum { PAGE = 4096, ARRAYS_MAX = 64 };

int main(int argc, char **argv)
{
    char *arrays[ARRAYS_MAX] = {NULL};
    int count = argc == 3 ? atoi(argv[1]) : 0;
    if (count < 1 || count > ARRAYS_MAX)
        return 2;
    long steps = atol(argv[2]);
    for (long step = 0; step < steps; step++)
        for (int i = 0; i < count; i++) {
            arrays[i] = realloc(arrays[i], (size_t)(step + 1) * PAGE);
            if (!arrays[i])
                return 1;
            arrays[i][step * PAGE] = 1;
        }
    for (int i = 0; i < count; i++)
        free(arrays[i]);
    return 0;
}
