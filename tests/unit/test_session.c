// SPDX-License-Identifier: MIT
/*
 * Which process it is, whether it is worth a file, and how the file is called.  Each test is a process of
 * its own in a directory of its own; its parent maps the same program, so it counts as a descendant of a
 * traced one unless it is told otherwise.
 */
#include "shim_support.h"
#include "../../shim/base/options.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/session.h"
#include "../../shim/track/track.h"
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char variable[512];
static char *environment[] = {"HOME=/", variable, NULL};

static void start(struct thread *self)
{
    session_start(self, environment, NULL);
}

/* Options as in LIBTRACE_OPTIONS, with a number in them. */
static struct thread *begin_with(const char *format, int number)
{
    char text[400];
    snprintf(text, sizeof text, format, number);
    snprintf(variable, sizeof variable, "LIBTRACE_OPTIONS=%s", text);
    shim_steps.start = start;
    return guard_take((uintptr_t)__builtin_frame_address(0), 0);
}

static struct thread *begin_as_root(void)
{
    struct thread *self = begin_with("root=%d", getpid());
    assert_non_null(self);
    return self;
}

static int files_here(char *first, size_t size)
{
    DIR *directory = opendir(".");
    struct dirent *entry;
    int count = 0;
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        if (count++ == 0 && first)
            snprintf(first, size, "%s", entry->d_name);
    }
    closedir(directory);
    return count;
}

static struct trace_header read_header(const char *path)
{
    struct trace_header header;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, &header, sizeof header), sizeof header);
    close(fd);
    assert_memory_equal(header.magic, TRACE_MAGIC, 8);
    return header;
}

static void allocate(struct thread *self, uint32_t from, uint32_t to, size_t size)
{
    const uintptr_t frame[] = {0, (uintptr_t)allocate};
    for (uint32_t i = from; i < to; i++)
        track_born(self, (const void *)(0x400000000000 + 64ul * i), size, frame);
}

/* --- who ----------------------------------------------------------------------------------------------- */

