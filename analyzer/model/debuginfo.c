// SPDX-License-Identifier: MIT
#include "model/debuginfo.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/dwarf_units.h"
#include "model/elf_symbols.h"
#include "model/file.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

struct debuginfo {
    Dwfl *dwfl;
    Dwfl_Module *module;
    bool symbols_read, units_read;
    struct elf_symbols symbols;
    struct dwarf_units units;
    struct obstack names; /* that stand in no file as they are */
};

/* libdwfl opens what a file names as its debug file without looking: a FIFO would stop us for good. */
static bool names_no_file(const char *module, const char *link)
{
    char directory[PATH_MAX], path[2 * PATH_MAX];
    if (!link)
        return false;
    if (link[0] == '/')
        return file_may_block(link);
    snprintf(directory, sizeof(directory), "%s", module ? module : ".");
    const char *name = dirname(directory);
    snprintf(path, sizeof(path), "%s/%s", name, link);
    if (file_may_block(path))
        return true;
    snprintf(path, sizeof(path), "%s/.debug/%s", name, link);
    return file_may_block(path);
}

static int find_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                           const char *file, const char *link, GElf_Word crc, char **found)
{
    if (names_no_file(file, link))
        return -1;
    return dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, found);
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_debug_file,
    .section_address = dwfl_offline_section_address,
};

/* What is no such file is not shown to libelf, which would also unpack archives and compressed files. */
static bool is_elf(int fd)
{
    Elf64_Ehdr header;
    return pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
           memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
           header.e_ident[EI_DATA] == ELFDATA2LSB && (header.e_type == ET_EXEC || header.e_type == ET_DYN);
}

struct debuginfo *debuginfo_open(int fd, const char *path)
{
    struct debuginfo *info = memory_get(1, sizeof(*info));
    obstack_init(&info->names);
    unsetenv("DEBUGINFOD_URLS");
    if (is_elf(fd) && (info->dwfl = dwfl_begin(&callbacks))) {
        dwfl_report_begin(info->dwfl);
        /* At base 0: addresses in the module are those in the file. */
        info->module = dwfl_report_elf(info->dwfl, path, path, fd, 0, true);
        dwfl_report_end(info->dwfl, NULL, NULL);
    }
    if (info->module)
        return info;
    close(fd);
    debuginfo_close(info);
    return NULL;
}

void debuginfo_close(struct debuginfo *info)
{
    if (!info)
        return;
    elf_symbols_free(&info->symbols);
    dwarf_units_free(&info->units);
    dwfl_end(info->dwfl);
    obstack_free(&info->names, NULL);
    free(info);
}

size_t debuginfo_build_id(struct debuginfo *info, const uint8_t **id)
{
    GElf_Addr address;
    int size = dwfl_module_build_id(info->module, id, &address);
    return size > 0 ? (size_t)size : 0;
}

static struct dwarf_units *units_of(struct debuginfo *info)
{
    Dwarf_Addr bias;
    if (!info->units_read) {
        info->units_read = true;
        Dwarf *dwarf = dwfl_module_getdwarf(info->module, &bias);
        const char *path = NULL, *debug_path = NULL;
        dwfl_module_info(info->module, NULL, NULL, NULL, NULL, NULL, &path, &debug_path);
        if (dwarf && bias == 0)
            dwarf_units_read(&info->units, dwarf, debug_path ? debug_path : path ? path : "");
    }
    return &info->units;
}

bool debuginfo_has_dwarf(struct debuginfo *info)
{
    return units_of(info)->count > 0;
}

static const char *symbol_at(struct debuginfo *info, uint64_t address)
{
    if (!info->symbols_read) {
        info->symbols_read = true;
        elf_symbols_read(&info->symbols, info->module);
    }
    return elf_symbols_find(&info->symbols, address);
}

