// SPDX-License-Identifier: MIT
#include "timeline.h"
#include "counters.h"
#include "../base/life.h"
#include "../base/proc.h"
#include "../base/records.h"
#include <errno.h>

enum {
    POINTS_PER_SECTION = 64,
    INTERVAL_NS = 1000 * 1000,          /* at first */
    RESIDENT_NS = 8 * 1000 * 1000,      /* between two questions for it, at least */
    RESIDENT_SHARE = 128,               /* and so many times as long as one takes, ... */
    RESIDENT_MAX_NS = 512 * 1000 * 1000,        /* ... which may only have been interrupted */
    MARKS_PER_SECTION = 32,
    MARKS_MAX = 1024,
};

static struct records points = {.type = TRACE_TIMELINE, .size = sizeof(struct trace_point),
                                .per_section = POINTS_PER_SECTION, .max = TIMELINE_POINTS};

static struct records marks = {.type = TRACE_MARKS, .size = sizeof(struct trace_mark),
                               .per_section = MARKS_PER_SECTION, .max = MARKS_MAX};

static struct {
    _Atomic uint64_t interval, due;
    _Atomic uint64_t peak_bytes, peak_ns;       /* the noted peak that was seen last, and when */
    _Atomic uint64_t resident, resident_due, resident_pause;
} timeline;

static void begin(void)
{
    atomic_store(&timeline.interval, INTERVAL_NS);
    atomic_store(&timeline.due, 0);
    atomic_store(&timeline.peak_bytes, 0);
    atomic_store(&timeline.peak_ns, 0);
    atomic_store(&timeline.resident, 0);
    atomic_store(&timeline.resident_due, 0);
    atomic_store(&timeline.resident_pause, RESIDENT_NS);
}

/* The first record is the peak's. */
bool timeline_start(void)
{
    begin();
    return records_start(&points, 1, &file_header->point_count);
}

uint64_t timeline_interval(void)
{
    return atomic_load_explicit(&timeline.interval, memory_order_relaxed);
}

/* --- resident memory ------------------------------------------------------------------------------------ */

/*
 * The second number of /proc/self/statm, in pages.  getrusage, which needs no file, knows only the most that there
 * ever was.  Nothing is kept open: the descriptor would be the program's to trip over.
 */
static uint64_t ask_for_resident(void)
{
    char text[64];
    size_t n = proc_read("/proc/self/statm", text, sizeof text - 1);
    const char *at = text;
    uint64_t pages = 0;
    text[n] = 0;
    while (*at >= '0' && *at <= '9')
        at++;
    for (at += *at == ' '; *at >= '0' && *at <= '9'; at++)
        pages = pages * 10 + (uint64_t)(*at - '0');
    return pages * PAGE_SIZE;
}

/* Where it is refused, that may be written down somewhere: it is asked for ever more rarely. */
static uint64_t resident(uint64_t now, bool may_open)
{
    uint64_t due = atomic_load(&timeline.resident_due), pause = atomic_load(&timeline.resident_pause);
    if (!may_open)
        return 0;
    if (now < due || !atomic_compare_exchange_strong(&timeline.resident_due, &due, now + pause))
        return atomic_load(&timeline.resident);
    uint64_t bytes = ask_for_resident(), after = sys_clock_ns(CLOCK_MONOTONIC);
    uint64_t taken = after > now ? after - now : 0;
    uint64_t share = RESIDENT_SHARE * taken < RESIDENT_MAX_NS ? RESIDENT_SHARE * taken : RESIDENT_MAX_NS;
    pause = bytes ? RESIDENT_NS : 2 * pause;
    if (pause < share)
        pause = share;
    atomic_store(&timeline.resident_pause, pause);
    atomic_store(&timeline.resident_due, now + pause);
    atomic_store(&timeline.resident, bytes);
    return bytes;
}

/* --- points ---------------------------------------------------------------------------------------------- */

/* Over whatever is there: a point of time 0 is none. */
static void put(struct trace_point *to, const struct trace_point *from)
{
    __atomic_store_n(&to->ns, 0, __ATOMIC_RELEASE);
    POINT("writing a point");
    __atomic_store_n(&to->current_bytes, from->current_bytes, __ATOMIC_RELEASE);
    __atomic_store_n(&to->blocks, from->blocks, __ATOMIC_RELEASE);
    __atomic_store_n(&to->resident_bytes, from->resident_bytes, __ATOMIC_RELEASE);
    __atomic_store_n(&to->ns, from->ns, __ATOMIC_RELEASE);
}

