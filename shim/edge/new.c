// SPDX-License-Identifier: MIT
/*
 * operator new and delete, under their mangled names.
 *
 * libstdc++'s call malloc and free and arrive there; these hooks then only pass on, by a jump that leaves
 * no frame.  An allocator that defines them itself (jemalloc, tcmalloc, mimalloc) calls no malloc: then
 * they are counted here.
 *
 * A C program may load C++ later, out of the global scope, where RTLD_NEXT finds nothing: the C++ library
 * is then asked for by its name.  Code that carries its own operators, invisibly to us, gets what these
 * would have done: malloc.
 */
#include "hook.h"
#include <dlfcn.h>
#include <stdlib.h>

enum provider { PROVIDER_UNKNOWN, PROVIDER_LIBRARY, PROVIDER_ALLOCATOR, PROVIDER_NONE };

struct operator {
    const char *name;
    void *function;
    _Atomic int provider;
};

static void *find_in_library(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    for (int i = 0; i < 2; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        void *function = library ? dlsym(library, name) : NULL;
        if (function)
            return function;
    }
    dlerror();
    return NULL;
}

static enum provider find(struct operator *operator)
{
    void *function = real_next(operator->name);
    if (!function)
        function = find_in_library(operator->name);
    operator->function = function;
    enum provider provider = !function ? PROVIDER_NONE
                             : real.malloc && real_same_module(function, (const void *)real.malloc)
                                 ? PROVIDER_ALLOCATOR
                                 : PROVIDER_LIBRARY;
    atomic_store(&operator->provider, provider);
    return provider;
}

static inline enum provider provider_of(struct operator *operator)
{
    int provider = atomic_load_explicit(&operator->provider, memory_order_acquire);
    return likely(provider) ? (enum provider)provider : find(operator);
}

/* --- when libstdc++ does not do it ------------------------------------------------------------------- */

/* Arguments beyond the size (alignment, nothrow) are passed on as they came: all are integers. */
typedef void *new_function(size_t size, uintptr_t second, uintptr_t third);
typedef void delete_function(void *block, uintptr_t second, uintptr_t third);

enum new_kind { NEW_PLAIN = 0, NEW_NOTHROW = 1, NEW_ALIGNED = 2 };

static void *new_by_malloc(size_t size, int kind, uintptr_t alignment)
{
    void *block = NULL;
    if (!size)
        size = 1;
    if (!(kind & NEW_ALIGNED))
        block = malloc(size);
    else if (posix_memalign(&block, alignment, size))
        block = NULL;
    if (!block && !(kind & NEW_NOTHROW))
        abort();                /* bad_alloc, where there is nobody to throw it */
    return block;
}

/* The allocator's own may throw: the guard that is then left behind is recognised as stale. */
__attribute__((noinline)) static void *new_otherwise(struct operator *operator, int kind, const uintptr_t *frame,
                                                     size_t size, uintptr_t second, uintptr_t third)
{
    if (!operator->function)
        return new_by_malloc(size, kind, second);
    struct thread *self = hook_lend(frame);
    return hook_birth(self, ((new_function *)operator->function)(size, second, third), size, frame);
}

__attribute__((noinline)) static void delete_otherwise(struct operator *operator, const uintptr_t *frame,
                                                       void *block, uintptr_t second, uintptr_t third)
{
    if (!operator->function) {
        free(block);
        return;
    }
    if (block && hook_death(block, frame))
        ((delete_function *)operator->function)(block, second, third);
}

/* --- the operators ------------------------------------------------------------------------------------- */

#define NEW(symbol, kind)                                                                                     \
    HOOK void *symbol(size_t size, uintptr_t second, uintptr_t third);                                         \
    HOOK void *symbol(size_t size, uintptr_t second, uintptr_t third)                                          \
    {                                                                                                        \
        static struct operator operator = {.name = #symbol};                                                  \
        if (likely(provider_of(&operator) == PROVIDER_LIBRARY))                                              \
            return ((new_function *)operator.function)(size, second, third);                                 \
        return hook_return(new_otherwise(&operator, kind, HOOK_FRAME, size, second, third));                 \
    }

#define DELETE(symbol)                                                                                        \
    HOOK void symbol(void *block, uintptr_t second, uintptr_t third);                                          \
    HOOK void symbol(void *block, uintptr_t second, uintptr_t third)                                           \
    {                                                                                                        \
        static struct operator operator = {.name = #symbol};                                                  \
        if (likely(provider_of(&operator) == PROVIDER_LIBRARY)) {                                            \
            ((delete_function *)operator.function)(block, second, third);                                    \
            return;                                                                                          \
        }                                                                                                    \
        delete_otherwise(&operator, HOOK_FRAME, block, second, third);                                       \
        __asm__ volatile("");                                                                                \
    }

NEW(_Znwm, NEW_PLAIN)
NEW(_Znam, NEW_PLAIN)
NEW(_ZnwmRKSt9nothrow_t, NEW_NOTHROW)
NEW(_ZnamRKSt9nothrow_t, NEW_NOTHROW)
NEW(_ZnwmSt11align_val_t, NEW_ALIGNED)
NEW(_ZnamSt11align_val_t, NEW_ALIGNED)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, NEW_ALIGNED | NEW_NOTHROW)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, NEW_ALIGNED | NEW_NOTHROW)
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPvm)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE(_ZdlPvmSt11align_val_t)
DELETE(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
