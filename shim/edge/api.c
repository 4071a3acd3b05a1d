// SPDX-License-Identifier: MIT
/*
 * What <tracemalloc.h> calls.
 */
#include "hook.h"
#include "../base/arena.h"
#include "../base/options.h"
#include "../track/counters.h"
#include "../track/phases.h"
#include "../track/session.h"
#include "../track/timeline.h"
#include "../tracemalloc.h"
#include <errno.h>

enum { PATIENCE_NS = 1000 * 1000 * 1000 };

HOOK int libtrace_is_tracing(void)
{
    return life_state() == LIFE_ON && !life_is_stopped();
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
        counters_count_up(&all, &now);
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

HOOK int libtrace_get_size(const void *ptr, size_t *requested, size_t *usable)
{
    struct block_entry entry = life_state() == LIFE_ON ? blocks_get_any(ptr) : (struct block_entry){0};
    if (requested)
        *requested = entry.site ? entry.size : 0;
    if (usable)
        *usable = entry.site && real.malloc_usable_size ? real.malloc_usable_size((void *)ptr) : 0;
    return entry.site || life_state() != LIFE_ON ? 0 : -ENOENT;
}

HOOK int libtrace_track(unsigned domain, const void *ptr, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    if (size > PTRDIFF_MAX)
        return -EINVAL;
    struct thread *self = hook_enter(frame);
    if (!self)
        return life_state() == LIFE_OFF || life_state() == LIFE_NEW ? 0 : -EAGAIN;
    int result = track_told(self, domain, ptr, size, frame);
    guard_drop(self);
    return result;
}

HOOK int libtrace_untrack(unsigned domain, const void *ptr)
{
    struct thread *self = hook_enter(HOOK_FRAME);
    if (!self)
        return life_state() == LIFE_OFF || life_state() == LIFE_NEW ? 0 : -EAGAIN;
    track_untold(self, domain, ptr);
    guard_drop(self);
    return 0;
}

HOOK int libtrace_get_traceback_limit(void)
{
    return life_state() == LIFE_ON ? (int)options.depth : 0;
}

HOOK size_t libtrace_get_tracemalloc_memory(void)
{
    return life_state() == LIFE_ON ? arena_bytes() + file_used() : 0;
}

/* --- what may have to wait for others ------------------------------------------------------------------- */

/* Without the guard: it may be what the other waits for. */
static int patiently(int (*action)(struct thread *self, const void *argument), const void *argument)
{
    static const struct timespec pause = {.tv_nsec = 100 * 1000};
    static uint32_t nobody;     /* is woken there: the one way to sleep that a filter knows */
    uint64_t until = sys_clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    for (;;) {
        struct thread *self = hook_enter(HOOK_FRAME);
        if (!self)
            return life_state() == LIFE_OFF || life_state() == LIFE_NEW ? 0 : -EAGAIN;
        int result = life_state() == LIFE_ON ? action(self, argument) : -EAGAIN;
        guard_drop(self);
        if ((result != -EBUSY && result != -ETIMEDOUT) || sys_clock_ns(CLOCK_MONOTONIC) > until)
            return result;
        sys_futex(&nobody, FUTEX_WAIT, 0, &pause);
    }
}

static int take_snapshot(struct thread *self, const void *label)
{
    return session_snapshot(self, label);
}

HOOK int libtrace_take_snapshot(const char *label)
{
    return patiently(take_snapshot, label);
}

static int mark(struct thread *self, const void *label)
{
    return timeline_mark(self, label);
}

HOOK int libtrace_mark(const char *label)
{
    return patiently(mark, label);
}

static int phase_begin(struct thread *self, const void *name)
{
    return phases_begin(self, name);
}

HOOK int libtrace_phase_begin(const char *name)
{
    return patiently(phase_begin, name);
}

struct ending {
    const char *name;
    struct phase_figures *figures;
};

static int phase_end(struct thread *self, const void *argument)
{
    const struct ending *ending = argument;
    return phases_end(self, ending->name, ending->figures);
}

HOOK int libtrace_phase_end(const char *name, struct tracemalloc_phase *result)
{
    struct phase_figures figures = {0};
    int failed = patiently(phase_end, &(struct ending){name, &figures});
    if (result)
        *result = (struct tracemalloc_phase){
            .current = figures.current, .peak = (size_t)figures.peak, .allocated = figures.allocated,
            .allocations = figures.allocations, .frees = figures.frees,
        };
    return failed;
}

static int reset_peak(struct thread *self, const void *unused)
{
    (void)unused;
    return control_reset_peak(self);
}

HOOK int libtrace_reset_peak(void)
{
    return patiently(reset_peak, NULL);
}

static int clear_traces(struct thread *self, const void *unused)
{
    (void)unused;
    return control_clear(self);
}

HOOK int libtrace_clear_traces(void)
{
    return patiently(clear_traces, NULL);
}

static int start(struct thread *self, const void *nframe)
{
    int depth = *(const int *)nframe;
    if (depth < 0 || depth > DEPTH_MAX)
        return -EINVAL;
    if (!life_is_stopped())
        return 0;
    int result = depth ? control_depth(self, (uint64_t)depth) : 0;
    if (!result)
        control_record(true);
    return result;
}

HOOK int libtrace_start(int nframe)
{
    return patiently(start, &nframe);
}

static int stop(struct thread *self, const void *unused)
{
    (void)self, (void)unused;
    control_record(false);
    return 0;
}

HOOK int libtrace_stop(void)
{
    return patiently(stop, NULL);
}
