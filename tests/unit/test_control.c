// SPDX-License-Identifier: MIT
/*
 * Steering: the peak reset and all forgotten, against the reference; words from outside, hostile ones too.
 */
#include "shim_support.h"
#include "../../shim/base/options.h"
#include "../../shim/track/blocks.h"
#include "../../shim/track/control.h"
#include "../../shim/track/counters.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 3000, BLOCKS = 300, THREADS = 4 };

static struct shim_reference reference;

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

static void be_born(struct thread *self, uint32_t site, uint64_t size)
{
    counter_begin(self);
    counter_born(counter_of(self, site), size);
    counter_end(self);
    counters_count(self, 1);
    counters_grow(self, size);
}

static void die(struct thread *self, uint32_t site, uint64_t size)
{
    counters_settle(self);
    counter_begin(self);
    counter_died(counter_of(self, site), size);
    counter_end(self);
    counters_count(self, -1);
    counters_shrink(self, size);
}

static struct {
    uint32_t site;
    uint64_t size;
} blocks[BLOCKS];
static uint32_t live;

static void any_event(struct thread *self, uint64_t *state)
{
    if (live < BLOCKS && (!live || shim_random(state) % 100 < 52)) {
        blocks[live].site = 1 + (uint32_t)(shim_random(state) % (SHIM_SITES - 1));
        blocks[live].size = 1 + shim_random(state) % 70000;
        be_born(self, blocks[live].site, blocks[live].size);
        shim_reference_change(&reference, blocks[live].site, 1, (int64_t)blocks[live].size);
        live++;
    } else {
        uint32_t i = (uint32_t)(shim_random(state) % live--);
        die(self, blocks[i].site, blocks[i].size);
        shim_reference_change(&reference, blocks[i].site, -1, -(int64_t)blocks[i].size);
        blocks[i] = blocks[live];
    }
    shim_reference_event(&reference);
}

static void reset(struct thread *self)
{
    assert_int_equal(control_reset_peak(self), 0);
    reference.peak = reference.bytes - 1;
    shim_reference_event(&reference);
}

static void forget(struct thread *self)
{
    assert_int_equal(control_clear(self), 0);
    memset(&reference, 0, sizeof reference);
    live = 0;
}

static void run_one_thread(void)
{
    struct thread *self = begin();
    uint64_t state = 7;
    for (int i = 0; i < EVENTS; i++) {
        any_event(self, &state);
        if (shim_random(&state) % 40 == 0)
            reset(self);
        if (shim_random(&state) % 200 == 0)
            forget(self);
        shim_reference_compare(&reference, true);
    }
    assert_true(file_header->peak_reset_ns && file_header->cleared_ns);
}

static void test_equals_the_reference_after_every_event(void **state)
{
    (void)state;
    shim_in_child(run_one_thread);
}

/* --- several threads ------------------------------------------------------------------------------------- */

static _Atomic int ready;
static _Atomic bool over;

/* Holds back what is below the quantum, until it is told to do more. */
static void *one_of_many(void *number)
{
    struct thread *self = shim_enter();
    assert_true(counters_join(self));
    be_born(self, 1 + *(uint32_t *)number, 1000);
    guard_drop(self);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over))
        sched_yield();
    self = shim_enter();
    be_born(self, 1 + *(uint32_t *)number, 100);
    counters_publish(self);
    guard_drop(self);
    return NULL;
}

static void run_threads(void)
{
    struct thread *self = begin();
    pthread_t ids[THREADS];
    uint32_t numbers[THREADS];
    be_born(self, 1, 100000);
    die(self, 1, 100000);
    guard_drop(self);
    for (uint32_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&ids[i], NULL, one_of_many, &numbers[i]);
    }
    while (atomic_load(&ready) < THREADS)
        sched_yield();
    self = shim_enter();
    while (control_reset_peak(self) == -ETIMEDOUT)
        ;       /* on a busy machine another may not get its turn in time */
    assert_int_equal(file_header->peak_bytes, THREADS * 1000);
    struct shim_site sites[SHIM_SITES];
    shim_read_sites(sites, SHIM_SITES);
    assert_int_equal(sites[1].peak_bytes, 1000);
    while (control_clear(self) == -ETIMEDOUT)
        ;
    assert_int_equal(file_header->peak_bytes, 0);
    guard_drop(self);
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    shim_read_sites(sites, SHIM_SITES);
    assert_int_equal(counters_now().bytes, THREADS * 100);
    assert_int_equal(file_header->peak_bytes, THREADS * 100);
    assert_int_equal(sites[1].bytes, 100);
}

