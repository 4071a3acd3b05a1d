// SPDX-License-Identifier: MIT
#include "model/elf_calls.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

/* --- reading ------------------------------------------------------------------------------------------- */

static void add_code(struct elf_calls *calls, Elf_Scn *section, const GElf_Shdr *header)
{
    const Elf_Data *data = calls->code_count < ELF_CALLS_SECTIONS ? elf_getdata(section, NULL) : NULL;
    if (data && data->d_buf && data->d_size)
        calls->code[calls->code_count++] = (struct elf_code){header->sh_addr, data->d_size, data->d_buf};
}

/* Relocations that put a function's address into a slot. */
static void add_imports(struct elf_calls *calls, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Shdr table;
    Elf_Scn *symbols = elf_getscn(elf, header->sh_link);
    Elf_Data *data = elf_getdata(section, NULL), *symbol_data = symbols ? elf_getdata(symbols, NULL) : NULL;
    if (!data || !symbol_data || !gelf_getshdr(symbols, &table) || header->sh_entsize != sizeof(Elf64_Rela))
        return;
    for (size_t i = 0; i < data->d_size / sizeof(Elf64_Rela); i++) {
        GElf_Rela relocation;
        GElf_Sym symbol;
        if (!gelf_getrela(data, (int)i, &relocation))
            return;
        uint32_t type = GELF_R_TYPE(relocation.r_info);
        if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
            !gelf_getsym(symbol_data, (int)GELF_R_SYM(relocation.r_info), &symbol))
            continue;
        const char *name = elf_strptr(elf, table.sh_link, symbol.st_name);
        if (!name || !*name)
            continue;
        calls->imports = memory_grow(calls->imports, calls->count, &calls->capacity, sizeof(*calls->imports));
        calls->imports[calls->count++] = (struct elf_import){relocation.r_offset, name};
    }
}

static int by_slot(const void *a, const void *b)
{
    const struct elf_import *x = a, *y = b;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

void elf_calls_read(struct elf_calls *calls, Elf *elf)
{
    *calls = (struct elf_calls){0};
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC))
            continue;
        if (header.sh_type == SHT_PROGBITS && header.sh_flags & SHF_EXECINSTR)
            add_code(calls, section, &header);
        if (header.sh_type == SHT_RELA)
            add_imports(calls, elf, section, &header);
    }
    if (calls->count)
        qsort(calls->imports, calls->count, sizeof(*calls->imports), by_slot);
}

void elf_calls_free(struct elf_calls *calls)
{
    free(calls->imports);
    *calls = (struct elf_calls){0};
}

/* --- instructions -------------------------------------------------------------------------------------- */

/* `size` bytes of code; null if there is none. */
static const uint8_t *code_at(const struct elf_calls *calls, uint64_t address, size_t size)
{
    for (size_t i = 0; i < calls->code_count; i++) {
        const struct elf_code *code = &calls->code[i];
        uint64_t offset = address - code->start;
        if (address >= code->start && offset < code->size && code->size - offset >= size)
            return code->bytes + offset;
    }
    return NULL;
}

/* The address that an instruction names by its last four bytes, relative to its end. */
static uint64_t relative(const uint8_t *last, uint64_t end)
{
    int32_t distance;
    memcpy(&distance, last, sizeof(distance));
    return end + (uint64_t)(int64_t)distance;
}

static const char *import_at(const struct elf_calls *calls, uint64_t slot)
{
    struct elf_import wanted = {.slot = slot}, *found = NULL;
    if (calls->count)
        found = bsearch(&wanted, calls->imports, calls->count, sizeof(wanted), by_slot);
    return found ? found->name : NULL;
}

/* An entry of the procedure linkage table: maybe endbr64, maybe bnd, then jmp *slot(%rip). */
static const char *import_of_entry(const struct elf_calls *calls, uint64_t entry)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    const uint8_t *code = code_at(calls, entry, sizeof(endbr64));
    if (code && memcmp(code, endbr64, sizeof(endbr64)) == 0)
        entry += sizeof(endbr64);
    code = code_at(calls, entry, 1);
    if (code && *code == 0xf2)
        entry++;
    code = code_at(calls, entry, 6);
    bool jumps = code && code[0] == 0xff && code[1] == 0x25;
    return jumps ? import_at(calls, relative(code + 2, entry + 6)) : NULL;
}

const char *elf_calls_find(const struct elf_calls *calls, uint64_t end)
{
    const uint8_t *direct = code_at(calls, end - 5, 5), *indirect = code_at(calls, end - 6, 6);
    const char *name = NULL;
    if (indirect && indirect[0] == 0xff && indirect[1] == 0x15) /* call *slot(%rip) */
        name = import_at(calls, relative(indirect + 2, end));
    if (!name && direct && direct[0] == 0xe8)
        name = import_of_entry(calls, relative(direct + 1, end));
    return name;
}
