// SPDX-License-Identifier: MIT
/*
 * What <tracemalloc.h> calls.
 */
#include "hook.h"
#include "../track/counters.h"
#include "../tracemalloc.h"

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
