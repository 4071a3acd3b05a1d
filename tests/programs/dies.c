// SPDX-License-Identifier: MIT
/*
 * dies HOW: makes 1234 blocks of 10 bytes, then ends in the way that it is told.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) static void allocate(void)
{
    for (int i = 0; i < 1234; i++) {
        void *volatile block = malloc(10);
        (void)block;
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    allocate();
    if (!strcmp(how, "return"))
        return 7;
    if (!strcmp(how, "exit"))
        exit(7);
    if (!strcmp(how, "_exit"))
        _exit(7);
    if (!strcmp(how, "quick_exit"))
        quick_exit(7);
    if (!strcmp(how, "exit_group"))
        syscall(SYS_exit_group, 7);
    if (!strcmp(how, "abort"))
        abort();
    if (!strcmp(how, "kill"))
        raise(SIGKILL);
    if (!strcmp(how, "segv"))
        *(volatile int *)8 = 0;
    if (!strcmp(how, "exec"))
        execl("/bin/true", "true", (char *)NULL);
    if (!strcmp(how, "pause"))
        pause();
    return 1;
}
