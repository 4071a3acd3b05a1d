// SPDX-License-Identifier: MIT
/* Traces among other files of a directory. */
#define _GNU_SOURCE 1
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

#include "model/find.h"
#include "trace_writer.h"

static char folder[] = "/tmp/test_find.XXXXXX";
static struct trace_writer writer;

static void read_boot_id(uint8_t id[16])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    unsigned byte;
    assert_non_null(file);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            assert_int_equal(fgetc(file), '-');
        assert_int_equal(fscanf(file, "%2x", &byte), 1);
        id[i] = (uint8_t)byte;
    }
    fclose(file);
}

/* A trace that began at so many seconds, of a process that a run started as run_pid (0: none). */
static void put(const char *name, int32_t pid, uint64_t seconds, int32_t run_pid, bool this_boot)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    writer_start(&writer);
    writer.header.pid = pid;
    writer.header.run_pid = run_pid;
    writer.header.started_ns = writer.header.started_realtime_ns = seconds * 1000000000;
    if (this_boot)
        read_boot_id(writer.header.boot_id);
    writer_save(&writer, path);
}

static int fill(void **state)
{
    (void)state;
    char path[64];
    if (!mkdtemp(folder))
        return -1;
    put("b", 10, 3, 10, true);
    put("a", 10, 1, 10, true); /* what 10 was before an exec */
    put("c", 11, 2, 10, true); /* a descendant */
    put("d", 12, 4, 0, true);
    put("e", 13, 5, 10, false); /* another boot's 10 */
    snprintf(path, sizeof(path), "%s/fifo", folder);
    mkfifo(path, 0600);
    snprintf(path, sizeof(path), "%s/text", folder);
    writer_save_bytes(path, "no trace", 8);
    snprintf(path, sizeof(path), "%s/directory", folder);
    return mkdir(path, 0700);
}

static int clean(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* The last letters of the paths that were found, which are freed. */
static const char *letters(char **paths, size_t count)
{
    static char text[16];
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < count; i++) {
        text[i] = paths[i][strlen(paths[i]) - 1];
        free(paths[i]);
    }
    free(paths);
    return text;
}

static void all(void **state)
{
    (void)state;
    size_t count;
    char **paths = find_all(folder, &count);
    assert_string_equal(letters(paths, count), "acbde");
    paths = find_all("/nonexistent", &count);
    assert_string_equal(letters(paths, count), "");
}

static void of_run(void **state)
{
    (void)state;
    size_t count;
    char **paths = find_of_run(folder, 10, 0, &count);
    assert_string_equal(letters(paths, count), "acb");
    paths = find_of_run(folder, 10, 2000000000, &count);
    assert_string_equal(letters(paths, count), "cb");
    paths = find_of_run(folder, 12, 0, &count);
    assert_string_equal(letters(paths, count), "");
}

static void of_process(void **state)
{
    (void)state;
    char *path = find_of_process(folder, 10, 1);
    assert_string_equal(path + strlen(folder), "/b");
    free(path);
    assert_null(find_of_process(folder, 10, 2));
    assert_null(find_of_process(folder, 13, 1));
    path = find_newest(folder);
    assert_non_null(path);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all),
        cmocka_unit_test(of_run),
        cmocka_unit_test(of_process),
    };
    return cmocka_run_group_tests(tests, fill, clean);
}
