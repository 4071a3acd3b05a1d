// SPDX-License-Identifier: MIT
#include "track.h"
#include "blocks.h"
#include "control.h"
#include "counters.h"
#include "domains.h"
#include "paths.h"
#include "phases.h"
#include "session.h"
#include "timeline.h"
#include "../base/life.h"
#include "../unwind/frames.h"
#include "../unwind/rules.h"
#include <errno.h>

static bool whole_stacks;

bool track_start(unsigned granule)
{
    bool started = file_start() && blocks_start(granule) && counters_start() && rules_start() &&
                   modules_start() && paths_start() && timeline_start();
    if (started)
        control_start();
    return started;
}

void track_start_stacks(void)
{
    if (!rules_start_learning())
        file_header->flags |= TRACE_NO_UNWINDER;
    else
        whole_stacks = true;
}

/* --- where ------------------------------------------------------------------------------------------- */

static bool joined(struct thread *self)
{
    return likely(self->shard != NULL) || counters_join(self);
}

static void count_missed(void)
{
    __atomic_fetch_add(&file_header->missed_events, 1, __ATOMIC_RELAXED);
}

/* The stack of the latest walk keeps the counter of its site, if the common way may use it: without a lock. */
static void keep_counter(struct thread *self, uint32_t site, struct trace_counter *counter)
{
    struct stack_memo *stack = self->stacks ? self->stacks->latest : NULL;
    if (whole_stacks && self->counters && stack && stack->site == site)
        stack->of_site = counter;
}

static struct trace_counter *counter_there(struct thread *self, uint32_t site)
{
    return joined(self) ? counter_of(self, site) : NULL;
}

/* The site of TRACE_NODE_OVERFLOW is the first one that there is (paths_start). */
enum { SITE_OF_OVERFLOW = 1 };

/*
 * The site of the hook's caller and this thread's counter of it; null: no memory.  If there is room for one site more,
 * but not for its counter, it is the overflow's.
 */
static struct trace_counter *counter_here(struct thread *self, const uintptr_t *hook, uint32_t *site)
{
    struct frame_state caller = track_caller(hook);
    *site = whole_stacks ? paths_site(self, caller) : paths_site_of_caller(self, caller.lookup);
    struct trace_counter *counter = counter_there(self, *site);
    if (unlikely(!counter)) {
        *site = SITE_OF_OVERFLOW;
        counter = counter_there(self, *site);
    }
    keep_counter(self, *site, counter);
    return counter;
}

/* --- birth ------------------------------------------------------------------------------------------- */

static void count_birth(struct thread *self, struct trace_counter *counter, const void *block, size_t size)
{
    if (unlikely(!size))
        counters_settle(self);
    counter_begin(self);
    counter_born(counter, size);
    counter_end(self);
    self->last_born = block;
    phases_event(self, 1, size, 0, 0);
    counters_count(self, 1);
    if (counters_grow(self, size))
        session_look(self);
    session_tick(self, size);
}

void track_born_slowly(struct thread *self, const void *block, size_t size, const uintptr_t *hook, bool watch)
{
    if (life_is_stopped()) {
        track_born_stopped(block, watch);
        return;
    }
    uint32_t site;
    struct trace_counter *counter = counter_here(self, hook, &site);
    if (unlikely(!counter) || unlikely(!blocks_put(block, (struct block_entry){size, site, watch}))) {
        count_missed();
        return;
    }
    count_birth(self, counter, block, size);
}

void track_born_stopped(const void *block, bool watch)
{
    if (watch)
        blocks_put(block, (struct block_entry){.watch = true});
}

void track_failed(struct thread *self, size_t size)
{
    session_failed(self, size);
}

/* --- death ------------------------------------------------------------------------------------------- */

/* A block whose end nobody told us, where another one lies now, may have left half an entry: no site. */
struct block_entry track_take(const void *block)
{
    struct block_entry entry = blocks_take(block);
    bool known = entry.site < __atomic_load_n(&file_header->site_count, __ATOMIC_RELAXED);
    return likely(known) ? entry : (struct block_entry){0};
}

void track_put_back(const void *block, struct block_entry entry)
{
    if (entry.site)
        blocks_put(block, entry);
}

/* Under counter_begin. */
static void count_death(struct thread *self, struct trace_counter *counter, uint32_t site,
                               const void *block, uint64_t size)
{
    counter_died(counter, size);
    if (self->last_born == block && unlikely(++counter->temporary == 0))
        counters_spilled(site, TRACE_SPILL_TEMPORARY);
}

