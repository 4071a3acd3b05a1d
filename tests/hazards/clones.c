// SPDX-License-Identifier: MIT
/*
 * clones HOW: children that are made behind libc's back, or of a process that is busy.
 *
 *   clone, fork    the bare system call
 *   _Fork          libc's, which calls no handlers
 *   zygote         TEN children of a process whose threads allocate all the time, each with one of its own
 */
#include "told.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENTS = 300, CHILDS = 1500, GRANDCHILDS = 1100, FREED = 100, LATER = 7, TEN = 10, THREADS = 3 };

static void *blocks[PARENTS], *volatile sink;

NOT_INLINED static void in_parent(int count)
{
    for (int i = 0; i < count; i++)
        blocks[i] = malloc(100);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void in_child(int count)
{
    for (int i = 0; i < count; i++)
        sink = malloc(10);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void in_grandchild(int count)
{
    for (int i = 0; i < count; i++)
        sink = malloc(10);
    NOT_A_TAIL_CALL;
}

static pid_t make_child(const char *how)
{
    if (!strcmp(how, "clone"))
        return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (!strcmp(how, "fork"))
        return (pid_t)syscall(SYS_fork);
    return _Fork();
}

static void end_well(pid_t pid)
{
    int status;
    must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void by(const char *how)
{
    pid_t pid = make_child(how);
    if (pid == 0) {
        in_child(CHILDS);
        for (int i = 0; i < FREED; i++)
            free(blocks[i]);
        _exit(3);
    }
    end_well(pid);
}

/* --- zygote ----------------------------------------------------------------------------------------- */

static atomic_bool enough;

NOT_INLINED static void in_thread(void)
{
    for (size_t i = 0; !enough; i++)
        free(malloc(i % 1000));
    NOT_A_TAIL_CALL;
}

static void *thread(void *unused)
{
    in_thread();
    return unused;
}

static void be_child(void)
{
    in_child(CHILDS);
    pid_t pid = fork();
    if (pid == 0) {
        in_grandchild(GRANDCHILDS);
        exit(3);
    }
    end_well(pid);
    exit(3);
}

static void zygote(void)
{
    pthread_t threads[THREADS];
    pid_t children[TEN];
    for (int i = 0; i < THREADS; i++)
        must(!pthread_create(&threads[i], NULL, thread, NULL));
    for (int i = 0; i < TEN; i++)
        if ((children[i] = fork()) == 0)
            be_child();
    for (int i = 0; i < TEN; i++)
        end_well(children[i]);
    enough = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    in_parent(PARENTS);
    if (strcmp(argv[1], "zygote"))
        by(argv[1]);
    else
        zygote();
    in_parent(LATER);
    tell("in_parent", "allocations", PARENTS + LATER);
    tell("in_parent", "frees", 0);
    tell("in_child", "allocations", 0);
    tell("in_grandchild", "allocations", 0);
    return 0;
}
