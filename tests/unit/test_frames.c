// SPDX-License-Identifier: MIT
/*
 * Frames: one for each place in the code, whatever its address was.
 */
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include "../../shim/unwind/frames.h"
#include "../../shim/unwind/rules.h"
#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct thread *self;

/* A library of libc that nobody has loaded. */
static const char spare[] = "libBrokenLocale.so.1";

static uint32_t number(uintptr_t lookup)
{
    tables_take();
    uint32_t frame = frames_number(lookup);
    tables_drop();
    return frame;
}

/* As a reader finds it. */
static const struct trace_frame *record(uint32_t frame)
{
    const struct trace_section *section = NULL;
    assert_in_range(frame, 1, file_header->frame_count - 1);
    while ((section = shim_section(section, TRACE_FRAMES)))
        if (frame - section->first < section->capacity)
            return (const struct trace_frame *)(section + 1) + (frame - section->first);
    fail();
    return NULL;
}

static struct code_place place_of(uintptr_t address)
{
    tables_take();
    struct code_place place = modules_place(address);
    tables_drop();
    return place;
}

static void assert_frame(uint32_t frame, uintptr_t lookup)
{
    struct code_place place = place_of(lookup & ~LOOKUP_EXACT), known = frames_place(frame);
    const struct trace_frame *r = record(frame);
    assert_int_equal(r->module, place.module);
    assert_int_equal(r->offset, place.offset);
    assert_int_equal(r->flags, lookup & LOOKUP_EXACT ? TRACE_FRAME_EXACT : 0);
    assert_int_equal(known.module, place.module);
    assert_int_equal(known.offset, place.offset);
}

/* --- one for each place -------------------------------------------------------------------------------- */

static void compare_places(void)
{
    self = shim_enter();
    assert_int_equal(file_header->frame_count, 1);
    uintptr_t code = (uintptr_t)compare_places;
    uint32_t first = number(code), second = number(code + 1), exact = number(code | LOOKUP_EXACT);
    assert_int_equal(first, 1);
    assert_int_equal(second, 2);
    assert_int_equal(exact, 3);
    assert_int_equal(file_header->frame_count, 4);
    assert_frame(first, code);
    assert_frame(second, code + 1);
    assert_frame(exact, code | LOOKUP_EXACT);
    assert_int_equal(modules_address(frames_place(first)), code);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(number(code), first);
        assert_int_equal(number(code + 1), second);
        assert_int_equal(number(code | LOOKUP_EXACT), exact);
    }
    assert_int_equal(file_header->frame_count, 4);
}

static void test_each_place_is_one_frame(void **state)
{
    (void)state;
    shim_in_child(compare_places);
}

/* The same place in two modules. */
static void compare_modules(void)
{
    self = shim_enter();
    uintptr_t here = (uintptr_t)compare_modules, there = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");
    uintptr_t elsewhere = there - place_of(there).offset + place_of(here).offset;
    assert_int_equal(place_of(elsewhere).offset, place_of(here).offset);
    assert_int_not_equal(number(elsewhere), number(here));
    assert_frame(number(elsewhere), elsewhere);
}

static void test_equal_offsets_in_two_modules_are_two_frames(void **state)
{
    (void)state;
    shim_in_child(compare_modules);
}

static void number_many(void)
{
    enum { MANY = 20000 };
    self = shim_enter();
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");        /* libc has a MiB and more of it */
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(number(code + 3 * i), i + 1);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(number(code + 3 * i), i + 1);
    for (uint32_t i = 0; i < MANY; i += 100)
        assert_frame(i + 1, code + 3 * i);
    assert_int_equal(file_header->frame_count, MANY + 1);
}

static void test_many_places_are_many_frames(void **state)
{
    (void)state;
    shim_in_child(number_many);
}

