// SPDX-License-Identifier: MIT
/*
 * The image and the file under it.  Each test is a process of its own in a directory of its own.
 */
#include "shim_support.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MIB = 1 << 20, NAME_SIZE = 256 };

static char name[NAME_SIZE];

static int attach_as(const char *wanted)
{
    strcpy(name, wanted);
    return file_attach(name, sizeof name);
}

/* --- content that can be checked ----------------------------------------------------------------------- */

enum { SECTIONS_MAX = 4000 };
static struct trace_section *sections[SECTIONS_MAX];
static uint32_t section_count;

static uint64_t *words_of(uint32_t i)
{
    return (uint64_t *)(sections[i] + 1);
}

static bool add_section(uint32_t words)
{
    struct trace_section *section = file_section(TRACE_NODES, 8, words, section_count, 0);
    if (!section)
        return false;
    sections[section_count] = section;
    for (uint32_t i = 0; i < words; i++) {
        assert_int_equal(words_of(section_count)[i], 0);
        words_of(section_count)[i] = section_count * 1000000ul + i;
    }
    section_count++;
    return true;
}

static void add_sections(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_true(add_section(1 + section_count * 37 % 5000));
}

static void assert_section(uint32_t number)
{
    const struct trace_section *section = sections[number];
    assert_int_equal(section->type, TRACE_NODES);
    assert_int_equal(section->first, number);
    assert_int_equal((uintptr_t)section % TRACE_ALIGN, 0);
    assert_true(section->size >= sizeof *section + 8ul * section->capacity);
    for (uint32_t i = 0; i < section->capacity; i++)
        assert_int_equal(words_of(number)[i], number * 1000000ul + i);
}

static void assert_sections(void)
{
    for (uint32_t i = 0; i < section_count; i++)
        assert_section(i);
}

/* What read() finds is the image, up to header.used, and all of its sections. */
static void assert_file_is_image(const char *path)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    char *copy = malloc(file_header->used);
    assert_int_equal(read(fd, copy, file_header->used), file_header->used);
    assert_memory_equal(copy, file_header, file_header->used);
    free(copy);
    close(fd);
}

static void start(void)
{
    assert_null(file_header);
    assert_true(file_start());
}

static off_t blocks_on_disk(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_blocks * 512;
}

/* --- the image ----------------------------------------------------------------------------------------- */

static void begin_image(void)
{
    start();
    assert_memory_equal(file_header->magic, TRACE_MAGIC, 8);
    assert_int_equal(file_header->version, TRACE_VERSION);
    assert_int_equal(file_header->reader_version, TRACE_READER_VERSION);
    assert_int_equal(file_header->header_size, sizeof *file_header);
    assert_int_equal(file_header->arch, TRACE_ARCH_X86_64);
    assert_int_equal(file_header->used, sizeof *file_header);
    assert_false(file_is_attached());
    add_sections(300);
    assert_sections();
    assert_int_equal((char *)sections[299] + sections[299]->size - (char *)file_header, file_header->used);
}

static void strings_in_image(void)
{
    uint64_t offsets[2000];
    char text[6000], small[16];
    start();
    for (uint32_t i = 0; i < 2000; i++) {
        snprintf(small, sizeof small, "string %u", i);
        offsets[i] = file_string(small, strlen(small) + 1);
    }
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    uint64_t large = file_string(text, sizeof text), empty = file_string("", 1);
    assert_string_equal(file_at(large), text);
    assert_string_equal(file_at(empty), "");
    for (uint32_t i = 0; i < 2000; i++) {
        snprintf(small, sizeof small, "string %u", i);
        assert_string_equal(file_at(offsets[i]), small);
    }
    const struct trace_section *section = NULL;
    while ((section = shim_section(section, TRACE_STRINGS)))
        assert_true(section->size <= 8192);
}

static void no_room_in_image(void)
{
    start();
    assert_null(file_section(TRACE_NODES, UINT32_MAX, UINT32_MAX, 0, 0));
    assert_null(file_section(TRACE_NODES, 1 << 20, 1 << 20, 0, 0));
    add_sections(3);
    assert_sections();
}

