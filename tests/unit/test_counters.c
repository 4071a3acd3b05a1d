// SPDX-License-Identifier: MIT
/*
 * Counters against the reference of shim_support.h, after every event.
 */
#include "shim_support.h"
#include "../../shim/track/blocks.h"
#include "../../shim/track/counters.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SITES = SHIM_SITES, BLOCKS = 400, EVENTS = 4000 };

static struct shim_reference reference;

/* --- events -------------------------------------------------------------------------------------------- */

static struct block {
    uint32_t site;
    uint64_t size;
} blocks[BLOCKS];
static uint32_t live;
static uint64_t numbers;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

static void be_born(struct thread *self, uint32_t site, uint64_t size)
{
    struct trace_counter *counter = counter_of(self, site);
    assert_non_null(counter);
    if (!size)
        counters_settle(self);
    counter_begin(self);
    counter_born(counter, size);
    counter_end(self);
    counters_grow(self, size);
}

static void die(struct thread *self, uint32_t site, uint64_t size)
{
    struct trace_counter *counter = counter_of(self, site);
    assert_non_null(counter);
    counters_settle(self);
    counter_begin(self);
    counter_died(counter, size);
    counter_end(self);
    counters_shrink(self, size);
}

static void move(struct thread *self, const struct block *from, const struct block *to)
{
    struct trace_counter *old = counter_of(self, from->site), *new = counter_of(self, to->site);
    if (to->size <= from->size)
        counters_settle(self);
    counter_begin(self);
    counter_died(old, from->size);
    counter_born(new, to->size);
    counter_end(self);
    if (to->size > from->size)
        counters_grow(self, to->size - from->size);
    else
        counters_shrink(self, from->size - to->size);
}

static struct block any_block(void)
{
    static const uint64_t sizes[] = {0, 1, 24, 100, 4096, 70000, 1 << 20};
    return (struct block){1 + choose(SITES - 1), sizes[choose(7)] + choose(50)};
}

static void event_birth(struct thread *self)
{
    struct block block = any_block();
    blocks[live++] = block;
    be_born(self, block.site, block.size);
    shim_reference_change(&reference, block.site, 1, (int64_t)block.size);
}

static void event_death(struct thread *self)
{
    struct block *block = &blocks[choose(live)];
    die(self, block->site, block->size);
    shim_reference_change(&reference, block->site, -1, -(int64_t)block->size);
    *block = blocks[--live];
}

static void event_move(struct thread *self)
{
    struct block *block = &blocks[choose(live)], to = any_block();
    move(self, block, &to);
    shim_reference_change(&reference, block->site, -1, -(int64_t)block->size);
    shim_reference_change(&reference, to.site, 1, (int64_t)to.size);
    *block = to;
}

/* Rises and falls, so that there are maxima all the time. */
static void any_event(struct thread *self, uint32_t i)
{
    uint32_t births = i / 300 % 2 ? 30 : 60, what = choose(100);
    if (live == 0 || (what < births && live < BLOCKS))
        event_birth(self);
    else if (what < 90 || live == BLOCKS)
        event_death(self);
    else
        event_move(self);
    shim_reference_event(&reference);
}

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    struct thread *self = shim_enter();
    assert_int_equal(file_header->epoch, 1);
    assert_true(counters_join(self));
    return self;
}

static void run_one_thread(void)
{
    struct thread *self = begin();
    for (uint32_t i = 0; i < EVENTS; i++) {
        any_event(self, i);
        shim_reference_compare(&reference, true);
    }
    assert_int_equal(file_header->peak_error_bytes, 0);
    assert_int_equal(file_header->shard_count, 1);
}

static void test_equals_the_reference_after_every_event(void **state)
{
    (void)state;
    for (numbers = 1; numbers <= 5; numbers++)
        shim_in_child(run_one_thread);
}

/* --- several threads' shards, one after the other ------------------------------------------------------ */

static pthread_barrier_t joined, leave;
static struct thread *others[40];

