// SPDX-License-Identifier: MIT
/* The reader: right figures from a good file, a sentence and no crash from any other. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/ending.h"
#include "model/find.h"
#include "model/process.h"
#include "model/trace.h"
#include "trace_writer.h"

static const char *const path = writer_path;
static struct trace_writer writer;

/* Two call paths, of which the second is truncated; three sites in two shards. */
static void make(void)
{
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/home/user/prog");
    uint32_t outer = writer_frame(&writer, module, 0x1000), inner = writer_frame(&writer, module, 0x2000);
    uint32_t path_outer = writer_node(&writer, TRACE_NODE_ROOT, outer);
    uint32_t path_inner = writer_node(&writer, path_outer, inner);
    uint32_t a = writer_site(&writer, path_inner);
    uint32_t b = writer_site(&writer, writer_node(&writer, TRACE_NODE_TRUNCATED, inner));
    /* a: saved at the peak in shard 0, unchanged since in shard 1, where blocks of shard 0 were freed */
    *writer_counter(&writer, 0, a) = (struct trace_counter){.allocations = 10,
                                                            .allocated_bytes = 1000,
                                                            .frees = 1,
                                                            .freed_bytes = 100,
                                                            .epoch = 7,
                                                            .peak_blocks = 15,
                                                            .peak_bytes = 1500,
                                                            .reallocations = 3,
                                                            .temporary = 2};
    *writer_counter(&writer, 1, a) =
        (struct trace_counter){.frees = 4, .freed_bytes = 400, .epoch = 6, .peak_bytes = 9999};
    *writer_counter(&writer, 0, b) =
        (struct trace_counter){.allocations = 5, .allocated_bytes = 50, .epoch = 5};
    writer_spill(&writer, a, TRACE_SPILL_TEMPORARY);
    writer_spill(&writer, a, TRACE_SPILL_REALLOCATIONS);
    writer_spill(&writer, a, TRACE_SPILL_REALLOCATIONS);
    writer.inherited[b] = (struct trace_inherited){2, 20};
}

static bool read_bytes(struct trace *trace, const void *bytes, size_t size, struct failure *why)
{
    writer_save_bytes(path, bytes, size);
    return trace_read(trace, path, why);
}

static void assert_damaged(const char *what)
{
    struct trace trace;
    struct failure why;
    writer_save(&writer, path);
    if (trace_read(&trace, path, &why))
        fail_msg("read in spite of: %s", what);
    assert_non_null(strstr(why.text, what));
}

static void figures(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    make();
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    const struct figures *a = &trace.sites[1].figures, *b = &trace.sites[2].figures;
    assert_int_equal(a->allocations, 10);
    assert_int_equal(a->current_blocks, 5);
    assert_int_equal(a->current_bytes, 500);
    assert_int_equal(a->peak_blocks, 11);
    assert_int_equal(a->peak_bytes, 1100);
    assert_int_equal(a->frees, 5);
    assert_true(a->temporary == (UINT64_C(1) << 32) + 2);
    assert_true(a->reallocations == (UINT64_C(2) << 32) + 3);
    assert_false(trace.sites[1].truncated);
    assert_int_equal(b->current_blocks, 7);
    assert_int_equal(b->peak_bytes, 70);
    assert_true(trace.sites[2].truncated);
    assert_int_equal(trace.truncated_allocations, 5);
    assert_int_equal(trace.command_count, 2);
    assert_string_equal(trace.command[1], "arg");
    assert_string_equal(trace.cwd, "/home/user");
    assert_string_equal(trace.module_paths[1], "/home/user/prog");
    trace_free(&trace);
}

static void peak_is_never_below_current(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    make();
    writer_counter(&writer, 0, 1)->peak_bytes = 800;
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    /* 400 + 70 at the noted peak, 500 + 70 now: what threads had not published */
    assert_int_equal(trace.totals.current_bytes, 570);
    assert_int_equal(trace.totals.peak_bytes, 570);
    assert_int_equal(trace.sites[1].figures.peak_bytes, 500);
    trace_free(&trace);
}

