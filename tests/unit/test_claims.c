// SPDX-License-Identifier: MIT
/*
 * What files claim, and what reading them and reporting takes then: at most 16 times what is in the file (a
 * hole is nothing), or 64 MB, whichever is larger.
 */
#define _GNU_SOURCE 1 /* wait4 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/dump.h"
#include "output/json.h"
#include "output/text.h"
#include "trace_writer.h"

#define LEAST_BOUND (UINT64_C(64) << 20)
#define PER_BYTE    16
#define LONG_NAME   60000 /* characters */

static const char *const path = writer_path;
static struct trace_header header;
static FILE *file;

/* --- files too large for trace_writer.h --------------------------------------------------------------- */

static void start(void)
{
    header = (struct trace_header){.version = TRACE_VERSION,
                                   .reader_version = TRACE_READER_VERSION,
                                   .header_size = sizeof(header),
                                   .arch = TRACE_ARCH_X86_64,
                                   .used = sizeof(header),
                                   .state = TRACE_EXITED,
                                   .module_count = 1,
                                   .frame_count = 1,
                                   .node_count = 1,
                                   .site_count = 1};
    memcpy(header.magic, TRACE_MAGIC, sizeof(header.magic));
    file = fopen(path, "wb");
    assert_non_null(file);
}

/* A section of zeroes, a hole but for its head and what is put there; returns where its records begin. */
static uint64_t section(enum trace_section_type type, uint32_t record_size, uint64_t capacity)
{
    uint64_t size = sizeof(struct trace_section) + record_size * capacity, at = header.used;
    size = (size + TRACE_ALIGN - 1) / TRACE_ALIGN * TRACE_ALIGN;
    struct trace_section section = {
        .type = type, .record_size = record_size, .size = size, .capacity = (uint32_t)capacity};
    fseek(file, (long)at, SEEK_SET);
    fwrite(&section, sizeof(section), 1, file);
    header.used += size;
    return at + sizeof(section);
}

static void put(const void *record, size_t size)
{
    assert_int_equal(fwrite(record, size, 1, file), 1);
}

/* Completes the file; returns the bound that its bytes on the disk set. */
static uint64_t finish(void)
{
    struct stat stat_buffer;
    fseek(file, 0, SEEK_SET);
    put(&header, sizeof(header));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, (off_t)header.used), 0);
    assert_int_equal(stat(path, &stat_buffer), 0);
    uint64_t bound = (uint64_t)stat_buffer.st_blocks * 512 * PER_BYTE;
    return bound < LEAST_BOUND ? LEAST_BOUND : bound;
}

/* `count` of each: modules, frames in them, paths of one frame, sites.  Module i's name is what is left of a
   name of so many characters after i of them. */
static void put_chains(uint32_t count, uint32_t characters)
{
    static char name[LONG_NAME];
    uint64_t strings = section(TRACE_STRINGS, 1, characters + 1);
    memset(name, 'x', sizeof(name));
    put(name, characters);
    section(TRACE_MODULES, sizeof(struct trace_module), count);
    for (uint32_t i = 0; i < count; i++)
        put(&(struct trace_module){.path = strings + i % characters}, sizeof(struct trace_module));
    section(TRACE_FRAMES, sizeof(struct trace_frame), count);
    for (uint32_t i = 0; i < count; i++)
        put(&(struct trace_frame){.module = i, .offset = i}, sizeof(struct trace_frame));
    section(TRACE_NODES, sizeof(struct trace_node), count + TRACE_NODE_FIRST);
    put(&(struct trace_node[TRACE_NODE_FIRST]){0}, sizeof(struct trace_node[TRACE_NODE_FIRST]));
    for (uint32_t i = 1; i < count; i++)
        put(&(struct trace_node){.parent = TRACE_NODE_ROOT, .frame = i, .site = i},
            sizeof(struct trace_node));
    section(TRACE_SITES, sizeof(struct trace_site), count);
    for (uint32_t i = 0; i < count; i++)
        put(&(struct trace_site){.node = i ? TRACE_NODE_FIRST + i - 1 : 0}, sizeof(struct trace_site));
    section(TRACE_COUNTERS, sizeof(struct trace_counter), count);
    for (uint32_t i = 0; i < count; i++)
        put(&(struct trace_counter){.allocations = i, .allocated_bytes = i}, sizeof(struct trace_counter));
    header.module_count = header.frame_count = header.site_count = count;
    header.node_count = count + TRACE_NODE_FIRST - 1;
}