void track_died(struct thread *self, const void *block, struct block_entry entry)
{
    if (unlikely(!entry.site)) {
        modules_link_map_freed(self, block);
        return;
    }
    struct trace_counter *counter = counter_there(self, entry.site);
    if (unlikely(!counter)) {
        count_missed();
        return;
    }
    counters_settle(self);
    counter_begin(self);
    count_death(self, counter, entry.site, block, entry.size);
    counter_end(self);
    self->last_born = NULL;
    phases_event(self, 0, 0, 1, entry.size);
    counters_count(self, -1);
    bool told = counters_shrink(self, entry.size);
    if (unlikely(entry.watch))
        modules_link_map_freed(self, block);
    if (unlikely(told))
        session_look(self);
}

bool track_freed_slowly(struct thread *self, const void *block)
{
    struct block_entry entry = track_take(block);
    if (entry.site || entry.watch)
        track_died(self, block, entry);
    return entry.site || entry.watch;
}

bool track_died_later(const void *block, struct block_entry entry)
{
    struct thread *self = thread_self;
    uint32_t count = self ? atomic_load(&self->deferred_count) : DEFERRED_MAX;
    if (count == DEFERRED_MAX)
        return false;
    self->deferred[count] = (struct deferred){block, entry.size, entry.site, entry.watch};
    atomic_store(&self->deferred_count, count + 1);
    return true;
}

void track_died_before(struct thread *self, const struct deferred *death)
{
    track_died(self, death->block, (struct block_entry){death->size, death->site, death->watch});
}

/* --- realloc ----------------------------------------------------------------------------------------- */

/* Either half may find no room: then the other is counted alone. */
void track_moved(struct thread *self, const void *old_block, struct block_entry entry, const void *block,
                 size_t size, const uintptr_t *hook)
{
    if (life_is_stopped()) {
        track_died(self, old_block, entry);
        return;
    }
    uint32_t site;
    uint64_t old_size = entry.size, new_size = size;
    struct trace_counter *to = counter_here(self, hook, &site), *from = counter_there(self, entry.site);
    if (unlikely(!to) || unlikely(!blocks_put(block, (struct block_entry){size, site, false}))) {
        count_missed();
        to = NULL;
        new_size = 0;
    }
    if (unlikely(!from))
        old_size = 0;
    if (new_size <= old_size)
        counters_settle(self);
    if (likely(from || to))
        counter_begin(self);
    if (likely(from))
        count_death(self, from, entry.site, old_block, old_size);
    if (likely(to)) {
        counter_born(to, size);
        if (unlikely(++to->reallocations == 0))
            counters_spilled(site, TRACE_SPILL_REALLOCATIONS);
    }
    if (likely(from || to))
        counter_end(self);
    self->last_born = to ? block : NULL;
    phases_event(self, to != NULL, new_size, from != NULL, old_size);
    counters_count(self, (to != NULL) - (from != NULL));
    bool told = new_size > old_size ? counters_grow(self, new_size - old_size)
                                    : counters_shrink(self, old_size - new_size);
    if (unlikely(told))
        session_look(self);
    session_tick(self, size);
}

/* --- what the program tells of ---------------------------------------------------------------------------- */

int track_told(struct thread *self, uint32_t domain, const void *block, size_t size, const uintptr_t *hook)
{
    if (life_is_stopped())
        return 0;
    tables_take();
    uint32_t frame = domains_frame(domain);
    tables_drop();
    struct frame_state caller = track_caller(hook);
    uint32_t site = whole_stacks ? paths_site_below(self, frame, caller)
                                 : paths_site_of_caller(self, caller.lookup);
    struct trace_counter *counter = counter_there(self, site);
    struct block_entry old = {0};
    struct block_entry entry = {size, site, false};
    const void *standing = counter ? domains_put(domain, block, entry, &old) : NULL;
    if (!standing)
        return -ENOMEM;
    if (old.site)
        track_died(self, standing, old);
    count_birth(self, counter, standing, size);
    return 0;
}

void track_untold(struct thread *self, uint32_t domain, const void *block)
{
    const void *standing;
    struct block_entry entry = domains_take(domain, block, &standing);
    if (entry.site)
        track_died(self, standing, entry);
}

/* --- life -------------------------------------------------------------------------------------------- */

void track_refresh(struct thread *self)
{
    counters_join(self);
    stacks_forget(self);
    frames_forget(self);
}

int track_traceback(struct thread *self, const void *block, void **addresses, int n)
{
    (void)self;
    uint32_t site = blocks_get_any(block).site;
    return site ? paths_addresses(site, addresses, n) : 0;
}

bool track_child(struct thread *self)
{
    if (!session_wants_child() || !file_detach())
        return false;
    thread_child(self);
    modules_child();
    paths_child();
    counters_child(self);
    timeline_child();
    session_child(self);
    return true;
}
