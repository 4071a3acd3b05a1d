// SPDX-License-Identifier: MIT
/*
 * pulled_away: memory that the recorder has seen, as a stack or as a block, is unmapped, in part or as a
 * whole, replaced, or moved.
 */
#include "told.h"
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK = 256 * 1024, ROUNDS = 200, PAGE = 4096 };

static ucontext_t here, there;
static int levels;
static void *volatile block;

NOT_INLINED static void on_stack(int level)
{
    if (level)
        on_stack(level - 1);
    block = malloc(10);
    free(block);
    NOT_A_TAIL_CALL;
}

static void body(void)
{
    on_stack(levels);
}

/* On the part of the memory up to `end`. */
static void run_below(char *start, char *end, int depth)
{
    levels = depth;
    getcontext(&there);
    there.uc_stack.ss_sp = start;
    there.uc_stack.ss_size = (size_t)(end - start);
    there.uc_link = &here;
    makecontext(&there, body, 0);
    swapcontext(&here, &there);
}

static char *map_at(char *address, size_t size)
{
    char *memory = mmap(address, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | (address ? MAP_FIXED : 0), -1, 0);
    must(memory != MAP_FAILED);
    return memory;
}

/* The frames of the second run lie where inner ones of the first were, down to the same word; what was outside
   of them is gone. */
static long cut_stacks(void)
{
    long runs = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char *stack = map_at(NULL, STACK), *middle = stack + STACK / 2;
        run_below(stack, stack + STACK, 3000);
        for (int shift = 0; shift < 16; shift++)
            run_below(stack, middle - 16 * shift, 40 + i % 7);
        munmap(middle, STACK / 2);
        for (int shift = 0; shift < 16; shift++)
            run_below(stack, middle - 16 * shift, 40 + i % 7);
        munmap(stack, STACK / 2);
        runs += 3001 + 32 * (41 + i % 7);
    }
    return runs;
}

/* The same stack again, with other memory, or moved. */
static long replaced_stacks(void)
{
    long runs = 0;
    char *stack = map_at(NULL, STACK), *other = map_at(NULL, STACK);
    for (int i = 0; i < ROUNDS; i++) {
        run_below(stack, stack + STACK, 50);
        map_at(stack + STACK - 2 * PAGE, PAGE);
        run_below(stack, stack + STACK, 50);
        must(mremap(stack, STACK, STACK, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
        run_below(other, other + STACK, 50);
        char *moved = stack;
        stack = other;
        other = moved;
        runs += 3 * 51;
    }
    munmap(stack, STACK);
    return runs;
}

/* Blocks that are large enough to be mappings; the program takes them apart. */
NOT_INLINED static void blocks(void)
{
    enum { SIZE = 1 << 20 };
    for (int i = 0; i < ROUNDS; i++) {
        char *large = malloc(SIZE), *grown = malloc(SIZE);
        large[0] = grown[0] = 1;
        must(munmap(large + SIZE / 2 - (uintptr_t)large % PAGE, SIZE / 4) == 0);
        map_at(large + SIZE / 2 - (uintptr_t)large % PAGE, SIZE / 4);
        free(large);
        grown = realloc(grown, 3 * SIZE);       /* by mremap, as a rule */
        must(grown && grown[0] == 1);
        memset(grown + PAGE, 2, SIZE);
        madvise(grown + PAGE - (uintptr_t)grown % PAGE, SIZE, MADV_DONTNEED);
        free(grown);
    }
    NOT_A_TAIL_CALL;
}

int main(void)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    long runs = cut_stacks() + replaced_stacks();
    blocks();
    tell("on_stack", "allocations", runs);
    tell("on_stack", "frees", runs);
    tell("blocks", "allocations", 3 * ROUNDS);
    tell("blocks", "reallocations", ROUNDS);
    tell("blocks", "current_bytes", 0);
    return 0;
}
