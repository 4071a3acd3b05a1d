// SPDX-License-Identifier: MIT
/* Patterns: what they say, and which frames match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/pattern.h"

static bool reads(const char *text, enum pattern_field otherwise)
{
    struct patterns patterns = {0};
    struct failure why;
    bool fine = patterns_add(&patterns, text, otherwise, &why);
    assert_int_equal(patterns.count, fine);
    patterns_free(&patterns);
    return fine;
}

static bool matches_as(const char *text, enum pattern_field otherwise, const struct source_frame *frame)
{
    struct patterns patterns = {0};
    struct failure why;
    assert_true(patterns_add(&patterns, text, otherwise, &why));
    bool fine = patterns_match(&patterns, frame);
    patterns_free(&patterns);
    return fine;
}

static bool matches(const char *text, const struct source_frame *frame)
{
    return matches_as(text, PATTERN_ANY, frame);
}

static void words(void **state)
{
    (void)state;
    assert_true(reads("put", PATTERN_ANY));
    assert_true(reads("function=put*", PATTERN_ANY));
    assert_true(reads("operator=", PATTERN_ANY));
    assert_true(reads("operator==(*", PATTERN_ANY));
    assert_true(reads("a.b=c", PATTERN_ANY));
    assert_false(reads("", PATTERN_ANY));
    assert_false(reads("file=", PATTERN_ANY));
    assert_false(reads("size=3", PATTERN_FUNCTION));
    assert_false(reads("func=put", PATTERN_FUNCTION));
}

static void fields(void **state)
{
    (void)state;
    const struct source_frame frame = {
        .function = "put", .file = "/src/demo/dict.c", .line = 29, .module = "/usr/lib/libdict.so.1"};
    assert_true(matches("function=put", &frame));
    assert_true(matches("function=p?[t]", &frame));
    assert_false(matches("function=pu", &frame));
    assert_false(matches("function=dict*", &frame));
    assert_false(matches("file=put", &frame));
    assert_true(matches("module=libdict*", &frame));
    assert_false(matches("module=dict*", &frame));
    assert_true(matches("put", &frame));
    assert_true(matches("dict.c", &frame));
    assert_true(matches("libdict.so*", &frame));
    assert_false(matches("nothing", &frame));
    assert_true(matches_as("put", PATTERN_FUNCTION, &frame));
    assert_false(matches_as("dict.c", PATTERN_FUNCTION, &frame));
    assert_true(matches_as("file=dict.c", PATTERN_FUNCTION, &frame));
}

static void paths(void **state)
{
    (void)state;
    const struct source_frame frame = {.file = "/src/demo/dict.c", .line = 29};
    assert_true(matches("file=/src/demo/dict.c", &frame));
    assert_true(matches("file=demo/dict.c", &frame));
    assert_true(matches("file=demo/*", &frame));
    assert_true(matches("file=*/dict.c", &frame));
    assert_false(matches("file=emo/dict.c", &frame));
    assert_false(matches("file=/demo/dict.c", &frame));
    assert_false(matches("file=src", &frame));
    assert_true(matches("file=dict.c:29", &frame));
    assert_true(matches("demo/dict.c:29", &frame));
    assert_false(matches("file=dict.c:2", &frame));
    assert_false(matches("file=dict.c:290", &frame));
    assert_true(matches("file=./demo/dict.c", &frame));
    assert_false(matches("file=/other/src/demo/dict.c", &frame));
    const struct source_frame relative = {.file = "demo/dict.c"}, empty = {.file = ""};
    assert_true(matches("file=/src/demo/dict.c", &relative));
    assert_false(matches("file=/src/notdemo/dict.c", &relative));
    assert_false(matches("file=xdemo/dict.c", &relative));
    assert_false(matches("file=/src/", &empty));
}

static void colons_in_names(void **state)
{
    (void)state;
    const struct source_frame frame = {.function = "ns::f:7", .file = "odd:7", .line = 3};
    assert_true(matches("file=odd:7", &frame));
    assert_true(matches("file=odd:7:3", &frame));
    assert_true(matches("function=ns::f:7", &frame));
    assert_false(matches("function=ns::f", &frame));
}

static void parameters(void **state)
{
    (void)state;
    const struct source_frame method = {.function = "ns::Map<int (*)(char)>::put(int, void (*)(long)) const"};
    assert_true(matches("function=ns::Map<int (*)(char)>::put", &method));
    assert_true(matches("function=ns::Map*put", &method));
    assert_true(matches("function=*put(int*", &method));
    assert_false(matches("function=ns::Map<int ", &method));
    const struct source_frame call = {.function = "A::operator()(int)"};
    assert_true(matches("function=A::operator()", &call));
    const struct source_frame broken = {.function = "f)))"};
    assert_false(matches("function=f", &broken));
}

static void several(void **state)
{
    (void)state;
    const struct source_frame a = {.function = "a"}, b = {.function = "b"}, c = {.function = "c"},
                              unknown = {0};
    struct patterns patterns = {0};
    struct failure why;
    assert_false(patterns_match(&patterns, &a));
    assert_true(patterns_add(&patterns, "a", PATTERN_ANY, &why));
    assert_true(patterns_add(&patterns, "function=b", PATTERN_ANY, &why));
    assert_true(patterns_match(&patterns, &a));
    assert_true(patterns_match(&patterns, &b));
    assert_false(patterns_match(&patterns, &c));
    assert_false(patterns_match(&patterns, &unknown));
    patterns_free(&patterns);
}

/* A path of a million directories must not take a million looks at it. */
static void long_names(void **state)
{
    (void)state;
    char *path = memory_get(2000001, 1);
    for (size_t i = 0; i < 1000000; i++)
        memcpy(path + 2 * i, "/a", 2);
    const struct source_frame frame = {.function = path, .file = path, .module = path};
    assert_false(matches("b*", &frame));
    assert_true(matches("file=a", &frame));
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),           cmocka_unit_test(fields),     cmocka_unit_test(paths),
        cmocka_unit_test(colons_in_names), cmocka_unit_test(parameters), cmocka_unit_test(several),
        cmocka_unit_test(long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
