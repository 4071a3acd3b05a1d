// SPDX-License-Identifier: MIT
/*
 * Modules as records in the image.
 */
#include "shim_support.h"
#include "../../shim/unwind/modules.h"
#include "../../shim/unwind/rules.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct thread *self;

/* Libraries of libc that nobody has loaded. */
static const char spare[] = "libBrokenLocale.so.1", second_spare[] = "libthread_db.so.1";

static int start(void **state)
{
    (void)state;
    self = shim_enter();
    return 0;
}

static struct code_place place_of(uintptr_t address)
{
    tables_take();
    struct code_place place = modules_place(address);
    tables_drop();
    return place;
}

static const struct trace_module *record(uint32_t number)
{
    const struct trace_section *section = NULL;
    assert_in_range(number, 1, file_header->module_count - 1);
    while ((section = shim_section(section, TRACE_MODULES)))
        if (number - section->first < section->capacity)
            return (const struct trace_module *)(section + 1) + (number - section->first);
    fail();
    return NULL;
}

static void assert_place(uintptr_t address, const char *path)
{
    struct code_place place = place_of(address);
    const struct trace_module *module = record(place.module);
    struct stat facts;
    assert_string_equal(file_at(module->path), path);
    assert_int_equal(place.offset, address - module->bias);
    assert_in_range(address, module->start, module->end - 1);
    assert_int_equal(modules_address(place), address);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(module->file_size, facts.st_size);
    assert_int_equal(module->file_mtime_ns / 1000000000, facts.st_mtim.tv_sec);
    assert_int_equal(module->gone_ns, 0);
    assert_int_not_equal(module->came_ns, 0);
}

/* --- places -------------------------------------------------------------------------------------------- */

static void test_the_program_is_a_module(void **state)
{
    (void)state;
    char path[4096] = "";
    assert_true(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    assert_place((uintptr_t)assert_place, path);
    assert_place((uintptr_t)start, path);
    assert_int_equal(place_of((uintptr_t)start).module, place_of((uintptr_t)assert_place).module);
}

static void test_a_library_is_a_module(void **state)
{
    (void)state;
    Dl_info info;
    uintptr_t address = (uintptr_t)dlsym(RTLD_DEFAULT, "getline") + 3;
    assert_true(dladdr((void *)address, &info));
    assert_place(address, info.dli_fname);
    assert_int_equal(place_of(address).offset, address - (uintptr_t)info.dli_fbase);
    uint32_t count = file_header->module_count;
    for (int i = 0; i < 10; i++)
        assert_place(address + (uintptr_t)i, info.dli_fname);
    assert_int_equal(file_header->module_count, count);
}

struct build_id {
    uintptr_t address;
    const unsigned char *bytes;
    uint32_t size;
};

static void look_at_notes(struct build_id *id, const char *note, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *n = (const void *)note;
        size_t all = sizeof *n + (n->n_namesz + 3u) / 4 * 4 + (n->n_descsz + 3u) / 4 * 4;
        if (n->n_type == NT_GNU_BUILD_ID) {
            id->bytes = (const unsigned char *)note + sizeof *n + (n->n_namesz + 3u) / 4 * 4;
            id->size = n->n_descsz;
        }
        note += all;
        size -= all;
    }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *wanted)
{
    struct build_id *id = wanted, found = {0};
    bool covers = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && id->address - at < p->p_memsz)
            covers = true;
        if (p->p_type == PT_NOTE && p->p_align <= 4)
            look_at_notes(&found, (const char *)at, p->p_memsz);
    }
    if (covers) {
        id->bytes = found.bytes;
        id->size = found.size;
    }
    return covers;
}

static void assert_build_id(uintptr_t address)
{
    struct build_id id = {.address = address};
    const struct trace_module *module = record(place_of(address).module);
    assert_int_equal(dl_iterate_phdr(look_at_object, &id), 1);
    assert_int_equal(module->build_id_size, id.size);
    if (id.size)
        assert_memory_equal(module->build_id, id.bytes, id.size);
}

static void test_build_ids_are_noted(void **state)
{
    (void)state;
    assert_build_id((uintptr_t)start);
    assert_build_id((uintptr_t)dlsym(RTLD_DEFAULT, "getline"));
    assert_build_id((uintptr_t)_cmocka_run_group_tests);
}

static void test_the_loader_is_known(void **state)
{
    (void)state;
    assert_true(modules_is_loader(_r_debug.r_ldbase));
    assert_true(modules_is_loader((uintptr_t)dlsym(RTLD_DEFAULT, "_dl_mcount")));
    assert_false(modules_is_loader((uintptr_t)start));
    assert_false(modules_is_loader((uintptr_t)dlsym(RTLD_DEFAULT, "getline")));
    assert_false(modules_is_loader(0));
}

