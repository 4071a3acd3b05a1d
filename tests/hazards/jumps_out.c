// SPDX-License-Identifier: MIT
/*
 * jumps_out HOW CHILDREN STEPS: a handler interrupts a heap call and never returns to it.
 *
 * Each child walks through one heap call, instruction by instruction, and jumps out STEPS later than the one
 * before; then it goes on allocating.  Only instructions outside of the C library count: there malloc may be
 * left, as far as the library is concerned.
 *
 *   known      a call that the recorder knows
 *   new        one on a call path that is new to it: its tables change
 *   unseen     one from a place that it never saw: that place is learned
 *   threads    new ones, while another thread makes new ones all the time
 *
 * The file "recorded" gets a sign for each child: is it recorded afterwards?
 */
#include "library.h"
#include "paths.h"
#include "told.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <tracemalloc.h>
#include <ucontext.h>
#include <unistd.h>

enum { TRAP_FLAG = 1 << 8, AFTER = 1200 };

static sigjmp_buf landing;
static long steps_left;
static volatile bool step_on, recorded;

static bool holds_signals(const greg_t *registers)
{
    enum { SYSCALL = 0x050f };
    bool is_call = *(const uint16_t *)registers[REG_RIP] == SYSCALL;
    return is_call && registers[REG_RAX] == SYS_rt_sigprocmask && registers[REG_RDI] != -1;
}

static void after_a_step(int signal, siginfo_t *info, void *raw)
{
    ucontext_t *context = raw;
    greg_t *registers = context->uc_mcontext.gregs;
    (void)signal, (void)info;
    if (step_on && !in_library((uintptr_t)registers[REG_RIP]) && --steps_left < 0) {
        step_on = false;
        siglongjmp(landing, 1);
    }
    if (step_on && !holds_signals(registers))
        registers[REG_EFL] |= TRAP_FLAG;
    else
        registers[REG_EFL] &= ~TRAP_FLAG;
}

/* At the end of a call path: what is left by the jump; and afterwards, from the very same frame, a look whether
   it is recorded. */
#define INTERRUPTED_CALL(name)                                                                               \
    NOT_INLINED static void name(size_t size)                                                                \
    {                                                                                                        \
        size_t before, with;                                                                                 \
        step_on = steps_left > 0;                                                                            \
        if (step_on)                                                                                         \
            raise(SIGTRAP);                                                                                  \
        void *block = malloc(size);                                                                          \
        step_on = false;                                                                                     \
        free(block);                                                                                         \
        tracemalloc_get_traced_memory(&before, NULL);                                                        \
        block = malloc(1000);                                                                                \
        tracemalloc_get_traced_memory(&with, NULL);                                                          \
        free(block);                                                                                         \
        recorded = with > before + 1000 - 100; /* another thread has a block of 30 bytes now and then */     \
    }
INTERRUPTED_CALL(seen_call)
INTERRUPTED_CALL(unseen_call)

/* --- afterwards ------------------------------------------------------------------------------------- */

NOT_INLINED static void afterwards(size_t size)
{
    free(malloc(size));
    NOT_A_TAIL_CALL;
}

static atomic_bool enough;

static void *other_thread(void *unused)
{
    for (unsigned path = 1; !enough; path = path % 4096 + 1)
        on_path(path, afterwards, 30);
    return unused;
}

/* Three times in the same place: the first time it is let be, the second time it is left, the third time it is
   as before. */
static void interrupt(const char *how, long steps)
{
    static volatile int round;
    void (*const call)(size_t) = strcmp(how, "unseen") ? seen_call : unseen_call;
    unsigned path = 6 + (strcmp(how, "known") != 0);
    sigsetjmp(landing, 1);
    while (round < 3) {
        bool first = round++ == 0;
        steps_left = round == 2 ? steps : 0;
        on_path(first ? 6 : path, first ? seen_call : call, 10);
    }
}

static void be_child(const char *how, long steps)
{
    pthread_t thread;
    bool threads = !strcmp(how, "threads");
    alarm(30);
    if (threads)
        must(!pthread_create(&thread, NULL, other_thread, NULL));
    interrupt(how, steps);
    bool at_once = recorded;
    for (unsigned path = 1; path <= AFTER; path++)
        on_path(path, afterwards, 20);
    if (threads) {
        enough = true;
        pthread_join(thread, NULL);
    }
    seen_call(10);
    _exit(at_once && recorded ? 3 : 4);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    find_library();
    struct sigaction action = {.sa_sigaction = after_a_step, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    int signs = open("recorded", O_CREAT | O_TRUNC | O_WRONLY, 0600), children = atoi(argv[2]);
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        int status;
        if (pid == 0)
            be_child(argv[1], 1 + i * atol(argv[3]));
        must(waitpid(pid, &status, 0) == pid);
        must(WIFEXITED(status) && (WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 4));
        must(write(signs, WEXITSTATUS(status) == 3 ? "+" : "-", 1) == 1);
    }
    puts("all came through");
    return 0;
}
