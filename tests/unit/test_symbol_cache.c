// SPDX-License-Identifier: MIT
/* The cache of symbols: what it keeps, and what it does not believe. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/symbol_cache.h"

static const uint8_t id[] = {0xab, 0xcd, 0xef, 0x01};
static const struct stat elf = {.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}};
static const struct place inlined[] = {{"inner", "a.c", 7}, {"_ZN5outerEv", "a.c", 70}};
static const struct place nothing[] = {{NULL, NULL, 0}};

static char home[] = "/tmp/test_symbol_cache.XXXXXX";
static char folder[64], file[96];

static struct symbol_cache *open_cache(void)
{
    return symbol_cache_open(id, sizeof(id), &elf);
}

static int clean(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof(command), "rm -rf %s; mkdir -m 700 %s", home, home);
    return system(command);
}

static void fill(void)
{
    struct symbol_cache *cache = open_cache();
    symbol_cache_add(cache, 0x2000, inlined, 2);
    symbol_cache_add(cache, 0x1000, nothing, 1);
    symbol_cache_close(cache, true);
}

static void assert_place(const struct place *found, const struct place *wanted)
{
    assert_string_equal(found->function, wanted->function);
    assert_string_equal(found->file, wanted->file);
    assert_int_equal(found->line, wanted->line);
}

static void assert_full(const struct symbol_cache *cache)
{
    struct place found[DEBUGINFO_DEEPEST];
    assert_int_equal(symbol_cache_find(cache, 0x2000, found), 2);
    assert_place(&found[0], &inlined[0]);
    assert_place(&found[1], &inlined[1]);
    assert_int_equal(symbol_cache_find(cache, 0x1000, found), 1);
    assert_null(found[0].function);
    assert_null(found[0].file);
    assert_int_equal(symbol_cache_find(cache, 0x1001, found), 0);
    assert_int_equal(symbol_cache_find(cache, UINT64_MAX, found), 0);
}

/* How many addresses of those that fill() puts there are known. */
static int known(const struct stat *stat)
{
    struct place found[DEBUGINFO_DEEPEST];
    struct symbol_cache *cache = symbol_cache_open(id, sizeof(id), stat);
    int count = (symbol_cache_find(cache, 0x1000, found) > 0) + (symbol_cache_find(cache, 0x2000, found) > 0);
    symbol_cache_close(cache, false);
    return count;
}

