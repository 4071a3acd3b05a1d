// SPDX-License-Identifier: MIT
/*
 * Snapshots: figures equal to those of a reference at that moment; places that are used again; when they are taken.
 */
#include "shim_support.h"
#include "../../shim/base/options.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/snapshots.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    struct thread *self = shim_enter();
    assert_true(counters_join(self));
    file_header->site_count = SHIM_SITES;
    return self;
}

static bool be_born(struct thread *self, uint32_t site, uint64_t size)
{
    counter_born(counter_of(self, site), size);
    counters_count(self, 1);
    return counters_grow(self, size);
}

static bool die(struct thread *self, uint32_t site, uint64_t size)
{
    counters_settle(self);
    counter_died(counter_of(self, site), size);
    counters_count(self, -1);
    return counters_shrink(self, size);
}

static int take(struct thread *self, const char *label)
{
    return snapshots_take(self, label, TRACE_SNAPSHOT_ASKED, 0);
}

/* --- as a reader finds them ---------------------------------------------------------------------------- */

static const struct trace_snapshot *places(void)
{
    const struct trace_section *section = shim_section(NULL, TRACE_SNAPSHOTS);
    return section ? (const struct trace_snapshot *)(section + 1) : NULL;
}

/* "1 3 7": the numbers of those that there are. */
static const char *numbers(void)
{
    static char text[1000];
    text[0] = 0;
    for (uint64_t number = 1; number < 1000; number++)
        for (uint32_t i = 0; i < file_header->snapshot_count; i++)
            if (places()[i].number == number)
                sprintf(text + strlen(text), "%s%lu", *text ? " " : "", number);
    return text;
}

static uint32_t place_of(uint64_t number)
{
    for (uint32_t i = 0; i < file_header->snapshot_count; i++)
        if (places()[i].number == number)
            return i;
    fail_msg("no snapshot %lu", number);
    return 0;
}

static const struct trace_snapshot *snapshot(uint64_t number)
{
    return &places()[place_of(number)];
}

static struct trace_snapshot_site site_of(uint64_t number, uint32_t site)
{
    const struct trace_section *section = NULL;
    while ((section = shim_section(section, TRACE_SNAPSHOT_SITES)))
        if (section->shard == place_of(number) && site >= section->first &&
            site < section->first + section->capacity)
            return ((const struct trace_snapshot_site *)(section + 1))[site - section->first];
    fail_msg("no site %u in snapshot %lu", site, number);
    return (struct trace_snapshot_site){0};
}

/* --- figures ----------------------------------------------------------------------------------------------- */

enum { EVENTS = 3000, EVERY = 500, BLOCKS = 400 };

static struct shim_reference reference, then[EVENTS / EVERY];

static void any_event(struct thread *self, uint64_t *state)
{
    static struct {
        uint32_t site;
        uint64_t size;
    } blocks[BLOCKS];
    static uint32_t live;
    if (live < BLOCKS && (!live || shim_random(state) % 100 < 55)) {
        uint32_t site = 1 + (uint32_t)(shim_random(state) % (SHIM_SITES - 1));
        uint64_t size = 1 + shim_random(state) % 5000;
        blocks[live].site = site;
        blocks[live++].size = size;
        be_born(self, site, size);
        shim_reference_change(&reference, site, 1, (int64_t)size);
    } else {
        live--;
        die(self, blocks[live].site, blocks[live].size);
        shim_reference_change(&reference, blocks[live].site, -1, -(int64_t)blocks[live].size);
    }
    shim_reference_event(&reference);
}

