// SPDX-License-Identifier: MIT
/* The latest figures and the snapshots of a trace, one after another; and which are left out of many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/moments.h"
#include "trace_writer.h"

static struct trace_writer writer;
static struct trace trace;

static int make(void **state)
{
    (void)state;
    char path[] = "/tmp/test_moments.XXXXXX";
    struct failure why;
    writer_start(&writer);
    writer_simple_site(&writer, writer_frame(&writer, writer_module(&writer, "/x"), 0x10), 100, 1);
    for (uint64_t i = 0; i < WRITER_SNAPSHOTS; i++) {
        writer_snapshot(&writer, "");
        writer.snapshot_sites[i][1] =
            (struct trace_snapshot_site){.allocations = i + 1, .allocated_bytes = i + 1};
    }
    int fd = mkstemp(path);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    close(fd);
    unlink(path);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    trace_free(&trace);
    return 0;
}

static void each_can_be_gone_to(void **state)
{
    (void)state;
    struct failure why;
    size_t count;
    struct moment *moments = moments_of(&trace, NULL, 100, NULL, 0, &count);
    assert_int_equal(count, 1 + WRITER_SNAPSHOTS);
    assert_null(moment_snapshot(&moments[0]));
    assert_int_equal(moment_number(&moments[0]), 0);
    for (size_t i = count; i-- > 0;) {
        assert_true(moment_go_to(&moments[i], &why));
        assert_int_equal(moment_of(&trace), moments[i].snapshot);
        assert_int_equal(trace.totals.current_bytes, i ? i : 100);
        assert_int_equal(moment_number(&moments[i]), i);
    }
    free(moments);
}

static void of_many_some_are_left_out(void **state)
{
    (void)state;
    size_t count;
    struct moment *moments = moments_of(&trace, NULL, 2, NULL, 0, &count);
    assert_int_equal(count, 1 + 2);
    assert_int_equal(moment_number(&moments[2]), WRITER_SNAPSHOTS);
    free(moments);
    moments = moments_of(&trace, NULL, 1, (uint64_t[]){2, 0}, 2, &count);
    assert_int_equal(count, 1 + 2);
    assert_int_equal(moment_number(&moments[1]), 2);
    free(moments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_can_be_gone_to),
        cmocka_unit_test(of_many_some_are_left_out),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
