// SPDX-License-Identifier: MIT
/* Frames numbered by what they have in common; where that is not known, by the next coarser thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/grouping.h"

static const struct source_frame frames[] = {
    {.function = "f", .file = "a.c", .line = 1, .module = "m", .address = 1},
    {.function = "f", .file = "a.c", .line = 2, .module = "m", .address = 2},
    {.function = "g", .file = "a.c", .line = 1, .module = "n", .address = 3, .inlined = true},
    {.function = "f", .module = "m"},
    {.module = "m", .address = 4},
    {.module = "m", .address = 5},
    {0},
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static void numbers(void **state)
{
    (void)state;
    static const struct {
        enum grouping by;
        uint32_t numbers[FRAMES];
    } cases[] = {
        {BY_LINE, {1, 2, 1, 3, 4, 4, 5}}, {BY_FUNCTION, {1, 1, 2, 3, 4, 4, 5}},
        {BY_FILE, {1, 1, 1, 2, 2, 2, 3}}, {BY_MODULE, {1, 1, 2, 1, 1, 1, 3}},
        {BY_SITE, {1, 1, 2, 3, 4, 4, 5}}, /* as functions */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct groups groups;
        groups_start(&groups, cases[i].by);
        for (size_t j = 0; j < 2 * FRAMES; j++)
            assert_int_equal(groups_number(&groups, &frames[j % FRAMES]), cases[i].numbers[j % FRAMES]);
        groups_free(&groups);
    }
}

static void what_is_shared(void **state)
{
    (void)state;
    struct groups groups;
    groups_start(&groups, BY_LINE);
    const struct source_frame *line = groups_frame(&groups, groups_number(&groups, &frames[0]));
    assert_string_equal(line->file, "a.c");
    assert_int_equal(line->line, 1);
    assert_null(line->function);
    assert_null(line->module);
    assert_int_equal(line->address, 0);
    groups_free(&groups);
}

/* The same strings at other places are the same. */
static void by_what_they_say(void **state)
{
    (void)state;
    char name[] = "f", file[] = "a.c", module[] = "m";
    struct source_frame copy = {.function = name, .file = file, .module = module, .line = 7};
    struct groups groups;
    groups_start(&groups, BY_FUNCTION);
    assert_int_equal(groups_number(&groups, &frames[0]), groups_number(&groups, &copy));
    groups_free(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(what_is_shared),
        cmocka_unit_test(by_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
