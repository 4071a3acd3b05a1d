// SPDX-License-Identifier: MIT
#include "../../shim/base/options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char complaints[8192];
static int complaint_count;

static void complain(const char *what)
{
    complaint_count++;
    strcat(complaints, what);
    strcat(complaints, ";");
}

static struct options defaults;

static int forget(void **state)
{
    (void)state;
    options = defaults;
    complaints[0] = 0;
    complaint_count = 0;
    return 0;
}

static void read_options(const char *text)
{
    static char variable[20000];
    char *environment[] = {"PATH=/bin", "LIBTRACE_OPTION=depth=1", "XLIBTRACE_OPTIONS=depth=2", variable,
                           NULL};
    snprintf(variable, sizeof variable, "LIBTRACE_OPTIONS=%s", text);
    options_read(environment, complain);
}

static void assert_complaints(const char *text, const char *expected)
{
    forget(NULL);
    read_options(text);
    assert_string_equal(complaints, expected);
}

/* --- what is understood -------------------------------------------------------------------------------- */

static void test_nothing_set_leaves_the_defaults(void **state)
{
    (void)state;
    char *environment[] = {"HOME=/", NULL};
    options_read(environment, complain);
    options_read(NULL, complain);
    read_options("");
    read_options(",,,");
    assert_memory_equal(&options, &defaults, sizeof options);
    assert_int_equal(complaint_count, 0);
    assert_string_equal(options.out, "tracemalloc.%e.%p.trace");
    assert_int_equal(options.depth, 1024);
    assert_int_equal(options.children, CHILDREN_AUTO);
    assert_int_equal(options.root, 0);
    assert_false(options.quiet);
    assert_int_equal(options.keep, 64);
}

static void test_every_key_sets_its_option(void **state)
{
    (void)state;
    read_options("out=/tmp/a=b %p,depth=7,children=none,root=4711,quiet=1");
    assert_int_equal(complaint_count, 0);
    assert_string_equal(options.out, "/tmp/a=b %p");
    assert_int_equal(options.depth, 7);
    assert_int_equal(options.children, CHILDREN_NONE);
    assert_int_equal(options.root, 4711);
    assert_true(options.quiet);
    assert_false(options.off);
    read_options("start=off");
    assert_true(options.off);
    read_options("start=on");
    assert_false(options.off);
    assert_false(options.mappings);
    read_options("mmap=on");
    assert_true(options.mappings);
    read_options("mmap=off");
    assert_false(options.mappings);
    read_options("snapshot-interval=0.5,snapshot-growth=1.25,snapshot-size=3M,keep=7");
    assert_int_equal(options.snapshot_ms, 500);
    assert_int_equal(options.snapshot_growth, 250);
    assert_int_equal(options.snapshot_size, 3 << 20);
    assert_int_equal(options.keep, 7);
    read_options("snapshot-interval=1000000,snapshot-growth=3,snapshot-size=8589934591G,keep=1024");
    assert_int_equal(options.snapshot_ms, 1000000000);
    assert_int_equal(options.snapshot_growth, 2000);
    assert_true(options.snapshot_size == UINT64_C(8589934591) << 30);
    read_options("snapshot-interval=0.007,snapshot-size=12");
    assert_int_equal(options.snapshot_ms, 7);
    assert_int_equal(options.snapshot_size, 12);
    read_options("children=all,,quiet=0,depth=65536,");
    assert_int_equal(complaint_count, 0);
    assert_int_equal(options.children, CHILDREN_ALL);
    assert_false(options.quiet);
    assert_int_equal(options.depth, 65536);
    read_options("children=auto,depth=1,depth=2");
    assert_int_equal(options.children, CHILDREN_AUTO);
    assert_int_equal(options.depth, 2);
}

/* --- what is not --------------------------------------------------------------------------------------- */

static void test_each_bad_key_is_complained_of_once(void **state)
{
    (void)state;
    assert_complaints("nonsense", "nonsense;");
    assert_complaints("Depth=5", "Depth=5;");
    assert_complaints("depth", "depth;");
    assert_complaints("=5", "=5;");
    assert_complaints(" depth=5", " depth=5;");
    assert_complaints("depthx=5,dept=5", "depthx=5;dept=5;");
    assert_memory_equal(&options, &defaults, sizeof options);
}

