// SPDX-License-Identifier: MIT
/*
 * small_stacks: allocates on stacks as small as can be, with an unreadable page below; and measures on a
 * painted stack how much of it each kind of call takes.
 */
#include "new_sites.h"
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
    PAINTED = 256 * 1024,
    PAINT = 0xa5,
    KNOWN_MAX = 2048,           /* of a call from where calls came before; the allocator's own included */
    NEW_MAX = 8192,             /* of any other; binding it lazily takes three of it */
    PAGE = 4096,
};

static ucontext_t here, there;
static void (*called)(void);

static void enter(void)
{
    called();
}

static void call_on(char *stack, size_t size, void (*function)(void))
{
    called = function;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = size;
    there.uc_link = &here;
    makecontext(&there, enter, 0);
    swapcontext(&here, &there);
}

/* --- what is called ------------------------------------------------------------------------------------- */

static void known_code(void)
{
    for (int i = 0; i < 3; i++)
        counted_free(counted_malloc(10), 10);
}

static void new_code(void)
{
    counted_free(new_site_malloc(10), 10);
}

static void other_functions(void)
{
    free(calloc(3, 10));
    free(realloc(malloc(10), 5000));
    free(memalign(64, 100));
}

/* So many that a child begins a file of its own. */
static void many(void)
{
    for (int i = 0; i < 2000; i++)
        counted_free(counted_malloc(10), 10);
}

/* --- painted -------------------------------------------------------------------------------------------- */

static char *painted;
static bool within = true;

static void measure(const char *what, void (*function)(void), size_t most)
{
    size_t clean = 0;
    memset(painted, PAINT, PAINTED);
    call_on(painted, PAINTED, function);
    while ((unsigned char)painted[clean] == PAINT)
        clean++;
    if (PAINTED - clean <= most)
        return;
    within = false;
    fprintf(stderr, "%s: %zu bytes of stack\n", what, PAINTED - clean);
}

static void measure_all(void)
{
    measure("the first call", known_code, NEW_MAX);
    measure("a known call", known_code, KNOWN_MAX);
    measure("new code", new_code, NEW_MAX);
    measure("new code", new_code, NEW_MAX);
    measure("other functions", other_functions, NEW_MAX);
    measure("many calls", many, NEW_MAX);
}

static void *measure_in_thread(void *unused)
{
    measure_all();
    return unused;
}

/* --- small ---------------------------------------------------------------------------------------------- */

static char *stack_with_guard(size_t size)
{
    char *stack = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(stack, PAGE, PROT_NONE);
    return stack + PAGE;
}

static void *in_small_thread(void *unused)
{
    known_code();
    new_code();
    other_functions();
    return unused;
}

static void run_small_thread(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN));
    if (pthread_create(&thread, &attributes, in_small_thread, NULL))
        abort();
    pthread_join(thread, NULL);
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
    (void)signal;
    known_code();
    new_code();
    handled++;
}

/* Room for what the kernel puts there, and 2 KiB. */
static void handle_on_small_stack(void)
{
    size_t size = (getauxval(AT_MINSIGSTKSZ) + 2048 + 15) & ~(size_t)15;
    size_t pages = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    stack_t stack = {.ss_sp = stack_with_guard(pages), .ss_size = size};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 10; i++)
        raise(SIGUSR1);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

int main(void)
{
    pthread_t thread;
    painted = mmap(NULL, PAINTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    measure_all();
    pthread_create(&thread, NULL, measure_in_thread, NULL);
    pthread_join(thread, NULL);
    run_small_thread();
    call_on(stack_with_guard(2 * PAGE), 2 * PAGE, known_code);
    call_on(stack_with_guard(2 * PAGE), 2 * PAGE, new_code);
    handle_on_small_stack();
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        measure_all();
        _exit(!within);
    }
    waitpid(pid, &status, 0);
    printf("%s, %d handled, the child's status %d\n", within ? "within" : "too much", (int)handled, status);
    counted_print();
    return 0;
}
