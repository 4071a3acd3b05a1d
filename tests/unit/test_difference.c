// SPDX-License-Identifier: MIT
/* What changed between two traces: which of their stacks are the same, and what became of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/difference.h"
#include "trace_writer.h"

static struct trace_writer writer[SIDES];
static struct trace trace[SIDES];
static struct symbols *symbols[SIDES];
static struct translation *translation;
static struct difference difference;

static void start(void)
{
    for (enum side side = OLD; side < SIDES; side++)
        writer_start(&writer[side]);
}

/* A module that is no file; id: the first byte of its build-id, 0: it has none. */
static uint32_t add_module(enum side side, const char *path, uint8_t id)
{
    uint32_t module = writer_module(&writer[side], path);
    writer[side].modules[module].build_id_size = id ? 20 : 0;
    writer[side].modules[module].build_id[0] = id;
    return module;
}

static uint32_t add_node(enum side side, uint32_t parent, uint32_t module, uint64_t offset)
{
    return writer_node(&writer[side], parent, writer_frame(&writer[side], module, offset));
}

static uint32_t add_site(enum side side, uint32_t node, uint64_t blocks, uint64_t bytes)
{
    uint32_t site = writer_site(&writer[side], node);
    *writer_counter(&writer[side], 0, site) =
        (struct trace_counter){.allocations = blocks, .allocated_bytes = bytes};
    return site;
}

static void load(enum side side)
{
    char path[] = "/tmp/test_difference.XXXXXX";
    struct failure why;
    close(mkstemp(path));
    writer_save(&writer[side], path);
    assert_true(trace_read(&trace[side], path, &why));
    unlink(path);
    symbols[side] = symbols_open(&trace[side]);
}

static void compare(const struct view *view)
{
    load(OLD);
    load(NEW);
    translation = translation_start(&trace[OLD], symbols[OLD], &trace[NEW], symbols[NEW]);
    difference_make(&difference, view, (const struct trace *const[SIDES]){&trace[OLD], &trace[NEW]}, symbols,
                    translation);
}

static int forget(void **state)
{
    (void)state;
    difference_free(&difference);
    translation_end(translation);
    for (enum side side = OLD; side < SIDES; side++) {
        symbols_close(symbols[side]);
        trace_free(&trace[side]);
    }
    return 0;
}

static const struct view by_current = {.metric = METRIC_CURRENT};

static void assert_kinds(size_t same, size_t new, size_t gone, size_t grown, size_t shrunk)
{
    assert_int_equal(difference.kinds[CHANGE_NONE], same);
    assert_int_equal(difference.kinds[CHANGE_NEW], new);
    assert_int_equal(difference.kinds[CHANGE_GONE], gone);
    assert_int_equal(difference.kinds[CHANGE_GROWN], grown);
    assert_int_equal(difference.kinds[CHANGE_SHRUNK], shrunk);
}

/* Numbers of modules, frames, nodes and sites are different on the two sides. */
static void make_kinds(void)
{
    start();
    uint32_t a = add_module(OLD, "/1/prog", 7);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, a, 0x10), 1, 100);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, a, 0x20), 2, 200);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, a, 0x30), 3, 300);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, a, 0x40), 4, 400);
    add_module(NEW, "/other", 8);
    uint32_t b = add_module(NEW, "/2/renamed", 7);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, b, 0x50), 1, 150);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, b, 0x30), 1, 290);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, b, 0x20), 1, 1200);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, b, 0x10), 1, 100);
}

