// SPDX-License-Identifier: MIT
/*
 * Stacks and their sites: one to one, whatever caches forget; and the records as a reader finds them.
 */
#include "shim_support.h"
#include "../../shim/unwind/frames.h"
#include "../../shim/base/hash.h"
#include "../../shim/base/options.h"
#include "../../shim/track/paths.h"
#include "../../shim/unwind/rules.h"
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct thread *self;
static uint64_t numbers = 1;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

/* --- the records --------------------------------------------------------------------------------------- */

static const void *record(enum trace_section_type type, uint32_t number)
{
    const struct trace_section *section = NULL;
    while ((section = shim_section(section, type)))
        if (number >= section->first && number - section->first < section->capacity)
            return (const char *)(section + 1) + (number - section->first) * section->record_size;
    fail();
    return NULL;
}

static const struct trace_node *node_of(uint32_t number)
{
    assert_in_range(number, TRACE_NODE_FIRST, file_header->node_count - 1);
    return record(TRACE_NODES, number);
}

static uint32_t node_of_site(uint32_t site)
{
    assert_in_range(site, 1, file_header->site_count - 1);
    return ((const struct trace_site *)record(TRACE_SITES, site))->node;
}

/* The lookup address of a frame's record. */
static uintptr_t lookup_of(uint32_t frame)
{
    assert_in_range(frame, 1, file_header->frame_count - 1);
    const struct trace_frame *f = record(TRACE_FRAMES, frame);
    uintptr_t exact = f->flags & TRACE_FRAME_EXACT ? LOOKUP_EXACT : 0;
    return exact | (f->module ? modules_address((struct code_place){f->module, f->offset}) : f->offset);
}

static void assert_site_is_stack(uint32_t site, const struct stack_memo *stack)
{
    uint32_t number = node_of_site(site);
    assert_int_equal(node_of(number)->site, site);
    for (uint32_t i = stack->count; i-- > 0;) {
        const struct trace_node *node = node_of(number);
        assert_int_equal(lookup_of(node->frame), stack->frames[i].at.lookup);
        assert_true(node->parent < number);
        number = node->parent;
    }
    assert_int_equal(number, stack->cut ? TRACE_NODE_TRUNCATED : TRACE_NODE_ROOT);
}

/* --- one to one ---------------------------------------------------------------------------------------- */

/* Every site that was seen, by its stack's hash. */
struct known {
    uint64_t stack;
    uint32_t site;
    UT_hash_handle by_stack, by_site;
};
static struct known *stacks, *sites;
static uint32_t seen;

static uint64_t hash_of(const struct stack_memo *stack)
{
    uint64_t hash = stack->cut;
    for (uint32_t i = 0; i < stack->count; i++) {
        hash ^= stack->frames[i].at.lookup;
        hash = shim_random(&hash);
    }
    return hash;
}

static void note_site(uint32_t site, uint64_t stack)
{
    struct known *by_stack, *by_site, *new;
    HASH_FIND(by_stack, stacks, &stack, sizeof stack, by_stack);
    HASH_FIND(by_site, sites, &site, sizeof site, by_site);
    assert_ptr_equal(by_stack, by_site);
    if (by_stack)
        return;
    new = calloc(1, sizeof *new);
    new->stack = stack;
    new->site = site;
    HASH_ADD(by_stack, stacks, stack, sizeof new->stack, new);
    HASH_ADD(by_site, sites, site, sizeof new->site, new);
    seen++;
}

__attribute__((noinline)) static uint32_t site_here(void)
{
    uint32_t site = paths_site(self, shim_caller(__builtin_frame_address(0)));
    assert_true(site != 0);
    return site;
}

static void probe(void)
{
    uint32_t site = site_here();
    uint64_t stack = hash_of(self->stacks->latest);
    note_site(site, stack);
    if (choose(50) == 0)
        assert_site_is_stack(site, self->stacks->latest);
}

static uint32_t level, level_max, budget;

#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")
static void go_on(void);

__attribute__((noinline)) static void left(void)
{
    go_on();
    NOT_A_TAIL_CALL;
}

/* Of the same size: what is called from one lies where it lay when it was called from the other. */
__attribute__((noinline)) static void straight(void)
{
    go_on();
    __asm__ volatile("# not the same function" ::: "memory");
}

__attribute__((noinline)) static void right(void)
{
    volatile char bytes[100] = {1};
    go_on();
    (void)bytes[0];
}

static void on_signal(int number)
{
    (void)number;
    go_on();
    NOT_A_TAIL_CALL;
}

