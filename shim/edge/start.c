// SPDX-License-Identifier: MIT
/*
 * Where the recorder's life meets the program's: its start, its forks, its exit.
 */
#include "hook.h"
#include "../unwind/modules.h"
#include "../track/session.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

/* --- steps of life ---------------------------------------------------------------------------------- */

/* Why there is no recording, as far as it is not the file's fault. */
static const char *obstacle;
static const char no_memory[] = "there is not enough memory";

/* The recorder maps some thirty MiB, a 64th of the limit, and an eighth of the heap: a quarter of this. */
static const uint64_t memory_limit_min = 512 << 20;

/* Called out of the loader before any constructor: nothing of libc but dlsym.  Whatever else fails, the real
   functions are needed. */
static bool begin(void)
{
    bool found = real_start();
    if (found)
        new_start();
    if (!found)
        obstacle = "there is no malloc to be recorded";
    else if (sys_memory_limit() < memory_limit_min)
        obstacle = "memory is limited to less than 512 MiB (ulimit -v or -d)";
    else if (!world_start())
        obstacle = "it needs Linux 4.14 or later";
    else if (!track_start(real_granule()))
        obstacle = no_memory;
    return !obstacle;
}

/*
 * dlopen is allowed once libc is initialised (it has set environ) and the loader is not in the middle of
 * something.
 */
static bool may_start(uintptr_t caller)
{
    return environ && modules_loader_rests() && !modules_is_loader(caller);
}

static void at_exit(int status, void *unused)
{
    (void)unused;
    session_ended(status);
}

static void start(struct thread *self)
{
    int saved = errno;
    if (getauxval(AT_SECURE)) {
        obstacle = "the program has more rights than its user";  /* we write no files in its name */
        life_give_up();
        return;
    }
    sys_clock_start();
    track_start_stacks();
    dlerror();                  /* what the loader missed is no business of the program's */
    pthread_atfork(life_fork_prepare, life_fork_parent, life_fork_child);
    on_exit(at_exit, NULL);
    session_start(self, environ, real_first_malloc());
    errno = saved;
}

static bool child(struct thread *self)
{
    return track_child(self);
}

const struct life_steps life_steps = {
    .begin = begin,
    .may_start = may_start,
    .start = start,
    .child = child,
    .refresh = track_refresh,
    .died = track_died_before,
};

/* A program that never allocates shall leave a file too. */
__attribute__((constructor)) static void constructor(void)
{
    life_start_now();
    if (life_state() == LIFE_EARLY && !thread_self) {
        obstacle = no_memory;
        life_give_up();
    }
    if (obstacle)
        session_refused(environ, obstacle);
}
