// SPDX-License-Identifier: MIT
/* The floor: hooks that only forward, as any preloaded recorder must. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static struct {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
} real;

static _Alignas(16) char early[65536];
static size_t used;

static void find(void)
{
    static int looking;
    if (looking++)
        return;
    real.free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    real.calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real.malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
}

static void *early_alloc(size_t size)
{
    void *block = early + used;
    used += (size + 15) & ~(size_t)15;
    return used <= sizeof early ? block : NULL;
}

static int is_early(const void *block)
{
    return (const char *)block >= early && (const char *)block < early + sizeof early;
}

void *malloc(size_t size)
{
    if (!real.malloc)
        find();
    return real.malloc ? real.malloc(size) : early_alloc(size);
}

void free(void *block)
{
    if (real.free && !is_early(block))
        real.free(block);
}

void *calloc(size_t count, size_t size)
{
    if (!real.malloc)
        find();
    return real.malloc ? real.calloc(count, size) : early_alloc(count * size);
}

void *realloc(void *block, size_t size)
{
    if (!real.malloc)
        find();
    return real.realloc(block, size);
}