/* --- what it takes ------------------------------------------------------------------------------------ */

static void report_all(const struct trace *trace)
{
    FILE *out = fopen("/dev/null", "w");
    for (enum grouping by = 0; by < GROUPINGS; by++) {
        struct symbols *symbols = symbols_open(trace);
        struct rows rows;
        struct view view = {.by = by, .metric = METRIC_CURRENT, .cumulative = by != BY_SITE};
        struct scope scope;
        scope_open(&scope, &view, trace, symbols);
        rows_make(&rows, &scope);
        struct report report = {
            .trace = trace, .symbols = symbols, .view = &view, .scope = &scope, .rows = &rows};
        report.limit = by == BY_SITE ? 3000 : 10;
        json_report(out, &report);
        report.full = true;
        report.limit = 10;
        text_report(out, &report);
        rows_free(&rows);
        scope_close(&scope);
        symbols_close(symbols);
    }
    fclose(out);
}

static void describe(void)
{
    struct layout layout;
    struct failure why;
    if (!layout_open(&layout, path, &why))
        return;
    struct dump dump = {fopen("/dev/null", "w"), &layout, false};
    dump_header(&dump);
    dump_summary(&dump);
    dump_sections(&dump);
    dump_modules(&dump);
    fclose(dump.out);
    layout_close(&layout);
}

enum { READ, REFUSED, NO_MEMORY, EITHER };

static int look(void)
{
    struct trace trace;
    struct failure why;
    describe();
    if (!trace_read(&trace, path, &why))
        return strstr(why.text, "allocate") ? NO_MEMORY : REFUSED;
    report_all(&trace);
    trace_free(&trace);
    return READ;
}

/* Reads and reports so often in a process of its own, whose peak of resident memory is the measure. */
static void assert_bounded_times(int times, uint64_t bound, int expected)
{
    struct rusage usage;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int outcome = look();
        while (--times && outcome != NO_MEMORY)
            outcome = look();
        _exit(outcome);
    }
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_true(WIFEXITED(status));
    if (expected != EITHER)
        assert_int_equal(WEXITSTATUS(status), expected);
    assert_int_not_equal(WEXITSTATUS(status), NO_MEMORY);
#ifdef __SANITIZE_ADDRESS__
    bound = UINT64_MAX; /* it takes much itself */
#endif
    assert_in_range((uint64_t)usage.ru_maxrss * 1024, 0, bound);
}

static void assert_bounded(uint64_t bound, int expected)
{
    assert_bounded_times(1, bound, expected);
}

/* --- claims ------------------------------------------------------------------------------------------- */

static const struct claim {
    enum trace_section_type type;
    uint32_t record_size;
    size_t count; /* the header's field */
    uint64_t fits;
    bool zeroes_will_do;
} claims[] = {
    {TRACE_MODULES, sizeof(struct trace_module), offsetof(struct trace_header, module_count), 150000, true},
    {TRACE_FRAMES, sizeof(struct trace_frame), offsetof(struct trace_header, frame_count), 290000, true},
    {TRACE_NODES, sizeof(struct trace_node), offsetof(struct trace_header, node_count), 1500000, false},
    {TRACE_SITES, sizeof(struct trace_site), offsetof(struct trace_header, site_count), 75000, false},
    {TRACE_SPILLS, sizeof(struct trace_spill), offsetof(struct trace_header, spill_count), UINT32_MAX, true},
};

static void make_claim(const struct claim *claim, uint64_t records)
{
    start();
    section(claim->type, claim->record_size, records);
    uint32_t count = (uint32_t)records;
    memcpy((char *)&header + claim->count, &count, sizeof(count));
}

static void billions_of_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        const struct claim *claim = &claims[i];
        make_claim(claim, claim->fits);
        assert_bounded(finish(), claim->zeroes_will_do ? READ : REFUSED);
        make_claim(claim, 4000000);
        assert_bounded(finish(), EITHER);
        make_claim(claim, UINT32_MAX);
        assert_bounded(finish(), claim->fits == UINT32_MAX ? READ : REFUSED);
    }
}

