// SPDX-License-Identifier: MIT
/* A trace and a baseline that are checked, and who is at fault where a limit is exceeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/fault.h"
#include "trace_writer.h"

static struct trace_writer writer[SIDES];
static struct trace trace[SIDES];
static struct suppressions suppressions;
static struct checked checked;

static const struct view view = {.metric = METRIC_CURRENT};

/* A site of one frame in a module that is no file, with so many live blocks. */
static void add_site(enum side side, uint32_t module, uint64_t offset, uint64_t blocks, uint64_t bytes)
{
    uint32_t frame = writer_frame(&writer[side], module, offset);
    uint32_t site = writer_site(&writer[side], writer_node(&writer[side], TRACE_NODE_ROOT, frame));
    *writer_counter(&writer[side], 0, site) =
        (struct trace_counter){.allocations = blocks, .allocated_bytes = bytes};
}

static void load(enum side side)
{
    char path[] = "/tmp/test_fault.XXXXXX";
    struct failure why;
    close(mkstemp(path));
    writer_save(&writer[side], path);
    assert_true(trace_read(&trace[side], path, &why));
    unlink(path);
}

static void suppress(const char *line)
{
    char path[] = "/tmp/test_fault.XXXXXX";
    struct failure why;
    int fd = mkstemp(path);
    assert_true(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
    close(fd);
    suppressions_start(&suppressions, false);
    assert_true(suppressions_read(&suppressions, path, &why));
    unlink(path);
}

/* In both traces what is of "held" is suppressed. */
static int make(void **state)
{
    (void)state;
    for (enum side side = OLD; side < SIDES; side++) {
        writer_start(&writer[side]);
        uint32_t program = writer_module(&writer[side], "/nonexistent/program");
        uint32_t held = writer_module(&writer[side], "/nonexistent/held");
        add_site(side, program, 0x10, 1, 100);
        add_site(side, program, 0x20, 2, side == OLD ? 200 : 190);
        add_site(side, program, 0x30, 3, side == OLD ? 300 : 350);
        if (side == NEW)
            add_site(side, program, 0x40, 1, 0);
        add_site(side, held, 0x50, 4, side == OLD ? 1000 : 5000);
        load(side);
    }
    suppress("leak:held\n");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    checked_close(&checked);
    for (enum side side = OLD; side < SIDES; side++)
        trace_free(&trace[side]);
    suppressions_free(&suppressions);
    return 0;
}

static void open_with(const struct trace *baseline, const struct suppressions *of)
{
    checked_open(&checked, &view, of, (const struct trace *const[SIDES]){baseline, &trace[NEW]});
}

static void what_leaked_is_without_what_is_suppressed(void **state)
{
    (void)state;
    open_with(&trace[OLD], &suppressions);
    assert_int_equal(checked.side[OLD].amounts.of[LIMITED_LEAKED], 600);
    assert_int_equal(checked.side[OLD].amounts.of[LIMITED_CURRENT], 1600);
    assert_int_equal(checked.side[NEW].amounts.of[LIMITED_LEAKED], 640);
    assert_int_equal(checked.side[NEW].amounts.of[LIMITED_CURRENT], 5640);
    assert_int_equal(checked.side[NEW].amounts.leaked_blocks, 7);
}

static void leaks_can_be_left_out(void **state)
{
    (void)state;
    open_with(NULL, NULL);
    assert_null(checked.side[OLD].trace);
    assert_int_equal(checked.side[NEW].amounts.of[LIMITED_LEAKED], 0);
    assert_int_equal(checked.side[NEW].amounts.of[LIMITED_ALLOCATED], 5640);
}

static void the_largest_are_at_fault(void **state)
{
    (void)state;
    struct fault fault;
    open_with(NULL, NULL);
    fault_find(&fault, &(struct limit){.what = LIMITED_ALLOCATED}, &checked);
    assert_int_equal(fault.rows.count, 5);
    assert_int_equal(fault.rows.all[0].figures->allocated_bytes, 5000);
    assert_int_equal(fault.rows.all[1].figures->allocated_bytes, 350);
    fault_free(&fault);
    fault_find(&fault, &(struct limit){.what = LIMITED_TEMPORARY}, &checked);
    assert_int_equal(fault.rows.count, 0);
    fault_free(&fault);
}

static void what_leaked_is_at_fault_be_it_of_no_bytes(void **state)
{
    (void)state;
    struct fault fault;
    open_with(NULL, &suppressions);
    fault_find(&fault, &(struct limit){.what = LIMITED_LEAKED}, &checked);
    assert_int_equal(fault.rows.count, 4);
    assert_int_equal(fault.rows.all[0].figures->current_bytes, 350);
    assert_int_equal(fault.rows.all[3].figures->current_bytes, 0);
    assert_int_equal(fault.rows.all[3].figures->current_blocks, 1);
    assert_int_equal(fault.trace[NEW]->totals.current_bytes, 640);
    assert_int_equal(fault.trace[NEW]->totals.current_blocks, 7);
    assert_int_equal(trace[NEW].totals.current_bytes, 5640);
    fault_free(&fault);
}

static void what_grew_is_at_fault(void **state)
{
    (void)state;
    struct fault fault;
    open_with(&trace[OLD], &suppressions);
    fault_find(&fault, &(struct limit){.what = LIMITED_ALLOCATED, .relative = true}, &checked);
    assert_int_equal(fault.difference.count, 2);
    assert_int_equal(fault.difference.all[0].figures[NEW].allocated_bytes, 5000);
    assert_int_equal(fault.difference.all[1].figures[NEW].allocated_bytes, 350);
    fault_free(&fault);
    fault_find(&fault, &(struct limit){.what = LIMITED_LEAKED, .relative = true}, &checked);
    assert_int_equal(fault.difference.count, 1);
    assert_int_equal(fault.difference.all[0].figures[NEW].current_bytes, 350);
    assert_int_equal(fault.difference.kinds[CHANGE_SHRUNK], 1);
    fault_free(&fault);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_leaked_is_without_what_is_suppressed, make, drop),
        cmocka_unit_test_setup_teardown(leaks_can_be_left_out, make, drop),
        cmocka_unit_test_setup_teardown(the_largest_are_at_fault, make, drop),
        cmocka_unit_test_setup_teardown(what_leaked_is_at_fault_be_it_of_no_bytes, make, drop),
        cmocka_unit_test_setup_teardown(what_grew_is_at_fault, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
