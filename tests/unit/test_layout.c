// SPDX-License-Identifier: MIT
/* The layout of good and damaged files: what there is is found, what is wrong is noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/layout.h"
#include "trace_writer.h"

static char path[] = "/tmp/test_layout.XXXXXX";
static struct trace_writer writer;
static struct layout layout;
static unsigned char *image;
static size_t size;

enum { SECTIONS = 11 };        /* one of each kind, two of counters, none of a snapshot's sites */

/* A trace of three sites in two shards, and its bytes. */
static void make(void)
{
    free(image);
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/home/user/prog");
    for (uint32_t i = 1; i <= 3; i++)
        writer_simple_site(&writer, writer_frame(&writer, module, 0x1000 * i), i, 100);
    writer_counter(&writer, 1, 2)->frees = 1;
    writer_spill(&writer, 2, TRACE_SPILL_TEMPORARY);
    image = writer_image(&writer, &size);
}

static bool load(size_t bytes)
{
    struct failure why;
    writer_save_bytes(path, image, bytes);
    return layout_open(&layout, path, &why);
}

static struct trace_section *nth(size_t n)
{
    struct trace_section *section = (struct trace_section *)(image + sizeof(struct trace_header));
    while (n--)
        section = (struct trace_section *)((unsigned char *)section + section->size);
    return section;
}

static size_t count_of(uint32_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < layout.sections.count; i++)
        count += layout.sections.all[i].type == type;
    return count;
}

static void good(void **state)
{
    (void)state;
    make();
    assert_true(load(size));
    assert_int_equal(layout.problem_count, 0);
    assert_int_equal(layout.header_there, sizeof(struct trace_header));
    assert_int_equal(layout.sections.count, SECTIONS);
    assert_int_equal(count_of(TRACE_COUNTERS), 2);
    static const uint64_t used[] = {[TRACE_STRINGS] = 0, [TRACE_MODULES] = 1,  [TRACE_FRAMES] = 3,
                                    [TRACE_NODES] = 3,   [TRACE_SITES] = 3,    [TRACE_COUNTERS] = 3,
                                    [TRACE_INHERITED] = 3, [TRACE_SPILLS] = 1, [TRACE_TIMELINE] = 0,
                                    [TRACE_SNAPSHOTS] = 0};
    for (size_t i = 0; i < layout.sections.count; i++)
        assert_int_equal(layout_used(&layout, &layout.sections.all[i]), used[layout.sections.all[i].type]);
    layout_close(&layout);
}

static void strings(void **state)
{
    (void)state;
    make();
    assert_true(load(size));
    const struct section *section = &layout.sections.all[0];
    uint64_t at = layout_next_string(&layout, section, section->data);
    char *found = layout_string(&layout, at);
    assert_string_equal(found, "./prog");
    at = layout_next_string(&layout, section, at + strlen(found) + 1);
    free(found);
    found = layout_string(&layout, at);
    assert_string_equal(found, "arg");
    free(found);
    found = layout_string(&layout, writer.modules[1].path);
    assert_string_equal(found, "/home/user/prog");
    at = writer.modules[1].path + strlen(found) + 1;
    free(found);
    assert_int_equal(layout_next_string(&layout, section, at), 0);
    assert_null(layout_string(&layout, 0));
    assert_null(layout_string(&layout, layout.sections.all[1].data));
    assert_null(layout_string(&layout, UINT64_MAX));
    layout_close(&layout);
}

static void unknown_type(void **state)
{
    (void)state;
    make();
    nth(2)->type = 999;
    assert_true(load(size));
    assert_int_equal(layout.problem_count, 0);
    assert_int_equal(count_of(999), 1);
    assert_int_equal(layout_used(&layout, &layout.sections.all[2]), 0);
    layout_close(&layout);
}

static void a_damaged_section_hides_no_other(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 65, UINT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 63};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make();
        nth(3)->size = sizes[i];
        assert_true(load(size));
        assert_int_equal(layout.problem_count, 1);
        assert_int_equal(layout.sections.count, SECTIONS - 1);
        assert_int_equal(count_of(TRACE_NODES), 0);
        assert_int_equal(count_of(TRACE_SPILLS), 1);
        layout_close(&layout);
    }
}

static void impossible_records(void **state)
{
    (void)state;
    make();
    nth(2)->record_size = 3;
    assert_true(load(size));
    assert_int_equal(layout.problem_count, 1);
    assert_non_null(strstr(layout.problems[0].text, "frames of 3 bytes"));
    assert_int_equal(layout.sections.count, SECTIONS);
    layout_close(&layout);
}

static void impossible_header_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 63, 64, 321, UINT32_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make();
        ((struct trace_header *)image)->header_size = sizes[i];
        assert_true(load(size));
        assert_int_equal(layout.sections.count, SECTIONS);
        layout_close(&layout);
    }
}

static void used_is_lost(void **state)
{
    (void)state;
    make();
    ((struct trace_header *)image)->used = 0;
    assert_true(load(size));
    assert_int_equal(layout.sections.count, SECTIONS);
    layout_close(&layout);
}

static void cut_anywhere(void **state)
{
    (void)state;
    make();
    for (size_t cut = 8; cut < size; cut += cut < 400 ? 1 : 61) {
        assert_true(load(cut));
        for (size_t i = 0; i < layout.sections.count; i++) {
            struct section there = layout_present(&layout, &layout.sections.all[i]);
            assert_true(there.length == 0 || section_end(&there) <= cut);
            assert_true((uint64_t)there.capacity * there.record_size <= there.length);
        }
        layout_close(&layout);
    }
    make();
    assert_true(load(100));
    assert_int_equal(layout.header_there, 100);
    assert_int_equal(layout.header.pid, 4242);
    layout_close(&layout);
}

static void no_trace_at_all(void **state)
{
    (void)state;
    make();
    assert_false(load(0));
    image[0] = 'x';
    assert_false(load(size));
}

static void problems_are_kept_once(void **state)
{
    (void)state;
    make();
    assert_true(load(size));
    for (int i = 0; i < 3; i++)
        layout_note(&layout, "the same");
    assert_int_equal(layout.problem_count, 1);
    for (int i = 0; i < 2 * LAYOUT_PROBLEMS; i++)
        layout_note(&layout, "number %d", i);
    assert_int_equal(layout.problem_count, 2 * LAYOUT_PROBLEMS + 1);
    layout_close(&layout);
}

static int begin(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int end(void **state)
{
    (void)state;
    free(image);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(strings),
        cmocka_unit_test(unknown_type),
        cmocka_unit_test(a_damaged_section_hides_no_other),
        cmocka_unit_test(impossible_records),
        cmocka_unit_test(impossible_header_size),
        cmocka_unit_test(used_is_lost),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(no_trace_at_all),
        cmocka_unit_test(problems_are_kept_once),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
