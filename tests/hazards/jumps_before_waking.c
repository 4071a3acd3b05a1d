// SPDX-License-Identifier: MIT
/*
 * jumps_before_waking: a handler jumps out of a heap call that has just dropped a lock, and was about to wake the
 * thread that waits for it.  Nobody else would ever.
 */
#include "told.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Volatile: malloc is declared to call nothing of this file. */
static __thread volatile bool holds, jumps __attribute__((tls_model("initial-exec")));
static _Atomic bool waits;
static sem_t held;
static sigjmp_buf landing;

/* The lock is held until the other thread sleeps. */
void libtrace_point(const char *name)
{
    if (!holds || strcmp(name, "&world.tables"))
        return;
    holds = false;
    sem_post(&held);
    while (!waits)
        sched_yield();
    usleep(50 * 1000);
}

long libtrace_call(long number, long a, long b, long c)
{
    (void)a, (void)c;
    if (number == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAIT)
        waits = true;
    if (number != SYS_futex || (b & FUTEX_CMD_MASK) != FUTEX_WAKE || !jumps)
        return 0;
    jumps = false;
    siglongjmp(landing, 1);
}

NOT_INLINED static void allocate(int depth)
{
    if (depth)
        allocate(depth - 1);
    else
        free(malloc(10));
    NOT_A_TAIL_CALL;
}

static void *waiter(void *unused)
{
    while (sem_wait(&held))
        ;
    allocate(2);
    return unused;
}

int main(void)
{
    pthread_t thread;
    alarm(20);
    sem_init(&held, 0, 0);
    must(!pthread_create(&thread, NULL, waiter, NULL));
    allocate(0);
    if (!sigsetjmp(landing, 1)) {
        holds = jumps = true;
        allocate(1);
        /* Without the recorder nothing was held. */
        holds = jumps = false;
        sem_post(&held);
    }
    allocate(0);
    must(!pthread_join(thread, NULL));
    puts("all came through");
    return 0;
}