/* The frame that the signal strikes is known by no rule: its path cannot be told before it is looked up. */
__attribute__((noinline)) static void interrupted(void)
{
    raise(SIGUSR1);
    NOT_A_TAIL_CALL;
}

__attribute__((noinline)) static void go_on(void)
{
    static void (*const ways[])(void) = {left, straight, right, interrupted};
    level++;
    if (choose(2))
        probe();
    for (uint32_t n = choose(4); n && level < level_max && budget; n--) {
        budget--;
        ways[choose(4)]();
    }
    if (choose(2))
        probe();
    level--;
}

static void wander(uint32_t deep)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    level_max = deep;
    level = 0;
    budget = 600;
    while (budget) {
        budget--;
        left();
    }
}

static void find_many_sites(void)
{
    self = shim_enter();
    for (numbers = 1; numbers < 20;) {
        uint64_t seed = numbers;
        wander(14);
        if (seed % 3 == 0)
            frames_forget(self);
        if (seed % 5 == 0)
            stacks_forget(self);
        numbers = seed + 1;
    }
    assert_in_range(seen, 1500, 20000);
    assert_int_equal(file_header->site_count, 2 + seen);
    assert_int_equal(file_header->flags, 0);
}

static void test_a_stack_is_a_site_and_a_site_is_a_stack(void **state)
{
    (void)state;
    shim_in_child(find_many_sites);
}

static void find_cut_sites(void)
{
    options.depth = 6;
    self = shim_enter();
    for (numbers = 1; numbers < 10;) {
        uint64_t seed = numbers;
        wander(60);
        numbers = seed + 1;
    }
    assert_true(self->stacks != NULL && seen > 50);
}

static void test_cut_stacks_have_sites_of_their_own(void **state)
{
    (void)state;
    shim_in_child(find_cut_sites);
}

/* --- simple cases -------------------------------------------------------------------------------------- */

__attribute__((noinline)) static uint32_t recurse(uint32_t n)
{
    uint32_t site = n ? recurse(n - 1) : site_here();
    NOT_A_TAIL_CALL;
    return site;
}

static void compare_few(void)
{
    self = shim_enter();
    uint32_t in_loop[5], deep[5];
    volatile int times = 5;             /* a loop, not five calls */
    for (int i = 0; i < times; i++)
        in_loop[i] = site_here();
    uint32_t elsewhere = site_here();
    for (uint32_t i = 0; i < (uint32_t)times; i++)
        deep[i] = recurse(i);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(in_loop[i], in_loop[0]);
        assert_int_not_equal(deep[i], deep[i - 1]);
    }
    assert_int_not_equal(elsewhere, in_loop[0]);
    uint32_t nodes = file_header->node_count;
    for (uint32_t i = 0; i < 5; i++) {
        frames_forget(self);
        stacks_forget(self);
        uint32_t again = recurse(i);
        assert_int_not_equal(again, deep[i]);           /* called from another line */
        recurse(i);
    }
    assert_true(file_header->node_count > nodes);
}

static void test_a_loop_is_one_site_and_a_recursion_many(void **state)
{
    (void)state;
    shim_in_child(compare_few);
}

static void deep_recursion(void)
{
    self = shim_enter();
    for (uint32_t n = 0; n < 500; n++)
        recurse(n);
    assert_in_range(file_header->node_count, 1000, 1100);       /* two a level: on the way, and innermost */
    assert_in_range(file_header->frame_count, 5, 40);
}

static void test_recursion_shares_its_nodes(void **state)
{
    (void)state;
    shim_in_child(deep_recursion);
}

static void trace_back(void)
{
    self = shim_enter();
    void *addresses[64] = {0};
    uint32_t site = recurse(4);
    const struct stack_memo *stack = self->stacks->latest;
    int n = paths_addresses(site, addresses, 64);
    assert_int_equal(n, stack->count);
    for (int i = 0; i < n; i++)
        assert_int_equal((uintptr_t)addresses[i], stack->frames[n - 1 - i].at.lookup);
    memset(addresses, 0, sizeof addresses);
    assert_int_equal(paths_addresses(site, addresses, 3), n);
    assert_non_null(addresses[2]);
    assert_null(addresses[3]);
    assert_int_equal(paths_addresses(site, NULL, 0), n);
    assert_int_equal(paths_addresses(1, addresses, 64), 0);     /* the overflow's */
}

static void test_a_site_has_the_addresses_of_its_stack(void **state)
{
    (void)state;
    shim_in_child(trace_back);
}

