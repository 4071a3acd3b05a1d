// SPDX-License-Identifier: MIT
/*
 * thread_locals LIBRARY...: loads libraries that have thread-local storage, each of which a thread that runs
 * since before uses at once, in between allocations.
 */
#include "counted.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>

typedef size_t touch_function(int value);

static touch_function *function;
static pthread_barrier_t barrier;
static size_t sum;

static void *uses(void *count)
{
    for (int i = 0; i < (int)(intptr_t)count; i++) {
        pthread_barrier_wait(&barrier);
        void *block = counted_malloc(10);
        sum += function(i);
        counted_free(block, 10);
        sum += function(i);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, uses, (void *)(intptr_t)(argc - 1));
    for (int i = 1; i < argc; i++) {
        void *library = dlopen(argv[i], RTLD_NOW);
        function = library ? (touch_function *)(uintptr_t)dlsym(library, "touch_thread_local") : NULL;
        if (!function)
            abort();
        pthread_barrier_wait(&barrier);
        counted_malloc(20);
        pthread_barrier_wait(&barrier);
        if (i % 3 == 0)
            dlclose(library);
    }
    pthread_join(thread, NULL);
    printf("%zu\n", sum);
    counted_print();
    return 0;
}
