// SPDX-License-Identifier: MIT
/*
 * Where the C library's code and the loader's is: a handler that comes there must not call malloc, whoever
 * records.
 */
#ifndef HAZARDS_LIBRARY_H
#define HAZARDS_LIBRARY_H

#include "told.h"
#include <link.h>
#include <string.h>

static struct {
    uintptr_t start, end;
} library[2];

static int note_library(struct dl_phdr_info *object, size_t size, void *count)
{
    int *found = count;
    (void)size;
    if (!strstr(object->dlpi_name, "/libc.so") && !strstr(object->dlpi_name, "/ld-linux"))
        return 0;
    library[*found].start = library[*found].end = object->dlpi_addr;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t end = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz;
        if (object->dlpi_phdr[i].p_type == PT_LOAD && end > library[*found].end)
            library[*found].end = end;
    }
    return ++*found == 2;
}

static void find_library(void)
{
    int found = 0;
    dl_iterate_phdr(note_library, &found);
    must(found == 2);
}

static bool in_library(uintptr_t address)
{
    for (int i = 0; i < 2; i++)
        if (address >= library[i].start && address < library[i].end)
            return true;
    return false;
}

#endif