static void compare(uint64_t number, const struct shim_reference *right)
{
    const struct trace_snapshot *made = snapshot(number);
    int64_t blocks = 0, peak = 0;
    for (uint32_t i = 1; i < SHIM_SITES; i++)
        peak += site_of(number, i).peak_bytes;
    bool now_is_peak = (int64_t)made->current_bytes > peak;
    assert_int_equal(made->current_bytes, right->bytes);
    for (uint32_t i = 1; i < SHIM_SITES; i++) {
        struct trace_snapshot_site site = site_of(number, i);
        const struct shim_site *wanted = &right->sites[i];
        assert_int_equal(site.allocations, wanted->allocations);
        assert_int_equal(site.allocated_bytes, wanted->allocated_bytes);
        assert_int_equal(site.frees, wanted->frees);
        assert_int_equal(site.allocated_bytes - site.freed_bytes, wanted->bytes);
        assert_int_equal(now_is_peak ? (int64_t)(site.allocated_bytes - site.freed_bytes) : site.peak_bytes,
                         wanted->peak_bytes);
        assert_int_equal(now_is_peak ? (int64_t)(site.allocations - site.frees) : site.peak_blocks,
                         wanted->peak_blocks);
        blocks += wanted->blocks;
    }
    assert_int_equal(made->blocks, blocks);
    assert_int_equal(made->site_count, SHIM_SITES);
    assert_int_equal(made->flags, 0);
}

static void figures(void)
{
    struct thread *self = begin();
    uint64_t state = 1;
    for (int i = 0; i < EVENTS; i++) {
        any_event(self, &state);
        if (i % EVERY == EVERY - 1) {
            then[i / EVERY] = reference;
            assert_int_equal(take(self, NULL), 0);
        }
    }
    for (uint64_t i = 0; i < EVENTS / EVERY; i++)
        compare(i + 1, &then[i]);
}

static void counted_in_32_bits(void)
{
    struct thread *self = begin();
    struct trace_counter *counter = counter_of(self, 3);
    counter->temporary = UINT32_MAX;
    counter->reallocations = 5;
    assert_int_equal(take(self, ""), 0);
    counter->temporary = 0;
    counters_spilled(3, TRACE_SPILL_TEMPORARY);
    assert_int_equal(take(self, ""), 0);
    assert_int_equal(site_of(1, 3).temporary, UINT32_MAX);
    assert_int_equal(site_of(1, 3).reallocations, 5);
    assert_int_equal(snapshot(1)->spill_count, 0);
    assert_int_equal(snapshot(2)->spill_count, 1);
}

/* --- labels ------------------------------------------------------------------------------------------------ */

static void labels(void)
{
    struct thread *self = begin();
    char label[200], *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(label, 'x', sizeof label);
    memcpy(label + 61, "\xe2\x82\xac", 3);
    munmap(page + 4096, 4096);
    strcpy(page + 4096 - 4, "end");
    static const char odd[] = "\033[31m\"\n\xff";
    assert_int_equal(take(self, NULL), 0);
    assert_int_equal(take(self, label), 0);
    assert_int_equal(take(self, page + 4096 - 4), 0);
    assert_int_equal(take(self, odd), 0);
    assert_string_equal(snapshot(1)->label, "");
    assert_int_equal(strlen(snapshot(2)->label), 61); /* and not a part of the euro sign */
    assert_string_equal(snapshot(3)->label, "end");
    assert_string_equal(snapshot(4)->label, odd);
    assert_int_equal(snapshot(4)->reason, TRACE_SNAPSHOT_ASKED);
    assert_in_range(snapshot(4)->ns, snapshot(3)->ns, sys_clock_ns(CLOCK_MONOTONIC));
}

/* --- places ------------------------------------------------------------------------------------------------ */

static void the_older_are_thinned(void)
{
    struct thread *self = begin();
    options.keep = 8;
    for (int i = 1; i <= 8; i++)
        take(self, NULL);
    assert_string_equal(numbers(), "1 2 3 4 5 6 7 8");
    uint64_t used = file_header->used;
    take(self, NULL);
    assert_string_equal(numbers(), "1 3 4 5 6 7 8 9");
    take(self, NULL);
    assert_string_equal(numbers(), "1 3 5 6 7 8 9 10");
    for (int i = 11; i <= 100; i++)
        take(self, NULL);
    assert_string_equal(numbers(), "1 26 50 96 97 98 99 100");
    assert_int_equal(file_header->used, used);
    assert_int_equal(file_header->snapshot_count, 8);
}

