// SPDX-License-Identifier: MIT
/*
 * A table of the file: sections as they are needed, the count in the header, the limits.
 */
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include "../../shim/base/records.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

struct item {
    uint64_t number, square;
    uint64_t rest;
};

enum { PER_SECTION = 16, FEW = 100, MOST = 1 << 20 };

static uint32_t header_count;

static struct records new_table(uint32_t max)
{
    return (struct records){
        .type = TRACE_SITES, .size = sizeof(struct item), .per_section = PER_SECTION, .max = max,
    };
}

static struct records start(uint32_t first, uint32_t max)
{
    struct records table = new_table(max);
    header_count = 12345;
    assert_true(file_start());
    assert_true(records_start(&table, first, &header_count));
    return table;
}

/* False: there is no room. */
static bool append(struct records *table)
{
    struct item *item = records_room(table);
    if (!item)
        return false;
    *item = (struct item){table->count, (uint64_t)table->count * table->count, 7};
    records_done(table, &header_count);
    return true;
}

static void assert_item(const struct item *item, uint64_t number)
{
    assert_int_equal(item->number, number);
    assert_int_equal(item->square, number * number);
    assert_int_equal(item->rest, 7);
}

/* --- numbers ------------------------------------------------------------------------------------------- */

static void count_up(void)
{
    struct records table = start(3, MOST);
    assert_int_equal(header_count, 3);
    assert_int_equal(table.count, 3);
    for (uint32_t number = 3; number < FEW; number++) {
        struct item *item = records_room(&table);
        assert_non_null(item);
        assert_ptr_equal(item, record_at(&table, number));
        assert_int_equal(header_count, number);         /* not yet */
        assert_ptr_equal(records_room(&table), item);   /* nor taken */
        assert_int_equal(records_done(&table, &header_count), number);
        assert_int_equal(header_count, number + 1);
        assert_int_equal(table.count, number + 1);
    }
}

static void test_records_are_numbered_as_they_come(void **state)
{
    (void)state;
    shim_in_child(count_up);
}

static void fill(void)
{
    struct records table = start(1, MOST);
    while (table.count < 5000)
        assert_true(append(&table));
    for (uint32_t number = 1; number < 5000; number++)
        assert_item(record_at(&table, number), number);
    static const struct item none;
    assert_memory_equal(record_at(&table, 0), &none, sizeof none);
}

static void test_a_record_stays_where_it_is(void **state)
{
    (void)state;
    shim_in_child(fill);
}

/* --- as a reader finds them ---------------------------------------------------------------------------- */

static uint32_t count_sections(void)
{
    const struct trace_section *section = NULL;
    uint32_t count = 0;
    while ((section = shim_section(section, TRACE_SITES)))
        count++;
    return count;
}

static void read_sections(void)
{
    struct records table = start(1, MOST);
    assert_int_equal(count_sections(), 1);              /* there is room from the start */
    while (table.count < FEW)
        assert_true(append(&table));
    assert_int_equal(count_sections(), (FEW + PER_SECTION - 1) / PER_SECTION);
    const struct trace_section *section = NULL;
    uint32_t number = 0;
    while ((section = shim_section(section, TRACE_SITES))) {
        const struct item *items = (const struct item *)(section + 1);
        assert_int_equal(section->record_size, sizeof(struct item));
        assert_int_equal(section->first, number);
        assert_int_equal(section->shard, 0);
        assert_int_equal(section->capacity, PER_SECTION);
        for (uint32_t i = 0; i < PER_SECTION; i++, number++)
            if (number >= 1 && number < table.count)
                assert_item(&items[i], number);
    }
    assert_in_range(number, table.count, table.count + PER_SECTION - 1);
}

static void test_sections_hold_them_by_number(void **state)
{
    (void)state;
    shim_in_child(read_sections);
}

/* A section begins only when its first record does. */
static void at_the_edge(void)
{
    struct records table = start(1, MOST);
    while (table.count < PER_SECTION)
        assert_true(append(&table));
    assert_int_equal(count_sections(), 1);
    assert_non_null(records_room(&table));
    assert_int_equal(count_sections(), 2);
    assert_non_null(records_room(&table));
    assert_int_equal(count_sections(), 2);
}

