// SPDX-License-Identifier: MIT
/*
 * The timeline, by a clock of its own: how many points there are, which, and what a reader finds at any moment.
 */
#include "shim_support.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/timeline.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MS = 1000 * 1000 };

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    struct thread *self = shim_enter();
    assert_true(counters_join(self));
    return self;
}

static void be_born(struct thread *self, uint64_t size)
{
    counter_born(counter_of(self, 1), size);
    counters_count(self, 1);
    counters_grow(self, size);
}

static void die(struct thread *self, uint64_t size)
{
    counters_settle(self);
    counter_died(counter_of(self, 1), size);
    counters_count(self, -1);
    counters_shrink(self, size);
}

/* --- as a reader finds it ------------------------------------------------------------------------------ */

static struct trace_point found[2 * TIMELINE_POINTS];
static size_t found_count;

static int by_time(const void *a, const void *b)
{
    const struct trace_point *x = a, *y = b;
    return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static void read_points(void)
{
    const struct trace_section *section = NULL;
    struct trace_point all[2 * TIMELINE_POINTS];
    size_t count = 0;
    while ((section = shim_section(section, TRACE_TIMELINE))) {
        const struct trace_point *points = (const struct trace_point *)(section + 1);
        for (uint32_t i = 0; i < section->capacity && section->first + i < file_header->point_count; i++)
            if (points[i].ns)
                all[count++] = points[i];
    }
    qsort(all, count, sizeof *all, by_time);
    found_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!found_count || found[found_count - 1].ns != all[i].ns)
            found[found_count++] = all[i];
}

static const struct trace_point *find(uint64_t ns)
{
    struct trace_point key = {.ns = ns};
    return bsearch(&key, found, found_count, sizeof *found, by_time);
}

/* --- points ---------------------------------------------------------------------------------------------- */

static void one_in_each_interval(void)
{
    struct thread *self = begin();
    assert_int_equal(timeline_interval(), MS);
    be_born(self, 100);
    for (uint64_t now = 10 * MS; now < 20 * MS; now += MS / 4)
        timeline_look(self, now, true);
    read_points();
    assert_int_equal(found_count, 10);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_equal(found[i].ns, (10 + i) * MS);
        assert_int_equal(found[i].current_bytes, 100);
        assert_int_equal(found[i].blocks, 1);
        assert_in_range(found[i].resident_bytes, 100000, 1ul << 32);
    }
    assert_int_equal(file_header->point_changes % 2, 0);
}

static void not_asked_for_resident_memory(void)
{
    struct thread *self = begin();
    timeline_look(self, 10 * MS, true);
    timeline_look(self, 100 * MS, false);
    read_points();
    assert_int_not_equal(found[0].resident_bytes, 0);
    assert_int_equal(found[1].resident_bytes, 0);
}

static void at_the_end(void)
{
    struct thread *self = begin();
    timeline_look(self, 10 * MS, true);
    be_born(self, 7);
    timeline_end(self, 10 * MS + 1, true);
    read_points();
    assert_int_equal(found_count, 2);
    assert_int_equal(found[1].ns, 10 * MS + 1);
    assert_int_equal(found[1].current_bytes, 7);
}

/* However long: as many points as there is room for, evenly spread over all the time, each of them true. */
static void hours(void)
{
    struct thread *self = begin();
    uint64_t now = 0, hour = 3600ul * 1000 * MS;
    while (now < 3 * hour) {
        now += timeline_interval();
        be_born(self, 10);
        timeline_look(self, now, false);
    }
    read_points();
    assert_in_range(found_count, TIMELINE_POINTS / 2 - 1, TIMELINE_POINTS);
    for (size_t i = 1; i < found_count; i++) {
        assert_in_range(found[i].ns - found[i - 1].ns, timeline_interval() / 2, 2 * timeline_interval());
        assert_int_equal(found[i].current_bytes, 10 * found[i].blocks);
        assert_true(found[i].blocks > found[i - 1].blocks);
    }
    assert_in_range(found[0].ns, 1, timeline_interval());
    assert_int_equal(found[found_count - 1].ns, now);
    assert_int_equal(shim_section(NULL, TRACE_TIMELINE)->capacity, 64);
    assert_true(file_header->used < 64 * 1024 + TIMELINE_POINTS * sizeof(struct trace_point));
}

