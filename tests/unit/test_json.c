// SPDX-License-Identifier: MIT
/* The JSON report: the members of the contract in their order, and strings that any parser takes. */
#define _GNU_SOURCE 1 /* open_memstream */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/json.h"
#include "trace_writer.h"

static void assert_json_string(const char *string, const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_string(out, string);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void strings(void **state)
{
    (void)state;
    assert_json_string(NULL, "null");
    assert_json_string("", "\"\"");
    assert_json_string("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    assert_json_string("\n\t\x01\x1b\x7f", "\"\\u000a\\u0009\\u0001\\u001b\\u007f\"");
    assert_json_string("\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"");
    assert_json_string("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8", "\"\\u009b\\u202e\\u2028\"");
    assert_json_string("\xff\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static char *report_of(struct trace_writer *writer, enum grouping by, size_t limit)
{
    char path[] = "/tmp/test_json.XXXXXX", *text;
    struct trace trace;
    struct failure why;
    struct rows rows;
    size_t size;
    int fd = mkstemp(path);
    writer_save(writer, path);
    assert_true(trace_read(&trace, path, &why));
    close(fd);
    unlink(path);
    struct symbols *symbols = symbols_open(&trace);
    struct view view = {.by = by};
    struct scope scope;
    scope_open(&scope, &view, &trace, symbols);
    rows_make(&rows, &scope);
    struct report report = {.trace = &trace,
                            .symbols = symbols,
                            .process = process_of(&trace),
                            .view = &view,
                            .scope = &scope,
                            .selection = scope_select(&scope),
                            .rows = &rows,
                            .limit = limit};
    FILE *out = open_memstream(&text, &size);
    json_report(out, &report);
    fclose(out);
    rows_free(&rows);
    scope_close(&scope);
    symbols_close(symbols);
    trace_free(&trace);
    return text;
}

static void contract(void **state)
{
    (void)state;
    static struct trace_writer writer;
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/nonexistent/\"odd\"\n");
    writer_simple_site(&writer, writer_frame(&writer, module, 0x1234), 2, 8);
    writer_site(&writer, TRACE_NODE_OVERFLOW);
    writer_counter(&writer, 0, 2)->allocations = 1;
    writer.header.missed_events = 5;
    writer.header.recorder_bytes = 0;
    char *text = report_of(&writer, BY_SITE, 0), expected[4096];
    snprintf(
        expected, sizeof(expected),
        "{\"version\": 1, \"command\": [\"./prog\", \"arg\"], \"pid\": 4242, "
        "\"started\": \"2026-11-22T19:00:00Z\", \"duration_seconds\": 1.250000,\n"
        " \"state\": \"exited 0\", \"mode\": \"exact\", \"sample_bytes\": 1, \"sites_total\": 2,\n"
        " \"snapshot\": null, \"snapshots\": [],\n"
        " \"stopped\": false, \"cleared_seconds\": null, \"peak_reset_seconds\": null, \"marks\": [],\n"
        " \"totals\": {\"current_bytes\": 16, \"current_blocks\": 3, \"peak_bytes\": 32, \"peak_blocks\": 5, "
        "\"peak_error_bytes\": 0, \"allocated_bytes\": 48, \"allocations\": 7, \"frees\": 4, "
        "\"reallocations\": 0, \"temporary\": 0, \"threads\": 1, \"recorder_bytes\": %llu, "
        "\"truncated_stacks\": 1, \"missed_events\": 5},\n"
        " \"selected\": {\"sites\": 2, \"current_bytes\": 16, \"current_blocks\": 3, \"peak_bytes\": 32, "
        "\"peak_blocks\": 5, \"allocated_bytes\": 48, \"allocations\": 7, \"frees\": 4, "
        "\"reallocations\": 0, \"temporary\": 0},\n"
        " \"sites\": [\n"
        "  {\"current_bytes\": 16, \"current_blocks\": 2, \"peak_bytes\": 32, \"peak_blocks\": 4, "
        "\"allocated_bytes\": 48, \"allocations\": 6, \"frees\": 4, \"reallocations\": 0, \"temporary\": 0, "
        "\"domain\": \"heap\", \"truncated\": false,\n"
        "   \"frames\": [{\"function\": null, \"file\": null, \"line\": null, "
        "\"module\": \"/nonexistent/\\\"odd\\\"\\u000a\", \"address\": \"0x1234\", \"inlined\": false}]},\n"
        "  {\"current_bytes\": 0, \"current_blocks\": 1, \"peak_bytes\": 0, \"peak_blocks\": 1, "
        "\"allocated_bytes\": 0, \"allocations\": 1, \"frees\": 0, \"reallocations\": 0, \"temporary\": 0, "
        "\"domain\": \"heap\", \"truncated\": true,\n"
        "   \"frames\": [{\"function\": \"[overflow]\", \"file\": null, \"line\": null, \"module\": null, "
        "\"address\": null, \"inlined\": false}]}]}\n",
        (unsigned long long)writer.header.used);
    assert_string_equal(text, expected);
    free(text);
}

static void limit_and_groups(void **state)
{
    (void)state;
    static struct trace_writer writer;
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/nonexistent/a");
    writer_simple_site(&writer, writer_frame(&writer, module, 1), 2, 8);
    writer_simple_site(&writer, writer_frame(&writer, module, 2), 2, 8);
    char *text = report_of(&writer, BY_SITE, 1);
    assert_non_null(strstr(text, "\"sites_total\": 2"));
    assert_non_null(strstr(text, "\"0x1\""));
    assert_null(strstr(text, "\"0x2\""));
    free(text);
    text = report_of(&writer, BY_MODULE, 0);
    assert_non_null(strstr(text, "\"sites_total\": 1"));
    assert_non_null(strstr(text, "\"module\": \"/nonexistent/a\", \"address\": null"));
    free(text);
}

static void nothing_recorded(void **state)
{
    (void)state;
    static struct trace_writer writer;
    writer_start(&writer);
    char *text = report_of(&writer, BY_SITE, 0);
    assert_non_null(strstr(text, "\"sites\": []}\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(contract),
        cmocka_unit_test(limit_and_groups),
        cmocka_unit_test(nothing_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