static void test_no_section_is_begun_before_it_is_needed(void **state)
{
    (void)state;
    shim_in_child(at_the_edge);
}

/* Two tables have sections in turns. */
static void interleave(void)
{
    struct records table = start(1, MOST), other = new_table(MOST);
    uint32_t other_count = 0;
    other.type = TRACE_NODES;
    assert_true(records_start(&other, 4, &other_count));
    for (int i = 0; i < 500; i++) {
        assert_true(append(&table));
        struct item *item = records_room(&other);
        *item = (struct item){other.count, 1, 2};
        records_done(&other, &other_count);
    }
    for (uint32_t number = 1; number <= 500; number++)
        assert_item(record_at(&table, number), number);
    for (uint32_t number = 4; number < 504; number++)
        assert_int_equal(((struct item *)record_at(&other, number))->number, number);
    assert_int_equal(other_count, 504);
}

static void test_tables_do_not_disturb_each_other(void **state)
{
    (void)state;
    shim_in_child(interleave);
}

/* In a fork's child the parent counts on in the header. */
static void parent_counts_on(void)
{
    struct records table = start(1, MOST);
    assert_true(append(&table));
    header_count += 1000;
    assert_true(append(&table));
    assert_int_equal(table.count, 3);
    assert_int_equal(header_count, 3);
    assert_item(record_at(&table, 2), 2);
}

static void test_the_headers_count_is_a_copy(void **state)
{
    (void)state;
    shim_in_child(parent_counts_on);
}

/* --- limits -------------------------------------------------------------------------------------------- */

static void reach_the_limit(void)
{
    struct records table = start(1, 3 * PER_SECTION);
    while (append(&table))
        ;
    assert_int_equal(table.count, 3 * PER_SECTION);
    assert_int_equal(header_count, 3 * PER_SECTION);
    assert_int_equal(count_sections(), 3);
    assert_null(records_room(&table));
    for (uint32_t number = 1; number < table.count; number++)
        assert_item(record_at(&table, number), number);
}

static void test_the_table_ends_at_its_limit(void **state)
{
    (void)state;
    shim_in_child(reach_the_limit);
}

static void reserve(void)
{
    uint64_t before = arena_bytes();
    struct records table = start(1, 1u << 31);
    assert_true(append(&table));
    assert_int_equal(arena_bytes(), before);
}

static void test_a_large_limit_costs_nothing(void **state)
{
    (void)state;
    shim_in_child(reserve);
}

/* An image of 4 MiB: file_start makes it smaller when address space is scarce. */
static void fill_image(void)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = 60 << 20;
    setrlimit(RLIMIT_AS, &limit);
    struct records table = start(1, MOST);
    setrlimit(RLIMIT_AS, &before);
    while (append(&table))
        ;
    assert_in_range(table.count, 100000, MOST - 1);
    assert_int_equal(table.count % PER_SECTION, 0);     /* no record without a section */
    assert_int_equal(header_count, table.count);
    for (int i = 0; i < 3; i++)
        assert_null(records_room(&table));
    for (uint32_t number = 1; number < table.count; number++)
        assert_item(record_at(&table, number), number);
}

static void test_the_table_ends_with_the_image(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();                             /* no address space can be limited there */
#endif
    shim_in_child(fill_image);
}

static void no_memory(void)
{
    struct records table = new_table(MOST);
    struct rlimit none = {1, 1};
    assert_true(file_start());
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    header_count = 9;
    assert_false(records_start(&table, 1, &header_count));
    assert_int_equal(header_count, 9);
}

static void test_without_memory_it_does_not_start(void **state)
{
    (void)state;
    shim_in_child(no_memory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(records_are_numbered_as_they_come),
        TEST(a_record_stays_where_it_is),
        TEST(sections_hold_them_by_number),
        TEST(no_section_is_begun_before_it_is_needed),
        TEST(tables_do_not_disturb_each_other),
        TEST(the_headers_count_is_a_copy),
        TEST(the_table_ends_at_its_limit),
        TEST(a_large_limit_costs_nothing),
        TEST(the_table_ends_with_the_image),
        TEST(without_memory_it_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
