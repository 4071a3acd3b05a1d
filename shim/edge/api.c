// SPDX-License-Identifier: MIT
/*
 * What <tracemalloc.h> calls.
 */
#include "hook.h"
#include "../track/counters.h"
#include "../track/session.h"
#include "../tracemalloc.h"
#include <errno.h>

enum { PATIENCE_NS = 1000 * 1000 * 1000 };

HOOK int libtrace_is_tracing(void)
{
    return life_state() == LIFE_ON;
}

HOOK int libtrace_get_traced_memory(size_t *current, size_t *peak)
{
    uint64_t now = 0, most = 0;
    struct thread *self = hook_enter(HOOK_FRAME);
    if (self) {
        counters_read(self, &now, &most);
        guard_drop(self);
    }
    if (current)
        *current = now;
    if (peak)
        *peak = most;
    return 0;
}

HOOK int libtrace_get_traced_counts(size_t *allocations, size_t *blocks)
{
    uint64_t all = 0, now = 0;
    struct thread *self = hook_enter(HOOK_FRAME);
    if (self) {
        counters_count_up(self, &all, &now);
        guard_drop(self);
    }
    if (allocations)
        *allocations = all;
    if (blocks)
        *blocks = now;
    return 0;
}

HOOK int libtrace_get_object_traceback(const void *ptr, void **frames, int n)
{
    struct thread *self = hook_enter(HOOK_FRAME);
    int count = 0;
    if (self) {
        count = track_traceback(self, ptr, frames, n);
        guard_drop(self);
    }
    for (int i = count; i < n; i++)
        frames[i] = NULL;
    return count;
}

/* Whoever waits for another's snapshot does so without its guard: the other waits for that. */
HOOK int libtrace_take_snapshot(const char *label)
{
    static const struct timespec pause = {.tv_nsec = 100 * 1000};
    static uint32_t nobody;     /* is woken there: the one way to sleep that a filter knows */
    uint64_t until = sys_clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    for (;;) {
        struct thread *self = hook_enter(HOOK_FRAME);
        if (!self)
            return life_state() == LIFE_OFF || life_state() == LIFE_NEW ? 0 : -EAGAIN;
        int result = session_snapshot(self, label);
        guard_drop(self);
        if (result != -EBUSY || sys_clock_ns(CLOCK_MONOTONIC) > until)
            return result;
        sys_futex(&nobody, FUTEX_WAIT, 0, &pause);
    }
}
