// SPDX-License-Identifier: MIT
/* The function symbols of an ELF file, by address: what is known of code without debug information. */
#ifndef MODEL_ELF_SYMBOLS_H
#define MODEL_ELF_SYMBOLS_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
    uint64_t start, end;
    const char *name; /* as in the file; belongs to the module */
};

struct elf_symbols {
    struct elf_symbol *all; /* sorted, one per start */
    size_t count;
};

/* All functions of a module whose load address is the ELF file's own. */
void elf_symbols_read(struct elf_symbols *symbols, Dwfl_Module *module);

void elf_symbols_free(struct elf_symbols *symbols);

/* The function around an address, or null: the nearest before it, if it reaches so far. */
const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address);

#endif
