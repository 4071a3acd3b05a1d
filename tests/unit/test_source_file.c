// SPDX-License-Identifier: MIT
/* Source files: where they are found, and what is taken for text. */
#define _GNU_SOURCE 1 /* mkdtemp, asprintf */
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

#include "model/source_file.h"

static char directory[] = "/tmp/test_source_file.XXXXXX";

/* A file below the directory, whose directories are there. */
static void put(const char *name, const char *text, size_t size)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(text, 1, size, file);
    fclose(file);
}

static int make(void **state)
{
    (void)state;
    char path[128];
    assert_non_null(mkdtemp(directory));
    for (const char *const *name = (const char *const[]){"a", "a/src", "b", NULL}; *name; name++) {
        snprintf(path, sizeof(path), "%s/%s", directory, *name);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    put("a/src/x.c", "in a/src", 8);
    put("a/x.c", "in a", 4);
    put("b/x.c", "in b", 4);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

/* The first line of what is found; null: nothing is.  To be freed. */
static char *first_line(const char *path, const struct source_places *places)
{
    struct source_file source;
    struct failure why;
    if (!source_file_read(&source, path, places, &why))
        return NULL;
    char *line = strdup(source.line_count ? source.lines[0] : "(empty)");
    source_file_free(&source);
    return line;
}

static void assert_found(const char *path, const struct source_places *places, const char *expected)
{
    char *found = first_line(path, places);
    if (expected)
        assert_string_equal(found, expected);
    else
        assert_null(found);
    free(found);
}

static void places(void **state)
{
    (void)state;
    char a[64], b[64], whole[96];
    snprintf(a, sizeof(a), "%s/a", directory);
    snprintf(b, sizeof(b), "%s/b", directory);
    snprintf(whole, sizeof(whole), "%s/src/x.c", a);
    const char *const both[] = {"/nonexistent", a, b}, *const last[] = {b};
    assert_found(whole, &(struct source_places){0}, "in a/src");
    assert_found("src/x.c", &(struct source_places){.compiled = a, .cwd = b}, "in a/src");
    assert_found("src/x.c", &(struct source_places){.compiled = b, .cwd = a}, "in a/src");
    assert_found("x.c", &(struct source_places){.compiled = b, .cwd = a}, "in b");
    assert_found("x.c", &(struct source_places){.cwd = "/nonexistent"}, NULL);
    assert_found("/far/src/x.c", &(struct source_places){.directories = both, .directory_count = 3},
                 "in a/src");
    assert_found("/far/away/x.c", &(struct source_places){.directories = both, .directory_count = 3}, "in a");
    assert_found(whole, &(struct source_places){.directories = last, .directory_count = 1}, "in b");
    assert_found("/far/y.c", &(struct source_places){.directories = both, .directory_count = 3}, NULL);
    assert_found("", &(struct source_places){.directories = both, .directory_count = 3, .cwd = a}, NULL);
}

static void lines(void **state)
{
    (void)state;
    struct source_places here = {.cwd = directory};
    struct source_file source;
    struct failure why;
    put("lines.c", "one\r\n\n\tthree\nfour", 17);
    assert_true(source_file_read(&source, "lines.c", &here, &why));
    assert_int_equal(source.line_count, 4);
    assert_string_equal(source.lines[0], "one");
    assert_string_equal(source.lines[1], "");
    assert_string_equal(source.lines[2], "\tthree");
    assert_string_equal(source.lines[3], "four");
    assert_true(source.mtime_ns > 0);
    assert_non_null(strstr(source.path, "/lines.c"));
    source_file_free(&source);
    put("empty.c", "", 0);
    assert_found("empty.c", &here, "(empty)");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    struct source_places here = {.cwd = directory};
    struct source_file source;
    struct failure why;
    char *text = memory_get(100000, 1);
    memset(text, 'x', 100000);
    text[99990] = '\n';
    put("long.c", text, 100000);
    assert_true(source_file_read(&source, "long.c", &here, &why));
    assert_int_equal(source.line_count, 2);
    assert_true(strlen(source.lines[0]) < 5000);
    assert_int_equal(strlen(source.lines[1]), 9);
    source_file_free(&source);
    free(text);
}

static void no_text(void **state)
{
    (void)state;
    struct source_places here = {.cwd = directory};
    struct source_file source;
    struct failure why;
    put("binary.c", "a\0b", 3);
    assert_false(source_file_read(&source, "binary.c", &here, &why));
    assert_non_null(strstr(why.text, "binary.c is no text"));
    char path[128];
    snprintf(path, sizeof(path), "%s/binary.c", directory);
    assert_int_equal(truncate(path, 20 << 20), 0);
    assert_false(source_file_read(&source, "binary.c", &here, &why));
    assert_non_null(strstr(why.text, "larger than"));
    assert_found("a", &here, NULL);                                             /* a directory */
    assert_found("self/status", &(struct source_places){.cwd = "/proc"}, NULL); /* no real file */
    char *far = memory_get(100001, 1);
    memset(far, '/', 100000);
    assert_found(far, &here, NULL);
    free(far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(lines),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(no_text),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
