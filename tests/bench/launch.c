// SPDX-License-Identifier: MIT
/*
 * launch [-t SECONDS] REPORT COMMAND...: runs the command, waits for every process that came of it, and
 * appends a line to REPORT: one JSON object.  Exits with the command's status.  Times are of CLOCK_MONOTONIC,
 * `rss` is the command's own peak, or that of a child it waited for.
 *
 * It is static, so that no preload reaches it, and small, because a child's peak RSS is at least that of
 * the process that started it.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static pid_t command;
static volatile sig_atomic_t is_late;

/* The time is up, or the user has had enough. */
static void end_all(int signal)
{
    (void)signal;
    is_late = 1;
    kill(-command, SIGKILL);
}

static double wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* With a time limit the command gets a process group, so that all of it can be ended. */
static int start(char **argv, int limit)
{
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    if (limit) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        signal(SIGALRM, end_all);
        signal(SIGINT, end_all);
        signal(SIGTERM, end_all);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int error = posix_spawnp(&command, argv[0], NULL, &attributes, argv, environ);
    if (!error)
        alarm((unsigned)limit);
    return error;
}

int main(int argc, char **argv)
{
    bool has_limit = argc > 2 && strcmp(argv[1], "-t") == 0;
    int limit = has_limit ? atoi(argv[2]) : 0;
    argv += has_limit ? 3 : 1;
    if (argc < (has_limit ? 5 : 3))
        return 2;

    double begin = wall_ns(), end = begin, last = begin, cpu = 0;
    long rss = 0;
    int status = 0, one;
    struct rusage usage;
    pid_t pid;
    int error = start(argv + 1, limit);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
        return 127;
    }
    while ((pid = wait4(-1, &one, 0, &usage)) > 0 || errno == EINTR) {
        if (pid <= 0)
            continue;
        last = wall_ns();
        cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        if (pid == command) {
            end = last;
            rss = usage.ru_maxrss;
            status = WIFEXITED(one) ? WEXITSTATUS(one) : 128 + WTERMSIG(one);
        }
    }

    FILE *report = fopen(argv[0], "a");
    if (!report)
        return 127;
    fprintf(report, "{\"began\": %.0f, \"ended\": %.0f, \"wall\": %.9f, ", begin, end, (last - begin) / 1e9);
    fprintf(report, "\"cpu\": %.6f, \"rss\": %ld, \"status\": %d, ", cpu, rss * 1024, status);
    fprintf(report, "\"late\": %s}\n", is_late ? "true" : "false");
    return fclose(report) ? 127 : status;
}
