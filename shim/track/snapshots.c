// SPDX-License-Identifier: MIT
#include "snapshots.h"
#include "counters.h"
#include "session.h"
#include "../base/arena.h"
#include "../base/life.h"
#include "../base/options.h"
#include <errno.h>
#include <string.h>

enum {
    FAILURES_MAX = 4,           /* allocations that fail, of which snapshots are taken */
    FIRST_SIZE = 1024 * 1024,   /* from which growth counts */
};

/* A section of a place's figures.  It stays with its place, and is used again with it. */
struct span {
    struct trace_snapshot_site *sites;
    uint32_t first, end;        /* multiples of COUNTERS_PER_SECTION */
    struct span *next;
};

struct place {
    struct span *spans, **last;
    uint32_t covered;           /* sites for which there is room */
};

static struct {
    struct trace_snapshot *records;     /* in the file; null: none was taken yet */
    struct place *places;
    uint32_t *order;            /* scratch, for places */
    uint64_t taken;
    _Atomic uint64_t due;       /* UINT64_MAX: never */
    _Atomic uint64_t growth;    /* the size at which current will have grown by the factor; 0: none */
    _Atomic bool passed;        /* current is beyond the wanted size */
    _Atomic uint32_t failures;
} snapshots = {.due = UINT64_MAX};

/* --- places ---------------------------------------------------------------------------------------------- */

static bool make_places(void)
{
    if (snapshots.records)
        return true;
    uint64_t size = options.keep * sizeof(struct trace_snapshot);
    if (!snapshots.places)
        snapshots.places = arena_alloc(options.keep * sizeof *snapshots.places);
    if (!snapshots.order)
        snapshots.order = arena_alloc(options.keep * sizeof *snapshots.order);
    struct trace_section *section =
        snapshots.places && snapshots.order && file_has_plenty(size)
            ? file_section(TRACE_SNAPSHOTS, sizeof *snapshots.records, options.keep, 0, 0)
            : NULL;
    snapshots.records = section ? (struct trace_snapshot *)(section + 1) : NULL;
    return section;
}

/* The places in use, the oldest first; only those without a label, or all. */
static uint32_t list_places(bool labelled)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < options.keep; i++) {
        const struct trace_snapshot *record = &snapshots.records[i];
        if (!record->number || (*record->label && !labelled))
            continue;
        uint32_t at = count++;
        for (; at && snapshots.records[snapshots.order[at - 1]].number > record->number; at--)
            snapshots.order[at] = snapshots.order[at - 1];
        snapshots.order[at] = i;
    }
    return count;
}

static uint64_t number_of(uint32_t i)
{
    return snapshots.records[snapshots.order[i]].number;
}

/* Of the older half the one whose neighbours are nearest to each other, but never the first: the newer half stays
   complete, the older one spread over all the time before. */
static uint32_t least_missed(void)
{
    uint32_t count = list_places(false), least = 0;
    if (count < 2)
        count = list_places(true);
    for (uint32_t i = 1; i < (count + 1) / 2; i++)
        if (!least || number_of(i + 1) - number_of(i - 1) < number_of(least + 1) - number_of(least - 1))
            least = i;
    return snapshots.order[least];
}

static uint32_t free_place(void)
{
    uint32_t place = 0;
    while (place < options.keep && snapshots.records[place].number)
        place++;
    if (place == options.keep) {
        place = least_missed();
        __atomic_store_n(&snapshots.records[place].number, 0, __ATOMIC_RELEASE);
    }
    return place;
}

static bool make_room(struct place *place, uint32_t number, uint32_t sites)
{
    uint32_t end = (sites + COUNTERS_PER_SECTION - 1) & ~(COUNTERS_PER_SECTION - 1u);
    if (end <= place->covered)
        return true;
    uint32_t capacity = end - place->covered;
    uint64_t size = (uint64_t)capacity * sizeof(struct trace_snapshot_site);
    struct span *span = file_has_plenty(size) ? arena_alloc(sizeof *span) : NULL;
    struct trace_section *section =
        span ? file_section(TRACE_SNAPSHOT_SITES, sizeof *span->sites, capacity, place->covered, number) : NULL;
    if (!section)
        return false;
    *span = (struct span){(struct trace_snapshot_site *)(section + 1), place->covered, end, NULL};
    *(place->last ? place->last : &place->spans) = span;
    place->last = &span->next;
    place->covered = end;
    return true;
}

/* --- taking one ------------------------------------------------------------------------------------------ */

static void add_up(const struct place *place, uint32_t sites)
{
    for (const struct span *span = place->spans; span; span = span->next)
        for (uint32_t first = span->first; first < span->end && first < sites; first += COUNTERS_PER_SECTION)
            counters_sum(first, span->sites + (first - span->first));
}

