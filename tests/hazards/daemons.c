// SPDX-License-Identifier: MIT
/*
 * daemons HOW: allocates, becomes a daemon that leaves its directory and closes every descriptor, allocates
 * more, and says so with a file "done" where it was started.
 *
 *   daemon     by libc's function
 *   twice      by forking twice, with a new session between
 */
#include "told.h"
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile sink;

NOT_INLINED static void before(void)
{
    for (int i = 0; i < 500; i++)
        sink = malloc(100);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void after(void)
{
    for (int i = 0; i < 1500; i++)
        sink = malloc(10);
    NOT_A_TAIL_CALL;
}

/* Only the grandchild comes back. */
static void fork_twice(void)
{
    int status;
    pid_t pid = fork();
    must(pid >= 0);
    if (pid) {
        must(waitpid(pid, &status, 0) == pid && status == 0);
        exit(0);
    }
    must(setsid() > 0);
    if (fork())
        exit(0);
    must(chdir("/") == 0);
}

int main(int argc, char **argv)
{
    static char done[4096];
    if (argc != 2 || !getcwd(done, sizeof done - 8))
        return 2;
    strcat(done, "/done");
    before();
    if (!strcmp(argv[1], "daemon"))
        must(daemon(0, 0) == 0);
    else
        fork_twice();
    must(syscall(SYS_close_range, 0, ~0u, 0) == 0);
    after();
    must(open(done, O_CREAT | O_EXCL | O_WRONLY, 0600) == 0);
    return 0;
}
