// SPDX-License-Identifier: MIT
/* Places of an older version of a program in the newer's terms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/function_lines.h"

static struct function_lines *lines;

static void add(enum side side, const char *function, const char *file, int line)
{
    function_lines_add(lines, side, &(struct source_frame){.function = function, .file = file, .line = line},
                       UINT64_MAX);
}

static int make(void **state)
{
    (void)state;
    lines = function_lines_open();
    add(OLD, "moved", "/v1/src/a.c", 20);
    add(OLD, "moved", "/v1/src/a.c", 10);
    add(OLD, "moved", "/v1/src/a.c", 10);
    add(NEW, "moved", "/v2/src/a.c", 13);
    add(NEW, "moved", "/v2/src/a.c", 23);
    add(OLD, "lost", "/v1/src/a.c", 100);
    add(NEW, "fresh", "/v2/src/a.c", 100);
    add(OLD, "shorter", "b.c", 10);
    add(OLD, "shorter", "b.c", 12);
    add(NEW, "shorter", "b.c", 12);
    add(OLD, "twice", "x/c.c", 5); /* another function of that name */
    add(NEW, "twice", "x/d.c", 6);
    add(OLD, NULL, "/v1/src/a.c", 1);
    add(OLD, "nowhere", NULL, 0);
    function_lines_match(lines);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    function_lines_close(lines);
    return 0;
}

static void assert_becomes(const char *function, const char *file, int line, const char *new_file,
                           int new_line)
{
    struct source_frame place = {.function = function, .file = file, .line = line};
    function_lines_translate(lines, &place);
    assert_ptr_equal(place.function, function);
    if (new_file)
        assert_string_equal(place.file, new_file);
    else
        assert_null(place.file);
    assert_int_equal(place.line, new_line);
}

static void functions_that_moved(void **state)
{
    (void)state;
    assert_becomes("moved", "/v1/src/a.c", 10, "/v2/src/a.c", 13);
    assert_becomes("moved", "/v1/src/a.c", 20, "/v2/src/a.c", 23);
}

/* What is gone keeps its line, in the file that is now elsewhere. */
static void functions_that_are_gone(void **state)
{
    (void)state;
    assert_becomes("lost", "/v1/src/a.c", 100, "/v2/src/a.c", 100);
    assert_becomes(NULL, "/v1/src/a.c", 1, "/v2/src/a.c", 1);
    assert_becomes("twice", "x/c.c", 5, "x/c.c", 5);
    assert_becomes("unheard of", "z.c", 7, "z.c", 7);
    assert_becomes("nowhere", NULL, 0, NULL, 0);
}

/* An old line must not be taken for a new one that only has its number. */
static void numbers_that_others_have_now(void **state)
{
    (void)state;
    struct function_lines *mine = function_lines_open(), *shared = lines;
    uint64_t strdup = function_lines_bit(&(struct source_frame){.function = "strdup"});
    uint64_t malloc = function_lines_bit(&(struct source_frame){.function = "malloc"});
    struct source_frame first = {.function = "f", .file = "f.c", .line = 10},
                        second = {.function = "f", .file = "f.c", .line = 11};
    assert_int_not_equal(strdup, malloc);
    lines = mine;
    function_lines_add(lines, OLD, &first, strdup);
    function_lines_add(lines, OLD, &second, malloc);
    function_lines_add(lines, NEW, &first, malloc);
    function_lines_match(lines);
    assert_becomes("f", "f.c", 10, "f.c", 0);
    assert_becomes("f", "f.c", 11, "f.c", 10);
    assert_becomes("f", "f.c", 30, "f.c", 30);
    lines = shared;
    function_lines_close(mine);
    assert_becomes("shorter", "b.c", 12, "b.c", 12);
    assert_becomes("shorter", "b.c", 10, "b.c", 10);
}

static void unknown_callees(void **state)
{
    (void)state;
    assert_int_equal(function_lines_bit(&(struct source_frame){0}), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_that_moved),
        cmocka_unit_test(functions_that_are_gone),
        cmocka_unit_test(numbers_that_others_have_now),
        cmocka_unit_test(unknown_callees),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
