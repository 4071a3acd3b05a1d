// SPDX-License-Identifier: MIT
#include "real.h"
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

struct real real;

/*
 * A dlsym that is behind us.  Overlays and wrappers that are before us may have one of their own, and what that
 * takes for the next of a name is the next behind themselves: we.
 */
static void *(*look_up)(void *handle, const char *name) = dlsym;

static void find_look_up(void)
{
    void *found = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (found)
        look_up = (void *(*)(void *, const char *))found;
}

void *real_next(const char *name)
{
    return look_up(RTLD_NEXT, name);
}

_Alignas(4096) char bootstrap_buffer[BOOTSTRAP_SIZE];
static _Atomic size_t used;

/* What there always is comes last: its success clears the message of what there is not. */
bool real_start(void)
{
    static _Atomic bool looking;
    struct real found;
    if (atomic_exchange(&looking, true))
        return false;
    find_look_up();
#define FIND(name) found.name = (__typeof__(found.name))real_next(#name)
    FIND(free_sized);
    FIND(free_aligned_sized);
    FIND(posix_memalign);
    FIND(aligned_alloc);
    FIND(memalign);
    FIND(valloc);
    FIND(pvalloc);
    FIND(malloc_usable_size);
    FIND(prctl);
    FIND(prlimit64);
    FIND(mmap);
    FIND(mmap64);
    FIND(munmap);
    FIND(mremap);
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

/* A program at a fixed address that takes a function's address has a stub of its own for it: that is none. */
static bool is_stub(const void *function)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
           symbol->st_shndx == SHN_UNDEF;
}

const char *real_first_malloc(void)
{
    struct dl_find_object found;
    void *first = look_up(RTLD_DEFAULT, "malloc");
    if (!first || real_same_module(first, (const void *)real_first_malloc) || _dl_find_object(first, &found) ||
        is_stub(first))
        return NULL;
    return found.dlfo_link_map->l_name;
}

unsigned real_granule(void)
{
    return real_same_module((const void *)real.malloc, (const void *)gnu_get_libc_version) ? 32 : 8;
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
    memcpy(bootstrap_buffer + start - sizeof size, &size, sizeof size);
    return bootstrap_buffer + start;
}

size_t bootstrap_size(const void *block)
{
    size_t size;
    memcpy(&size, (const char *)block - sizeof size, sizeof size);
    return size;
}
