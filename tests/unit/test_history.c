// SPDX-License-Identifier: MIT
/* Moments over time: bounded, peaks kept, parts of equal length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/history.h"

static void add(struct history *history, uint64_t ns, uint64_t current, uint64_t resident)
{
    struct point point = {.ns = ns, .current_bytes = current, .resident_bytes = resident};
    history_add(history, &point);
}

static void parts(void **state)
{
    (void)state;
    struct history history = {0};
    uint64_t current[5], resident[5];
    history_parts(&history, 0, 100, 5, current, resident);
    for (int i = 0; i < 5; i++)
        assert_int_equal(current[i], HISTORY_UNKNOWN);
    add(&history, 25, 10, 0);
    add(&history, 30, 40, 7);
    add(&history, 35, 5, 0);
    add(&history, 70, 8, 3);
    add(&history, 60, 1000, 1000); /* too late */
    history_parts(&history, 0, 100, 5, current, resident);
    const uint64_t wanted[2][5] = {{HISTORY_UNKNOWN, 40, 5, 8, HISTORY_UNKNOWN},
                                   {HISTORY_UNKNOWN, 7, 7, 7, HISTORY_UNKNOWN}};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(current[i], wanted[0][i]);
        assert_int_equal(resident[i], wanted[1][i]);
    }
    history_parts(&history, 50, 70, 2, current, resident);
    assert_int_equal(current[0], 5);
    assert_int_equal(current[1], 8);
    assert_int_equal(resident[1], 7);
    history_free(&history);
}

static void bounded(void **state)
{
    (void)state;
    struct history history = {0};
    uint64_t current[10], resident[10], most = 0;
    for (uint64_t i = 0; i < 1000000; i++)
        add(&history, i * 1000, i == 543210 ? 99999 : i % 100, 50);
    assert_true(history.count <= 4096 && history.count > 1000);
    for (size_t i = 1; i < history.count; i++)
        assert_true(history.points[i].ns > history.points[i - 1].ns);
    history_parts(&history, 0, 999999000, 10, current, resident);
    for (int i = 0; i < 10; i++) {
        assert_int_not_equal(current[i], HISTORY_UNKNOWN);
        assert_int_equal(resident[i], 50);
        most = current[i] > most ? current[i] : most;
    }
    assert_int_equal(most, 99999);
    assert_int_equal(current[5], 99999);
    history_free(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts), cmocka_unit_test(bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
