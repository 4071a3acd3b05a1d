// SPDX-License-Identifier: MIT
#include "arena.h"
#include "world.h"

enum { CHUNK = 256 * 1024, LARGE = 32 * 1024 };

static char *_Atomic chunk;
static _Atomic size_t used = CHUNK;     /* of the chunk */
static _Atomic uint64_t total;

static size_t rounded(size_t size)
{
    size_t unit = size >= LARGE ? PAGE_SIZE : size >= 64 ? 64 : 16;
    return (size + unit - 1) & ~(unit - 1);
}

/* The caller holds the lock.  The child of a fork that asked nobody may find us anywhere in here: so that it
   cuts nothing twice and nothing behind the end, each store leaves both right. */
static void *cut(size_t size)
{
    size_t unit = size >= 64 ? 64 : 16, from = (used + unit - 1) & ~(unit - 1);
    if (from + size > CHUNK) {
        char *next = sys_reserve(CHUNK);
        if (!next)
            return NULL;
        used = CHUNK;
        chunk = next;
        from = 0;
    }
    used = from + size;
    return chunk + from;
}

void *arena_alloc(size_t size)
{
    void *p;
    size = rounded(size);
    if (size >= LARGE) {
        p = sys_reserve(size);
    } else {
        lock_take(&world.arena);
        p = cut(size);
        lock_drop(&world.arena);
    }
    if (p)
        atomic_fetch_add_explicit(&total, size, memory_order_relaxed);
    return p;
}

void arena_free(void *p, size_t size)
{
    size = rounded(size);
    if (size < LARGE)
        return;
    sys_munmap(p, size);
    atomic_fetch_sub_explicit(&total, size, memory_order_relaxed);
}

void arena_empty(void *p, size_t size)
{
    size = rounded(size);
    if (size < LARGE)
        return;
    sys_madvise(p, size, MADV_DONTNEED);
    atomic_fetch_sub_explicit(&total, size, memory_order_relaxed);
}

void *arena_reserve(size_t size)
{
    return sys_reserve(size);
}

uint64_t arena_bytes(void)
{
    return atomic_load_explicit(&total, memory_order_relaxed);
}
