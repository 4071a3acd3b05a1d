// SPDX-License-Identifier: MIT
/* Views laid over stacks: cut, folded, filtered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/scope.h"
#include "stacks_writer.h"

static const char *const written[] = {
    "main run put",        /* 1 */
    "main run put strdup", /* 10 */
    "main load run load",  /* 100 */
    "thread put",          /* 1000 */
};

static struct trace trace;
static struct symbols *symbols;
static struct view view;
static struct scope scope;

static int setup(void **state)
{
    (void)state;
    stacks_write(&trace, written, sizeof(written) / sizeof(written[0]));
    symbols = symbols_open(&trace);
    view = (struct view){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scope_close(&scope);
    view_free(&view);
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

static void add(struct patterns *patterns, const char *text)
{
    struct failure why;
    assert_true(patterns_add(patterns, text, PATTERN_ANY, &why));
}

static void lay(void)
{
    scope_open(&scope, &view, &trace, symbols);
}

/* The sum of what is in says which sites are. */
static uint64_t selected(void)
{
    struct selection selection = scope_select(&scope);
    assert_int_equal(selection.of, 4);
    return selection.figures.peak_bytes;
}

static void assert_stack(uint32_t site, const char *expected)
{
    char seen[256] = "";
    struct scope_stack stack = scope_stack(&scope, site);
    for (size_t i = stack.count; i-- > 0;) {
        const struct source_frame *frame = &stack.frames[i]->source;
        strcat(seen, frame->module ? frame->module + strlen("/m/") : frame->function);
        strcat(seen, i ? " " : "");
    }
    assert_string_equal(seen, expected);
}

static void everything(void **state)
{
    (void)state;
    lay();
    assert_int_equal(selected(), 1111);
    for (uint32_t i = 1; i <= 4; i++)
        assert_stack(i, written[i - 1]);
}

static void filters_look_at_the_origin(void **state)
{
    (void)state;
    add(&view.filter, "put");
    lay();
    assert_int_equal(selected(), 1001);
    assert_true(scope_has(&scope, 1));
    assert_false(scope_has(&scope, 2));
}

static void filters_look_at_all_frames(void **state)
{
    (void)state;
    add(&view.filter, "put");
    view.all_frames = true;
    lay();
    assert_int_equal(selected(), 1011);
}

static void any_includes_and_any_excludes(void **state)
{
    (void)state;
    add(&view.filter, "strdup");
    add(&view.filter, "main");
    add(&view.filter, "thread");
    add(&view.exclude, "load");
    add(&view.exclude, "nothing");
    view.all_frames = true;
    lay();
    assert_int_equal(selected(), 1011);
}

static void exclude_alone(void **state)
{
    (void)state;
    add(&view.exclude, "put");
    lay();
    assert_int_equal(selected(), 110);
}

static void below(void **state)
{
    (void)state;
    add(&view.from, "load");
    lay();
    assert_int_equal(selected(), 100);
    assert_stack(3, "load run load"); /* the outermost */
}

static void hidden_frames_count_as_their_callers(void **state)
{
    (void)state;
    add(&view.hide, "strdup");
    add(&view.hide, "main");
    add(&view.filter, "put");
    lay();
    assert_int_equal(selected(), 1011);
    assert_stack(1, "run put");
    assert_stack(2, "run put");
    assert_string_equal(scope_origin(&scope, 2)->source.module, "/m/put");
}

static void cut_where_it_is_hidden(void **state)
{
    (void)state;
    add(&view.from, "run");
    add(&view.hide, "run");
    lay();
    assert_int_equal(selected(), 111);
    assert_stack(1, "put");
    assert_stack(3, "load");
}

static void nothing_is_left(void **state)
{
    (void)state;
    add(&view.hide, "*");
    lay();
    assert_int_equal(selected(), 1111);
    assert_stack(4, "[hidden]");
    add(&view.filter, "put");
    scope_close(&scope);
    lay();
    assert_int_equal(selected(), 0);
}

static void frames_are_the_same(void **state)
{
    (void)state;
    lay();
    const struct scope_frame *put = scope_origin(&scope, 1);
    assert_ptr_equal(scope_stack(&scope, 4).frames[0], put);
    assert_ptr_equal(scope_stack(&scope, 2).frames[1], put);
    assert_int_equal(scope_group(&scope, put), 1);
    assert_int_equal(scope_group(&scope, scope_origin(&scope, 2)), 2);
    assert_int_equal(scope_group(&scope, put), 1);
}

static void copies(void **state)
{
    (void)state;
    struct stack stack = {0};
    add(&view.from, "run");
    lay();
    scope_copy(&scope, 2, &stack);
    assert_int_equal(stack.count, 3);
    assert_int_equal(stack.origin, 0);
    assert_string_equal(stack.frames[2].module, "/m/run");
    scope_copy(&scope, 1, &stack);
    assert_int_equal(stack.count, 2);
    stack_free(&stack);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything),
        TEST(filters_look_at_the_origin),
        TEST(filters_look_at_all_frames),
        TEST(any_includes_and_any_excludes),
        TEST(exclude_alone),
        TEST(below),
        TEST(hidden_frames_count_as_their_callers),
        TEST(cut_where_it_is_hidden),
        TEST(nothing_is_left),
        TEST(frames_are_the_same),
        TEST(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
