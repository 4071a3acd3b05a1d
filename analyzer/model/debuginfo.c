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

#include "model/allowance.h"
#include "model/debuginfod.h"
#include "model/dwarf_functions.h"
#include "model/dwarf_inlines.h"
#include "model/dwarf_lines.h"
#include "model/dwarf_units.h"
#include "model/elf_calls.h"
#include "model/elf_symbols.h"
#include "model/file.h"
#include "model/pool.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

/* By the size of a file: what uncompressing it may take; how many of its ranges, functions, ... are believed;
   how many bytes of names are put together.  More than there are in any that was not made to do harm. */
#define ALLOWANCE(size)  ((UINT64_C(64) << 20) + 16 * (size))
#define MOST(size)       ((UINT64_C(1) << 18) + (size) / 4)
#define MOST_NAMES(size) ((UINT64_C(16) << 20) + (size))

/* Of the units only one is unpacked at a time, and of its functions' inlined ones those of one. */
struct unpacked {
    const Dwarf_Die *unit; /* null: none */
    struct dwarf_functions functions;
    const Dwarf_Die *function; /* null: none */
    struct dwarf_inlines inlines;
};

struct debuginfo {
    Dwfl *dwfl;
    Dwfl_Module *module;
    uint64_t size; /* of the file, without its holes */
    size_t most;   /* of anything that is read of it */
    bool symbols_read, units_read, calls_read;
    bool incomplete; /* a file with the rest of a unit is missing */
    struct elf_symbols symbols;
    struct elf_calls calls;
    struct dwarf_units units;
    struct unpacked unpacked;
    struct dwarf_lines lines;
    struct pool names;      /* that stand in no file as they are, or not for long */
    struct obstack scratch; /* empty between any two calls */
};

