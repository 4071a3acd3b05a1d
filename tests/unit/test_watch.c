// SPDX-License-Identifier: MIT
/* Watching a trace: whatever a program does to its file meanwhile, each look says what trace_read says. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/truncation.h"
#include "model/watch.h"
#include "trace_writer.h"

static const char *const path = writer_path;
static struct trace_writer writer;
static unsigned seed;

/* --- a file that changes as a recorder's does -------------------------------------------------------- */

static void overwrite(uint64_t offset, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
    close(fd);
}

static unsigned below(unsigned limit)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % limit;
}

static void random_counter(uint32_t shard, uint32_t site)
{
    struct trace_counter *counter = writer_counter(&writer, shard, site);
    if (counter->epoch < writer.header.epoch) {
        counter->epoch = writer.header.epoch;
        counter->peak_blocks = (int64_t)(counter->allocations - counter->frees);
        counter->peak_bytes = (int64_t)(counter->allocated_bytes - counter->freed_bytes);
    }
    uint64_t blocks = below(5), bytes = blocks * (1 + below(100));
    if (below(3)) {
        counter->allocations += blocks;
        counter->allocated_bytes += bytes;
        counter->temporary += below(2);
        counter->reallocations += below(2);
    } else {
        counter->frees += blocks;
        counter->freed_bytes += bytes;
    }
}

/* Saves the trace, with room for all records that there can be: sections stay where they are. */
static void save(void)
{
    const struct trace_writer now = writer;
    size_t size;
    writer.module_count = writer.frame_count = writer.node_count = writer.site_count = WRITER_RECORDS;
    writer.spill_count = WRITER_RECORDS;
    writer.shard_count = 2;
    writer.strings_used = WRITER_STRINGS;
    unsigned char *image = writer_image(&writer, &size);
    writer = now;
    writer.header.module_count = now.module_count;
    writer.header.frame_count = now.frame_count;
    writer.header.node_count = now.node_count;
    writer.header.site_count = now.site_count;
    writer.header.spill_count = now.spill_count;
    writer.header.used = size;
    memcpy(image, &writer.header, sizeof(writer.header));
    if (access(path, F_OK) != 0)
        writer_save_bytes(path, image, size);
    else
        overwrite(0, image, size);
    free(image);
}

static void grow(void)
{
    char name[32];
    snprintf(name, sizeof(name), "/lib/%u.so", writer.module_count);
    uint32_t module = below(4) ? 1 + below(writer.module_count - 1) : writer_module(&writer, name);
    uint32_t frame = writer_frame(&writer, module, below(10000));
    uint32_t parents[] = {TRACE_NODE_ROOT, TRACE_NODE_TRUNCATED,
                          TRACE_NODE_FIRST + below(writer.node_count - TRACE_NODE_FIRST)};
    uint32_t node = writer_node(&writer, parents[below(3)], frame);
    if (below(3))
        random_counter(below(2), writer_site(&writer, node));
}

/* --- what is seen of it -------------------------------------------------------------------------------- */

static void assert_same_figures(const struct figures *a, const struct figures *b)
{
    assert_memory_equal(a, b, sizeof(*a));
}

static void assert_same_string(const char *a, const char *b)
{
    assert_true((a && b) || a == b);
    if (a)
        assert_string_equal(a, b);
}

