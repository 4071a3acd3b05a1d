// SPDX-License-Identifier: MIT
/*
 * crossed_locks PLUGIN...: what holds the loader's lock waits for threads that allocate, and the other way
 * round.
 *
 * First a callback of dl_iterate_phdr waits until another thread has allocated at many new call sites, and
 * then allocates itself.  Then as many threads as there are plug-ins load and unload them, against others
 * that allocate.
 */
#include "new_sites.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

enum { SITES = 64, LOADS = 100, ALLOCATING = 4 };

typedef void *plugin_function(void *(*allocate)(size_t), size_t size);

static sem_t in_callback, allocated;
static _Atomic int loading;

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore))
        ;
}

static int callback(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)info, (void)size, (void)unused;
    sem_post(&in_callback);
    wait_for(&allocated);
    new_site_malloc(30);
    return 1;
}

static void *allocates_at_new_sites(void *unused)
{
    wait_for(&in_callback);
    for (int i = 0; i < SITES; i++)
        new_site_malloc(20);
    sem_post(&allocated);
    return unused;
}

static void callback_waits(void)
{
    pthread_t thread;
    sem_init(&in_callback, 0, 0);
    sem_init(&allocated, 0, 0);
    pthread_create(&thread, NULL, allocates_at_new_sites, NULL);
    dl_iterate_phdr(callback, NULL);
    pthread_join(thread, NULL);
}

static void *loads(void *name)
{
    for (int i = 0; i < LOADS; i++) {
        void *plugin = dlopen(name, RTLD_NOW);
        plugin_function *call =
            plugin ? (plugin_function *)(__UINTPTR_TYPE__)dlsym(plugin, "plugin_call") : NULL;
        if (!call)
            abort();
        counted_free(call(counted_malloc, 40), 40);
        dlclose(plugin);
    }
    atomic_fetch_sub(&loading, 1);
    return NULL;
}

__attribute__((noinline)) static void recurse(int depth)
{
    counted_free(counted_malloc(50), 50);
    if (depth)
        recurse(depth - 1);
    __asm__ volatile("");
}

static void *allocates(void *unused)
{
    for (int i = 0; loading || i < 100; i++) {
        recurse(i % 50);
        if (i < 200)
            counted_free(new_site_malloc(60), 60);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[ALLOCATING + argc];
    int count = 0;
    callback_waits();
    loading = argc - 1;
    for (int i = 1; i < argc; i++)
        pthread_create(&threads[count++], NULL, loads, argv[i]);
    for (int i = 0; i < ALLOCATING; i++)
        pthread_create(&threads[count++], NULL, allocates, NULL);
    while (count)
        pthread_join(threads[--count], NULL);
    printf("done\n");
    counted_print();
    return 0;
}