static uint64_t start_of_process(void)
{
    char text[1024] = "";
    FILE *file = fopen("/proc/self/stat", "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    char *at = strrchr(text, ')') + 2;
    for (int field = 3; field < 22; field++)
        at = strchr(at, ' ') + 1;
    return strtoull(at, NULL, 10);
}

static void assert_boot_id(const uint8_t *id)
{
    char text[64] = "", ours[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    for (int i = 0; i < 16; i++)
        sprintf(ours + strlen(ours), "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    assert_memory_equal(text, ours, 36);
}

static void assert_moment(uint64_t earliest)
{
    assert_in_range(file_header->started_realtime_ns, earliest, sys_clock_ns(CLOCK_REALTIME));
    assert_in_range(file_header->started_ns, 1, sys_clock_ns(CLOCK_MONOTONIC));
    assert_int_equal(file_header->last_seen_ns, file_header->started_ns);
}

static void assert_command(void)
{
    char command[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t length = read(fd, command, sizeof command);
    assert_int_equal(file_header->command_size, length);
    assert_memory_equal(file_at(file_header->command), command, length);
    close(fd);
}

static void identify(void)
{
    char exe[4096] = "", cwd[4096];
    uint64_t before = sys_clock_ns(CLOCK_REALTIME);
    begin_as_root();
    assert_int_equal(file_header->pid, getpid());
    assert_int_equal(file_header->ppid, getppid());
    assert_int_equal(file_header->process_start, start_of_process());
    assert_boot_id(file_header->boot_id);
    assert_moment(before);
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    assert_string_equal(file_at(file_header->exe), exe);
    assert_string_equal(file_at(file_header->cwd), getcwd(cwd, sizeof cwd));
    assert_command();
    assert_int_equal(file_header->state, TRACE_RUNNING);
    assert_int_equal(file_header->depth, 1024);
    assert_int_equal(file_header->sample_bytes, 1);
    assert_int_equal(file_header->flags, 0);
}

static void identify_odd_name(void)
{
    FILE *file = fopen("/proc/self/comm", "w");
    fputs("a) R 1 2 (", file);
    fclose(file);
    begin_as_root();
    assert_int_equal(file_header->process_start, start_of_process());
}

/* --- names --------------------------------------------------------------------------------------------- */

static void name_by_default(void)
{
    char name[256], right[512], exe[400] = "";
    begin_as_root();
    assert_int_equal(files_here(name, sizeof name), 1);
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    snprintf(right, sizeof right, "tracemalloc.%s.%d.trace", strrchr(exe, '/') + 1, getpid());
    assert_string_equal(name, right);
    assert_int_equal(read_header(name).pid, getpid());
}

static void name_by_pattern(void)
{
    char name[256], right[256];
    begin_with("root=%1$d,out=x.%%p.%%t.%%z,depth=99", getpid());
    assert_int_equal(files_here(name, sizeof name), 1);
    snprintf(right, sizeof right, "x.%d.%lu.%%z", getpid(), file_header->started_realtime_ns / 1000000000);
    assert_string_equal(name, right);
    assert_int_equal(read_header(name).depth, 99);
}

static void name_absolute(void)
{
    char cwd[128], name[200], text[256];
    assert_int_equal(mkdir("sub", 0700), 0);
    snprintf(name, sizeof name, "%s/sub/trace", getcwd(cwd, sizeof cwd));
    snprintf(text, sizeof text, "root=%%d,out=%s", name);
    assert_int_equal(chdir("/"), 0);
    begin_with(text, getpid());
    assert_int_equal(read_header(name).pid, getpid());
}

static void name_relative_to_the_start(void)
{
    assert_int_equal(mkdir("sub", 0700), 0);
    struct thread *self = begin_with("out=trace", 0);
    assert_false(file_is_attached());
    assert_int_equal(chdir("sub"), 0);
    allocate(self, 0, 1000, 10);
    assert_int_equal(files_here(NULL, 0), 0);
    assert_int_equal(read_header("../trace").pid, getpid());
}

/* --- who gets a file ----------------------------------------------------------------------------------- */

static void descend(void)
{
    struct thread *self = begin_with("children=auto", 0);
    assert_non_null(self);
    allocate(self, 0, 999, 10);
    assert_false(file_is_attached());
    assert_int_equal(files_here(NULL, 0), 0);
    allocate(self, 999, 1000, 10);
    assert_true(file_is_attached());
    assert_int_equal(files_here(NULL, 0), 1);
    struct shim_site sites[4];
    shim_read_sites(sites, 4);
    assert_int_equal(sites[2].blocks, 1000);            /* the first are not lost */
}

static void descend_with_much_memory(void)
{
    struct thread *self = begin_with("", 0);
    allocate(self, 0, 1, (1 << 20) - 1);
    assert_false(file_is_attached());
    allocate(self, 1, 2, 1);
    assert_true(file_is_attached());
}

static void descend_with_file_for_all(void)
{
    begin_with("children=all", 0);
    assert_true(file_is_attached());
}

static void descend_with_file_for_none(void)
{
    assert_null(begin_with("children=none", 0));
    assert_int_equal(life_state(), LIFE_OFF);
    assert_int_equal(files_here(NULL, 0), 0);
    assert_false(session_wants_child());
}

static void root_with_file_for_none(void)
{
    assert_non_null(begin_with("children=none,root=%d", getpid()));
    assert_true(file_is_attached());
    assert_false(session_wants_child());
}

static void another_is_root(void)
{
    assert_non_null(begin_with("root=1", 0));
    assert_false(file_is_attached());
}

static void say_whether_attached(int fd, pid_t parent)
{
    while (getppid() == parent)
        usleep(1000);
    begin_with("", 0);
    _exit(write(fd, file_is_attached() ? "y" : "n", 1) != 1);
}

/* Its parent gone, it is a child of one that maps something else. */
static void be_orphan(void)
{
    int status, ends[2];
    char answer = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        parent = getpid();
        if (fork() == 0)
            say_whether_attached(ends[1], parent);
        _exit(0);
    }
    waitpid(parent, &status, 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(files_here(NULL, 0), 1);
}

/* --- what is said -------------------------------------------------------------------------------------- */

static void begin_saying(const char *options_text, int number, char *said, size_t size)
{
    int saved = dup(2), caught = open("said", O_RDWR | O_CREAT, 0600);
    dup2(caught, 2);
    unlink("said");
    begin_with(options_text, number);
    dup2(saved, 2);
    ssize_t length = pread(caught, said, size - 1, 0);
    said[length < 0 ? 0 : length] = 0;
    close(caught);
    close(saved);
}

static void say_nothing(void)
{
    char said[1000];
    begin_saying("root=%d", getpid(), said, sizeof said);
    assert_string_equal(said, "");
}

static void say_bad_options_once(void)
{
    char said[1000];
    begin_saying("depth=0,root=%d,nonsense", getpid(), said, sizeof said);
    assert_string_equal(said, "tracemalloc: LIBTRACE_OPTIONS: ignoring depth=0\n"
                              "tracemalloc: LIBTRACE_OPTIONS: ignoring nonsense\n");
    assert_true(file_is_attached());
}

static void descendants_say_nothing(void)
{
    char said[1000];
    begin_saying("depth=0,nonsense,children=all,out=missing/x", 0, said, sizeof said);
    assert_string_equal(said, "");
    assert_int_equal(life_state(), LIFE_OFF);
}

static void say_what_cannot_be_done(void)
{
    char said[1000], cwd[256], right[1000];
    begin_saying("root=%d,out=missing/x", getpid(), said, sizeof said);
    snprintf(right, sizeof right, "tracemalloc: %s %s/missing/x: no such directory\n",
             "not recording: cannot create", getcwd(cwd, sizeof cwd));
    assert_string_equal(said, right);
    assert_int_equal(life_state(), LIFE_OFF);
    assert_null(guard_take(UINTPTR_MAX, 0));
}

/* --- how long ------------------------------------------------------------------------------------------ */

static void end(void)
{
    char name[256];
    guard_drop(begin_as_root());
    session_ended(0x107);
    assert_int_equal(files_here(name, sizeof name), 1);
    struct trace_header header = read_header(name);
    assert_int_equal(header.state, TRACE_EXITED);
    assert_int_equal(header.status, 7);
    assert_in_range(header.ended_ns, header.started_ns, sys_clock_ns(CLOCK_MONOTONIC));
}

static void end_when_off(void)
{
    guard_drop(begin_as_root());
    life_give_up();
    session_ended(3);
    assert_int_equal(file_header->state, TRACE_RUNNING);
}

static void look_at_the_clock(void)
{
    struct thread *self = begin_as_root();
    uint64_t before = file_header->last_seen_ns;
    usleep(20000);
    allocate(self, 0, 2000, 1);
    assert_in_range(file_header->last_seen_ns, before + 10000000, sys_clock_ns(CLOCK_MONOTONIC));
    assert_true(file_header->recorder_bytes > 0);
}

/* --- forks --------------------------------------------------------------------------------------------- */

static void wait_for(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void be_busy_child(void)
{
    struct thread *self = shim_enter();
    assert_false(file_is_attached());
    assert_int_equal(file_header->flags, TRACE_FORKED);
    assert_int_equal(file_header->pid, getpid());
    assert_int_equal(file_header->ppid, getppid());
    assert_int_equal(file_header->process_start, start_of_process());
    allocate(self, 1000, 1999, 1);
    assert_false(file_is_attached());
    allocate(self, 1999, 2100, 1);
    assert_true(file_is_attached());
    guard_drop(self);
    session_ended(0);
    _exit(0);
}

static void fork_and_allocate(void)
{
    struct thread *self = begin_with("root=%d,out=trace", getpid());
    allocate(self, 0, 50, 100);
    guard_drop(self);
    pid_t pid = fork();
    if (pid == 0)
        be_busy_child();
    wait_for(pid);
    assert_int_equal(read_header("trace").state, TRACE_RUNNING);
    assert_int_equal(read_header("trace").pid, getpid());
    assert_int_equal(read_header("trace.2").pid, pid);
    assert_int_equal(read_header("trace.2").state, TRACE_EXITED);
    assert_int_equal(read_header("trace.2").peak_bytes, 50 * 100 + 1100);
}

static void fork_and_do_little(void)
{
    guard_drop(begin_with("root=%d,out=trace", getpid()));
    pid_t pid = fork();
    if (pid == 0) {
        struct thread *self = shim_enter();
        allocate(self, 0, 100, 1);
        guard_drop(self);
        session_ended(9);
        _exit(0);
    }
    wait_for(pid);
    assert_int_equal(files_here(NULL, 0), 1);
    assert_int_equal(read_header("trace").state, TRACE_RUNNING);
    assert_int_equal(read_header("trace").status, 0);
}

static void fork_without_file(void)
{
    struct thread *self = begin_with("", 0);
    allocate(self, 0, 900, 1);
    guard_drop(self);
    pid_t pid = fork();
    if (pid == 0) {
        self = shim_enter();
        allocate(self, 1000, 1900, 1);
        _exit(file_is_attached());
    }
    wait_for(pid);
    assert_int_equal(files_here(NULL, 0), 0);
}

static void fork_to_where_there_is_no_directory(void)
{
    struct stat facts;
    assert_int_equal(mkdir("sub", 0700), 0);
    guard_drop(begin_with("root=%d,out=sub/trace", getpid()));
    assert_int_equal(rename("sub", "gone"), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("said", O_WRONLY | O_CREAT, 0600), 2);
        allocate(shim_enter(), 0, 1000, 1);
        _exit(life_state() != LIFE_OFF);
    }
    wait_for(pid);
    assert_int_equal(stat("said", &facts), 0);
    assert_int_equal(facts.st_size, 0);
}

static void fork_without_a_hook(void)
{
    guard_drop(begin_with("root=%d,out=trace", getpid()));
    pid_t pid = fork();
    if (pid == 0) {
        session_ended(9);               /* the mapping is still the parent's */
        _exit(0);
    }
    wait_for(pid);
    assert_int_equal(read_header("trace").state, TRACE_RUNNING);
}

/* ------------------------------------------------------------------------------------------------------- */

static void test_in_directory(void **state)
{
    shim_in_directory((void (*)(void))(uintptr_t)*state);
}

#define TEST(title, body) {title, test_in_directory, NULL, NULL, (void *)(uintptr_t)(body)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("the header says who", identify),
        TEST("a program may have any name", identify_odd_name),
        TEST("the file has its name by default", name_by_default),
        TEST("the file has the name that was asked for", name_by_pattern),
        TEST("the name may be absolute", name_absolute),
        TEST("the name is relative to the directory at the start", name_relative_to_the_start),
        TEST("a descendant has a file from 1000 allocations on", descend),
        TEST("a descendant has a file from 1 MiB on", descend_with_much_memory),
        TEST("with children=all a descendant has a file at once", descend_with_file_for_all),
        TEST("with children=none a descendant is not recorded", descend_with_file_for_none),
        TEST("with children=none the user's process is", root_with_file_for_none),
        TEST("the process that was named is the user's, no other", another_is_root),
        TEST("a process whose parent is not traced is the user's", be_orphan),
        TEST("nothing is said to a file", say_nothing),
        TEST("a bad option is named once", say_bad_options_once),
        TEST("descendants say nothing", descendants_say_nothing),
        TEST("what cannot be done is said in one line", say_what_cannot_be_done),
        TEST("the end is noted", end),
        TEST("the end is not noted when off", end_when_off),
        TEST("the clock is looked at now and then", look_at_the_clock),
        TEST("a fork's child has a file of its own", fork_and_allocate),
        TEST("a fork's child that does little has none", fork_and_do_little),
        TEST("a fork's child counts from the fork", fork_without_file),
        TEST("a fork's child says nothing", fork_to_where_there_is_no_directory),
        TEST("a fork's child without a hook leaves its parent's file alone", fork_without_a_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