static void labels_stay_longest(void)
{
    struct thread *self = begin();
    options.keep = 6;
    take(self, NULL);
    take(self, "two");
    take(self, "three");
    for (int i = 4; i <= 40; i++)
        take(self, NULL);
    assert_non_null(strstr(numbers(), "2 3 "));
    for (int i = 41; i <= 80; i++)
        take(self, "all have one");
    assert_int_equal(snapshot(80)->number, 80);
    assert_null(strstr(numbers(), "2 3 "));
}

static void keep_one(void)
{
    struct thread *self = begin();
    options.keep = 1;
    for (int i = 1; i <= 5; i++)
        assert_int_equal(take(self, i % 2 ? "odd" : NULL), 0);
    assert_string_equal(numbers(), "5");
}

/* A place of few sites is used again for more. */
static void a_place_grows(void)
{
    struct thread *self = begin();
    options.keep = 2;
    file_header->site_count = 10;
    take(self, NULL);
    take(self, NULL);
    be_born(self, 140, 33);
    file_header->site_count = SHIM_SITES;
    for (int i = 3; i <= 6; i++)
        assert_int_equal(take(self, NULL), 0);
    assert_int_equal(site_of(6, 140).allocated_bytes, 33);
    assert_int_equal(site_of(6, 1).allocations, 0);
    assert_int_equal(snapshot(6)->site_count, SHIM_SITES);
}

/* Half of the image is for others. */
static void no_room(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return;     /* these want all the address space that there is */
#endif
    struct rlimit limit = {600ul << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &limit);
    struct thread *self = begin();
    options.keep = 1000;
    file_header->site_count = 10000;
    int result, taken = 0;
    while ((result = take(self, NULL)) == 0 && taken < 1000)
        taken++;
    assert_int_equal(result, -ENOSPC);
    assert_in_range(taken, 1, 20);
    assert_true(file_has_plenty(1));
    assert_int_equal(file_header->flags, 0);
    assert_non_null(file_section(TRACE_SITES, 8, 1000, 0, 0));
}

/* --- when to ----------------------------------------------------------------------------------------------- */

static void event(struct thread *self, int64_t bytes)
{
    if (bytes < 0 ? die(self, 1, (uint64_t)-bytes) : be_born(self, 1, (uint64_t)bytes))
        snapshots_look(self, 1);
}

static void when_it_passes_a_size(void)
{
    struct thread *self = begin();
    options.snapshot_size = 800000;
    snapshots_start(self);
    event(self, 700000);
    event(self, 99999);
    assert_string_equal(numbers(), "");
    event(self, 1);
    assert_string_equal(numbers(), "1");
    assert_int_equal(snapshot(1)->current_bytes, 800000);
    assert_int_equal(snapshot(1)->reason, TRACE_SNAPSHOT_SIZE);
    event(self, 2000000);
    event(self, -2000000);
    event(self, -50000);
    event(self, 2000000);
    assert_string_equal(numbers(), "1");        /* not below an eighth less */
    event(self, -2000000);
    event(self, -300000);
    event(self, 1500000);
    event(self, -1500000);
    event(self, 1500000);
    assert_int_equal(file_header->snapshot_count, 2);
}

static void when_it_has_grown(void)
{
    struct thread *self = begin();
    options.snapshot_growth = 500;
    snapshots_start(self);
    static const uint64_t levels[] = {1572864, 2359296, 3538944};
    while (file_header->snapshot_count < 3)
        event(self, 1024);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(snapshot(i + 1)->current_bytes, levels[i]);
        assert_int_equal(snapshot(i + 1)->reason, TRACE_SNAPSHOT_GROWTH);
    }
    event(self, 100000000);     /* many steps at once are one */
    assert_int_equal(file_header->snapshot_count, 4);
    event(self, -100000000);
    event(self, 100000000);
    assert_int_equal(file_header->snapshot_count, 4);
}

