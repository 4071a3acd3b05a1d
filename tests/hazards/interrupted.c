// SPDX-License-Identifier: MIT
/*
 * interrupted HOW COUNT: a handler allocates and frees, wherever it comes, but inside of the C library.
 *
 *   stepped    after each single instruction of COUNT rounds of calls, and of whatever stands between them
 *              and the library
 *   timers     COUNT times, 10,000 times a second, by two timers
 *
 * Frees all that it allocates, and writes how many blocks were born into the file "born".
 */
#include "library.h"
#include "paths.h"
#include "told.h"
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { POOL = 200, TRAP_FLAG = 1 << 8 };

static long signals;
static bool stepping;                   /* as a whole, ... */
static volatile bool step_on;           /* ... and just now */
static long born;                       /* only the one thread, and its handler, count here */
static void *_Atomic pool[POOL];

/* --- the handler ------------------------------------------------------------------------------------ */

/* Adds without being torn by itself. */
static void count_born(long blocks)
{
    __atomic_fetch_add(&born, blocks, __ATOMIC_RELAXED);
}

static void renew(int number)
{
    free(atomic_exchange(&pool[number], malloc(50)));
    count_born(1);
}

NOT_INLINED static void in_handler(void)
{
    void *block = malloc((size_t)signals % 300);
    block = realloc(block, 400);
    must(block);
    free(block);
    count_born(2);
    int number = (int)(signals % (5 * POOL));
    if (number < POOL) {
        renew(number);                  /* dies while the recorder is at work, with too many others */
    }
    NOT_A_TAIL_CALL;
}

static void handle(const ucontext_t *context)
{
    if (in_library((uintptr_t)context->uc_mcontext.gregs[REG_RIP]))
        return;
    signals++;
    in_handler();
}

static void by_timer(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    handle(context);
}

/* A step while the signal is held back would be the end. */
static bool may_step(const greg_t *registers)
{
    enum { SYSCALL = 0x050f };
    bool is_call = *(const uint16_t *)registers[REG_RIP] == SYSCALL;
    return step_on && !(is_call && registers[REG_RAX] == SYS_rt_sigprocmask && registers[REG_RDI] != -1);
}

static void after_a_step(int signal, siginfo_t *info, void *raw)
{
    ucontext_t *context = raw;
    greg_t *registers = context->uc_mcontext.gregs;
    (void)signal, (void)info;
    handle(context);
    if (may_step(registers))
        registers[REG_EFL] |= TRAP_FLAG;
    else
        registers[REG_EFL] &= ~TRAP_FLAG;
}

/* --- what is interrupted ---------------------------------------------------------------------------- */

NOT_INLINED static void fill_pool(void)
{
    for (int i = 0; i < POOL; i++)
        renew(i);
}

NOT_INLINED static void in_main(size_t size)
{
    if (stepping) {
        fill_pool();
        step_on = true;
        raise(SIGTRAP);
    }
    void *block = malloc(size), *other = calloc(3, size);
    block = realloc(block, 2 * size + 1);
    must(block && other);
    free(block);
    free(other);
    step_on = false;
    count_born(3);
}

static void on_signal(int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);        /* none shall think that it interrupted a handler only */
    sigaction(signal, &action, NULL);
}

static void start_timers(void)
{
    struct itimerval often = {{0, 200}, {0, 200}};
    struct itimerspec often_too = {{0, 200000}, {0, 100000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    on_signal(SIGALRM, by_timer);
    on_signal(SIGUSR1, by_timer);
    must(!timer_create(CLOCK_MONOTONIC, &event, &timer) && !timer_settime(timer, 0, &often_too, NULL));
    must(!setitimer(ITIMER_REAL, &often, NULL));
}

static void hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void tell_born(void)
{
    char text[32];
    int file = open("born", O_CREAT | O_TRUNC | O_WRONLY, 0600), size = sprintf(text, "%ld\n", born);
    must(write(file, text, (size_t)size) == size);
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    if (argc != 3)
        return 2;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);     /* which is nobody's block */
    find_library();
    fill_pool();
    long wanted = atol(argv[2]);
    stepping = !strcmp(argv[1], "stepped");
    if (stepping)
        on_signal(SIGTRAP, after_a_step);
    else
        start_timers();
    for (unsigned path = 1; (stepping ? path : signals) <= wanted; path++)
        on_path(path % 4096 + 1, in_main, path % 500);
    hold_signals();
    for (int i = 0; i < POOL; i++)
        free(pool[i]);
    tell_born();
    puts("all freed");
    return 0;
}