static void generate(void)
{
    self = shim_enter();
    char *area = mmap(NULL, 6 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(area, PAGE_SIZE);                    /* holes before, between and behind */
    munmap(area + 3 * PAGE_SIZE, PAGE_SIZE);
    munmap(area + 5 * PAGE_SIZE, PAGE_SIZE);
    uintptr_t one = (uintptr_t)area + PAGE_SIZE, other = (uintptr_t)area + 4 * PAGE_SIZE;
    uint32_t frame = number(one), exact = number(one | LOOKUP_EXACT);
    assert_int_equal(record(frame)->module, 0);
    assert_int_equal(record(frame)->offset, one);
    assert_int_equal(number(one + 100), frame);
    assert_int_equal(number(one + 2 * PAGE_SIZE - 1), frame);
    assert_int_equal(number((one + 100) | LOOKUP_EXACT), exact);
    assert_int_not_equal(exact, frame);
    assert_int_not_equal(number(other), frame);
    assert_int_equal(number(8), number(0));     /* where nothing is mapped */
    assert_int_equal(record(number(8))->offset, 0);
}

/* A return address may be anything, 1 for instance. */
static void number_anything(void)
{
    self = shim_enter();
    for (uintptr_t lookup = 0; lookup < 4; lookup++) {
        assert_int_not_equal(number(lookup), 0);
        assert_int_equal(frames_number_of(self, lookup), number(lookup));
        assert_int_equal(frames_number_of(self, lookup | LOOKUP_EXACT), number(lookup | LOOKUP_EXACT));
    }
}

static void test_any_address_has_a_frame(void **state)
{
    (void)state;
    shim_in_child(number_anything);
}

static void test_generated_code_is_one_frame_a_mapping(void **state)
{
    (void)state;
    shim_in_child(generate);
}

/* --- modules that come back ---------------------------------------------------------------------------- */

static uintptr_t code_of(void *library)
{
    uintptr_t address = (uintptr_t)dlsym(library, "__ctype_get_mb_cur_max");
    assert_true(address != 0);
    return address;
}

/* The library, no longer where it was. */
static void *load_elsewhere(void *library, uintptr_t code)
{
    struct link_map *gone = library;
    uintptr_t page = code & -PAGE_SIZE;
    assert_int_equal(dlclose(library), 0);
    modules_link_map_freed(self, gone);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    assert_ptr_equal(mmap((void *)page, PAGE_SIZE, PROT_NONE, flags, -1, 0), (void *)page);
    library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    assert_int_not_equal(code_of(library), code);
    return library;
}

static void reload(void)
{
    self = shim_enter();
    void *library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    uintptr_t code = code_of(library);
    uint32_t frame = number(code), inside = number(code + 5), exact = number(code | LOOKUP_EXACT);
    uint32_t count = file_header->frame_count;
    for (int i = 0; i < 5; i++) {
        library = load_elsewhere(library, code);
        code = code_of(library);
        assert_int_equal(number(code), frame);
        assert_int_equal(number(code + 5), inside);
        assert_int_equal(number(code | LOOKUP_EXACT), exact);
        assert_int_equal(modules_address(frames_place(frame)), code);
    }
    assert_int_equal(file_header->frame_count, count);
}

static void test_a_module_that_comes_back_has_its_frames(void **state)
{
    (void)state;
    shim_in_child(reload);
}

/* --- what a thread remembers --------------------------------------------------------------------------- */

static void remember(void)
{
    enum { MANY = 3000 };
    self = shim_enter();
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");
    uint64_t numbers = 1;
    for (uint32_t i = 0; i < 40 * MANY; i++) {
        uintptr_t lookup = code + shim_random(&numbers) % MANY;
        lookup |= shim_random(&numbers) % 8 ? 0 : LOOKUP_EXACT;
        uint32_t frame = frames_number_of(self, lookup);
        if (i % 10 == 0)
            assert_int_equal(frame, number(lookup));
        if (i % 1000 == 0)
            assert_frame(frame, lookup);
        if (i % 5000 == 0)
            frames_forget(self);
    }
    assert_in_range(file_header->frame_count, MANY, 2 * MANY + 1);
}

static void test_what_is_remembered_is_right(void **state)
{
    (void)state;
    shim_in_child(remember);
}

/* Asked for again the lock is not taken. */
static void ask_again(void)
{
    self = shim_enter();
    uintptr_t code = (uintptr_t)ask_again;
    uint32_t frame = frames_number_of(self, code);
    tables_take();
    assert_int_equal(frames_number_of(self, code), frame);
    tables_drop();
    struct thread other = {0};
    assert_int_equal(frames_number_of(&other, code), frame);
    assert_ptr_not_equal(other.frames, self->frames);
    frames_forget(&(struct thread){0});         /* which remembers nothing */
}

static void test_what_is_remembered_needs_no_lock(void **state)
{
    (void)state;
    shim_in_child(ask_again);
}

static uintptr_t next_lookup;
static bool lock_seen;

static void number_next(void)
{
    frames_number_of(self, ++next_lookup);
}

static void look_at_lock(void)
{
    lock_seen |= atomic_load(&world.tables.word) != 0;
}

static void number_under_lock(void)
{
    self = shim_enter();
    next_lookup = (uintptr_t)number_under_lock;
    for (unsigned at = 0; !lock_seen && shim_interrupt(number_next, look_at_lock, at); at += 9)
        ;
    assert_true(lock_seen);
}

static void test_a_new_frame_is_numbered_under_the_lock(void **state)
{
    (void)state;
    shim_in_child(number_under_lock);
}

/* Other code at the same address; before it is told, a thread believes what it was. */
static void forget(void)
{
    self = shim_enter();
    char *page = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *library = dlopen(spare, RTLD_NOW | RTLD_LOCAL);
    struct link_map *gone = library;
    uintptr_t code = code_of(library);
    uint32_t elsewhere = frames_number_of(self, (uintptr_t)page), frame = frames_number_of(self, code);
    dlclose(library);
    modules_link_map_freed(self, gone);
    assert_int_equal(frames_number_of(self, code), frame);
    frames_forget(self);
    assert_int_not_equal(frames_number_of(self, code), frame);
    assert_int_equal(record(frames_number_of(self, code))->module, 0);
    assert_int_equal(frames_number_of(self, (uintptr_t)page), elsewhere);
    uint64_t memory = arena_bytes();
    for (int i = 0; i < 100; i++) {
        frames_forget(self);
        assert_int_equal(frames_number_of(self, (uintptr_t)page), elsewhere);
    }
    assert_int_equal(arena_bytes(), memory);
}

static void test_what_was_remembered_is_forgotten_when_told_to(void **state)
{
    (void)state;
    shim_in_child(forget);
}

/* --- limits -------------------------------------------------------------------------------------------- */

/* An image of 4 MiB. */
static bool begin_small(void)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = 60 << 20;
    setrlimit(RLIMIT_AS, &limit);
    bool done = file_start();
    setrlimit(RLIMIT_AS, &before);
    return done && rules_start() && modules_start() && frames_start();
}