static void test_each_bad_value_is_complained_of_once(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "depth=", "depth=0", "depth=-1", "depth=65537", "depth=99999999999999999999", "depth=5x", "depth=0x5",
        "depth= 5", "depth=5=6", "children=", "children=some", "children=ALL", "root=", "root=-1", "root=x",
        "root=99999999999", "quiet=", "quiet=2", "quiet=yes", "quiet=10", "out=",
        "snapshot-interval=", "snapshot-interval=0", "snapshot-interval=0.000", "snapshot-interval=1.2345",
        "snapshot-interval=1.", "snapshot-interval=.5", "snapshot-interval=1.2.3", "snapshot-interval=1000001",
        "snapshot-interval=1s", "snapshot-growth=1", "snapshot-growth=0.5", "snapshot-growth=-2",
        "snapshot-size=", "snapshot-size=0", "snapshot-size=5T", "snapshot-size=K", "snapshot-size=5KB",
        "snapshot-size=9223372036854775808", "snapshot-size=8589934592G", "keep=", "keep=0", "keep=1025",
        "start=", "start=of", "start=no", "start=offf",
        "mmap=", "mmap=1", "mmap=onn",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "%s;", bad[i]);
        assert_complaints(bad[i], expected);
        assert_memory_equal(&options, &defaults, sizeof options);
    }
}

static void test_a_bad_value_leaves_the_option_as_it_was(void **state)
{
    (void)state;
    read_options("out=x,depth=5,children=all,root=9,quiet=1,out=,depth=y,children=y,root=y,quiet=y");
    assert_string_equal(complaints, "out=;depth=y;children=y;root=y;quiet=y;");
    assert_string_equal(options.out, "x");
    assert_int_equal(options.depth, 5);
    assert_int_equal(options.children, CHILDREN_ALL);
    assert_int_equal(options.root, 9);
    assert_true(options.quiet);
}

static void test_good_parts_count_beside_bad_ones(void **state)
{
    (void)state;
    read_options("bad,depth=9,worse=1,quiet=1");
    assert_int_equal(options.depth, 9);
    assert_true(options.quiet);
    assert_string_equal(complaints, "bad;worse=1;");
    options_read((char *[]){"LIBTRACE_OPTIONS=bad", NULL}, NULL);      /* nobody to complain to */
}

static void out_of_length(size_t length, bool fits)
{
    char text[12000] = "out=";
    memset(text + 4, 'x', length);
    strcpy(text + 4 + length, ",depth=3");
    forget(NULL);
    read_options(text);
    assert_int_equal(options.depth, 3);
    assert_int_equal(complaint_count, fits ? 0 : 1);
    assert_int_equal(strlen(options.out), fits ? length : strlen(defaults.out));
}

static void test_a_name_that_is_too_long_is_refused(void **state)
{
    (void)state;
    out_of_length(4000, true);
    out_of_length(sizeof options.out - 1, true);
    out_of_length(sizeof options.out, false);
    out_of_length(sizeof options.out + 12, false);
    out_of_length(10000, false);
}

/* --- the file's name ----------------------------------------------------------------------------------- */

static void assert_name(const char *pattern, const char *expected)
{
    char name[64];
    strcpy(options.out, pattern);
    assert_true(options_file_name(name, sizeof name, "prog", 4242, 1700000000));
    assert_string_equal(name, expected);
}

static void test_patterns_are_expanded(void **state)
{
    (void)state;
    assert_name("tracemalloc.%e.%p.trace", "tracemalloc.prog.4242.trace");
    assert_name("%t", "1700000000");
    assert_name("%p%p", "42424242");
    assert_name("plain", "plain");
    assert_name("100%", "100%");
    assert_name("%x%%p%", "%x%4242%");
    assert_name("", "");
}

static void test_a_program_named_like_a_pattern_is_not_expanded(void **state)
{
    (void)state;
    char name[32];
    strcpy(options.out, "%e");
    assert_true(options_file_name(name, sizeof name, "%p%s%n", 1, 2));
    assert_string_equal(name, "%p%s%n");
}

static void test_a_name_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char name[12] = "##########";
    strcpy(options.out, "%e.%p");
    assert_true(options_file_name(name, 10, "prog", 4242, 0));
    assert_string_equal(name, "prog.4242");
    assert_false(options_file_name(name, 9, "prog", 4242, 0));
    assert_int_equal(name[10], 0);
    assert_false(options_file_name(name, 1, "prog", 4242, 0));
}

int main(void)
{
    defaults = options;
#define TEST(name) cmocka_unit_test_setup(test_##name, forget)
    const struct CMUnitTest tests[] = {
        TEST(nothing_set_leaves_the_defaults),
        TEST(every_key_sets_its_option),
        TEST(each_bad_key_is_complained_of_once),
        TEST(each_bad_value_is_complained_of_once),
        TEST(a_bad_value_leaves_the_option_as_it_was),
        TEST(good_parts_count_beside_bad_ones),
        TEST(a_name_that_is_too_long_is_refused),
        TEST(patterns_are_expanded),
        TEST(a_program_named_like_a_pattern_is_not_expanded),
        TEST(a_name_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