static void callers_only(void)
{
    self = shim_enter();
    uintptr_t code = (uintptr_t)callers_only;
    uint32_t first = paths_site_of_caller(self, 0, code), second = paths_site_of_caller(self, 0, code + 1);
    assert_int_not_equal(first, second);
    frames_forget(self);
    assert_int_equal(paths_site_of_caller(self, 0, code), first);
    assert_int_equal(paths_site_of_caller(self, 0, code + 1), second);
    assert_int_equal(node_of(node_of_site(first))->parent, TRACE_NODE_ROOT);
    assert_int_equal(lookup_of(node_of(node_of_site(first))->frame), code);
    uint32_t below = paths_site_of_caller(self, frames_number(code + 2), code);
    assert_true(below != first && below != second);
    assert_int_equal(paths_addresses(below, NULL, 0), 2);
    uint32_t exact = paths_site_of_caller(self, 0, code | LOOKUP_EXACT);
    assert_int_not_equal(exact, first);
    assert_int_equal(lookup_of(node_of(node_of_site(exact))->frame), code | LOOKUP_EXACT);
}

static void test_a_caller_alone_is_a_site(void **state)
{
    (void)state;
    shim_in_child(callers_only);
}

/* --- threads ------------------------------------------------------------------------------------------- */

enum { CODE = 3000 };
static uint32_t site_in_thread[4][CODE];

static void *find_in_thread(void *number)
{
    struct thread *own = shim_enter();
    uintptr_t which = (uintptr_t)number;
    for (uint32_t i = 0; i < CODE; i++) {
        uint32_t n = which % 2 ? i : CODE - 1 - i;
        site_in_thread[which][n] = paths_site_of_caller(own, 0, (uintptr_t)find_in_thread + n);
    }
    guard_drop(own);
    return NULL;
}

static void find_in_threads(void)
{
    pthread_t threads[4];
    guard_drop(shim_enter());
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_in_thread, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++)
        assert_memory_equal(site_in_thread[i], site_in_thread[0], sizeof site_in_thread[0]);
    assert_int_equal(file_header->site_count, 2 + CODE);
}

static void test_threads_agree_on_the_sites(void **state)
{
    (void)state;
    shim_in_child(find_in_threads);
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
    return done && rules_start() && modules_start() && paths_start();
}

static void no_stacks(struct thread *thread)
{
    (void)thread;
}

static void forget_nothing(struct thread *thread)
{
    (void)thread;
}

static void overflow_image(void)
{
    enum { OVERFLOW = 1, LIMIT = 200000 };
    shim_steps.begin = begin_small;
    shim_steps.start = no_stacks;
    shim_steps.refresh = forget_nothing;
    self = shim_enter();
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "getline");     /* libc has a MiB and more of it */
    uint32_t first = paths_site_of_caller(self, 0, (uintptr_t)overflow_image), n = 0;
    while (n < LIMIT && paths_site_of_caller(self, 0, code + n) != OVERFLOW)
        n++;
    assert_in_range(n, 50000, LIMIT - 1);
    assert_int_equal(file_header->flags, TRACE_TABLES_FULL);
    assert_int_equal(paths_site_of_caller(self, 0, (uintptr_t)overflow_image), first);
    assert_int_equal(paths_site_of_caller(self, 0, code + 1000), first + 1001);
    assert_int_equal(paths_site_of_caller(self, 0, code + LIMIT + 1), OVERFLOW);
    assert_int_equal(node_of_site(OVERFLOW), TRACE_NODE_OVERFLOW);
}

static void test_what_finds_no_room_is_the_overflows(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();                             /* no address space can be limited there */
#endif
    shim_in_child(overflow_image);
}

static void forget_parents_additions(void)
{
    self = shim_enter();
    recurse(3);
    uint32_t nodes = file_header->node_count, frames = file_header->frame_count;
    uint32_t count = file_header->site_count;
    file_header->node_count += 100;
    file_header->frame_count += 100;
    file_header->site_count += 100;
    paths_child();
    assert_int_equal(file_header->node_count, nodes);
    assert_int_equal(file_header->frame_count, frames);
    assert_int_equal(file_header->site_count, count);
}

static void test_a_childs_tables_are_as_at_the_fork(void **state)
{
    (void)state;
    shim_in_child(forget_parents_additions);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(a_loop_is_one_site_and_a_recursion_many),
        TEST(recursion_shares_its_nodes),
        TEST(a_stack_is_a_site_and_a_site_is_a_stack),
        TEST(cut_stacks_have_sites_of_their_own),
        TEST(a_site_has_the_addresses_of_its_stack),
        TEST(a_caller_alone_is_a_site),
        TEST(threads_agree_on_the_sites),
        TEST(what_finds_no_room_is_the_overflows),
        TEST(a_childs_tables_are_as_at_the_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