static void kinds_and_ranks(void **state)
{
    (void)state;
    static const struct {
        enum change_kind kind;
        uint64_t old, new;
        uint32_t old_site, new_site;
    } expected[] = {
        {CHANGE_GROWN, 200, 1200, 2, 3},
        {CHANGE_GONE, 400, 0, 4, 0},
        {CHANGE_NEW, 0, 150, 0, 1},
        {CHANGE_SHRUNK, 300, 290, 3, 2},
    };
    make_kinds();
    compare(&by_current);
    assert_kinds(1, 1, 1, 1, 1);
    assert_int_equal(difference.count, 4);
    assert_int_equal(difference.total, 5);
    assert_false(difference.equal);
    for (size_t i = 0; i < difference.count; i++) {
        const struct change *change = &difference.all[i];
        assert_int_equal(change->kind, expected[i].kind);
        assert_int_equal(change->figures[OLD].current_bytes, expected[i].old);
        assert_int_equal(change->figures[NEW].current_bytes, expected[i].new);
        assert_int_equal(change->site[OLD], expected[i].old_site);
        assert_int_equal(change->site[NEW], expected[i].new_site);
        assert_int_equal(change_side(change), expected[i].new_site ? NEW : OLD);
    }
    assert_int_equal(difference.selection[OLD].figures.current_bytes, 1000);
    assert_int_equal(difference.selection[NEW].figures.current_bytes, 1740);
}

static void small_changes(void **state)
{
    (void)state;
    static const struct view view = {.metric = METRIC_CURRENT, .min_bytes = 150, .min_blocks = 1};
    make_kinds();
    compare(&view);
    assert_kinds(1, 1, 1, 1, 1);
    assert_int_equal(difference.count, 3);
    assert_int_equal(difference.all[2].kind, CHANGE_NEW);
}

static void by_another_figure(void **state)
{
    (void)state;
    static const struct view view = {.metric = METRIC_TEMPORARY};
    make_kinds();
    compare(&view);
    assert_kinds(5, 0, 0, 0, 0);
    assert_int_equal(difference.count, 0);
    assert_false(difference.equal);
}

static void equal_traces(void **state)
{
    (void)state;
    start();
    for (enum side side = OLD; side < SIDES; side++)
        add_site(side, add_node(side, TRACE_NODE_ROOT, add_module(side, "/prog", 1), 0x10), 1, 10);
    compare(&by_current);
    assert_true(difference.equal);
    assert_kinds(1, 0, 0, 0, 0);
}

/* Of files without build-ids name and address decide, of programs the address, of code in no file nothing. */
static void modules_without_names(void **state)
{
    (void)state;
    start();
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, add_module(OLD, "/x/libone.so.1.2", 0), 0x10), 1, 10);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, add_module(OLD, "/x/libtwo.so.1", 1), 0x10), 1, 20);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, add_module(OLD, "/home/user/prog", 2), 0x10), 1, 30);
    add_site(OLD, add_node(OLD, TRACE_NODE_ROOT, 0, 0x7f0000001000), 1, 40);
    uint64_t exe = writer_string(&writer[NEW], "/home/user/prog2", sizeof("/home/user/prog2"));
    writer[NEW].header.exe = exe;
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, 0, 0x7f1111111000), 1, 41);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, add_module(NEW, "/home/user/prog2", 3), 0x10), 1, 31);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, add_module(NEW, "/y/libtwo.so.1", 4), 0x11), 1, 21);
    add_site(NEW, add_node(NEW, TRACE_NODE_ROOT, add_module(NEW, "/y/libone.so.1.3", 0), 0x10), 1, 11);
    compare(&by_current);
    assert_kinds(0, 1, 1, 3, 0);
    assert_int_equal(difference.all[0].kind, CHANGE_NEW);
    assert_int_equal(difference.all[1].kind, CHANGE_GONE);
    assert_int_equal(difference.all[1].figures[OLD].current_bytes, 20);
}

/* Not the recorder's own frames, but where a stack ends. */
static void ends_of_stacks(void **state)
{
    (void)state;
    start();
    for (enum side side = OLD; side < SIDES; side++) {
        uint32_t program = add_module(side, "/prog", 1);
        uint32_t node = add_node(side, TRACE_NODE_ROOT, program, 0x10);
        uint32_t hook = add_node(side, node, add_module(side, "/lib/libtrace.so", (uint8_t)(2 + side)), 0x20);
        uint32_t cut = add_node(side, TRACE_NODE_TRUNCATED, program, 0x10);
        if (side == OLD)
            add_site(side, node, 1, 10);
        add_site(side, hook, 1, 10);
        add_site(side, cut, 1, side == OLD ? 5 : 6);
        add_site(side, TRACE_NODE_OVERFLOW, 1, side == OLD ? 3 : 1);
    }
    compare(&by_current);
    assert_kinds(0, 0, 0, 1, 2);
    assert_int_equal(difference.all[0].figures[OLD].current_bytes, 20); /* two sites that look the same */
    assert_int_equal(difference.all[0].figures[NEW].current_bytes, 10);
    assert_int_equal(difference.all[1].figures[OLD].current_bytes, 3);
}

