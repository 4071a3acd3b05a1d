// SPDX-License-Identifier: MIT
/*
 * A library with thread-local storage that a thread gets when it first asks for it: the loader then
 * allocates.
 */
#include <stddef.h>

static __thread char bytes[3000];

size_t touch_thread_local(int value);

size_t touch_thread_local(int value)
{
    bytes[value] = 1;
    size_t sum = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        sum += (size_t)bytes[i];
    return sum;
}
