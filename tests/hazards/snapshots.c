// SPDX-License-Identifier: MIT
/*
 * snapshots WHAT N: what befalls a program while a snapshot is taken, or points of the timeline move.
 *
 *   killed N       is killed in the midst of its Nth snapshot
 *   writing N      is killed while the Nth point is written, or moved: that is 1024 and more
 *   handler        a handler that comes in the midst of one allocates, and asks for another
 *   jumps          a handler jumps out of the midst of one
 *   _Fork          another thread forks meanwhile, asking nobody; the child takes one of its own
 *   thread         another thread asks for one meanwhile
 *
 * Prints what the snapshots returned, and at the end "done".
 */
#include "counted.h"
#include "tracemalloc.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *what;
static long wanted;
static _Atomic long taken, written;
static sigjmp_buf back;
static pthread_t other;
static _Atomic bool other_runs, other_is_done, main_is_there;

static void take(const char *label)
{
    int result = tracemalloc_take_snapshot(label);
    printf("%s: %s\n", label, result == -EAGAIN ? "EAGAIN" : result ? strerror(-result) : "taken");
}

static void on_signal(int number)
{
    (void)number;
    if (!strcmp(what, "jumps"))
        siglongjmp(back, 1);
    counted_free(counted_malloc(10), 10);
    take("in the handler");
}

static void in_the_midst(void)
{
    long n = ++taken;
    if (!strcmp(what, "killed") && n == wanted)
        kill(getpid(), SIGKILL);
    if ((!strcmp(what, "handler") || !strcmp(what, "jumps")) && n == 2)
        raise(SIGUSR1);
    if ((!strcmp(what, "_Fork") || !strcmp(what, "thread")) && n == 2) {
        main_is_there = true;
        for (int i = 0; i < 100 && !other_is_done; i++)
            usleep(1000);
    }
}

void libtrace_point(const char *name)
{
    if (!strcmp(name, "taking a snapshot"))
        in_the_midst();
    if (!strcmp(name, "writing a point") && !strcmp(what, "writing") && ++written == wanted)
        kill(getpid(), SIGKILL);
}

static void fork_meanwhile(void)
{
    pid_t child = _Fork();
    if (child == 0) {
        alarm(10);
        counted_malloc(10);
        tracemalloc_take_snapshot("of the child");
        _exit(7);
    }
    int status = -1;
    waitpid(child, &status, 0);
    printf("the child's status: %d\n", WEXITSTATUS(status));
}

static void *other_thread(void *unused)
{
    counted_free(counted_malloc(20), 20);
    other_runs = true;
    while (!main_is_there)
        usleep(100);
    if (!strcmp(what, "_Fork"))
        fork_meanwhile();
    else
        take("of the other");
    other_is_done = true;
    return unused;
}

/* Until the points have to move: they are a millisecond apart. */
static void allocate_for_long(void)
{
    for (int i = 0; i < 20000; i++) {
        free(malloc(100));
        usleep(100);
    }
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    what = argc > 1 ? argv[1] : "";
    wanted = argc > 2 ? atol(argv[2]) : 0;
    signal(SIGUSR1, on_signal);
    if (!strcmp(what, "writing"))
        allocate_for_long();
    if (!strcmp(what, "_Fork") || !strcmp(what, "thread")) {
        pthread_create(&other, NULL, other_thread, NULL);
        while (!other_runs)
            usleep(100);
    }
    counted_malloc(100);
    take("one");
    counted_malloc(100);
    if (!sigsetjmp(back, 1))
        take("two");
    counted_malloc(100);
    take("three");
    if (other)
        pthread_join(other, NULL);
    puts("done");
    return 0;
}
