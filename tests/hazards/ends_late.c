// SPDX-License-Identifier: MIT
/*
 * ends_late LIBRARY [after]: allocates while threads, and the process, come to their end: in destructors of
 * thread-local data, some of which set it again; in functions for the end of the process, and a library's
 * destructor.  after: main ends first, and a detached thread goes on, and ends the process.
 *
 * What is done behind the last line of output it has counted before.
 */
#include "new_sites.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { THREADS = 50, LATE = 7 };

extern int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *dso);
extern void *__dso_handle __attribute__((visibility("hidden")));

static pthread_key_t key;
static void *late_blocks[LATE];
static int late_count;

/* --- threads -------------------------------------------------------------------------------------------- */

/* As often as the C library lets it. */
static void rearms(void *block)
{
    counted_free(block, 30);
    counted_free(counted_malloc(40), 40);
    pthread_setspecific(key, counted_malloc(30));
}

static void at_thread_end(void *block)
{
    counted_free(block, 50);
    counted_malloc(60);
}

static void *ends(void *unused)
{
    pthread_setspecific(key, counted_malloc(30));
    __cxa_thread_atexit_impl(at_thread_end, counted_malloc(50), &__dso_handle);
    return unused;
}

/* --- the process ---------------------------------------------------------------------------------------- */

/* Frees one, allocates two; the counts have it already. */
static void late(void)
{
    free(late_blocks[late_count++]);
    for (int i = 0; i < 2; i++)
        counted_malloc(80);
}

static void count_what_comes(int calls)
{
    counted.allocations += 2 * calls;
    counted.bytes += 2 * 80 * calls;
    counted_change(2 * calls, 2 * 80 * calls);
    counted_change(-calls, -70 * calls);
}

static void end_process(void *library)
{
    typedef void call_function(void (*function)(void));
    call_function *call = (call_function *)(uintptr_t)dlsym(library, "call_at_the_end");
    for (int i = 0; i < LATE; i++)
        late_blocks[i] = counted_malloc(70);
    for (int i = 0; i < LATE - 1; i++)
        atexit(late);
    call(late);
    count_what_comes(LATE);
    counted_print();
    exit(3);
}

static void *outlives(void *library)
{
    for (int i = 0; i < 100; i++)
        new_site_malloc(10);
    end_process(library);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library)
        return 2;
    pthread_key_create(&key, rearms);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&thread, NULL, ends, NULL);
        pthread_join(thread, NULL);
    }
    if (argc > 2) {
        pthread_create(&thread, NULL, outlives, library);
        pthread_detach(thread);
        pthread_exit(NULL);
    }
    end_process(library);
}
