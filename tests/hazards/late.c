// SPDX-License-Identifier: MIT
/*
 * late WHO HOW [DIRECTORY]: changes itself in a way that makes files hard to get, then allocates.
 *
 *   WHO    self, whose file exists; or child, of a fork, which has none yet
 *   HOW    chdir, chroot: to DIRECTORY; moved: its directory becomes DIRECTORY; setuid: to nobody;
 *          nofile, fsize, as: limits of descriptors, file sizes, address space
 */
#include "told.h"
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, AFTER = 1500 };

static void *volatile block;

NOT_INLINED static void before(void)
{
    block = malloc(100);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void after(void)
{
    for (int i = 0; i < AFTER; i++) {
        block = malloc(1000);
        must(block);
    }
    NOT_A_TAIL_CALL;
}

static void set_limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    must(setrlimit(resource, &limit) == 0);
}

static void change(const char *how, const char *directory)
{
    char here[4096];
    if (!strcmp(how, "chdir"))
        must(chdir(directory) == 0);
    else if (!strcmp(how, "chroot"))
        must(chroot(directory) == 0 && chdir("/") == 0);
    else if (!strcmp(how, "moved"))
        must(getcwd(here, sizeof here) && rename(here, directory) == 0);
    else if (!strcmp(how, "setuid"))
        must(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    else if (!strcmp(how, "nofile"))
        set_limit(RLIMIT_NOFILE, 0);
    else if (!strcmp(how, "fsize"))
        set_limit(RLIMIT_FSIZE, 100);
    else if (!strcmp(how, "as"))
        set_limit(RLIMIT_AS, 256 << 20);
    else
        abort();
}

static int work(const char *how, const char *directory)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    change(how, directory);
    after();
    tell("before", "allocations", 1);
    tell("after", "allocations", AFTER);
    tell("after", "current_bytes", AFTER * 1000);
    fflush(stdout);
    return 3;
}

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        return 2;
    before();
    if (!strcmp(argv[1], "self"))
        return work(argv[2], argv[3]);
    pid_t pid = fork();
    if (pid == 0)
        return work(argv[2], argv[3]);
    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}
