// SPDX-License-Identifier: MIT
/*
 * Blocks' lives as the hooks tell them, against the reference of shim_support.h after every event.
 */
#include "shim_support.h"
#include "../../shim/track/blocks.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/track.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 200, EVENTS = 6000, CALLERS = 100 };

static struct shim_reference reference;
static uint64_t numbers;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

static bool never(uintptr_t caller)
{
    (void)caller;
    return false;
}

/* Stays early: a site is a caller, and there is no file. */
static struct thread *begin(void)
{
    shim_steps.may_start = never;
    return shim_enter();
}

static const void *block_at(uint32_t i)
{
    return (const void *)(0x300000000000 + 128ul * i);
}

/* A hook's frame, called from some code address. */
static const uintptr_t *caller(uint32_t i)
{
    static uintptr_t frames[CALLERS][2];
    frames[i][1] = (uintptr_t)begin + i + 1;
    return frames[i];
}

static uint32_t site_of(uint32_t i)
{
    return blocks_get(block_at(i)).site;
}

/* --- random lives -------------------------------------------------------------------------------------- */

static struct life_of_block {
    bool lives;
    uint32_t caller, site;
    uint64_t size;
} lives[BLOCKS];
static uint32_t site_of_caller[CALLERS];
static int last = -1;           /* the block of the latest event, if that was an allocation */

static uint64_t any_size(void)
{
    static const uint64_t sizes[] = {0, 0, 1, 24, 100, 5000, 1 << 20, 1ul << 39};
    return sizes[choose(choose(20) ? 7 : 8)] + (choose(2) ? choose(100) : 0);
}

static void note_birth(uint32_t i, uint32_t from, uint64_t size)
{
    uint32_t site = site_of(i);
    assert_int_not_equal(site, 0);
    if (!site_of_caller[from])
        site_of_caller[from] = site;
    assert_int_equal(site, site_of_caller[from]);
    lives[i] = (struct life_of_block){true, from, site, size};
    shim_reference_change(&reference, site, 1, (int64_t)size);
}

static void note_death(uint32_t i)
{
    reference.sites[lives[i].site].temporary += last == (int)i;
    shim_reference_change(&reference, lives[i].site, -1, -(int64_t)lives[i].size);
    lives[i].lives = false;
}

static void event_birth(struct thread *self, uint32_t i)
{
    uint32_t from = choose(CALLERS);
    uint64_t size = any_size();
    track_born(self, block_at(i), size, caller(from));
    note_birth(i, from, size);
    last = (int)i;
}

static void event_death(struct thread *self, uint32_t i)
{
    if (choose(2)) {
        assert_int_equal(track_freed(self, block_at(i)), lives[i].lives);
    } else {
        struct block_entry entry = track_take(block_at(i));
        assert_int_equal(entry.site != 0, lives[i].lives);
        if (entry.site)
            track_died(self, block_at(i), entry);
    }
    assert_int_equal(track_take(block_at(i)).site, 0);
    if (!lives[i].lives)
        return;
    note_death(i);
    last = -1;
}

static void event_move(struct thread *self, uint32_t i, uint32_t to)
{
    uint32_t from = choose(CALLERS);
    uint64_t size = any_size();
    struct block_entry entry = track_take(block_at(i));
    track_moved(self, block_at(i), entry, block_at(to), size, caller(from));
    note_death(i);
    note_birth(to, from, size);
    reference.sites[lives[to].site].reallocations++;
    last = (int)to;
}

static void event_failed_move(uint32_t i)
{
    struct block_entry entry = track_take(block_at(i));
    track_put_back(block_at(i), entry);
    assert_int_equal(blocks_get(block_at(i)).site, entry.site);
    assert_int_equal(blocks_get(block_at(i)).size, entry.size);
}

