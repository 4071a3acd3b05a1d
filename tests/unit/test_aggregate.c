// SPDX-License-Identifier: MIT
/*
 * demo/aggregate.c: sums and their order, and that every representation gives back what was put in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../../demo/aggregate.h"

static int add(struct totals *totals, const char *route, uint64_t rides)
{
    return totals_add(totals, &(struct ride){.route = route, .rides = rides});
}

static void test_nothing(void **state)
{
    (void)state;
    struct totals totals = {0};
    const struct route_total *largest[5];
    assert_int_equal(totals.rows, 0);
    assert_int_equal(totals_of(&totals, "22"), 0);
    assert_int_equal(totals_largest(&totals, largest, 5), 0);
    totals_free(&totals);
}

static void test_sums(void **state)
{
    (void)state;
    struct totals totals = {0};
    assert_int_equal(add(&totals, "22", 1), 0);
    assert_int_equal(add(&totals, "2", 10), 0);
    assert_int_equal(add(&totals, "22", 100), 0);
    assert_int_equal(add(&totals, "", 7), 0);
    assert_int_equal(add(&totals, "22", 0), 0);
    assert_int_equal(totals.rows, 5);
    assert_int_equal(totals_of(&totals, "22"), 101);
    assert_int_equal(totals_of(&totals, "2"), 10);
    assert_int_equal(totals_of(&totals, ""), 7);
    assert_int_equal(totals_of(&totals, "222"), 0);
    totals_free(&totals);
    assert_null(totals.by_route);
}

static void test_overflow(void **state)
{
    (void)state;
    struct totals totals = {0};
    assert_int_equal(add(&totals, "1", UINT64_MAX - 1), 0);
    assert_int_equal(add(&totals, "1", 1), 0);
    assert_int_equal(add(&totals, "1", 1), -EOVERFLOW);
    assert_int_equal(add(&totals, "2", UINT64_MAX), 0);
    assert_int_equal(totals.rows, 3);
    assert_true(totals_of(&totals, "1") == UINT64_MAX);
    totals_free(&totals);
}

static void test_largest(void **state)
{
    (void)state;
    struct totals totals = {0};
    const struct route_total *largest[5];
    static const char *const expected[] = {"big", "a", "b", "c", "small"};
    assert_int_equal(add(&totals, "b", 5), 0);
    assert_int_equal(add(&totals, "small", 1), 0);
    assert_int_equal(add(&totals, "big", UINT64_MAX), 0);
    assert_int_equal(add(&totals, "c", 5), 0);
    assert_int_equal(totals_largest(&totals, largest, 5), 4);
    assert_int_equal(add(&totals, "a", 5), 0);
    assert_int_equal(add(&totals, "none", 0), 0);
    assert_int_equal(totals_largest(&totals, largest, 5), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(largest[i]->route, expected[i]);
    assert_int_equal(totals_largest(&totals, largest, 1), 1);
    assert_string_equal(largest[0]->route, "big");
    totals_free(&totals);
}

static void test_many_routes(void **state)
{
    (void)state;
    struct totals totals = {0};
    const struct route_total *largest[1];
    char route[16];
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(route, sizeof route, "%u", i);
            assert_int_equal(add(&totals, route, i), 0);
        }
    }
    assert_int_equal(totals_of(&totals, "12345"), 24690);
    assert_int_equal(totals_largest(&totals, largest, 1), 1);
    assert_int_equal(largest[0]->rides, 39998);
    totals_free(&totals);
}

static void test_rides(void **state)
{
    (void)state;
    uint64_t rides;
    assert_true(rides_parse("0", &rides) && rides == 0);
    assert_true(rides_parse("007", &rides) && rides == 7);
    assert_true(rides_parse("9007199254740992", &rides) && rides == RIDES_MAX);
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "seven",
                                      "9007199254740993",
                                      "18446744073709551617",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rides_parse(bad[i], &rides));
}

/*
 * The representations: the same file through each.
 */

static bool start(struct source *source, const char *text)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs(text, file);
    rewind(file);
    return source_start(source, "test", file);
}

