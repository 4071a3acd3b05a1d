// SPDX-License-Identifier: MIT
// Calls each function that allocates for the first time between a dlopen that fails and the question why.
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <malloc.h>
#include <new>

extern "C" {
__attribute__((weak)) void free_sized(void *block, size_t size);
__attribute__((weak)) void free_aligned_sized(void *block, size_t alignment, size_t size);
}

// Declared by clang only when it is asked to use them.
void operator delete(void *block, size_t size) noexcept;
void operator delete[](void *block, size_t size) noexcept;
void operator delete(void *block, size_t size, std::align_val_t alignment) noexcept;
void operator delete[](void *block, size_t size, std::align_val_t alignment) noexcept;

static void *volatile sink;

#define AFTER_FAILURE(call)                                                                                  \
    do {                                                                                                     \
        dlopen("/nonexistent before " #call, RTLD_NOW);                                                      \
        call;                                                                                                \
        const char *why = dlerror();                                                                         \
        std::puts(why ? why : "forgotten");                                                                  \
    } while (0)

int main()
{
    void *block;
    const std::align_val_t alignment{64};
    AFTER_FAILURE(sink = malloc(10));
    AFTER_FAILURE(sink = calloc(10, 10));
    AFTER_FAILURE(sink = realloc(sink, 20));
    AFTER_FAILURE(sink = posix_memalign(&block, 64, 10) ? nullptr : block);
    AFTER_FAILURE(sink = aligned_alloc(64, 64));
    AFTER_FAILURE(sink = memalign(64, 10));
    AFTER_FAILURE(sink = valloc(10));
    AFTER_FAILURE(sink = pvalloc(10));
    AFTER_FAILURE(malloc_usable_size(sink));
    AFTER_FAILURE(if (free_sized) free_sized(malloc(5), 5));
    AFTER_FAILURE(if (free_aligned_sized) free_aligned_sized(aligned_alloc(64, 64), 64, 64));
    AFTER_FAILURE(::operator delete(::operator new(10)));
    AFTER_FAILURE(::operator delete[](::operator new[](10)));
    AFTER_FAILURE(::operator delete(::operator new(10, std::nothrow), std::nothrow));
    AFTER_FAILURE(::operator delete[](::operator new[](10, std::nothrow), std::nothrow));
    AFTER_FAILURE(::operator delete(::operator new(10, alignment), alignment));
    AFTER_FAILURE(::operator delete[](::operator new[](10, alignment), alignment));
    AFTER_FAILURE(::operator delete(::operator new(10, alignment, std::nothrow), alignment, std::nothrow));
    AFTER_FAILURE(::operator delete[](::operator new[](10, alignment, std::nothrow), alignment, std::nothrow));
    AFTER_FAILURE(::operator delete(::operator new(10), (size_t)10));
    AFTER_FAILURE(::operator delete[](::operator new[](10), (size_t)10));
    AFTER_FAILURE(::operator delete(::operator new(10, alignment), (size_t)10, alignment));
    AFTER_FAILURE(::operator delete[](::operator new[](10, alignment), (size_t)10, alignment));
    return 0;
}
