// SPDX-License-Identifier: MIT
/*
 * surroundings LIBRARY ARGUMENT...: prints what a process finds around itself: arguments, environment,
 * threads, descriptors, signals, limits; after it has allocated here and there.
 */
#include "new_sites.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

static void print_environment(void)
{
    static const char *const ours[] = {"LD_PRELOAD=", "LIBTRACE_OPTIONS=", "_="};
    for (char **e = environ; *e; e++) {
        int is_ours = 0;
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            is_ours += !strncmp(*e, ours[i], strlen(ours[i]));
        if (!is_ours)
            printf("environment: %s\n", *e);
    }
}

static void print_directory(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    while (directory && readdir(directory))
        count++;
    closedir(directory);
    printf("%s: %d\n", path, count);
}

static void print_signals(void)
{
    sigset_t set;
    stack_t stack;
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            printf("signal %d has a handler\n", signal);
    }
    sigprocmask(SIG_SETMASK, NULL, &set);
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&set, signal))
            printf("signal %d is blocked\n", signal);
    sigaltstack(NULL, &stack);
    printf("alternate stack: %d\n", stack.ss_flags);
}

static void print_process(void)
{
    struct itimerval timer;
    mode_t mask = umask(022);
    getitimer(ITIMER_REAL, &timer);
    printf("umask %o, dumpable %d, priority %d, name %s, timer %ld\n", (unsigned)mask, prctl(PR_GET_DUMPABLE),
           getpriority(PRIO_PROCESS, 0), program_invocation_short_name, (long)timer.it_value.tv_usec);
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        printf("limit %d: %lu %lu\n", i, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    }
}

int main(int argc, char **argv)
{
    printf("%d arguments, %s\n", argc, program_invocation_name);
    for (int i = 0; i < 100; i++)
        counted_free(new_site_malloc(10), 10);
    printf("library: %s\n", dlopen(argv[1], RTLD_NOW) ? "loaded" : dlerror());
    print_environment();
    print_signals();
    print_process();
    print_directory("/proc/self/task");
    print_directory("/proc/self/fd");
    /* Only a process of one thread may. */
    if (unshare(CLONE_NEWUSER) && errno != EPERM && errno != ENOSPC)
        printf("unshare: %s\n", strerror(errno));
    counted_print();
    return 0;
}
