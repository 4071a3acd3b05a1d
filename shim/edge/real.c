// SPDX-License-Identifier: MIT
#include "real.h"
#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

struct real real;

enum { BOOTSTRAP_SIZE = 256 * 1024 };

static _Alignas(4096) char buffer[BOOTSTRAP_SIZE];
static _Atomic size_t used;

/* What there always is comes last: its success clears the message of what there is not. */
bool real_start(void)
{
    static _Atomic bool looking;
    struct real found;
    if (atomic_exchange(&looking, true))
        return false;
#define FIND(name) found.name = (__typeof__(found.name))dlsym(RTLD_NEXT, #name)
    FIND(free_sized);
    FIND(free_aligned_sized);
    FIND(posix_memalign);
    FIND(aligned_alloc);
    FIND(memalign);
    FIND(valloc);
    FIND(pvalloc);
    FIND(malloc_usable_size);
    FIND(malloc);
    FIND(free);
    FIND(calloc);
    FIND(realloc);
#undef FIND
    if (!found.malloc || !found.free || !found.calloc || !found.realloc)
        return false;
    real = found;
    return true;
}

static void *module_of(const void *function)
{
    struct dl_find_object found;
    return _dl_find_object((void *)function, &found) ? NULL : found.dlfo_link_map;
}

bool real_same_module(const void *a, const void *b)
{
    return module_of(a) == module_of(b);
}

unsigned real_granule(void)
{
    return real_same_module((const void *)real.malloc, dlsym(RTLD_NEXT, "gnu_get_libc_version")) ? 32 : 8;
}

/* --- bootstrap --------------------------------------------------------------------------------------- */

/* The size stands in the word before the block. */
void *bootstrap_alloc(size_t size, size_t alignment)
{
    if (alignment < 16)
        alignment = 16;
    if (size > BOOTSTRAP_SIZE || alignment > 4096)
        return NULL;
    size_t end, start, old = atomic_load(&used);
    do {
        start = (old + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
        end = start + size;
        if (end > BOOTSTRAP_SIZE)
            return NULL;
    } while (!atomic_compare_exchange_weak(&used, &old, end));
    memcpy(buffer + start - sizeof size, &size, sizeof size);
    return buffer + start;
}

bool bootstrap_owns(const void *block)
{
    return (const char *)block >= buffer && (const char *)block < buffer + BOOTSTRAP_SIZE;
}

size_t bootstrap_size(const void *block)
{
    size_t size;
    memcpy(&size, (const char *)block - sizeof size, sizeof size);
    return size;
}
