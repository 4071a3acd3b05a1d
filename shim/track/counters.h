// SPDX-License-Identifier: MIT
/*
 * Counters: what happened at each site, and how much of it there was at the peak.
 *
 * Shards.  One cache line per (site, shard), so that threads do not share lines.  A thread owns a shard
 * alone, or, when more threads live than 32 and than 2 x CPUs, uses one of a few shared shards under its lock.
 * Eight busy threads on two CPUs took seven times as long an event when they shared: so even a machine of few CPUs
 * has enough shards for what programs usually start.
 * Memory: 64 bytes x sites touched, rounded up to 64 sites, x (the larger of 32 and 2 x CPUs, and 4 shared shards).
 *
 * The peak, lazily.  `epoch` advances whenever the live bytes of the whole process pass their former
 * maximum.  Before a counter changes, if its epoch is old, its present values are saved as "at the peak"
 * and it takes the present epoch.  So at any time the values at the peak are the saved ones if the
 * counter's epoch is the present one, and otherwise the live ones: it has not changed since.
 *
 * A rise needs no notes: while the live bytes are above the noted peak, the peak is now.  With one thread it is
 * noted, and the epoch advanced, only before the first event after which no more bytes are live; so it is exact.
 * With several a thread publishes its net change when it passes a quantum, and the peak is noted then: it is
 * off by at most quantum x threads.
 */
#ifndef TRACK_COUNTERS_H
#define TRACK_COUNTERS_H

#include "../base/file.h"
#include "../base/thread.h"

enum {
    QUANTUM = 64 * 1024,
    STRIDE = 1024 * 1024,       /* of one thread alone, which has nobody to tell: only so that somebody looks */
    COUNTERS_PER_SECTION = 64,
    SITES_MAX = 1 << 24,
};

struct shard {
    struct trace_counter **sections;    /* by site / COUNTERS_PER_SECTION */
    struct lock *lock;                  /* null: one thread owns it */
    uint32_t number;
};

bool counters_start(void);

/* Gives the thread its shard, at its first event.  False: no memory. */
bool counters_join(struct thread *self);

/* Gives the thread the counters for the common way if it may have them: it has a shard alone, and no phase open. */
void counters_lend(struct thread *self);

/* The section with the counter of a site, made if need be; null: no room. */
struct trace_counter *counters_slowly(struct thread *self, uint32_t site);

/* Makes the process-wide live count know what self holds back; with several threads, notes a new peak. */
void counters_publish(struct thread *self);

/* The slow half of counters_settle. */
void counters_new_peak(struct thread *self);

/* Notes that a 32-bit counter of a site has passed 2^32. */
void counters_spilled(uint32_t site, enum trace_spill_kind kind);

/* Bytes live now, also those that other threads hold back; and at the peak, as published. */
void counters_read(struct thread *self, uint64_t *current, uint64_t *peak);

/* Allocations so far, and blocks live now. */
void counters_count_up(uint64_t *allocations, uint64_t *blocks);

/* What is live, and was at the peak, as published; without making anything known.  The peak that is noted may be
   less than what is live: then it is now. */
struct live_now {
    uint64_t bytes, blocks;
    uint64_t peak_bytes, peak_blocks;
};
struct live_now counters_now(void);

/* The first event after which so many bytes are live or more shall be published, to the byte while there is one
   thread, else by the quantum; INT64_MAX: there is none. */
void counters_watch(struct thread *self, int64_t bytes);

/* All that is live; exact while no other thread counts. */
void counters_total(uint64_t *bytes, uint64_t *blocks);

/* What is live now is the peak, at each site too; all is forgotten.  Both while no other thread counts, under
   world.tables. */
void counters_reset_peak(void);
void counters_clear(void);

/* Adds up the shards' counters of a section of sites, the first of which is a multiple of COUNTERS_PER_SECTION. */
void counters_sum(uint32_t first, struct trace_snapshot_site *sums);

