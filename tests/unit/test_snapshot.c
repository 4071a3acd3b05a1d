// SPDX-License-Identifier: MIT
/* Points and snapshots as a reader finds them: whole, half moved, replaced, or made to do harm. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/trace.h"
#include "trace_writer.h"

static const char *const path = writer_path;
static struct trace_writer writer;
static struct trace trace;
static struct failure why;

/* Two sites of 10 and 20 live blocks of 100 bytes; a third one that came after the snapshots. */
static void make(void)
{
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/home/user/prog");
    for (uint32_t i = 1; i <= 2; i++)
        writer_simple_site(&writer, writer_frame(&writer, module, 0x1000 * i), 10 * i, 100);
    writer_spill(&writer, 1, TRACE_SPILL_TEMPORARY);
    writer.inherited[2] = (struct trace_inherited){5, 500};
    writer_snapshot(&writer, "first");
    writer.snapshot_sites[0][1] = (struct trace_snapshot_site){.allocations = 7,
                                                               .allocated_bytes = 700,
                                                               .frees = 3,
                                                               .freed_bytes = 300,
                                                               .peak_blocks = 6,
                                                               .peak_bytes = 600,
                                                               .reallocations = 2,
                                                               .temporary = 1};
    writer_spill(&writer, 1, TRACE_SPILL_TEMPORARY);
    writer_snapshot(&writer, "")->reason = TRACE_SNAPSHOT_INTERVAL;
    writer.snapshot_sites[1][1] = (struct trace_snapshot_site){.allocations = 8, .allocated_bytes = 800};
    writer_simple_site(&writer, writer_frame(&writer, module, 0x5000), 1, 1);
}

static void open_trace(void)
{
    writer_save(&writer, path);
    if (!trace_read(&trace, path, &why))
        fail_msg("%s", why.text);
}

static void assert_damaged(const char *what)
{
    writer_save(&writer, path);
    assert_false(trace_read(&trace, path, &why));
    assert_non_null(strstr(why.text, what));
}

/* --- points -------------------------------------------------------------------------------------------- */

static void points(void **state)
{
    (void)state;
    make();
    writer_point(&writer, 0, 10);
    writer_point(&writer, 2000, 30)->resident_bytes = 0;
    open_trace();
    assert_int_equal(trace.point_count, 2);
    assert_int_equal(trace.points[0].ns, 0);
    assert_int_equal(trace.points[0].current_bytes, 10);
    assert_int_equal(trace.points[0].blocks, 1);
    assert_int_equal(trace.points[0].resident_bytes, 1 << 20);
    assert_int_equal(trace.points[1].ns, 2000);
    assert_int_equal(trace.points[1].resident_bytes, 0);
    trace_free(&trace);
}

/* Killed while every other point was being left out: those that have moved up stand twice, one is half written. */
static void points_half_moved(void **state)
{
    (void)state;
    static const uint64_t times[] = {1, 3, 0, 4, 5, 6, 7, 3};
    make();
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        writer_point(&writer, times[i], 10 * times[i]);
    writer.points[2].ns = 0;
    writer.header.point_changes = 7;
    open_trace();
    static const uint64_t right[] = {1, 3, 4, 5, 6, 7};
    assert_int_equal(trace.point_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(trace.points[i].ns, right[i]);
        assert_int_equal(trace.points[i].current_bytes, 10 * right[i]);
    }
    trace_free(&trace);
}

static void points_beyond_the_count(void **state)
{
    (void)state;
    size_t size;
    uint32_t count = UINT32_MAX;
    make();
    writer_point(&writer, 5, 50);
    writer_point(&writer, 0, 0)->ns = 3; /* before the start: not there */
    unsigned char *image = writer_image(&writer, &size);
    memcpy(image + offsetof(struct trace_header, point_count), &count, sizeof(count));
    writer_save_bytes(path, image, size);
    free(image);
    assert_true(trace_read(&trace, path, &why));
    assert_int_equal(trace.point_count, 1);
    trace_free(&trace);
}

/* --- marks --------------------------------------------------------------------------------------------- */

static void marks(void **state)
{
    (void)state;
    make();
    writer_mark(&writer, 5, "one");
    writer_mark(&writer, 0, "")->ns = 3; /* before the start: not there */
    memset(writer_mark(&writer, 8, "")->label, 'x', sizeof(writer.marks[0].label));
    writer.header.mark_count = UINT32_MAX;
    open_trace();
    assert_int_equal(trace.mark_count, 2);
    assert_int_equal(trace.marks[0].ns, 5);
    assert_int_equal(trace.marks[0].current_bytes, 50);
    assert_int_equal(trace.marks[0].blocks, 5);
    assert_string_equal(trace.marks[0].label, "one");
    assert_int_equal(strlen(trace.marks[1].label), sizeof(writer.marks[0].label));
    trace_free(&trace);
}

/* --- snapshots ----------------------------------------------------------------------------------------- */

