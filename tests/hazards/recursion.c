// SPDX-License-Identifier: MIT
/*
 * recursion LEVELS: a block for each level of a recursion, by two functions in turn; they are freed on the
 * way back.
 */
#include "told.h"
#include <pthread.h>

NOT_INLINED static void descend(long levels);

NOT_INLINED static void by_another_way(long levels)
{
    descend(levels);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void descend(long levels)
{
    void *block = malloc(16);
    must(block);
    if (levels % 3 == 1)
        by_another_way(levels - 1);
    else if (levels)
        descend(levels - 1);
    free(block);
}

static void *run(void *levels)
{
    descend((long)levels);
    return NULL;
}

int main(int argc, char **argv)
{
    long levels = argc > 1 ? atol(argv[1]) : 0;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)levels * 256 + (1 << 20));
    must(!pthread_create(&thread, &attributes, run, (void *)levels));
    pthread_join(thread, NULL);
    tell("descend", "allocations", levels + 1);
    tell("descend", "frees", levels + 1);
    tell("descend", "temporary", 1);
    return 0;
}
