// SPDX-License-Identifier: MIT
/* Suppressions: patterns, files, and which sites of a trace fall under them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/leaks.h"
#include "trace_writer.h"

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool found;
    } cases[] = {
        {"foo", "foo", true},
        {"foo", "a_foo_b", true},
        {"foo", "fo", false},
        {"foo", "", false},
        {"foo", NULL, false},
        {"^foo", "foobar", true},
        {"^foo", "afoo", false},
        {"foo$", "afoo", true},
        {"foo$", "foob", false},
        {"foo$", "foofoo", true},
        {"^foo$", "foo", true},
        {"^foo$", "foofoo", false},
        {"^foo$", "fooo", false},
        {"a*b", "xaxxbx", true},
        {"a*b", "ba", false},
        {"a*a", "a", false},
        {"a*a", "aa", true},
        {"^a*b$", "axxb", true},
        {"^a*b$", "axxbx", false},
        {"^a*b$", "xab", false},
        {"^*b", "xxb", true},
        {"*", "x", true},
        {"*", "", false},
        {"^", "x", true},
        {"a*", "xa", true},
        {"a*$", "xab", true},
        {"*a*b*c*", "1a2b3c4", true},
        {"*a*b*c*", "1a2c3b4", false},
        {"$", "x", false},
        {"^$", "x", false},
        {"ab*ab$", "ab", false},
        {"ab*ab$", "abab", true},
        {"a$b", "a", true},
        {"std::vector<int>*", "std::vector<int>::push_back(int&&)", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (suppressions_match(cases[i].pattern, cases[i].name) != cases[i].found)
            fail_msg("'%s' in '%s'", cases[i].pattern, cases[i].name ? cases[i].name : "(null)");
}

static const char *write_file(const char *text, size_t size)
{
    static char path[64];
    strcpy(path, "/tmp/test_suppressions.XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
    return path;
}

static void files(void **state)
{
    (void)state;
    static const char text[] = "# comment\n\n  leak:first  \r\n\tleak:a b\n   # another\nleak:last";
    const char *path = write_file(text, strlen(text));
    struct suppressions suppressions;
    struct failure why;
    suppressions_start(&suppressions, false);
    assert_int_equal(suppressions.count, 0);
    assert_true(suppressions_read(&suppressions, path, &why));
    assert_int_equal(suppressions.count, 3);
    assert_string_equal(suppressions.all[0].pattern, "first");
    assert_int_equal(suppressions.all[0].line, 3);
    assert_string_equal(suppressions.all[1].pattern, "a b");
    assert_string_equal(suppressions.all[2].pattern, "last");
    assert_int_equal(suppressions.all[2].line, 6);
    assert_string_equal(suppressions.all[2].file, path);
    unlink(path);
    suppressions_free(&suppressions);
}

static void wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *said;
    } cases[] = {
        {"leak:a\nrace:b\n", 14, ":2: not a suppression"},
        {"foo\n", 4, ":1: not a suppression"},
        {"leak\n", 5, ":1: not a suppression"},
        {"\n\nleak:  \n", 10, ":3: the pattern is empty"},
        {"leak:a\0b\n", 9, ":1: has a zero byte"},
        {"Leak:a\n", 7, ":1: not a suppression"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = write_file(cases[i].text, cases[i].size);
        struct suppressions suppressions;
        struct failure why;
        suppressions_start(&suppressions, false);
        assert_false(suppressions_read(&suppressions, path, &why));
        assert_memory_equal(why.text, path, strlen(path));
        assert_memory_equal(why.text + strlen(path), cases[i].said, strlen(cases[i].said));
        suppressions_free(&suppressions);
        unlink(path);
    }
}

static void unreadable_files(void **state)
{
    (void)state;
    struct suppressions suppressions;
    struct failure why;
    suppressions_start(&suppressions, false);
    assert_false(suppressions_read(&suppressions, "/nonexistent/file", &why));
    assert_string_equal(why.text, "/nonexistent/file: No such file or directory");
    assert_false(suppressions_read(&suppressions, "/", &why));
    assert_string_equal(why.text, "/: Is a directory");
    suppressions_free(&suppressions);
}

/* --- sites --------------------------------------------------------------------------------------------- */

enum { LOADER = 1, CALLBACK, PLAIN, OUTER, FREED, SITES };

static struct trace_writer writer;
static struct trace trace;
static struct symbols *symbols;
static struct view view = {.metric = METRIC_CURRENT, .by = BY_SITE};
static struct scope scope;

static void count_live(uint32_t site, uint64_t blocks, uint64_t bytes)
{
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = blocks, .allocated_bytes = bytes};
}