static void torn_counters_are_not_negative(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    make();
    writer_counter(&writer, 1, 1)->frees = 1000;
    writer_counter(&writer, 1, 1)->freed_bytes = 100000;
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    assert_int_equal(trace.sites[1].figures.current_bytes, 0);
    assert_int_equal(trace.sites[1].figures.current_blocks, 0);
    trace_free(&trace);
}

/* The recorder keeps 64 KiB of a command: the last argument may be cut. */
static void command_that_was_cut(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    make();
    writer.header.command_size -= 2;
    writer_save(&writer, path);
    assert_false(trace_read(&trace, path, &why));
    make();
    writer.header.command_size -= 1;
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    assert_int_equal(trace.command_count, 2);
    assert_string_equal(trace.command[1], "arg");
    trace_free(&trace);
}

static void empty_trace(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    writer_start(&writer);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    assert_int_equal(trace.totals.allocations, 0);
    trace_free(&trace);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    size_t size;
    make();
    unsigned char *image = writer_image(&writer, &size);
    for (size_t cut = 0; cut < size; cut++) {
        why.text[0] = 0;
        assert_false(read_bytes(&trace, image, cut, &why));
        assert_int_not_equal(strlen(why.text), 0);
    }
    assert_true(read_bytes(&trace, image, size, &why));
    trace_free(&trace);
    free(image);
}