static void when_time_has_passed(void)
{
    struct thread *self = begin();
    options.snapshot_ms = 10;
    file_header->started_ns = 1000;
    snapshots_start(self);
    snapshots_look(self, 10000999);
    assert_int_equal(file_header->snapshot_count, 0);
    snapshots_look(self, 10001000);
    snapshots_look(self, 15000000);
    assert_int_equal(file_header->snapshot_count, 1);
    assert_int_equal(snapshot(1)->reason, TRACE_SNAPSHOT_INTERVAL);
    snapshots_look(self, 95000000);
    snapshots_look(self, 95000001);
    assert_int_equal(file_header->snapshot_count, 2);
    assert_int_equal(snapshots_interval(), 10000000);
}

static void when_allocations_fail(void)
{
    struct thread *self = begin();
    for (uint64_t i = 1; i <= 10; i++)
        snapshots_failed(self, i);
    assert_string_equal(numbers(), "1 2 3 4");
    assert_int_equal(snapshot(3)->asked_bytes, 3);
    assert_int_equal(snapshot(3)->reason, TRACE_SNAPSHOT_FAILED);
}

/* --- while others count ------------------------------------------------------------------------------------ */

enum { THREADS = 4, ROUNDS = 30, FAR = 50000 };

static _Atomic bool over;
static _Atomic int running;

/* Two blocks at once: a snapshot has both or none.  Their sites lie so far apart that it takes a while to come from
   one to the other. */
static void two_at_once(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    struct thread *self = guard_take(frame, 0);
    if (!self)
        return;
    if (self->shard || counters_join(self)) {
        be_born(self, 1, 100);
        be_born(self, FAR, 100);
    }
    guard_drop(self);
    self = guard_take(frame, 0);
    if (!self)
        return;
    die(self, FAR, 100);
    die(self, 1, 100);
    guard_drop(self);
}

static void *count(void *unused)
{
    running++;
    while (!over)
        two_at_once();
    return unused;
}

static void while_others_count(void)
{
    struct thread *self = begin();
    pthread_t threads[THREADS];
    file_header->site_count = FAR + 1;
    guard_drop(self);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    while (running < THREADS)
        usleep(100);
    for (int i = 0; i < ROUNDS; i++) {
        assert_ptr_equal(guard_take((uintptr_t)__builtin_frame_address(0), 0), self);
        assert_int_equal(take(self, NULL), 0);
        guard_drop(self);
    }
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t exact = 0;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct trace_snapshot_site a = site_of(i, 1), b = site_of(i, FAR);
        if (snapshot(i)->flags & TRACE_SNAPSHOT_BLURRED)
            continue;
        exact++;
        assert_int_equal(a.allocations, b.allocations);
        assert_int_equal(a.frees, b.frees);
        assert_in_range(a.allocations - a.frees, 0, THREADS);
        assert_int_equal(snapshot(i)->blocks, 2 * (a.allocations - a.frees));
    }
    assert_in_range(exact, ROUNDS / 2, ROUNDS);
}

/* --- tests ----------------------------------------------------------------------------------------------- */

#define BODIES(X)                                                                                            \
    X(figures) X(counted_in_32_bits) X(labels) X(the_older_are_thinned) X(labels_stay_longest) X(keep_one)    \
    X(a_place_grows) X(no_room) X(when_it_passes_a_size) X(when_it_has_grown) X(when_time_has_passed)         \
    X(when_allocations_fail) X(while_others_count)

#define IN_CHILD(body)                                                                                       \
    static void test_##body(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        shim_in_child(body);                                                                                 \
    }
#define TEST(body) cmocka_unit_test(test_##body),

BODIES(IN_CHILD)

int main(void)
{
    const struct CMUnitTest tests[] = {BODIES(TEST)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