static void keeps(void **state)
{
    (void)state;
    struct stat stat;
    assert_int_equal(known(&elf), 0);
    fill();
    struct symbol_cache *cache = open_cache();
    assert_full(cache);
    symbol_cache_close(cache, false);
    assert_int_equal(lstat(folder, &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0700);
    assert_int_equal(lstat(file, &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0600);
}

static void keeps_only_when_asked(void **state)
{
    (void)state;
    struct symbol_cache *cache = open_cache();
    symbol_cache_add(cache, 0x1000, nothing, 1);
    symbol_cache_close(cache, false);
    assert_int_equal(known(&elf), 0);
    assert_int_not_equal(access(folder, F_OK), 0);
    symbol_cache_close(NULL, true);
}

static void adds_to_what_is_there(void **state)
{
    (void)state;
    struct place found[DEBUGINFO_DEEPEST];
    fill();
    struct symbol_cache *cache = open_cache();
    symbol_cache_add(cache, 0x1800, &inlined[1], 1);
    symbol_cache_close(cache, true);
    cache = open_cache();
    assert_full(cache);
    assert_int_equal(symbol_cache_find(cache, 0x1800, found), 1);
    assert_place(&found[0], &inlined[1]);
    symbol_cache_close(cache, false);
}

/* Neither a copy elsewhere, nor the same place after a new build, nor who bears its id. */
static void only_for_the_same_file(void **state)
{
    (void)state;
    struct stat others[] = {elf, elf, elf, elf, elf};
    others[0].st_dev++;
    others[1].st_ino++;
    others[2].st_size++;
    others[3].st_mtim.tv_sec++;
    others[4].st_mtim.tv_nsec++;
    fill();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(known(&others[i]), 0);
    assert_int_equal(known(&elf), 2);
}

static size_t load(char *bytes, size_t room)
{
    int fd = open(file, O_RDONLY);
    ssize_t size = read(fd, bytes, room);
    close(fd);
    assert_in_range(size, 1, room - 1);
    return (size_t)size;
}

static void store(const char *bytes, size_t size)
{
    int fd = open(file, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* Of a file that is no more its build-id is all that there is to go by. */
static void for_a_file_that_is_gone(void **state)
{
    (void)state;
    assert_int_equal(known(NULL), 0);
    fill();
    assert_int_equal(known(NULL), 2);
    assert_int_equal(known(&elf), 2);
}

static void damage_is_noticed(void **state)
{
    (void)state;
    char bytes[4096];
    fill();
    size_t size = load(bytes, sizeof(bytes));
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x40;
        store(bytes, size);
        assert_int_equal(known(&elf), 0);
        bytes[i] ^= 0x40;
        store(bytes, i);
        assert_int_equal(known(&elf), 0);
    }
    store(bytes, size + 1);
    assert_int_equal(known(&elf), 0);
    store(bytes, size);
    assert_int_equal(known(&elf), 2);
}

static void damage_is_repaired(void **state)
{
    (void)state;
    fill();
    store("garbage", 7);
    assert_int_equal(known(&elf), 0);
    fill();
    assert_int_equal(known(&elf), 2);
}

static void no_regular_file_is_read(void **state)
{
    (void)state;
    fill();
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(known(&elf), 0);
    unlink(file);
    assert_int_equal(symlink("/proc/self/exe", file), 0);
    assert_int_equal(known(&elf), 0);
    fill();
    assert_int_equal(known(&elf), 2);
}

static void nobody_elses_directory(void **state)
{
    (void)state;
    fill();
    chmod(folder, 0777);
    assert_int_equal(known(&elf), 0);
    chmod(folder, 0700);
    assert_int_equal(known(&elf), 2);
}

/* As under sudo, which leaves HOME as it is. */
static void none_made_for_another(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char *user = strdup(getenv("HOME") ? getenv("HOME") : "");
    assert_int_equal(chown(home, 12345, 12345), 0);
    fill();
    assert_int_not_equal(access(folder, F_OK), 0);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", home, 1);
    fill();
    char path[128];
    snprintf(path, sizeof(path), "%s/.cache", home);
    assert_int_not_equal(access(path, F_OK), 0);
    setenv("HOME", user, 1);
    setenv("XDG_CACHE_HOME", home, 1);
    free(user);
}

static void no_place_is_no_error(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", "/dev/null/nowhere", 1);
    fill();
    assert_int_equal(known(&elf), 0);
    setenv("XDG_CACHE_HOME", "relative", 1);
    char *user = strdup(getenv("HOME") ? getenv("HOME") : "");
    setenv("HOME", "", 1);
    assert_null(open_cache());
    setenv("HOME", home, 1);
    fill();
    char path[128];
    snprintf(path, sizeof(path), "%s/.cache/tracemalloc/abcdef01", home);
    assert_int_equal(access(path, F_OK), 0);
    setenv("HOME", user, 1);
    setenv("XDG_CACHE_HOME", home, 1);
    free(user);
}

static void a_limit_of_sizes(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {100, 100};
        setrlimit(RLIMIT_FSIZE, &limit);
        fill();
        _exit(known(&elf));
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_not_equal(access(file, F_OK), 0);
}

static void make_large(int number, time_t used)
{
    char name[128];
    snprintf(name, sizeof(name), "%s/%02d", folder, number);
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, SYMBOL_CACHE_MOST / 4), 0);
    struct timespec times[2] = {{used, 0}, {used, 0}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static bool is_there(int number)
{
    char name[128];
    snprintf(name, sizeof(name), "%s/%02d", folder, number);
    return access(name, F_OK) == 0;
}

static void does_not_grow_for_ever(void **state)
{
    (void)state;
    mkdir(folder, 0700);
    static const int order[] = {3, 0, 4, 1, 2};
    for (int i = 0; i < 5; i++)
        make_large(order[i], 1000 + order[i]);
    fill();
    for (int i = 0; i < 5; i++)
        assert_int_equal(is_there(i), i >= 2); /* three, and what was added, fit */
    assert_int_equal(known(&elf), 2);
}

/* Whoever is last wins; at no time there is half a file. */
static void several_at_once(void **state)
{
    (void)state;
    fill();
    pid_t writer = fork();
    if (writer == 0) {
        for (int i = 0; i < 200; i++)
            fill();
        _exit(0);
    }
    int status = -1;
    while (waitpid(writer, &status, WNOHANG) == 0)
        assert_int_equal(known(&elf), 2);
    assert_int_equal(status, 0);
    DIR *entries = opendir(folder);
    int count = 0;
    while (readdir(entries))
        count++;
    closedir(entries);
    assert_int_equal(count, 3); /* it, ".", ".." */
}

static void not_without_build_id(void **state)
{
    (void)state;
    assert_null(symbol_cache_open(id, 0, &elf));
    static const uint8_t large[65];
    assert_null(symbol_cache_open(large, sizeof(large), &elf));
}

static void disabled(void **state)
{
    (void)state;
    symbol_cache_disable(); /* for good */
    assert_null(open_cache());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps, clean),
        cmocka_unit_test_setup(keeps_only_when_asked, clean),
        cmocka_unit_test_setup(adds_to_what_is_there, clean),
        cmocka_unit_test_setup(only_for_the_same_file, clean),
        cmocka_unit_test_setup(for_a_file_that_is_gone, clean),
        cmocka_unit_test_setup(damage_is_noticed, clean),
        cmocka_unit_test_setup(damage_is_repaired, clean),
        cmocka_unit_test_setup(no_regular_file_is_read, clean),
        cmocka_unit_test_setup(nobody_elses_directory, clean),
        cmocka_unit_test_setup(none_made_for_another, clean),
        cmocka_unit_test_setup(no_place_is_no_error, clean),
        cmocka_unit_test_setup(a_limit_of_sizes, clean),
        cmocka_unit_test_setup(does_not_grow_for_ever, clean),
        cmocka_unit_test_setup(several_at_once, clean),
        cmocka_unit_test_setup(not_without_build_id, clean),
        cmocka_unit_test_setup(disabled, clean),
    };
    if (!mkdtemp(home))
        return 1;
    snprintf(folder, sizeof(folder), "%s/tracemalloc", home);
    snprintf(file, sizeof(file), "%s/abcdef01", folder);
    setenv("XDG_CACHE_HOME", home, 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clean(NULL);
    rmdir(home);
    return failed;
}
