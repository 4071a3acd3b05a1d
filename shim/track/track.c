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
    *site = whole_stacks ? paths_site(self, caller) : paths_site_of_caller(self, 0, caller.lookup);
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

/* So many bytes are gone of what was born at a site; with the last of them the block.  True: see counters_shrink. */
static bool count_loss(struct thread *self, uint32_t site, const void *block, uint64_t bytes, bool last)
{
    struct trace_counter *counter = counter_there(self, site);
    if (unlikely(!counter)) {
        count_missed();
        return false;
    }
    counters_settle(self);
    counter_begin(self);
    if (likely(last))
        count_death(self, counter, site, block, bytes);
    else
        counter_shrank(counter, bytes);
    counter_end(self);
    self->last_born = NULL;
    phases_event(self, 0, 0, last, bytes);
    counters_count(self, -(int64_t)last);
    return counters_shrink(self, bytes);
}

void track_died(struct thread *self, const void *block, struct block_entry entry)
{
    bool told = entry.site && count_loss(self, entry.site, block, entry.size, true);
    if (unlikely(!entry.site) || unlikely(entry.watch))
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

/* One end of a move, with the counter of its site: null, there is none, or no room. */
struct end {
    struct trace_counter *counter;
    uint32_t site;
    const void *block;
    uint64_t size;
};

/* Either half may find no room: then the other is counted alone. */
static void count_move(struct thread *self, const struct end *from, const struct end *to)
{
    uint64_t old_size = from->counter ? from->size : 0, new_size = to->counter ? to->size : 0;
    int deaths = from->counter != NULL, births = to->counter != NULL;
    if (new_size <= old_size)
        counters_settle(self);
    if (likely(births || deaths))
        counter_begin(self);
    if (likely(deaths))
        count_death(self, from->counter, from->site, from->block, old_size);
    if (likely(births)) {
        counter_born(to->counter, new_size);
        if (unlikely(++to->counter->reallocations == 0))
            counters_spilled(to->site, TRACE_SPILL_REALLOCATIONS);
    }
    if (likely(births || deaths))
        counter_end(self);
    self->last_born = births ? to->block : NULL;
    phases_event(self, births, new_size, deaths, old_size);
    counters_count(self, births - deaths);
    bool told = new_size > old_size ? counters_grow(self, new_size - old_size)
                                    : counters_shrink(self, old_size - new_size);
    if (unlikely(told))
        session_look(self);
    session_tick(self, to->size);
}

void track_moved(struct thread *self, const void *old_block, struct block_entry entry, const void *block,
                 size_t size, const uintptr_t *hook)
{
    if (life_is_stopped()) {
        track_died(self, old_block, entry);
        return;
    }
    struct end from = {.site = entry.site, .block = old_block, .size = entry.size}, to = {.block = block, .size = size};
    to.counter = counter_here(self, hook, &to.site);
    from.counter = counter_there(self, entry.site);
    if (unlikely(!to.counter) || unlikely(!blocks_put(block, (struct block_entry){size, to.site, false}))) {
        count_missed();
        to.counter = NULL;
    }
    count_move(self, &from, &to);
}

/* --- what the program tells of ---------------------------------------------------------------------------- */

/* As counter_here, where the call path begins, outside of all others, with a frame of its own. */
static struct trace_counter *counter_below(struct thread *self, uint32_t frame, const uintptr_t *hook, uint32_t *site)
{
    struct frame_state caller = track_caller(hook);
    *site = whole_stacks ? paths_site_below(self, frame, caller)
                         : paths_site_of_caller(self, frame, caller.lookup);
    return counter_there(self, *site);
}

int track_told(struct thread *self, uint32_t domain, const void *block, size_t size, const uintptr_t *hook)
{
    if (life_is_stopped())
        return 0;
    tables_take();
    uint32_t frame = domains_frame(domain);
    tables_drop();
    uint32_t site;
    struct trace_counter *counter = counter_below(self, frame, hook, &site);
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

/* --- what the program maps -------------------------------------------------------------------------------- */

static struct trace_counter *counter_of_mapping(struct thread *self, enum mapping_kind kind, const uintptr_t *hook,
                                                uint32_t *site)
{
    tables_take();
    uint32_t frame = mappings_frame(kind);
    tables_drop();
    return counter_below(self, frame, hook, site);
}

/* Puts a mapping in the books, in place of whatever is there; the counter is null if that did not succeed. */
static struct end enter_mapping(struct thread *self, struct range range, enum mapping_kind kind, const uintptr_t *hook)
{
    struct end end = {.size = range.end - range.start};
    end.counter = counter_of_mapping(self, kind, hook, &end.site);
    end.block = end.counter ? mappings_put(range, end.site, kind) : NULL;
    if (unlikely(!end.block)) {
        count_missed();
        end.counter = NULL;
    }
    return end;
}

/* What the books have there was mapped over, or has gone unseen. */
static void leave(struct thread *self, struct range range)
{
    struct taken before = mappings_take(range);
    track_unmapped(self, &before);
}

void track_mapped(struct thread *self, struct range range, enum mapping_kind kind, const uintptr_t *hook)
{
    leave(self, range);
    if (life_is_stopped())
        return;
    struct end to = enter_mapping(self, range, kind, hook);
    if (to.counter)
        count_birth(self, to.counter, to.block, to.size);
}

void track_unmapped(struct thread *self, struct taken *taken)
{
    struct mapping_loss loss;
    bool told = false;
    while (mappings_lose(taken, &loss))
        told |= count_loss(self, loss.site, loss.standing, loss.bytes, loss.last);
    if (unlikely(told))
        session_look(self);
}

void track_remapped(struct thread *self, struct taken *taken, struct range range, enum mapping_kind kind,
                    const uintptr_t *hook)
{
    struct mapping_loss loss;
    leave(self, range);
    if (life_is_stopped() || !mappings_is_whole(taken) || !mappings_lose(taken, &loss)) {
        track_unmapped(self, taken);
        track_mapped(self, range, kind, hook);
        return;
    }
    struct end from = {counter_there(self, loss.site), loss.site, loss.standing, loss.bytes};
    struct end to = enter_mapping(self, range, kind, hook);
    count_move(self, &from, &to);
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