static void test_of_several_threads_nothing_is_held_back(void **state)
{
    (void)state;
    shim_in_child(run_threads);
}

/* --- blocks ---------------------------------------------------------------------------------------------- */

static void run_forget_blocks(void)
{
    struct thread *self = begin();
    uintptr_t block = 1 << 20;
    assert_true(blocks_put((void *)block, (struct block_entry){1000, 3, false}));
    assert_true(blocks_put((void *)(block + 2048), (struct block_entry){5000, 3, true}));
    assert_int_equal(blocks_get_any((void *)block).size, 1000);
    for (uintptr_t inside = 16; inside < 1000; inside += 16)
        assert_int_equal(blocks_get_any((void *)(block + inside)).site, 0);
    assert_int_equal(control_clear(self), 0);
    assert_false(blocks_has((void *)block));
    assert_true(blocks_has((void *)(block + 2048)));
    struct block_entry watched = blocks_take((void *)(block + 2048));
    assert_true(watched.watch && !watched.site);
}

static void test_blocks_are_forgotten_but_those_to_be_watched(void **state)
{
    (void)state;
    shim_in_child(run_forget_blocks);
}

/* --- words from outside ----------------------------------------------------------------------------------- */

static int ask(struct thread *self, uint32_t command, uint64_t argument)
{
    control_words->command = command;
    control_words->argument = argument;
    memset(control_words->label, 'x', sizeof control_words->label);
    control_words->request++;
    control_obey(self);
    assert_false(control_is_asked());
    assert_int_equal(control_words->done, control_words->request);
    return control_words->result;
}

static void run_words(void)
{
    struct thread *self = begin();
    assert_ptr_equal((char *)file_header + file_header->control, control_words);
    assert_int_equal(ask(self, TRACE_COMMAND_STOP, 0), 0);
    assert_true(life_is_stopped() && (file_header->flags & TRACE_STOPPED));
    assert_int_equal(ask(self, TRACE_COMMAND_START, 0), 0);
    assert_true(!life_is_stopped() && !(file_header->flags & TRACE_STOPPED));
    assert_int_equal(ask(self, TRACE_COMMAND_DEPTH, 77), 0);
    assert_int_equal(options.depth, 77);
    assert_int_equal(file_header->depth, 77);
    assert_int_equal(ask(self, TRACE_COMMAND_DEPTH, 0), -EINVAL);
    assert_int_equal(ask(self, TRACE_COMMAND_DEPTH, UINT64_MAX), -EINVAL);
    assert_int_equal(ask(self, UINT32_MAX, 0), -ENOSYS);
    assert_int_equal(options.depth, 77);
    control_words->command = 0;
    control_words->request++;
    control_obey(self);
    assert_true(control_is_asked());    /* it is not complete */
    be_born(self, 1, 500);
    assert_int_equal(ask(self, TRACE_COMMAND_RESET_PEAK, 0), 0);
    assert_int_equal(ask(self, TRACE_COMMAND_CLEAR, 0), 0);
    assert_int_equal(counters_now().bytes, 0);
    control_obey(self);         /* nobody has asked */
    control_child();
    assert_false(control_is_asked());
    assert_int_equal(control_words->request, 0);
}

static void test_words_are_obeyed_or_refused(void **state)
{
    (void)state;
    shim_in_child(run_words);
}

static void run_busy(void)
{
    struct thread *self = begin();
    assert_true(thread_world_claim());
    control_words->command = TRACE_COMMAND_CLEAR;
    control_words->request = 9;
    control_obey(self);
    assert_true(control_is_asked());
    assert_int_equal(control_reset_peak(self), -EBUSY);
    thread_world_release();
    control_obey(self);
    assert_int_equal(control_words->done, 9);
    assert_int_equal(control_words->result, 0);
}

static void test_what_has_to_wait_is_done_at_the_next_look(void **state)
{
    (void)state;
    shim_in_child(run_busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_reference_after_every_event),
        cmocka_unit_test(test_of_several_threads_nothing_is_held_back),
        cmocka_unit_test(test_blocks_are_forgotten_but_those_to_be_watched),
        cmocka_unit_test(test_words_are_obeyed_or_refused),
        cmocka_unit_test(test_what_has_to_wait_is_done_at_the_next_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
