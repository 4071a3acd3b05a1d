// SPDX-License-Identifier: MIT
/*
 * One step outward, by rules of all forms, over stacks that are made here; and what of a stack may be read.
 */
#include "shim_support.h"
#include "../../shim/unwind/frames.h"
#include "../../shim/unwind/modules.h"
#include "../../shim/unwind/step.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Functions that are never run: where a frame is in them tells its rule. */
#define SHAPE(name, directives)                                                                              \
    extern const char name[];                                                                                \
    __asm__(".pushsection .text\n.p2align 4\nnop\n" #name ":\n.cfi_startproc\n" directives "\nnop\nnop\n"    \
            ".cfi_endproc\nnop\n.popsection")

#define CFA_DEREF(register, offset)    ".cfi_escape 0x0f, 3, " register ", " offset ", 0x06\n"
#define SAVED_AT(what, register, offset) ".cfi_escape 0x10, " what ", 2, " register ", " offset "\n"
#define BY_RBP "0x76"
#define BY_RSP "0x77"

SHAPE(step_rsp, ".cfi_def_cfa_offset 32");
SHAPE(step_rsp_saved, ".cfi_def_cfa_offset 32\n.cfi_offset %rbp, -24");
SHAPE(step_rsp_saved_outside, ".cfi_def_cfa_offset 32\n.cfi_offset %rbp, 16");
SHAPE(step_rsp_inward, ".cfi_def_cfa %rsp, -32");
SHAPE(step_rsp_still, ".cfi_def_cfa %rsp, 0");
SHAPE(step_rbp, ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -16");
SHAPE(step_rbp_far, ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -0x2000");
SHAPE(step_rbp_kept, ".cfi_def_cfa %rbp, 16");
SHAPE(step_realigned, CFA_DEREF(BY_RBP, "0x78") SAVED_AT("6", BY_RBP, "0"));      /* *(rbp - 8), rbp at rbp */
SHAPE(step_deref, CFA_DEREF(BY_RSP, "0x28"));                                     /* *(rsp + 40) */
SHAPE(step_deref_add, ".cfi_escape 0x0f, 5, 0x77, 0x28, 0x06, 0x23, 0x10");       /* *(rsp + 40) + 16 */
SHAPE(step_ra_at_rsp, ".cfi_def_cfa %rbp, 16\n" SAVED_AT("16", BY_RSP, "0x18"));
SHAPE(step_bp_at_rsp, ".cfi_def_cfa %rbp, 16\n" SAVED_AT("6", BY_RSP, "0x08"));
SHAPE(step_ra_lower, ".cfi_def_cfa_offset 48\n.cfi_offset %rip, -24\n.cfi_offset %rbp, -16");
SHAPE(step_bp_lost, ".cfi_def_cfa_offset 32\n.cfi_register %rbp, %r12");
SHAPE(step_signal, ".cfi_signal_frame\n" CFA_DEREF(BY_RSP, "0x10") SAVED_AT("16", BY_RSP, "0x18")
                       SAVED_AT("6", BY_RSP, "0x20"));
SHAPE(step_end, ".cfi_undefined %rip");
SHAPE(step_unsupported, ".cfi_def_cfa %r10, 0");

__asm__(".pushsection .text\n.p2align 4\nstep_nothing:\n.fill 32, 1, 0x90\n.popsection");
extern const char step_nothing[];

static struct thread *self;

/* A stack off the thread's own, and pages behind it that cannot be read. */
enum { WORDS = 2 * 4096 / 8, NONE = 4 * 4096 };
static uintptr_t *words;

static struct reach reach;
static struct kept_frame from, to;
static bool fleeting;

static uintptr_t *new_words(void)
{
    char *pages = mmap(NULL, WORDS * 8 + NONE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages, WORDS * 8, PROT_READ | PROT_WRITE), 0);
    return (uintptr_t *)pages;
}

static int start_all(void **state)
{
    (void)state;
    self = shim_enter();
    words = new_words();
    return life_state() == LIFE_ON ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    memset(words, 0, WORDS * 8);
    return 0;
}

static uintptr_t at(uint32_t i)
{
    return (uintptr_t)&words[i];
}

/* A step from a frame of this place, whose rsp is the address of words[sp]. */
static enum outcome step_from(uintptr_t lookup, uintptr_t sp, uintptr_t bp)
{
    from = (struct kept_frame){.at = {lookup, sp, bp}};
    memset(&to, 0x5a, sizeof to);
    fleeting = false;
    reach_begin(&reach, sp);
    return step(self, &reach, &from, &to, &fleeting);
}

static enum outcome step_at(const char *place, uint32_t sp, uintptr_t bp)
{
    return step_from((uintptr_t)place, at(sp), bp);
}

static void assert_to(uintptr_t lookup, uintptr_t sp, uintptr_t bp)
{
    assert_int_equal(to.at.lookup, lookup);
    assert_int_equal(to.at.sp, sp);
    assert_int_equal(to.at.bp, bp);
    assert_int_equal(to.frame, 0);
    assert_int_equal(to.node, 0);
    assert_false(to.uses_bp || to.bp_matters);
}

static void assert_how(enum odd odd, int16_t bp_slot, bool bp_kept, bool uses_bp)
{
    assert_int_equal(to.odd, odd);
    assert_int_equal(to.bp_slot, bp_slot);
    assert_int_equal(to.bp_kept, bp_kept);
    assert_int_equal(from.uses_bp, uses_bp);
    assert_false(fleeting);
}

enum { CALLER = 0x1234, CALLER_BP = 0x5678 };

/* --- by rules of the two common forms ------------------------------------------------------------------ */

static void test_by_rsp(void **state)
{
    (void)state;
    words[13] = CALLER + 1;
    assert_int_equal(step_at(step_rsp, 10, CALLER_BP), OUTCOME_STEPPED);
    assert_to(CALLER, at(14), CALLER_BP);
    assert_how(ODD_PLACE, 0, true, false);
}

static void test_by_rsp_with_rbp_saved(void **state)
{
    (void)state;
    words[13] = CALLER + 1;
    words[11] = CALLER_BP;
    assert_int_equal(step_at(step_rsp_saved, 10, 1), OUTCOME_STEPPED);
    assert_to(CALLER, at(14), CALLER_BP);
    assert_how(ODD_PLACE, -3, false, false);
    words[16] = CALLER_BP + 8;
    assert_int_equal(step_at(step_rsp_saved_outside, 10, 1), OUTCOME_STEPPED);
    assert_to(CALLER, at(14), CALLER_BP + 8);
    assert_how(ODD_PLACE, 2, false, false);
}

static void test_by_rbp(void **state)
{
    (void)state;
    words[20] = CALLER_BP;
    words[21] = CALLER + 1;
    assert_int_equal(step_at(step_rbp, 10, at(20)), OUTCOME_STEPPED);
    assert_to(CALLER, at(22), CALLER_BP);
    assert_how(ODD_PLACE, -2, false, true);
    assert_int_equal(step_at(step_rbp_kept, 10, at(20)), OUTCOME_STEPPED);
    assert_to(CALLER, at(22), at(20));
    assert_how(ODD_PLACE, 0, true, true);
}

/* On the thread's own stack nothing is odd about it. */
__attribute__((noinline)) static void step_on_own_stack(uintptr_t *own)
{
    own[3] = CALLER + 1;
    own[1] = CALLER_BP;
    assert_int_equal(step_from((uintptr_t)step_rsp, (uintptr_t)own, 7), OUTCOME_STEPPED);
    assert_to(CALLER, (uintptr_t)&own[4], 7);
    assert_how(ODD_NOT, 0, true, false);
    assert_int_equal(step_from((uintptr_t)step_rsp_saved, (uintptr_t)own, 7), OUTCOME_STEPPED);
    assert_to(CALLER, (uintptr_t)&own[4], CALLER_BP);
    assert_how(ODD_NOT, -3, false, false);
    uintptr_t bp = (uintptr_t)&own[2];
    assert_int_equal(step_from((uintptr_t)step_rbp_kept, (uintptr_t)own, bp), OUTCOME_STEPPED);
    assert_how(ODD_NOT, 0, true, true);
}

static void test_on_the_threads_own_stack(void **state)
{
    uintptr_t own[16] = {0};
    (void)state;
    step_on_own_stack(own);
}

/* From another stack to the own one: each word is where it is. */
static void test_between_stacks(void **state)
{
    uintptr_t own[16] = {0};
    (void)state;
    words[20] = CALLER_BP;
    words[21] = CALLER + 1;
    own[4] = CALLER_BP + 8;
    own[5] = CALLER + 2;
    assert_true(at(20) < (uintptr_t)own);               /* where the kernel maps; a walk leads upwards */
    assert_int_equal(step_from((uintptr_t)step_rbp, (uintptr_t)own, at(20)), OUTCOME_LOST);
    assert_int_equal(step_at(step_rbp, 10, (uintptr_t)&own[4]), OUTCOME_STEPPED);
    assert_to(CALLER + 1, (uintptr_t)&own[6], CALLER_BP + 8);
    assert_how(ODD_NOT, -2, false, true);
}

/* --- by other rules ------------------------------------------------------------------------------------ */

static void test_over_a_realigned_frame(void **state)
{
    (void)state;
    words[19] = at(31);
    words[20] = CALLER_BP;
    words[30] = CALLER + 1;
    assert_int_equal(step_at(step_realigned, 10, at(20)), OUTCOME_STEPPED);
    assert_to(CALLER, at(31), CALLER_BP);
    assert_how(ODD_STEP, 0, false, true);
}

static void test_over_a_frame_that_is_told_by_a_word(void **state)
{
    (void)state;
    words[15] = at(31);
    words[30] = CALLER + 1;
    words[32] = CALLER + 2;
    assert_int_equal(step_at(step_deref, 10, 7), OUTCOME_STEPPED);
    assert_to(CALLER, at(31), 7);
    assert_how(ODD_STEP, 0, false, true);
    assert_int_equal(step_at(step_deref_add, 10, 7), OUTCOME_STEPPED);
    assert_to(CALLER + 1, at(33), 7);
    words[15] = at(31) + 4;                             /* no word begins there */
    assert_int_equal(step_at(step_deref, 10, 7), OUTCOME_LOST);
    words[15] = 0x1000;
    assert_int_equal(step_at(step_deref, 10, 7), OUTCOME_LOST);
    words[15] = at(9);                                  /* inward */
    words[8] = CALLER + 1;
    assert_int_equal(step_at(step_deref, 10, 7), OUTCOME_LOST);
}

static void test_over_frames_with_words_by_rsp(void **state)
{
    (void)state;
    words[13] = CALLER + 1;
    assert_int_equal(step_at(step_ra_at_rsp, 10, at(20)), OUTCOME_STEPPED);
    assert_to(CALLER, at(22), at(20));
    words[21] = CALLER + 1;
    words[11] = CALLER_BP;
    assert_int_equal(step_at(step_bp_at_rsp, 10, at(20)), OUTCOME_STEPPED);
    assert_to(CALLER, at(22), CALLER_BP);
    assert_how(ODD_STEP, 0, false, true);
    words[13] = CALLER + 3;
    words[14] = CALLER_BP + 8;
    assert_int_equal(step_at(step_ra_lower, 10, 7), OUTCOME_STEPPED);
    assert_to(CALLER + 2, at(16), CALLER_BP + 8);
}

/* An rbp that is lost ends a walk where it is needed, and only there. */
static void test_a_lost_rbp(void **state)
{
    (void)state;
    words[13] = (uintptr_t)step_rsp + 1;
    words[17] = CALLER + 1;
    assert_int_equal(step_at(step_bp_lost, 10, at(100)), OUTCOME_STEPPED);
    assert_int_equal(to.at.lookup, (uintptr_t)step_rsp);
    uintptr_t unknown = to.at.bp;
    assert_int_equal(step_at(step_rsp, 14, unknown), OUTCOME_STEPPED);
    assert_to(CALLER, at(18), unknown);
    const char *const by_rbp[] = {step_rbp, step_rbp_kept, step_realigned, step_ra_at_rsp, step_bp_at_rsp};
    for (size_t i = 0; i < sizeof by_rbp / sizeof *by_rbp; i++)
        assert_int_equal(step_at(by_rbp[i], 14, unknown), OUTCOME_LOST);
    assert_int_equal(step_at(step_nothing, 14, unknown), OUTCOME_LOST);
    words[17] = 0;                                      /* nor is it the end then */
    assert_int_equal(step_at(step_ra_at_rsp, 14, unknown), OUTCOME_LOST);
}

/* A signal's frame: its caller was interrupted, and may be on any stack. */
static void test_over_a_signal_frame(void **state)
{
    (void)state;
    words[13] = CALLER;
    words[14] = CALLER_BP;
    for (uint32_t sp = 5; sp < 20; sp += 10) {
        words[12] = at(sp);
        assert_int_equal(step_at(step_signal, 10, 7), OUTCOME_STEPPED);
        assert_to(CALLER | LOOKUP_EXACT, at(sp), CALLER_BP);
        assert_how(ODD_STEP, 0, false, true);
    }
    words[13] = 0;
    assert_int_equal(step_at(step_signal, 10, 7), OUTCOME_ZERO);
}

/* It is stepped from by the rule of its very address, but is not the frame of that address. */
static void test_from_an_interrupted_frame(void **state)
{
    (void)state;
    words[13] = CALLER + 1;
    assert_int_equal(step_from((uintptr_t)step_rsp | LOOKUP_EXACT, at(10), 7), OUTCOME_STEPPED);
    assert_to(CALLER, at(14), 7);
    assert_int_equal(from.frame, 0);
    assert_int_equal(step_at(step_rsp, 10, 7), OUTCOME_STEPPED);
    assert_int_not_equal(from.frame, 0);
    assert_int_equal(from.frame, frames_number_of(self, (uintptr_t)step_rsp));
}

static void test_ends(void **state)
{
    (void)state;
    assert_int_equal(step_at(step_end, 10, at(20)), OUTCOME_END);
    assert_false(from.uses_bp);
    assert_false(fleeting);
    assert_int_equal(step_from((uintptr_t)step_rsp - 1, at(10), at(20)), OUTCOME_END); /* before a function */
    assert_int_equal(step_at(step_unsupported, 10, at(20)), OUTCOME_LOST);
}

/* The word that ends the stack is told, in all forms. */
static void test_a_return_address_of_0_is_the_end(void **state)
{
    (void)state;
    words[19] = words[15] = at(31);
    assert_int_equal(step_at(step_rsp, 10, 7), OUTCOME_ZERO);
    assert_int_equal(to.at.lookup, at(13));
    assert_int_equal(step_at(step_rbp, 10, at(20)), OUTCOME_ZERO);
    assert_int_equal(to.at.lookup, at(21));
    assert_int_equal(step_at(step_realigned, 10, at(20)), OUTCOME_ZERO);
    assert_int_equal(to.at.lookup, at(30));
    assert_int_equal(step_at(step_ra_at_rsp, 10, at(20)), OUTCOME_ZERO);
    assert_int_equal(to.at.lookup, at(13));
    assert_int_equal(step_at(step_nothing, 10, at(20)), OUTCOME_ZERO);
    assert_int_equal(to.at.lookup, at(21));
}

/* --- words that lead astray ---------------------------------------------------------------------------- */

static void test_a_stack_only_grows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        words[i] = CALLER + 1;
    assert_int_equal(step_at(step_rbp_kept, 50, at(49)), OUTCOME_STEPPED);
    assert_int_equal(step_at(step_rbp_kept, 50, at(48)), OUTCOME_LOST);
    assert_int_equal(step_at(step_rbp_kept, 50, at(20)), OUTCOME_LOST);
    assert_int_equal(step_at(step_rsp_still, 50, 7), OUTCOME_LOST);
    assert_int_equal(step_at(step_rsp_inward, 50, 7), OUTCOME_LOST);
    words[49] = 0;
    assert_int_equal(step_at(step_rsp_still, 50, 7), OUTCOME_LOST);
    words[49] = CALLER + 1;
    words[47] = at(50);
    assert_int_equal(step_at(step_realigned, 50, at(48)), OUTCOME_LOST);
    words[47] = at(51);
    assert_int_equal(step_at(step_realigned, 50, at(48)), OUTCOME_STEPPED);
    assert_int_equal(step_at(step_ra_at_rsp, 50, at(48)), OUTCOME_LOST);
}