static bool blocks_in(const char *directory, const char *name)
{
    char path[2 * PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/%s", directory, name);
    return size >= (int)sizeof(path) || file_may_block(path);
}

/* A debug file called `name` would be looked for beside the file, and in .debug/ there. */
static bool blocks_beside(const char *file, const char *name)
{
    char path[PATH_MAX], hidden[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s", file);
    const char *directory = dirname(path);
    snprintf(hidden, sizeof(hidden), "%s/.debug", directory);
    return blocks_in(directory, name) || blocks_in(hidden, name);
}

/* libdwfl opens whatever may be a file's debug file without looking: a FIFO would stop us for good.  Without
   a link in the file it goes by the file's own name. */
static bool debug_file_blocks(const char *file, const char *link)
{
    char name[NAME_MAX + 8];
    if (link && link[0] == '/')
        return file_may_block(link);
    if (link)
        return blocks_beside(file, link);
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    snprintf(name, sizeof(name), "%s.debug", base);
    return blocks_beside(file, name) || blocks_beside(file, base);
}

/* The servers' answer may take more memory than reading a file. */
static int fetch_debug_file(Dwfl_Module *module, const char *file, char **found)
{
    const unsigned char *id;
    GElf_Addr address;
    struct stat stat;
    int size = dwfl_module_build_id(module, &id, &address);
    if (size <= 0 || !file || lstat(file, &stat) != 0)
        return -1;
    allowance_lift();
    int fd = debuginfod_fetch(id, (size_t)size, file, found);
    allowance_set(ALLOWANCE((uint64_t)stat.st_size));
    return fd;
}

static int find_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                           const char *file, const char *link, GElf_Word crc, char **found)
{
    char *real = file ? realpath(file, NULL) : NULL; /* it is looked for there, too */
    bool blocks = !real || debug_file_blocks(file, link) || debug_file_blocks(real, link);
    free(real);
    if (blocks)
        return -1;
    int fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, found);
    if (fd < 0 && !*data)
        fd = fetch_debug_file(module, file, found);
    *data = module; /* asked: once is enough */
    if (fd >= 0)
        allowance_set(ALLOWANCE(file_data_size(fd)));
    return fd;
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
    info->size = file_data_size(fd);
    pool_start(&info->names, MOST_NAMES(info->size));
    obstack_init(&info->scratch);
    debuginfod_take_over();
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

static void drop_function(struct unpacked *unpacked)
{
    dwarf_inlines_free(&unpacked->inlines);
    unpacked->function = NULL;
}

void debuginfo_rest(struct debuginfo *info)
{
    drop_function(&info->unpacked);
    dwarf_functions_free(&info->unpacked.functions);
    if (info->unpacked.unit)
        dwarf_units_rest(&info->units, info->unpacked.unit);
    info->unpacked.unit = NULL;
    dwarf_lines_rest(&info->lines);
}

void debuginfo_close(struct debuginfo *info)
{
    if (!info)
        return;
    debuginfo_rest(info);
    elf_symbols_free(&info->symbols);
    elf_calls_free(&info->calls);
    dwarf_lines_rest(&info->lines);
    dwarf_units_free(&info->units);
    dwfl_end(info->dwfl);
    pool_free(&info->names);
    obstack_free(&info->scratch, NULL);
    free(info);
}

size_t debuginfo_build_id(struct debuginfo *info, const uint8_t **id)
{
    GElf_Addr address;
    int size = dwfl_module_build_id(info->module, id, &address);
    return size > 0 ? (size_t)size : 0;
}

static void open_dwarf(struct debuginfo *info, Dwarf *dwarf)
{
    const char *path = NULL, *debug_path = NULL;
    struct stat stat;
    dwfl_module_info(info->module, NULL, NULL, NULL, NULL, NULL, &path, &debug_path);
    path = debug_path ? debug_path : path ? path : "";
    int fd = file_open_regular(path, O_RDONLY, &stat);
    uint64_t size = fd >= 0 ? file_data_size(fd) : 0;
    info->size = size > info->size ? size : info->size;
    if (fd >= 0)
        close(fd);
    info->most = MOST(info->size);
    dwarf_units_read(&info->units, dwarf, path, info->most);
    dwarf_lines_open(&info->lines, 2 * info->most);
}

static struct dwarf_units *units_of(struct debuginfo *info)
{
    Dwarf_Addr bias;
    if (!info->units_read) {
        info->units_read = true;
        allowance_set(ALLOWANCE(info->size));
        Dwarf *dwarf = dwfl_module_getdwarf(info->module, &bias);
        allowance_lift();
        if (dwarf && bias == 0)
            open_dwarf(info, dwarf);
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
        allowance_set(ALLOWANCE(info->size));
        elf_symbols_read(&info->symbols, info->module);
        allowance_lift();
    }
    return elf_symbols_find(&info->symbols, address);
}

static bool is_mangled(const char *name)
{
    return name && name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

static const char *keep(struct debuginfo *info, const char *name)
{
    return name ? pool_keep(&info->names, name, strlen(name)) : NULL;
}

/* "name" in the class or namespace "scope" becomes "scope::name". */
static const char *with_scopes(struct debuginfo *info, const struct dwarf_scope *scope, const char *name)
{
    const struct dwarf_functions *functions = &info->unpacked.functions;
    if (!scope)
        return name;
    void *start = obstack_alloc(&info->scratch, 0);
    for (; scope; scope = dwarf_functions_outer(functions, scope)) {
        Dwarf_Die die = scope->die;
        const char *outer = dwarf_diename(&die);
        if (!outer)
            outer = dwarf_tag(&die) == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
        obstack_printf(&info->scratch, "%s::%s", outer, name);
        obstack_1grow(&info->scratch, 0);
        name = obstack_finish(&info->scratch);
    }
    name = keep(info, name);
    obstack_free(&info->scratch, start);
    return name;
}

/* A mangled name says more than the plain one; other linkage names (C's aliases, Fortran's) say less. */
static const char *function_name(struct debuginfo *info, Dwarf_Die *function)
{
    static const unsigned linkage_names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    for (size_t i = 0; i < sizeof(linkage_names) / sizeof(linkage_names[0]); i++) {
        Dwarf_Attribute attribute;
        const char *name = dwarf_formstring(dwarf_attr_integrate(function, linkage_names[i], &attribute));
        if (is_mangled(name))
            return name;
    }
    const char *name = dwarf_diename(function);
    const struct dwarf_functions *functions = &info->unpacked.functions;
    return name ? with_scopes(info, dwarf_functions_scope(functions, function), name) : NULL;
}

static bool is_cplusplus(const Dwarf_Die *unit)
{
    static const int languages[] = {DW_LANG_C_plus_plus, DW_LANG_C_plus_plus_03, DW_LANG_C_plus_plus_11,
                                    DW_LANG_C_plus_plus_14, DW_LANG_ObjC_plus_plus};
    Dwarf_Die die = *unit;
    int language = dwarf_srclang(&die);
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        if (language == languages[i])
            return true;
    return false;
}

/* The name of the function that is really there.  What cannot be called from other files has no mangled
   name but in the symbol table; of a function's clones it is the same. */
static const char *real_function_name(struct debuginfo *info, Dwarf_Die *function, uint64_t address)
{
    const char *name = function_name(info, function);
    if (name && (is_mangled(name) || !is_cplusplus(info->unpacked.unit)))
        return name;
    const char *symbol = symbol_at(info, address);
    if (name && !is_mangled(symbol))
        return name;
    const char *clone = symbol ? strchr(symbol, '.') : NULL;
    return clone ? pool_keep(&info->names, symbol, (size_t)(clone - symbol)) : symbol;
}

/* Where an inlined function was called. */
static void call_place(struct debuginfo *info, struct place *place, Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    Dwarf_Die unit;
    Dwarf_Word number;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) == 0 && number <= INT_MAX)
        place->line = (int)number;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) == 0 &&
        dwarf_diecu(inlined, &unit, NULL, NULL))
        place->file = keep(info, dwarf_lines_file(&info->lines, &unit, info->unpacked.unit, number));
}