/* Callers make stacks different, too; groups do not mind. */
static void make_callers(void)
{
    start();
    for (enum side side = OLD; side < SIDES; side++) {
        uint32_t program = add_module(side, side == OLD ? "/1/prog" : "/2/prog", (uint8_t)(1 + side));
        uint32_t library = add_module(side, "/lib/lib.so", 9);
        uint32_t caller = add_node(side, TRACE_NODE_ROOT, program, side == OLD ? 0x10 : 0x14);
        add_site(side, add_node(side, caller, library, 0x30), 2, 100);
        add_site(side, caller, 1, side == OLD ? 7 : 9);
    }
}

static void callers(void **state)
{
    (void)state;
    make_callers();
    compare(&by_current);
    assert_kinds(0, 2, 2, 0, 0);
}

static void groups(void **state)
{
    (void)state;
    static const struct view view = {.metric = METRIC_CURRENT, .by = BY_MODULE, .min_bytes = 1};
    make_callers();
    compare(&view);
    assert_kinds(1, 0, 0, 1, 0);
    assert_int_equal(difference.count, 1);
    assert_string_equal(difference.all[0].frame->module, "/2/prog");
    assert_int_equal(difference.all[0].figures[OLD].current_bytes, 7);
    assert_int_equal(difference.all[0].figures[NEW].current_bytes, 9);
}

/* A group that is small on one side is not gone. */
static void groups_that_were_small(void **state)
{
    (void)state;
    static const struct view view = {.metric = METRIC_CURRENT, .by = BY_MODULE, .min_bytes = 50};
    start();
    for (enum side side = OLD; side < SIDES; side++)
        add_site(side, add_node(side, TRACE_NODE_ROOT, add_module(side, "/prog", 1), 0x10), 1,
                 side == OLD ? 7 : 100);
    compare(&view);
    assert_kinds(0, 0, 0, 1, 0);
    assert_int_equal(difference.all[0].figures[OLD].current_bytes, 7);
}

/* Of stacks that a view cuts only what is seen counts. */
static void hidden_callers(void **state)
{
    (void)state;
    struct view view = {.metric = METRIC_CURRENT};
    struct failure why;
    assert_true(patterns_add(&view.hide, "module=*prog", PATTERN_ANY, &why));
    make_callers();
    compare(&view);
    assert_kinds(1, 0, 0, 1, 0);
    assert_int_equal(difference.all[0].figures[NEW].current_bytes, 9);
    view_free(&view);
}

static void filtered(void **state)
{
    (void)state;
    struct view view = {.metric = METRIC_CURRENT};
    struct failure why;
    assert_true(patterns_add(&view.filter, "module=*lib.so", PATTERN_ANY, &why));
    make_callers();
    compare(&view);
    assert_kinds(0, 1, 1, 0, 0);
    assert_int_equal(difference.selection[OLD].figures.current_bytes, 100);
    view_free(&view);
}

static void nothing_at_all(void **state)
{
    (void)state;
    start();
    compare(&by_current);
    assert_int_equal(difference.total, 0);
    assert_true(difference.equal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kinds_and_ranks, forget),
        cmocka_unit_test_teardown(small_changes, forget),
        cmocka_unit_test_teardown(by_another_figure, forget),
        cmocka_unit_test_teardown(equal_traces, forget),
        cmocka_unit_test_teardown(modules_without_names, forget),
        cmocka_unit_test_teardown(ends_of_stacks, forget),
        cmocka_unit_test_teardown(callers, forget),
        cmocka_unit_test_teardown(groups, forget),
        cmocka_unit_test_teardown(groups_that_were_small, forget),
        cmocka_unit_test_teardown(hidden_callers, forget),
        cmocka_unit_test_teardown(filtered, forget),
        cmocka_unit_test_teardown(nothing_at_all, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
