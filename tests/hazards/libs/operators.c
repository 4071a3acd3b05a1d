// SPDX-License-Identifier: MIT
/*
 * An allocator, to be preloaded behind the recorder, that has operator new and delete of its own: they do not
 * come by malloc.
 */
#include <stddef.h>

extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

/* std::__throw_bad_alloc(), of the program's library */
__attribute__((weak)) void _ZSt17__throw_bad_allocv(void);

void *_Znwm(size_t size);
void _ZdlPvm(void *block, size_t size);
void _ZdlPv(void *block);

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

void *_Znwm(size_t size)
{
    void *block = __libc_malloc(size);
    if (!block)
        _ZSt17__throw_bad_allocv();
    return block;
}

void _ZdlPv(void *block)
{
    __libc_free(block);
}

void _ZdlPvm(void *block, size_t size)
{
    (void)size;
    __libc_free(block);
}
