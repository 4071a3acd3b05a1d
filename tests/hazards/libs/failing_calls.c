// SPDX-License-Identifier: MIT
/*
 * Preloaded with the recorder that has points: FAIL=N,ERROR in the environment makes the Nth system call of
 * the recorder fail with that error (a number), FAIL=N+,ERROR the Nth and all after it; FAIL=N,ERROR,CALL
 * counts only calls of that number.  Otherwise calls are not counted that cannot fail, that clear up or tell
 * of failures, and rt_sigprocmask, which asks whether a page can be read, thousands of times.  At the end the
 * file that FAIL_COUNT names gets how many there were.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic long calls;
static long first = -1, last = -1, error, only = -1;

/* The recorder may come before libc has an environment. */
static const char *variable(const char *name, char *buffer, size_t size)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
    long got = syscall(SYS_read, fd, buffer, size - 1);
    syscall(SYS_close, fd);
    buffer[got > 0 ? got : 0] = 0;
    for (const char *at = buffer; at < buffer + got; at += strlen(at) + 1)
        if (!strncmp(at, name, strlen(name)) && at[strlen(name)] == '=')
            return at + strlen(name) + 1;
    return NULL;
}

static void read_orders(void)
{
    static char buffer[64 * 1024];
    char *at;
    const char *orders = variable("FAIL", buffer, sizeof buffer);
    if (!orders)
        return;
    last = strtol(orders, &at, 10);
    first = last;
    if (*at == '+') {
        last = __LONG_MAX__;
        at++;
    }
    error = *at ? strtol(at + 1, &at, 10) : 0;
    only = *at ? strtol(at + 1, &at, 10) : -1;
}

static int is_exempt(long number)
{
    static const long numbers[] = {SYS_getpid,      SYS_getppid, SYS_gettid, SYS_clock_gettime,  SYS_futex,
                                   SYS_sched_yield, SYS_tgkill,  SYS_close,  SYS_unlinkat,
                                   SYS_write,       SYS_rt_sigprocmask};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number)
            return 1;
    return 0;
}

long libtrace_call(long number, long a, long b, long c)
{
    static _Atomic int known;
    (void)a, (void)b, (void)c;
    if (!atomic_exchange(&known, 1))
        read_orders();
    if (only >= 0 ? number != only : is_exempt(number))
        return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    return call >= first && call <= last ? -error : 0;
}

__attribute__((destructor)) static void say_how_many(void)
{
    const char *name = getenv("FAIL_COUNT");
    char text[24];
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    int size = snprintf(text, sizeof text, "%ld\n", calls);
    if (fd >= 0 && write(fd, text, (size_t)size) != size)
        abort();
    close(fd);
}
