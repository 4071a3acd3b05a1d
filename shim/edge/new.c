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
#include <errno.h>
#include <stdlib.h>

enum new_kind { NEW_PLAIN = 0, NEW_NOTHROW = 1, NEW_ALIGNED = 2 };

/* The first is there if any is. */
#define NEWS(X)                                                                                              \
    X(_Znwm, NEW_PLAIN)                                                                                      \
    X(_Znam, NEW_PLAIN)                                                                                      \
    X(_ZnwmRKSt9nothrow_t, NEW_NOTHROW)                                                                      \
    X(_ZnamRKSt9nothrow_t, NEW_NOTHROW)                                                                      \
    X(_ZnwmSt11align_val_t, NEW_ALIGNED)                                                                     \
    X(_ZnamSt11align_val_t, NEW_ALIGNED)                                                                     \
    X(_ZnwmSt11align_val_tRKSt9nothrow_t, NEW_ALIGNED | NEW_NOTHROW)                                         \
    X(_ZnamSt11align_val_tRKSt9nothrow_t, NEW_ALIGNED | NEW_NOTHROW)
#define DELETES(X)                                                                                           \
    X(_ZdlPv)                                                                                                \
    X(_ZdaPv)                                                                                                \
    X(_ZdlPvm)                                                                                               \
    X(_ZdaPvm)                                                                                               \
    X(_ZdlPvRKSt9nothrow_t)                                                                                  \
    X(_ZdaPvRKSt9nothrow_t)                                                                                  \
    X(_ZdlPvSt11align_val_t)                                                                                 \
    X(_ZdaPvSt11align_val_t)                                                                                 \
    X(_ZdlPvmSt11align_val_t)                                                                                \
    X(_ZdaPvmSt11align_val_t)                                                                                \
    X(_ZdlPvSt11align_val_tRKSt9nothrow_t)                                                                   \
    X(_ZdaPvSt11align_val_tRKSt9nothrow_t)

#define NUMBER(symbol, ...) OPERATOR_##symbol,
#define ENTRY(symbol, ...)  {.name = #symbol},

enum { NEWS(NUMBER) DELETES(NUMBER) OPERATORS };
enum provider { PROVIDER_UNKNOWN, PROVIDER_LIBRARY, PROVIDER_ALLOCATOR, PROVIDER_NONE };

static struct operator {
    const char *name;
    void *function;
    _Atomic int provider;
} operators[OPERATORS] = {NEWS(ENTRY) DELETES(ENTRY)};

/* --- who does it ---------------------------------------------------------------------------------------- */

void new_start(void)
{
    for (int i = 0; i < OPERATORS && (!i || operators[0].function); i++)
        operators[i].function = real_next(operators[i].name);
    real_next("malloc");        /* a success clears the message of what there is not */
}

static void *find_in_library(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    for (int i = 0; i < 2; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        void *function = library ? dlsym(library, name) : NULL;
        if (function)
            return function;
    }
    return NULL;
}

/* All at once: it clears what dlerror() has to tell, which should happen but once, as the library comes. */
__attribute__((noinline)) static void find_later(const uintptr_t *frame)
{
    int saved = errno;
    struct thread *self = hook_lend(frame);
    for (int i = 0; i < OPERATORS; i++) {
        void *function = operators[i].function;
        if (!function && !(function = real_next(operators[i].name)))
            function = find_in_library(operators[i].name);
        __atomic_store_n(&operators[i].function, function, __ATOMIC_RELEASE);
    }
    dlerror();
    hook_birth(self, NULL, 0, frame);
    errno = saved;
}

__attribute__((noinline)) static enum provider look(struct operator *operator, const uintptr_t *frame)
{
    if (!operator->function)
        find_later(frame);
    enum provider provider = !operator->function ? PROVIDER_NONE
                             : real.malloc && real_same_module(operator->function, (const void *)real.malloc)
                                 ? PROVIDER_ALLOCATOR
                                 : PROVIDER_LIBRARY;
    atomic_store(&operator->provider, provider);
    return provider;
}

static inline bool is_library(struct operator *operator, const uintptr_t *frame)
{
    int provider = atomic_load_explicit(&operator->provider, memory_order_acquire);
    return likely(provider == PROVIDER_LIBRARY) || (!provider && look(operator, frame) == PROVIDER_LIBRARY);
}

/* --- when libstdc++ does not do it ------------------------------------------------------------------- */

/* Arguments beyond the size (alignment, nothrow) are passed on as they came: all are integers. */
typedef void *new_function(size_t size, uintptr_t second, uintptr_t third);
typedef void delete_function(void *block, uintptr_t second, uintptr_t third);

static void *new_by_malloc(size_t size, int kind, uintptr_t alignment)
{
    void *block = NULL;
    if (!size)
        size = 1;
    if (!(kind & NEW_ALIGNED) || alignment < sizeof block)
        block = malloc(size);
    else if (posix_memalign(&block, alignment, size))
        block = NULL;
    if (!block && !(kind & NEW_NOTHROW))
        abort();                /* bad_alloc, where there is nobody to throw it */
    return block;
}

/*
 * An allocator's own, without the guard: it may throw, or call a handler of the program's.  If it does call
 * malloc, by its name, the block that it returns is counted already: it is the thread's latest.
 */
static void *new_by_allocator(new_function *function, const uintptr_t *frame, size_t size, uintptr_t second,
                              uintptr_t third)
{
    struct thread *self = hook_enter(frame);
    if (self) {
        self->last_born = NULL;
        guard_drop(self);
    }
    void *block = function(size, second, third);
    self = hook_enter(frame);
    if (!self || self->last_born != block || !block)
        return hook_birth(self, block, size, frame);
    guard_drop(self);
    return block;
}

__attribute__((noinline)) static void *new_otherwise(struct operator *operator, int kind, const uintptr_t *frame,
                                                     size_t size, uintptr_t second, uintptr_t third)
{
    if (!operator->function)
        return new_by_malloc(size, kind, second);
    return new_by_allocator((new_function *)operator->function, frame, size, second, third);
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
        struct operator *operator = &operators[OPERATOR_##symbol];                                            \
        if (likely(is_library(operator, HOOK_FRAME))) {                                                      \
            if ((kind) & NEW_ALIGNED)                                                                        \
                hook_asked = (struct hook_asked){size ? size : 1, operator->function};                       \
            return ((new_function *)operator->function)(size, second, third);                                \
        }                                                                                                    \
        return hook_return(new_otherwise(operator, kind, HOOK_FRAME, size, second, third));                  \
    }

#define DELETE(symbol)                                                                                        \
    HOOK void symbol(void *block, uintptr_t second, uintptr_t third);                                          \
    HOOK void symbol(void *block, uintptr_t second, uintptr_t third)                                           \
    {                                                                                                        \
        struct operator *operator = &operators[OPERATOR_##symbol];                                            \
        if (likely(is_library(operator, HOOK_FRAME))) {                                                      \
            ((delete_function *)operator->function)(block, second, third);                                   \
            return;                                                                                          \
        }                                                                                                    \
        delete_otherwise(operator, HOOK_FRAME, block, second, third);                                        \
        __asm__ volatile("");                                                                                \
    }

NEWS(NEW)
DELETES(DELETE)