static void any_event(struct thread *self)
{
    uint32_t i = last >= 0 && choose(3) == 0 ? (uint32_t)last : choose(BLOCKS), to = choose(BLOCKS);
    if (!lives[i].lives && choose(4))
        event_birth(self, i);
    else if (lives[i].lives && choose(3) == 0 && (to == i || !lives[to].lives))
        event_move(self, i, choose(2) ? i : to);
    else if (lives[i].lives && choose(8) == 0)
        event_failed_move(i);
    else
        event_death(self, i);
}

static void run_random(void)
{
    char name[32] = "trace";
    struct thread *self = begin();
    for (uint32_t n = 0; n < EVENTS; n++) {
        if (n == EVENTS / 2)
            assert_int_equal(file_attach(name, sizeof name), 0);
        any_event(self);
        shim_reference_event(&reference);
        shim_reference_compare(&reference, true);
    }
    assert_int_equal(file_header->missed_events, 0);
    uint64_t current, peak;
    counters_read(self, &current, &peak);
    assert_int_equal(current, reference.bytes);
    assert_int_equal(peak, reference.peak);
}

static void test_equals_the_reference_after_every_event(void **state)
{
    (void)state;
    for (numbers = 1; numbers <= 4; numbers++)
        shim_in_directory(run_random);
}

/* --- single rules -------------------------------------------------------------------------------------- */

static struct shim_site site_now(uint32_t site)
{
    struct shim_site sites[SHIM_SITES];
    shim_read_sites(sites, SHIM_SITES);
    return sites[site];
}

static void move_at_peak(void)
{
    struct thread *self = begin();
    track_born(self, block_at(0), 1000, caller(0));
    track_moved(self, block_at(0), track_take(block_at(0)), block_at(1), 1500, caller(0));
    assert_int_equal(shim_peak(), 1500);
}

static void test_a_moved_block_never_lives_twice(void **state)
{
    (void)state;
    shim_in_child(move_at_peak);
}

static void use_long_sizes(void)
{
    static const uint64_t sizes[] = {BLOCK_SIZE_LONG, 1ul << 32, 1ul << 45, SIZE_MAX / 4};
    struct thread *self = begin();
    for (uint32_t n = 0; n < 400; n++) {
        uint64_t size = sizes[n % 4];
        track_born(self, block_at(n), size, caller(0));
        assert_int_equal(site_now(site_of(n)).bytes, size);
        track_moved(self, block_at(n), track_take(block_at(n)), block_at(n), size + 5, caller(0));
        assert_int_equal(site_now(site_of(n)).bytes, size + 5);
        struct block_entry entry = track_take(block_at(n));
        track_put_back(block_at(n), entry);
        track_died(self, block_at(n), track_take(block_at(n)));
        assert_int_equal(site_now(entry.site).bytes, 0);
    }
    assert_int_equal(file_header->missed_events, 0);
}

static void test_blocks_of_any_size_come_and_go(void **state)
{
    (void)state;
    shim_in_child(use_long_sizes);
}

static void use_addresses_beyond(void)
{
    struct thread *self = begin();
    for (uint32_t n = 0; n < 200; n++)
        track_born(self, (const void *)(1ul << 48), 1ul << 40, caller(0));
    assert_int_equal(file_header->missed_events, 200);
    track_born(self, block_at(1), 1ul << 40, caller(0));
    assert_int_equal(file_header->missed_events, 200);
    assert_int_equal(site_now(site_of(1)).blocks, 1);
}

static void test_an_address_that_is_no_users_leaves_nothing_behind(void **state)
{
    (void)state;
    shim_in_child(use_addresses_beyond);
}

/* --- counters of 32 bits ------------------------------------------------------------------------------- */

static uint32_t spills_of(uint32_t site, uint32_t kind)
{
    const struct trace_section *section = shim_section(NULL, TRACE_SPILLS);
    const struct trace_spill *spills = (const struct trace_spill *)(section + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; section && i < file_header->spill_count; i++)
        count += spills[i].site == site && spills[i].kind == kind;
    return count;
}

