// SPDX-License-Identifier: MIT
/*
 * Parent: 500 blocks of 100 bytes, then a child, then 7 more.  The child of `forks N`: N blocks of 10
 * bytes, frees 100 of the parent's.  `forks vfork`: the child allocates 50 blocks of 20 bytes, which are
 * the parent's own.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *inherited[500];
static void *volatile sink;

__attribute__((noinline)) static void in_parent(int n)
{
    for (int i = 0; i < n; i++)
        inherited[i] = malloc(100);
    __asm__ volatile("");
}

__attribute__((noinline)) static void in_child(int n, size_t size)
{
    for (int i = 0; i < n; i++)
        sink = malloc(size);
    __asm__ volatile("");
}

int main(int argc, char **argv)
{
    int status;
    if (argc != 2)
        return 2;
    in_parent(500);
    if (!strcmp(argv[1], "vfork")) {
        pid_t pid = vfork();
        if (pid == 0) {
            in_child(50, 20);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        return 0;
    }
    pid_t pid = fork();
    if (pid == 0) {
        in_child(atoi(argv[1]), 10);
        for (int i = 0; i < 100; i++)
            free(inherited[i]);
        exit(3);
    }
    waitpid(pid, &status, 0);
    in_parent(7);
    return 0;
}
