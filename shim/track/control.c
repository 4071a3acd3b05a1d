// SPDX-License-Identifier: MIT
#include "control.h"
#include "blocks.h"
#include "counters.h"
#include "domains.h"
#include "mappings.h"
#include "session.h"
#include "snapshots.h"
#include "../base/life.h"
#include "../base/options.h"
#include <string.h>

enum {
    LOOKS = 8,                  /* so many times, when others ask for it */
};

static struct trace_control nobody;
struct trace_control *control_words = &nobody;
_Atomic uint32_t control_seen;
static _Atomic bool obeying;
static uint32_t failed_looks;

void control_start(void)
{
    struct trace_section *section = file_section(TRACE_CONTROL, sizeof *control_words, 1, 0, 0);
    if (!section)
        return;
    control_words = (struct trace_control *)(section + 1);
    file_header->control = (uint64_t)((char *)control_words - (char *)file_header);
}

void control_child(void)
{
    *control_words = (struct trace_control){0};
    atomic_store(&control_seen, 0);
    atomic_store(&obeying, false);      /* a thread of the parent's may have been at it */
}

/* --- while no other thread counts ----------------------------------------------------------------------- */

/* Under a claim.  A program of one thread is kept one by the lock that another would need to join. */
static int change_claimed(struct thread *self, void (*change)(struct thread *self))
{
    bool alone = thread_count_most() == 1;
    if (!alone && session_is_confined())
        return -EPERM;
    if (alone && !lock_try(&world.threads))
        return -EBUSY;
    if (!alone && !thread_world_stop_twice(self))
        return -ETIMEDOUT;
    tables_take();
    POINT("steering");
    change(self);
    tables_drop();
    if (alone)
        lock_drop(&world.threads);
    else
        thread_world_go(self);
    return 0;
}

static int change_alone(struct thread *self, void (*change)(struct thread *self))
{
    if (life_state() != LIFE_ON && life_state() != LIFE_STARTING)
        return -EAGAIN;
    if (!thread_world_claim())
        return -EBUSY;
    int result = change_claimed(self, change);
    thread_world_release();
    return result;
}

static void reset_peak(struct thread *self)
{
    (void)self;
    counters_reset_peak();
    file_header->peak_reset_ns = sys_clock_ns(CLOCK_MONOTONIC);
}

int control_reset_peak(struct thread *self)
{
    return change_alone(self, reset_peak);
}

static void clear(struct thread *self)
{
    blocks_forget();
    domains_forget();
    mappings_forget();
    counters_clear();
    snapshots_cleared(self);
    file_header->missed_events = 0;
    file_header->peak_reset_ns = 0;
    file_header->cleared_ns = sys_clock_ns(CLOCK_MONOTONIC);
}

int control_clear(struct thread *self)
{
    return change_alone(self, clear);
}

/* --- at once -------------------------------------------------------------------------------------------- */

/* A block that a thread got before is not its latest event any more. */
static void forget_latest(void)
{
    for (struct thread *t = thread_list(); t; t = t->next)
        __atomic_store_n(&t->last_born, NULL, __ATOMIC_RELAXED);
}

void control_record(bool wanted)
{
    if (life_is_stopped() == !wanted)
        return;
    forget_latest();
    if (wanted)
        __atomic_fetch_and(&file_header->flags, ~(uint32_t)TRACE_STOPPED, __ATOMIC_RELAXED);
    else
        __atomic_fetch_or(&file_header->flags, TRACE_STOPPED, __ATOMIC_RELAXED);
    __atomic_store_n(&life_stopped, !wanted, __ATOMIC_RELAXED);
}

/* Stacks that are kept are of the old depth: every thread forgets them at its next hook. */
int control_depth(struct thread *self, uint64_t depth)
{
    (void)self;
    if (!depth || depth > DEPTH_MAX)
        return -EINVAL;
    __atomic_store_n(&options.depth, (uint32_t)depth, __ATOMIC_RELAXED);
    file_header->depth = (uint32_t)depth;
    thread_world_refresh();
    return 0;
}

/* --- from outside ----------------------------------------------------------------------------------------- */

static int do_it(struct thread *self, const struct trace_control *asked)
{
    switch (asked->command) {
    case TRACE_COMMAND_START:
    case TRACE_COMMAND_STOP:
        control_record(asked->command == TRACE_COMMAND_START);
        return 0;
    case TRACE_COMMAND_SNAPSHOT:
        return session_snapshot(self, asked->label);
    case TRACE_COMMAND_RESET_PEAK:
        return control_reset_peak(self);
    case TRACE_COMMAND_CLEAR:
        return control_clear(self);
    case TRACE_COMMAND_DEPTH:
        return control_depth(self, asked->argument);
    default:
        return -ENOSYS;
    }
}

/* Not that request any more, or no longer complete. */
static bool changed(uint32_t request, uint32_t command)
{
    return __atomic_load_n(&control_words->command, __ATOMIC_ACQUIRE) != command ||
           __atomic_load_n(&control_words->request, __ATOMIC_ACQUIRE) != request;
}

/* What others write may change at any moment: it is copied first. */
static void obey(struct thread *self)
{
    uint32_t request = __atomic_load_n(&control_words->request, __ATOMIC_ACQUIRE);
    if (request == atomic_load(&control_seen))
        return;
    struct trace_control asked = *control_words;
    if (!asked.command || changed(request, asked.command))
        return;
    asked.label[sizeof asked.label - 1] = 0;
    int result = do_it(self, &asked);
    if (result == -EBUSY || (result == -ETIMEDOUT && ++failed_looks < LOOKS))
        return;
    failed_looks = 0;
    atomic_store(&control_seen, request);
    control_words->result = result;
    __atomic_store_n(&control_words->done, request, __ATOMIC_RELEASE);
}

void control_obey(struct thread *self)
{
    if (!control_is_asked() || atomic_exchange(&obeying, true))
        return;
    obey(self);
    atomic_store(&obeying, false);
}
