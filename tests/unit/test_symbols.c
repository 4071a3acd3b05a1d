// SPDX-License-Identifier: MIT
/* Symbols, looked up in this very program. */
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

#include "model/debuginfo.h"
#include "model/file.h"
#include "model/symbols.h"
#include "trace_writer.h"

/* Two functions, the inner one inlined, and where in them the address was taken. */
static int inner_line, outer_line;

static __attribute__((noinline)) uint64_t call_address(void)
{
    return (uint64_t)__builtin_return_address(0) - 1;
}

static inline __attribute__((always_inline)) uint64_t inlined_function(volatile int *more)
{
    inner_line = __LINE__ + 1;
    uint64_t address = call_address();
    *more += 1;
    return address;
}

static __attribute__((noinline)) uint64_t outer_function(void)
{
    volatile int more = 0;
    outer_line = __LINE__ + 1;
    uint64_t address = inlined_function(&more);
    return address + (uint64_t)(more - 1);
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uint64_t *)bias = info->dlpi_addr;
    return 1; /* the program itself comes first */
}

static char self[4096];
static uint64_t address;
static struct trace_writer writer;
static struct trace trace;

static void identify(struct trace_module *module, const char *path)
{
    struct stat stat;
    const uint8_t *id;
    int fd = file_open_regular(path, O_RDONLY, &stat);
    module->file_size = (uint64_t)stat.st_size;
    module->file_mtime_ns = (uint64_t)stat.st_mtim.tv_sec * 1000000000 + (uint64_t)stat.st_mtim.tv_nsec;
    struct debuginfo *info = debuginfo_open(fd, path);
    module->build_id_size = (uint32_t)debuginfo_build_id(info, &id);
    if (module->build_id_size)
        memcpy(module->build_id, id, module->build_id_size);
    debuginfo_close(info);
}

static struct symbols *load(void)
{
    char path[] = "/tmp/test_symbols.XXXXXX";
    struct failure why;
    int fd = mkstemp(path);
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    close(fd);
    unlink(path);
    return symbols_open(&trace);
}

static void unload(struct symbols *symbols)
{
    symbols_close(symbols);
    trace_free(&trace);
}

/* A trace with one frame, at the call in this program; the module by the given name. */
static struct symbols *load_self(const char *name, bool changed)
{
    writer_start(&writer);
    uint32_t module = writer_module(&writer, name);
    identify(&writer.modules[module], self);
    if (changed && writer.modules[module].build_id_size)
        writer.modules[module].build_id[0] ^= 1;
    writer.modules[module].file_mtime_ns += changed;
    writer_frame(&writer, module, address);
    return load();
}

static void assert_resolved(struct source_frames found)
{
    assert_int_equal(found.count, 2);
    assert_string_equal(found.frames[0].function, "inlined_function");
    assert_int_equal(found.frames[0].line, inner_line);
    assert_true(found.frames[0].inlined);
    assert_string_equal(found.frames[1].function, "outer_function");
    assert_int_equal(found.frames[1].line, outer_line);
    assert_false(found.frames[1].inlined);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(strstr(found.frames[i].file, "test_symbols.c"));
        assert_int_equal(found.frames[i].address, address);
        assert_non_null(found.frames[i].module);
    }
}

static void inlined_functions(void **state)
{
    (void)state;
    struct symbols *symbols = load_self(self, false);
    assert_int_equal(symbols_state(symbols, 1), MODULE_UNTOUCHED);
    assert_resolved(symbols_resolve(symbols, 1));
    assert_resolved(symbols_resolve(symbols, 1));
    assert_int_equal(symbols_state(symbols, 1), MODULE_FINE);
    unload(symbols);
}

static void replaced_by_the_same(void **state)
{
    (void)state;
    char name[sizeof(self) + 16];
    snprintf(name, sizeof(name), "%s (deleted)", self);
    struct symbols *symbols = load_self(name, false);
    assert_resolved(symbols_resolve(symbols, 1));
    unload(symbols);
}