/* Under world.tables. */
static int fill(const char *label, enum trace_snapshot_reason reason, uint64_t asked, bool blurred)
{
    struct trace_snapshot made = {
        .ns = sys_clock_ns(CLOCK_MONOTONIC), .reason = reason, .asked_bytes = asked,
        .flags = blurred ? TRACE_SNAPSHOT_BLURRED : 0,
        .site_count = file_header->site_count, .spill_count = file_header->spill_count,
    };
    if (!make_places())
        return -ENOSPC;
    uint32_t number = free_place();
    struct trace_snapshot *record = &snapshots.records[number];
    if (!make_room(&snapshots.places[number], number, made.site_count))
        return -ENOSPC;
    add_up(&snapshots.places[number], made.site_count);
    POINT("taking a snapshot");
    counters_total(&made.current_bytes, &made.blocks);
    file_label(made.label, sizeof made.label, label);
    *record = made;
    __atomic_store_n(&record->number, ++snapshots.taken, __ATOMIC_RELEASE);
    if (file_header->snapshot_count <= number)
        __atomic_store_n(&file_header->snapshot_count, number + 1, __ATOMIC_RELEASE);
    return 0;
}

int snapshots_take(struct thread *self, const char *label, enum trace_snapshot_reason reason, uint64_t asked)
{
    if (!thread_world_claim())
        return -EBUSY;
    /* To stop the others takes calls that a filter may not know. */
    bool alone = thread_count_most() == 1;
    bool stopped = !alone && !session_is_confined() && thread_world_stop_twice(self);
    tables_take();
    int result = fill(label, reason, asked, !alone && !stopped);
    tables_drop();
    if (stopped)
        thread_world_go(self);
    thread_world_release();
    return result;
}

/* --- when to --------------------------------------------------------------------------------------------- */

static uint64_t grown(uint64_t size)
{
    return size + (size / 1000) * options.snapshot_growth + size % 1000 * options.snapshot_growth / 1000;
}

/* The next event that passes one of the sizes is to be told. */
static void watch(struct thread *self)
{
    uint64_t growth = atomic_load(&snapshots.growth);
    uint64_t size = atomic_load(&snapshots.passed) ? 0 : options.snapshot_size;
    uint64_t next = growth && (!size || growth < size) ? growth : size;
    counters_watch(self, next && next < INT64_MAX ? (int64_t)next : INT64_MAX);
}

void snapshots_start(struct thread *self)
{
    uint64_t interval = snapshots_interval();
    atomic_store(&snapshots.due, interval == UINT64_MAX ? interval : file_header->started_ns + interval);
    uint64_t current = counters_now().bytes;
    atomic_store(&snapshots.growth,
                 options.snapshot_growth ? grown(current > FIRST_SIZE ? current : FIRST_SIZE) : 0);
    atomic_store(&snapshots.passed, false);
    if (options.snapshot_growth || options.snapshot_size)
        watch(self);
}

uint64_t snapshots_interval(void)
{
    return options.snapshot_ms ? options.snapshot_ms * UINT64_C(1000000) : UINT64_MAX;
}

static bool is_due(uint64_t now)
{
    uint64_t due = atomic_load_explicit(&snapshots.due, memory_order_relaxed);
    return now >= due && atomic_compare_exchange_strong(&snapshots.due, &due, now + snapshots_interval());
}

/* One for all the steps that it has grown at once. */
static bool has_grown(uint64_t current)
{
    uint64_t growth = atomic_load_explicit(&snapshots.growth, memory_order_relaxed);
    return growth && current >= growth &&
           atomic_compare_exchange_strong(&snapshots.growth, &growth, grown(current));
}

/* Again only after an eighth of it has gone: it may go up and down about the size. */
static bool has_passed(uint64_t current)
{
    uint64_t size = options.snapshot_size;
    if (!size)
        return false;
    if (current >= size)
        return !atomic_exchange(&snapshots.passed, true);
    if (current < size - size / 8)
        atomic_store(&snapshots.passed, false);
    return false;
}

static void look_at_size(struct thread *self)
{
    uint64_t current = counters_now().bytes;
    if (has_grown(current))
        snapshots_take(self, NULL, TRACE_SNAPSHOT_GROWTH, 0);
    if (has_passed(current))
        snapshots_take(self, NULL, TRACE_SNAPSHOT_SIZE, 0);
    watch(self);
}

void snapshots_look(struct thread *self, uint64_t now)
{
    if (is_due(now))
        snapshots_take(self, NULL, TRACE_SNAPSHOT_INTERVAL, 0);
    if (options.snapshot_growth || options.snapshot_size)
        look_at_size(self);
}

void snapshots_cleared(struct thread *self)
{
    if (atomic_load(&snapshots.growth))
        atomic_store(&snapshots.growth, grown(FIRST_SIZE));
    atomic_store(&snapshots.passed, false);
    if (options.snapshot_growth || options.snapshot_size)
        watch(self);
}

void snapshots_failed(struct thread *self, uint64_t asked)
{
    if (atomic_load(&snapshots.failures) < FAILURES_MAX && atomic_fetch_add(&snapshots.failures, 1) < FAILURES_MAX)
        snapshots_take(self, NULL, TRACE_SNAPSHOT_FAILED, asked);
}

/* The parent's places are void in the child's file. */
void snapshots_child(struct thread *self)
{
    if (snapshots.places)
        memset(snapshots.places, 0, options.keep * sizeof *snapshots.places);
    snapshots.records = NULL;
    snapshots.taken = 0;
    atomic_store(&snapshots.failures, 0);
    file_header->snapshot_count = 0;
    snapshots_start(self);
}