static void test_no_rbp_makes_it_crash(void **state)
{
    uintptr_t edge = at(WORDS), own[4];
    const uintptr_t wild[] = {0, 1, 7, 8, 0x1234, 0xdeadbeef, PAGE_SIZE, edge - 15, edge - 8, edge - 1, edge,
                              edge + 800, 0x7ffffffff000, 0x7ffffffffff8, 0x800000000000, 0xffffffff81000000,
                              1ul << 63, UINTPTR_MAX - 23, UINTPTR_MAX - 15, UINTPTR_MAX - 7, UINTPTR_MAX};
    const char *const by_rbp[] = {step_rbp, step_rbp_kept, step_realigned, step_bp_at_rsp};
    (void)state;
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        for (size_t n = 0; n < sizeof by_rbp / sizeof *by_rbp; n++) {
            assert_int_equal(step_at(by_rbp[n], 10, wild[i]), OUTCOME_LOST);
            assert_int_equal(step_from((uintptr_t)by_rbp[n], (uintptr_t)own, wild[i]), OUTCOME_LOST);
        }
        assert_int_equal(step_at(step_nothing, 10, wild[i]), wild[i] ? OUTCOME_LOST : OUTCOME_END);
    }
}

static void test_words_at_the_edge_of_what_can_be_read(void **state)
{
    (void)state;
    words[WORDS - 1] = CALLER + 1;
    words[WORDS - 2] = CALLER_BP;
    assert_int_equal(step_at(step_rsp, WORDS - 4, 7), OUTCOME_STEPPED);
    assert_to(CALLER, at(WORDS), 7);
    assert_int_equal(step_at(step_rsp, WORDS - 3, 7), OUTCOME_LOST);
    assert_int_equal(step_at(step_rsp_saved, WORDS - 4, 7), OUTCOME_STEPPED);
    assert_int_equal(step_at(step_rsp_saved_outside, WORDS - 4, 7), OUTCOME_LOST);      /* rbp is behind */
    assert_int_equal(step_at(step_rbp, WORDS - 4, at(WORDS - 2)), OUTCOME_STEPPED);
    assert_to(CALLER, at(WORDS), CALLER_BP);
    assert_int_equal(step_at(step_deref, WORDS - 5, 7), OUTCOME_LOST);
    assert_int_equal(step_at(step_nothing, WORDS - 4, at(WORDS - 1)), OUTCOME_LOST);    /* address behind */
}

