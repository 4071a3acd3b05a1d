// SPDX-License-Identifier: MIT
/*
 * An allocator with an operator new of its own, which throws when it cannot serve, as those of others do.
 */
#include <cstddef>
#include <new>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

void *malloc(size_t size)
{
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return __libc_realloc(block, size);
}

void free(void *block)
{
    __libc_free(block);
}
}

void *operator new(size_t size)
{
    void *block = __libc_malloc(size);
    if (!block)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept
{
    __libc_free(block);
}

void operator delete(void *block, size_t) noexcept
{
    __libc_free(block);
}
