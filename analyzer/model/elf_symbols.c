// SPDX-License-Identifier: MIT
#include "model/elf_symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

struct candidate {
    struct elf_symbol symbol;
    bool local, reserved; /* of two names of one function the public one is meant */
    int number;
};

static int by_address(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->symbol.start != y->symbol.start)
        return x->symbol.start < y->symbol.start ? -1 : 1;
    if (x->local != y->local)
        return x->local - y->local;
    if (x->reserved != y->reserved)
        return x->reserved - y->reserved;
    return x->number - y->number;
}

static bool is_function(const GElf_Sym *symbol, const char *name)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && name && *name;
}

static size_t collect(struct candidate *candidates, Dwfl_Module *module, int count)
{
    size_t found = 0;
    for (int i = 0; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (!name || !is_function(&symbol, name))
            continue;
        candidates[found++] = (struct candidate){.symbol = {address, address + symbol.st_size, name},
                                                 .local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL,
                                                 .reserved = name[0] == '_' && name[1] != 'Z',
                                                 .number = i};
    }
    return found;
}

/* Functions written in assembly may have no size: they reach to the next one. */
static void keep_one_per_start(struct elf_symbols *symbols, const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct elf_symbol *symbol = &candidates[i].symbol;
        struct elf_symbol *last = symbols->count ? &symbols->all[symbols->count - 1] : NULL;
        if (last && last->start == symbol->start) {
            if (last->end < symbol->end)
                last->end = symbol->end;
            continue;
        }
        if (last && last->end <= last->start)
            last->end = symbol->start;
        symbols->all[symbols->count++] = *symbol;
    }
}

void elf_symbols_read(struct elf_symbols *symbols, Dwfl_Module *module)
{
    *symbols = (struct elf_symbols){0};
    int count = dwfl_module_getsymtab(module);
    if (count <= 0)
        return;
    struct candidate *candidates = memory_get((size_t)count, sizeof(*candidates));
    size_t found = collect(candidates, module, count);
    qsort(candidates, found, sizeof(*candidates), by_address);
    symbols->all = memory_get(found, sizeof(*symbols->all));
    keep_one_per_start(symbols, candidates, found);
    free(candidates);
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    free(symbols->all);
    *symbols = (struct elf_symbols){0};
}

const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address)
{
    size_t low = 0, high = symbols->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (symbols->all[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address >= symbols->all[low - 1].end)
        return NULL;
    return symbols->all[low - 1].name;
}
