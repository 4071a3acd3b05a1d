// SPDX-License-Identifier: MIT
/* Sites as rows: ranked, added up by what their frames have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/rows.h"
#include "trace_writer.h"

static struct trace_writer writer;
static struct trace trace;
static struct symbols *symbols;

static void load(void)
{
    char path[] = "/tmp/test_rows.XXXXXX";
    struct failure why;
    int fd = mkstemp(path);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    close(fd);
    unlink(path);
    symbols = symbols_open(&trace);
}

/* Modules that are no files: what is known of their frames is the module. */
static int make(void **state)
{
    (void)state;
    writer_start(&writer);
    uint32_t a = writer_module(&writer, "/nonexistent/a.so"), b = writer_module(&writer, "/nonexistent/b.so");
    uint32_t recorder = writer_module(&writer, "/opt/lib/libtrace.so");
    writer_simple_site(&writer, writer_frame(&writer, a, 0x100), 1, 10);
    writer_simple_site(&writer, writer_frame(&writer, b, 0x200), 100, 1);
    writer_simple_site(&writer, writer_frame(&writer, a, 0x300), 5, 10);
    uint32_t outer = writer_node(&writer, TRACE_NODE_ROOT, writer_frame(&writer, b, 0x400));
    uint32_t hook = writer_node(&writer, outer, writer_frame(&writer, recorder, 0x500));
    uint32_t site = writer_site(&writer, hook);
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = 1000, .frees = 1000, .temporary = 900};
    writer_site(&writer, TRACE_NODE_OVERFLOW); /* never counted anything */
    load();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

static struct scope scope;

static void make_rows(struct rows *rows, const struct view *view)
{
    scope_open(&scope, view, &trace, symbols);
    rows_make(rows, &scope);
}

static void free_rows(struct rows *rows)
{
    rows_free(rows);
    scope_close(&scope);
}

static void sites_are_ranked(void **state)
{
    (void)state;
    static const struct {
        enum metric metric;
        uint32_t first, last;
    } cases[] = {
        {METRIC_PEAK, 2, 4},        {METRIC_CURRENT, 2, 4},   {METRIC_ALLOCATED, 2, 4},
        {METRIC_ALLOCATIONS, 4, 1}, {METRIC_TEMPORARY, 4, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rows rows;
        struct view view = {.metric = cases[i].metric};
        make_rows(&rows, &view);
        assert_int_equal(rows.count, 4);
        assert_int_equal(rows.all[0].site, cases[i].first);
        assert_int_equal(rows.all[3].site, cases[i].last);
        free_rows(&rows);
    }
}

static void groups_add_up(void **state)
{
    (void)state;
    static const enum grouping groupings[] = {BY_LINE, BY_FUNCTION, BY_FILE, BY_MODULE};
    for (size_t i = 0; i < sizeof(groupings) / sizeof(groupings[0]); i++) {
        struct rows rows;
        struct figures sum = {0};
        struct view view = {.by = groupings[i]};
        make_rows(&rows, &view);
        assert_int_equal(rows.count, 2);
        assert_string_equal(rows.all[0].frame->module, "/nonexistent/b.so");
        assert_null(rows.all[0].frame->function);
        assert_int_equal(rows.all[0].figures->allocations, 300 + 1000);
        assert_int_equal(rows.all[1].figures->current_bytes, 10 + 50);
        for (size_t row = 0; row < rows.count; row++)
            figures_add(&sum, rows.all[row].figures);
        assert_memory_equal(&sum, &trace.totals, sizeof(sum));
        free_rows(&rows);
    }
}

static void stacks(void **state)
{
    (void)state;
    struct stack stack = {0};
    stack_of_site(&stack, &trace, symbols, 1);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.frames[0].address, 0x100);
    assert_false(stack.frames[0].inlined);
    stack_of_site(&stack, &trace, symbols, 4); /* without the recorder's frame */
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.frames[0].address, 0x400);
    stack_of_site(&stack, &trace, symbols, 5);
    assert_int_equal(stack.count, 1);
    assert_string_equal(stack.frames[0].function, "[overflow]");
    assert_true(stack.truncated);
    stack_free(&stack);
}

static void module_states(void **state)
{
    (void)state;
    symbols_resolve(symbols, 1);
    assert_int_equal(symbols_state(symbols, 1), MODULE_GONE);
    assert_int_equal(symbols_state_of_path(symbols, "/nonexistent/a.so"), MODULE_GONE);
    assert_int_equal(symbols_state_of_path(symbols, "/other"), MODULE_UNTOUCHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_are_ranked),
        cmocka_unit_test(groups_add_up),
        cmocka_unit_test(stacks),
        cmocka_unit_test(module_states),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
