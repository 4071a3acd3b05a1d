// SPDX-License-Identifier: MIT
/*
 * versions N [PLUGIN...]: a program of which tests make newer versions.  `pair` is called N times and leaks 100
 * and 200 bytes by two calls; `once` leaks 5000 bytes.  Plug-ins have a function plugin(N), called for the last
 * of them.  It takes snapshots "before" and "after" the pairs.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "tracemalloc.h"

#define NOT_INLINED __attribute__((noinline))

static void *volatile kept;

NOT_INLINED static void *allocate(size_t size)
{
    void *block = malloc(size);
    kept = block;
    return block;
}

/* The next version has lines here. */
NOT_INLINED static void pair(void)
{
    allocate(100);
    /* and here. */
    allocate(200);
}

NOT_INLINED static void once(void)
{
    allocate(5000);
}

static void call_plugins(int n, char **names)
{
    void (*plugin)(int) = NULL;
    for (; *names; names++) {
        void *handle = dlopen(*names, RTLD_NOW);
        plugin = handle ? (void (*)(int))dlsym(handle, "plugin") : NULL;
    }
    if (plugin)
        plugin(n);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    tracemalloc_take_snapshot("before");
    for (volatile int i = 0; i < n; i++)
        pair();
    tracemalloc_take_snapshot("after");
    once();
    if (argc > 2)
        call_plugins(n, argv + 2);
    return 0;
}