static void test_only_modules_cover_addresses(void **state)
{
    (void)state;
    int local;
    assert_true(modules_cover((uintptr_t)start));
    assert_true(modules_cover((uintptr_t)dlsym(RTLD_DEFAULT, "getline")));
    assert_false(modules_cover((uintptr_t)&local));
    assert_false(modules_cover(0));
    assert_false(modules_cover(UINTPTR_MAX));
}

/* --- code outside of modules --------------------------------------------------------------------------- */

static void assert_no_module(uintptr_t address, uintptr_t mapping)
{
    struct code_place place = place_of(address);
    assert_int_equal(place.module, 0);
    assert_int_equal(place.offset, mapping);
    assert_int_equal(modules_address(place), 0);
}

static void test_generated_code_is_one_place_per_mapping(void **state)
{
    (void)state;
    char *area = mmap(NULL, 12 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t page = (uintptr_t)area + PAGE_SIZE;
    munmap(area, PAGE_SIZE);                            /* a hole before, and one behind */
    munmap(area + 11 * PAGE_SIZE, PAGE_SIZE);
    mprotect((void *)page, 3 * PAGE_SIZE, PROT_READ | PROT_EXEC);
    mprotect((void *)(page + 3 * PAGE_SIZE), PAGE_SIZE, PROT_READ | PROT_WRITE);
    assert_no_module(page, page);
    assert_no_module(page + 100, page);
    assert_no_module(page + 3 * PAGE_SIZE + 8, page);   /* a neighbour with another protection */
    assert_no_module(page + 9 * PAGE_SIZE, page);
    munmap((void *)page, 10 * PAGE_SIZE);
}

static void test_an_address_that_is_not_mapped_has_no_place(void **state)
{
    (void)state;
    assert_no_module(4096, 0);
    assert_no_module((uintptr_t)1 << 46, 0);
    assert_no_module(0x7fffffffffff, 0);
}

static void exhaust_mappings(void)
{
    self = shim_enter();
    for (int i = 0; i < 200; i++) {
        char *page = mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(page, PAGE_SIZE);
        munmap(page + 2 * PAGE_SIZE, PAGE_SIZE);
        struct code_place place = place_of((uintptr_t)page + PAGE_SIZE);
        assert_int_equal(place.module, 0);
        assert_true(place.offset == 0 || (i < 100 && place.offset == (uintptr_t)page + PAGE_SIZE));
    }
}

static void test_many_mappings_become_one_place(void **state)
{
    (void)state;
    shim_in_child(exhaust_mappings);
}

/* --- coming and going ---------------------------------------------------------------------------------- */

static uintptr_t code_of(void *library, const char *symbol)
{
    uintptr_t address = (uintptr_t)dlsym(library, symbol);
    assert_true(address != 0);
    return address;
}

static void go(struct link_map *map, struct code_place place)
{
    uint64_t generation = atomic_load(&world.generation);
    modules_link_map_freed(self, map);
    assert_int_equal(modules_address(place), 0);
    assert_int_not_equal(record(place.module)->gone_ns, 0);
    assert_true(atomic_load(&world.generation) > generation);
}

static void come_and_go(void)
{
    self = shim_enter();
    void *library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    uintptr_t address = code_of(library, "__ctype_get_mb_cur_max");
    struct link_map *map = library;
    struct code_place place = place_of(address), again;
    uint32_t count = file_header->module_count;
    assert_int_equal(record(place.module)->bias, map->l_addr);
    for (int i = 0; i < 20; i++) {
        go(map, place);
        modules_link_map_freed(self, map);      /* another block at the same address: nothing to do */
        if (i % 2) {
            dlclose(library);
            library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
            map = library;
            address = code_of(library, "__ctype_get_mb_cur_max");
        }
        again = place_of(address);
        assert_int_equal(again.module, place.module);
        assert_int_equal(again.offset, place.offset);
        assert_int_equal(record(again.module)->gone_ns, 0);
        assert_int_equal(modules_address(again), address);
    }
    assert_int_equal(file_header->module_count, count);
}

static void test_a_module_that_comes_back_is_the_one_it_was(void **state)
{
    (void)state;
    shim_in_child(come_and_go);
}

static void replace(void)
{
    self = shim_enter();
    void *first = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    struct code_place place = place_of(code_of(first, "__ctype_get_mb_cur_max"));
    struct link_map *map = first;
    dlclose(first);
    go(map, place);
    void *second = dlopen(second_spare, RTLD_LAZY | RTLD_LOCAL);
    assert_non_null(second);
    struct code_place other = place_of(code_of(second, "td_init"));
    assert_int_not_equal(other.module, place.module);
    assert_int_equal(modules_address(place), 0);
}

static void test_another_module_in_its_place_is_another(void **state)
{
    (void)state;
    shim_in_child(replace);
}

static void drop_rules(void)
{
    self = shim_enter();
    void *library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    uintptr_t address = code_of(library, "__ctype_get_mb_cur_max");
    struct code_place place = place_of(address);
    assert_int_equal(rules_find(self, address).step, STEP_RSP);
    struct link_map *map = library;
    dlclose(library);
    assert_int_equal(rules_find(self, address).step, STEP_RSP);         /* still believed */
    go(map, place);
    assert_int_equal(rules_find(self, address).step, STEP_NO_CFI);
}

static void test_its_rules_go_with_it(void **state)
{
    (void)state;
    shim_in_child(drop_rules);
}

static void test_other_blocks_are_no_link_maps(void **state)
{
    (void)state;
    uint64_t generation = atomic_load(&world.generation);
    int local = 0;
    modules_link_map_freed(self, &local);
    modules_link_map_freed(self, NULL);
    assert_int_equal(atomic_load(&world.generation), generation);
}

/* --- names --------------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    char command[8192];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

static void open_relative(void)
{
    self = shim_enter();
    Dl_info info;
    void *library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    assert_true(dladdr((void *)code_of(library, "__ctype_get_mb_cur_max"), &info));
    copy_file(info.dli_fname, "plug in.so");
    library = dlopen("./plug in.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    struct code_place place = place_of(code_of(library, "__ctype_get_mb_cur_max"));
    const char *path = file_at(record(place.module)->path);
    assert_int_equal(path[0], '/');
    assert_int_equal(access(path, F_OK), 0);
    assert_non_null(strstr(path, "plug in.so"));
    assert_int_not_equal(record(place.module)->file_size, 0);
}

static void test_a_relative_name_becomes_absolute(void **state)
{
    (void)state;
    shim_in_directory(open_relative);
}

static void replace_file(void)
{
    self = shim_enter();
    Dl_info first, second;
    assert_true(dladdr((void *)code_of(dlopen(spare, RTLD_NOW), "__ctype_get_mb_cur_max"), &first));
    assert_true(dladdr((void *)code_of(dlopen(second_spare, RTLD_LAZY), "td_init"), &second));
    copy_file(first.dli_fname, "plugin.so");
    void *library = dlopen("./plugin.so", RTLD_LAZY | RTLD_LOCAL);
    struct code_place place = place_of(code_of(library, "__ctype_get_mb_cur_max"));
    struct link_map *map = library;
    dlclose(library);
    go(map, place);
    assert_int_equal(unlink("plugin.so"), 0);
    copy_file(second.dli_fname, "plugin.so");
    library = dlopen("./plugin.so", RTLD_LAZY | RTLD_LOCAL);
    assert_int_not_equal(place_of(code_of(library, "td_init")).module, place.module);
}

static void test_another_file_of_the_same_name_is_another_module(void **state)
{
    (void)state;
    shim_in_directory(replace_file);
}

static void load_twice(void)
{
    self = shim_enter();
    void *first = dlopen(spare, RTLD_NOW | RTLD_LOCAL), *second = dlmopen(LM_ID_NEWLM, spare, RTLD_NOW);
    assert_non_null(second);
    uintptr_t here = code_of(first, "__ctype_get_mb_cur_max");
    uintptr_t there = code_of(second, "__ctype_get_mb_cur_max");
    assert_int_not_equal(here, there);
    for (int i = 0; i < 3; i++) {
        struct code_place place = place_of(here), other = place_of(there);
        assert_int_not_equal(place.module, other.module);
        assert_int_equal(place.offset, other.offset);
        assert_int_equal(modules_address(place), here);
        assert_int_equal(modules_address(other), there);
    }
}

static void test_a_module_that_is_there_twice_is_two(void **state)
{
    (void)state;
    shim_in_child(load_twice);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest in_children[] = {
        TEST(many_mappings_become_one_place),
        TEST(a_module_that_comes_back_is_the_one_it_was),
        TEST(another_module_in_its_place_is_another),
        TEST(its_rules_go_with_it),
        TEST(a_relative_name_becomes_absolute),
        TEST(another_file_of_the_same_name_is_another_module),
        TEST(a_module_that_is_there_twice_is_two),
    };
    const struct CMUnitTest tests[] = {
        TEST(the_program_is_a_module),
        TEST(a_library_is_a_module),
        TEST(build_ids_are_noted),
        TEST(the_loader_is_known),
        TEST(only_modules_cover_addresses),
        TEST(generated_code_is_one_place_per_mapping),
        TEST(an_address_that_is_not_mapped_has_no_place),
        TEST(other_blocks_are_no_link_maps),
    };
    int failed = cmocka_run_group_tests(in_children, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, start, NULL);
}