static bool is_mangled(const char *name)
{
    return name && name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* "name" in the class or namespace "scope" becomes "scope::name". */
static const char *with_scopes(struct debuginfo *info, const struct dwarf_unit *unit,
                               const struct dwarf_scope *scope, const char *name)
{
    for (; scope; scope = dwarf_unit_outer(unit, scope)) {
        Dwarf_Die die = scope->die;
        const char *outer = dwarf_diename(&die);
        if (!outer)
            outer = dwarf_tag(&die) == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
        obstack_printf(&info->names, "%s::%s", outer, name);
        obstack_1grow(&info->names, 0);
        name = obstack_finish(&info->names);
    }
    return name;
}

/* A mangled name says more than the plain one; other linkage names (C's aliases, Fortran's) say less. */
static const char *function_name(struct debuginfo *info, const struct dwarf_unit *unit, Dwarf_Die *function)
{
    static const unsigned linkage_names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    for (size_t i = 0; i < sizeof(linkage_names) / sizeof(linkage_names[0]); i++) {
        Dwarf_Attribute attribute;
        const char *name = dwarf_formstring(dwarf_attr_integrate(function, linkage_names[i], &attribute));
        if (is_mangled(name))
            return name;
    }
    const char *name = dwarf_diename(function);
    return name ? with_scopes(info, unit, dwarf_unit_scope(unit, function), name) : NULL;
}

static bool is_cplusplus(const struct dwarf_unit *unit)
{
    static const int languages[] = {DW_LANG_C_plus_plus, DW_LANG_C_plus_plus_03, DW_LANG_C_plus_plus_11,
                                    DW_LANG_C_plus_plus_14, DW_LANG_ObjC_plus_plus};
    Dwarf_Die die = unit->die;
    int language = dwarf_srclang(&die);
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        if (language == languages[i])
            return true;
    return false;
}

/* The name of the function that is really there.  What cannot be called from other files has no mangled
   name but in the symbol table; of a function's clones it is the same. */
static const char *real_function_name(struct debuginfo *info, const struct dwarf_unit *unit,
                                      Dwarf_Die *function, uint64_t address)
{
    const char *name = function_name(info, unit, function);
    if (name && (is_mangled(name) || !is_cplusplus(unit)))
        return name;
    const char *symbol = symbol_at(info, address);
    if (name && !is_mangled(symbol))
        return name;
    const char *clone = symbol ? strchr(symbol, '.') : NULL;
    return clone ? obstack_copy0(&info->names, symbol, (size_t)(clone - symbol)) : symbol;
}

/* The functions at an address, outermost first: `function`, and what is inlined into it there. */
static size_t inlined_at(const Dwarf_Die *function, uint64_t address, Dwarf_Die chain[DEBUGINFO_DEEPEST])
{
    Dwarf_Die at = *function;
    size_t count = 0;
    chain[count++] = at;
    for (int depth = 0; depth < 4 * DEBUGINFO_DEEPEST && count < DEBUGINFO_DEEPEST; depth++) {
        bool more = dwarf_go_child(&at);
        while (more) {
            int tag = dwarf_tag(&at);
            if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
                dwarf_haspc(&at, address) == 1)
                break;
            more = dwarf_go_sibling(&at);
        }
        if (!more)
            break;
        if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
            chain[count++] = at;
    }
    return count;
}

/* Where an inlined function was called. */
static void call_place(struct place *place, Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    Dwarf_Die unit;
    Dwarf_Word number;
    Dwarf_Files *files;
    size_t count;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) == 0 && number <= INT_MAX)
        place->line = (int)number;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) == 0 &&
        dwarf_diecu(inlined, &unit, NULL, NULL) && dwarf_getsrcfiles(&unit, &files, &count) == 0 &&
        number < count)
        place->file = dwarf_filesrc(files, number, NULL, NULL);
}

static void line_place(struct place *place, Dwarf_Die *unit, uint64_t address)
{
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    int number = 0;
    if (!line || dwarf_lineno(line, &number) != 0 || number <= 0)
        return;
    place->line = number;
    place->file = dwarf_linesrc(line, NULL, NULL);
}

/* Places from the innermost outwards: a function's own position is where the next inner one was
   called; the innermost one's is the line table's. */
static size_t places_in(struct debuginfo *info, struct dwarf_unit *unit, Dwarf_Die *function,
                        uint64_t address, struct place *places)
{
    Dwarf_Die *chain = memory_get(DEBUGINFO_DEEPEST, sizeof(*chain));
    size_t count = inlined_at(function, address, chain);
    memset(places, 0, count * sizeof(*places));
    for (size_t i = 0; i < count; i++) {
        Dwarf_Die *here = &chain[count - 1 - i];
        places[i].function = i + 1 < count ? function_name(info, unit, here)
                                           : real_function_name(info, unit, here, address);
        if (i == 0)
            line_place(&places[i], &unit->die, address);
        else
            call_place(&places[i], &chain[count - i]);
    }
    free(chain);
    return count;
}

size_t debuginfo_find(struct debuginfo *info, uint64_t address, struct place places[DEBUGINFO_DEEPEST])
{
    struct dwarf_units *units = units_of(info);
    struct dwarf_unit *unit = dwarf_units_find(units, address);
    Dwarf_Die *function = unit ? dwarf_units_function(units, unit, address) : NULL;
    size_t count = 1;
    places[0] = (struct place){0};
    if (function)
        count = places_in(info, unit, function, address, places);
    else if (unit)
        line_place(&places[0], &unit->die, address);
    if (!places[count - 1].function)
        places[count - 1].function = symbol_at(info, address);
    return count;
}
