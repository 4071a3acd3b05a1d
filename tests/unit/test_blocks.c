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
    struct block_entry entry;
} places[PLACES];
static uint64_t numbers = 1;

/* Runs of neighbours over the edges of leaves, and at the top of the address space. */
static void choose_places(uintptr_t apart)
{
    enum { RUN = 120 };
    for (uint32_t i = 0; i < PLACES; i++) {
        uintptr_t run = i / RUN, edge = (run * run * 97 % (TOP_ENTRIES - 1) + 1) * leaf_size;
        if (run == 0)
            edge = ((uintptr_t)1 << 47) - RUN / 2 * apart;
        places[i].address = edge + (i % RUN) * apart - RUN / 2 * apart;
    }
}

static uint64_t longest;

static struct block_entry any_entry(void)
{
    uint64_t random = shim_random(&numbers), size = shim_random(&numbers) >> shim_random(&numbers) % 64;
    return (struct block_entry){
        .size = size % (longest + 1),
        .site = 1 + (uint32_t)(random % ((1u << BLOCK_SITE_BITS) - 1)),
        .watch = random >> 63,
    };
}

static void assert_same_entry(struct block_entry entry, struct block_entry right)
{
    assert_int_equal(entry.site, right.site);
    assert_int_equal(entry.size, right.size);
    assert_int_equal(entry.watch, right.watch);
}

static void operate(uint32_t i)
{
    const void *block = (const void *)places[i].address;
    switch (shim_random(&numbers) % 3) {
    case 0:
        assert_same_entry(blocks_get(block), places[i].entry);
        break;
    case 1:
        blocks_take(block);
        places[i].entry = any_entry();
        assert_true(blocks_put(block, places[i].entry));
        break;
    case 2:
        assert_same_entry(blocks_take(block), places[i].entry);
        places[i].entry = (struct block_entry){0};
    }
}

static uint64_t seen_sum, seen_count;

static void add_up(const void *block, struct block_entry entry, void *context)
{
    assert_ptr_equal(context, places);
    seen_count++;
    seen_sum += (entry.size + entry.site) ^ (uintptr_t)block;
}

static void assert_visit_sees_all(void)
{
    uint64_t sum = 0, count = 0;
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct block_entry *entry = &places[i].entry;
        count += entry->site != 0;
        sum += entry->site ? (entry->size + entry->site) ^ places[i].address : 0;
    }
    seen_sum = seen_count = 0;
    blocks_visit(add_up, places);
    assert_int_equal(seen_count, count);
    assert_int_equal(seen_sum, sum);
}

/* Blocks so far apart, none longer than they can be then. */
static void operate_at_random(uintptr_t apart)
{
    longest = apart < BLOCK_SIZE_LONG ? apart : UINT64_MAX - 1;
    choose_places(apart);
    for (uint32_t n = 0; n < OPERATIONS; n++)
        operate((uint32_t)(shim_random(&numbers) % PLACES));
    for (uint32_t i = 0; i < PLACES; i++)
        assert_same_entry(blocks_get((const void *)places[i].address), places[i].entry);
}

static void run_granule_8(void)
{
    assert_true(blocks_start(8));
    operate_at_random(8);
    assert_visit_sees_all();
}

static void run_granule_16(void)
{
    assert_true(blocks_start(16));
    operate_at_random(16);
    assert_visit_sees_all();
}

static void run_granule_32(void)
{
    assert_true(blocks_start(32));
    operate_at_random(32);
    assert_visit_sees_all();
}

static void test_is_the_array_with_the_closest_blocks(void **state)
{
    (void)state;
    shim_in_child(run_granule_8);
    shim_in_child(run_granule_16);
    shim_in_child(run_granule_32);
}

static void run_long(void)
{
    static const uintptr_t granules[] = {8, 16, 32};
    assert_true(blocks_start((unsigned)granules[numbers % 3]));
    operate_at_random(BLOCK_SIZE_LONG + 1);
    assert_visit_sees_all();
    for (uint32_t i = 0; i < PLACES; i++)
        blocks_take((const void *)places[i].address);
    for (uintptr_t at = places[200].address; at < places[200].address + 4096; at += 8)
        assert_int_equal(blocks_get((const void *)at).site, 0);        /* nothing is left of sizes */
}

static void test_is_the_array_with_the_shortest_long_blocks(void **state)
{
    (void)state;
    for (numbers = 1; numbers <= 3; numbers++)
        shim_in_child(run_long);
}

/* --- addresses ----------------------------------------------------------------------------------------- */

static void use_odd_addresses(void)
{
    const struct block_entry entry = {.size = 5, .site = 7};
    assert_true(blocks_start(16));
    assert_int_equal(blocks_get((void *)0x1000).site, 0);
    assert_int_equal(blocks_take((void *)0x1000).site, 0);
    assert_null(blocks_find((void *)0x1000));
    static const uintptr_t beyond[] = {1ul << 47, 0x800000001000, 1ul << 63, UINTPTR_MAX & -16ul};
    for (int i = 0; i < 4; i++) {
        assert_false(blocks_put((void *)beyond[i], entry));
        assert_int_equal(blocks_get((void *)beyond[i]).site, 0);
        assert_int_equal(blocks_take((void *)beyond[i]).site, 0);
    }
    assert_true(blocks_put((void *)((1ul << 47) - 16), entry));
    assert_int_equal(blocks_take((void *)((1ul << 47) - 16)).size, 5);
}

static void test_what_is_no_user_address_has_no_entry(void **state)
{
    (void)state;
    shim_in_child(use_odd_addresses);
}

static void keep_apart(void)
{
    static const uint64_t sizes[] = {0, 1, BLOCK_SIZE_LONG - 1, BLOCK_SIZE_LONG, 1ul << 32, UINT64_MAX};
    static const uint32_t sites[] = {1, (1u << BLOCK_SITE_BITS) - 1};
    void *block = (void *)0x12345678900;
    assert_true(blocks_start(32));
    for (int i = 0; i < 6 * 2 * 2; i++) {
        struct block_entry entry = {.size = sizes[i / 4], .site = sites[i / 2 % 2], .watch = i % 2};
        assert_true(blocks_put(block, entry));
        assert_same_entry(blocks_get(block), entry);
        assert_same_entry(blocks_take(block), entry);
    }
}

static void test_an_entry_keeps_site_size_and_watch_apart(void **state)
{
    (void)state;
    shim_in_child(keep_apart);
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
        assert_true(blocks_put((void *)(0x200000000000 + i * leaf_size), (struct block_entry){1, 1, false}));
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
        cmocka_unit_test(test_is_the_array_with_the_closest_blocks),
        cmocka_unit_test(test_is_the_array_with_the_shortest_long_blocks),
        cmocka_unit_test(test_what_is_no_user_address_has_no_entry),
        cmocka_unit_test(test_an_entry_keeps_site_size_and_watch_apart),
        cmocka_unit_test(test_a_lonely_block_costs_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