/* --- code that nothing describes ----------------------------------------------------------------------- */

static void assert_chained(uintptr_t lookup, uintptr_t address, enum outcome outcome)
{
    words[20] = CALLER_BP;
    words[21] = address;
    assert_int_equal(step_from(lookup, at(10), at(20)), outcome);
    assert_true(fleeting);
    assert_true(from.uses_bp);
    assert_int_equal(from.frame != 0, modules_cover(from.at.lookup));
    if (outcome == OUTCOME_STEPPED)
        assert_to(address - 1, at(22), CALLER_BP);
}

enum { NEAR = 100 << 20 };

static void test_a_chain_of_frames_is_followed_to_code(void **state)
{
    uintptr_t code = (uintptr_t)step_nothing, page = (uintptr_t)new_words();
    (void)state;
    assert_chained(code, (uintptr_t)step_rsp + 1, OUTCOME_STEPPED);
    assert_chained(code, code + 9, OUTCOME_STEPPED);
    assert_chained(code, page + 1, OUTCOME_LOST);               /* from a module only to modules */
    assert_chained(code, CALLER, OUTCOME_LOST);
    assert_chained(page, (uintptr_t)step_rsp + 1, OUTCOME_STEPPED);
    assert_chained(page, page + 100, OUTCOME_STEPPED);          /* from generated code to its like */
    assert_chained(page + NEAR, page, OUTCOME_STEPPED);
    assert_chained(page, page + 3 * (uintptr_t)NEAR, OUTCOME_LOST);
    assert_chained(page + 3 * (uintptr_t)NEAR, page, OUTCOME_LOST);
    assert_chained(page, CALLER, OUTCOME_LOST);
    assert_chained(page, UINTPTR_MAX, OUTCOME_LOST);
    assert_chained(page | LOOKUP_EXACT, page + 100, OUTCOME_STEPPED);
    munmap((void *)page, WORDS * 8 + NONE);
}

