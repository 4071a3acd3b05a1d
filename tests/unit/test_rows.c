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
#include "stacks_writer.h"

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

/* The rows of a view of these stacks by module, "name bytes", ranked. */
static void assert_rows(const struct view *view, const char *expected)
{
    static const char *const written[] = {
        "main run put",         /* 1 */
        "main !run put",        /* 10: called from elsewhere in main */
        "main run run put run", /* 100: recursion */
        "thread put",           /* 1000 */
    };
    struct trace other;
    struct rows rows;
    char listed[256] = "";
    stacks_write(&other, written, 4);
    struct symbols *names = symbols_open(&other);
    scope_open(&scope, view, &other, names);
    rows_make(&rows, &scope);
    for (size_t i = 0; i < rows.count; i++)
        sprintf(listed + strlen(listed), "%s%s %lu", i ? ", " : "",
                rows.all[i].frame ? rows.all[i].frame->module + strlen("/m/") : "site",
                (unsigned long)rows.all[i].figures->peak_bytes);
    assert_string_equal(listed, expected);
    free_rows(&rows);
    symbols_close(names);
    trace_free(&other);
}

static void recursion_counts_once(void **state)
{
    (void)state;
    struct view view = {.by = BY_MODULE, .cumulative = true};
    assert_rows(&view, "put 1111, thread 1000, main 111, run 111");
    view.cumulative = false;
    assert_rows(&view, "put 1011, run 100");
}

static void small_rows_are_left_out(void **state)
{
    (void)state;
    struct view view = {.by = BY_MODULE, .cumulative = true, .min_bytes = 112};
    assert_rows(&view, "put 1111, thread 1000");
}

/* Once main is cut off or hidden, two stacks are one; calls of run at two places remain two. */
static void what_looks_the_same_is_one(void **state)
{
    (void)state;
    struct failure why;
    struct view view = {0};
    assert_rows(&view, "site 1000, site 100, site 10, site 1");
    assert_true(patterns_add(&view.hide, "main", PATTERN_ANY, &why));
    assert_rows(&view, "site 1000, site 100, site 10, site 1");
    assert_true(patterns_add(&view.hide, "run", PATTERN_ANY, &why));
    assert_rows(&view, "site 1000, site 111");
    view_free(&view);
    assert_true(patterns_add(&view.from, "put", PATTERN_ANY, &why));
    assert_rows(&view, "site 1011, site 100");
    assert_true(patterns_add(&view.exclude, "run", PATTERN_ANY, &why));
    assert_rows(&view, "site 1011");
    view_free(&view);
}

/* A stack that is known to its end is not the same as one that is not. */
static void truncated_stacks_are_others(void **state)
{
    (void)state;
    static struct trace_writer two;
    struct failure why;
    struct trace other;
    struct rows rows;
    struct view view = {0};
    char path[] = "/tmp/test_rows.XXXXXX";
    assert_true(patterns_add(&view.hide, "nothing", PATTERN_ANY, &why));
    writer_start(&two);
    uint32_t frame = writer_frame(&two, writer_module(&two, "/nonexistent/a"), 1);
    writer_simple_site(&two, frame, 1, 1);
    writer_simple_site(&two, frame, 1, 1);
    uint32_t cut = writer_site(&two, writer_node(&two, TRACE_NODE_TRUNCATED, frame));
    writer_counter(&two, 0, cut)->allocations = 1;
    int fd = mkstemp(path);
    writer_save(&two, path);
    assert_true(trace_read(&other, path, &why));
    close(fd);
    unlink(path);
    struct symbols *names = symbols_open(&other);
    scope_open(&scope, &view, &other, names);
    rows_make(&rows, &scope);
    assert_int_equal(rows.count, 2);
    free_rows(&rows);
    view_free(&view);
    symbols_close(names);
    trace_free(&other);
}

static void stacks(void **state)
{
    (void)state;
    const struct view view = {0};
    struct stack stack = {0};
    scope_open(&scope, &view, &trace, symbols);
    scope_copy(&scope, 1, &stack);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.frames[0].address, 0x100);
    assert_false(stack.frames[0].inlined);
    scope_copy(&scope, 4, &stack); /* without the recorder's frame */
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.frames[0].address, 0x400);
    scope_copy(&scope, 5, &stack);
    assert_int_equal(stack.count, 1);
    assert_string_equal(stack.frames[0].function, "[overflow]");
    assert_true(stack.truncated);
    scope_close(&scope);
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
        cmocka_unit_test(recursion_counts_once),
        cmocka_unit_test(small_rows_are_left_out),
        cmocka_unit_test(what_looks_the_same_is_one),
        cmocka_unit_test(truncated_stacks_are_others),
        cmocka_unit_test(stacks),
        cmocka_unit_test(module_states),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
