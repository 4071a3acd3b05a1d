// SPDX-License-Identifier: MIT
/*
 * The live-block map against an array.
 */
#include "shim_support.h"
#include "../../shim/track/blocks.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLACES = 3000, OPERATIONS = 60000 };
static const uintptr_t leaf_size = (uintptr_t)1 << LEAF_BITS;

static struct {
    uintptr_t address;
    uint64_t entry;
} places[PLACES];
static uint64_t numbers = 1;

static uintptr_t granule(void)
{
    return (uintptr_t)1 << block_map.granule_shift;
}

/* Runs of neighbours over the edges of leaves, and at the top of the address space. */
static void choose_places(void)
{
    enum { RUN = 120 };
    for (uint32_t i = 0; i < PLACES; i++) {
        uintptr_t run = i / RUN, edge = (run * run * 97 % (TOP_ENTRIES - 1) + 1) * leaf_size;
        if (run == 0)
            edge = ((uintptr_t)1 << 47) - RUN / 2 * granule();
        places[i].address = edge + (i % RUN) * granule() - RUN / 2 * granule();
    }
}

static uint64_t any_entry(void)
{
    uint64_t entry = shim_random(&numbers);
    return entry ? entry : 1;
}

static void operate(uint32_t i)
{
    const void *block = (const void *)places[i].address;
    switch (shim_random(&numbers) % 3) {
    case 0:
        assert_int_equal(blocks_get(block), places[i].entry);
        break;
    case 1:
        places[i].entry = any_entry();
        assert_true(blocks_put(block, places[i].entry));
        break;
    case 2:
        assert_int_equal(blocks_take(block), places[i].entry);
        places[i].entry = 0;
    }
}

static uint64_t seen_sum, seen_count;

static void add_up(uint64_t entry, const void *block, void *context)
{
    assert_ptr_equal(context, places);
    seen_count++;
    seen_sum += entry ^ (uintptr_t)block;
}

static void assert_visit_sees_all(void)
{
    uint64_t sum = 0, count = 0;
    for (uint32_t i = 0; i < PLACES; i++) {
        count += places[i].entry != 0;
        sum += places[i].entry ? places[i].entry ^ places[i].address : 0;
    }
    seen_sum = seen_count = 0;
    blocks_visit(add_up, places);
    assert_int_equal(seen_count, count);
    assert_int_equal(seen_sum, sum);
}

static void operate_at_random(void)
{
    choose_places();
    for (uint32_t n = 0; n < OPERATIONS; n++)
        operate((uint32_t)(shim_random(&numbers) % PLACES));
    for (uint32_t i = 0; i < PLACES; i++)
        assert_int_equal(blocks_get((const void *)places[i].address), places[i].entry);
}

static void run_granule_16(void)
{
    assert_true(blocks_start(16));
    operate_at_random();
    assert_visit_sees_all();
}

static void run_granule_8(void)
{
    assert_true(blocks_start(8));
    operate_at_random();
}

static void run_granule_32(void)
{
    assert_true(blocks_start(32));
    operate_at_random();
}

static void test_is_the_array_with_granules_of_16(void **state)
{
    (void)state;
    shim_in_child(run_granule_16);
}

static void test_is_the_array_with_granules_of_8(void **state)
{
    (void)state;
    shim_in_child(run_granule_8);
}

static void test_is_the_array_with_granules_of_32(void **state)
{
    (void)state;
    shim_in_child(run_granule_32);
}

/* --- addresses ----------------------------------------------------------------------------------------- */

static void use_odd_addresses(void)
{
    assert_true(blocks_start(16));
    assert_int_equal(blocks_get((void *)0x1000), 0);
    assert_int_equal(blocks_take((void *)0x1000), 0);
    assert_null(blocks_find((void *)0x1000));
    static const uintptr_t beyond[] = {1ul << 47, 0x800000001000, 1ul << 63, UINTPTR_MAX & -16ul};
    for (int i = 0; i < 4; i++) {
        assert_false(blocks_put((void *)beyond[i], 1));
        assert_int_equal(blocks_get((void *)beyond[i]), 0);
        assert_int_equal(blocks_take((void *)beyond[i]), 0);
    }
    assert_true(blocks_put((void *)((1ul << 47) - 16), 5));
    assert_int_equal(blocks_take((void *)((1ul << 47) - 16)), 5);
}

static void test_what_is_no_user_address_has_no_entry(void **state)
{
    (void)state;
    shim_in_child(use_odd_addresses);
}

static void test_an_entry_keeps_site_size_and_watch_apart(void **state)
{
    (void)state;
    uint64_t size = BLOCK_SIZE_BIG - 1, site = (1u << BLOCK_SITE_BITS) - 1;
    assert_int_equal(BLOCK_SIZE_BITS + BLOCK_SITE_BITS, 63);
    assert_int_equal(block_site(site << BLOCK_SIZE_BITS | size), site);
    assert_int_equal(block_site(BLOCK_WATCH | size), 0);
    assert_int_equal(block_size(site << BLOCK_SIZE_BITS | size | BLOCK_WATCH, NULL), size);
    assert_int_equal(block_size(BLOCK_WATCH | site << BLOCK_SIZE_BITS, NULL), 0);
}

/* --- big blocks ---------------------------------------------------------------------------------------- */

static void use_big_blocks(void)
{
    const char *base = (const char *)0x100000000;
    uint32_t count = 0;
    while (count < 1000 && blocks_big_put(base + 16 * count, BLOCK_SIZE_BIG + count))
        count++;
    assert_in_range(count, 16, 999);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(block_size(BLOCK_SIZE_BIG, base + 16 * i), BLOCK_SIZE_BIG + i);
    blocks_big_drop(base + 16 * 3);
    assert_int_equal(blocks_big_get(base + 16 * 3), 0);
    assert_true(blocks_big_put(base - 16, SIZE_MAX / 2));
    assert_int_equal(blocks_big_get(base - 16), SIZE_MAX / 2);
    assert_false(blocks_big_put(base - 32, 1));
    for (uint32_t i = 0; i < count; i++)
        blocks_big_drop(base + 16 * i);
    assert_int_equal(blocks_big_get(base - 16), SIZE_MAX / 2);
}

static void test_big_sizes_are_kept_in_a_table_of_limited_size(void **state)
{
    (void)state;
    shim_in_child(use_big_blocks);
}

/* --- memory -------------------------------------------------------------------------------------------- */

static size_t resident_pages(void)
{
    size_t all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%zu %zu", &all, &resident), 2);
    fclose(file);
    return resident;
}

static void use_one_block_per_leaf(void)
{
    assert_true(blocks_start(32));
    size_t before = resident_pages();
    for (uintptr_t i = 0; i < 500; i++)
        assert_true(blocks_put((void *)(0x200000000000 + i * leaf_size), 1));
    assert_in_range(resident_pages() - before, 500, 900);
}

static void test_a_lonely_block_costs_a_page(void **state)
{
    (void)state;
    shim_in_child(use_one_block_per_leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_array_with_granules_of_8),
        cmocka_unit_test(test_is_the_array_with_granules_of_16),
        cmocka_unit_test(test_is_the_array_with_granules_of_32),
        cmocka_unit_test(test_what_is_no_user_address_has_no_entry),
        cmocka_unit_test(test_an_entry_keeps_site_size_and_watch_apart),
        cmocka_unit_test(test_big_sizes_are_kept_in_a_table_of_limited_size),
        cmocka_unit_test(test_a_lonely_block_costs_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