static void test_code_of_a_module_is_not_called_from_generated_code_near_it(void **state)
{
    uintptr_t code = (uintptr_t)step_nothing;
    void *hint = (void *)((code & -PAGE_SIZE) + NEAR);
    void *near = mmap(hint, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    if (near == MAP_FAILED || (uintptr_t)near - code > 2ul * NEAR)
        skip();
    assert_chained(code, (uintptr_t)near + 1, OUTCOME_LOST);
    assert_chained((uintptr_t)near, code + 1, OUTCOME_STEPPED);
    munmap(near, PAGE_SIZE);
}

static void test_a_chain_leads_outward(void **state)
{
    (void)state;
    words[20] = CALLER_BP;
    words[21] = (uintptr_t)step_rsp + 1;
    assert_int_equal(step_at(step_nothing, 20, at(20)), OUTCOME_STEPPED);
    assert_int_equal(step_at(step_nothing, 21, at(20)), OUTCOME_LOST);
    assert_int_equal(step_at(step_nothing, 10, at(20) + 4), OUTCOME_LOST);
    assert_int_equal(step_at(step_nothing, 10, 0), OUTCOME_END);
}

/* --- what may be read ---------------------------------------------------------------------------------- */

static bool is_own(uintptr_t address)
{
    return address >= reach.low && address < reach.high;
}

static void test_the_first_threads_stack_is_its_own_to_its_end(void **state)
{
    extern void *__libc_stack_end;
    uintptr_t word = 77, read = 0, here = (uintptr_t)&word & -8ul;
    (void)state;
    reach = (struct reach){0};
    reach_begin(&reach, here);
    assert_int_equal(reach.high, ((uintptr_t)__libc_stack_end & -PAGE_SIZE) + PAGE_SIZE);
    assert_int_equal(reach.low, here & -PAGE_SIZE);
    assert_int_equal(reach.other_low, reach.other_high);
    assert_true(reach_word(&reach, here, &read));
    assert_int_equal(read, 77);
    for (uintptr_t address = here; address < reach.high; address += 512)
        assert_true(reach_word(&reach, address, &read));
}

__attribute__((noinline)) static void go_down(uint32_t n)
{
    volatile char bytes[3 * 4096];
    bytes[0] = 1;
    uintptr_t low = reach.low, high = reach.high;
    reach_begin(&reach, (uintptr_t)bytes & -8ul);
    assert_true(reach.low < low && reach.low <= (uintptr_t)bytes);
    assert_int_equal(reach.high, high);
    if (n)
        go_down(n - 1);
    bytes[1] = 1;
}

static void test_it_is_known_as_far_as_it_was_used(void **state)
{
    uintptr_t here = (uintptr_t)&here;
    (void)state;
    reach = (struct reach){0};
    reach_begin(&reach, here);
    go_down(20);
    uintptr_t low = reach.low;
    reach_begin(&reach, here);
    assert_int_equal(reach.low, low);
}

static void test_elsewhere_pages_are_asked_for_one_by_one(void **state)
{
    uintptr_t word;
    (void)state;
    words[0] = 1;
    words[WORDS - 1] = 2;
    reach_begin(&reach, at(0));
    assert_int_equal(reach.other_low, at(0));
    assert_int_equal(reach.other_high, at(0) + PAGE_SIZE);
    assert_true(reach_word(&reach, at(0), &word) && word == 1);
    assert_true(reach_word(&reach, at(WORDS - 1), &word) && word == 2);
    assert_int_equal(reach.other_low, at(0));           /* the next page joins it */
    assert_int_equal(reach.other_high, at(WORDS));
    word = 5;
    assert_false(reach_word(&reach, at(WORDS), &word));
    assert_false(reach_word(&reach, at(WORDS) + NONE / 2, &word));
    assert_int_equal(word, 5);
    assert_int_equal(reach.other_high, at(WORDS));
    uintptr_t *others = new_words();
    others[3] = 9;
    assert_true(reach_word(&reach, (uintptr_t)&others[3], &word) && word == 9);
    assert_int_equal(reach.other_low, (uintptr_t)others);
    assert_true(reach_word(&reach, at(0), &word) && word == 1);
    munmap(others, WORDS * 8 + NONE);
}

static void test_pages_between_those_asked_for_are_not_believed(void **state)
{
    uintptr_t word, behind = at(WORDS) + NONE - PAGE_SIZE;
    (void)state;
    assert_int_equal(mprotect((void *)behind, PAGE_SIZE, PROT_READ), 0);
    reach_begin(&reach, at(0));
    assert_true(reach_word(&reach, behind, &word));
    assert_false(reach_word(&reach, at(WORDS), &word));
    assert_false(reach_word(&reach, behind - 8, &word));
    assert_true(reach_word(&reach, behind, &word));
    assert_true(reach_word(&reach, at(0), &word));
    assert_false(reach_word(&reach, behind - 8, &word));
    assert_int_equal(mprotect((void *)behind, PAGE_SIZE, PROT_NONE), 0);
}

/* A walk believes nothing of the one before. */
static void test_elsewhere_pages_are_asked_for_in_each_walk(void **state)
{
    uintptr_t word, here = (uintptr_t)&word, *others = new_words();
    (void)state;
    reach_begin(&reach, here);
    assert_true(reach_word(&reach, (uintptr_t)others, &word));
    assert_int_equal(mprotect(others, PAGE_SIZE, PROT_NONE), 0);
    reach_begin(&reach, here);
    assert_false(reach_word(&reach, (uintptr_t)others, &word));
    assert_true(reach_word(&reach, (uintptr_t)others + PAGE_SIZE, &word));
    munmap(others, WORDS * 8 + NONE);
}

static void test_only_whole_words_are_read(void **state)
{
    uintptr_t word = 5, here = (uintptr_t)&word;
    (void)state;
    reach_begin(&reach, here);
    for (uintptr_t i = 1; i < 8; i++) {
        assert_false(reach_word(&reach, here + i, &word));
        assert_false(reach_word(&reach, at(4) + i, &word));
        assert_false(reach_word(&reach, at(WORDS) - 8 + i, &word));
    }
    assert_int_equal(word, 5);
}

static void test_no_address_makes_it_crash(void **state)
{
    const uintptr_t wild[] = {0, 8, 0x1000, 0x7ffffffff000, 0x7ffffffffff8, 0x800000000000, 1ul << 63,
                              0xffffffff81000000, UINTPTR_MAX - 4095, UINTPTR_MAX - 7};
    uintptr_t word;
    (void)state;
    reach_begin(&reach, (uintptr_t)&word);
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_false(reach_word(&reach, wild[i], &word));
    assert_true(reach_word(&reach, (uintptr_t)&wild[0], &word) && word == wild[0]);
}

/* --- threads ------------------------------------------------------------------------------------------- */

/* What a thread's stack may have around it, from below: another stack, a hole, the stack, another. */
enum { BELOW = 64 * 4096, HOLE = 4096, ABOVE = 512 * 4096 };

static void run_on(char *stack, size_t size, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
    setenv("CMOCKA_TEST_ABORT", "1", 1);                /* another thread cannot jump back */
    assert_int_equal(pthread_create(&thread, &attributes, function, argument), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    unsetenv("CMOCKA_TEST_ABORT");
}

static void *look_around(void *stack)
{
    uintptr_t low = (uintptr_t)stack, word, here = (uintptr_t)&word;
    reach = (struct reach){0};
    reach_begin(&reach, here);
    assert_true(is_own(here));
    assert_int_equal(reach.low, here & -PAGE_SIZE);
    assert_in_range(reach.high, low + ABOVE - 64 * 1024, low + ABOVE);  /* the descriptor is above */
    assert_false(reach_word(&reach, low - 8, &word));
    assert_true(reach_word(&reach, low - HOLE - 8, &word));
    assert_true(reach_word(&reach, here, &word));
    reach_begin(&reach, low - HOLE - 16);               /* on the stack below */
    assert_false(is_own(low - HOLE - 16));
    assert_false(is_own(low - 8));
    assert_true(reach.low >= low);
    assert_int_equal(reach.other_low, (low - HOLE - 16) & -PAGE_SIZE);
    return NULL;
}

static void test_a_threads_stack_ends_at_a_hole(void **state)
{
    char *area = mmap(NULL, BELOW + HOLE + ABOVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_true(area != MAP_FAILED);
    assert_int_equal(mprotect(area + BELOW, HOLE, PROT_NONE), 0);
    run_on(area + BELOW + HOLE, ABOVE, look_around, area + BELOW + HOLE);
    munmap(area, BELOW + HOLE + ABOVE);
}

/* A frame of which one word is on the stack, the other just off it. */
static void *step_at_the_edges(void *stack)
{
    uintptr_t room[4096], top = (uintptr_t)stack + ABOVE, *outside = (uintptr_t *)top;
    memset(room, 0, sizeof room);
    reach = (struct reach){0};
    reach_begin(&reach, (uintptr_t)room);
    assert_int_equal(reach.high, top);
    outside[1] = CALLER + 1;
    assert_int_equal(step_from((uintptr_t)step_rbp_far, (uintptr_t)room, top), OUTCOME_STEPPED);
    assert_to(CALLER, top + 16, *(uintptr_t *)(top + 16 - 0x2000));
    assert_how(ODD_PLACE, -1024, false, true);
    reach.low = (uintptr_t)&room[2560] & -PAGE_SIZE;    /* as far as it was used: rbp is below */
    room[2561] = CALLER + 1;
    room[2562 - 1024] = CALLER_BP;
    uintptr_t bp = (uintptr_t)&room[2560];
    from = (struct kept_frame){.at = {(uintptr_t)step_rbp_far, bp - 8, bp}};
    assert_int_equal(step(self, &reach, &from, &to, &fleeting), OUTCOME_STEPPED);
    assert_to(CALLER, (uintptr_t)&room[2562], CALLER_BP);
    assert_how(ODD_PLACE, -1024, false, true);
    return NULL;
}

static void test_a_frame_across_a_stacks_edge_is_odd(void **state)
{
    char *area = mmap(NULL, ABOVE + PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_true(area != MAP_FAILED);
    run_on(area, ABOVE, step_at_the_edges, area);
    munmap(area, ABOVE + PAGE_SIZE);
}

/* Without a hole between, what is far is no part of it. */
enum { FAR = 40 << 20 };

static void *look_far(void *area)
{
    uintptr_t low = (uintptr_t)area, word, here = (uintptr_t)&word;
    reach = (struct reach){0};
    reach_begin(&reach, here);
    reach_begin(&reach, low);
    assert_false(is_own(low));
    assert_int_equal(reach.other_low, low);
    assert_int_equal(reach.low, here & -PAGE_SIZE);
    return NULL;
}

static void test_what_is_far_is_not_taken_for_the_stack(void **state)
{
    char *area = mmap(NULL, FAR + ABOVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_true(area != MAP_FAILED);
    run_on(area + FAR, ABOVE, look_far, area);
    munmap(area, FAR + ABOVE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, clear)
    const struct CMUnitTest tests[] = {
        TEST(by_rsp),
        TEST(by_rsp_with_rbp_saved),
        TEST(by_rbp),
        TEST(on_the_threads_own_stack),
        TEST(between_stacks),
        TEST(over_a_realigned_frame),
        TEST(over_a_frame_that_is_told_by_a_word),
        TEST(over_frames_with_words_by_rsp),
        TEST(a_lost_rbp),
        TEST(over_a_signal_frame),
        TEST(from_an_interrupted_frame),
        TEST(ends),
        TEST(a_return_address_of_0_is_the_end),
        TEST(a_stack_only_grows),
        TEST(no_rbp_makes_it_crash),
        TEST(words_at_the_edge_of_what_can_be_read),
        TEST(a_chain_of_frames_is_followed_to_code),
        TEST(code_of_a_module_is_not_called_from_generated_code_near_it),
        TEST(a_chain_leads_outward),
        TEST(the_first_threads_stack_is_its_own_to_its_end),
        TEST(it_is_known_as_far_as_it_was_used),
        TEST(elsewhere_pages_are_asked_for_one_by_one),
        TEST(pages_between_those_asked_for_are_not_believed),
        TEST(elsewhere_pages_are_asked_for_in_each_walk),
        TEST(only_whole_words_are_read),
        TEST(no_address_makes_it_crash),
        TEST(a_threads_stack_ends_at_a_hole),
        TEST(a_frame_across_a_stacks_edge_is_odd),
        TEST(what_is_far_is_not_taken_for_the_stack),
    };
    return cmocka_run_group_tests(tests, start_all, NULL);
}
