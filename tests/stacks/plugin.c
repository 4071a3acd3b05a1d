// SPDX-License-Identifier: MIT
/*
 * A plug-in, built with several FRAMEs: code that is equal byte for byte but for the sizes of its frames (at
 * least 128 bytes, so that all are encoded alike), so that one's rules fit the addresses of another.
 */
#include <stdlib.h>

#ifndef FRAME
#define FRAME 200
#endif

typedef void function(void);
typedef void compare_function(void *block, const void *function, unsigned inner);

void plugin_call(function *call, unsigned depth);
void plugin_allocate(compare_function *compare);

#define KEEP(bytes) ((volatile char *)(bytes))[0] = 1

__attribute__((noinline)) static void innermost(function *call)
{
    char bytes[FRAME];
    KEEP(bytes);
    call();
    KEEP(bytes);
}

__attribute__((noinline)) static void recurses(function *call, unsigned depth)
{
    char bytes[FRAME + 64];
    KEEP(bytes);
    if (depth)
        recurses(call, depth - 1);
    else
        innermost(call);
    KEEP(bytes);
}

void plugin_call(function *call, unsigned depth)
{
    char bytes[FRAME + 128];
    KEEP(bytes);
    recurses(call, depth);
    KEEP(bytes);
}

void plugin_allocate(compare_function *compare)
{
    char bytes[FRAME];
    KEEP(bytes);
    void *block = malloc(40);
    compare(block, (const void *)plugin_allocate, 0);
    free(block);
    KEEP(bytes);
}

#ifdef MISSING
/* Nobody has this: loading fails when all else is done. */
void nobody_has_this(void);
void plugin_fails(void);
void plugin_fails(void)
{
    nobody_has_this();
}
#endif