/* A reader that comes anew sees the same. */
static void assert_true_to_file(const struct watch *watch)
{
    struct trace fresh;
    struct failure why;
    const struct trace *trace = watch_trace(watch);
    assert_true(trace_read(&fresh, path, &why));
    assert_int_equal(trace->header.module_count, fresh.header.module_count);
    assert_int_equal(trace->header.frame_count, fresh.header.frame_count);
    assert_int_equal(trace->header.node_count, fresh.header.node_count);
    assert_int_equal(trace->header.site_count, fresh.header.site_count);
    for (uint32_t i = 1; i < fresh.header.site_count; i++) {
        assert_int_equal(trace->sites[i].node, fresh.sites[i].node);
        assert_int_equal(trace->sites[i].truncated, fresh.sites[i].truncated);
        assert_same_figures(&trace->sites[i].figures, &fresh.sites[i].figures);
    }
    for (uint32_t i = TRACE_NODE_FIRST; i < fresh.header.node_count; i++)
        assert_memory_equal(&trace->nodes[i], &fresh.nodes[i], sizeof(fresh.nodes[i]));
    for (uint32_t i = 1; i < fresh.header.frame_count; i++)
        assert_memory_equal(&trace->frames[i], &fresh.frames[i], sizeof(fresh.frames[i]));
    for (uint32_t i = 1; i < fresh.header.module_count; i++)
        assert_same_string(trace->module_paths[i], fresh.module_paths[i]);
    assert_same_figures(&trace->totals, &fresh.totals);
    assert_int_equal(trace->truncated_allocations, fresh.truncated_allocations);
    trace_free(&fresh);
}

static struct watch *open_watch(void)
{
    struct failure why;
    struct watch *watch = watch_open(path, &why);
    if (!watch)
        fail_msg("%s", why.text);
    return watch;
}

static void look(struct watch *watch)
{
    struct failure why;
    if (!watch_update(watch, &why))
        fail_msg("%s", why.text);
}

static void start_writer(void)
{
    unlink(path);
    seed = 1;
    writer_start(&writer);
    uint32_t frame = writer_frame(&writer, writer_module(&writer, "/home/user/prog"), 0x1000);
    writer_simple_site(&writer, frame, 10, 100);
    writer_simple_site(&writer, frame, 3, 7);
    writer.inherited[2] = (struct trace_inherited){2, 20};
}

/* --- tests --------------------------------------------------------------------------------------------- */

/* Counters of two shards, new records of every kind, new peaks, spills, in any order. */
static void any_change(void **state)
{
    (void)state;
    start_writer();
    save();
    struct watch *watch = open_watch();
    assert_true_to_file(watch);
    for (int i = 0; i < 400; i++) {
        if (below(10) == 0 && writer.node_count < WRITER_RECORDS - 2)
            grow();
        if (below(8) == 0)
            writer.header.epoch++;
        if (below(20) == 0 && writer.spill_count < WRITER_RECORDS)
            writer_spill(&writer, 1 + below(writer.site_count - 1), 1 + below(2));
        for (unsigned j = below(4); j > 0; j--)
            random_counter(below(2), 1 + below(writer.site_count - 1));
        save();
        look(watch);
        assert_true_to_file(watch);
    }
    assert_true(writer.module_count > 3 && writer.site_count > 10 && writer.spill_count > 3);
    watch_close(watch);
}

static void what_changed(void **state)
{
    (void)state;
    size_t count;
    start_writer();
    save();
    struct watch *watch = open_watch();
    watch_changed(watch, &count);
    assert_int_equal(count, 2);
    look(watch);
    watch_changed(watch, &count);
    assert_int_equal(count, 0);
    writer_counter(&writer, 1, 2)->allocations++;
    save();
    look(watch);
    const uint32_t *changed = watch_changed(watch, &count);
    assert_int_equal(count, 1);
    assert_int_equal(changed[0], 2);
    watch_close(watch);
}