static void no_stacks(struct thread *thread)
{
    (void)thread;
}

static void fill_image(void)
{
    enum { LIMIT = 400000 };
    shim_steps.begin = begin_small;
    shim_steps.start = no_stacks;
    self = shim_enter();
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");
    uint32_t n = 0;
    while (n < LIMIT && number(code + n))
        n++;
    assert_in_range(n, 100000, LIMIT - 1);
    assert_int_equal(file_header->frame_count, n + 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(number(code + n), 0);
        assert_int_equal(frames_number_of(self, code + n + 1), 0);
        assert_int_equal(frames_number_of(self, code + 1000), 1001);
    }
    for (uint32_t i = 0; i < n; i += 1000)
        assert_int_equal(number(code + i), i + 1);
    assert_int_equal(file_header->frame_count, n + 1);
}

static void test_what_finds_no_room_has_no_frame(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();                             /* no address space can be limited there */
#endif
    shim_in_child(fill_image);
}

static struct rlimit plenty;

static void forbid_memory(void)
{
    getrlimit(RLIMIT_AS, &plenty);
    assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){1, plenty.rlim_max}), 0);
}

static void run_out(void)
{
    self = shim_enter();
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");
    uint32_t first = frames_number_of(self, code), n = 1;
    forbid_memory();
    while (n < 100000 && number(code + n))
        n++;
    assert_in_range(n, 100, 99999);
    assert_int_equal(number(code + n), 0);
    assert_int_equal(frames_number_of(self, code + n), 0);
    assert_int_equal(file_header->frame_count, n + 1);
    assert_int_equal(number(code), first);
    assert_int_equal(number(code + n - 1), n);
    assert_int_equal(setrlimit(RLIMIT_AS, &plenty), 0);
    assert_int_equal(frames_number_of(self, code + n), n + 1);
}

static void test_without_memory_there_are_no_new_frames(void **state)
{
    (void)state;
    shim_in_child(run_out);
}

static unsigned pieces;

/* The last of the memory goes piece by piece, and with it the room for the first frame, or for its table. */
static void run_out_at_first(void)
{
    self = shim_enter();
    uintptr_t code = (uintptr_t)run_out_at_first;
    place_of(code);
    forbid_memory();
    while (arena_alloc(1024))
        ;
    for (unsigned i = 0; i < pieces; i++)
        arena_alloc(64);
    uint32_t frame = number(code);
    assert_int_equal(number(code), frame);
    assert_int_equal(file_header->frame_count, frame ? 2 : 1);
    assert_int_equal(setrlimit(RLIMIT_AS, &plenty), 0);
    assert_int_equal(number(code), 1);
}

static void test_without_memory_there_is_no_first_frame(void **state)
{
    (void)state;
    for (pieces = 0; pieces < 16; pieces++)
        shim_in_child(run_out_at_first);
}

static void forget_parents_additions(void)
{
    self = shim_enter();
    number((uintptr_t)forget_parents_additions);
    file_header->frame_count += 100;            /* the parent counts on */
    frames_child();
    assert_int_equal(file_header->frame_count, 2);
    assert_int_equal(number((uintptr_t)forget_parents_additions + 1), 2);
}

static void test_a_childs_frames_are_those_of_the_fork(void **state)
{
    (void)state;
    shim_in_child(forget_parents_additions);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(each_place_is_one_frame),
        TEST(equal_offsets_in_two_modules_are_two_frames),
        TEST(many_places_are_many_frames),
        TEST(generated_code_is_one_frame_a_mapping),
        TEST(any_address_has_a_frame),
        TEST(a_module_that_comes_back_has_its_frames),
        TEST(what_is_remembered_is_right),
        TEST(what_is_remembered_needs_no_lock),
        TEST(a_new_frame_is_numbered_under_the_lock),
        TEST(what_was_remembered_is_forgotten_when_told_to),
        TEST(what_finds_no_room_has_no_frame),
        TEST(without_memory_there_are_no_new_frames),
        TEST(without_memory_there_is_no_first_frame),
        TEST(a_childs_frames_are_those_of_the_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
