// SPDX-License-Identifier: MIT
/*
 * contexts [COMPARISONS]: allocations on stacks that come and go: coroutines on memory from malloc, used
 * again with what the last one left on it; stacks whose outermost word differs only; threads one after
 * another; and after jumps out of deep frames.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uint64_t leave_at;

/* --- coroutines ----------------------------------------------------------------------------------------- */

enum { COROUTINES = 8, SMALLEST = 64 * 1024 };

static struct coroutine {
    ucontext_t context;
    char *stack;
    bool done;
} coroutines[COROUTINES];
static ucontext_t main_context;
static struct coroutine *running;

static void yield(void)
{
    if (running && choose(3) == 0)
        swapcontext(&running->context, &main_context);
}

__attribute__((noinline)) static void with_array(uint32_t depth);

__attribute__((noinline)) static void descends(uint32_t depth)
{
    yield();
    compare_here();
    if (depth && choose(3))
        descends(depth - 1);
    else if (depth)
        with_array(depth - 1);
    yield();
    compare_here();
}

__attribute__((noinline)) static void with_array(uint32_t depth)
{
    volatile char *bytes = alloca(8 + choose(200));
    bytes[0] = 1;
    if (choose(2))
        compare_here();
    descends(depth);
    NOT_A_TAIL_CALL;
}

static void body(void)
{
    descends(choose(25));
    running->done = true;
    swapcontext(&running->context, &main_context);
}

/* Of a few sizes, so that the allocator gives the same memory again, dirty as it is. */
static void begin(struct coroutine *coroutine)
{
    size_t size = SMALLEST << choose(2);
    coroutine->done = false;
    coroutine->stack = malloc(size);
    getcontext(&coroutine->context);
    coroutine->context.uc_stack.ss_sp = coroutine->stack;
    coroutine->context.uc_stack.ss_size = size;
    coroutine->context.uc_link = choose(2) ? &main_context : NULL;
    makecontext(&coroutine->context, body, 0);
}

static void resume(struct coroutine *coroutine)
{
    if (!coroutine->stack)
        begin(coroutine);
    running = coroutine;
    swapcontext(&main_context, &coroutine->context);
    running = NULL;
    if (coroutine->done || choose(40) == 0) {
        free(coroutine->stack);
        coroutine->stack = NULL;
    }
}

static void run_coroutines(void)
{
    while (compare_count() < leave_at) {
        resume(&coroutines[choose(COROUTINES)]);
        if (choose(10) == 0)
            descends(choose(5));
    }
}

/* --- the outermost word --------------------------------------------------------------------------------- */

/* Calls function() on the given stack, and says that it was called from where `outside` says. */
void run_on(void *top, void (*function)(void), uintptr_t outside);
__asm__(".pushsection .text\n.type run_on, @function\nrun_on:\n.cfi_startproc\npushq %rbp\n"
        ".cfi_adjust_cfa_offset 8\n.cfi_offset %rbp, -16\npushq %rbx\n.cfi_adjust_cfa_offset 8\n"
        ".cfi_remember_state\nmovq %rsp, %rbx\nmovq %rdi, %rsp\npushq %rdx\nsubq $8, %rsp\n"
        ".cfi_def_cfa %rsp, 16\n.cfi_same_value %rbp\ncall *%rsi\nmovq %rbx, %rsp\n.cfi_restore_state\n"
        "popq %rbx\npopq %rbp\nret\n.cfi_endproc\n.size run_on, . - run_on\n.popsection");

/* Nothing is outside of these. */
#define OUTERMOST(name)                                                                                      \
    void name(void);                                                                                         \
    __asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"                   \
            ".cfi_undefined %rip\nnop\nnop\nret\n.cfi_endproc\n.size " #name ", . - " #name "\n.popsection")
OUTERMOST(outermost_a);
OUTERMOST(outermost_b);

__attribute__((noinline)) static void leaf(void)
{
    compare_here();
    NOT_A_TAIL_CALL;
}

__attribute__((noinline)) static void leaves(void)
{
    for (int i = 0; i < 3; i++)
        leaf();
}

static void run_with_outermost_words(void)
{
    enum { SIZE = 64 * 1024 };
    uintptr_t words[] = {0, (uintptr_t)outermost_a + 1, (uintptr_t)outermost_b + 1, 0};
    char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (compare_count() < leave_at)
        run_on(stack + SIZE, leaves, words[choose(4)]);
    munmap(stack, SIZE);
}

/* --- threads -------------------------------------------------------------------------------------------- */

static void *thread(void *unused)
{
    for (int i = 0; i < 10; i++)
        descends(choose(20));
    return unused;
}

static void run_threads(void)
{
    while (compare_count() < leave_at) {
        pthread_attr_t attributes;
        pthread_t id;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, (size_t)(256 + 64 * choose(8)) * 1024);
        if (pthread_create(&id, &attributes, thread, NULL))
            abort();
        pthread_join(id, NULL);
    }
}

/* --- jumps ---------------------------------------------------------------------------------------------- */

static sigjmp_buf landing;

__attribute__((noinline)) static void falls(uint32_t depth)
{
    if (choose(2))
        compare_here();
    if (depth)
        falls(depth - 1);
    compare_here();
    siglongjmp(landing, 1);
}

static void handle(int signal)
{
    (void)signal;
    compare_here();
    falls(choose(10));
}

static void jump_about(void)
{
    static char alternate[128 * 1024];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction action = {.sa_handler = handle};
    sigaltstack(&stack, NULL);
    while (compare_count() < leave_at) {
        action.sa_flags = choose(2) ? SA_ONSTACK : 0;
        sigaction(SIGUSR1, &action, NULL);
        if (!sigsetjmp(landing, 1)) {
            if (choose(2))
                raise(SIGUSR1);
            else
                falls(choose(60));
        }
        compare_here();
    }
}

static void run(void (*part)(void), uint64_t comparisons)
{
    leave_at = compare_count() + comparisons;
    part();
}

int main(int argc, char **argv)
{
    uint64_t comparisons = argument(argc, argv, 1, 10000);
    run(run_coroutines, comparisons / 2);
    run(run_with_outermost_words, comparisons / 8);
    run(run_threads, comparisons / 8);
    run(jump_about, comparisons / 8);
    run(run_coroutines, comparisons / 8);
    return compare_report();
}
