// SPDX-License-Identifier: MIT
#include "track.h"
#include "blocks.h"
#include "counters.h"
#include "paths.h"
#include "session.h"
#include "../base/life.h"
#include "../unwind/rules.h"

static bool whole_stacks;

bool track_start(unsigned granule)
{
    return file_start() && blocks_start(granule) && counters_start() && rules_start() && modules_start() &&
           paths_start();
}

void track_start_stacks(void)
{
    if (!rules_start_learning())
        file_header->flags |= TRACE_NO_UNWINDER;
    else
        whole_stacks = true;
}

static uint32_t site_of(struct thread *self, struct frame_state caller)
{
    return likely(whole_stacks) ? paths_site(self, caller) : paths_site_of_caller(self, caller.lookup);
}

/* --- birth ------------------------------------------------------------------------------------------- */

static bool remember(const void *block, uint32_t site, size_t size, bool watch)
{
    uint64_t entry = (uint64_t)site << BLOCK_SIZE_BITS | (watch ? BLOCK_WATCH : 0);
    if (unlikely(size >= BLOCK_SIZE_BIG)) {
        if (!blocks_big_put(block, size))
            return false;
        size = BLOCK_SIZE_BIG;
    }
    if (likely(blocks_put(block, entry | size)))
        return true;
    if (size == BLOCK_SIZE_BIG)
        blocks_big_drop(block);
    return false;
}

static bool joined(struct thread *self)
{
    return likely(self->shard != NULL) || counters_join(self);
}

/* The counter of a block that is now remembered; null: it could not be, and was counted as missed. */
static struct trace_counter *admit(struct thread *self, const void *block, size_t size, uint32_t site,
                                   bool watch)
{
    struct trace_counter *counter = NULL;
    if (joined(self) && (counter = counter_of(self, site)) && !remember(block, site, size, watch))
        counter = NULL;
    if (unlikely(!counter))
        __atomic_fetch_add(&file_header->missed_events, 1, __ATOMIC_RELAXED);
    return counter;
}

void track_born(struct thread *self, const void *block, size_t size, struct frame_state caller, bool watch)
{
    struct trace_counter *counter = admit(self, block, size, site_of(self, caller), watch);
    if (unlikely(!counter))
        return;
    counter_begin(self);
    counter_born(counter, size);
    counter_end(self);
    self->last_born = block;
    counters_live(self, (int64_t)size);
    session_tick(self, size);
}

/* --- death ------------------------------------------------------------------------------------------- */

uint64_t track_take(const void *block)
{
    return blocks_take(block);
}

void track_put_back(const void *block, uint64_t entry)
{
    if (entry)
        blocks_put(block, entry);
}

static uint64_t size_taken(const void *block, uint64_t entry)
{
    uint64_t size = block_size(entry, block);
    if (unlikely((entry & BLOCK_SIZE_BIG) == BLOCK_SIZE_BIG))
        blocks_big_drop(block);
    return size;
}

/* Under counter_begin. */
static void count_death(struct thread *self, struct trace_counter *counter, uint32_t site, const void *block,
                        uint64_t size)
{
    counter_died(counter, size);
    if (self->last_born == block && unlikely(++counter->temporary == 0))
        counters_spilled(site, TRACE_SPILL_TEMPORARY);
}

void track_died(struct thread *self, const void *block, uint64_t entry)
{
    uint32_t site = block_site(entry);
    uint64_t size = size_taken(block, entry);
    struct trace_counter *counter = joined(self) ? counter_of(self, site) : NULL;
    if (unlikely(!counter)) {
        __atomic_fetch_add(&file_header->missed_events, 1, __ATOMIC_RELAXED);
        return;
    }
    counter_begin(self);
    count_death(self, counter, site, block, size);
    counter_end(self);
    self->last_born = NULL;
    counters_live(self, -(int64_t)size);
    if (unlikely(entry & BLOCK_WATCH))
        modules_link_map_freed(self, block);
}

bool track_died_later(const void *block, uint64_t entry)
{
    struct thread *self = thread_self;
    uint32_t count = self ? atomic_load(&self->deferred_count) : DEFERRED_MAX;
    if (count == DEFERRED_MAX)
        return false;
    self->deferred[count] = (struct deferred){block, entry};
    atomic_store(&self->deferred_count, count + 1);
    return true;
}

/* --- realloc ----------------------------------------------------------------------------------------- */

void track_moved(struct thread *self, const void *old_block, uint64_t entry, const void *block, size_t size,
                 struct frame_state caller)
{
    uint32_t old_site = block_site(entry), site = site_of(self, caller);
    uint64_t old_size = size_taken(old_block, entry);
    struct trace_counter *from = joined(self) ? counter_of(self, old_site) : NULL;
    struct trace_counter *to = admit(self, block, size, site, false);
    if (likely(from || to))
        counter_begin(self);
    if (likely(from))
        count_death(self, from, old_site, old_block, old_size);
    if (likely(to)) {
        counter_born(to, size);
        if (unlikely(++to->reallocations == 0))
            counters_spilled(site, TRACE_SPILL_REALLOCATIONS);
    }
    if (likely(from || to))
        counter_end(self);
    self->last_born = to ? block : NULL;
    counters_live(self, (int64_t)(to ? size : 0) - (int64_t)(from ? old_size : 0));
    session_tick(self, size);
}

/* --- life -------------------------------------------------------------------------------------------- */

void track_refresh(struct thread *self)
{
    counters_join(self);
    walk_forget(self);
    paths_forget(self);
}

int track_traceback(struct thread *self, const void *block, void **addresses, int n)
{
    (void)self;
    uint64_t entry = blocks_get(block);
    return entry ? paths_addresses(block_site(entry), addresses, n) : 0;
}

bool track_child(struct thread *self)
{
    if (!session_wants_child() || !file_detach())
        return false;
    thread_child(self);
    modules_child();
    paths_child();
    counters_child(self);
    session_child(self);
    return true;
}
