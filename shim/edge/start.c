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

/* Called out of the loader before any constructor: nothing of libc but dlsym. */
static bool begin(void)
{
    if (!real_start())
        return false;
    new_start();
    return track_start(real_granule());
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
        life_give_up();         /* more rights than its user: we write no files in its name */
        return;
    }
    track_start_stacks();
    dlerror();                  /* what the loader missed is no business of the program's */
    pthread_atfork(life_fork_prepare, life_fork_parent, life_fork_child);
    on_exit(at_exit, NULL);
    session_start(self, environ);
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
}
