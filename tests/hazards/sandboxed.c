// SPDX-License-Identifier: MIT
/*
 * sandboxed WHAT END [BY [ACTION]]: forbids itself all system calls but those that malloc and an end take,
 * and allocates.
 *
 *   WHAT    seen     where it did before
 *           new      on call paths that are new, of places that are not
 *           unseen   in places that it never was in
 *           beyond   the same, called by the C library
 *           child    the same as new, in the child of a fork
 *   END     exit, _exit
 *   BY      prctl (the default), seccomp: the call that does it
 *   ACTION  kill (the default), errno: what becomes of a call that is forbidden
 */
#include "paths.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES = 3000 };

static void *volatile block;

#define ALLOW(call)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter rules[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_mremap), ALLOW(SYS_brk), ALLOW(SYS_madvise),
    ALLOW(SYS_futex), ALLOW(SYS_write), ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static void lock_up(bool by_seccomp, bool mildly)
{
    if (mildly)
        rules[sizeof rules / sizeof *rules - 1].k = SECCOMP_RET_ERRNO | EPERM;
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (by_seccomp)
        must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    else
        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

NOT_INLINED static void seen(size_t size)
{
    block = malloc(size);
    free(block);
}

NOT_INLINED static void unseen(size_t size)
{
    block = malloc(size);
    block = realloc(block, 2 * size);
    free(block);
    block = calloc(2, size);
    free(block);
}

static long compared;

static int beyond(const void *a, const void *b)
{
    unseen(24);
    compared++;
    return *(const int *)a - *(const int *)b;
}

static void sort(void)
{
    int numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};
    qsort(numbers, sizeof numbers / sizeof *numbers, sizeof *numbers, beyond);
    must(numbers[0] == 1 && numbers[7] == 9);
}

static void work(const char *what)
{
    if (!strcmp(what, "seen"))
        for (int i = 0; i < TIMES; i++)
            on_path(2, seen, 24);
    else if (!strcmp(what, "new") || !strcmp(what, "child"))
        for (unsigned path = 1; path <= TIMES; path++)
            on_path(path, seen, 24);
    else if (!strcmp(what, "unseen"))
        unseen(24);
    else
        sort();
}

static void tell_all(const char *what)
{
    long seen_blocks = 8, unseen_blocks = 0;
    if (!strcmp(what, "seen") || !strcmp(what, "new"))
        seen_blocks += TIMES;
    else if (!strcmp(what, "unseen"))
        unseen_blocks = 3;
    else if (!strcmp(what, "beyond"))
        unseen_blocks = 3 * compared;
    tell("seen", "allocations", seen_blocks);
    tell("unseen", "allocations", unseen_blocks);
    tell("totals", "missed_events", 0);
    tell("totals", "current_blocks", 0);
}

static int end_of(pid_t child)
{
    int status;
    must(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    if (argc < 3)
        return 2;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (unsigned path = 1; path <= 8; path++)
        on_path(path, seen, 24);
    pid_t child = strcmp(argv[1], "child") ? 0 : fork();
    if (child)
        return end_of(child);
    lock_up(argc > 3 && !strcmp(argv[3], "seccomp"), argc > 4 && !strcmp(argv[4], "errno"));
    work(argv[1]);
    tell_all(argv[1]);
    puts("done");
    fflush(stdout);
    if (!strcmp(argv[2], "_exit"))
        _exit(3);
    return 3;
}