static void *join_and_wait(void *place)
{
    struct thread *self = shim_enter();
    assert_true(counters_join(self));
    *(struct thread **)place = self;
    guard_drop(self);
    pthread_barrier_wait(&joined);
    pthread_barrier_wait(&leave);
    return NULL;
}

/* Leaves n more threads waiting, whose states the test uses in their place. */
static void add_threads(unsigned n)
{
    pthread_barrier_init(&joined, NULL, n + 1);
    pthread_barrier_init(&leave, NULL, n + 1);
    for (unsigned i = 0; i < n; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, join_and_wait, &others[i]), 0);
    }
    pthread_barrier_wait(&joined);
}

static struct thread *begin_with_others(unsigned n)
{
    struct thread *self = begin();
    guard_drop(self);
    add_threads(n);
    return shim_enter();
}

static void run_two_shards(void)
{
    struct thread *both[2] = {begin_with_others(1), others[0]};
    assert_ptr_not_equal(both[0]->shard, both[1]->shard);
    for (int i = 0; i < 2; i++) {
        both[i]->quantum = 0;           /* publish at once: then it is exact */
        counters_publish(both[i]);
    }
    for (uint32_t i = 0; i < EVENTS; i++) {
        any_event(both[choose(2)], i);
        shim_reference_compare(&reference, true);
    }
    assert_int_equal(file_header->shard_count, 2);
}

static void test_two_shards_equal_the_reference_after_every_event(void **state)
{
    (void)state;
    for (numbers = 11; numbers <= 14; numbers++)
        shim_in_child(run_two_shards);
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

static int64_t sum_at_peak(void)
{
    struct shim_site sites[SITES];
    int64_t sum = 0;
    shim_read_sites(sites, SITES);
    for (int i = 0; i < SITES; i++)
        sum += sites[i].peak_bytes;
    return sum;
}

static void run_with_quantum(void)
{
    struct thread *all[4] = {begin_with_others(3), others[0], others[1], others[2]};
    assert_int_equal(all[0]->quantum, QUANTUM);
    assert_int_equal(file_header->peak_error_bytes, 4 * QUANTUM);
    for (uint32_t i = 0; i < EVENTS; i++) {
        uint64_t current, peak;
        any_event(all[choose(4)], i);
        shim_reference_compare(&reference, false);
        assert_in_range(distance((int64_t)shim_peak(), reference.peak), 0, 4 * QUANTUM);
        assert_in_range(distance(sum_at_peak(), (int64_t)shim_peak()), 0, 4 * QUANTUM);
        if (i % 100 == 0) {
            counters_read(all[0], &current, &peak);
            assert_int_equal(current, reference.bytes);
        }
    }
    for (int i = 0; i < 4; i++)
        counters_publish(all[i]);
    uint64_t current, peak;
    counters_read(all[0], &current, &peak);
    assert_int_equal(current, reference.bytes);
}

static void test_the_peak_of_several_threads_is_off_by_no_more_than_their_quanta(void **state)
{
    (void)state;
    for (numbers = 21; numbers <= 24; numbers++)
        shim_in_child(run_with_quantum);
}

/* --- several threads at once --------------------------------------------------------------------------- */

enum { RUNNERS = 40, ROUNDS = 6000, SIZE = 1000, HELD = 100 };

static pthread_barrier_t together;

static void *run_alone(void *unused)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct thread *self = shim_enter();
        assert_true(self->shard || counters_join(self));
        be_born(self, 1 + i % 3, SIZE);
        if (i >= HELD)
            die(self, 1 + (i - HELD) % 3, SIZE);
        guard_drop(self);
        if (i == 0)
            pthread_barrier_wait(&together);    /* all live at once: no shard is used twice */
    }
    return unused;
}

static void start_runners(pthread_t *threads)
{
    pthread_barrier_init(&together, NULL, RUNNERS);
    for (int i = 0; i < RUNNERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_alone, NULL), 0);
}

