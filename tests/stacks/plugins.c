// SPDX-License-Identifier: MIT
/*
 * plugins COMPARISONS DEPTH PLUGIN...: loads and unloads plug-ins, each time another at the address where one
 * was before, and allocates under them; DEPTH is the recorder's.  The last one cannot be loaded.
 */
#define _GNU_SOURCE
#include "compare.h"
#include "tracemalloc.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef void call_function(void (*function)(void), unsigned depth);
typedef void allocate_function(void (*compare)(void *block, const void *function, unsigned inner));

static uint32_t recorder_depth, reused, mistakes;
static bool shallow;
static uintptr_t last_base;
static const char *last_name;

static void *load(const char *name)
{
    void *plugin = dlopen(name, choose(2) ? RTLD_NOW : RTLD_LAZY);
    struct link_map *map;
    if (!plugin || dlinfo(plugin, RTLD_DI_LINKMAP, &map)) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    reused += map->l_addr == last_base && name != last_name;
    last_base = map->l_addr;
    last_name = name;
    return plugin;
}

__attribute__((noinline)) static void recurse(uint32_t depth)
{
    if (depth)
        recurse(depth - 1);
    else
        compare_here();
    NOT_A_TAIL_CALL;
}

static void back_in_program(void)
{
    if (shallow)
        compare_here();
    recurse(shallow ? choose(10) : choose(3 * recorder_depth));
}

static void *in_thread(void *plugin)
{
    call_function *call = (call_function *)(uintptr_t)dlsym(plugin, "plugin_call");
    call(back_in_program, choose(5));
    return NULL;
}

/* A plug-in that is only used from far inside may be walked and never recorded. */
static void use(void *plugin)
{
    call_function *call = (call_function *)(uintptr_t)dlsym(plugin, "plugin_call");
    allocate_function *allocate = (allocate_function *)(uintptr_t)dlsym(plugin, "plugin_allocate");
    pthread_t thread;
    shallow = choose(2);
    call(back_in_program, choose(10));
    if (shallow)
        allocate(compare_block);
    if (choose(4))
        return;
    if (pthread_create(&thread, NULL, in_thread, plugin))
        abort();
    pthread_join(thread, NULL);
}

static void *kept;

static void keeps(void)
{
    kept = malloc(30);
    NOT_A_TAIL_CALL;
}

/* Frames of a plug-in that has gone have no address, whoever is there now; the others keep theirs. */
static void outlive(const char *name, const char *next)
{
    void *before[64], *after[64], *plugin = load(name);
    call_function *call = (call_function *)(uintptr_t)dlsym(plugin, "plugin_call");
    uintptr_t base = last_base;
    call(keeps, 3);
    int count = tracemalloc_get_object_traceback(kept, before, 64);
    dlclose(plugin);
    plugin = load(next);
    mistakes += tracemalloc_get_object_traceback(kept, after, 64) != count || count < 8;
    for (int i = 0; i < count; i++) {
        bool gone = (uintptr_t)before[i] - base < 0x4000;
        mistakes += after[i] != (gone ? NULL : before[i]);
    }
    dlclose(plugin);
    free(kept);
}

int main(int argc, char **argv)
{
    uint64_t comparisons = argument(argc, argv, 1, 5000);
    uint32_t names = (uint32_t)argc - 4;
    recorder_depth = (uint32_t)argument(argc, argv, 2, 1024);
    compare_expect_depth(recorder_depth);
    for (uint32_t turn = 0; compare_count() < comparisons; turn++) {
        void *plugin = load(argv[3 + choose(names)]);
        use(plugin);
        dlclose(plugin);
        if (choose(2))
            compare_here();
        if (choose(8) == 0 && dlopen(argv[argc - 1], RTLD_NOW))
            mistakes++;
        if (turn % 16 == 0 && recorder_depth > 64)
            outlive(argv[3], argv[4]);
    }
    if (mistakes || reused < 10)
        fprintf(stderr, "# %u mistakes; another plug-in at the same address %u times\n", mistakes, reused);
    return compare_report() || mistakes || reused < 10;
}