/* --- the peak -------------------------------------------------------------------------------------------- */

static void the_peak_stays(void)
{
    struct thread *self = begin();
    uint64_t now = MS;
    timeline_look(self, now, false);
    be_born(self, 5000);
    be_born(self, 6000);
    die(self, 6000);
    timeline_look(self, now + MS / 2, false);
    for (int i = 0; i < 5000; i++) {
        now += timeline_interval();
        timeline_look(self, now, false);
        be_born(self, 100);
        die(self, 100);
    }
    read_points();
    const struct trace_point *peak = find(MS + MS / 2 - 1);
    assert_non_null(peak);
    assert_int_equal(peak->current_bytes, 11000);
    assert_int_equal(peak->blocks, 2);
    for (size_t i = 0; i < found_count; i++)
        if (&found[i] != peak)
            assert_in_range(found[i].current_bytes, 0, 5000);
}

static void a_later_peak_takes_its_place(void)
{
    struct thread *self = begin();
    for (uint64_t i = 1; i <= 10; i++) {
        be_born(self, i * 1000);
        die(self, i * 1000);
        timeline_look(self, i * MS, false);
    }
    read_points();
    assert_int_equal(found_count, 11);
    assert_int_equal(found[9].ns, 10 * MS - 1);
    assert_int_equal(found[9].current_bytes, 10000);
}

/* --- at any moment --------------------------------------------------------------------------------------- */

static struct thread *looking;
static uint64_t looks_at;
static struct trace_point before[TIMELINE_POINTS];
static size_t before_count;
static bool lost;

static void look_once(void)
{
    timeline_look(looking, looks_at, false);
}

/* What a program leaves that is killed here: every point that will stay is there, and none that never was. */
static void assert_whole(void)
{
    read_points();
    for (size_t i = 0; i < found_count; i++) {
        const struct trace_point *same = NULL;
        for (size_t j = 0; j < before_count && !same; j++)
            if (before[j].ns == found[i].ns)
                same = &before[j];
        if (found[i].ns != looks_at && (!same || memcmp(same, &found[i], sizeof *same)))
            lost = true;
    }
    for (size_t j = 0; j < before_count; j += 2)
        if (!find(before[j].ns))
            lost = true;
}

static unsigned stop_at;
static unsigned *interrupted;           /* shared with the children */

static void interrupted_while_points_move(void)
{
    looking = begin();
    for (looks_at = MS; file_header->point_count < TIMELINE_POINTS; looks_at += MS) {
        be_born(looking, 10);
        timeline_look(looking, looks_at, false);
    }
    read_points();
    memcpy(before, found, sizeof before);
    before_count = found_count;
    lost = false;
    *interrupted += shim_interrupt(look_once, assert_whole, stop_at);
    if (lost)
        fail_msg("step %u", stop_at);
    assert_whole();
    assert_false(lost);
    assert_in_range(found_count, TIMELINE_POINTS / 2, TIMELINE_POINTS / 2 + 1);
    assert_int_equal(file_header->point_changes % 2, 0);
}

/* --- tests ----------------------------------------------------------------------------------------------- */

#define IN_CHILD(body)                                                                                       \
    static void test_##body(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        shim_in_child(body);                                                                                 \
    }

IN_CHILD(one_in_each_interval)
IN_CHILD(not_asked_for_resident_memory)
IN_CHILD(at_the_end)
IN_CHILD(hours)
IN_CHILD(the_peak_stays)
IN_CHILD(a_later_peak_takes_its_place)

static void test_interrupted_while_points_move(void **state)
{
    (void)state;
    interrupted = mmap(NULL, sizeof *interrupted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned runs = 0;
    for (stop_at = 1; *interrupted == runs; stop_at += 1499, runs++)
        shim_in_child(interrupted_while_points_move);
    assert_in_range(runs, 5, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_in_each_interval),
        cmocka_unit_test(test_not_asked_for_resident_memory),
        cmocka_unit_test(test_at_the_end),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_the_peak_stays),
        cmocka_unit_test(test_a_later_peak_takes_its_place),
        cmocka_unit_test(test_interrupted_while_points_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