/* Sections behind those that there were. */
static void new_sections(void **state)
{
    (void)state;
    start_writer();
    writer_save(&writer, path);
    struct watch *watch = open_watch();
    size_t size, more;
    unsigned char *old = writer_image(&writer, &size), *image;
    uint32_t sites = writer.site_count;
    uint32_t node = writer_node(&writer, TRACE_NODE_ROOT, 1);
    writer_site(&writer, node);
    struct {
        struct trace_section head;
        char records[64];
    } sections[3] = {
        {.head = {.type = TRACE_NODES, .record_size = 16, .size = 128, .first = node, .capacity = 4}},
        {.head = {.type = TRACE_SITES, .record_size = 8, .size = 128, .first = sites, .capacity = 8}},
        {.head = {.type = TRACE_COUNTERS, .record_size = 64, .size = 128, .first = sites, .capacity = 1}},
    };
    struct trace_counter counter = {.allocations = 5, .allocated_bytes = 55};
    memcpy(sections[0].records, &writer.nodes[node], sizeof(writer.nodes[node]));
    memcpy(sections[1].records, &writer.sites[sites], sizeof(writer.sites[sites]));
    memcpy(sections[2].records, &counter, sizeof(counter));
    more = size + sizeof(sections);
    image = malloc(more);
    memcpy(image, old, size);
    memcpy(image + size, sections, sizeof(sections));
    struct trace_header *header = (struct trace_header *)image;
    header->used = more;
    header->node_count++;
    header->site_count++;
    overwrite(sizeof(*header), image + sizeof(*header), more - sizeof(*header));
    overwrite(0, header, sizeof(*header));
    look(watch);
    assert_true_to_file(watch);
    assert_int_equal(watch_trace(watch)->sites[sites].figures.allocated_bytes, 55);
    watch_close(watch);
    free(image);
    free(old);
}

static void end_is_noted(void **state)
{
    (void)state;
    start_writer();
    writer.header.state = TRACE_RUNNING;
    save();
    struct watch *watch = open_watch();
    assert_int_equal(watch_trace(watch)->header.state, TRACE_RUNNING);
    writer.header.state = TRACE_KILLED;
    writer.header.status = 9;
    save();
    look(watch);
    assert_int_equal(watch_trace(watch)->header.state, TRACE_KILLED);
    assert_int_equal(watch_trace(watch)->header.status, 9);
    watch_close(watch);
}

static void assert_lost(struct watch *watch, const char *what)
{
    struct failure why = {""};
    struct figures before = watch_trace(watch)->totals;
    uint32_t sites = watch_trace(watch)->header.site_count;
    for (int i = 0; i < 2; i++) {
        if (watch_update(watch, &why))
            fail_msg("seen in spite of: %s", what);
        assert_non_null(strstr(why.text, what));
        assert_same_figures(&watch_trace(watch)->totals, &before);
        assert_int_equal(watch_trace(watch)->header.site_count, sites);
    }
    watch_close(watch);
}

static void cut_short(void **state)
{
    (void)state;
    const off_t sizes[] = {0, 4096, 8192};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        start_writer();
        save();
        struct watch *watch = open_watch();
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_lost(watch, "was cut short");
    }
}

static void damage(void **state)
{
    (void)state;
    struct watch *watch;
    start_writer();
    save();
    watch = open_watch();
    writer.header.epoch++;
    writer.site_count--;
    save();
    assert_lost(watch, "its tables shrank");

    start_writer();
    save();
    watch = open_watch();
    writer_node(&writer, 60, 1);
    save();
    assert_lost(watch, "has no caller");

    start_writer();
    save();
    watch = open_watch();
    writer_frame(&writer, 50, 1);
    save();
    assert_lost(watch, "is in no module");

    start_writer();
    save();
    watch = open_watch();
    writer.modules[writer.module_count++].path = 1;
    save();
    assert_lost(watch, "no string at byte 1");

    start_writer();
    save();
    watch = open_watch();
    struct trace_header huge = writer.header;
    huge.site_count = 16 << 20;
    overwrite(0, &huge, sizeof(huge));
    assert_lost(watch, "is damaged");
}

static void no_trace(void **state)
{
    (void)state;
    struct failure why;
    unlink(path);
    assert_null(watch_open(path, &why));
    assert_string_equal(why.text, "No such file or directory");
    writer_save_bytes(path, "nonsense", 8);
    assert_null(watch_open(path, &why));
    assert_string_equal(why.text, "not a trace file");
}

int main(void)
{
    truncation_survive();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_change),   cmocka_unit_test(what_changed), cmocka_unit_test(new_sections),
        cmocka_unit_test(end_is_noted), cmocka_unit_test(cut_short),    cmocka_unit_test(damage),
        cmocka_unit_test(no_trace),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
