// SPDX-License-Identifier: MIT
/* Limits: what they are compared with, when they are exceeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/limits.h"

static const struct figures figures = {
    .current_bytes = 1000,
    .current_blocks = 10,
    .peak_bytes = 2000,
    .peak_blocks = 20,
    .allocated_bytes = 3000,
    .allocations = 30,
    .temporary = 3,
};

static struct amounts some_amounts(void)
{
    return amounts_of(&figures, &(struct leak_sum){.bytes = 500, .blocks = 5, .sites = 1});
}

static void amounts_are_those_of_the_figures(void **state)
{
    (void)state;
    static const uint64_t expected[LIMITED] = {
        [LIMITED_PEAK] = 2000,      [LIMITED_CURRENT] = 1000,   [LIMITED_LEAKED] = 500,
        [LIMITED_ALLOCATED] = 3000, [LIMITED_ALLOCATIONS] = 30, [LIMITED_TEMPORARY] = 3,
    };
    struct amounts amounts = some_amounts();
    assert_memory_equal(amounts.of, expected, sizeof(expected));
    assert_int_equal(amounts.leaked_blocks, 5);
}

/* Whether a limit of so much holds for some_amounts(). */
static bool holds(enum limited what, uint64_t most)
{
    struct limits limits = {0};
    struct amounts amounts = some_amounts();
    limits_add(&limits, what, most);
    bool fine = limits_judge(&limits, &amounts);
    assert_int_equal(limits.all[0].exceeded, !fine);
    assert_int_equal(limits.all[0].found, amounts.of[what]);
    return fine;
}

static void as_much_as_the_limit_is_fine(void **state)
{
    (void)state;
    struct amounts amounts = some_amounts();
    for (enum limited what = 0; what < LIMITED; what++) {
        assert_true(holds(what, amounts.of[what]));
        assert_true(holds(what, UINT64_MAX));
        assert_false(holds(what, amounts.of[what] - 1));
        assert_false(holds(what, 0));
    }
}

static void all_must_hold(void **state)
{
    (void)state;
    struct limits limits = {0};
    struct amounts amounts = some_amounts();
    assert_true(limits_judge(&limits, &amounts));
    limits_add(&limits, LIMITED_PEAK, 1999);
    limits_add(&limits, LIMITED_CURRENT, 1000);
    assert_false(limits_judge(&limits, &amounts));
    assert_true(limits.all[0].exceeded);
    assert_false(limits.all[1].exceeded);
}

static void no_leak_means_no_block(void **state)
{
    (void)state;
    struct limits limits = {0};
    struct amounts amounts = {.leaked_blocks = 1};
    limits_add(&limits, LIMITED_LEAKED, 0);
    limits_add(&limits, LIMITED_CURRENT, 0);
    assert_false(limits_judge(&limits, &amounts));
    assert_true(limits.all[0].exceeded);
    assert_false(limits.all[1].exceeded);
    amounts.leaked_blocks = 0;
    assert_true(limits_judge(&limits, &amounts));
    limits = (struct limits){0};
    limits_add(&limits, LIMITED_LEAKED, 1);
    amounts.leaked_blocks = 1;
    assert_true(limits_judge(&limits, &amounts));
}

static void limits_are_found(void **state)
{
    (void)state;
    struct limits limits = {0};
    struct amounts amounts = some_amounts();
    limits_add(&limits, LIMITED_PEAK, 7);
    limits_add_baseline(&limits, &amounts, 0);
    assert_int_equal(limits_find(&limits, LIMITED_PEAK, false)->most, 7);
    assert_int_equal(limits_find(&limits, LIMITED_PEAK, true)->most, 2000);
    assert_null(limits_find(&limits, LIMITED_ALLOCATED, false));
    assert_null(limits_find(&limits, LIMITED_CURRENT, true));
}

/* What a baseline of `had` allocated bytes allows. */
static uint64_t allowed(uint64_t had, uint32_t tolerance)
{
    struct limits limits = {0};
    struct amounts amounts = {.of = {[LIMITED_ALLOCATED] = had}};
    limits_add_baseline(&limits, &amounts, tolerance);
    const struct limit *limit = limits_find(&limits, LIMITED_ALLOCATED, true);
    assert_int_equal(limit->baseline, had);
    return limit->most;
}

static void a_baseline_is_tolerant(void **state)
{
    (void)state;
    assert_int_equal(allowed(1000, 0), 1000);
    assert_int_equal(allowed(1000, 5000), 1050);
    assert_int_equal(allowed(1000, 5099), 1050);
    assert_int_equal(allowed(1000, 5100), 1051);
    assert_int_equal(allowed(19, 5000), 19);
    assert_int_equal(allowed(20, 5000), 21);
    assert_int_equal(allowed(1000, 1000 * 1000), 11000);
    assert_int_equal(allowed(0, 1000 * 1000), 0);
    assert_true(allowed(UINT64_MAX, 0) == UINT64_MAX);
    assert_true(allowed(UINT64_MAX - 1, 1) == UINT64_MAX);
    assert_true(allowed(UINT64_C(1) << 62, 50 * 1000) == (UINT64_C(1) << 62) + (UINT64_C(1) << 61));
}

static void every_limit_at_once_has_room(void **state)
{
    (void)state;
    struct limits limits = {0};
    struct amounts amounts = some_amounts();
    for (enum limited what = 0; what < LIMITED; what++)
        limits_add(&limits, what, amounts.of[what]);
    limits_add_baseline(&limits, &amounts, 0);
    assert_true(limits.count <= sizeof(limits.all) / sizeof(limits.all[0]));
    assert_true(limits_judge(&limits, &amounts));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_those_of_the_figures),
        cmocka_unit_test(as_much_as_the_limit_is_fine),
        cmocka_unit_test(all_must_hold),
        cmocka_unit_test(no_leak_means_no_block),
        cmocka_unit_test(limits_are_found),
        cmocka_unit_test(a_baseline_is_tolerant),
        cmocka_unit_test(every_limit_at_once_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
