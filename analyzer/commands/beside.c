// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "commands/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands/live_view.h"
#include "model/debuginfod.h"
#include "model/find.h"
#include "model/process.h"
#include "output/message.h"
#include "output/screen.h"

#define POLL_MS 20

struct beside {
    beside_finder *find;
    const void *context;
    bool in_tmux;
    FILE *terminal; /* unless it is in tmux */
    FILE *kept;     /* what the program writes; null: none of it goes to the terminal */
    int streams[3];
    pid_t viewer; /* 0: none yet */
};

/* --- before -------------------------------------------------------------------------------------------- */

static bool is_in_tmux(void)
{
    const char *session = getenv("TMUX"), *pane = getenv("TMUX_PANE");
    return session && *session && pane && *pane;
}

/* Streams that go to the terminal, which is the view's now, go elsewhere. */
static bool divert(struct beside *beside)
{
    if (isatty(0) && (beside->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    if (!isatty(1) && !isatty(2))
        return true;
    beside->kept = tmpfile();
    if (!beside->kept)
        return false;
    int fd = fileno(beside->kept);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_APPEND);
    for (int i = 1; i <= 2; i++)
        if (isatty(i))
            beside->streams[i] = fd;
    return true;
}

struct beside *beside_prepare(beside_finder *find, const void *context)
{
    struct beside *beside = memory_get(1, sizeof(*beside));
    struct failure why;
    *beside = (struct beside){.find = find, .context = context, .streams = {-1, -1, -1}};
    beside->in_tmux = is_in_tmux();
    if (beside->in_tmux)
        return beside;
    beside->terminal = fopen("/dev/tty", "r+e");
    if (!beside->terminal)
        message("--live: there is no terminal: `tracemalloc live` can watch the program from another one");
    else if (!screen_is_fit(beside->terminal, beside->terminal, &why))
        message("--live: %s", why.text);
    else if (!divert(beside))
        message("--live: the program's output cannot be kept: %s", strerror(errno));
    else
        return beside;
    free(beside);
    return NULL;
}

const int *beside_streams(const struct beside *beside)
{
    return beside->streams;
}

/* --- the view's process -------------------------------------------------------------------------------- */

static bool runs(pid_t pid, uint64_t process_start)
{
    bool alive = false;
    return process_start_time(pid, &alive) == process_start && alive;
}

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
}

/* As soon as there is one. */
static char *await_trace(const struct beside *beside, pid_t pid, uint64_t process_start)
{
    char *path = NULL;
    while (runs(pid, process_start) && !(path = find_mapped(pid)))
        pause_a_moment();
    return path ? path : beside->find(beside->context, pid, process_start);
}

/* Copies what was written since to the terminal. */
static off_t copy_output(const struct beside *beside, off_t from)
{
    char bytes[65536];
    ssize_t size;
    while ((size = pread(fileno(beside->kept), bytes, sizeof(bytes), from)) > 0) {
        from += size;
        for (ssize_t done = 0, written; done < size; done += written)
            if ((written = write(fileno(beside->terminal), bytes + done, (size_t)(size - done))) < 0)
                return from;
    }
    return from;
}

static void show(const struct beside *beside, pid_t pid, uint64_t process_start)
{
    char *path = await_trace(beside, pid, process_start);
    struct live_start start = {.path = path,
                               .follow = true,
                               .view = {.metric = METRIC_CURRENT},
                               .out = beside->terminal,
                               .keys = beside->terminal};
    if (path)
        live_show(&start);
    free(path);
    if (!beside->kept)
        return;
    off_t done = copy_output(beside, 0);
    while (runs(pid, process_start)) {
        pause_a_moment();
        done = copy_output(beside, done);
    }
    copy_output(beside, done);
}

/* Does not return: the process becomes tmux. */
static void split(const struct beside *beside, pid_t pid, uint64_t process_start)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    char self[PATH_MAX], locale[3][256], *path = await_trace(beside, pid, process_start);
    char *absolute = path ? realpath(path, NULL) : NULL;
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *arguments[24] = {"tmux", "split-window", "-d", "-v", "-l", "60%", "-t", getenv("TMUX_PANE")};
    size_t count = 8;
    if (!absolute || size <= 0)
        _exit(EXIT_FAILURE);
    self[size] = 0;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);
        if (!value || snprintf(locale[i], sizeof(locale[i]), "%s=%s", variables[i], value) >= 256)
            continue;
        arguments[count++] = "-e";
        arguments[count++] = locale[i];
    }
    const char *const command[] = {"--", self, "live", "--", absolute};
    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
        arguments[count++] = command[i];
    execvp("tmux", (char **)arguments);
    _exit(EXIT_FAILURE);
}

/* Ctrl-C is for the program; who wants the view to end asks it. */
static void take_signals(void)
{
    sigset_t all;
    sigemptyset(&all);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void beside_start(pid_t pid, void *context)
{
    struct beside *beside = context;
    uint64_t process_start = process_start_time(pid, NULL);
    beside->viewer = fork();
    if (beside->viewer != 0)
        return;
    take_signals();
    debuginfod_disable(); /* nobody could interrupt it */
    if (beside->in_tmux)
        split(beside, pid, process_start);
    else
        show(beside, pid, process_start);
    _exit(EXIT_SUCCESS);
}

/* --- after --------------------------------------------------------------------------------------------- */

/* Signals to end were held since the program was started (see commands/launch.h). */
static int await_viewer(pid_t viewer)
{
    sigset_t waited;
    int status = 0;
    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGHUP);
    while (waitpid(viewer, &status, WNOHANG) == 0) {
        int asked = sigtimedwait(&waited, NULL, &(struct timespec){.tv_nsec = 200000000});
        if (asked == SIGTERM || asked == SIGHUP)
            kill(viewer, asked);
    }
    return status;
}

void beside_finish(struct beside *beside)
{
    int status = beside->viewer > 0 ? await_viewer(beside->viewer) : 0;
    if (status && beside->terminal)
        screen_rescue(); /* the view did not live to do it */
    if (status && beside->kept)
        copy_output(beside, 0);
    if (beside->in_tmux && status)
        message("tmux opened no pane for the view");
    if (beside->streams[0] >= 0)
        close(beside->streams[0]);
    if (beside->kept)
        fclose(beside->kept);
    if (beside->terminal)
        fclose(beside->terminal);
    free(beside);
}