/* With one processor there are 32 shards of one thread each, and four shared ones. */
static void begin_on_one_processor(void)
{
    cpu_set_t one, before;
    sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    guard_drop(begin());
    sched_setaffinity(0, sizeof before, &before);
}

static void run_many_threads(void)
{
    pthread_t threads[RUNNERS];
    begin_on_one_processor();
    start_runners(threads);
    for (int i = 0; i < RUNNERS; i++)
        pthread_join(threads[i], NULL);
    struct shim_site sites[4], sum = {0};
    shim_read_sites(sites, 4);
    for (int i = 1; i < 4; i++) {
        sum.blocks += sites[i].blocks;
        sum.bytes += sites[i].bytes;
        sum.allocations += sites[i].allocations;
    }
    assert_int_equal(sum.allocations, RUNNERS * ROUNDS);
    assert_int_equal(sum.blocks, RUNNERS * HELD);
    assert_int_equal(sum.bytes, RUNNERS * HELD * SIZE);
    assert_int_equal(file_header->shard_count, 36);
    assert_int_equal(file_header->threads, RUNNERS + 1);
    int64_t most = RUNNERS * (HELD + 1) * SIZE, error = (int64_t)file_header->peak_error_bytes;
    assert_in_range(file_header->peak_bytes, RUNNERS * HELD * SIZE - error, most + error);
}

static void test_threads_beyond_those_with_a_shard_share_some_and_lose_nothing(void **state)
{
    (void)state;
    shim_in_child(run_many_threads);
}

static void lock_shards(void)
{
    begin_on_one_processor();
    add_threads(40);
    int shared = 0;
    for (int i = 0; i < 40; i++) {
        struct lock *lock = others[i]->shard->lock;
        if (!lock)
            continue;
        shared++;
        counter_begin(others[i]);
        assert_false(lock_try(lock));
        counter_end(others[i]);
        assert_true(lock_try(lock));
        lock_drop(lock);
    }
    assert_int_equal(shared, 9);
}

static void test_a_shared_shard_is_changed_under_its_lock(void **state)
{
    (void)state;
    shim_in_child(lock_shards);
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static void fill_spills(void)
{
    struct thread *self = begin();
    (void)self;
    for (uint32_t i = 0; i < 200; i++)
        counters_spilled(i, i % 2 ? TRACE_SPILL_TEMPORARY : TRACE_SPILL_REALLOCATIONS);
    assert_int_equal(file_header->spill_count, 200);
    const struct trace_section *section = NULL;
    uint32_t count = 0;
    while ((section = shim_section(section, TRACE_SPILLS))) {
        const struct trace_spill *spills = (const struct trace_spill *)(section + 1);
        assert_int_equal(section->first, count);
        for (uint32_t i = 0; i < section->capacity && count < 200; i++, count++) {
            assert_int_equal(spills[i].site, count);
            assert_int_equal(spills[i].kind, count % 2 ? TRACE_SPILL_TEMPORARY : TRACE_SPILL_REALLOCATIONS);
        }
    }
    assert_int_equal(count, 200);
}

static void test_spills_stand_in_the_file_in_order(void **state)
{
    (void)state;
    shim_in_child(fill_spills);
}

static void use_far_sites(void)
{
    static const uint32_t far[] = {63, 64, 65, 127, 128, 1 << 16, SITES_MAX - 1};
    struct thread *self = begin();
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct trace_counter *counter = counter_of(self, far[i]);
        assert_non_null(counter);
        assert_ptr_equal(counter, counter_of(self, far[i]));
        assert_int_equal((uintptr_t)counter % 64, 0);
        counter->frees = far[i];
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        assert_int_equal(counter_of(self, far[i])->frees, far[i]);
}

static void test_each_site_has_a_counter_of_its_own(void **state)
{
    (void)state;
    shim_in_child(use_far_sites);
}

static void count_up(void)
{
    static const uint32_t at[] = {1, 63, 64, 200};
    struct thread *both[2] = {begin_with_others(1), others[0]};
    uint64_t allocations, alive;
    counters_count_up(&allocations, &alive);
    assert_int_equal(allocations, 0);
    assert_int_equal(alive, 0);
    file_header->site_count = 201;
    for (size_t i = 0; i < 4; i++) {
        for (int t = 0; t < 2; t++) {
            be_born(both[t], at[i], 10);
            counters_count(both[t], 1);
        }
    }
    die(both[0], 64, 10);
    counters_count(both[0], -1);
    counters_count_up(&allocations, &alive);
    assert_int_equal(allocations, 8);
    assert_int_equal(alive, 7);
}

static void test_allocations_of_all_sites_and_threads_are_added_up(void **state)
{
    (void)state;
    shim_in_child(count_up);
}

/* --- after a fork -------------------------------------------------------------------------------------- */

/* Blocks of the live-block map, some of which are counted. */
static void put_blocks(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct block_entry entry = {.size = i, .site = 1 + i % 7};
        assert_true(blocks_put((void *)(0x100000000 + 128ul * i), entry));
    }
}

