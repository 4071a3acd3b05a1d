// SPDX-License-Identifier: MIT
/*
 * The table of rules: what is learned once, packed, kept and dropped.
 */
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include "../../shim/track/track.h"
#include "../../shim/unwind/learn.h"
#include "../../shim/unwind/rules.h"
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHAPE(name, directives)                                                                              \
    extern const char name[];                                                                                \
    extern const char name##_before[];                                                                       \
    __asm__(".pushsection .text\n.p2align 4\n" #name "_before:\nnop\n" #name ":\n.cfi_startproc\n"           \
            directives "\nnop\nnop\n.cfi_endproc\nnop\n.popsection")

SHAPE(rules_rsp, ".cfi_def_cfa_offset 48");
SHAPE(rules_rsp_saved, ".cfi_def_cfa_offset 32\n.cfi_offset %rbp, -24");
SHAPE(rules_rbp, ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -16");
SHAPE(rules_rbp_kept, ".cfi_def_cfa %rbp, 16");
SHAPE(rules_large, ".cfi_def_cfa_offset 0x0ffffff8");
SHAPE(rules_too_large, ".cfi_def_cfa_offset 0x10000000");
SHAPE(rules_far_slot, ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -0x2000");
SHAPE(rules_too_far_slot, ".cfi_def_cfa_offset 0x4000\n.cfi_offset %rbp, -0x2008");
SHAPE(rules_slot_above, ".cfi_def_cfa_offset 16\n.cfi_offset %rbp, 8");
SHAPE(rules_bp_lost, ".cfi_register %rbp, %r12");
SHAPE(rules_ra_elsewhere, ".cfi_def_cfa %rbp, 16\n.cfi_escape 0x10, 16, 2, 0x77, 0x18");
SHAPE(rules_ra_lower, ".cfi_def_cfa_offset 48\n.cfi_offset %rip, -16");
SHAPE(rules_realigned, ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n.cfi_escape 0x10, 6, 2, 0x76, 0");
SHAPE(rules_end, ".cfi_undefined %rip");
SHAPE(rules_unsupported, ".cfi_def_cfa %r10, 0");

static struct thread *self;

static int start(void **state)
{
    (void)state;
    self = shim_enter();
    return 0;
}

static struct known_rule find(const void *place)
{
    return rules_find(self, (uintptr_t)place);
}

/* --- packing ------------------------------------------------------------------------------------------- */

static void assert_short(const char *place, enum step step, int32_t offset, int16_t bp_slot)
{
    for (int i = 0; i < 3; i++) {
        struct known_rule rule = find(place);
        assert_int_equal(rule.step, step);
        assert_int_equal(rule.offset, offset);
        assert_int_equal(rule.bp_slot, bp_slot);
    }
}

static void test_common_rules_are_short(void **state)
{
    (void)state;
    assert_short(rules_rsp, STEP_RSP, 48, 0);
    assert_short(rules_rsp_saved, STEP_RSP, 32, -3);
    assert_short(rules_rbp, STEP_RBP, 16, -2);
    assert_short(rules_rbp_kept, STEP_RBP, 16, 0);
    assert_short(rules_large, STEP_RSP, 0x0ffffff8, 0);
    assert_short(rules_far_slot, STEP_RBP, 16, -1024);
    assert_short(rules_slot_above, STEP_RSP, 16, 1);
    assert_short(rules_end, STEP_END, 0, 0);
    assert_short(rules_unsupported, STEP_UNSUPPORTED, 0, 0);
}

static void assert_wide(const char *place)
{
    struct known_rule rule = find(place), again = find(place);
    struct rule right = learn_rule((uintptr_t)place);
    assert_int_equal(right.kind, RULE_STEP);
    assert_int_equal(rule.step, STEP_WIDE);
    assert_memory_equal(rules_wide(rule.offset / 8), &right, sizeof right);
    assert_int_equal(again.offset, rule.offset);
    assert_int_equal(again.step, rule.step);
}

static void test_other_rules_are_wide(void **state)
{
    (void)state;
    assert_wide(rules_too_large);
    assert_wide(rules_too_far_slot);
    assert_wide(rules_bp_lost);
    assert_wide(rules_ra_elsewhere);
    assert_wide(rules_ra_lower);
    assert_wide(rules_realigned);
}

static void test_equal_wide_rules_are_one(void **state)
{
    (void)state;
    assert_int_equal(find(rules_realigned).offset, find(rules_realigned + 1).offset);
    assert_int_not_equal(find(rules_realigned).offset, find(rules_ra_elsewhere).offset);
}

/* --- what nothing describes ---------------------------------------------------------------------------- */

static void test_code_outside_of_modules_is_not_remembered(void **state)
{
    (void)state;
    char *page = sys_reserve(PAGE_SIZE);
    assert_int_equal(find(page).step, STEP_NO_CFI);
    assert_int_equal(find(page + 1).step, STEP_NO_CFI);
    assert_int_equal(find((const void *)16).step, STEP_NO_CFI);
    sys_munmap(page, PAGE_SIZE);
}

/* A return address that is a function's first byte was not left by a call. */
static void test_a_stack_ends_before_a_function(void **state)
{
    (void)state;
    assert_short(rules_rsp_before, STEP_END, 0, 0);
    assert_short(rules_rsp + 2, STEP_NO_CFI, 0, 0);
    assert_int_equal(find(rules_rsp + 1).step, STEP_RSP);
}

/* --- many, and many threads ---------------------------------------------------------------------------- */

static bool same_as_learned(uintptr_t lookup)
{
    struct known_rule rule = rules_find(self, lookup);
    struct rule right = learn_rule(lookup);
    if (right.kind == RULE_NO_CFI)
        return rule.step == STEP_NO_CFI || rule.step == STEP_END;
    if (right.kind != RULE_STEP)
        return rule.step == (right.kind == RULE_END ? STEP_END : STEP_UNSUPPORTED);
    if (rule.step == STEP_WIDE)
        return !memcmp(rules_wide(rule.offset / 8), &right, sizeof right);
    return rule.step == (right.cfa_from_rbp ? STEP_RBP : STEP_RSP) && rule.offset == right.cfa_offset &&
           rule.bp_slot * 8 == (right.bp == RULE_BP_AT_CFA ? right.bp_offset : 0);
}

/* More than the first table holds, several times over. */
static void test_all_are_as_learned_however_many(void **state)
{
    enum { MANY = 20000 };
    (void)state;
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "printf") & -16ul;
    for (uintptr_t i = 0; i < MANY; i++)
        rules_find(self, code + 3 * i);
    for (uintptr_t i = 0; i < MANY; i += 7)
        assert_true(same_as_learned(code + 3 * i));
}

static void drop_and_learn_again(void)
{
    start(NULL);
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort") & -16ul;
    uint64_t memory = 0;
    for (int round = 0; round < 30; round++) {
        for (uintptr_t i = 0; i < 500; i++)
            rules_find(self, code + i);
        rules_drop(code + 100, code + 300);
        rules_drop(code + 7, code + 8);
        for (uintptr_t i = 0; i < 500; i++)
            assert_true(same_as_learned(code + i));
        if (round == 0)
            memory = arena_bytes();
    }
    assert_int_equal(arena_bytes(), memory);            /* in the slots that were free */
}

static void test_dropped_rules_are_learned_again(void **state)
{
    (void)state;
    shim_in_child(drop_and_learn_again);
}

static void test_rules_are_dropped_in_their_range_only(void **state)
{
    (void)state;
    void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    uintptr_t code = (uintptr_t)dlsym(library, "__ctype_get_mb_cur_max");
    assert_int_equal(rules_find(self, code).step, STEP_RSP);
    dlclose(library);                                   /* now they would be learned otherwise */
    rules_drop(code + 1, code + 100);
    rules_drop(code - 100, code);
    assert_int_equal(rules_find(self, code).step, STEP_RSP);
    rules_drop(code, code + 1);
    assert_int_equal(rules_find(self, code).step, STEP_NO_CFI);
}

static uintptr_t shared_code;

static void *find_in_thread(void *seed)
{
    struct thread *own = shim_enter();
    uint64_t numbers = (uint64_t)(uintptr_t)seed;
    for (int i = 0; i < 20000; i++) {
        uintptr_t lookup = shared_code + shim_random(&numbers) % 4000;
        struct known_rule rule = rules_find(own, lookup);
        assert_in_range(rule.step, STEP_RSP, STEP_NO_CFI);
        if (i % 1000 == 0)
            rules_drop(shared_code + 1000, shared_code + 2000);
    }
    guard_drop(own);
    return NULL;
}

static void test_threads_find_and_drop_together(void **state)
{
    pthread_t threads[4];
    (void)state;
    shared_code = (uintptr_t)dlsym(RTLD_DEFAULT, "vfprintf");
    for (intptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_in_thread, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (uintptr_t i = 0; i < 4000; i += 5)
        assert_true(same_as_learned(shared_code + i));
    assert_false(self->own_calls);
}

/* A return address may be anything, 1 or 2 for instance; those that were dropped leave no rule for it. */
static void find_anything(void)
{
    start(NULL);
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort") & -16ul;
    for (uintptr_t i = 0; i < 600; i++)
        rules_find(self, code + i);
    rules_drop(code, code + 600);
    for (uintptr_t lookup = 0; lookup < 8; lookup++)
        assert_int_equal(rules_find(self, lookup).step, STEP_NO_CFI);
}

static void test_no_address_is_taken_for_a_slot(void **state)
{
    (void)state;
    shim_in_child(find_anything);
}

enum { FULL = 1024 };           /* rules, in the first table: one more and it grows */

static uintptr_t late_code, next_code;
static struct known_rule late_rule;
static unsigned interrupted_at;
static bool *interrupted;       /* shared with the child */

static void find_late(void)
{
    late_rule = rules_find(self, late_code);
}

static void learn_one_more(void)
{
    while (rules_find(self, next_code++).step == STEP_NO_CFI)
        ;
}

static void grow_while_reading(void)
{
    start(NULL);
    next_code = late_code = (uintptr_t)dlsym(RTLD_DEFAULT, "vfprintf");
    for (int i = 0; i < FULL; i++)
        learn_one_more();
    struct known_rule right = rules_find(self, late_code);
    assert_int_equal(right.step, STEP_RSP);
    *interrupted = shim_interrupt(find_late, learn_one_more, interrupted_at);
    assert_int_equal(late_rule.step, right.step);
    assert_int_equal(late_rule.offset, right.offset);
    assert_int_equal(late_rule.bp_slot, right.bp_slot);
    assert_int_equal(late_rule.frame, right.frame);
}

/* Between any two instructions of a reader the table may be outgrown and emptied. */
static void test_a_rule_is_right_though_the_table_goes(void **state)
{
    (void)state;
    interrupted = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(interrupted != MAP_FAILED);
    do
        shim_in_child(grow_while_reading);
    while (*interrupted && ++interrupted_at < 1000);
    munmap(interrupted, PAGE_SIZE);
}

static void without_teacher(void)
{
    struct thread none = {0};
    assert_true(track_start(16));
    assert_int_equal(rules_find(&none, (uintptr_t)rules_rsp).step, STEP_RSP);
    assert_int_equal(rules_find(&none, (uintptr_t)rules_realigned).step, STEP_NO_CFI);
    rules_drop((uintptr_t)rules_realigned, (uintptr_t)rules_realigned + 1);
    assert_true(rules_start_learning());
    assert_int_equal(rules_find(&none, (uintptr_t)rules_realigned).step, STEP_WIDE);
}

static void test_without_the_teacher_only_the_common_shape_is_known(void **state)
{
    (void)state;
    shim_in_child(without_teacher);
}

int main(void)
{
    const struct CMUnitTest first[] = {
        cmocka_unit_test(test_without_the_teacher_only_the_common_shape_is_known),
        cmocka_unit_test(test_dropped_rules_are_learned_again),
        cmocka_unit_test(test_no_address_is_taken_for_a_slot),
        cmocka_unit_test(test_a_rule_is_right_though_the_table_goes),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_rules_are_short),
        cmocka_unit_test(test_other_rules_are_wide),
        cmocka_unit_test(test_equal_wide_rules_are_one),
        cmocka_unit_test(test_code_outside_of_modules_is_not_remembered),
        cmocka_unit_test(test_a_stack_ends_before_a_function),
        cmocka_unit_test(test_all_are_as_learned_however_many),
        cmocka_unit_test(test_rules_are_dropped_in_their_range_only),
        cmocka_unit_test(test_threads_find_and_drop_together),
    };
    int failed = cmocka_run_group_tests(first, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, start, NULL);
}
