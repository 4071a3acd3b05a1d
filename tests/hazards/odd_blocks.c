// SPDX-License-Identifier: MIT
/*
 * odd_blocks HOW: does with blocks what programs do, or should not do.
 *
 *   foreign     frees and reallocates what the C library's own entrance gave, which nobody recorded
 *   slack       writes to the end of what malloc_usable_size says
 *   sized       frees with a size, as C23 has it, if there is such a function
 *   failed      asks for more than there is, with blocks that have to live on
 *   twice, twice_large, inside, nowhere, realloc_inside    gives the C library what it finds out and ends for
 */
#include "told.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);
__attribute__((weak)) void free_sized(void *block, size_t size);
__attribute__((weak)) void free_aligned_sized(void *block, size_t alignment, size_t size);

enum { TIMES = 1000 };

static volatile size_t many = SIZE_MAX / 2;

/* What is nonsense shall reach the library, not end in the compiler. */
static void *(*volatile allocate)(size_t size) = malloc;
static void *(*volatile reallocate)(void *block, size_t size) = realloc;
static void (*volatile release)(void *block) = free;

NOT_INLINED static void foreign(void)
{
    for (int i = 0; i < TIMES; i++) {
        release(__libc_malloc(100));
        release(__libc_memalign(128, 100));
        char *grown = __libc_malloc(10);
        strcpy(grown, "content");
        grown = reallocate(grown, 3000);
        must(grown && !strcmp(grown, "content"));
        release(grown);
    }
    tell("foreign", "allocations", TIMES);
    tell("foreign", "allocated_bytes", TIMES * 3000);
    tell("foreign", "frees", TIMES);
    tell("foreign", "current_blocks", 0);
}

NOT_INLINED static void slack(void)
{
    static char *blocks[TIMES];
    for (size_t i = 0; i < TIMES; i++) {
        blocks[i] = allocate(i * 3);
        must(malloc_usable_size(blocks[i]) >= i * 3);
        memset(blocks[i], (int)i, malloc_usable_size(blocks[i]));
    }
    for (size_t i = 0; i < TIMES; i++) {
        for (size_t k = 0; k < malloc_usable_size(blocks[i]); k++)
            must(blocks[i][k] == (char)i);
        if (i % 2)
            blocks[i] = reallocate(blocks[i], malloc_usable_size(blocks[i]) + 1);
        release(blocks[i]);
    }
    tell("slack", "allocations", TIMES + TIMES / 2);
    tell("slack", "frees", TIMES + TIMES / 2);
    tell("slack", "current_bytes", 0);
}

NOT_INLINED static void sized(void)
{
    for (size_t i = 1; i < TIMES; i++) {
        void *block = allocate(i), *aligned = aligned_alloc(64, 64 * i);
        must(block && aligned && (uintptr_t)aligned % 64 == 0);
        if (free_sized)
            free_sized(block, i);
        else
            release(block);
        if (free_aligned_sized)
            free_aligned_sized(aligned, 64, 64 * i);
        else
            release(aligned);
    }
    if (free_sized) {
        free_sized(NULL, 0);
        free_aligned_sized(NULL, 64, 0);
    }
    tell("sized", "allocations", 2 * (TIMES - 1));
    tell("sized", "frees", 2 * (TIMES - 1));
}

NOT_INLINED static void failed(void)
{
    char *block = allocate(100);
    strcpy(block, "content");
    for (int i = 0; i < TIMES; i++) {
        errno = 0;
        must(!reallocate(block, PTRDIFF_MAX) && errno == ENOMEM && !strcmp(block, "content"));
        must(!reallocate(block, SIZE_MAX) && !allocate((size_t)PTRDIFF_MAX + 1) && !calloc(many, 3));
    }
    tell("failed", "allocations", 1);
    tell("failed", "frees", 0);
    tell("failed", "current_bytes", 100);
    tell("failed", "reallocations", 0);
}

static void end(const char *how)
{
    char *small = allocate(100), *large = allocate(5000);
    must(allocate(100));                /* behind them */
    release(!strcmp(how, "twice_large") ? large : small);
    if (!strcmp(how, "twice"))
        release(small);
    else if (!strcmp(how, "twice_large"))
        release(large);
    else if (!strcmp(how, "inside"))
        release(large + 8);
    else if (!strcmp(how, "nowhere"))
        release((void *)16);
    else if (!strcmp(how, "realloc_inside"))
        must(reallocate(large + 8, 10));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } good[] = {{"foreign", foreign}, {"slack", slack}, {"sized", sized}, {"failed", failed}};
    static char buffer[BUFSIZ];
    const char *how = argc > 1 ? argv[1] : "";
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!strcmp(how, good[i].name)) {
            good[i].function();
            return 0;
        }
    }
    end(how);
    return 1;
}