static void wrap_counters(void)
{
    struct thread *self = begin();
    track_born(self, block_at(0), 10, caller(0));
    uint32_t site = site_of(0);
    counter_of(self, site)->temporary = UINT32_MAX;
    counter_of(self, site)->reallocations = UINT32_MAX - 1;
    track_moved(self, block_at(0), track_take(block_at(0)), block_at(0), 20, caller(0));
    assert_int_equal(counter_of(self, site)->temporary, 0);
    assert_int_equal(spills_of(site, TRACE_SPILL_TEMPORARY), 1);
    assert_int_equal(spills_of(site, TRACE_SPILL_REALLOCATIONS), 0);
    track_moved(self, block_at(0), track_take(block_at(0)), block_at(0), 20, caller(0));
    assert_int_equal(counter_of(self, site)->reallocations, 0);
    assert_int_equal(spills_of(site, TRACE_SPILL_REALLOCATIONS), 1);
    counter_of(self, site)->temporary = UINT32_MAX;
    track_died(self, block_at(0), track_take(block_at(0)));
    assert_int_equal(spills_of(site, TRACE_SPILL_TEMPORARY), 2);
    assert_int_equal(file_header->spill_count, 3);
}

static void test_a_wrapped_counter_spills(void **state)
{
    (void)state;
    shim_in_child(wrap_counters);
}

/* --- frees under the guard ----------------------------------------------------------------------------- */

static void defer_frees(void)
{
    struct thread *self = begin();
    for (uint32_t i = 0; i < DEFERRED_MAX + 1; i++)
        track_born(self, block_at(i), 100, caller(0));
    uint32_t site = site_of(0);
    for (uint32_t i = 0; i < DEFERRED_MAX; i++)
        assert_true(track_died_later(block_at(i), track_take(block_at(i))));
    struct block_entry entry = track_take(block_at(DEFERRED_MAX));
    assert_false(track_died_later(block_at(DEFERRED_MAX), entry));
    assert_int_equal(site_now(site).frees, 0);
    guard_drop(self);
    assert_int_equal(site_now(site).frees, DEFERRED_MAX);
    assert_int_equal(site_now(site).bytes, 100);
    assert_int_equal(self->deferred_count, 0);
}

static void test_frees_that_were_put_off_are_done_at_the_guards_end(void **state)
{
    (void)state;
    shim_in_child(defer_frees);
}

static void defer_without_thread(void)
{
    assert_false(track_died_later(block_at(0), (struct block_entry){1, 1, false}));
}

static void test_no_free_is_put_off_before_there_is_a_thread(void **state)
{
    (void)state;
    shim_in_child(defer_without_thread);
}

/* --- where a block came from --------------------------------------------------------------------------- */

__attribute__((noinline)) static uintptr_t born_by_caller(struct thread *self, const void *block)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    track_born(self, block, 8, frame);
    return frame[1] - 1;
}

static void trace_back(void)
{
    struct thread *self = shim_enter();         /* whole stacks */
    void *frames[100], *few[2] = {0, 0};
    uintptr_t lookup = born_by_caller(self, block_at(7));
    int n = track_traceback(self, block_at(7), frames, 100);
    assert_in_range(n, 4, 99);
    assert_int_equal((uintptr_t)frames[0], lookup);
    assert_int_equal(track_traceback(self, block_at(7), few, 1), n);
    assert_ptr_equal(few[0], frames[0]);
    assert_null(few[1]);
    assert_int_equal(track_traceback(self, block_at(8), frames, 100), 0);
}

static void test_a_block_knows_its_stack(void **state)
{
    (void)state;
    shim_in_child(trace_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_reference_after_every_event),
        cmocka_unit_test(test_a_moved_block_never_lives_twice),
        cmocka_unit_test(test_blocks_of_any_size_come_and_go),
        cmocka_unit_test(test_an_address_that_is_no_users_leaves_nothing_behind),
        cmocka_unit_test(test_a_wrapped_counter_spills),
        cmocka_unit_test(test_frees_that_were_put_off_are_done_at_the_guards_end),
        cmocka_unit_test(test_no_free_is_put_off_before_there_is_a_thread),
        cmocka_unit_test(test_a_block_knows_its_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