static void snapshots_are_listed(void **state)
{
    (void)state;
    make();
    writer.snapshots[1] = (struct trace_snapshot){.number = 9, .reason = 77, .flags = TRACE_SNAPSHOT_BLURRED};
    writer_snapshot(&writer, "dropped")->number = 0;
    *writer_snapshot(&writer, "oldest of all") = (struct trace_snapshot){
        .number = 1, .ns = 2, .reason = TRACE_SNAPSHOT_FAILED, .asked_bytes = 12, .label = "oldest"};
    writer.snapshots[0].number = 5;
    open_trace();
    assert_int_equal(trace.snapshot_count, 3);
    const struct snapshot *first = &trace.snapshots[0], *second = &trace.snapshots[1];
    assert_string_equal(first->label, "oldest");
    assert_int_equal(first->ns, 0);
    assert_int_equal(first->asked_bytes, 12);
    assert_string_equal(snapshot_reason(first), "out of memory");
    assert_string_equal(second->label, "first");
    assert_int_equal(second->ns, 1000000000);
    assert_false(second->blurred);
    assert_null(trace.snapshots[2].label);
    assert_true(trace.snapshots[2].blurred);
    assert_string_equal(snapshot_reason(&trace.snapshots[2]), "unknown");
    trace_free(&trace);
}

static void figures_at_a_snapshot(void **state)
{
    (void)state;
    make();
    open_trace();
    struct figures latest = trace.totals;
    assert_null(trace.at);
    assert_true(trace_at_snapshot(&trace, 0, &why));
    assert_ptr_equal(trace.at, &trace.snapshots[0]);
    const struct figures *a = &trace.sites[1].figures;
    assert_int_equal(a->current_blocks, 4);
    assert_int_equal(a->current_bytes, 400);
    assert_int_equal(a->peak_blocks, 6);
    assert_int_equal(a->peak_bytes, 600);
    assert_int_equal(a->allocations, 7);
    assert_int_equal(a->frees, 3);
    assert_int_equal(a->reallocations, 2);
    assert_true(a->temporary == (UINT64_C(1) << 32) + 1);
    assert_int_equal(trace.sites[2].figures.current_bytes, 500); /* inherited */
    assert_false(figures_any(&trace.sites[3].figures));
    assert_int_equal(trace.totals.current_bytes, 900);
    assert_int_equal(trace.totals.peak_bytes, 1100);

    assert_true(trace_at_snapshot(&trace, 1, &why));
    assert_true(trace.sites[1].figures.temporary == UINT64_C(2) << 32);
    assert_int_equal(trace.totals.peak_bytes, 1300); /* more than at the noted peak: it was then */

    assert_false(trace_at_snapshot(&trace, 2, &why));
    assert_ptr_equal(trace.at, &trace.snapshots[1]);
    assert_true(trace_at_latest(&trace, &why));
    assert_null(trace.at);
    assert_memory_equal(&trace.totals, &latest, sizeof(latest));
    trace_free(&trace);
}

/* However often: what is read is taken off the charge again. */
static void figures_again_and_again(void **state)
{
    (void)state;
    make();
    open_trace();
    for (int i = 0; i < 200000; i++)
        if (!trace_at_snapshot(&trace, (size_t)i % 2, &why))
            fail_msg("time %d: %s", i, why.text);
    trace_free(&trace);
}

