// SPDX-License-Identifier: MIT
/*
 * throws LIBRARY: a C program that loads C++, which throws; a thread that is cancelled; one that ends itself.
 * All three unwind by libgcc's functions, which another unwinder's must not replace.
 */
#include "counted.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

typedef int throwing_function(int times, int depth);

static pthread_barrier_t barrier;

static void clean_up(void *block)
{
    counted_free(block, 30);
    counted_malloc(40);
}

static void *is_cancelled(void *unused)
{
    pthread_cleanup_push(clean_up, counted_malloc(30));
    pthread_barrier_wait(&barrier);
    for (;;)
        pause();
    pthread_cleanup_pop(1);
    return unused;
}

static void (*volatile end_thread)(void *) = pthread_exit;

__attribute__((noinline)) static void ends_itself_at_depth(int depth)
{
    pthread_cleanup_push(clean_up, counted_malloc(30));
    if (depth)
        ends_itself_at_depth(depth - 1);
    else
        end_thread(NULL);
    pthread_cleanup_pop(1);
}

static void *ends_itself(void *unused)
{
    ends_itself_at_depth(20);
    return unused;
}

/* Where the unwinder of the process comes from. */
static void print_unwinder(void *library)
{
    Dl_info info = {0};
    void *function = dlsym(RTLD_DEFAULT, "_Unwind_RaiseException");
    if (!function)
        function = dlsym(library, "_Unwind_RaiseException");
    dladdr(function, &info);
    printf("%s\n", info.dli_fname ? strrchr(info.dli_fname, '/') + 1 : "none");
}

int main(int argc, char **argv)
{
    pthread_t thread;
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    throwing_function *throwing =
        library ? (throwing_function *)(uintptr_t)dlsym(library, "throw_and_catch") : NULL;
    if (!throwing)
        return 2;
    printf("%d destroyed\n", throwing(1000, 20));
    print_unwinder(library);
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 20; i++) {
        void *result = NULL;
        pthread_create(&thread, NULL, is_cancelled, NULL);
        pthread_barrier_wait(&barrier);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED)
            return 1;
        pthread_create(&thread, NULL, ends_itself, NULL);
        pthread_join(thread, NULL);
    }
    printf("%d destroyed\n", throwing(10, 200));
    counted_print();
    return 0;
}
