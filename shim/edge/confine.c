// SPDX-License-Identifier: MIT
/*
 * Programs that confine themselves: what the recorder has, or would still do, must not stand in their way.
 *
 * Limits of memory count the trace's whole range, so what is not in use of it is given back.  A filter of
 * system calls may kill whoever makes one that it does not know.  What takes such calls is done before the
 * filter comes, or no longer.  (Without the rights of root it comes by prctl, at least the promise that has
 * to be made before it.)
 */
#include "hook.h"
#include "../track/session.h"
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/*
 * The real functions are looked up at the first heap call, which may be yet to come.  Not for a call that matters
 * nothing here: a program's own malloc, at its first call, names its memory by prctl, under its lock.
 */
static void enter_once(const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    if (self)
        guard_drop(self);
}

static int returned(long result)
{
    if (!sys_failed(result))
        return (int)result;
    errno = (int)-result;
    return -1;
}

/* --- filters ----------------------------------------------------------------------------------------- */

/* A vfork's child changes itself, not the process whose memory it uses. */
static void confined(const uintptr_t *frame)
{
    struct thread *self = world_is_lent() ? NULL : hook_enter(frame);
    if (!self)
        return;
    session_confined(self);
    guard_drop(self);
}

HOOK int prctl(int option, ...)
{
    unsigned long rest[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        rest[i] = va_arg(list, unsigned long);
    va_end(list);
    if (option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP) {
        enter_once(HOOK_FRAME);
        confined(HOOK_FRAME);
    }
    if (likely(real.prctl != NULL))
        return real.prctl(option, rest[0], rest[1], rest[2], rest[3]);
    return returned(sys6(SYS_prctl, option, (long)rest[0], (long)rest[1], (long)rest[2], (long)rest[3], 0));
}

/* --- limits ------------------------------------------------------------------------------------------ */

/* Where nothing is recorded, any more, the range may be mapped still. */
static void limited(const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    if (self || life_state() == LIFE_OFF)
        session_limited(self);
    if (self)
        guard_drop(self);
}

/* A fork's child comes into a memory of its own before it is too late for that. */
static int change_limit(pid_t pid, int resource, const void *limit, void *old, const uintptr_t *frame)
{
    bool of_memory = limit && (resource == RLIMIT_AS || resource == RLIMIT_DATA) && !world_is_lent();
    if (of_memory)
        enter_once(frame);
    int result = likely(real.prlimit64 != NULL)
                     ? real.prlimit64(pid, resource, limit, old)
                     : returned(sys6(SYS_prlimit64, pid, resource, (long)limit, (long)old, 0, 0));
    if (result == 0 && of_memory)
        limited(frame);
    return result;
}

HOOK int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return change_limit(0, (int)resource, limit, NULL, HOOK_FRAME);
}

HOOK int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    return change_limit(0, (int)resource, limit, NULL, HOOK_FRAME);
}

HOOK int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit, struct rlimit *old)
{
    return change_limit(pid, (int)resource, limit, old, HOOK_FRAME);
}

HOOK int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limit,
                   struct rlimit64 *old)
{
    return change_limit(pid, (int)resource, limit, old, HOOK_FRAME);
}
