// SPDX-License-Identifier: MIT
/* Calls of libc's functions by this very program, and bytes that are none. */
#define _GNU_SOURCE 1 /* dl_iterate_phdr */
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/elf_calls.h"

static int fd;
static Elf *elf;
static struct elf_calls calls;

/* Calls by the table, and without it. */
__attribute__((noinline)) static int by_table(void)
{
    int sum = getppid();
    __asm__ volatile("" : "+r"(sum));
    return sum;
}

int getpgid_by_slot(pid_t pid) __asm__("getpgid") __attribute__((noplt));

__attribute__((noinline)) static int by_slot(void)
{
    int sum = getpgid_by_slot(0);
    __asm__ volatile("" : "+r"(sum));
    return sum;
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uint64_t *)bias = info->dlpi_addr;
    return 1; /* the first is the program */
}

static int open_self(void **state)
{
    (void)state;
    elf_version(EV_CURRENT);
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    assert_non_null(elf);
    elf_calls_read(&calls, elf);
    return 0;
}

static int close_self(void **state)
{
    (void)state;
    elf_calls_free(&calls);
    elf_end(elf);
    close(fd);
    return 0;
}

/* The first call that is found from a function's start on. */
static const char *first_call(int (*function)(void))
{
    uint64_t bias = 0;
    const char *name = NULL;
    dl_iterate_phdr(take_bias, &bias);
    for (uint64_t end = (uint64_t)(uintptr_t)function - bias + 5, last = end + 64; !name && end < last; end++)
        name = elf_calls_find(&calls, end);
    return name;
}

static void calls_of_libc(void **state)
{
    (void)state;
    assert_true(by_table() + by_slot() != 0);
    assert_string_equal(first_call(by_table), "getppid");
    assert_string_equal(first_call(by_slot), "getpgid");
}

static void addresses_of_nothing(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {0, 1, 5, 6, UINT64_MAX, UINT64_MAX - 5, INT64_MAX};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        assert_null(elf_calls_find(&calls, addresses[i]));
}

/* At the edges of code; and of a target that is none. */
static void made_up_code(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0xe8, 0x00, 0x00, 0x00, 0x00,             /* 0x1000: call 0x1005 */
        0xf3, 0x0f, 0x1e, 0xfa,                   /* 0x1005: endbr64 */
        0xf2, 0xff, 0x25, 0xf0, 0x0f, 0x00, 0x00, /* bnd jmp *0x2000 */
        0xff, 0x15, 0xea, 0x0f, 0x00, 0x00,       /* 0x1010: call *0x2000 */
        0xe8, 0x00, 0x00, 0x00, 0x70,             /* call far away */
        0xe8, 0xf3, 0xff, 0xff, 0xff,             /* call 0x1013, which is no entry */
        0xff, 0x25, 0x00,                         /* jmp *..., cut off */
    };
    static struct elf_import import = {0x2000, "wanted"};
    struct elf_calls made = {
        .imports = &import, .count = 1, .code = {{0x1000, sizeof(bytes), bytes}}, .code_count = 1};
    assert_string_equal(elf_calls_find(&made, 0x1005), "wanted");
    assert_string_equal(elf_calls_find(&made, 0x1016), "wanted");
    for (uint64_t end = 0xff0; end < 0x1040; end++)
        if (end != 0x1005 && end != 0x1016)
            assert_null(elf_calls_find(&made, end));
    import.slot = 0x2001;
    assert_null(elf_calls_find(&made, 0x1005));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_libc),
        cmocka_unit_test(addresses_of_nothing),
        cmocka_unit_test(made_up_code),
    };
    return cmocka_run_group_tests(tests, open_self, close_self);
}
