// SPDX-License-Identifier: MIT
#include "model/dwarf_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEAST (UINT64_C(64) << 10) /* bytes of a file that is worth it */

/* Dropping pages of memory that is no file's would lose what is in them. */
static bool is_file(const char *at)
{
    char *line = NULL;
    size_t size = 0;
    bool is = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && getline(&line, &size, maps) > 0) {
        uintptr_t start, end;
        unsigned long inode;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end, &inode) == 3 && (uintptr_t)at >= start &&
            (uintptr_t)at < end)
            is = inode != 0;
    }
    free(line);
    if (maps)
        fclose(maps);
    return is;
}

void dwarf_pages_open(struct dwarf_pages *pages, Dwarf_Die *unit)
{
    Elf *elf = dwarf_getelf(dwarf_cu_getdwarf(unit->cu));
    const char *start = (const char *)unit->addr - dwarf_dieoffset(unit), *image;
    GElf_Ehdr header;
    *pages = (struct dwarf_pages){0};
    /* libelf notes in the table of sections which of them it has uncompressed: that must stay.  It stands
       behind all sections, where linkers put it, or nothing leaves. */
    if (gelf_getehdr(elf, &header) && header.e_shoff >= LEAST && is_file(start) &&
        (image = elf_rawfile(elf, NULL)) && image + header.e_shoff > start)
        *pages = (struct dwarf_pages){start, image + header.e_shoff};
}

void dwarf_pages_drop(const struct dwarf_pages *pages, const char *from, const char *to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)pages->start + page - 1;
    first = (uintptr_t)from > first ? (uintptr_t)from : first;
    uintptr_t last = (uintptr_t)(to < pages->end ? to : pages->end);
    first -= first % page;
    last -= last % page;
    if (first < last)
        madvise((void *)first, last - first, MADV_DONTNEED);
}
