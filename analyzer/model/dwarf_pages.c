// SPDX-License-Identifier: MIT
#include "model/dwarf_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* libelf notes in the table of sections which of them it has uncompressed: that must stay.  It stands behind
   all sections, where linkers put it, or nothing leaves. */
static const char *table_of_sections(Elf *elf)
{
    GElf_Ehdr header;
    const char *image = elf_rawfile(elf, NULL);
    return image && gelf_getehdr(elf, &header) ? image + header.e_shoff : NULL;
}

void dwarf_pages_open(struct dwarf_pages *pages, Dwarf_Die *unit)
{
    const char *start = (const char *)unit->addr - dwarf_dieoffset(unit);
    const char *end = is_file(start) ? table_of_sections(dwarf_getelf(dwarf_cu_getdwarf(unit->cu))) : NULL;
    *pages = end > start ? (struct dwarf_pages){start, end} : (struct dwarf_pages){0};
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