/* In a fork's child: everything counts from here, but what is live stays live. */
void counters_child(struct thread *self);

/* ... and what was live at the fork, by site: all that is live now less what was counted since. */
bool counters_inherit(void);

/* This thread's counter of a site; it has joined.  Null: no room. */
static inline struct trace_counter *counter_of(struct thread *self, uint32_t site)
{
    struct trace_counter *section = self->shard->sections[site / COUNTERS_PER_SECTION];
    return likely(section != NULL) ? &section[site % COUNTERS_PER_SECTION] : counters_slowly(self, site);
}

/* Around the changes of a counter, unless the thread has self->counters. */
static inline void counter_begin(struct thread *self)
{
    if (unlikely(self->shard->lock))
        lock_take(self->shard->lock);
}

static inline void counter_end(struct thread *self)
{
    if (unlikely(self->shard->lock))
        lock_drop(self->shard->lock);
}

/* Saves the values at the peak before the counter changes.  The epoch is stored last. */
static inline void counter_save(struct trace_counter *counter)
{
    uint64_t epoch = __atomic_load_n(&file_header->epoch, __ATOMIC_RELAXED);
    if (counter->epoch == epoch)
        return;
    counter->peak_blocks = (int64_t)(counter->allocations - counter->frees);
    counter->peak_bytes = (int64_t)(counter->allocated_bytes - counter->freed_bytes);
    __atomic_store_n(&counter->epoch, epoch, __ATOMIC_RELEASE);
}

static inline void counter_born(struct trace_counter *counter, uint64_t size)
{
    counter_save(counter);
    counter->allocations++;
    counter->allocated_bytes += size;
}

static inline void counter_died(struct trace_counter *counter, uint64_t size)
{
    counter_save(counter);
    counter->frees++;
    counter->freed_bytes += size;
}

/* A block that lives on has so many bytes less. */
static inline void counter_shrank(struct trace_counter *counter, uint64_t bytes)
{
    counter_save(counter);
    counter->freed_bytes += bytes;
}

static inline int64_t counters_held(const struct thread *self)
{
    return atomic_load_explicit(&self->held, memory_order_relaxed);
}

/* Only its thread changes it. */
static inline void counters_hold(struct thread *self, int64_t held)
{
    atomic_store_explicit(&self->held, held, memory_order_relaxed);
}

static inline bool counters_are_unsettled(const struct thread *self, int64_t held)
{
    return held > atomic_load_explicit(&self->settle, memory_order_relaxed);
}

static inline bool counters_are_above(const struct thread *self, int64_t held)
{
    return held > atomic_load_explicit(&self->upper, memory_order_relaxed);
}

static inline bool counters_are_below(const struct thread *self, int64_t held)
{
    return held < atomic_load_explicit(&self->lower, memory_order_relaxed);
}

/* So many blocks more, or less.  Another thread may read it: one store. */
static inline void counters_count(struct thread *self, int64_t blocks)
{
    self->blocks += blocks;
}

/* To be called before the counters of an event after which no more bytes are live than before. */
static inline void counters_settle(struct thread *self)
{
    if (unlikely(counters_are_unsettled(self, counters_held(self))))
        counters_new_peak(self);
}

/* After the counters: so many bytes more live now, or less.  True: it was made known; a moment to look around. */
static inline bool counters_grow(struct thread *self, uint64_t bytes)
{
    int64_t held = counters_held(self) + (int64_t)bytes;
    counters_hold(self, held);
    if (likely(!counters_are_above(self, held)))
        return false;
    counters_publish(self);
    return true;
}

static inline bool counters_shrink(struct thread *self, uint64_t bytes)
{
    int64_t held = counters_held(self) - (int64_t)bytes;
    counters_hold(self, held);
    if (likely(!counters_are_below(self, held)))
        return false;
    counters_publish(self);
    return true;
}

#endif
