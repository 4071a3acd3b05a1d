// SPDX-License-Identifier: MIT
#include "counters.h"
#include "blocks.h"
#include "domains.h"
#include "mappings.h"
#include "../base/arena.h"
#include "../base/life.h"
#include <string.h>

enum {
    CPUS_MAX = 64,
    OWN_LEAST = 32,             /* shards of one thread each, however few CPUs there are */
    SHARED = 4,                 /* shared shards, once the threads outnumber the others */
    SHARDS_MAX = 2 * CPUS_MAX + SHARED,
    SPILLS_PER_SECTION = 64,
};

static struct shard shards[SHARDS_MAX];
static uint32_t own_shards, own_max;

/*
 * Live bytes of the process: what the first thread holds, which only that thread writes and everybody reads,
 * and `rest`, to which the others publish.
 */
static struct {
    struct thread *first;
    _Atomic int64_t rest, rest_blocks;
    _Atomic int64_t peak_blocks;
    _Atomic int64_t watched;    /* whoever passes it publishes */
    _Atomic bool alone;         /* there has been no other thread yet */
} live = {.watched = INT64_MAX};

static uint32_t cpus(void)
{
    unsigned long mask[1024 / 64] = {0};
    uint32_t count = 0;
    long bytes = sys3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    for (long i = 0; i < bytes / 8; i++)
        count += (uint32_t)__builtin_popcountl(mask[i]);
    return count == 0 ? 1 : count > CPUS_MAX ? CPUS_MAX : count;
}

bool counters_start(void)
{
    own_max = 2 * cpus();
    if (own_max < OWN_LEAST)
        own_max = OWN_LEAST;
    file_header->epoch = 1;
    sys_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    return true;
}

/* --- live and peak ----------------------------------------------------------------------------------- */

static void set_bounds(struct thread *self, int64_t lower, int64_t upper, int64_t settle)
{
    atomic_store_explicit(&self->lower, lower, memory_order_relaxed);
    atomic_store_explicit(&self->upper, upper, memory_order_relaxed);
    atomic_store_explicit(&self->settle, settle, memory_order_relaxed);
}

static int64_t now_live(void)
{
    return atomic_load_explicit(&live.first->held, memory_order_relaxed) +
           atomic_load_explicit(&live.rest, memory_order_relaxed);
}

/* Of what other threads may be changing: each number by one store. */
#define READS_OTHERS __attribute__((no_sanitize("thread")))

READS_OTHERS static int64_t now_blocks(void)
{
    return live.first->blocks + atomic_load_explicit(&live.rest_blocks, memory_order_relaxed);
}