/* --- attaching ----------------------------------------------------------------------------------------- */

static void attach_and_grow(void)
{
    start();
    add_sections(300);
    uint64_t used = file_header->used;
    uint64_t string = file_string("before", 7);
    assert_int_equal(attach_as("trace"), 0);
    assert_string_equal(name, "trace");
    assert_true(file_is_attached());
    assert_true(file_header->used > used);
    assert_sections();
    assert_string_equal(file_at(string), "before");
    assert_file_is_image("trace");
    add_sections(1200);
    assert_string_equal(file_at(file_string("after", 6)), "after");
    assert_sections();
    assert_file_is_image("trace");
    words_of(3)[0]++;
    assert_file_is_image("trace");
    assert_int_equal(file_header->flags, 0);
    assert_in_range(blocks_on_disk("trace"), file_header->used, file_header->used + 256 * 1024);
}

static void attach_empty(void)
{
    start();
    assert_int_equal(attach_as("trace"), 0);
    assert_file_is_image("trace");
    add_sections(10);
    assert_file_is_image("trace");
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 100; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void attach_without_descriptor(void)
{
    int before = open_descriptors();
    start();
    assert_int_equal(attach_as("trace"), 0);
    assert_int_equal(open_descriptors(), before);
    for (int fd = 3; fd < 100; fd++)
        close(fd);
    add_sections(100);
    assert_file_is_image("trace");
}

static void attach_with_stdio_closed(void)
{
    int saved = dup2(2, 50);
    close(0);
    close(1);
    close(2);
    start();
    int result = attach_as("trace");
    bool closed = fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
    dup2(saved, 2);
    assert_int_equal(result, 0);
    assert_true(closed);
    assert_file_is_image("trace");
}

static void assert_mode_under(mode_t mask)
{
    struct stat facts;
    umask(mask);
    start();
    assert_int_equal(attach_as("trace"), 0);
    assert_int_equal(lstat("trace", &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
}

static void attach_without_umask(void)
{
    assert_mode_under(0);
}

static void attach_with_full_umask(void)
{
    assert_mode_under(0777);
}

/* --- closing ------------------------------------------------------------------------------------------- */

static off_t size_of(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_size;
}

static void attach_and_say_who(void)
{
    start();
    file_header->pid = getpid();
    file_header->started_ns = 4711;
    add_sections(300);
    assert_int_equal(attach_as("trace"), 0);
    add_sections(50);
}

/* Beyond the file's end a store would raise SIGBUS. */
static void close_and_go_on(void)
{
    file_close();                       /* there is none yet */
    attach_and_say_who();
    file_close();
    assert_in_range(size_of("trace"), file_header->used, file_header->used + 256 * 1024);
    assert_file_is_image("trace");
    words_of(3)[0]++;
    assert_file_is_image("trace");
    words_of(3)[0]--;
    while (section_count < SECTIONS_MAX && add_section(1000))
        ;
    assert_in_range(section_count, 350, 400);
    assert_sections();
    assert_file_is_image("trace");
    file_close();
    assert_in_range(size_of("trace"), file_header->used, file_header->used + 256 * 1024);
}

static void close_and_detach(void)
{
    attach_and_say_who();
    file_close();
    assert_true(file_detach());
    add_sections(300);
    assert_sections();
    assert_int_equal(attach_as("trace"), 0);
    assert_string_equal(name, "trace.2");
    add_sections(300);
    assert_file_is_image("trace.2");
}

static void write_file(const char *path, const char *text);

static void close_another(void)
{
    attach_and_say_who();
    assert_int_equal(rename("trace", "elsewhere"), 0);
    file_close();                       /* none by that name */
    write_file("trace", "precious");
    file_close();
    assert_int_equal(size_of("trace"), 8);
    unlink("trace");
    assert_int_equal(symlink("elsewhere", "trace"), 0);
    off_t size = size_of("elsewhere");
    file_close();
    assert_int_equal(size_of("elsewhere"), size);
    unlink("trace");
    assert_int_equal(mkfifo("trace", 0600), 0);
    file_close();
    add_sections(100);
    assert_sections();
    assert_file_is_image("elsewhere");
}

/* --- names that exist ---------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void attach_to_existing(void)
{
    write_file("trace", "precious");
    write_file("trace.2", "precious");
    start();
    assert_int_equal(attach_as("trace"), 0);
    assert_string_equal(name, "trace.3");
    assert_file_is_image("trace.3");
    assert_int_equal(blocks_on_disk("trace"), blocks_on_disk("trace.2"));
    char text[16] = "";
    int fd = open("trace", O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 8);
    assert_string_equal(text, "precious");
}

static void attach_to_planted(void)
{
    assert_int_equal(symlink("victim", "trace"), 0);
    assert_int_equal(mkdir("trace.2", 0700), 0);
    assert_int_equal(mkfifo("trace.3", 0600), 0);
    assert_int_equal(symlink("/dev/null", "trace.4"), 0);
    start();
    assert_int_equal(attach_as("trace"), 0);
    assert_string_equal(name, "trace.5");
    assert_int_equal(access("victim", F_OK), -1);
    assert_file_is_image("trace.5");
}

static void attach_with_long_names(void)
{
    char small[12] = "trace";
    write_file("trace", "");
    start();
    assert_int_equal(file_attach(small, sizeof small), -ENAMETOOLONG);
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(file_attach(name, sizeof name - 1), 0);        /* as long as a name can be: 255 */
    assert_int_equal(unlink(name), 0);
}

/* --- what cannot be created ---------------------------------------------------------------------------- */

static void assert_still_private(void)
{
    assert_false(file_is_attached());
    assert_sections();
    add_sections(10);
    assert_sections();
    assert_int_equal(file_header->flags, 0);
}

static void attach_impossible(void)
{
    start();
    add_sections(10);
    assert_int_equal(attach_as("missing/trace"), -ENOENT);
    write_file("plain", "");
    assert_int_equal(attach_as("plain/trace"), -ENOTDIR);
    assert_still_private();
    assert_int_equal(attach_as("trace"), 0);
    assert_file_is_image("trace");
}

static void attach_unwritable(void)
{
    if (geteuid() == 0) {
        assert_int_equal(chmod(".", 0755), 0);
        assert_int_equal(syscall(SYS_setuid, 65534), 0);
    } else {
        assert_int_equal(chmod(".", 0500), 0);
    }
    start();
    add_sections(10);
    assert_int_equal(attach_as("trace"), -EACCES);
    assert_still_private();
}

/* --- limits -------------------------------------------------------------------------------------------- */

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* SIGXFSZ would end this process. */
static void grow_to_limit(void)
{
    limit_file_size(MIB + 1000);
    start();
    add_sections(10);
    assert_int_equal(attach_as("trace"), 0);
    uint32_t before = section_count;
    while (section_count < SECTIONS_MAX && add_section(1000))
        ;
    assert_in_range(section_count, before + 50, SECTIONS_MAX - 1);
    assert_in_range(file_header->used, MIB - 20000, MIB);
    assert_sections();
    assert_file_is_image("trace");
}

static void attach_beyond_limit(void)
{
    limit_file_size(100000);
    start();
    add_sections(100);
    assert_int_equal(attach_as("trace"), -EFBIG);
    assert_int_equal(access("trace", F_OK), -1);
    assert_still_private();
}

static void start_in_little_address_space(void)
{
    struct rlimit limit = {512 * MIB, 512 * MIB};
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    start();
    add_sections(100);
    assert_int_equal(attach_as("trace"), 0);
    add_sections(100);
    assert_sections();
    assert_file_is_image("trace");
}

static void fit_little_address_space(void)
{
    struct rlimit limit = {64 * MIB, 64 * MIB};
    start();
    add_sections(100);
    assert_int_equal(attach_as("trace"), 0);
    add_sections(100);
    file_fit();                 /* no limit: all stays */
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    assert_ptr_equal(mmap(NULL, MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    file_fit();
    assert_ptr_not_equal(mmap(NULL, 32 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    add_sections(100);
    assert_sections();
    assert_file_is_image("trace");
    while (add_section(5000))
        ;
    assert_sections();
}

/* --- a full disk --------------------------------------------------------------------------------------- */

static bool mount_small(void)
{
    return mkdir("small", 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "small", "tmpfs", 0, "size=1m") == 0;
}

/* SIGBUS would end this process. */
static void grow_on_full_disk(void)
{
    if (!mount_small())
        return;
    start();
    add_sections(10);
    assert_int_equal(attach_as("small/trace"), 0);
    while (section_count < 400 && add_section(1000))
        ;
    assert_sections();
    assert_int_equal(file_header->flags, TRACE_DISK_FULL);
    assert_in_range(file_header->used, MIB / 2, MIB);
    assert_file_is_image("small/trace");
    while (file_string("short", 6))             /* the room that there is already */
        ;
    assert_int_equal(unlink("small/trace"), 0);
    assert_false(add_section(1000));            /* once full, always full */
    words_of(0)[0] = 5;
    words_of(0)[0] = 0;
    assert_sections();
    assert_true(file_detach());
    assert_sections();
    assert_int_equal(attach_as("trace"), 0);    /* elsewhere there is room */
    add_sections(100);
    assert_sections();
    assert_file_is_image("trace");
}

static void attach_on_full_disk(void)
{
    if (!mount_small())
        return;
    start();
    while (section_count < 400)
        assert_true(add_section(1000));
    assert_int_equal(attach_as("small/trace"), -ENOSPC);
    assert_int_equal(access("small/trace", F_OK), -1);
    assert_still_private();
    assert_int_equal(attach_as("trace"), 0);
    assert_sections();
}

/* --- a kernel that cannot populate --------------------------------------------------------------------- */

static void be_old_kernel(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 23 /* MADV_POPULATE_WRITE */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static uint64_t mapped_of_file(const char *text)
{
    char line[4352];
    uint64_t from, to, sum = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (strstr(line, text) && sscanf(line, "%lx-%lx", &from, &to) == 2)
            sum += to - from;
    fclose(maps);
    return sum;
}

static void attach_on_old_kernel(void)
{
    be_old_kernel();
    start();
    add_sections(50);
    assert_int_equal(attach_as("old-trace"), 0);
    assert_sections();
    while (section_count < SECTIONS_MAX && add_section(1000))
        ;
    assert_in_range(file_header->used, 3 * MIB, 4 * MIB);
    assert_sections();
    assert_file_is_image("old-trace");
    assert_int_equal(mapped_of_file("old-trace"), 4 * MIB);
}

static void attach_on_old_kernel_with_limit(void)
{
    be_old_kernel();
    limit_file_size(MIB);
    start();
    add_sections(5);
    assert_int_equal(attach_as("old-trace"), 0);
    while (section_count < SECTIONS_MAX && add_section(1000))
        ;
    assert_in_range(file_header->used, MIB / 2, MIB);
    assert_sections();
    assert_file_is_image("old-trace");
}

/* --- detaching ----------------------------------------------------------------------------------------- */

static struct trace_counter *add_counters(void)
{
    struct trace_section *section = file_section(TRACE_COUNTERS, sizeof(struct trace_counter), 64, 0, 7);
    struct trace_counter *counter = (struct trace_counter *)(section + 1);
    counter[5].allocations = 55;
    return counter + 5;
}

static void detach(void)
{
    start();
    add_sections(20);
    struct trace_counter *counter = add_counters();
    assert_int_equal(attach_as("trace"), 0);
    counter->allocations++;
    assert_true(file_detach());
    assert_false(file_is_attached());
    assert_sections();
    assert_int_equal(counter->allocations, 0);
    const struct trace_section *section = (const struct trace_section *)(counter - 5) - 1;
    assert_int_equal(section->type, TRACE_COUNTERS);
    assert_int_equal(section->shard, 7);
}

static void assert_word_in_file(const char *path, const void *in_image, uint64_t expected)
{
    uint64_t word = 0;
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, &word, 8, (const char *)in_image - (const char *)file_header), 8);
    assert_int_equal(word, expected);
    close(fd);
}

static void detached_stores_stay_private(void)
{
    detach();
    words_of(0)[0] = 4711;
    file_header->epoch = 99;
    assert_word_in_file("trace", &words_of(0)[0], 0);
    assert_word_in_file("trace", &file_header->epoch, 0);
    words_of(0)[0] = 0;
    add_sections(100);
    assert_sections();
}

static void detached_gets_a_file_of_its_own(void)
{
    detach();
    add_sections(100);
    assert_int_equal(attach_as("trace"), 0);
    assert_string_equal(name, "trace.2");
    add_sections(100);
    assert_sections();
    assert_file_is_image("trace.2");
}

static void detach_in_forks_child(void)
{
    int status;
    start();
    add_sections(20);
    struct trace_counter *counter = add_counters();
    assert_int_equal(attach_as("trace"), 0);
    pid_t pid = fork();
    if (pid == 0) {
        assert_true(file_detach());
        assert_int_equal(counter->allocations, 0);
        counter->allocations = 1000;
        add_sections(300);
        assert_sections();
        assert_int_equal(attach_as("trace"), 0);
        assert_string_equal(name, "trace.2");
        assert_file_is_image("trace.2");
        _exit(0);
    }
    add_sections(300);          /* meanwhile */
    counter->allocations++;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_sections();
    assert_int_equal(counter->allocations, 56);
    assert_file_is_image("trace");
}

/* ------------------------------------------------------------------------------------------------------- */

static void test_in_directory(void **state)
{
    shim_in_directory((void (*)(void))(uintptr_t)*state);
}

static void test_as_root(void **state)
{
    if (geteuid() != 0)
        skip();
    test_in_directory(state);
}

/* A sanitizer needs terabytes of it itself. */
static void test_with_little_space(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    test_in_directory(state);
}

#define TEST(title, body) {title, test_in_directory, NULL, NULL, (void *)(uintptr_t)(body)}
#define DISK(title, body) {title, test_as_root, NULL, NULL, (void *)(uintptr_t)(body)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("sections follow one another", begin_image),
        TEST("strings stay where they are", strings_in_image),
        TEST("what has no room is null", no_room_in_image),
        TEST("the image survives attaching and growing", attach_and_grow),
        TEST("an empty image can be attached", attach_empty),
        TEST("no descriptor is needed or left open", attach_without_descriptor),
        TEST("descriptors 0 to 2 are left alone", attach_with_stdio_closed),
        TEST("the mode is 0600 without a umask", attach_without_umask),
        TEST("the mode is 0600 with a umask of 0777", attach_with_full_umask),
        TEST("a closed file is as large as what is in it", close_and_go_on),
        TEST("a closed file can be detached from", close_and_detach),
        TEST("no other file is closed in its place", close_another),
        TEST("a file that exists is not touched", attach_to_existing),
        TEST("links, directories and pipes are not followed", attach_to_planted),
        TEST("a name must fit with its suffix", attach_with_long_names),
        TEST("a name that cannot be is an error and changes nothing", attach_impossible),
        TEST("an unwritable directory is an error and changes nothing", attach_unwritable),
        TEST("growth ends at the limit of file sizes", grow_to_limit),
        TEST("an image beyond the limit of file sizes stays private", attach_beyond_limit),
        {"a limit of address space makes it smaller", test_with_little_space, NULL, NULL,
         (void *)(uintptr_t)start_in_little_address_space},
        {"a limit that comes later does, too", test_with_little_space, NULL, NULL,
         (void *)(uintptr_t)fit_little_address_space},
        DISK("a full disk makes further growth private", grow_on_full_disk),
        DISK("a full disk at the start is an error and changes nothing", attach_on_full_disk),
        TEST("an old kernel gets a file of fixed size", attach_on_old_kernel),
        TEST("an old kernel respects the limit of file sizes", attach_on_old_kernel_with_limit),
        TEST("detaching zeroes counters and keeps the rest", detach),
        TEST("what is stored after detaching does not reach the file", detached_stores_stay_private),
        TEST("a detached image can have another file", detached_gets_a_file_of_its_own),
        TEST("parent and child write files of their own", detach_in_forks_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
