// SPDX-License-Identifier: MIT
/* Several traces added up, and their processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/merge.h"
#include "model/processes.h"
#include "trace_writer.h"

static struct trace_writer writer;
static struct processes processes;

static char folder[] = "/tmp/test_merge.XXXXXX";

/* Adds what the writer has to the sum and to the processes. */
static void add(struct merge *merge)
{
    char path[sizeof(folder) + 16];
    struct failure why;
    struct trace trace;
    snprintf(path, sizeof(path), "%s/%zu", folder, processes.count);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    assert_true(processes_add(&processes, path, &trace));
    assert_false(processes_add(&processes, "again", &trace));
    merge_add(merge, &trace);
    trace_free(&trace);
}

static uint32_t module_with_id(const char *path, uint8_t id)
{
    uint32_t number = writer_module(&writer, path);
    writer.modules[number].build_id_size = 20;
    writer.modules[number].build_id[0] = id;
    return number;
}

static void add_site(uint32_t outer, uint32_t inner, uint64_t live, uint64_t size)
{
    uint32_t node = writer_node(&writer, TRACE_NODE_ROOT, outer);
    uint32_t site = writer_site(&writer, writer_node(&writer, node, inner));
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = live, .allocated_bytes = live * size, .temporary = 1};
}

static void assert_site(const struct trace *sum, uint64_t bytes, uint64_t blocks)
{
    for (uint32_t i = 1; i < sum->header.site_count; i++)
        if (sum->sites[i].figures.current_bytes == bytes && sum->sites[i].figures.current_blocks == blocks)
            return;
    fail_msg("no site with %lu bytes", (unsigned long)bytes);
}

/* The same code at other numbers, in files of other names. */
static void same_code_is_one_site(void **state)
{
    (void)state;
    struct merge *merge = merge_start();
    struct trace sum;
    writer_start(&writer);
    uint32_t a = module_with_id("/bin/a", 1), b = module_with_id("/lib/b", 2);
    add_site(writer_frame(&writer, a, 0x10), writer_frame(&writer, b, 0x20), 3, 100);
    add(merge);
    writer_start(&writer);
    b = module_with_id("/elsewhere/b", 2);
    module_with_id("/lib/unused", 9);
    a = module_with_id("/bin/a", 1);
    uint32_t inner = writer_frame(&writer, b, 0x20), other = writer_frame(&writer, b, 0x24);
    uint32_t outer = writer_frame(&writer, a, 0x10);
    add_site(outer, other, 5, 1);
    add_site(outer, inner, 4, 100);
    add_site(inner, outer, 6, 1);
    add(merge);
    merge_finish(merge, &sum);
    assert_int_equal(sum.header.module_count, 1 + 2);
    assert_int_equal(sum.header.frame_count, 1 + 3);
    assert_int_equal(sum.header.site_count, 1 + 3);
    assert_site(&sum, 700, 7);
    assert_site(&sum, 5, 5);
    assert_site(&sum, 6, 6);
    assert_int_equal(sum.totals.current_bytes, 711);
    assert_int_equal(sum.totals.peak_bytes, 711);
    assert_int_equal(sum.totals.temporary, 4);
    assert_string_equal(sum.module_paths[1], "/bin/a");
    trace_free(&sum);
}

/* Without a build-id it is the file that counts. */
static void other_builds_are_other_sites(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint64_t size, mtime;
        uint8_t id;
    } files[] = {{"/bin/a", 100, 1, 0}, {"/bin/a", 100, 1, 0}, {"/bin/a", 100, 2, 0},
                 {"/bin/a", 101, 1, 0}, {"/bin/b", 100, 1, 0}, {"/bin/a", 100, 1, 7}};
    struct merge *merge = merge_start();
    struct trace sum;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        writer_start(&writer);
        uint32_t module =
            files[i].id ? module_with_id(files[i].path, files[i].id) : writer_module(&writer, files[i].path);
        writer.modules[module].file_size = files[i].size;
        writer.modules[module].file_mtime_ns = files[i].mtime;
        writer_simple_site(&writer, writer_frame(&writer, module, 0x10), 1, 10);
        add(merge);
    }
    merge_finish(merge, &sum);
    assert_int_equal(sum.header.module_count, 1 + 5);
    assert_int_equal(sum.header.site_count, 1 + 5);
    assert_site(&sum, 20, 2);
    trace_free(&sum);
}