static void sum_up(const struct representation *as, const char *text, struct totals *totals)
{
    struct source source;
    assert_true(start(&source, text));
    void *table = as->create(&source);
    assert_non_null(table);
    assert_true(representation_load(as, table, &source));
    assert_int_equal(totals_collect(totals, as, table), 0);
    assert_false(source.failed);
    as->destroy(table);
    source_close(&source);
}

static void test_representations_agree(void **state)
{
    (void)state;
    static const char text[] = "route,date,daytype,rides\n"
                               "22,01/01/2001,U,7354\n"
                               "\"a,\"\"b\nc\",01/01/2001,U,9007199254740992\n"
                               ",,,0\r\n"
                               "22,01/02/2001,W,\"1\"\n"
                               "\"a,\"\"b\nc\",01/02/2001,W,9007199254740991";
    for (const struct representation *const *as = representations; *as; as++) {
        struct totals totals = {0};
        sum_up(*as, text, &totals);
        assert_int_equal(totals.rows, 5);
        assert_int_equal(totals_of(&totals, "22"), 7355);
        assert_int_equal(totals_of(&totals, "a,\"b\nc"), 18014398509481983);
        assert_int_equal(HASH_COUNT(totals.by_route), 3);
        totals_free(&totals);
    }
}

static void test_representations_of_nothing(void **state)
{
    (void)state;
    for (const struct representation *const *as = representations; *as; as++) {
        struct totals totals = {0};
        sum_up(*as, "route,date,daytype,rides\n", &totals);
        assert_int_equal(totals.rows, 0);
        totals_free(&totals);
    }
}

/* A table that stopped half way is freed whole; the leak checker sees to that. */
static void test_failure_half_way(void **state)
{
    (void)state;
    for (const struct representation *const *as = representations; *as; as++) {
        struct source source;
        struct totals totals = {0};
        assert_true(start(&source, "route,date,daytype,rides\n1,a,b,2\n1,a,b,3\n1,a,b,c\n1,a,b,4\n"));
        void *table = (*as)->create(&source);
        assert_non_null(table);
        representation_load(*as, table, &source);
        assert_int_equal(totals_collect(&totals, *as, table), 0);
        assert_true(source.failed);
        assert_int_equal(totals_of(&totals, "1"), 5);
        (*as)->destroy(table);
        totals_free(&totals);
        source_close(&source);
    }
}

static size_t blocks_after(const struct representation *as, const char *text, const void *block[])
{
    struct source source;
    assert_true(start(&source, text));
    void *table = as->create(&source);
    assert_non_null(table);
    assert_true(representation_load(as, table, &source));
    size_t count = as->blocks(table, block);
    as->destroy(table);
    source_close(&source);
    return count;
}

/* Each block once: they are different addresses, and none is missing. */
static void test_blocks(void **state)
{
    (void)state;
    for (const struct representation *const *as = representations; *as; as++) {
        const void *block[ROW_BLOCKS_MAX];
        if (!(*as)->blocks)
            continue;
        assert_int_equal(blocks_after(*as, "route,date,daytype,rides\n", block), 0);
        size_t count = blocks_after(*as, "route,date,daytype,rides\n1,a,b,2\n1,a,b,3\n", block);
        assert_in_range(count, 2, ROW_BLOCKS_MAX);
        for (size_t i = 0; i < count; i++) {
            assert_non_null(block[i]);
            for (size_t j = 0; j < i; j++)
                assert_ptr_not_equal(block[i], block[j]);
        }
    }
}

static void test_representations_by_name(void **state)
{
    (void)state;
    assert_string_equal(representations[0]->name, "dict");
    for (const struct representation *const *as = representations; *as; as++)
        assert_ptr_equal(representation_find((*as)->name), *as);
    assert_null(representation_find(""));
    assert_null(representation_find("DICT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_many_routes),
        cmocka_unit_test(test_rides),
        cmocka_unit_test(test_representations_agree),
        cmocka_unit_test(test_representations_of_nothing),
        cmocka_unit_test(test_failure_half_way),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_representations_by_name),
    };
    return cmocka_run_group_tests_name("aggregate", tests, NULL, NULL);
}
