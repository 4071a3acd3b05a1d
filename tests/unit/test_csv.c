// SPDX-License-Identifier: MIT
/*
 * demo/csv.c: RFC 4180, what it leaves open, and hostile input.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../demo/csv.h"

static FILE *file_of(const char *bytes, size_t length)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    rewind(file);
    return file;
}

/* A file's records as text: <field><field> newline, and at last what stopped the reading. */
static char *render(FILE *in)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct csv csv;
    enum csv_status status;
    csv_start(&csv, in);
    while ((status = csv_read(&csv)) == CSV_RECORD) {
        for (size_t i = 0; i < csv.count; i++)
            fprintf(out, "<%s>", csv_field(&csv, i));
        fputs("\n", out);
    }
    if (status == CSV_FAILED)
        fprintf(out, "line %lu: %s", csv.line, csv.error);
    csv_free(&csv);
    fclose(in);
    fclose(out);
    return text;
}

static void expect_bytes(const char *bytes, size_t length, const char *expected)
{
    char *text = render(file_of(bytes, length));
    assert_string_equal(text, expected);
    free(text);
}

static void expect(const char *bytes, const char *expected)
{
    expect_bytes(bytes, strlen(bytes), expected);
}

static void test_plain(void **state)
{
    (void)state;
    expect("a,b\nc,d\n", "<a><b>\n<c><d>\n");
    expect("a\n", "<a>\n");
    expect(" a , b\t\n", "< a >< b\t>\n");
    expect("a;b'c\n", "<a;b'c>\n");
    expect("\xc3\xa4,\xff\x80\n", "<\xc3\xa4><\xff\x80>\n");
}

static void test_empty_fields(void **state)
{
    (void)state;
    expect("", "");
    expect(",\n", "<><>\n");
    expect("a,,b\n", "<a><><b>\n");
    expect("a,", "<a><>\n");
    expect("\"\"\n", "<>\n");
    expect("\"\",\"\"", "<><>\n");
}

static void test_line_ends(void **state)
{
    (void)state;
    expect("a,b\r\nc,d\r\n", "<a><b>\n<c><d>\n");
    expect("a,b\nc,d", "<a><b>\n<c><d>\n");
    expect("a,\"b\"", "<a><b>\n");
    expect("a,\"b\"\r\nc", "<a><b>\n<c>\n");
    expect("a\rb\n", "line 1: carriage return without a line feed");
    expect("a\n\"b\"\rc\n", "<a>\nline 2: carriage return without a line feed");
    expect("a\r", "line 1: carriage return without a line feed");
}

static void test_blank_lines(void **state)
{
    (void)state;
    expect("\n\r\n\na\n\n\nb\n\n", "<a>\n<b>\n");
    expect("\n", "");
    expect("\r\n", "");
    expect(" \n", "< >\n");
    expect("\r", "line 1: carriage return without a line feed");
}

static void test_quoting(void **state)
{
    (void)state;
    expect("\"a,b\",c\n", "<a,b><c>\n");
    expect("\"a\"\"b\"\n", "<a\"b>\n");
    expect("\"\"\"\"\n", "<\">\n");
    expect("\"a\nb\",c\n", "<a\nb><c>\n");
    expect("\"a\r\nb\rc\"\r\n", "<a\r\nb\rc>\n");
    expect("\"\n\n\"\n", "<\n\n>\n");
}

static void test_bad_quoting(void **state)
{
    (void)state;
    expect("a\"b\n", "line 1: quote inside a field that does not begin with one");
    expect("a, \"b\"\n", "line 1: quote inside a field that does not begin with one");
    expect("\"a\"b\n", "line 1: text after the closing quote");
    expect("\"a\" \n", "line 1: text after the closing quote");
    expect("a\n\"b\nc\n", "<a>\nline 2: the file ends inside a quoted field");
    expect("\"", "line 1: the file ends inside a quoted field");
    expect("\"a\"\"", "line 1: the file ends inside a quoted field");
}

static void test_nul_byte(void **state)
{
    (void)state;
    expect_bytes("a\0b\n", 4, "line 1: NUL byte");
    expect_bytes("a\n\"\0\"", 5, "<a>\nline 2: NUL byte");
    expect_bytes("a\n\"b\"\0", 6, "<a>\nline 2: NUL byte");
    expect_bytes("a\r\0", 3, "line 1: NUL byte");
    expect_bytes("\0", 1, "line 1: NUL byte");
}