static void add_inherited(struct shim_site *sites, uint32_t count)
{
    const struct trace_section *section = NULL;
    while ((section = shim_section(section, TRACE_INHERITED))) {
        const struct trace_inherited *inherited = (const struct trace_inherited *)(section + 1);
        for (uint32_t i = 0; i < section->capacity && section->first + i < count; i++) {
            sites[section->first + i].blocks += (int64_t)inherited[i].blocks;
            sites[section->first + i].bytes += (int64_t)inherited[i].bytes;
        }
    }
}

static void inherit(void)
{
    struct thread *self = begin_with_others(1);
    be_born(self, 3, 5000);
    be_born(others[0], 3, 700);         /* less than its quantum */
    put_blocks(0, 1000);
    file_header->site_count = 9;
    file_detach();                      /* what a fork's child does: counters are 0 */
    counters_child(self);
    assert_int_equal(file_header->epoch, 1);
    assert_int_equal(file_header->peak_bytes, 5700);
    for (uint32_t i = 1000; i < 1500; i++)
        be_born(self, 1 + i % 7, i);
    put_blocks(1000, 1500);
    for (uint32_t i = 0; i < 100; i++) {
        struct block_entry entry = blocks_take((void *)(0x100000000 + 128ul * i));
        die(self, entry.site, entry.size);
    }
    assert_true(counters_inherit());
    struct shim_site sites[9];
    shim_read_sites(sites, 9);
    add_inherited(sites, 9);
    int64_t blocks_right[9] = {0}, bytes_right[9] = {0};
    for (uint32_t i = 100; i < 1500; i++) {
        blocks_right[1 + i % 7]++;
        bytes_right[1 + i % 7] += i;
    }
    for (int i = 0; i < 9; i++) {
        assert_int_equal(sites[i].blocks, blocks_right[i]);
        assert_int_equal(sites[i].bytes, bytes_right[i]);
    }
}

static void test_a_child_inherits_what_was_live_at_the_fork(void **state)
{
    (void)state;
    shim_in_child(inherit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_reference_after_every_event),
        cmocka_unit_test(test_two_shards_equal_the_reference_after_every_event),
        cmocka_unit_test(test_the_peak_of_several_threads_is_off_by_no_more_than_their_quanta),
        cmocka_unit_test(test_threads_beyond_those_with_a_shard_share_some_and_lose_nothing),
        cmocka_unit_test(test_a_shared_shard_is_changed_under_its_lock),
        cmocka_unit_test(test_spills_stand_in_the_file_in_order),
        cmocka_unit_test(test_each_site_has_a_counter_of_its_own),
        cmocka_unit_test(test_allocations_of_all_sites_and_threads_are_added_up),
        cmocka_unit_test(test_a_child_inherits_what_was_live_at_the_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
