// SPDX-License-Identifier: MIT
/* Words of control: what is written, when, and where not; this process is the one that is steered. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/process.h"
#include "model/steering.h"
#include "tests/unit/trace_writer.h"

#define PATIENCE 300000000

static struct trace_writer writer;
static const char *const path = writer_path;
static struct failure why;
static int error;

static void read_boot_id(uint8_t *id)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (i == 4 || i == 6 || i == 8 || i == 10)
            assert_int_equal(fgetc(file), '-');
        assert_int_equal(fscanf(file, "%2x", &byte), 1);
        id[i] = (uint8_t)byte;
    }
    fclose(file);
}

static void make(void)
{
    writer_start(&writer);
    writer.header.pid = getpid();
    writer.header.process_start = process_start_time(getpid(), NULL);
    writer.header.state = TRACE_RUNNING;
    read_boot_id(writer.header.boot_id);
    writer.control_count = 1;
    writer.control = (struct trace_control){.request = 7, .done = 7};
}

static struct trace_control *map_words(void)
{
    int fd = open(path, O_RDWR);
    char *bytes = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return (struct trace_control *)(bytes + writer.header.control);
}

/* What a recorder does, once. */
static struct trace_control seen;
static int answer_with;

static void *answers(void *argument)
{
    struct trace_control *words = argument;
    while (__atomic_load_n(&words->request, __ATOMIC_ACQUIRE) == 7 ||
           !__atomic_load_n(&words->command, __ATOMIC_ACQUIRE))
        usleep(100);
    seen = *words;
    words->result = answer_with;
    __atomic_store_n(&words->done, words->request, __ATOMIC_RELEASE);
    return NULL;
}

static enum steering_answer ask(enum trace_command command, const char *label)
{
    struct steering_request request = {.command = command, .argument = 99, .label = label};
    memset(&why, 0, sizeof(why));
    error = 0;
    return steering_ask(path, &request, PATIENCE, &error, &why);
}

static enum steering_answer ask_a_recorder(int result, const char *label)
{
    pthread_t id;
    make();
    writer_save(&writer, path);
    answer_with = result;
    pthread_create(&id, NULL, answers, map_words());
    enum steering_answer answer = ask(TRACE_COMMAND_SNAPSHOT, label);
    pthread_join(id, NULL);
    return answer;
}

static void asks_and_hears(void **state)
{
    (void)state;
    assert_int_equal(ask_a_recorder(0, "label"), STEERING_DONE);
    assert_int_equal(seen.request, 8);
    assert_int_equal(seen.command, TRACE_COMMAND_SNAPSHOT);
    assert_int_equal(seen.argument, 99);
    assert_string_equal(seen.label, "label");
    assert_int_equal(ask_a_recorder(-ENOSPC, NULL), STEERING_REFUSED);
    assert_int_equal(error, ENOSPC);
    assert_string_equal(seen.label, "");
}

static void a_label_is_cut(void **state)
{
    (void)state;
    char label[100] = "";
    for (int i = 0; i < 40; i++)
        strcat(label, i % 20 ? "\303\244" : "x");
    assert_int_equal(ask_a_recorder(0, label), STEERING_DONE);
    assert_int_equal(strnlen(seen.label, sizeof(seen.label)), 62);
    assert_memory_equal(seen.label, label, 62);
}

static void nobody_hears(void **state)
{
    (void)state;
    make();
    writer_save(&writer, path);
    assert_int_equal(ask(TRACE_COMMAND_STOP, NULL), STEERING_UNSEEN);
    assert_int_equal(map_words()->request, 8);
    assert_int_equal(map_words()->command, TRACE_COMMAND_STOP);
}

static void impossible(const char *what)
{
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(ask(TRACE_COMMAND_STOP, NULL), STEERING_IMPOSSIBLE);
    assert_int_equal(stat(path, &after), 0);
    assert_non_null(strstr(why.text, what));
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void what_is_no_running_trace(void **state)
{
    (void)state;
    make();
    writer.header.state = TRACE_EXITED;
    writer_save(&writer, path);
    impossible("has ended");
    make();
    writer.header.process_start++;
    writer_save(&writer, path);
    impossible("has ended");
    make();
    writer.header.reader_version = 1000;
    writer_save(&writer, path);
    impossible("format version");
    make();
    writer.header.magic[0] = 'x';
    writer_save(&writer, path);
    impossible("no trace");
    make();
    writer.control_count = 0;
    writer.header.control = 0;
    writer_save(&writer, path);
    impossible("cannot be steered");
}

static void words_elsewhere(uint64_t where)
{
    size_t size;
    make();
    unsigned char *image = writer_image(&writer, &size);
    memcpy(image + offsetof(struct trace_header, control), &where, sizeof(where));
    writer_save_bytes(path, image, size);
    free(image);
    impossible("damaged");
}

static void words_where_there_are_none(void **state)
{
    (void)state;
    make();
    size_t size;
    free(writer_image(&writer, &size));
    uint64_t right = writer.header.control;
    const uint64_t wrong[] = {1,         8,    64,       320,       384,        right - 64,     right + 64,
                              right + 4, size, size - 8, size + 64, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        words_elsewhere(wrong[i]);
}

static void not_a_file_of_ours(void **state)
{
    (void)state;
    char other[80];
    make();
    snprintf(other, sizeof(other), "%s/other", writer_directory);
    writer_save(&writer, other);
    unlink(path);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(ask(TRACE_COMMAND_STOP, NULL), STEERING_IMPOSSIBLE);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(ask(TRACE_COMMAND_STOP, NULL), STEERING_IMPOSSIBLE);
    unlink(path);
    assert_int_equal(ask(TRACE_COMMAND_STOP, NULL), STEERING_IMPOSSIBLE);
    unlink(other);
}

static void two_that_ask(void **state)
{
    (void)state;
    make();
    writer_save(&writer, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    impossible("another program");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_hears),
        cmocka_unit_test(a_label_is_cut),
        cmocka_unit_test(nobody_hears),
        cmocka_unit_test(what_is_no_running_trace),
        cmocka_unit_test(words_where_there_are_none),
        cmocka_unit_test(not_a_file_of_ours),
        cmocka_unit_test(two_that_ask),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