static void line_place(struct debuginfo *info, struct place *place, uint64_t address)
{
    place->file = keep(info, dwarf_lines_find(&info->lines, info->unpacked.unit, address, &place->line));
}

/* Places from the innermost outwards: a function's own position is where the next inner one was
   called; the innermost one's is the line table's. */
static size_t places_in(struct debuginfo *info, uint64_t address, struct place *places)
{
    Dwarf_Die chain[DEBUGINFO_DEEPEST];
    size_t count = dwarf_inlines_find(&info->unpacked.inlines, address, chain, DEBUGINFO_DEEPEST);
    memset(places, 0, count * sizeof(*places));
    for (size_t i = 0; i < count; i++) {
        Dwarf_Die *here = &chain[count - 1 - i];
        places[i].function =
            i + 1 < count ? function_name(info, here) : real_function_name(info, here, address);
        if (i == 0)
            line_place(info, &places[i], address);
        else
            call_place(info, &places[i], &chain[count - i]);
    }
    return count;
}

static void unpack_unit(struct debuginfo *info, const Dwarf_Die *unit)
{
    if (info->unpacked.unit == unit)
        return;
    bool whole;
    debuginfo_rest(info);
    Dwarf_Die contents = dwarf_units_contents(&info->units, unit, &whole);
    info->incomplete |= !whole;
    dwarf_functions_read(&info->unpacked.functions, &contents, info->most);
    info->unpacked.unit = unit;
}

static void unpack_function(struct debuginfo *info, const Dwarf_Die *function)
{
    struct unpacked *unpacked = &info->unpacked;
    if (unpacked->function == function)
        return;
    drop_function(unpacked);
    dwarf_inlines_read(&unpacked->inlines, function, info->most);
    unpacked->function = function;
}

/* At least one place, of which nothing may be known. */
static size_t places_in_unit(struct debuginfo *info, const Dwarf_Die *unit, uint64_t address,
                             struct place *places)
{
    unpack_unit(info, unit);
    const Dwarf_Die *function = dwarf_functions_find(&info->unpacked.functions, address);
    if (!function) {
        line_place(info, &places[0], address);
        return 1;
    }
    unpack_function(info, function);
    return places_in(info, address, places);
}

bool debuginfo_was_whole(const struct debuginfo *info)
{
    return !info->incomplete;
}

size_t debuginfo_find(struct debuginfo *info, uint64_t address, struct place places[DEBUGINFO_DEEPEST])
{
    const Dwarf_Die *unit = dwarf_units_find(units_of(info), address);
    places[0] = (struct place){0};
    size_t count = unit ? places_in_unit(info, unit, address, places) : 1;
    if (!places[count - 1].function)
        places[count - 1].function = symbol_at(info, address);
    return count;
}

size_t debuginfo_unit(struct debuginfo *info, uint64_t address)
{
    const struct dwarf_units *units = units_of(info);
    const Dwarf_Die *unit = dwarf_units_find(units, address);
    return unit ? (size_t)(unit - units->all) : units->count;
}

const char *debuginfo_directory(struct debuginfo *info, uint64_t address)
{
    const Dwarf_Die *unit = dwarf_units_find(units_of(info), address);
    Dwarf_Attribute attribute;
    Dwarf_Die die;
    if (!unit)
        return NULL;
    die = *unit;
    return keep(info, dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute)));
}

const char *debuginfo_called(struct debuginfo *info, uint64_t address)
{
    if (!info->calls_read) {
        GElf_Addr bias;
        Elf *elf = dwfl_module_getelf(info->module, &bias);
        info->calls_read = true;
        if (elf)
            elf_calls_read(&info->calls, elf);
    }
    return elf_calls_find(&info->calls, address + 1);
}