/* Around changes of points that readers may have read.  The count is even otherwise. */
static void change(void)
{
    __atomic_store_n(&file_header->point_changes, file_header->point_changes + 1, __ATOMIC_RELEASE);
}

/* Each point that stays has a copy at its new place before its old one is taken: nothing is lost on the way. */
static void thin_out(void)
{
    uint32_t kept = 1;
    change();
    for (uint32_t i = 1; i < points.count; i += 2, kept++)
        if (i != kept)
            put(record_at(&points, kept), record_at(&points, i));
    points.count = kept;
    __atomic_store_n(&file_header->point_count, kept, __ATOMIC_RELEASE);
    change();
    atomic_store(&timeline.interval, 2 * timeline_interval());
}

static void note_peak(const struct live_now *live, uint64_t resident_bytes)
{
    struct trace_point *first = record_at(&points, 0);
    struct trace_point peak = {.ns = atomic_load(&timeline.peak_ns) - 1, .current_bytes = live->peak_bytes,
                               .blocks = live->peak_blocks, .resident_bytes = resident_bytes};
    if (peak.current_bytes <= first->current_bytes || peak.current_bytes <= live->bytes)
        return;
    change();
    put(first, &peak);
    change();
}

static void note(uint64_t now, const struct live_now *live, uint64_t resident_bytes)
{
    struct trace_point point = {.ns = now, .current_bytes = live->bytes, .blocks = live->blocks,
                                .resident_bytes = resident_bytes};
    struct trace_point *room = records_room(&points);
    note_peak(live, resident_bytes);
    if (!room) {
        thin_out();
        room = records_room(&points);
    }
    if (room) {
        put(room, &point);
        records_done(&points, &file_header->point_count);
    }
}

static void see_peak(uint64_t now)
{
    uint64_t peak = __atomic_load_n(&file_header->peak_bytes, __ATOMIC_RELAXED);
    if (peak == atomic_load_explicit(&timeline.peak_bytes, memory_order_relaxed))
        return;
    atomic_store_explicit(&timeline.peak_bytes, peak, memory_order_relaxed);
    atomic_store_explicit(&timeline.peak_ns, now, memory_order_relaxed);
}

/* Under world.tables. */
static void note_if_due(uint64_t now, uint64_t resident_bytes)
{
    if (now < atomic_load(&timeline.due))
        return;
    struct live_now live = counters_now();
    note(now, &live, resident_bytes);
    atomic_store(&timeline.due, now + timeline_interval());
}

/* If somebody else has the tables, the next look will do. */
bool timeline_look(struct thread *self, uint64_t now, bool may_open)
{
    see_peak(now);
    if (now < atomic_load_explicit(&timeline.due, memory_order_relaxed))
        return false;
    counters_publish(self);
    uint64_t resident_bytes = resident(now, may_open);
    if (!tables_try())
        return false;
    note_if_due(now, resident_bytes);
    tables_drop();
    return true;
}

/* --- marks ---------------------------------------------------------------------------------------------- */

/* Most programs make none: the table begins with the first. */
static struct trace_mark *room_for_mark(void)
{
    if (!marks.sections && !records_start(&marks, 0, &file_header->mark_count))
        return NULL;
    return records_room(&marks);
}

int timeline_mark(struct thread *self, const char *label)
{
    counters_publish(self);
    tables_take();
    struct trace_mark *mark = room_for_mark();
    if (mark) {
        struct live_now live = counters_now();
        *mark = (struct trace_mark){sys_clock_ns(CLOCK_MONOTONIC), live.bytes, live.blocks, ""};
        file_label(mark->label, sizeof mark->label, label);
        records_done(&marks, &file_header->mark_count);
    }
    tables_drop();
    return mark ? 0 : -ENOSPC;
}

void timeline_end(struct thread *self, uint64_t now, bool may_open)
{
    see_peak(now);
    counters_publish(self);
    uint64_t resident_bytes = resident(now, may_open);
    tables_take();
    atomic_store(&timeline.due, 0);
    note_if_due(now, resident_bytes);
    tables_drop();
}

void timeline_child(void)
{
    begin();
    marks.count = file_header->mark_count = 0;
    points.count = file_header->point_count = 1;
    file_header->point_changes = 0;
}