static void truncated_is_not_whole(void **state)
{
    (void)state;
    struct merge *merge = merge_start();
    struct trace sum;
    for (int i = 0; i < 2; i++) {
        writer_start(&writer);
        uint32_t frame = writer_frame(&writer, module_with_id("/bin/a", 1), 0x10);
        uint32_t root = i ? TRACE_NODE_ROOT : TRACE_NODE_TRUNCATED;
        uint32_t site = writer_site(&writer, writer_node(&writer, root, frame));
        *writer_counter(&writer, 0, site) = (struct trace_counter){.allocations = 1, .allocated_bytes = 10};
        writer_simple_site(&writer, 1, 0, 0);
        writer_site(&writer, TRACE_NODE_OVERFLOW);
        add(merge);
    }
    merge_finish(merge, &sum);
    assert_int_equal(sum.header.site_count, 1 + 2); /* what never counted anything is left out */
    assert_int_not_equal(sum.sites[1].truncated, sum.sites[2].truncated);
    assert_int_equal(sum.truncated_allocations, 1);
    trace_free(&sum);
}

static void heads_are_added(void **state)
{
    (void)state;
    struct merge *merge = merge_start();
    struct trace sum;
    writer_start(&writer);
    writer.header.flags = TRACE_FORKED;
    writer.header.missed_events = 3;
    writer.header.threads = 2;
    uint64_t started = writer.header.started_realtime_ns;
    add(merge);
    writer_start(&writer);
    writer.header.flags = TRACE_DISK_FULL;
    writer.header.missed_events = 4;
    writer.header.started_realtime_ns -= 5;
    add(merge);
    merge_finish(merge, &sum);
    assert_int_equal(sum.header.flags, TRACE_FORKED | TRACE_DISK_FULL);
    assert_int_equal(sum.header.missed_events, 7);
    assert_int_equal(sum.header.threads, 3);
    assert_int_equal(sum.header.started_realtime_ns, started - 5);
    assert_string_equal(sum.cwd, "/home/user");
    assert_null(sum.exe);
    assert_int_equal(sum.command_count, 0);
    trace_free(&sum);
    merge = merge_start();
    writer_start(&writer);
    add(merge);
    writer.header.cwd = 0;
    add(merge);
    writer_start(&writer);
    add(merge);
    merge_finish(merge, &sum);
    assert_null(sum.cwd);
    trace_free(&sum);
}

static void none(void **state)
{
    (void)state;
    struct trace sum;
    merge_finish(merge_start(), &sum);
    assert_int_equal(sum.header.site_count, 1);
    assert_int_equal(sum.header.node_count, TRACE_NODE_FIRST);
    assert_int_equal(sum.totals.allocations, 0);
    trace_free(&sum);
    assert_int_equal(processes_together(&processes).end, PROCESS_ENDED);
}

static void add_process(struct merge *merge, int32_t pid, uint64_t seconds, uint64_t peak,
                        enum trace_state how)
{
    writer_start(&writer);
    writer.header.pid = pid;
    writer.header.started_realtime_ns = seconds * 1000000000;
    writer.header.state = how;
    writer_simple_site(&writer, writer_frame(&writer, module_with_id("/bin/a", 1), 0x10), 1, peak / 2);
    add(merge);
}

static void by_peak_then_start(void **state)
{
    (void)state;
    struct merge *merge = merge_start();
    struct trace sum;
    add_process(merge, 10, 104, 200, TRACE_EXITED); /* the second program of process 10 */
    add_process(merge, 10, 100, 100, TRACE_RUNNING);
    add_process(merge, 11, 103, 300, TRACE_RUNNING); /* killed */
    add_process(merge, 12, 102, 200, TRACE_KILLED);
    merge_finish(merge, &sum);
    trace_free(&sum);
    processes_sort(&processes);
    static const int32_t pids[] = {11, 12, 10, 10};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(processes.all[i].pid, pids[i]);
        assert_int_equal(processes.all[i].replaced, i == 3);
    }
    assert_string_equal(processes.all[0].command[1], "arg");
    struct process together = processes_together(&processes);
    assert_int_equal(together.end, PROCESS_ENDED);
    assert_int_equal(together.duration_ns, 5250000000);
}

static int drop(void **state)
{
    (void)state;
    for (size_t i = 0; i < processes.count; i++)
        unlink(processes.all[i].file);
    processes_free(&processes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(same_code_is_one_site, drop),
        cmocka_unit_test_teardown(other_builds_are_other_sites, drop),
        cmocka_unit_test_teardown(truncated_is_not_whole, drop),
        cmocka_unit_test_teardown(heads_are_added, drop),
        cmocka_unit_test_teardown(none, drop),
        cmocka_unit_test_teardown(by_peak_then_start, drop),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
