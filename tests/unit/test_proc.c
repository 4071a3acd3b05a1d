// SPDX-License-Identifier: MIT
#include "shim_support.h"
#include "../../shim/base/proc.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char path[] = "file";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int enter(void **state)
{
    (void)state;
    shim_enter_directory();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    shim_leave_directory();
    return 0;
}

/* --- whole files --------------------------------------------------------------------------------------- */

static void test_a_file_is_read_as_far_as_there_is_room(void **state)
{
    char buffer[16] = "";
    (void)state;
    write_file("0123456789");
    assert_int_equal(proc_read(path, buffer, sizeof buffer), 10);
    assert_memory_equal(buffer, "0123456789", 10);
    memset(buffer, '#', sizeof buffer);
    assert_int_equal(proc_read(path, buffer, 4), 4);
    assert_memory_equal(buffer, "0123#", 5);
}

static void test_what_cannot_be_read_has_no_bytes(void **state)
{
    char buffer[16];
    (void)state;
    assert_int_equal(proc_read("missing", buffer, sizeof buffer), 0);
    assert_int_equal(proc_read(".", buffer, sizeof buffer), 0);
}

static void test_a_pipe_is_read_to_its_end(void **state)
{
    char buffer[64], name[32];
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one", 3), 3);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    if (fork() == 0) {
        usleep(10000);
        assert_int_equal(write(ends[1], "two", 3), 3);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(proc_read(name, buffer, sizeof buffer), 6);
    assert_memory_equal(buffer, "onetwo", 6);
    close(ends[0]);
}

/* --- lines --------------------------------------------------------------------------------------------- */

struct lines {
    char text[4096];
    int count, stop_after;
};

static bool collect(char *line, void *context)
{
    struct lines *lines = context;
    strcat(lines->text, line);
    strcat(lines->text, "|");
    return ++lines->count != lines->stop_after;
}

static void assert_lines(const char *content, size_t size, int stop_after, const char *expected)
{
    struct lines lines = {.stop_after = stop_after};
    char buffer[256];
    write_file(content);
    memset(buffer, '\n', sizeof buffer);
    assert_true(proc_lines(path, buffer, size, collect, &lines));
    assert_string_equal(lines.text, expected);
    assert_int_equal(buffer[size], '\n');
}

static void test_each_line_is_visited(void **state)
{
    (void)state;
    for (size_t size = 6; size < 100; size++)
        assert_lines("one\ntwo\n\nthree\nfour\n", size, 0, "one|two||three|four|");
    assert_lines("", 50, 0, "");
}

static void test_visiting_ends_when_told(void **state)
{
    (void)state;
    assert_lines("one\ntwo\nthree\n", 50, 2, "one|two|");
    assert_lines("one\ntwo\nthree\n", 6, 2, "one|two|");
    assert_lines("one\ntwo\nthree\n", 50, 1, "one|");
}

static void test_a_long_line_is_one_line_cut(void **state)
{
    (void)state;
    assert_lines("0123456789abcdef0123456789\nnext\n", 10, 0, "012345678|next|");
    assert_lines("a\n0123456789abcdef0123456789\nnext\n", 10, 0, "a|012345678|next|");
    assert_lines("0123456789\n", 10, 0, "012345678|");
    assert_lines("012345678\nx\n", 10, 0, "012345678|x|");
}

static void test_a_missing_file_has_no_lines(void **state)
{
    struct lines lines = {.count = 0};
    char buffer[64];
    (void)state;
    assert_false(proc_lines("missing", buffer, sizeof buffer, collect, &lines));
    assert_int_equal(lines.count, 0);
}

static void test_no_descriptor_stays_open(void **state)
{
    struct lines lines = {.stop_after = 1};
    char buffer[64];
    (void)state;
    int before = dup(0);
    close(before);
    write_file("text\nmore\n");
    proc_read(path, buffer, sizeof buffer);
    proc_lines(path, buffer, sizeof buffer, collect, &lines);
    proc_lines("missing", buffer, sizeof buffer, collect, &lines);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

static bool look_for_stack(char *line, void *context)
{
    const char *at = line;
    uintptr_t from = proc_hex(&at), address = (uintptr_t)&at;
    assert_int_equal(*at++, '-');
    uintptr_t to = proc_hex(&at);
    assert_int_equal(*at, ' ');
    *(int *)context += address >= from && address < to;
    return true;
}

static void test_the_own_mappings_can_be_read(void **state)
{
    char buffer[512];
    int found = 0;
    (void)state;
    assert_true(proc_lines("/proc/self/maps", buffer, sizeof buffer, look_for_stack, &found));
    assert_int_equal(found, 1);
}

static void test_hexadecimal_numbers_end_where_they_end(void **state)
{
    const char *text = "7ffdeadbeef0-0 g";
    (void)state;
    assert_int_equal(proc_hex(&text), 0x7ffdeadbeef0);
    assert_string_equal(text, "-0 g");
    text++;
    assert_int_equal(proc_hex(&text), 0);
    assert_string_equal(text, " g");
    assert_int_equal(proc_hex(&text), 0);
    assert_string_equal(text, " g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_read_as_far_as_there_is_room),
        cmocka_unit_test(test_what_cannot_be_read_has_no_bytes),
        cmocka_unit_test(test_a_pipe_is_read_to_its_end),
        cmocka_unit_test(test_no_descriptor_stays_open),
        cmocka_unit_test(test_each_line_is_visited),
        cmocka_unit_test(test_visiting_ends_when_told),
        cmocka_unit_test(test_a_long_line_is_one_line_cut),
        cmocka_unit_test(test_a_missing_file_has_no_lines),
        cmocka_unit_test(test_the_own_mappings_can_be_read),
        cmocka_unit_test(test_hexadecimal_numbers_end_where_they_end),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
