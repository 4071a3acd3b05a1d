// SPDX-License-Identifier: MIT
/* What a view leaves out of a list of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/view.h"

static const struct figures figures = {.current_bytes = 10,
                                       .current_blocks = 1,
                                       .peak_bytes = 20,
                                       .peak_blocks = 2,
                                       .allocated_bytes = 30,
                                       .allocations = 3,
                                       .temporary = 4};

static void small_rows(void **state)
{
    (void)state;
    static const struct {
        enum metric metric;
        uint64_t bytes, blocks;
    } cases[] = {{METRIC_CURRENT, 10, 1},
                 {METRIC_PEAK, 20, 2},
                 {METRIC_ALLOCATED, 30, 3},
                 {METRIC_ALLOCATIONS, 30, 3},
                 {METRIC_TEMPORARY, 0, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct view view = {.metric = cases[i].metric};
        assert_true(view_shows(&view, &figures));
        view.min_bytes = cases[i].bytes;
        view.min_blocks = cases[i].blocks;
        assert_true(view_shows(&view, &figures));
        view.min_bytes++;
        assert_false(view_shows(&view, &figures));
        view.min_bytes--;
        view.min_blocks++;
        assert_false(view_shows(&view, &figures));
    }
}

static void what_it_changes(void **state)
{
    (void)state;
    struct failure why;
    struct view view = {.min_bytes = 1, .cumulative = true, .by = BY_LINE};
    assert_false(view_selects(&view));
    assert_false(view_reshapes(&view));
    assert_true(patterns_add(&view.hide, "a", PATTERN_ANY, &why));
    assert_false(view_selects(&view));
    assert_true(view_reshapes(&view));
    assert_true(patterns_add(&view.exclude, "a", PATTERN_ANY, &why));
    assert_true(view_selects(&view));
    view_free(&view);
    assert_false(view_selects(&view));
    assert_true(patterns_add(&view.from, "a", PATTERN_ANY, &why));
    assert_true(view_selects(&view));
    assert_true(view_reshapes(&view));
    view_free(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_rows), cmocka_unit_test(what_it_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
