// SPDX-License-Identifier: MIT
/*
 * Functions of other files that an ELF file of x86-64 calls, by the calls: their names are known even where
 * those other files have none for the code that then runs.
 */
#ifndef MODEL_ELF_CALLS_H
#define MODEL_ELF_CALLS_H

#include <gelf.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_CALLS_SECTIONS 32 /* with code; there are about five */

struct elf_import {
    uint64_t slot; /* where the function's address is put */
    const char *name;
};

struct elf_code {
    uint64_t start, size;
    const uint8_t *bytes;
};

struct elf_calls {
    struct elf_import *imports; /* by slot */
    size_t count, capacity;
    struct elf_code code[ELF_CALLS_SECTIONS];
    size_t code_count;
};

/* The file must stay open as long. */
void elf_calls_read(struct elf_calls *calls, Elf *elf);

void elf_calls_free(struct elf_calls *calls);

/* The imported function that is called by the instruction that ends before `end`, by way of the procedure linkage
   table or not; null if it is no such call. */
const char *elf_calls_find(const struct elf_calls *calls, uint64_t end);

#endif