static void every_bit_flipped(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    size_t size;
    make();
    unsigned char *image = writer_image(&writer, &size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        image[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (read_bytes(&trace, image, size, &why)) {
            process_of(&trace);
            trace_free(&trace);
        }
        image[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(image);
}

/* A fixed sequence: the same bytes on every run. */
static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void random_words(void **state)
{
    (void)state;
    static const uint64_t words[] = {0, 1, 63, 64, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
    struct trace trace;
    struct failure why;
    size_t size;
    uint32_t seed = 1;
    make();
    unsigned char *image = writer_image(&writer, &size), *copy = malloc(size);
    for (int round = 0; round < 5000; round++) {
        memcpy(copy, image, size);
        for (int i = 0; i < 1 + round % 3; i++) {
            size_t at = random_number(&seed) % (size / 4 - 1) * 4;
            memcpy(copy + at, &words[random_number(&seed) % 8], round % 2 ? 4 : 8);
        }
        if (read_bytes(&trace, copy, size, &why))
            trace_free(&trace);
    }
    free(copy);
    free(image);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        size_t field, size;
        uint64_t value;
        const char *said;
    } cases[] = {
        {offsetof(struct trace_header, magic), 1, 'x', "not a trace file"},
        {offsetof(struct trace_header, reader_version), 4, 99, "newer version"},
        {offsetof(struct trace_header, version), 4, 0, "damaged"},
        {offsetof(struct trace_header, arch), 4, 183, "another kind of machine"},
        {offsetof(struct trace_header, header_size), 4, 64, "damaged"},
        {offsetof(struct trace_header, header_size), 4, 0x7fffffff, "damaged"},
        {offsetof(struct trace_header, command), 8, 17, "damaged"},
        {offsetof(struct trace_header, command_size), 8, UINT64_MAX, "damaged"},
        {offsetof(struct trace_header, cwd), 8, UINT64_C(1) << 63, "damaged"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make();
        memcpy((char *)&writer.header + cases[i].field, &cases[i].value, cases[i].size);
        assert_damaged(cases[i].said);
    }
}

static void references_out_of_range(void **state)
{
    (void)state;
    make();
    writer.nodes[TRACE_NODE_FIRST].parent = TRACE_NODE_FIRST; /* its own caller */
    assert_damaged("no caller");
    make();
    writer.nodes[TRACE_NODE_FIRST + 1].parent = 60;
    assert_damaged("no caller");
    make();
    writer.nodes[TRACE_NODE_FIRST].frame = 50;
    assert_damaged("no frame");
    make();
    writer.frames[1].module = 9;
    assert_damaged("no module");
    make();
    writer.sites[1].node = 1000;
    assert_damaged("no call path");
    make();
    writer.modules[1].path = 5;
    assert_damaged("no string");
    make();
    writer.modules[1].build_id_size = 33;
    assert_damaged("build-id");
}

/* Changes the bytes of a finished image, and expects it to be refused. */
static void assert_image_damaged(size_t at, uint64_t value, size_t value_size, const char *what)
{
    struct trace trace;
    struct failure why;
    size_t size;
    make();
    unsigned char *image = writer_image(&writer, &size);
    memcpy(image + at, &value, value_size);
    if (read_bytes(&trace, image, size, &why))
        fail_msg("read in spite of: %s", what);
    assert_non_null(strstr(why.text, what));
    free(image);
}

/* Where the section of a type begins in the image. */
static size_t section_at(enum trace_section_type type)
{
    size_t size, at = sizeof(struct trace_header);
    make();
    unsigned char *image = writer_image(&writer, &size);
    struct trace_section section;
    for (;; at += section.size) {
        memcpy(&section, image + at, sizeof(section));
        if (section.type == type)
            break;
    }
    free(image);
    return at;
}

static void sections_that_lie(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 63, 65, 1 << 20, UINT64_MAX, UINT64_C(1) << 63};
    size_t nodes = section_at(TRACE_NODES), counters = section_at(TRACE_COUNTERS);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_image_damaged(nodes + offsetof(struct trace_section, size), sizes[i], 8, "impossible size");
    assert_image_damaged(nodes + offsetof(struct trace_section, record_size), 1, 4, "of 1 bytes");
    assert_image_damaged(nodes + offsetof(struct trace_section, record_size), 1 << 20, 4, "call paths of");
    assert_image_damaged(nodes + offsetof(struct trace_section, capacity), UINT32_MAX, 4, "no room");
    assert_image_damaged(nodes + offsetof(struct trace_section, capacity), 2, 4, "counts");
    assert_image_damaged(nodes + offsetof(struct trace_section, first), 1000, 8, "counts");
    assert_image_damaged(nodes + offsetof(struct trace_section, first), UINT64_MAX, 8, "impossible numbers");
    assert_image_damaged(counters + offsetof(struct trace_section, shard), 1, 4, "the same counters");
    assert_image_damaged(offsetof(struct trace_header, node_count), UINT32_MAX, 4, "counts");
    assert_image_damaged(offsetof(struct trace_header, used), 1 << 20, 8, "cut short");
    assert_image_damaged(offsetof(struct trace_header, used), 512, 8, "section");
}

static void unknown_sections_are_skipped(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    size_t size;
    make();
    unsigned char *image = writer_image(&writer, &size);
    image = realloc(image, size + 256);
    struct trace_section section = {.type = 4711, .record_size = 1, .capacity = UINT32_MAX, .size = 256};
    uint64_t used = size + 256;
    memset(image + size, 0xff, 256);
    memcpy(image + size, &section, sizeof(section));
    memcpy(image + offsetof(struct trace_header, used), &used, sizeof(used));
    assert_true(read_bytes(&trace, image, size + 256, &why));
    assert_int_equal(trace.totals.allocations, 15);
    trace_free(&trace);
    free(image);
}

/* Apparent size and `used` of many gigabytes, of which the disk has a few kilobytes. */
static void billion_records_claimed(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    size_t size;
    make();
    writer.node_count = 0;
    unsigned char *image = writer_image(&writer, &size);
    struct trace_section section = {.type = TRACE_NODES, .record_size = 16, .capacity = 1000000000};
    section.size = sizeof(section) + (uint64_t)section.capacity * 16;
    uint64_t used = size + section.size;
    uint32_t count = section.capacity;
    memcpy(image + offsetof(struct trace_header, used), &used, sizeof(used));
    memcpy(image + offsetof(struct trace_header, node_count), &count, sizeof(count));
    writer_save_bytes(path, image, size);
    FILE *file = fopen(path, "r+b");
    fseek(file, (long)size, SEEK_SET);
    fwrite(&section, sizeof(section), 1, file);
    fclose(file);
    assert_int_equal(truncate(path, (off_t)used), 0);
    assert_false(trace_read(&trace, path, &why));
    assert_non_null(strstr(why.text, "more records than it can hold"));
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
#ifndef __SANITIZE_ADDRESS__
    assert_true(usage.ru_maxrss < 100 * 1024);
#endif
    free(image);
}

static void what_is_no_regular_file(void **state)
{
    (void)state;
    char fifo[80];
    struct trace trace;
    struct failure why;
    snprintf(fifo, sizeof(fifo), "%s/fifo", writer_directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(trace_read(&trace, fifo, &why));
    assert_string_equal(why.text, "not a regular file");
    unlink(fifo);
    assert_false(trace_read(&trace, writer_directory, &why));
    assert_string_equal(why.text, "Is a directory");
    assert_false(trace_read(&trace, "/dev/zero", &why));
    assert_false(trace_read(&trace, "/nonexistent", &why));
    writer_save_bytes(path, "", 0);
    assert_false(trace_read(&trace, path, &why));
    assert_string_equal(why.text, "is empty");
}

static void how_it_ended(void **state)
{
    (void)state;
    struct trace trace = {.header = {.state = TRACE_EXITED, .status = 3, .started_ns = 100, .ended_ns = 350}};
    struct process process = process_of(&trace);
    assert_int_equal(process.end, PROCESS_EXITED);
    assert_int_equal(process.status, 3);
    assert_int_equal(process.duration_ns, 250);
    trace.header.state = TRACE_RUNNING;
    trace.header.ended_ns = 0;
    trace.header.last_seen_ns = 150;
    trace.header.pid = getpid();
    trace.header.process_start = process_start_time(getpid(), NULL) + 1;
    process = process_of(&trace);
    assert_int_equal(process.end, PROCESS_ENDED); /* the pid is another's now */
    assert_int_equal(process.duration_ns, 50);
    trace.header.last_seen_ns = 10;
    assert_int_equal(process_of(&trace).duration_ns, 0);
}

static void newest_is_found_by_magic(void **state)
{
    (void)state;
    char old[80], newer[80], foreign[80];
    snprintf(old, sizeof(old), "%s/old", writer_directory);
    snprintf(newer, sizeof(newer), "%s/newer", writer_directory);
    snprintf(foreign, sizeof(foreign), "%s/x.trace", writer_directory);
    unlink(path);
    assert_null(find_newest(writer_directory));
    make();
    writer_save(&writer, old);
    writer_save(&writer, newer);
    writer_save_bytes(foreign, "text", 4);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    utimensat(AT_FDCWD, old, times, 0);
    char *found = find_newest(writer_directory);
    assert_string_equal(found, newer);
    free(found);
    unlink(old);
    unlink(foreign);
    unlink(newer);
}

static void end_is_noted(void **state)
{
    (void)state;
    struct trace trace;
    struct failure why;
    struct stat stat_buffer;
    make();
    writer.header.state = TRACE_RUNNING;
    writer.header.ended_ns = 0;
    writer_save(&writer, path);
    assert_int_equal(truncate(path, 1 << 30), 0);
    assert_false(ending_note(path, 4243, TRACE_KILLED, 9, &why));
    assert_true(ending_note(path, 4242, TRACE_KILLED, 9, &why));
    assert_true(trace_read(&trace, path, &why));
    assert_int_equal(process_of(&trace).end, PROCESS_KILLED);
    assert_int_equal(trace.header.status, 9);
    assert_true(trace.header.ended_ns > 0);
    assert_int_equal(trace.totals.allocations, 15);
    stat(path, &stat_buffer);
    assert_true((uint64_t)stat_buffer.st_size < trace.header.used + 4096);
    trace_free(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),
        cmocka_unit_test(peak_is_never_below_current),
        cmocka_unit_test(torn_counters_are_not_negative),
        cmocka_unit_test(command_that_was_cut),
        cmocka_unit_test(empty_trace),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(random_words),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(references_out_of_range),
        cmocka_unit_test(sections_that_lie),
        cmocka_unit_test(unknown_sections_are_skipped),
        cmocka_unit_test(billion_records_claimed),
        cmocka_unit_test(what_is_no_regular_file),
        cmocka_unit_test(how_it_ended),
        cmocka_unit_test(newest_is_found_by_magic),
        cmocka_unit_test(end_is_noted),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
