// SPDX-License-Identifier: MIT
/*
 * vforks HOW [N]: children that share their parent's memory allocate, and free what is the parent's.
 *
 *   main      the first thread, which has allocated before
 *   fresh N   a thread whose first allocation is its child's, while N others live
 *   killed    the child kills itself
 *   spawn, popen    the child is another program, which allocates for itself
 */
#include "told.h"
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENTS = 300, CHILDS = 50, FREED = 20, LATER = 30, EACH = 10000 };

extern char **environ;
static void *blocks[PARENTS], *volatile of_child[CHILDS];
static char *self;

NOT_INLINED static void in_parent(void)
{
    for (int i = 0; i < PARENTS; i++)
        blocks[i] = malloc(100);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void in_child(void)
{
    for (int i = 0; i < CHILDS; i++)
        of_child[i] = malloc(20);
    for (int i = 0; i < FREED; i++)
        free(blocks[i]);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static int by_vfork(bool killed)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        in_child();
        if (killed)
            kill(getpid(), SIGKILL);
        _exit(3);
    }
    must(pid > 0 && waitpid(pid, &status, 0) == pid);
    return killed ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- among others ----------------------------------------------------------------------------------- */

static pthread_barrier_t all_live, child_done;

NOT_INLINED static void in_thread(int size, int times)
{
    for (int i = 0; i < times; i++)
        free(malloc((size_t)size));
    NOT_A_TAIL_CALL;
}

/* Each has had its first allocation before the child, and the rest while nobody has gone. */
static void *thread(void *unused)
{
    in_thread(1, 1);
    pthread_barrier_wait(&all_live);
    pthread_barrier_wait(&child_done);
    in_thread(1, EACH - 1);
    return unused;
}

static void *later(void *unused)
{
    in_thread(2, EACH);
    return unused;
}

static void *fresh(void *unused)
{
    pthread_t threads[LATER];
    pthread_barrier_wait(&all_live);
    must(by_vfork(false) == 3);
    pthread_barrier_wait(&child_done);
    for (int i = 0; i < LATER; i++)
        must(!pthread_create(&threads[i], NULL, later, NULL));
    in_thread(3, EACH);
    for (int i = 0; i < LATER; i++)
        pthread_join(threads[i], NULL);
    return unused;
}

static void among_others(int others)
{
    pthread_t *threads = malloc((size_t)(others + 1) * sizeof *threads);
    pthread_barrier_init(&all_live, NULL, (unsigned)others + 1);
    pthread_barrier_init(&child_done, NULL, (unsigned)others + 1);
    for (int i = 0; i <= others; i++)
        must(!pthread_create(&threads[i], NULL, i == others ? fresh : thread, NULL));
    for (int i = 0; i <= others; i++)
        pthread_join(threads[i], NULL);
    tell("in_thread", "allocations", (others + 1 + LATER) * EACH);
    tell("in_thread", "frees", (others + 1 + LATER) * EACH);
    tell("in_thread", "current_bytes", 0);
}

/* --- other programs --------------------------------------------------------------------------------- */

static int by_spawn(void)
{
    char *arguments[] = {self, "leaf", NULL};
    pid_t pid;
    int status;
    must(!posix_spawn(&pid, self, NULL, NULL, arguments, environ) && waitpid(pid, &status, 0) == pid);
    return WEXITSTATUS(status);
}

static int by_popen(void)
{
    char command[4096], answer[64] = "";
    snprintf(command, sizeof command, "'%s' leaf", self);
    FILE *stream = popen(command, "r");
    must(stream && fgets(answer, sizeof answer, stream) && !strcmp(answer, "leaf\n"));
    return WEXITSTATUS(pclose(stream));
}

static void leaf(void)
{
    for (int i = 0; i < 40; i++)
        in_parent();
    puts("leaf");
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    self = argv[0];
    if (!strcmp(how, "leaf")) {
        leaf();
        return 3;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    in_parent();
    bool own = true;
    if (!strcmp(how, "main"))
        must(by_vfork(false) == 3);
    else if (!strcmp(how, "killed"))
        must(by_vfork(true) == SIGKILL);
    else if (!strcmp(how, "fresh"))
        among_others(atoi(argv[2]));
    else
        own = (!strcmp(how, "spawn") ? by_spawn() : by_popen()) != 3;
    tell("in_parent", "allocations", PARENTS);
    tell("in_parent", "frees", own ? FREED : 0);
    tell("in_child", "allocations", own ? CHILDS : 0);
    tell("in_child", "current_bytes", own ? CHILDS * 20 : 0);
    return 0;
}