static void test_lines_are_counted(void **state)
{
    (void)state;
    struct csv csv;
    FILE *in = file_of("a\n\n\"b\nc\nd\"\r\ne", 13);
    static const unsigned long lines[] = {1, 3, 6};
    csv_start(&csv, in);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(csv_read(&csv), CSV_RECORD);
        assert_int_equal(csv.line, lines[i]);
    }
    assert_int_equal(csv_read(&csv), CSV_END);
    csv_free(&csv);
    fclose(in);
}

/* One field of a MiB beside short ones, plain and quoted, at every alignment to the buffer's growth. */
static void test_long_field(void **state)
{
    (void)state;
    enum { LONG = 1 << 20 };
    char *line = malloc(LONG + 8);
    assert_non_null(line);
    for (int quoted = 0; quoted < 2; quoted++) {
        for (size_t length = LONG - 3; length <= LONG; length++) {
            struct csv csv;
            size_t used = (size_t)sprintf(line, quoted ? "a,\"" : "a,");
            memset(line + used, 'x', length);
            strcpy(line + used + length, quoted ? "\",b\n" : ",b\n");
            FILE *in = file_of(line, strlen(line));
            csv_start(&csv, in);
            assert_int_equal(csv_read(&csv), CSV_RECORD);
            assert_int_equal(csv.count, 3);
            assert_string_equal(csv_field(&csv, 0), "a");
            assert_int_equal(strlen(csv_field(&csv, 1)), length);
            assert_string_equal(csv_field(&csv, 2), "b");
            csv_free(&csv);
            fclose(in);
        }
    }
    free(line);
}

static void test_many_fields(void **state)
{
    (void)state;
    enum { COMMAS = 300000 };
    char *line = malloc(COMMAS);
    struct csv csv;
    assert_non_null(line);
    memset(line, ',', COMMAS);
    FILE *in = file_of(line, COMMAS);
    csv_start(&csv, in);
    assert_int_equal(csv_read(&csv), CSV_RECORD);
    assert_int_equal(csv.count, COMMAS + 1);
    assert_string_equal(csv_field(&csv, COMMAS), "");
    assert_int_equal(csv_read(&csv), CSV_END);
    csv_free(&csv);
    fclose(in);
    free(line);
}

/* A directory opens like a file, and only reading tells. */
static void test_read_error(void **state)
{
    (void)state;
    FILE *in = fopen("/", "r");
    assert_non_null(in);
    char *text = render(in);
    assert_string_equal(text, "line 1: Is a directory");
    free(text);
}

/* Whatever comes in, it ends, and the fields lie where they should: all texts of six bytes over the
   bytes that mean something. */
static void test_every_short_text(void **state)
{
    (void)state;
    static const char alphabet[] = {'a', ',', '"', '\r', '\n', '\0'};
    char bytes[6];
    for (int n = 0; n < 6 * 6 * 6 * 6 * 6 * 6; n++) {
        struct csv csv;
        for (int i = 0, rest = n; i < 6; i++, rest /= 6)
            bytes[i] = alphabet[rest % 6];
        FILE *in = fmemopen(bytes, sizeof bytes, "r");
        csv_start(&csv, in);
        int records = 0;
        while (csv_read(&csv) == CSV_RECORD) {
            assert_in_range(++records, 1, 6);
            assert_in_range(csv.count, 1, 7);
            for (size_t i = 0; i < csv.count; i++)
                assert_in_range(strlen(csv_field(&csv, i)), 0, 6);
        }
        csv_free(&csv);
        fclose(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_empty_fields),
        cmocka_unit_test(test_line_ends),  cmocka_unit_test(test_blank_lines),
        cmocka_unit_test(test_quoting),    cmocka_unit_test(test_bad_quoting),
        cmocka_unit_test(test_nul_byte),   cmocka_unit_test(test_lines_are_counted),
        cmocka_unit_test(test_long_field), cmocka_unit_test(test_many_fields),
        cmocka_unit_test(test_read_error), cmocka_unit_test(test_every_short_text),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
