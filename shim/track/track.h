// SPDX-License-Identifier: MIT
/*
 * What a block's life means for the books: the one door from the hooks to everything below.
 *
 * The hooks tell what the real allocator did; tracking knows addresses and sizes, not malloc.  An entry
 * is what the live-block map had of a block; one of site 0 says that it does not count: it was not ours, or is only
 * watched.
 */
#ifndef TRACK_TRACK_H
#define TRACK_TRACK_H

#include "blocks.h"
#include "counters.h"
#include "mappings.h"
#include "../unwind/stacks.h"

/* Prepares the tables.  granule: least distance of two blocks. */
bool track_start(unsigned granule);

/* Whole stacks from now on. */
void track_start_stacks(void);

/* Takes the entry of a block out, before the real free or realloc.  Needs no guard. */
struct block_entry track_take(const void *block);

/* Puts it back: the real call failed. */
void track_put_back(const void *block, struct block_entry entry);

/* A block whose entry was taken is free now. */
void track_died(struct thread *self, const void *block, struct block_entry entry);

/* A block whose entry was taken lives on, elsewhere or with another size: one event. */
void track_moved(struct thread *self, const void *old_block, struct block_entry entry, const void *block,
                 size_t size, const uintptr_t *hook);

/* A free without the guard: kept for the guard's end (guard_drain).  False: no room, or no thread. */
bool track_died_later(const void *block, struct block_entry entry);
void track_died_before(struct thread *self, const struct deferred *death);

/* Life's steps, see base/life.h. */
void track_refresh(struct thread *self);
bool track_child(struct thread *self);

/* Slow halves of the following. */
void track_born_slowly(struct thread *self, const void *block, size_t size, const uintptr_t *hook, bool watch);
bool track_freed_slowly(struct thread *self, const void *block);

/* A block was born while nothing is recorded.  watch: its death is to be told to modules all the same. */
void track_born_stopped(const void *block, bool watch);

/* The real call found no memory for a block of so many bytes. */
void track_failed(struct thread *self, size_t size);

/* The program tells of a block of an allocator of its own, in place of what it told before; or of its end.  0 or
   -ENOMEM.  hook: as of a birth. */
int track_told(struct thread *self, uint32_t domain, const void *block, size_t size, const uintptr_t *hook);
void track_untold(struct thread *self, uint32_t domain, const void *block);

/* The program has mapped a range; whatever was known there is gone.  hook: as of a birth. */
void track_mapped(struct thread *self, struct range range, enum mapping_kind kind, const uintptr_t *hook);

/* What was taken out of the books is unmapped. */
void track_unmapped(struct thread *self, struct taken *taken);

/* What was taken is mapped in this range now, which may be larger, or smaller: of a whole mapping, one event. */
void track_remapped(struct thread *self, struct taken *taken, struct range range, enum mapping_kind kind,
                    const uintptr_t *hook);

/* Where the block was allocated, see tracemalloc_get_object_traceback. */
int track_traceback(struct thread *self, const void *block, void **addresses, int n);

/* --- the common way ------------------------------------------------------------------------------------
 *
 * A kept stack, a counter that exists, nobody to tell.  Everything unusual is found before anything is changed,
 * and left to the slow half, which begins anew.
 */

/* The registers of the hook's caller.  hook: the frame of the hook that was called, which begins with its
   caller's rbp and its return address. */
static inline struct frame_state track_caller(const uintptr_t *hook)
{
    return (struct frame_state){.lookup = hook[1] - 1, .sp = (uintptr_t)(hook + 2), .bp = hook[0]};
}

/*
 * A block was born: size as the program asked for it.  (To find the stack before the allocator is called, so that what
 * a new one has to fetch is on its way meanwhile, costs each malloc 1.6 ns and gained nothing that shows.)
 */
static inline void track_born(struct thread *self, const void *block, size_t size, const uintptr_t *hook)
{
    struct stack_memo *stack = likely(self->stacks != NULL) ? stacks_find(self->stacks, track_caller(hook)) : NULL;
    struct trace_counter *counter = likely(stack != NULL) ? stack->of_site : NULL;
    block_slot *slot = blocks_find(block);
    int64_t held = counters_held(self) + (int64_t)size;
    if (unlikely(!counter) || unlikely(!slot) || unlikely(!size) || unlikely(counters_are_above(self, held)) ||
        unlikely(!self->countdown)) {
        track_born_slowly(self, block, size, hook, false);
        return;
    }
    blocks_write(slot, (struct block_entry){size, stack->site, false});
    counter_born(counter, size);
    self->last_born = block;
    self->countdown--;
    counters_count(self, 1);
    counters_hold(self, held);
}

/* A block is about to be freed.  False: it was not ours. */
static inline bool track_freed(struct thread *self, const void *block)
{
    block_slot *slot = blocks_find(block);
    if (unlikely(!slot) || unlikely(!self->counters))
        return track_freed_slowly(self, block);
    struct block_entry entry = blocks_read(slot);
    struct trace_counter *section = self->counters[entry.site / COUNTERS_PER_SECTION];
    struct trace_counter *counter = &section[entry.site % COUNTERS_PER_SECTION];
    int64_t held = counters_held(self);
    if (unlikely(!section) || unlikely(!entry.site) || unlikely(entry.watch) ||
        unlikely(counters_are_unsettled(self, held)) ||
        unlikely(counters_are_below(self, held - (int64_t)entry.size)))
        return track_freed_slowly(self, block);
    blocks_clear(slot, entry);
    counter_died(counter, entry.size);
    if (self->last_born == block && unlikely(++counter->temporary == 0))
        counters_spilled(entry.site, TRACE_SPILL_TEMPORARY);
    self->last_born = NULL;
    counters_count(self, -1);
    counters_hold(self, held - (int64_t)entry.size);
    return true;
}

#endif
