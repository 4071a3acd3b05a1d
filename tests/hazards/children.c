// SPDX-License-Identifier: MIT
/*
 * children HOW ...: other processes, whose surroundings are not what the recorder may expect.
 *   many N       N children at once, each with a few blocks
 *   generations N  a child's child's child ..., each with many blocks before it has a child itself
 *   empty FILE   runs FILE with an empty environment
 *   blind        its own getenv and setenv know nothing
 */
#include "counted.h"
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of programs that keep variables themselves. */
char *getenv(const char *name)
{
    (void)name;
    return NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
    (void)name, (void)value, (void)overwrite;
    return 0;
}

static int wait_for_all(void)
{
    int status, failed = 0;
    while (wait(&status) > 0)
        failed += status != 0;
    return failed;
}

static int many(int n)
{
    int started[2];
    char byte;
    if (pipe(started))
        return 1;
    for (int i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0) {
            close(started[1]);
            /* All begin at once, when the parent has closed its end. */
            int closed = read(started[0], &byte, 1) == 0;
            for (int k = 0; k < 10; k++)
                counted_malloc(20);
            _exit(!closed);
        }
    }
    close(started[0]);
    close(started[1]);
    return wait_for_all();
}

static int generations(int n)
{
    if (n == 0)
        return 0;
    if (fork() == 0) {
        for (int i = 0; i < 1500; i++)
            counted_malloc(20);
        _exit(generations(n - 1));
    }
    return wait_for_all();
}

static int with_empty_environment(const char *file)
{
    char *none[] = {NULL};
    if (fork() == 0) {
        execle(file, file, (char *)NULL, none);
        _exit(127);
    }
    return wait_for_all();
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc < 2)
        return 2;
    for (int i = 0; i < 50; i++)
        counted_malloc(10);
    if (!strcmp(argv[1], "many"))
        failed = many(atoi(argv[2]));
    else if (!strcmp(argv[1], "generations"))
        failed = generations(atoi(argv[2]));
    else if (!strcmp(argv[1], "empty"))
        failed = with_empty_environment(argv[2]);
    printf("%d failed\n", failed);
    counted_print();
    return 0;
}