static void changed_since(void **state)
{
    (void)state;
    struct symbols *symbols = load_self(self, true);
    struct source_frames found = symbols_resolve(symbols, 1);
    assert_int_equal(found.count, 1);
    assert_null(found.frames[0].function);
    assert_null(found.frames[0].file);
    assert_string_equal(found.frames[0].module, self);
    assert_int_equal(symbols_state(symbols, 1), MODULE_CHANGED);
    unload(symbols);
}

static void nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum module_state state;
    } cases[] = {
        {"linux-vdso.so.1", MODULE_NO_FILE}, {"[vdso]", MODULE_NO_FILE},
        {"/nonexistent/x.so", MODULE_GONE},  {"/proc/kmsg", MODULE_UNREADABLE},
        {"/dev/zero", MODULE_UNREADABLE},    {"/tmp", MODULE_UNREADABLE},
        {"/proc/self/exe", MODULE_CHANGED},
    };
    writer_start(&writer);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        writer_frame(&writer, writer_module(&writer, cases[i].path), 0x1000);
    writer_frame(&writer, 0, 0x7f0000000000);
    struct symbols *symbols = load();
    for (uint32_t i = 1; i < trace.header.frame_count; i++) {
        struct source_frames found = symbols_resolve(symbols, i);
        assert_int_equal(found.count, 1);
        assert_null(found.frames[0].function);
        if (i <= sizeof(cases) / sizeof(cases[0]))
            assert_int_equal(symbols_state(symbols, i), cases[i - 1].state);
    }
    assert_null(symbols_resolve(symbols, trace.header.frame_count - 1).frames[0].module);
    unload(symbols);
}

static void fifo_as_module(void **state)
{
    (void)state;
    char directory[] = "/tmp/test_symbols.XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/x.so", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    writer_start(&writer);
    writer_frame(&writer, writer_module(&writer, path), 0x1000);
    struct symbols *symbols = load();
    symbols_resolve(symbols, 1);
    assert_int_equal(symbols_state(symbols, 1), MODULE_UNREADABLE);
    unload(symbols);
    unlink(path);
    rmdir(directory);
}

static void addresses_out_of_range(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {1, UINT64_MAX, UINT64_C(1) << 63, 0x10};
    writer_start(&writer);
    uint32_t module = writer_module(&writer, self);
    identify(&writer.modules[module], self);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        writer_frame(&writer, module, addresses[i]);
    struct symbols *symbols = load();
    for (uint32_t i = 1; i < trace.header.frame_count; i++)
        assert_null(symbols_resolve(symbols, i).frames[0].file);
    unload(symbols);
}

/* This program with bytes changed here and there: any answer will do, but there must be one. */
static void damaged_files(void **state)
{
    (void)state;
    char path[] = "/tmp/test_symbols.XXXXXX";
    struct place places[DEBUGINFO_DEEPEST];
    struct stat stat;
    int fd = mkstemp(path), from = file_open_regular(self, O_RDONLY, &stat);
    size_t size = (size_t)stat.st_size;
    unsigned char *image = malloc(size), *copy = malloc(size);
    assert_int_equal(read(from, image, size), size);
    close(from);
    close(fd);
    uint32_t seed = 1;
    for (int round = 0; round < 60; round++) {
        memcpy(copy, image, size);
        for (int i = 0; i < 50; i++) {
            seed = seed * 1664525 + 1013904223;
            copy[64 + (seed >> 4) % (size - 64)] = (unsigned char)(seed >> 3);
        }
        writer_save_bytes(path, copy, round % 4 ? size : size * (size_t)round / 60);
        struct debuginfo *info = debuginfo_open(file_open_regular(path, O_RDONLY, &stat), path);
        if (info)
            assert_true(debuginfo_find(info, address, places) >= 1);
        debuginfo_close(info);
    }
    unlink(path);
    free(image);
    free(copy);
}

static int find_self(void **state)
{
    (void)state;
    uint64_t bias = 0;
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    dl_iterate_phdr(take_bias, &bias);
    address = outer_function() - bias;
    return size <= 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inlined_functions), cmocka_unit_test(replaced_by_the_same),
        cmocka_unit_test(changed_since),     cmocka_unit_test(nowhere),
        cmocka_unit_test(fifo_as_module),    cmocka_unit_test(addresses_out_of_range),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, find_self, NULL);
}