static void counters_of_billions(void **state)
{
    (void)state;
    start();
    for (uint32_t i = 0; i < 8; i++)
        section(TRACE_COUNTERS, sizeof(struct trace_counter), UINT32_MAX);
    assert_bounded(finish(), REFUSED); /* they are all of one shard */
    start();
    section(TRACE_COUNTERS, sizeof(struct trace_counter), UINT32_MAX);
    section(TRACE_INHERITED, sizeof(struct trace_inherited), UINT32_MAX);
    assert_bounded(finish(), READ);
}

static void strings_without_end(void **state)
{
    (void)state;
    start();
    header.exe = section(TRACE_STRINGS, 1, 30 << 20);
    assert_bounded(finish(), READ);
    start();
    header.exe = section(TRACE_STRINGS, 1, UINT64_C(1) << 33);
    assert_bounded(finish(), REFUSED);
    start();
    header.command = section(TRACE_STRINGS, 1, 30 << 20);
    header.command_size = 20 << 20;
    assert_bounded(finish(), REFUSED); /* twenty million arguments */
}

static void long_names_that_overlap(void **state)
{
    (void)state;
    start();
    put_chains(4000, LONG_NAME);
    assert_bounded(finish(), READ);
}

static void stack_of_100000(void **state)
{
    (void)state;
    uint32_t count = 100000;
    start();
    section(TRACE_FRAMES, sizeof(struct trace_frame), 3);
    section(TRACE_NODES, sizeof(struct trace_node), count);
    for (uint32_t i = 0; i < count; i++)
        put(&(struct trace_node){.parent = i > TRACE_NODE_FIRST ? i - 1 : TRACE_NODE_ROOT,
                                 .frame = 1 + i % 2},
            sizeof(struct trace_node));
    section(TRACE_SITES, sizeof(struct trace_site), 2);
    put(&(struct trace_site[2]){{0}, {.node = count - 1}}, sizeof(struct trace_site[2]));
    section(TRACE_COUNTERS, sizeof(struct trace_counter), 2);
    put(&(struct trace_counter[2]){{0}, {.allocations = 1, .allocated_bytes = 1}},
        sizeof(struct trace_counter[2]));
    header.frame_count = 3;
    header.node_count = count;
    header.site_count = 2;
    assert_bounded(finish(), READ);
}

/* --- a file that changes -------------------------------------------------------------------------------- */

/* Cuts the file at any place or changes a word, and puts back what it was, for ever; meanwhile leaves it alone
   for about as long as a report takes. */
static void go_on_changing(const uint8_t *image, size_t size)
{
    static const uint64_t words[] = {0, 1, 64, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 63};
    FILE *out = fopen(path, "r+b");
    setvbuf(out, NULL, _IONBF, 0);
    for (uint32_t seed = 1;; seed = seed * 1664525 + 1013904223) {
        uint32_t at = (seed >> 8) % (uint32_t)size / 8 * 8;
        if (seed >> 30 == 0 && ftruncate(fileno(out), at) != 0)
            _exit(1);
        fseek(out, seed >> 30 == 1 ? at : 0, SEEK_SET);
        if (seed >> 30 == 1)
            fwrite(&words[(seed >> 4) % 6], sizeof(words[0]), 1, out);
        else
            fwrite(image, 1, size, out);
        usleep(seed >> 20 & 0x3f);
    }
}

static void written_to_while_it_is_read(void **state)
{
    (void)state;
    static uint8_t image[1 << 18];
    uint64_t bound;
    start();
    put_chains(200, 100);
    bound = finish();
    FILE *in = fopen(path, "rb");
    size_t size = fread(image, 1, sizeof(image), in);
    assert_int_equal(size, header.used);
    fclose(in);
    pid_t pid = fork();
    if (pid == 0)
        go_on_changing(image, size);
    assert_bounded_times(300, bound, EITHER);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(billions_of_records), cmocka_unit_test(counters_of_billions),
        cmocka_unit_test(strings_without_end), cmocka_unit_test(long_names_that_overlap),
        cmocka_unit_test(stack_of_100000),     cmocka_unit_test(written_to_while_it_is_read),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
