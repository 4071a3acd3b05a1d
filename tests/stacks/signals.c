// SPDX-License-Identifier: MIT
/*
 * signals [COMPARISONS] [MICROSECONDS]: handlers that allocate, on the normal and on an alternate stack, for
 * signals that were raised, for faults, for those of a timer, and for one after each single instruction: in
 * prologues and epilogues, libc's assembly, lazy binding, the vdso.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile uint64_t sum;
static uint64_t interruptions_wanted;

static void handle(int signal)
{
    (void)signal;
    compare_here();
}

static void handle_with_facts(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    sum += (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    compare_here();
}

/* A handler that is itself interrupted. */
static void handle_twice(int signal)
{
    (void)signal;
    compare_here();
    raise(SIGUSR2);
    compare_here();
}

static void on_signal(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags | SA_RESTART};
    sigaction(signal, &action, NULL);
}

/* --- raised --------------------------------------------------------------------------------------------- */

static char alternate[256 * 1024];

static void use_alternate_stack(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
}

static void raises_at_depth(uint32_t depth, int signal)
{
    if (depth)
        raises_at_depth(depth - 1, signal);
    else
        raise(signal);
    NOT_A_TAIL_CALL;
}

static void raises_all(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        on_signal(SIGUSR1, handle_twice, i & 1 ? SA_ONSTACK : 0);
        on_signal(SIGUSR2, handle, i & 2 ? SA_ONSTACK : 0);
        raises_at_depth(choose(20), SIGUSR1);
        compare_here();
        raises_at_depth(choose(20), SIGUSR2);
    }
}

/* A fault is a signal whose frame was interrupted, too: at its very first instruction, or in the middle. */
static void step_over(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    compare_here();
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

void faults_at_once(void);
__asm__(".pushsection .text\n.type faults_at_once, @function\nfaults_at_once:\n.cfi_startproc\nud2\nret\n"
        ".cfi_endproc\n.size faults_at_once, . - faults_at_once\n.popsection");
void faults_in_the_middle(void);
__asm__(".pushsection .text\n.type faults_in_the_middle, @function\nfaults_in_the_middle:\n.cfi_startproc\n"
        "pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\nxorl %ebp, %ebp\nud2\npopq %rbp\n"
        ".cfi_def_cfa_offset 8\n.cfi_restore %rbp\nud2\nret\n.cfi_endproc\n"
        ".size faults_in_the_middle, . - faults_in_the_middle\n.popsection");

static void faults(uint64_t rounds)
{
    struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
    for (uint64_t i = 0; i < rounds; i++) {
        action.sa_flags = SA_SIGINFO | (i & 1 ? SA_ONSTACK : 0);
        sigaction(SIGILL, &action, NULL);
        faults_at_once();
        compare_here();
        faults_in_the_middle();
    }
}

/* --- computing ------------------------------------------------------------------------------------------ */

__attribute__((noinline)) static uint64_t small(uint64_t n)
{
    return n * 3 + (n & 1 ? 1 : n / 2);
}

__attribute__((noinline)) static uint64_t saves_all(uint64_t n)
{
    __asm__ volatile("" : "+r"(n)::"rbx", "r12", "r13", "r14", "r15");
    return small(n) + small(n + 1);
}

__attribute__((noinline)) static uint64_t has_arrays(uint64_t n)
{
    volatile char fixed[300], variable[1 + n % 100];
    fixed[n % 300] = variable[n % (1 + n % 100)] = 1;
    return saves_all(n) + (uint64_t)fixed[n % 300];
}

__attribute__((noinline)) static uint64_t is_aligned(uint64_t n)
{
    _Alignas(64) volatile char bytes[64];
    bytes[n % 64] = 1;
    return has_arrays(n) + (uint64_t)bytes[n % 64];
}

__attribute__((noinline)) static uint64_t recursive(uint64_t n)
{
    return n ? recursive(n - 1) + small(n) : is_aligned(n + 1);
}

static int compares(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Libc's own code; short of what allocates. */
__attribute__((noinline)) static uint64_t in_libc(uint64_t n)
{
    static char from[70000], to[70000];
    int numbers[40];
    struct timespec now;
    for (int i = 0; i < 40; i++)
        numbers[i] = (int)choose(100);
    qsort(numbers, 40, sizeof *numbers, compares);
    memcpy(to, from, n % sizeof to);
    memset(from, (int)n | 1, n % sizeof from);
    for (int i = 0; i < 20; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(to, sizeof to, "%d %g %s", numbers[3], sqrt((double)n), "text");
    return strlen(from) + (uint64_t)now.tv_nsec + strtoul(to, NULL, 10);
}

__attribute__((noinline)) static void computes_until(uint64_t count)
{
    for (uint64_t n = 0; compare_count() < count; n++)
        sum += recursive(n % 20) + in_libc(n * 37);
}

/* --- by the timer --------------------------------------------------------------------------------------- */

static void start_timer(uint64_t microseconds)
{
    struct itimerval often = {{0, (suseconds_t)microseconds}, {0, (suseconds_t)microseconds}};
    setitimer(ITIMER_REAL, &often, NULL);
}

static void interrupted(uint64_t microseconds, int flags)
{
    struct sigaction action = {.sa_sigaction = handle_with_facts,
                               .sa_flags = SA_SIGINFO | SA_RESTART | flags};
    sigaction(SIGALRM, &action, NULL);
    start_timer(microseconds);
    computes_until(compare_count() + interruptions_wanted);
    start_timer(0);
}

/* --- after each instruction ----------------------------------------------------------------------------- */

static uint64_t step_until;

/* The trap flag is part of the context that the handler returns to; the handler runs without. */
static void after_a_step(int signal, siginfo_t *info, void *context)
{
    enum { TRAP_FLAG = 1 << 8 };
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    (void)signal, (void)info;
    compare_here();
    *flags = compare_count() < step_until ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
}

static void stepped(uint64_t instructions, int flags)
{
    struct sigaction action = {.sa_sigaction = after_a_step, .sa_flags = SA_SIGINFO | flags};
    sigaction(SIGTRAP, &action, NULL);
    step_until = compare_count() + instructions;
    raise(SIGTRAP);
    computes_until(step_until);
}

int main(int argc, char **argv)
{
    uint64_t comparisons = argument(argc, argv, 1, 10000), microseconds = argument(argc, argv, 2, 100);
    interruptions_wanted = comparisons / 8;
    compare_hold_signal(SIGALRM);
    use_alternate_stack();
    raises_all(comparisons / 16);
    faults(comparisons / 16);
    stepped(comparisons / 4, 0);
    stepped(comparisons / 4, SA_ONSTACK);
    interrupted(microseconds, 0);
    interrupted(microseconds, SA_ONSTACK);
    return compare_report();
}
