// SPDX-License-Identifier: MIT
#include "modules.h"
#include "image.h"
#include "rules.h"
#include "../base/arena.h"
#include "../base/file.h"
#include "../base/life.h"
#include "../base/proc.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    MODULES_MAX = 1 << 16,
    PER_SECTION = 32,
    MAPPINGS_MAX = 64,
    PATH_SIZE = 4096,
};

/* What the walk needs; the rest stands in the file's record of the same number. */
struct loaded {
    const struct link_map *map;         /* null: gone */
    uintptr_t start, end, bias;
};

static struct loaded *loaded;           /* [MODULES_MAX], by number; 0 is no module */
static struct trace_module **sections;  /* records, PER_SECTION each */
static uint32_t count = 1;              /* the header's is a copy, which a fork's parent may change */

bool modules_start(void)
{
    loaded = arena_reserve(MODULES_MAX * sizeof *loaded);
    sections = arena_reserve(MODULES_MAX / PER_SECTION * sizeof *sections);
    file_header->module_count = count;
    return loaded && sections;
}

bool modules_cover(uintptr_t address)
{
    struct dl_find_object found;
    return image_object(address, &found);
}

/* The program's own word for where the loader's record is.  The symbol _r_debug may lead to a copy, made
   before the program began, in a program that refers to it. */
static const struct r_debug *loader_record(void)
{
    const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);
    const ElfW(Dyn) *entry = NULL;
    uintptr_t bias = 0;
    for (size_t i = 0; segments && i < getauxval(AT_PHNUM); i++)
        if (segments[i].p_type == PT_PHDR)
            bias = (uintptr_t)segments - segments[i].p_vaddr;
    for (size_t i = 0; segments && i < getauxval(AT_PHNUM); i++)
        if (segments[i].p_type == PT_DYNAMIC)
            entry = (const void *)(bias + segments[i].p_vaddr);
    while (entry && entry->d_tag != DT_NULL && entry->d_tag != DT_DEBUG)
        entry++;
    return entry && entry->d_tag == DT_DEBUG && entry->d_un.d_ptr ? (const void *)entry->d_un.d_ptr : &_r_debug;
}

static const struct r_debug *loader(void)
{
    static const struct r_debug *_Atomic record;
    if (unlikely(!record))
        record = loader_record();
    return record;
}

bool modules_loader_rests(void)
{
    return loader()->r_state == RT_CONSISTENT;
}

bool modules_is_loader(uintptr_t address)
{
    static uintptr_t start, end;
    if (unlikely(!end)) {
        struct dl_find_object found;
        if (_dl_find_object((void *)_r_debug.r_ldbase, &found))
            return false;
        start = (uintptr_t)found.dlfo_map_start;
        end = (uintptr_t)found.dlfo_map_end;
    }
    return address >= start && address < end;
}

/* --- facts about a module ---------------------------------------------------------------------------- */

static struct trace_module *record(uint32_t number)
{
    return &sections[number / PER_SECTION][number % PER_SECTION];
}

/* The ELF file's own header, in memory.  Null if it is not there. */
static const ElfW(Ehdr) *header_of(const struct dl_find_object *found)
{
    const ElfW(Ehdr) *header = found->dlfo_map_start;
    uintptr_t size = (uintptr_t)found->dlfo_map_end - (uintptr_t)found->dlfo_map_start;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_phentsize != sizeof(ElfW(Phdr)) ||
        header->e_phoff > PAGE_SIZE || header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > size)
        return NULL;
    return header;
}

static void note_build_id(struct trace_module *module, const char *note, size_t size)
{
    while (size > sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *n = (const void *)note;
        size_t name = (n->n_namesz + 3u) & ~(size_t)3, all = sizeof *n + name + ((n->n_descsz + 3u) & ~(size_t)3);
        if (all > size)
            return;
        if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && !memcmp(n + 1, "GNU", 4) &&
            n->n_descsz <= sizeof module->build_id) {
            memcpy(module->build_id, (const char *)(n + 1) + name, n->n_descsz);
            module->build_id_size = n->n_descsz;
            return;
        }
        note += all;
        size -= all;
    }
}