static void note_peak_among_many(int64_t now)
{
    uint64_t peak = __atomic_load_n(&file_header->peak_bytes, __ATOMIC_RELAXED);
    while (now > (int64_t)peak) {
        if (__atomic_compare_exchange_n(&file_header->peak_bytes, &peak, (uint64_t)now, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            __atomic_fetch_add(&file_header->epoch, 1, __ATOMIC_RELEASE);
            atomic_store_explicit(&live.peak_blocks, now_blocks(), memory_order_relaxed);
            return;
        }
    }
}

/* Alone: plain stores.  `settle` may have come to an end while another thread was told not to be alone. */
void counters_new_peak(struct thread *self)
{
    if (!atomic_load(&live.alone)) {
        atomic_store_explicit(&self->settle, INT64_MAX, memory_order_relaxed);
        return;
    }
    int64_t held = atomic_load_explicit(&self->held, memory_order_relaxed);
    atomic_store_explicit(&self->settle, held, memory_order_relaxed);
    atomic_store_explicit(&live.peak_blocks, self->blocks, memory_order_relaxed);
    __atomic_store_n(&file_header->peak_bytes, (uint64_t)held, __ATOMIC_RELAXED);
    __atomic_store_n(&file_header->epoch, file_header->epoch + 1, __ATOMIC_RELEASE);
}

/* Of the first thread, while it is alone. */
static void set_stride(struct thread *self, int64_t held)
{
    int64_t watched = atomic_load_explicit(&live.watched, memory_order_relaxed);
    atomic_store_explicit(&self->lower, held - STRIDE, memory_order_relaxed);
    atomic_store_explicit(&self->upper, watched <= held + STRIDE ? watched - 1 : held + STRIDE,
                          memory_order_relaxed);
}

/* The first thread's bounds go with what it holds; the others hold nothing afterwards. */
void counters_publish(struct thread *self)
{
    int64_t held = atomic_load_explicit(&self->held, memory_order_relaxed);
    if (self != live.first) {
        atomic_fetch_add_explicit(&live.rest, held, memory_order_relaxed);
        atomic_store_explicit(&self->held, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&live.rest_blocks, self->blocks, memory_order_relaxed);
        self->blocks = 0;
        set_bounds(self, -self->quantum, self->quantum, INT64_MAX);
    } else if (!atomic_load(&live.alone)) {
        set_bounds(self, held - self->quantum, held + self->quantum, INT64_MAX);
    } else {
        set_stride(self, held);
    }
    if (!atomic_load(&live.alone))
        note_peak_among_many(now_live());
}

void counters_read(struct thread *self, uint64_t *current, uint64_t *peak)
{
    uint64_t blocks;
    *current = *peak = 0;
    if (!live.first)
        return;
    counters_publish(self);
    counters_total(current, &blocks);
    *peak = __atomic_load_n(&file_header->peak_bytes, __ATOMIC_RELAXED);
    if (*peak < *current)
        *peak = *current;
}

static uint64_t not_negative(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

struct live_now counters_now(void)
{
    if (!live.first)
        return (struct live_now){0};
    return (struct live_now){
        .bytes = not_negative(now_live()),
        .blocks = not_negative(now_blocks()),
        .peak_bytes = __atomic_load_n(&file_header->peak_bytes, __ATOMIC_RELAXED),
        .peak_blocks = not_negative(atomic_load_explicit(&live.peak_blocks, memory_order_relaxed)),
    };
}

void counters_watch(struct thread *self, int64_t bytes)
{
    atomic_store_explicit(&live.watched, bytes, memory_order_relaxed);
    if (self == live.first && atomic_load(&live.alone))
        set_stride(self, counters_held(self));
}

static void be_first(struct thread *self, int64_t peak)
{
    live.first = self;
    atomic_store(&live.alone, true);
    atomic_store_explicit(&self->settle, peak, memory_order_relaxed);
    set_stride(self, counters_held(self));
}

READS_OTHERS void counters_total(uint64_t *bytes, uint64_t *blocks)
{
    int64_t all = atomic_load(&live.rest), all_blocks = atomic_load(&live.rest_blocks);
    for (const struct thread *t = thread_list(); t; t = t->next) {
        all += atomic_load(&t->held);
        all_blocks += t->blocks;
    }
    *bytes = not_negative(all);
    *blocks = not_negative(all_blocks);
}

/* --- anew --------------------------------------------------------------------------------------------- */

static void advance_epoch(void)
{
    __atomic_store_n(&file_header->epoch, file_header->epoch + 1, __ATOMIC_RELEASE);
}

/* What the others hold back would be found above the new peak otherwise. */
static void gather(void)
{
    for (struct thread *t = thread_list(); t; t = t->next) {
        if (t == live.first)
            continue;
        atomic_fetch_add(&live.rest, atomic_exchange(&t->held, 0));
        atomic_fetch_add(&live.rest_blocks, t->blocks);
        t->blocks = 0;
    }
}

void counters_reset_peak(void)
{
    if (!live.first)
        return;
    gather();
    if (atomic_load(&live.alone))
        atomic_store(&live.first->settle, counters_held(live.first));
    atomic_store(&live.peak_blocks, now_blocks());
    __atomic_store_n(&file_header->peak_bytes, not_negative(now_live()), __ATOMIC_RELAXED);
    advance_epoch();
}

/* Who reads meanwhile sees the epoch change, and reads again. */
void counters_clear(void)
{
    advance_epoch();
    for (struct thread *t = thread_list(); t; t = t->next) {
        atomic_store(&t->held, 0);
        t->blocks = 0;
        t->last_born = NULL;
        atomic_store(&t->deferred_count, 0);    /* deaths of what is forgotten */
    }
    atomic_store(&live.rest, 0);
    atomic_store(&live.rest_blocks, 0);
    atomic_store(&live.peak_blocks, 0);
    file_empty(TRACE_COUNTERS);
    file_empty(TRACE_INHERITED);
    file_empty(TRACE_SPILLS);
    __atomic_store_n(&file_header->peak_bytes, 0, __ATOMIC_RELAXED);
    advance_epoch();
    if (live.first && atomic_load(&live.alone))
        be_first(live.first, 0);
    else if (live.first)
        set_bounds(live.first, -QUANTUM, QUANTUM, INT64_MAX);
}

READS_OTHERS static void add_counter(struct trace_snapshot_site *sum, const struct trace_counter *counter,
                                     uint64_t epoch)
{
    bool saved = counter->epoch == epoch;
    int64_t blocks = (int64_t)(counter->allocations - counter->frees);
    int64_t bytes = (int64_t)(counter->allocated_bytes - counter->freed_bytes);
    sum->allocations += counter->allocations;
    sum->allocated_bytes += counter->allocated_bytes;
    sum->frees += counter->frees;
    sum->freed_bytes += counter->freed_bytes;
    sum->peak_blocks += saved ? counter->peak_blocks : blocks;
    sum->peak_bytes += saved ? counter->peak_bytes : bytes;
    sum->reallocations += counter->reallocations;
    sum->temporary += counter->temporary;
}

READS_OTHERS void counters_sum(uint32_t first, struct trace_snapshot_site *sums)
{
    uint64_t epoch = __atomic_load_n(&file_header->epoch, __ATOMIC_ACQUIRE);
    memset(sums, 0, COUNTERS_PER_SECTION * sizeof *sums);
    for (uint32_t s = 0; s < SHARDS_MAX; s++) {
        const struct trace_counter *section =
            shards[s].sections ? shards[s].sections[first / COUNTERS_PER_SECTION] : NULL;
        for (uint32_t i = 0; section && i < COUNTERS_PER_SECTION; i++)
            add_counter(&sums[i], &section[i], epoch);
    }
}

READS_OTHERS static uint64_t allocations_of(const struct shard *shard)
{
    uint32_t sites = __atomic_load_n(&file_header->site_count, __ATOMIC_ACQUIRE);
    uint64_t sum = 0;
    for (uint32_t first = 0; shard->sections && first < sites; first += COUNTERS_PER_SECTION) {
        const struct trace_counter *section = shard->sections[first / COUNTERS_PER_SECTION];
        for (uint32_t i = 0; section && i < COUNTERS_PER_SECTION; i++)
            sum += section[i].allocations;
    }
    return sum;
}

void counters_count_up(uint64_t *allocations, uint64_t *blocks)
{
    uint64_t bytes;
    *allocations = 0;
    for (uint32_t s = 0; s < SHARDS_MAX; s++)
        *allocations += allocations_of(&shards[s]);
    counters_total(&bytes, blocks);
}

/* --- shards ------------------------------------------------------------------------------------------ */

/* What others read of a shard is written once, before any of them gets it. */
static struct shard *shard_ready(struct shard *shard, struct lock *lock)
{
    if (shard->sections)
        return shard;
    shard->number = (uint32_t)(shard - shards);
    shard->lock = lock;
    shard->sections = arena_reserve(SITES_MAX / COUNTERS_PER_SECTION * sizeof *shard->sections);
    if (file_header->shard_count <= shard->number)
        file_header->shard_count = shard->number + 1;
    return shard->sections ? shard : NULL;
}

/* Under world.threads. */
static struct shard *assign(void)
{
    static uint32_t turn;
    if (own_shards < own_max)
        return shard_ready(&shards[own_shards++], NULL);
    uint32_t shared = turn++ % SHARED;
    return shard_ready(&shards[own_max + shared], &world.shared_shard[shared]);
}

/*
 * From the second thread on each publishes by the quantum.  The first must know before another counts, for
 * until then it notes peaks with plain stores.  It publishes at its next event: told so twice, since in the event
 * that it was at it may have set its stride.
 */
static void be_one_of_many(struct thread *self)
{
    if (atomic_exchange(&live.alone, false)) {
        live.first->quantum = QUANTUM;
        set_bounds(live.first, INT64_MAX, INT64_MIN, INT64_MAX);
        thread_world_pass(self);
        set_bounds(live.first, INT64_MAX, INT64_MIN, INT64_MAX);
        note_peak_among_many(now_live());
    }
    self->quantum = QUANTUM;
    set_bounds(self, -QUANTUM, QUANTUM, INT64_MAX);
    uint64_t error = (uint64_t)QUANTUM * thread_count_most();
    if (error > file_header->peak_error_bytes)
        file_header->peak_error_bytes = error;
}

void counters_lend(struct thread *self)
{
    bool may = self->shard && !self->shard->lock && !self->phase_count;
    self->counters = may ? self->shard->sections : NULL;
}

bool counters_join(struct thread *self)
{
    lock_take(&world.threads);
    if (!live.first)
        be_first(self, 0);
    if (!self->shard)
        self->shard = assign();
    counters_lend(self);
    if (self != live.first)
        be_one_of_many(self);
    file_header->threads = thread_count_ever();
    lock_drop(&world.threads);
    return self->shard != NULL;
}

struct trace_counter *counters_slowly(struct thread *self, uint32_t site)
{
    struct trace_counter **place = &self->shard->sections[site / COUNTERS_PER_SECTION];
    tables_take();
    if (!*place) {
        struct trace_section *section =
            file_section(TRACE_COUNTERS, sizeof **place, COUNTERS_PER_SECTION,
                         site & ~(COUNTERS_PER_SECTION - 1u), self->shard->number);
        if (section)
            __atomic_store_n(place, (struct trace_counter *)(section + 1), __ATOMIC_RELEASE);
        else
            file_header->flags |= TRACE_TABLES_FULL;
    }
    tables_drop();
    return *place ? &(*place)[site % COUNTERS_PER_SECTION] : NULL;
}

void counters_spilled(uint32_t site, enum trace_spill_kind kind)
{
    static struct trace_spill *records;
    tables_take();
    uint32_t number = file_header->spill_count;
    if (number % SPILLS_PER_SECTION == 0) {
        struct trace_section *section =
            file_section(TRACE_SPILLS, sizeof *records, SPILLS_PER_SECTION, number, 0);
        records = section ? (struct trace_spill *)(section + 1) : NULL;
    }
    if (records) {
        records[number % SPILLS_PER_SECTION] = (struct trace_spill){site, kind};
        __atomic_store_n(&file_header->spill_count, number + 1, __ATOMIC_RELEASE);
    }
    tables_drop();
}

/* --- fork -------------------------------------------------------------------------------------------- */

void counters_child(struct thread *self)
{
    uint64_t now, blocks;
    counters_total(&now, &blocks);
    for (struct thread *t = thread_list(); t; t = t->next) {
        atomic_store(&t->held, 0);
        t->blocks = 0;
    }
    atomic_store(&self->held, (int64_t)now);
    self->blocks = (int64_t)blocks;
    atomic_store(&live.rest, 0);
    atomic_store(&live.rest_blocks, 0);
    atomic_store(&live.peak_blocks, (int64_t)blocks);
    atomic_store(&live.watched, INT64_MAX);
    be_first(self, (int64_t)now);
    file_header->epoch = 1;
    file_header->peak_bytes = now;
    file_header->peak_error_bytes = 0;
    file_header->spill_count = 0;
    sys_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

struct inheritance {
    struct trace_inherited **sections;
    bool failed;
};

static struct trace_inherited *inherited_of(struct inheritance *all, uint32_t site)
{
    struct trace_inherited **place = &all->sections[site / COUNTERS_PER_SECTION];
    if (!*place) {
        struct trace_section *section = file_section(TRACE_INHERITED, sizeof **place, COUNTERS_PER_SECTION,
                                                     site & ~(COUNTERS_PER_SECTION - 1u), 0);
        if (!section) {
            all->failed = true;
            return NULL;
        }
        *place = (struct trace_inherited *)(section + 1);
    }
    return &(*place)[site % COUNTERS_PER_SECTION];
}

static void count_live(const void *block, struct block_entry entry, void *context)
{
    (void)block;
    bool known = entry.site < file_header->site_count;
    struct trace_inherited *inherited = known ? inherited_of(context, entry.site) : NULL;
    if (inherited) {
        inherited->blocks++;
        inherited->bytes += entry.size;
    }
}

static void subtract_counted(struct inheritance *all, uint32_t sites)
{
    for (uint32_t s = 0; s < SHARDS_MAX; s++) {
        for (uint32_t site = 1; shards[s].sections && site < sites; site++) {
            const struct trace_counter *section = shards[s].sections[site / COUNTERS_PER_SECTION];
            const struct trace_counter *c = section ? &section[site % COUNTERS_PER_SECTION] : NULL;
            if (!c || (!c->allocations && !c->frees))
                continue;
            struct trace_inherited *inherited = inherited_of(all, site);
            if (inherited) {
                inherited->blocks -= c->allocations - c->frees;
                inherited->bytes -= c->allocated_bytes - c->freed_bytes;
            }
        }
    }
}

bool counters_inherit(void)
{
    size_t size = SITES_MAX / COUNTERS_PER_SECTION * sizeof(struct trace_inherited *);
    struct inheritance all = {.sections = arena_reserve(size)};
    if (!all.sections)
        return false;
    blocks_visit(count_live, &all);
    domains_visit(count_live, &all);
    mappings_visit(count_live, &all);
    subtract_counted(&all, file_header->site_count);
    sys_munmap(all.sections, size);
    return !all.failed;
}
