// SPDX-License-Identifier: MIT
/*
 * assembly [COMPARISONS]: functions that no table describes, in files and generated, with all that rbp can be
 * there: the chain of frames, or nonsense that leads nowhere.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <alloca.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef void entry(void (*function)(void), uintptr_t rbp);

#define FUNCTION(name, text)                                                                                 \
    entry name;                                                                                              \
    __asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n" text                              \
            ".size " #name ", . - " #name "\n.popsection")

/* Calls function() as compilers do it with frame pointers. */
FUNCTION(chained, "pushq %rbp\nmovq %rsp, %rbp\ncall *%rdi\npopq %rbp\nret\n");
FUNCTION(chained_with_locals, "pushq %rbp\nmovq %rsp, %rbp\npushq %rbx\nsubq $72, %rsp\ncall *%rdi\n"
                              "addq $72, %rsp\npopq %rbx\npopq %rbp\nret\n");

/* Calls function() with rbp as it is told. */
FUNCTION(with_rbp, "pushq %rbp\nmovq %rsi, %rbp\ncall *%rdi\npopq %rbp\nret\n");

/* Calls function() with rbp as far from rsp as it is told. */
FUNCTION(rbp_near, "pushq %rbp\nleaq (%rsp,%rsi), %rbp\ncall *%rdi\npopq %rbp\nret\n");

/* Allocates itself, at the very top of a stack, with rbp as it is told. */
void *at_the_top(void *top, uintptr_t rbp);
__asm__(".pushsection .text\n.type at_the_top, @function\nat_the_top:\npushq %rbp\npushq %rbx\n"
        "subq $8, %rsp\nmovq %rsp, %rbx\nmovq %rdi, %rsp\nmovq %rsi, %rbp\nmovl $24, %edi\n"
        "call malloc@PLT\nmovq %rbx, %rsp\naddq $8, %rsp\npopq %rbx\npopq %rbp\nret\n"
        ".size at_the_top, . - at_the_top\n.popsection");

/* The same with a table that says what is not there: a caller above the stack. */
void *above_the_top(void *top);
__asm__(".pushsection .text\n.type above_the_top, @function\nabove_the_top:\n.cfi_startproc\npushq %rbx\n"
        ".cfi_adjust_cfa_offset 8\nmovq %rsp, %rbx\nmovq %rdi, %rsp\nmovl $24, %edi\n.cfi_def_cfa %rsp, 8\n"
        "call malloc@PLT\nmovq %rbx, %rsp\n.cfi_def_cfa %rsp, 16\npopq %rbx\n.cfi_adjust_cfa_offset -8\nret\n"
        ".cfi_endproc\n.size above_the_top, . - above_the_top\n.popsection");

/* --- generated code ------------------------------------------------------------------------------------- */

static char *generated;
enum { GENERATED_SIZE = 4096, STACK_SIZE = 16 * 4096 };

/* A copy of one of those above; none is longer. */
static entry *generate(const void *function)
{
    memcpy(generated, function, 64);
    return (entry *)(uintptr_t)generated;
}

static void make_room(void)
{
    generated =
        mmap(NULL, GENERATED_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (generated == MAP_FAILED)
        abort();
}

/* --- the calls ------------------------------------------------------------------------------------------ */

__attribute__((noinline)) static void inside(void)
{
    volatile char *bytes = alloca(8 + choose(100));
    bytes[0] = 1;
    compare_here();
    NOT_A_TAIL_CALL;
}

/* The recorder follows the chain, and finds all that is outside of here. */
__attribute__((noinline)) static void follows(entry *function)
{
    compare_outside((const void *)follows);
    function(inside, 0);
    compare_outside(NULL);
}

/* Nothing is found behind the function. */
__attribute__((noinline)) static void ends(entry *function, uintptr_t rbp)
{
    function(inside, rbp);
    NOT_A_TAIL_CALL;
}

static uintptr_t unmapped;

static void make_unmapped(void)
{
    char *pages = mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        abort();
    munmap(pages + STACK_SIZE, STACK_SIZE);
    unmapped = (uintptr_t)pages + STACK_SIZE;
}

static void with_nonsense(entry *function)
{
    static uintptr_t somewhere[4] = {1, 2, 3, 4};
    const uintptr_t all[] = {
        0, 1, 8, 0x123456789, (uintptr_t)-8, (uintptr_t)-16, (uintptr_t)1 << 63, unmapped, unmapped - 8,
        (uintptr_t)somewhere, (uintptr_t)inside, (uintptr_t)&all,
    };
    ends(function, all[choose(sizeof all / sizeof *all)]);
}

static void one(void)
{
    switch (choose(7)) {
    case 0:
        follows(chained);
        break;
    case 1:
        follows(chained_with_locals);
        break;
    case 2:
        with_nonsense(with_rbp);
        break;
    case 3:
        ends(rbp_near, (uintptr_t)-8 * choose(8) - 8);
        break;
    case 4:
        follows(generate((const void *)(choose(2) ? chained : chained_with_locals)));
        break;
    case 5:
        with_nonsense(generate((const void *)with_rbp));
        break;
    default:
        compare_here();
    }
}

__attribute__((noinline)) static void at_depth(uint32_t depth)
{
    if (depth)
        at_depth(depth - 1);
    else
        one();
    NOT_A_TAIL_CALL;
}

/* No other unwinder is asked here: it would read what is not there.  That we come back is the test. */
static void at_tops(void)
{
    for (uint32_t i = 0; i < 20; i++) {
        free(at_the_top((void *)unmapped, unmapped));
        free(at_the_top((void *)unmapped, unmapped - 8));
        free(at_the_top((void *)(unmapped - 16), unmapped - 16));
        free(above_the_top((void *)unmapped));
        at_depth(choose(9));
    }
}

/* What was above the stack, and led somewhere, goes: the same stack again. */
static void above_goes(void)
{
    char *stack = mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *above = stack + STACK_SIZE;
    if (stack == MAP_FAILED)
        abort();
    *(uintptr_t *)above = (uintptr_t)above_the_top + 20;
    free(above_the_top(above));
    free(above_the_top(above));
    munmap(above, STACK_SIZE);
    free(above_the_top(above));
    munmap(stack, STACK_SIZE);
}

int main(int argc, char **argv)
{
    uint64_t comparisons = argument(argc, argv, 1, 10000);
    make_room();
    make_unmapped();
    while (compare_count() < comparisons)
        at_depth(choose(20));
    at_tops();
    above_goes();
    return compare_report();
}