static void find_build_id(struct trace_module *module, const struct dl_find_object *found)
{
    const ElfW(Ehdr) *header = header_of(found);
    uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
    if (!header)
        return;
    const ElfW(Phdr) *segment = (const void *)(start + header->e_phoff);
    for (int i = 0; i < header->e_phnum && !module->build_id_size; i++) {
        uintptr_t at = found->dlfo_link_map->l_addr + segment[i].p_vaddr;
        if (segment[i].p_type == PT_NOTE && at >= start && at < end && segment[i].p_memsz <= end - at)
            note_build_id(module, (const char *)at, segment[i].p_memsz);
    }
}

static char maps_buffer[PATH_SIZE + 128];       /* callers' stacks may be small */

struct mapped_file {
    uintptr_t address;
    char *path;
    size_t length;              /* 0: no file is mapped there */
};

/* In /proc a newline in a name is \012. */
static bool look_for_file(char *line, void *context)
{
    struct mapped_file *file = context;
    const char *at = line;
    uintptr_t from = proc_hex(&at), to = *at++ ? proc_hex(&at) : 0;
    if (file->address < from || file->address >= to)
        return true;
    for (at = strchr(at, '/'); at && *at && file->length < PATH_SIZE - 1; at++) {
        bool newline = !strncmp(at, "\\012", 4);
        file->path[file->length++] = newline ? '\n' : *at;
        at += newline ? 3 : 0;
    }
    return false;
}

/* The loader calls the program "", and a library that was found by a relative name by that name; but the
   directory may have changed since, and /proc/self/exe may be the loader.  What is mapped is certain. */
static size_t path_of(const struct dl_find_object *found, char *path)
{
    const char *name = found->dlfo_link_map->l_name;
    struct mapped_file file = {.address = (uintptr_t)found->dlfo_map_start, .path = path};
    if (!*name || (*name != '/' && strchr(name, '/')))
        proc_lines("/proc/self/maps", maps_buffer, sizeof maps_buffer, look_for_file, &file);
    if (!file.length) {
        file.length = strnlen(name, PATH_SIZE - 1);
        memcpy(path, name, file.length);
    }
    path[file.length] = 0;
    return file.length;
}

static void describe(struct trace_module *module, const struct dl_find_object *found, const char *path)
{
    struct stat facts;
    find_build_id(module, found);
    if (path[0] == '/' && sys_stat(path, &facts) == 0) {
        module->file_size = (uint64_t)facts.st_size;
        module->file_mtime_ns = (uint64_t)facts.st_mtim.tv_sec * 1000000000u + (uint64_t)facts.st_mtim.tv_nsec;
    }
}

/* --- the table --------------------------------------------------------------------------------------- */

static bool same_module(const struct trace_module *a, const struct trace_module *b, const char *path)
{
    return a->path && !strcmp(file_at(a->path), path) && a->build_id_size == b->build_id_size &&
           !memcmp(a->build_id, b->build_id, sizeof a->build_id) &&
           (b->build_id_size || (a->file_size == b->file_size && a->file_mtime_ns == b->file_mtime_ns));
}

/* One that has gone comes back as the module it was: reloading makes no new frames. */
static uint32_t find_gone(const struct trace_module *module, const char *path)
{
    for (uint32_t i = 1; i < count; i++)
        if (!loaded[i].map && same_module(record(i), module, path))
            return i;
    return 0;
}

static bool room_for(uint32_t number)
{
    if (number >= MODULES_MAX)
        return false;
    struct trace_module **records = &sections[number / PER_SECTION];
    if (!*records) {
        struct trace_section *section = file_section(TRACE_MODULES, sizeof **records, PER_SECTION,
                                                     number & ~(PER_SECTION - 1u), 0);
        *records = section ? (struct trace_module *)(section + 1) : NULL;
    }
    return *records != NULL;
}

