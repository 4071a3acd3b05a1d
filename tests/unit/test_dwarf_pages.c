// SPDX-License-Identifier: MIT
/* What was read of a file's debug information leaves memory, and nothing else does. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/dwarf_pages.h"

/* This program's .debug_info, as libelf has it. */
struct opened {
    int fd;
    Elf *elf;
    Dwarf *dwarf;
    const char *start, *end;
    struct dwarf_pages pages;
};

/* mapped: as libdwfl does it.  Otherwise the whole file is read into memory, as where there is no room to map
   it. */
static void open_self(struct opened *opened, bool mapped)
{
    Dwarf_Off offset = 0, next;
    Dwarf_Die die;
    size_t header_size;
    elf_version(EV_CURRENT);
    opened->fd = open("/proc/self/exe", O_RDONLY);
    opened->elf = elf_begin(opened->fd, mapped ? ELF_C_READ_MMAP_PRIVATE : ELF_C_READ, NULL);
    assert_non_null(elf_rawfile(opened->elf, NULL));
    opened->dwarf = dwarf_begin_elf(opened->elf, DWARF_C_READ, NULL);
    assert_non_null(opened->dwarf);
    assert_int_equal(dwarf_nextcu(opened->dwarf, 0, &next, &header_size, NULL, NULL, NULL), 0);
    assert_non_null(dwarf_offdie(opened->dwarf, header_size, &die));
    opened->start = (const char *)die.addr - header_size;
    while (dwarf_nextcu(opened->dwarf, offset, &next, &header_size, NULL, NULL, NULL) == 0)
        offset = next;
    opened->end = opened->start + offset;
    dwarf_pages_open(&opened->pages, &die);
}

static void close_self(struct opened *opened)
{
    dwarf_end(opened->dwarf);
    elf_end(opened->elf);
    close(opened->fd);
}

static uint32_t sum(const struct opened *opened)
{
    uint32_t sum = 0;
    for (const char *at = opened->start; at < opened->end; at++)
        sum = sum * 31 + (unsigned char)*at;
    return sum;
}

/* How many of the pages that lie wholly in it are this process's. */
static size_t present(const struct opened *opened)
{
    size_t count = 0;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = ((uintptr_t)opened->start + page - 1) / page;
    int fd = open("/proc/self/pagemap", O_RDONLY);
    for (; (at + 1) * page <= (uintptr_t)opened->end; at++) {
        uint64_t entry = 0;
        assert_int_equal(pread(fd, &entry, sizeof(entry), (off_t)(at * sizeof(entry))), sizeof(entry));
        count += entry >> 63;
    }
    close(fd);
    return count;
}

static void mapped_pages_leave(void **state)
{
    (void)state;
    struct opened self;
    open_self(&self, true);
    uint32_t before = sum(&self);
    size_t all = present(&self);
    const char *middle = self.start + (self.end - self.start) / 2;
    assert_true(all > 4);
    dwarf_pages_drop(&self.pages, self.start, middle);
    assert_in_range(present(&self), all / 2 - 2, all / 2 + 2);
    dwarf_pages_drop(&self.pages, middle, self.end);
    assert_int_equal(present(&self), 0);
    assert_int_equal(sum(&self), before);
    dwarf_pages_drop(&self.pages, NULL, (const char *)UINTPTR_MAX);
    assert_int_equal(present(&self), 0);
    assert_int_equal(sum(&self), before);
    close_self(&self);
}

static void memory_that_is_no_file_stays(void **state)
{
    (void)state;
    struct opened self;
    open_self(&self, false);
    uint32_t before = sum(&self);
    size_t all = present(&self);
    dwarf_pages_drop(&self.pages, self.start, self.end);
    assert_int_equal(present(&self), all);
    assert_int_equal(sum(&self), before);
    close_self(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapped_pages_leave),
        cmocka_unit_test(memory_that_is_no_file_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
