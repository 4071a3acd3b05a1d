// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* pipe2, asprintf */
#include "commands/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/clock.h"
#include "model/process.h"

#define SHELL_CANNOT_RUN 126
#define SHELL_NOT_FOUND  127
#define SHELL_SIGNAL     128

/* Signals as we found them, for the program. */
struct signals {
    sigset_t mask, waited;
    struct sigaction child;
};

/* From here on the signals wait until they are asked for: none is lost between fork and wait.  A shell
   may have left SIGCHLD ignored, and the end of the program with it. */
static void hold(struct signals *signals)
{
    static const int waited[] = {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    sigemptyset(&signals->waited);
    for (size_t i = 0; i < sizeof(waited) / sizeof(waited[0]); i++)
        sigaddset(&signals->waited, waited[i]);
    sigprocmask(SIG_BLOCK, &signals->waited, &signals->mask);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &standard, &signals->child);
}

static void release(const struct signals *signals)
{
    sigaction(SIGCHLD, &signals->child, NULL);
    sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

/* Puts a list's new part before or after what the variable holds. */
static bool extend(const char *variable, const char *before, const char *after, char separator)
{
    const char *old = getenv(variable);
    char *list;
    if (!old || !*old)
        return setenv(variable, before ? before : after, 1) == 0;
    int size = before ? asprintf(&list, "%s%c%s", before, separator, old)
                      : asprintf(&list, "%s%c%s", old, separator, after);
    if (size < 0 || setenv(variable, list, 1) != 0)
        return false;
    free(list);
    return true;
}

static bool set_environment(const struct launch *launch)
{
    char *options;
    if (!launch->preload)
        return true;
    if (asprintf(&options, "%s%sroot=%d", launch->options, *launch->options ? "," : "", (int)getpid()) < 0)
        return false;
    bool fine =
        extend("LD_PRELOAD", launch->preload, NULL, ':') && extend("LIBTRACE_OPTIONS", NULL, options, ',');
    free(options);
    return fine;
}

static void become(const struct launch *launch, const struct signals *signals, int report)
{
    int error = ENOMEM;
    for (int fd = 0; launch->streams && fd < 3; fd++)
        if (launch->streams[fd] >= 0)
            dup2(launch->streams[fd], fd);
    if (set_environment(launch)) {
        release(signals);
        execvp(launch->argv[0], launch->argv);
        error = errno;
    }
    while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
        ;
    _exit(SHELL_NOT_FOUND);
}

/* Terminal and kernel reach the program themselves; so does one who signals the whole group and is in
   it. */
static bool must_pass_on(const siginfo_t *info, pid_t pid)
{
    if (info->si_signo == SIGCHLD || info->si_pid == pid)
        return false;
    return info->si_code <= 0 || info->si_signo == SIGTERM || info->si_signo == SIGHUP;
}

static void wait_for_end(pid_t pid, const sigset_t *waited)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid)
            return;
        if (sigwaitinfo(waited, &info) > 0 && must_pass_on(&info, pid))
            kill(pid, info.si_signo);
    }
}

static void see_to_end(const struct launch *launch, struct launched *launched, const sigset_t *waited,
                       int report)
{
    while (read(report, &launched->error, sizeof(launched->error)) < 0 && errno == EINTR)
        ;
    if (!launched->error && launch->started)
        launch->started(launched->pid, launch->context);
    wait_for_end(launched->pid, waited);
    /* A process that was not waited for still has its line in /proc. */
    launched->process_start = process_start_time(launched->pid, NULL);
    while (waitpid(launched->pid, &launched->wait_status, 0) < 0 && errno == EINTR)
        ;
}

bool launch(const struct launch *launch, struct launched *launched)
{
    struct signals signals;
    int report[2];
    *launched = (struct launched){.since_ns = now_ns()};
    if (pipe2(report, O_CLOEXEC) != 0)
        return false;
    hold(&signals);
    launched->pid = fork();
    if (launched->pid == 0)
        become(launch, &signals, report[1]);
    close(report[1]);
    bool started = launched->pid > 0;
    if (started)
        see_to_end(launch, launched, &signals.waited, report[0]);
    int error = errno;
    close(report[0]);
    /* Signals that came meanwhile stay held: the summary is still to be written. */
    errno = error;
    return started;
}

int launch_exit_status(const struct launched *launched)
{
    if (launched->error)
        return launched->error == ENOENT ? SHELL_NOT_FOUND : SHELL_CANNOT_RUN;
    if (WIFSIGNALED(launched->wait_status))
        return SHELL_SIGNAL + WTERMSIG(launched->wait_status);
    return WEXITSTATUS(launched->wait_status);
}