/* Modules are all that is known of their frames. */
static int make(void **state)
{
    (void)state;
    char path[] = "/tmp/test_suppressions.XXXXXX";
    struct failure why;
    writer_start(&writer);
    uint32_t program = writer_module(&writer, "/nonexistent/prog"),
             plugin = writer_module(&writer, "/nonexistent/plugin.so"),
             loader = writer_module(&writer, "/nonexistent/ld-linux-x86-64.so.2"),
             recorder = writer_module(&writer, "/nonexistent/libtrace.so");
    uint32_t main_node = writer_node(&writer, TRACE_NODE_ROOT, writer_frame(&writer, program, 0x10)),
             loader_node = writer_node(&writer, main_node, writer_frame(&writer, loader, 0x20)),
             plugin_node = writer_node(&writer, loader_node, writer_frame(&writer, plugin, 0x30)),
             second_node = writer_node(&writer, plugin_node, writer_frame(&writer, program, 0x40));
    uint32_t hook = writer_frame(&writer, recorder, 0x50);
    assert_int_equal(writer_site(&writer, writer_node(&writer, loader_node, hook)), LOADER);
    assert_int_equal(writer_site(&writer, plugin_node), CALLBACK);
    assert_int_equal(writer_site(&writer, main_node), PLAIN);
    assert_int_equal(writer_site(&writer, second_node), OUTER);
    assert_int_equal(writer_site(&writer, writer_node(&writer, second_node, hook)), FREED);
    count_live(LOADER, 10, 1000);
    count_live(CALLBACK, 1, 300);
    count_live(PLAIN, 1, 50);
    count_live(OUTER, 2, 0); /* blocks of no bytes are leaks, too */
    writer_counter(&writer, 0, FREED)->allocations = writer_counter(&writer, 0, FREED)->frees = 5;
    close(mkstemp(path));
    writer_save(&writer, path);
    assert_true(trace_read(&trace, path, &why));
    unlink(path);
    symbols = symbols_open(&trace);
    scope_open(&scope, &view, &trace, symbols);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    scope_close(&scope);
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

static void find(struct leaks *leaks, struct suppressions *suppressions, bool builtin, const char *text)
{
    struct failure why;
    const char *path = write_file(text, strlen(text));
    suppressions_start(suppressions, builtin);
    assert_true(suppressions_read(suppressions, path, &why));
    unlink(path);
    leaks_find(leaks, &scope, suppressions);
    assert_int_equal(leaks->leaked.bytes + leaks->suppressed.bytes, trace.totals.current_bytes);
    assert_int_equal(leaks->leaked.blocks + leaks->suppressed.blocks, trace.totals.current_blocks);
    assert_int_equal(leaks->leaked.sites, leaks->rows.count);
}

static void forget(struct leaks *leaks, struct suppressions *suppressions)
{
    leaks_free(leaks);
    suppressions_free(suppressions);
}

static void nothing_is_suppressed(void **state)
{
    (void)state;
    struct leaks leaks;
    struct suppressions suppressions;
    find(&leaks, &suppressions, false, "leak:none of these\n");
    assert_int_equal(leaks.rows.count, 4);
    assert_int_equal(leaks.rows.all[0].site, LOADER);
    assert_int_equal(leaks.rows.all[3].site, OUTER);
    assert_int_equal(leaks.used_count, 0);
    assert_null(leaks.nameless);
    forget(&leaks, &suppressions);
}

/* What the loader allocates is its own; what a constructor does that it calls is not. */
static void builtin_list_is_for_the_library_s_own(void **state)
{
    (void)state;
    struct leaks leaks;
    struct suppressions suppressions;
    find(&leaks, &suppressions, true, "");
    assert_int_equal(leaks.rows.count, 3);
    assert_int_equal(leaks.rows.all[0].site, CALLBACK);
    assert_int_equal(leaks.suppressed.bytes, 1000);
    assert_int_equal(leaks.suppressed.blocks, 10);
    assert_int_equal(leaks.used_count, 1);
    assert_null(suppressions.all[leaks.used[0]].file);
    forget(&leaks, &suppressions);
}

/* A line of a file is for every frame of the stack, and is counted before the built-in ones. */
static void lines_are_for_every_frame(void **state)
{
    (void)state;
    struct leaks leaks;
    struct suppressions suppressions;
    find(&leaks, &suppressions, true, "leak:plugin\nleak:^/nonexistent/ld-*\n");
    assert_int_equal(leaks.rows.count, 1);
    assert_int_equal(leaks.rows.all[0].site, PLAIN);
    assert_int_equal(leaks.used_count, 2);
    assert_int_equal(suppressions.all[leaks.used[0]].line, 2);
    assert_int_equal(leaks.by[leaks.used[0]].blocks, 10);
    assert_int_equal(suppressions.all[leaks.used[1]].line, 1);
    assert_int_equal(leaks.by[leaks.used[1]].blocks, 3);
    assert_int_equal(leaks.by[leaks.used[1]].sites, 2);
    forget(&leaks, &suppressions);
    find(&leaks, &suppressions, false, "leak:libtrace\n"); /* not in any stack that is shown */
    assert_int_equal(leaks.rows.count, 4);
    forget(&leaks, &suppressions);
    find(&leaks, &suppressions, false, "leak:prog$\n");
    assert_int_equal(leaks.rows.count, 0);
    assert_int_equal(leaks.suppressed.sites, 4);
    forget(&leaks, &suppressions);
}

static void runtime_modules(void **state)
{
    (void)state;
    assert_true(suppressions_is_runtime("/lib/x86_64-linux-gnu/libc.so.6"));
    assert_true(suppressions_is_runtime("ld-linux-x86-64.so.2"));
    assert_true(suppressions_is_runtime("/usr/lib/x86_64-linux-gnu/gconv/UTF-16.so"));
    assert_true(suppressions_is_runtime("/usr/lib/x86_64-linux-gnu/libnss_systemd.so.2"));
    assert_false(suppressions_is_runtime("/usr/lib/libcurl.so.4"));
    assert_false(suppressions_is_runtime("/home/libc.so.6/prog"));
    assert_false(suppressions_is_runtime(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(files),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(unreadable_files),
        cmocka_unit_test(nothing_is_suppressed),
        cmocka_unit_test(builtin_list_is_for_the_library_s_own),
        cmocka_unit_test(lines_are_for_every_frame),
        cmocka_unit_test(runtime_modules),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
