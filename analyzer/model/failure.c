// SPDX-License-Identifier: MIT
#include "model/failure.h"

#include <errno.h>
#include <error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool failure_set(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof(why->text), format, arguments);
    va_end(arguments);
    return false;
}

void *memory_get(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size ? size : 1);
    if (!memory)
        error(1, ENOMEM, "%zu x %zu bytes", n, size);
    return memory;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity ? 2 * *capacity : 16;
    void *moved = reallocarray(array, wanted, size);
    if (!moved)
        error(1, ENOMEM, "%zu x %zu bytes", wanted, size);
    *capacity = wanted;
    return moved;
}

void *memory_widen(void *array, size_t count, size_t wanted, size_t size)
{
    char *moved = reallocarray(array, wanted ? wanted : 1, size);
    if (!moved)
        error(1, ENOMEM, "%zu x %zu bytes", wanted, size);
    memset(moved + count * size, 0, (wanted - count) * size);
    return moved;
}
