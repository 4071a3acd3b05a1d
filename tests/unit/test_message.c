// SPDX-License-Identifier: MIT
#include "../../shim/base/message.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_format(expected, ...)                                                                         \
    do {                                                                                                     \
        char text[200];                                                                                      \
        memset(text, '#', sizeof text);                                                                      \
        assert_int_equal(message_format(text, sizeof text, __VA_ARGS__), strlen(expected));                  \
        assert_string_equal(text, expected);                                                                 \
    } while (0)

static void test_formats_as_printf_does(void **state)
{
    (void)state;
    assert_format("", "%s", "");
    assert_format("plain", "plain");
    assert_format("a string, two", "a %s, %s", "string", "two");
    assert_format("-5 5 0", "%d %d %d", -5, 5, 0);
    assert_format("-2147483648 2147483647 4294967295", "%d %d %u", INT_MIN, INT_MAX, UINT_MAX);
    assert_format("-9223372036854775808 9223372036854775807", "%ld %ld", LONG_MIN, LONG_MAX);
    assert_format("18446744073709551615 10", "%lu %lu", ULONG_MAX, 10ul);
    assert_format("100%", "%d%%", 100);
    assert_format("x1y2z", "x%dy%sz", 1, "2");
}

static void test_control_characters_of_strings_are_masked(void **state)
{
    (void)state;
    assert_format("a?[31mb?c?d?", "a%s", "\033[31mb\nc\177d\t");
    assert_format("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb8", "%s", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb8");
    assert_format("?31m ??31m ? ?? ??", "%s", "\x9b""31m \xc2\x9b""31m \xff \xc3\xc3 \xe2\x82");
    assert_format("ours\n", "ours\n");
}

static void test_what_does_not_fit_is_cut(void **state)
{
    (void)state;
    for (size_t size = 1; size < 12; size++) {
        char text[16];
        memset(text, '#', sizeof text);
        size_t length = message_format(text, size, "ab%dcd%s", 123, "efg");
        assert_int_equal(length, size - 1 < 10 ? size - 1 : 10);
        assert_int_equal(strncmp(text, "ab123cdefg", length), 0);
        assert_int_equal(text[length], 0);
        assert_int_equal(text[size], '#');
    }
}

/* What goes to stderr meanwhile. */
static int saved, caught;

static void catch_stderr(void)
{
    char name[] = "/tmp/message-XXXXXX";
    caught = mkstemp(name);
    assert_true(caught >= 0);
    unlink(name);
    saved = dup(2);
    dup2(caught, 2);
}

static ssize_t release_stderr(char *text, size_t size)
{
    dup2(saved, 2);
    close(saved);
    ssize_t length = pread(caught, text, size, 0);
    close(caught);
    return length;
}

static void test_a_message_is_one_line(void **state)
{
    (void)state;
    char text[256] = "";
    catch_stderr();
    errno = 77;
    message("cannot create %s: %d", "a\nb", 5);
    int after = errno;
    assert_int_equal(release_stderr(text, sizeof text - 1), 34);
    assert_string_equal(text, "tracemalloc: cannot create a?b: 5\n");
    assert_int_equal(after, 77);
}

static void test_a_long_message_is_cut_and_ends_with_a_newline(void **state)
{
    (void)state;
    char text[4096] = "", long_text[3000];
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = 0;
    catch_stderr();
    message("%s", long_text);
    ssize_t length = release_stderr(text, sizeof text - 1);
    assert_in_range(length, 900, 1024);
    assert_int_equal(text[length - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + length - 1);
}

static void test_a_closed_stderr_is_no_matter(void **state)
{
    (void)state;
    int copy = dup(2);
    close(2);
    errno = 77;
    message("nobody");
    bool terminal = message_stderr_is_terminal();
    int after = errno;
    dup2(copy, 2);
    close(copy);
    assert_int_equal(after, 77);
    assert_false(terminal);
}

static void test_a_terminal_is_told_from_a_file(void **state)
{
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), copy = dup(2), null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    bool is_null = message_stderr_is_terminal();
    if (terminal >= 0)
        dup2(terminal, 2);
    bool is_terminal = message_stderr_is_terminal();
    dup2(copy, 2);
    close(copy);
    close(null);
    assert_false(is_null);
    if (terminal >= 0)
        assert_true(is_terminal);
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_as_printf_does),
        cmocka_unit_test(test_control_characters_of_strings_are_masked),
        cmocka_unit_test(test_what_does_not_fit_is_cut),
        cmocka_unit_test(test_a_message_is_one_line),
        cmocka_unit_test(test_a_long_message_is_cut_and_ends_with_a_newline),
        cmocka_unit_test(test_a_closed_stderr_is_no_matter),
        cmocka_unit_test(test_a_terminal_is_told_from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
