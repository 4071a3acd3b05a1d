// SPDX-License-Identifier: MIT
/*
 * processes HOW ...: makes 500 blocks of 100 bytes, then another process in the way that it is told.  That one,
 * `processes leaf N`, or the daemon itself, makes N blocks of 10 bytes.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static void *volatile sink;

__attribute__((noinline)) static void in_parent(void)
{
    for (int i = 0; i < 500; i++)
        sink = malloc(100);
    __asm__ volatile("");
}

__attribute__((noinline)) static void in_leaf(int n)
{
    for (int i = 0; i < n; i++)
        sink = malloc(10);
    __asm__ volatile("");
}

static int by_spawn(char *self, char *n)
{
    char *arguments[] = {self, "leaf", n, NULL};
    pid_t pid;
    int status = 1;
    if (posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0)
        waitpid(pid, &status, 0);
    return status != 0;
}

static int by_shell(const char *self, const char *n, int pipe)
{
    char command[4096];
    snprintf(command, sizeof command, "'%s' leaf %s", self, n);
    if (!pipe)
        return system(command) != 0;
    FILE *stream = popen(command, "r");
    return !stream || pclose(stream) != 0;
}

/* chain N: replaces itself N times. */
static int chain(char *self, int n)
{
    char rest[16];
    snprintf(rest, sizeof rest, "%d", n - 1);
    if (n)
        execl(self, self, "chain", rest, (char *)NULL);
    return 0;
}

static int as_daemon(int n)
{
    if (daemon(1, 1))
        return 1;
    in_leaf(n);
    return 0;
}

static int twice_forked(int n)
{
    pid_t pid = fork();
    if (pid) {
        waitpid(pid, NULL, 0);
        return 0;
    }
    if (fork() == 0)
        in_leaf(n);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *how = argv[1];
    int n = atoi(argv[2]);
    if (!strcmp(how, "leaf")) {
        in_leaf(n);
        return 0;
    }
    in_parent();
    if (!strcmp(how, "spawn"))
        return by_spawn(argv[0], argv[2]);
    if (!strcmp(how, "system"))
        return by_shell(argv[0], argv[2], 0);
    if (!strcmp(how, "popen"))
        return by_shell(argv[0], argv[2], 1);
    if (!strcmp(how, "chain"))
        return chain(argv[0], n);
    if (!strcmp(how, "daemon"))
        return as_daemon(n);
    if (!strcmp(how, "twice"))
        return twice_forked(n);
    return 2;
}