/* 0 when the table is full. */
static uint32_t add(const struct dl_find_object *found)
{
    static char path[PATH_SIZE];        /* the caller's stack may be small */
    struct trace_module module = {
        .bias = found->dlfo_link_map->l_addr,
        .start = (uintptr_t)found->dlfo_map_start,
        .end = (uintptr_t)found->dlfo_map_end,
        .came_ns = sys_clock_ns(CLOCK_MONOTONIC),
    };
    size_t length = path_of(found, path);
    describe(&module, found, path);
    uint32_t number = find_gone(&module, path);
    if (number) {
        module.path = record(number)->path;
    } else {
        number = count;
        if (!room_for(number))
            return 0;
        module.path = file_string(path, length + 1);
    }
    *record(number) = module;
    loaded[number] = (struct loaded){found->dlfo_link_map, module.start, module.end, module.bias};
    if (number == count)
        __atomic_store_n(&file_header->module_count, ++count, __ATOMIC_RELEASE);
    return number;
}

static uint32_t find_loaded(const struct dl_find_object *found)
{
    for (uint32_t i = 1; i < count; i++)
        if (loaded[i].map == found->dlfo_link_map && loaded[i].start == (uintptr_t)found->dlfo_map_start)
            return i;
    return 0;
}

/* --- code outside of modules -------------------------------------------------------------------------
 *
 * Generated code is one frame per mapping: its addresses mean nothing later.  Neighbouring mappings count
 * as one; generators change the protection of parts of them all the time.
 */

static struct {
    uintptr_t start, end;
} mappings[MAPPINGS_MAX];
static int mapping_count;

struct search {
    uintptr_t address, start, end;
};

static bool look_at_mapping(char *line, void *context)
{
    struct search *search = context;
    const char *at = line;
    uintptr_t from = proc_hex(&at), to = *at++ ? proc_hex(&at) : 0;
    if (from != search->end) {
        if (search->end > search->address)
            return false;
        search->start = from;
    }
    search->end = to;
    return true;
}

static bool find_mapping(struct search *search)
{
    return proc_lines("/proc/self/maps", maps_buffer, sizeof maps_buffer, look_at_mapping, search) &&
           search->start <= search->address && search->address < search->end;
}

static uintptr_t mapping_start(uintptr_t address)
{
    for (int i = 0; i < mapping_count; i++)
        if (address >= mappings[i].start && address < mappings[i].end)
            return mappings[i].start;
    struct search search = {.address = address};
    if (mapping_count == MAPPINGS_MAX || !find_mapping(&search))
        return 0;
    mappings[mapping_count].start = search.start;
    mappings[mapping_count++].end = search.end;
    return search.start;
}

/* --- places ------------------------------------------------------------------------------------------ */

struct code_place modules_place(uintptr_t address)
{
    struct dl_find_object found;
    if (!image_object(address, &found))
        return (struct code_place){0, mapping_start(address)};
    uint32_t number = find_loaded(&found);
    if (!number)
        number = add(&found);
    return (struct code_place){number, number ? address - found.dlfo_link_map->l_addr : 0};
}

uint32_t modules_named(const char *name)
{
    struct trace_module module = {.came_ns = sys_clock_ns(CLOCK_MONOTONIC)};
    uint32_t number = find_gone(&module, name);
    if (number || !room_for(count))
        return number;
    module.path = file_string(name, strlen(name) + 1);
    *record(count) = module;
    __atomic_store_n(&file_header->module_count, ++count, __ATOMIC_RELEASE);
    return count - 1;
}

void modules_note_all(void)
{
    for (const struct link_map *map = loader()->r_map; map && modules_loader_rests(); map = map->l_next)
        modules_place((uintptr_t)map->l_ld);
}

uintptr_t modules_address(struct code_place place)
{
    if (!place.module || !loaded[place.module].map)
        return 0;
    return place.offset + loaded[place.module].bias;
}

void modules_link_map_freed(struct thread *self, const void *block)
{
    (void)self;
    for (uint32_t i = 1; i < count; i++) {
        if ((const void *)loaded[i].map != block)
            continue;
        rules_drop(loaded[i].start, loaded[i].end);
        tables_take();
        loaded[i].map = NULL;
        record(i)->gone_ns = sys_clock_ns(CLOCK_MONOTONIC);
        tables_drop();
        thread_world_refresh();
        return;
    }
}

void modules_child(void)
{
    file_header->module_count = count;
}