static void write_at(off_t at, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

static void one_that_is_replaced_meanwhile(void **state)
{
    (void)state;
    uint64_t number = 3;
    make();
    open_trace();
    write_at((off_t)trace.snapshots[0].at, &number, sizeof(number));
    assert_false(trace_at_snapshot(&trace, 0, &why));
    assert_non_null(strstr(why.text, "has dropped that snapshot"));
    assert_null(trace.at);
    assert_int_equal(trace.totals.current_bytes, 3501);
    assert_true(trace_at_snapshot(&trace, 1, &why));
    trace_free(&trace);
}

static void a_file_that_is_cut_meanwhile(void **state)
{
    (void)state;
    make();
    open_trace();
    assert_int_equal(truncate(path, sizeof(struct trace_header)), 0);
    assert_false(trace_at_snapshot(&trace, 0, &why));
    assert_non_null(strstr(why.text, "cut short"));
    trace_free(&trace);
}

static void found_by_name(void **state)
{
    (void)state;
    size_t index = 99;
    make();
    writer_snapshot(&writer, "first");
    *writer_snapshot(&writer, "2") = (struct trace_snapshot){.number = 8, .label = "2"};
    open_trace();
    static const struct {
        const char *name;
        size_t index;
    } names[] = {{"first", 2}, {"1", 0}, {"3", 2}, {"2", 3}, {"8", 3}, {"-1", 3}, {"-4", 0}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(trace_find_snapshot(&trace, names[i].name, &index));
        assert_int_equal(index, names[i].index);
    }
    static const char *const nowhere[] = {"",   "second", "0",   "4",  "-5", "-0",
                                          "--1", "+1",     "1 ", " 1", "99999999999999999999", "fir"};
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        if (trace_find_snapshot(&trace, nowhere[i], &index))
            fail_msg("found '%s'", nowhere[i]);
    trace_free(&trace);
}

static void hostile_snapshots(void **state)
{
    (void)state;
    make();
    memset(writer.snapshots[0].label, 'x', sizeof(writer.snapshots[0].label));
    writer.snapshots[0].site_count = UINT32_MAX;
    writer.snapshots[0].spill_count = UINT32_MAX;
    writer.snapshots[1].site_count = 0;
    open_trace();
    assert_int_equal(strlen(trace.snapshots[0].label), 64);
    assert_true(trace_at_snapshot(&trace, 0, &why));
    assert_true(trace_at_snapshot(&trace, 1, &why));
    assert_int_equal(trace.totals.allocations, 0);
    trace_free(&trace);
    make();
    writer.snapshot_sites[0][1] = (struct trace_snapshot_site){.frees = 1, .freed_bytes = 1, .peak_bytes = -1};
    open_trace();
    assert_true(trace_at_snapshot(&trace, 0, &why));
    assert_int_equal(trace.sites[1].figures.current_bytes, 0);
    assert_int_equal(trace.sites[1].figures.peak_bytes, 0);
    trace_free(&trace);
}

/* A table of a billion snapshots, of which the disk has nothing. */
static void billion_snapshots_claimed(void **state)
{
    (void)state;
    size_t size;
    uint32_t count = 1000000000;
    make();
    unsigned char *image = writer_image(&writer, &size);
    struct trace_section section = {
        .type = TRACE_SNAPSHOTS, .record_size = sizeof(struct trace_snapshot), .capacity = count, .first = 4};
    section.size = sizeof(section) + (uint64_t)count * sizeof(struct trace_snapshot);
    section.size = (section.size + TRACE_ALIGN - 1) / TRACE_ALIGN * TRACE_ALIGN;
    uint64_t used = size + section.size;
    memcpy(image + offsetof(struct trace_header, used), &used, sizeof(used));
    memcpy(image + offsetof(struct trace_header, snapshot_count), &count, sizeof(count));
    writer_save_bytes(path, image, size);
    free(image);
    assert_int_equal(truncate(path, (off_t)used), 0);
    write_at((off_t)size, &section, sizeof(section));
    assert_false(trace_read(&trace, path, &why));
    assert_non_null(strstr(why.text, "more records than it can hold"));
}

static void places_that_overlap(void **state)
{
    (void)state;
    size_t size, at = sizeof(struct trace_header);
    struct trace_section section;
    make();
    unsigned char *image = writer_image(&writer, &size);
    for (;; at += section.size) {
        memcpy(&section, image + at, sizeof(section));
        if (section.type == TRACE_SNAPSHOT_SITES)
            break;
    }
    section.shard = 1;
    memcpy(image + at, &section, sizeof(section));
    writer_save_bytes(path, image, size);
    assert_false(trace_read(&trace, path, &why));
    assert_non_null(strstr(why.text, "the same sites of snapshots"));
    free(image);
    make();
    writer.header.point_changes = 1;
    writer.nodes[TRACE_NODE_FIRST].frame = 50;
    assert_damaged("no frame");
}

/* --- any bytes ----------------------------------------------------------------------------------------- */

static void every_bit_flipped(void **state)
{
    (void)state;
    size_t size;
    make();
    writer_point(&writer, 1, 10);
    writer_point(&writer, 2, 20);
    unsigned char *image = writer_image(&writer, &size);
    writer_save_bytes(path, image, size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        image[bit / 8] ^= (unsigned char)(1 << bit % 8);
        write_at((off_t)(bit / 8), &image[bit / 8], 1);
        if (trace_read(&trace, path, &why)) {
            for (size_t i = 0; i < trace.snapshot_count; i++)
                trace_at_snapshot(&trace, i, &why);
            trace_free(&trace);
        }
        image[bit / 8] ^= (unsigned char)(1 << bit % 8);
        write_at((off_t)(bit / 8), &image[bit / 8], 1);
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points),
        cmocka_unit_test(points_half_moved),
        cmocka_unit_test(points_beyond_the_count),
        cmocka_unit_test(marks),
        cmocka_unit_test(snapshots_are_listed),
        cmocka_unit_test(figures_at_a_snapshot),
        cmocka_unit_test(figures_again_and_again),
        cmocka_unit_test(one_that_is_replaced_meanwhile),
        cmocka_unit_test(a_file_that_is_cut_meanwhile),
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(hostile_snapshots),
        cmocka_unit_test(billion_snapshots_claimed),
        cmocka_unit_test(places_that_overlap),
        cmocka_unit_test(every_bit_flipped),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
