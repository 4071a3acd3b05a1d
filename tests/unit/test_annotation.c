// SPDX-License-Identifier: MIT
/* Figures of the lines of a source file: of this very program's. */
#define _GNU_SOURCE 1 /* dl_iterate_phdr */
#include <fcntl.h>
#include <link.h>
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

#include "model/annotation.h"
#include "model/debuginfo.h"
#include "model/file.h"
#include "trace_writer.h"

/* --- calls whose lines are known ------------------------------------------------------------------------ */

static int inner_line, first_line, second_line;

static __attribute__((noipa)) uint64_t call_address(void)
{
    return (uint64_t)__builtin_return_address(0) - 1;
}

static __attribute__((noinline)) uint64_t inner(void)
{
    inner_line = __LINE__ + 1;
    uint64_t address = call_address();
    __asm__ volatile("" ::: "memory");
    return address;
}

/* Two calls in two lines. */
static __attribute__((noinline)) void outer(uint64_t addresses[2])
{
    first_line = __LINE__ + 1;
    addresses[0] = call_address();
    second_line = __LINE__ + 1;
    addresses[1] = call_address();
}

/* --- a trace of them ------------------------------------------------------------------------------------ */

static struct trace_writer writer;
static struct trace trace;
static struct symbols *symbols;

static int take_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uint64_t *)bias = info->dlpi_addr;
    return 1; /* the program itself comes first */
}

static uint32_t this_program(uint64_t *bias)
{
    static char self[4096];
    struct stat stat;
    const uint8_t *id;
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    dl_iterate_phdr(take_bias, bias);
    uint32_t number = writer_module(&writer, self);
    struct trace_module *module = &writer.modules[number];
    struct debuginfo *info = debuginfo_open(file_open_regular(self, O_RDONLY, &stat), self);
    module->file_size = (uint64_t)stat.st_size;
    module->file_mtime_ns = (uint64_t)stat.st_mtim.tv_sec * 1000000000 + (uint64_t)stat.st_mtim.tv_nsec;
    module->build_id_size = (uint32_t)debuginfo_build_id(info, &id);
    memcpy(module->build_id, id, module->build_id_size);
    debuginfo_close(info);
    return number;
}

static void add_site(uint32_t node, uint64_t blocks)
{
    *writer_counter(&writer, 0, writer_site(&writer, node)) = (struct trace_counter){
        .allocations = blocks, .allocated_bytes = blocks, .epoch = 7, .peak_bytes = (int64_t)blocks};
}

/* inner, called from both lines of outer: 1 and 10 bytes, the second from inner once more: recursion, 100; and a
   line of outer itself, 1000. */
static int make(void **state)
{
    (void)state;
    char path[] = "/tmp/test_annotation.XXXXXX";
    struct failure why;
    uint64_t bias, calls[2], in_inner = inner();
    writer_start(&writer);
    uint32_t module = this_program(&bias);
    outer(calls);
    uint32_t frame = writer_frame(&writer, module, in_inner - bias);
    uint32_t first = writer_node(&writer, TRACE_NODE_ROOT, writer_frame(&writer, module, calls[0] - bias));
    uint32_t second = writer_node(&writer, TRACE_NODE_ROOT, writer_frame(&writer, module, calls[1] - bias));
    add_site(writer_node(&writer, first, frame), 1);
    uint32_t below = writer_node(&writer, second, frame);
    add_site(below, 10);
    add_site(writer_node(&writer, below, frame), 100);
    add_site(second, 1000);
    uint32_t other = writer_module(&writer, "/nonexistent/other");
    writer_simple_site(&writer, writer_frame(&writer, other, 1), 1, 5);
    int fd = mkstemp(path);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    close(fd);
    unlink(path);
    symbols = symbols_open(&trace);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

/* --- what is said of it --------------------------------------------------------------------------------- */

static struct view view;
static struct scope scope;
static struct annotation annotation;

static void annotate(const char *what, bool cumulative)
{
    struct failure why;
    view = (struct view){.by = BY_LINE, .cumulative = cumulative};
    assert_true(patterns_add(&view.marked, what, PATTERN_ANY, &why));
    scope_open(&scope, &view, &trace, symbols);
    annotation_make(&annotation, &scope);
}

static void drop_annotation(void)
{
    annotation_free(&annotation);
    scope_close(&scope);
    view_free(&view);
}

static uint64_t of_line(int number)
{
    for (size_t i = 0; i < annotation.files[0].line_count; i++)
        if (annotation.files[0].lines[i].number == number)
            return annotation.files[0].lines[i].figures.peak_bytes;
    return 0;
}

static void a_file(void **state)
{
    (void)state;
    annotate("test_annotation.c", false);
    assert_int_equal(annotation.file_count, 1);
    assert_int_equal(annotation.files[0].line_count, 2);
    assert_int_equal(of_line(inner_line), 111);
    assert_int_equal(of_line(second_line), 1000);
    assert_true(annotation.files[0].lines[0].number < annotation.files[0].lines[1].number);
    assert_int_equal(annotation.figures.peak_bytes, 1111);
    drop_annotation();
}

static void with_callees(void **state)
{
    (void)state;
    annotate("test_annotation.c", true);
    assert_int_equal(of_line(inner_line), 111); /* recursion once */
    assert_int_equal(of_line(first_line), 1);
    assert_int_equal(of_line(second_line), 1110);
    assert_int_equal(annotation.files[0].figures.peak_bytes, 1111);
    drop_annotation();
}

static void a_function(void **state)
{
    (void)state;
    annotate("function=inner", true);
    assert_int_equal(annotation.files[0].line_count, 1);
    assert_int_equal(of_line(inner_line), 111);
    assert_non_null(strstr(annotation.files[0].frame.file, "test_annotation.c"));
    drop_annotation();
}

static void small_lines(void **state)
{
    (void)state;
    struct failure why;
    view = (struct view){.by = BY_LINE, .min_bytes = 112};
    assert_true(patterns_add(&view.marked, "*.c", PATTERN_ANY, &why));
    scope_open(&scope, &view, &trace, symbols);
    annotation_make(&annotation, &scope);
    assert_int_equal(annotation.files[0].line_count, 1);
    assert_int_equal(of_line(second_line), 1000);
    drop_annotation();
}

static void nothing(void **state)
{
    (void)state;
    annotate("nothing", true);
    assert_int_equal(annotation.file_count, 0);
    assert_false(annotation.only_callers);
    assert_null(annotation.without_lines);
    drop_annotation();
    annotate("module=other", false);
    assert_int_equal(annotation.file_count, 0);
    assert_string_equal(annotation.without_lines, "/nonexistent/other");
    drop_annotation();
}

static void only_callers(void **state)
{
    (void)state;
    char what[64];
    snprintf(what, sizeof(what), "file=test_annotation.c:%d", first_line);
    annotate(what, false);
    assert_int_equal(annotation.file_count, 0);
    assert_true(annotation.only_callers);
    drop_annotation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file),      cmocka_unit_test(with_callees), cmocka_unit_test(a_function),
        cmocka_unit_test(small_lines), cmocka_unit_test(nothing),      cmocka_unit_test(only_callers),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
