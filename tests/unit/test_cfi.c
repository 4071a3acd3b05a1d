// SPDX-License-Identifier: MIT
/*
 * The reader of call frame information: over tables that are written here byte by byte, over real ones, and
 * over what is left of those when bytes of them were changed.  What it answers is what libunwind answers;
 * what it refuses leaves the rule alone.
 */
#include "shim_support.h"
#include "../../shim/unwind/cfi.h"
#include "../../shim/unwind/learn.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a table ------------------------------------------------------------------------------------------- */

struct bytes {
    const char *at;
    size_t size;
};
#define BYTES(text) {text, sizeof text - 1}

/* Two pages, each between two that cannot be read: the sorted table and the CIE, the FDE.  Both entries end
   with their pages. */
static struct {
    uint8_t *page;              /* the first */
    uint8_t *cie, *fde;         /* from their lengths on */
    size_t cie_size, fde_size;  /* without the lengths */
    struct image image;
    uintptr_t code;             /* what the FDE describes */
} table;

enum { CODE_SIZE = 256, PAGE_BYTES = 4096, TABLE_SIZE = 5 * PAGE_BYTES };

static int make_table(void **state)
{
    (void)state;
    uint8_t *pages = mmap(NULL, TABLE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    table.page = pages + PAGE_SIZE;
    assert_int_equal(mprotect(table.page, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(mprotect(table.page + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    table.image = (struct image){(uintptr_t)pages, (uintptr_t)pages + TABLE_SIZE, (uintptr_t)table.page};
    table.code = (uintptr_t)pages + 1024;
    image_forget();
    return learn_start() ? 0 : -1;
}

static void put32(void *at, uint64_t value)
{
    uint32_t word = (uint32_t)value;
    memcpy(at, &word, sizeof word);
}

static uint32_t get32(const void *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* What leads to the FDE, from it to the CIE and to the code. */
static void put_pointers(size_t code_size)
{
    put32(table.page, 0x3b031b01);
    put32(table.page + 8, 1);
    put32(table.page + 12, table.code - (uintptr_t)table.page);
    put32(table.page + 16, (uintptr_t)table.fde - (uintptr_t)table.page);
    put32(table.fde + 4, (uintptr_t)table.fde + 4 - (uintptr_t)table.cie);
    put32(table.fde + 8, table.code - (uintptr_t)(table.fde + 8));
    put32(table.fde + 12, code_size);
}

/* The CIE from its version on; the FDE from behind its code's size on: its own data, with a length, and
   instructions. */
static void put_entries(struct bytes cie, struct bytes fde)
{
    size_t cie_size = 4 + cie.size, fde_size = 12 + fde.size;
    memset(table.page, 0, PAGE_BYTES);
    memset(table.page + 2 * PAGE_SIZE, 0, PAGE_BYTES);
    table.cie = table.page + PAGE_SIZE - 4 - cie_size;
    table.fde = table.page + 3 * PAGE_SIZE - 4 - fde_size;
    table.cie_size = cie_size;
    table.fde_size = fde_size;
    put32(table.cie, cie_size);
    memcpy(table.cie + 8, cie.at, cie.size);
    put32(table.fde, fde_size);
    memcpy(table.fde + 16, fde.at, fde.size);
    put_pointers(CODE_SIZE);
}

/* Version 1, "zR"; alignments 1 and -8, the return address in 16; pointers relative, of 4 bytes; the CFA is
   rsp + 8, the return address is below it. */
#define USUAL_START "\1zR\0\1\x78\x10\1\x1b"
static const struct bytes usual_cie = BYTES(USUAL_START "\x0c\7\10\x90\1");
static const struct bytes usual_fde = BYTES("\0");

/* An FDE without data of its own. */
static void put_instructions(struct bytes instructions)
{
    char fde[512] = {0};
    memcpy(fde + 1, instructions.at, instructions.size);
    put_entries(usual_cie, (struct bytes){fde, 1 + instructions.size});
}

static const struct rule usual_rule = {.cfa_offset = 8, .ra_offset = -8};

/* --- asking -------------------------------------------------------------------------------------------- */

static bool read_rule(const struct image *image, uintptr_t lookup, struct rule *rule)
{
    struct rule untouched;
    memset(&untouched, 0x5a, sizeof untouched);
    *rule = untouched;
    bool read = cfi_rule(image, lookup, rule);
    if (!read)
        assert_memory_equal(rule, &untouched, sizeof untouched);
    return read;
}

static bool is_read(void)
{
    struct rule rule;
    return read_rule(&table.image, table.code, &rule);
}

static void print_rule(const char *what, const struct rule *r)
{
    print_error("%s: kind %d, %s + %d, deref %d + %d, ra %d (rsp %d), bp %d %d, signal %d\n", what, r->kind,
                r->cfa_from_rbp ? "rbp" : "rsp", r->cfa_offset, r->cfa_deref, r->cfa_add, r->ra_offset,
                r->ra_from_rsp, r->bp, r->bp_offset, r->signal_frame);
}

static void assert_same_rule(const char *what, const struct rule *rule, const struct rule *right)
{
    if (!memcmp(rule, right, sizeof *rule))
        return;
    print_rule(what, rule);
    print_rule("should be", right);
    fail();
}

/* ... and so says libunwind. */
static void assert_rule(const char *what, uintptr_t lookup, struct rule right)
{
    struct rule rule, taught = learn_from_teacher(&table.image, lookup);
    if (!read_rule(&table.image, lookup, &rule))
        fail_msg("%s is refused", what);
    assert_same_rule(what, &rule, &right);
    assert_same_rule(what, &rule, &taught);
}

static void assert_refused(const char *what)
{
    if (is_read())
        fail_msg("%s is not refused", what);
}

/* --- instructions -------------------------------------------------------------------------------------- */

struct instructions {
    const char *name;
    struct bytes bytes;
    struct rule rule;
};

static const struct instructions understood[] = {
    {"none", BYTES(""), {.cfa_offset = 8, .ra_offset = -8}},
    {"nop", BYTES("\0\0\0\0"), {.cfa_offset = 8, .ra_offset = -8}},
    {"offset of rbp", BYTES("\x86\2"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"offset of others", BYTES("\x83\3\x8c\4\x8f\5"), {.cfa_offset = 8, .ra_offset = -8}},
    {"offset of rip", BYTES("\x90\3"), {.cfa_offset = 8, .ra_offset = -24}},
    {"offset_extended of rbp", BYTES("\5\6\3"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -24}},
    {"offset_extended in two bytes", BYTES("\5\x86\0\x82\1"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -1040}},
    {"offset_extended of another", BYTES("\5\3\3"), {.cfa_offset = 8, .ra_offset = -8}},
    {"offset_extended_sf of rbp", BYTES("\x11\6\x7e"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = 16}},
    {"offset_extended_sf of rbp, positive", BYTES("\x11\6\x3f"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -504}},
    {"offset_extended_sf in four bytes", BYTES("\x11\6\x80\x80\x80\x60"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = 0x20000000}},
    {"offset_extended_sf of rip", BYTES("\x11\x10\2"), {.cfa_offset = 8, .ra_offset = -16}},
    {"restore rbp", BYTES("\x86\2\xc6"), {.cfa_offset = 8, .ra_offset = -8}},
    {"restore rip", BYTES("\x90\3\xd0"), {.cfa_offset = 8, .ra_offset = -8}},
    {"restore others", BYTES("\x86\2\xc3\xcc"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"restore rsp", BYTES("\x87\2\xc7"), {.cfa_offset = 8, .ra_offset = -8}},
    {"restore_extended of rbp", BYTES("\x86\2\6\6"), {.cfa_offset = 8, .ra_offset = -8}},
    {"restore_extended of rip", BYTES("\x90\3\6\x10"), {.cfa_offset = 8, .ra_offset = -8}},
    {"restore_extended of another", BYTES("\x86\2\6\3"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"undefined of another", BYTES("\7\3"), {.cfa_offset = 8, .ra_offset = -8}},
    {"same_value of rbp", BYTES("\x86\2\10\6"), {.cfa_offset = 8, .ra_offset = -8}},
    {"same_value of another", BYTES("\x86\2\10\3"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"register, of another", BYTES("\x9\3\xc"), {.cfa_offset = 8, .ra_offset = -8}},
    {"rbp in a register, and no longer", BYTES("\x9\6\xc\x86\2"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"remember and recall", BYTES("\x86\2\xc\6\x10\xa\xc\7\x20\xc6\x90\4\xb"),
     {.cfa_from_rbp = true, .cfa_offset = 16, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"remember and recall four times", BYTES("\xa\xe\x10\xa\xe\x18\xa\xe\x20\xa\xe\x28\xb\xb\xb"),
     {.cfa_offset = 16, .ra_offset = -8}},
    {"remember, recall, remember, ...", BYTES("\xa\xb\xa\xb\xa\xb\xa\xb\xa\xb\xa\xb\xe\x28"),
     {.cfa_offset = 40, .ra_offset = -8}},
    {"def_cfa", BYTES("\xc\6\x10"), {.cfa_from_rbp = true, .cfa_offset = 16, .ra_offset = -8}},
    {"def_cfa in four bytes", BYTES("\xc\7\xf8\xff\xff\x7f"), {.cfa_offset = 0xffffff8, .ra_offset = -8}},
    {"def_cfa_sf", BYTES("\x12\6\x7e"), {.cfa_from_rbp = true, .cfa_offset = 16, .ra_offset = -8}},
    {"def_cfa_sf, negative", BYTES("\x12\6\2"), {.cfa_from_rbp = true, .cfa_offset = -16, .ra_offset = -8}},
    {"def_cfa_register", BYTES("\xd\6"), {.cfa_from_rbp = true, .cfa_offset = 8, .ra_offset = -8}},
    {"def_cfa_offset", BYTES("\xe\x30"), {.cfa_offset = 48, .ra_offset = -8}},
    {"def_cfa_offset in two bytes", BYTES("\xe\x80\1"), {.cfa_offset = 128, .ra_offset = -8}},
    {"def_cfa_offset_sf", BYTES("\x13\x7d"), {.cfa_offset = 24, .ra_offset = -8}},
    {"def_cfa_expression, and no longer", BYTES("\xf\2\x77\x10\xc\7\x18"),
     {.cfa_offset = 24, .ra_offset = -8}},
    {"expression of another", BYTES("\x10\3\2\x77\0"), {.cfa_offset = 8, .ra_offset = -8}},
    {"expression of rbp, and no longer", BYTES("\x10\6\2\x77\0\x86\2"),
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"val_expression of another", BYTES("\x16\3\2\x77\0"), {.cfa_offset = 8, .ra_offset = -8}},
    {"GNU_args_size", BYTES("\x2e\x20"), {.cfa_offset = 8, .ra_offset = -8}},
};

static void test_instructions_mean_what_libunwind_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++) {
        put_instructions(understood[i].bytes);
        assert_rule(understood[i].name, table.code, understood[i].rule);
    }
}

/* An rbp that is lost ends no walk whose outer rules need only rsp; registers of vectors are of no interest;
   data of the CIE that has no letter is passed over.  libunwind gives up at each. */
static void test_more_is_understood_than_libunwind_does(void **state)
{
    static const struct bytes cie = BYTES("\1zR\0\1\x78\x10\4\x1b\1\2\3\x0c\7\10\x90\1");

    static const struct instructions more[] = {
        {"undefined of rbp", BYTES("\7\6"), {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_UNKNOWN}},
        {"undefined of rbp, saved before", BYTES("\x86\2\7\6"),
         {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_UNKNOWN}},
        {"offset of a vector", BYTES("\xa1\4"), {.cfa_offset = 8, .ra_offset = -8}},
        {"offset_extended of a vector", BYTES("\5\x7f\4"), {.cfa_offset = 8, .ra_offset = -8}},
    };
    struct rule rule;
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        put_instructions(more[i].bytes);
        assert_true(read_rule(&table.image, table.code, &rule));
        assert_same_rule(more[i].name, &rule, &more[i].rule);
    }
    put_entries(cie, usual_fde);
    assert_true(read_rule(&table.image, table.code, &rule));
    assert_same_rule("data without a letter", &rule, &usual_rule);
}

static const struct instructions refused[] = {
    {"CFA of another register", BYTES("\xc\xa\0")},
    {"CFA of rip", BYTES("\xd\x10")},
    {"CFA of an expression", BYTES("\xf\2\x77\x10")},
    {"an expression's offset", BYTES("\xf\2\x77\x10\xe\x10")},
    {"return address nowhere", BYTES("\7\x10")},
    {"return address as it was", BYTES("\10\x10")},
    {"return address in a register", BYTES("\x9\x10\2")},
    {"return address at an expression", BYTES("\x10\x10\2\x77\0")},
    {"return address is an expression", BYTES("\x16\x10\2\x77\0")},
    {"rsp is saved", BYTES("\x87\2")},
    {"rsp is saved (extended)", BYTES("\5\7\2")},
    {"rsp is saved (sf)", BYTES("\x11\7\2")},
    {"rsp is lost", BYTES("\7\7")},
    {"rsp in a register", BYTES("\x9\7\3")},
    {"rsp at an expression", BYTES("\x10\7\2\x77\0")},
    {"rsp is an expression", BYTES("\x16\7\2\x77\0")},
    {"rbp in a register", BYTES("\x9\6\3")},
    {"rbp at an expression", BYTES("\x10\6\2\x77\0")},
    {"rbp is an expression", BYTES("\x16\6\2\x77\0")},
    {"CFA is not of words", BYTES("\xe\xc")},
    {"recall without remember", BYTES("\xb")},
    {"recall too often", BYTES("\xa\xb\xb")},
    {"remember five times", BYTES("\xa\xa\xa\xa\xa\xb\xb\xb\xb\xb")},
    {"register 128, offset_extended", BYTES("\5\x80\1\2")},
    {"register 128, restore_extended", BYTES("\6\x80\1")},
    {"register 128, undefined", BYTES("\7\x80\1")},
    {"register 128, same_value", BYTES("\10\x80\1")},
    {"register 128, register", BYTES("\x9\x80\1\1")},
    {"register 128, expression", BYTES("\x10\x80\1\0")},
    {"register 128, offset_extended_sf", BYTES("\x11\x80\1\2")},
    {"register 128, val_expression", BYTES("\x16\x80\1\0")},
    {"register 128, def_cfa, and no longer", BYTES("\xc\x80\1\10\xc\7\10")},
    {"register 128, def_cfa_sf, and no longer", BYTES("\x12\x80\1\10\xc\7\10")},
    {"register 128, def_cfa_register, and no longer", BYTES("\xd\x80\1\xc\7\10")},
    {"a number of 5 bytes", BYTES("\xe\x88\x80\x80\x80\0")},
    {"a signed number of 5 bytes", BYTES("\x13\xff\xff\xff\xff\x7f")},
    {"a factor too large", BYTES("\x86\x80\x80\x80\x7f\x2e\0\x86\x81\x80\x80\x80\1")},
    {"a block of more than there is", BYTES("\x10\3\3\x77\0")},
    {"a block of 256 MiB", BYTES("\x10\3\xff\xff\xff\x7f\0")},
    {"a block of an endless length", BYTES("\x10\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0")},
};

static void test_other_shapes_are_left_to_libunwind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        put_instructions(refused[i].bytes);
        assert_refused(refused[i].name);
    }
}

/* Of the 64 operations without an operand in the byte itself; zeros follow. */
static void test_unknown_operations_are_refused(void **state)
{
    static const char known[] = {0,   2,   3,   4,   5,    6,    7,    8,    9,    0xa,
                                 0xc, 0xd, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x16, 0x2e};
    (void)state;
    for (int operation = 0; operation < 0x40; operation++) {
        char bytes[] = {(char)operation, 0, 0, 0, 0, '\xc', 7, 8};
        bool is_known = memchr(known, operation, sizeof known) != NULL;
        put_instructions((struct bytes){bytes, sizeof bytes});
        if (is_read() != is_known)
            fail_msg("operation %#x", (unsigned)operation);
    }
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static void assert_offset(uintptr_t at, int32_t cfa_offset)
{
    assert_rule("a row", table.code + at, (struct rule){.cfa_offset = cfa_offset, .ra_offset = -8});
}

static void test_a_row_begins_at_its_very_address(void **state)
{
    static const struct bytes rows = BYTES("\x41\xe\x10" "\x7f\xe\x18" "\2\2\xe\x20" "\3\3\0\xe\x28"
                                           "\4\4\0\0\0\xe\x30" "\2\xff\xe\x38");
    (void)state;
    put_instructions(rows);
    for (uintptr_t at = 0; at < CODE_SIZE; at++)
        assert_offset(at, at < 1 ? 8 : at < 64 ? 16 : at < 66 ? 24 : at < 69 ? 32 : at < 73 ? 40 : 48);
}

static void test_what_is_beyond_the_row_is_not_read(void **state)
{
    static const struct bytes rows = BYTES("\xe\x10\x44\x3f");       /* an unknown operation from 4 on */
    (void)state;
    put_instructions(rows);
    for (uintptr_t at = 0; at < 4; at++)
        assert_offset(at, 16);
    struct rule rule;
    assert_false(read_rule(&table.image, table.code + 4, &rule));
}

static void test_rows_are_counted_in_the_codes_alignment(void **state)
{
    static const struct bytes cie = BYTES("\1zR\0\4\x78\x10\1\x1b\x0c\7\10\x90\1");
    static const struct bytes rows = BYTES("\0\x42\xe\x10" "\2\2\xe\x18" "\3\2\0\xe\x20" "\4\2\0\0\0\xe\x28");
    (void)state;
    put_entries(cie, rows);
    for (uintptr_t at = 0; at < CODE_SIZE; at++)
        assert_offset(at, at < 8 ? 8 : at < 16 ? 16 : at < 24 ? 24 : at < 32 ? 32 : 40);
}

/* 32 times an alignment of 2^27, in each form of advance. */
static void test_rows_beyond_32_bits_do_not_come_back(void **state)
{
    static const struct bytes cie = BYTES("\1zR\0\x80\x80\x80\x40\x78\x10\1\x1b\x0c\7\10\x90\1");
    static const struct bytes rows[] = {BYTES("\0\x60\xe\x10"), BYTES("\0\2\x20\xe\x10"),
                                        BYTES("\0\3\x20\0\xe\x10"), BYTES("\0\4\x20\0\0\0\xe\x10")};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_entries(cie, rows[i]);
        assert_offset(0, 8);
        assert_offset(CODE_SIZE - 1, 8);
    }
}

/* Rows as far away as can be said; the FDE covers less. */
static void test_far_rows(void **state)
{
    static const struct bytes cie = BYTES("\1zR\0\4\x78\x10\1\x1b\x0c\7\10\x90\1");
    static const struct bytes rows = BYTES("\xe\x10\3\xff\xff\xe\x18\4\xff\xff\xff\xff\xe\x20");
    (void)state;
    put_instructions(rows);
    put_pointers(0x7fffffff);
    table.image.end = table.image.start + (1ul << 33);
    assert_offset(0xffff - 1, 16);
    assert_offset(0xffff, 24);
    assert_offset(0x7fff0000, 24);
    put_entries(cie, (struct bytes)BYTES("\0\4\0\0\0\x40\xe\x10"));
    assert_offset(0, 8);
    assert_offset(CODE_SIZE - 1, 8);
    table.image.end = table.image.start + TABLE_SIZE;
}

static void test_the_code_is_what_the_fde_covers(void **state)
{
    struct rule rule;
    (void)state;
    put_instructions((struct bytes)BYTES(""));
    assert_rule("first", table.code, usual_rule);
    assert_rule("last", table.code + CODE_SIZE - 1, usual_rule);
    assert_false(read_rule(&table.image, table.code + CODE_SIZE, &rule));
    assert_false(read_rule(&table.image, table.code - 1, &rule));
    put32(table.page + 12, table.code - 16 - (uintptr_t)table.page);    /* says the sorted table */
    assert_false(read_rule(&table.image, table.code - 1, &rule));
    assert_rule("first, not sorted so", table.code, usual_rule);
    put_pointers(0);
    assert_false(read_rule(&table.image, table.code, &rule));
    put_pointers(1);
    assert_rule("one byte", table.code, usual_rule);
}

/* --- the CIE ------------------------------------------------------------------------------------------- */

struct common {
    const char *name;
    struct bytes cie;
};

#define TAIL "\x0c\7\10\x90\1"

static void assert_cie(const struct common *common, bool good)
{
    put_entries(common->cie, (struct bytes)BYTES("\4\1\2\3\4"));
    if (good)
        assert_rule(common->name, table.code, usual_rule);
    else
        assert_refused(common->name);
}

static void test_forms_of_the_cie(void **state)
{
    static const struct common good[] = {
        {"usual", BYTES(USUAL_START TAIL)},
        {"version 3", BYTES("\3zR\0\1\x78\x10\1\x1b" TAIL)},
        {"version 3, column in two bytes", BYTES("\3zR\0\1\x78\x90\0\1\x1b" TAIL)},
        {"alignments in two bytes", BYTES("\1zR\0\x81\0\xf8\x7f\x10\1\x1b" TAIL)},
        {"with a language's data", BYTES("\1zLR\0\1\x78\x10\2\x1b\x1b" TAIL)},
        {"without a language's data", BYTES("\1zLR\0\1\x78\x10\2\xff\x1b" TAIL)},
        {"all", BYTES("\1zPLR\0\1\x78\x10\7\x9b\0\0\0\0\x1b\x1b" TAIL)},
        {"in another order", BYTES("\1zRLP\0\1\x78\x10\7\x1b\x1b\x9b\0\0\0\0" TAIL)},
        {"personality, absolute", BYTES("\1zPR\0\1\x78\x10\xa\0\1\2\3\4\5\6\7\10\x1b" TAIL)},
        {"personality, udata4", BYTES("\1zPR\0\1\x78\x10\6\3\1\2\3\4\x1b" TAIL)},
        {"personality, udata8", BYTES("\1zPR\0\1\x78\x10\xa\4\1\2\3\4\5\6\7\10\x1b" TAIL)},
        {"personality, sdata4", BYTES("\1zPR\0\1\x78\x10\6\xb\1\2\3\4\x1b" TAIL)},
        {"personality, sdata8", BYTES("\1zPR\0\1\x78\x10\xa\xc\1\2\3\4\5\6\7\10\x1b" TAIL)},
        {"padded", BYTES(USUAL_START TAIL "\0\0\0\0\0\0\0")},
        {"another way to say it", BYTES(USUAL_START "\x12\7\x7f\x11\x10\1")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_cie(&good[i], true);
}

static void test_other_forms_of_the_cie_are_refused(void **state)
{
    static const struct common bad[] = {
        {"version 0", BYTES("\0zR\0\1\x78\x10\1\x1b" TAIL)},
        {"version 2", BYTES("\2zR\0\1\x78\x10\1\x1b" TAIL)},
        {"version 4", BYTES("\4zR\0\10\0\1\x78\x10\1\x1b" TAIL)},
        {"version 5", BYTES("\5zR\0\1\x78\x10\1\x1b" TAIL)},
        {"no augmentation", BYTES("\1\0\1\x78\x10" TAIL)},
        {"no z", BYTES("\1R\0\1\x78\x10\1\x1b" TAIL)},
        {"eh", BYTES("\1eh\0\1\2\3\4\5\6\7\10\1\x78\x10" TAIL)},
        {"signal frame", BYTES("\1zRS\0\1\x78\x10\1\x1b" TAIL)},
        {"signal frame, in another order", BYTES("\1zSR\0\1\x78\x10\1\x1b" TAIL)},
        {"another machine's letter", BYTES("\1zRB\0\1\x78\x10\1\x1b" TAIL)},
        {"no z in its place", BYTES("\1xR\0\1\x78\x10\1\x1b" TAIL)},
        {"z twice", BYTES("\1zzR\0\1\x78\x10\1\x1b" TAIL)},
        {"no R", BYTES("\1z\0\1\x78\x10\0" TAIL)},
        {"pointers absolute", BYTES("\1zR\0\1\x78\x10\1\0" TAIL)},
        {"pointers of 8 bytes", BYTES("\1zR\0\1\x78\x10\1\x1c" TAIL)},
        {"pointers without a sign", BYTES("\1zR\0\1\x78\x10\1\x13" TAIL)},
        {"pointers to pointers", BYTES("\1zR\0\1\x78\x10\1\x9b" TAIL)},
        {"pointers of data", BYTES("\1zR\0\1\x78\x10\1\x3b" TAIL)},
        {"return address in 15", BYTES("\1zR\0\1\x78\xf\1\x1b" TAIL)},
        {"return address in 17", BYTES("\1zR\0\1\x78\x11\1\x1b" TAIL)},
        {"return address in 144, version 1", BYTES("\1zR\0\1\x78\x90\0\1\x1b" TAIL)},
        {"return address in 144", BYTES("\3zR\0\1\x78\x90\1\1\x1b" TAIL)},
        {"personality in a form of no size", BYTES("\1zPR\0\1\x78\x10\6\1\1\2\3\4\x1b" TAIL)},
        {"personality of two bytes", BYTES("\1zPR\0\1\x78\x10\4\x1a\1\2\x1b" TAIL)},
        {"personality left out", BYTES("\1zPR\0\1\x78\x10\2\xff\x1b" TAIL)},
        {"personality aligned", BYTES("\1zPR\0\1\x78\x10\xa\x50\1\2\3\4\5\6\7\10\x1b" TAIL)},
        {"personality beyond the data", BYTES("\1zRP\0\1\x78\x10\5\x1b\xb\1\2\3" TAIL)},
        {"less data than letters", BYTES("\1zRL\0\1\x78\x10\1\x1b" TAIL)},
        {"no data", BYTES("\1zR\0\1\x78\x10\0" TAIL)},
        {"data beyond the end", BYTES("\1zR\0\1\x78\x10\7\x1b" TAIL)},
        {"data of 256 MiB", BYTES("\1zR\0\1\x78\x10\xff\xff\xff\x7f\x1b" TAIL)},
        {"data of an endless length", BYTES("\1zR\0\1\x78\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff" TAIL)},
        {"an endless alignment of code", BYTES("\1zR\0\xff\xff\xff\xff\x78\x10\1\x1b" TAIL)},
        {"an endless alignment of data", BYTES("\1zR\0\1\xff\xff\xff\xff\x10\1\x1b" TAIL)},
        {"an endless augmentation", BYTES("\1zRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR")},
        {"nothing behind the augmentation", BYTES("\1zR\0")},
        {"nothing behind the version", BYTES("\1")},
        {"nothing", BYTES("")},
        {"CFA unknown", BYTES(USUAL_START "\x90\1")},
        {"return address unknown", BYTES(USUAL_START "\x0c\7\10")},
        {"CFA of half words", BYTES(USUAL_START "\x0c\7\xc\x90\1")},
        {"return address at half a word", BYTES("\1zR\0\1\x7c\x10\1\x1b\x0c\7\10\x90\1")},
        {"an unknown instruction", BYTES(USUAL_START TAIL "\x3f")},
        {"half an instruction", BYTES(USUAL_START "\x90\1\x0c\7")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_cie(&bad[i], false);
}

/* Numbers of 28 bits times -2^27. */
static void test_products_that_do_not_fit_are_refused(void **state)
{
    static const struct bytes large = BYTES("\1zR\0\1\x80\x80\x80\x40\x10\1\x1b\x0c\7\10\x90\0");
    (void)state;
    put_entries(large, (struct bytes)BYTES("\0\x86\xf"));
    assert_rule("15 times -2^27", table.code,
                (struct rule){.cfa_offset = 8, .bp = RULE_BP_AT_CFA, .bp_offset = -0x78000000});
    put_entries(large, (struct bytes)BYTES("\0\x86\x10"));
    assert_rule("16 times -2^27", table.code,
                (struct rule){.cfa_offset = 8, .bp = RULE_BP_AT_CFA, .bp_offset = INT32_MIN});
    put_entries(large, (struct bytes)BYTES("\0\x86\x11"));
    assert_refused("17 times -2^27");
    put_entries(large, (struct bytes)BYTES("\0\x86\xff\xff\xff\x7f"));
    assert_refused("2^28 times -2^27");
    put_entries(large, (struct bytes)BYTES("\0\x12\7\x70"));
    assert_refused("-16 times -2^27");
    put_entries(large, (struct bytes)BYTES("\0\x13\x80\x80\x80\x40"));
    assert_refused("-2^27 times -2^27");
    put_entries(large, (struct bytes)BYTES("\0\x11\6\x80\x80\x80\x40"));
    assert_refused("of rbp, the same");
}

/* --- entries that lie ---------------------------------------------------------------------------------- */

static void test_data_of_the_fde_is_passed_over(void **state)
{
    (void)state;
    put_entries(usual_cie, (struct bytes)BYTES("\4\xe\x10\xe\x20\xe\x30"));
    assert_offset(0, 48);
    put_entries(usual_cie, (struct bytes)BYTES("\x84\0\xe\x10\xe\x20\xe\x30"));
    assert_offset(0, 48);
    put_entries(usual_cie, (struct bytes)BYTES("\2\xe\x10"));
    assert_offset(0, 8);
    put_entries(usual_cie, (struct bytes)BYTES("\3\xe\x10"));
    assert_refused("data beyond the end");
    put_entries(usual_cie, (struct bytes)BYTES("\xff\xff\xff\x7f"));
    assert_refused("data of 256 MiB");
    put_entries(usual_cie, (struct bytes)BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_refused("data of an endless length");
}

/* A length in an entry's place. */
static void assert_length(uint8_t *entry, uint64_t length, bool good)
{
    uint32_t before = get32(entry);
    put32(entry, length);
    if (is_read() != good)
        fail_msg("a length of %lu", (unsigned long)length);
    put32(entry, before);
}

static void test_lengths_that_lie(void **state)
{
    static const uint32_t lies[] = {
        0,          1,          3,          4,          11,         0x1000,     0x100000,
        0x100001,   0x7fffffff, 0x80000000, 0xffffff00, 0xfffffffb, 0xfffffffc, 0xffffffff,
    };
    (void)state;
    put_entries(usual_cie, usual_fde);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        assert_length(table.cie, lies[i], false);
        assert_length(table.fde, lies[i], false);
    }
    for (uint32_t more = 0; more < 100; more++) {
        assert_length(table.cie, table.cie_size + more, more == 0);
        assert_length(table.fde, table.fde_size + more, more == 0);
    }
}

/* Whatever remains of the entries: what is complete is understood, the rest refused. */
static void test_entries_cut_short(void **state)
{
    static const struct bytes fde = BYTES("\2\1\2\xe\x10\x86\2\x10\3\2\x77\0\5\3\x84\1\xe\x80\2");
    static const size_t complete[] = {3, 5, 7, 12, 16, 19};
    size_t next = 0;
    (void)state;
    for (size_t size = 0; size <= fde.size; size++) {
        bool good = size == complete[next];
        put_entries(usual_cie, (struct bytes){fde.at, size});
        if (is_read() != good)
            fail_msg("%zu bytes of the FDE", size);
        next += good;
    }
    assert_int_equal(next, sizeof complete / sizeof *complete);
    for (uint32_t size = 0; size < 12; size++)
        assert_length(table.fde, size, false);
    for (size_t size = 0; size < usual_cie.size; size++) {
        put_entries((struct bytes){usual_cie.at, size}, usual_fde);
        if (is_read())
            fail_msg("%zu bytes of the CIE", size);
    }
}

/* An entry whose start can be read, but not its end. */
static void test_entries_that_end_where_nothing_can_be_read(void **state)
{
    (void)state;
    uint8_t *end = table.page + PAGE_SIZE;
    put_entries(usual_cie, usual_fde);
    for (size_t beyond = 1; beyond < 4 + table.fde_size; beyond++) {
        put_entries(usual_cie, usual_fde);
        memmove(table.fde + beyond, table.fde, 4 + table.fde_size - beyond);
        table.fde += beyond;
        put32(table.page + 16, (uintptr_t)(table.fde - table.page));
        assert_refused("an FDE across the edge");
    }
    for (size_t beyond = 1; beyond < 4 + table.cie_size; beyond++) {
        put_entries(usual_cie, usual_fde);
        memmove(table.cie + beyond, table.cie, 4 + table.cie_size - beyond);
        put32(table.fde + 4, (uintptr_t)(table.fde + 4 - table.cie) - beyond);
        assert_refused("a CIE across the edge");
    }
    for (uint32_t left = 12; left <= 20; left += 4) {           /* of the sorted table and its one entry */
        uint8_t *header = end - left;
        put_entries(usual_cie, usual_fde);
        uint32_t fde = (uint32_t)(table.fde - header), code = (uint32_t)(table.code - (uintptr_t)header);
        const uint32_t words[] = {0x3b031b01, 0, 1, code, fde};
        memmove(table.page + 512, table.cie, 4 + table.cie_size);
        put32(table.fde + 4, (uintptr_t)(table.fde + 4 - table.page - 512));
        memcpy(header, words, left);
        table.image.eh_frame_hdr = (uintptr_t)header;
        assert_int_equal(is_read(), left == 20);
    }
    table.image.eh_frame_hdr = (uintptr_t)table.page;
}

/* The object ends before its pages do. */
static void test_entries_beyond_the_object(void **state)
{
    struct image whole = table.image;
    (void)state;
    put_entries(usual_cie, usual_fde);
    table.image.end = (uintptr_t)table.page + 3 * PAGE_SIZE;
    assert_true(is_read());
    table.image.end--;
    assert_refused("an FDE of which a byte is beyond");
    table.image.end = (uintptr_t)table.fde + 2;
    assert_refused("an FDE whose length is beyond");
    table.image = whole;
    table.image.start = (uintptr_t)table.cie + 1;
    assert_refused("an object that begins behind the CIE");
    table.image = whole;
}

static const uint64_t extremes[] = {
    0, 1, 2, 3, 4, 8, 0x7ffffff0, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xfffffffc, 0xffffffff,
};

/* Everywhere in the pages, and as far away as can be said. */
static void test_cie_pointers_anywhere(void **state)
{
    int believed = 0;
    (void)state;
    put_instructions((struct bytes)BYTES("\xe\x10\xe\x18\xe\x20"));
    uint32_t right = get32(table.fde + 4);
    for (int64_t shift = -TABLE_SIZE; shift <= TABLE_SIZE; shift++) {
        put32(table.fde + 4, right + (uint64_t)shift);
        believed += is_read();
    }
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        put32(table.fde + 4, extremes[i]);
        assert_refused("an extreme pointer");
    }
    assert_int_equal(believed, 1);
}

static void test_fde_pointers_anywhere(void **state)
{
    int believed = 0;
    (void)state;
    put_instructions((struct bytes)BYTES("\xe\x10\xe\x18\xe\x20"));
    uint32_t right = get32(table.page + 16);
    for (int64_t shift = -TABLE_SIZE; shift <= TABLE_SIZE; shift++) {
        put32(table.page + 16, right + (uint64_t)shift);
        believed += is_read();
    }
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        put32(table.page + 16, extremes[i]);
        assert_refused("an extreme pointer");
    }
    assert_int_equal(believed, 1);
}

/* As many letters as an entry holds, whose data would lie beyond its end. */
static void test_letters_without_end_have_no_data(void **state)
{
    enum { LETTERS = 1000000, SIZE = LETTERS + 4 * PAGE_BYTES };
    uint8_t *pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct image image = {(uintptr_t)pages, (uintptr_t)pages + SIZE, (uintptr_t)pages};
    struct rule rule;
    (void)state;
    assert_true(pages != MAP_FAILED);
    put_entries(usual_cie, usual_fde);
    memcpy(pages, table.page, PAGE_BYTES);
    uint8_t *cie = pages + PAGE_SIZE, *fde = pages + SIZE - PAGE_SIZE;
    memcpy(fde, table.fde, 4 + table.fde_size);
    put32(pages + 16, (uintptr_t)(fde - pages));
    put32(fde + 4, (uintptr_t)(fde + 4 - cie));
    put32(fde + 8, table.code - (uintptr_t)table.page - (uintptr_t)(fde + 8 - pages));
    put32(cie, 4 + 2 + LETTERS + 8);
    memcpy(cie + 8, "\1z", 2);
    memset(cie + 10, 'R', LETTERS);
    memcpy(cie + 10 + LETTERS, "\0\1\x78\x10\xff\xff\xff\x7f", 8);
    assert_false(read_rule(&image, image.start + (table.code - (uintptr_t)table.page), &rule));
    munmap(pages, SIZE);
    image_forget();
}

/* The CIE's number must be 0: a pointer to an FDE is no CIE. */
static void test_an_fde_is_no_cie(void **state)
{
    (void)state;
    put_entries(usual_cie, usual_fde);
    put32(table.cie + 4, 1);
    assert_refused("a CIE with a pointer");
    put32(table.fde + 4, 4);
    assert_refused("an FDE that is its own CIE");
}

/* The longest entry that is read, and one that is longer. */
static void test_a_long_entry_is_read_and_ends(void **state)
{
    enum { LONGEST = 1 << 20, SIZE = LONGEST + 4 * PAGE_BYTES };
    uint8_t *pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct image image = {(uintptr_t)pages, (uintptr_t)pages + SIZE, (uintptr_t)pages};
    struct rule rule;
    (void)state;
    assert_true(pages != MAP_FAILED);
    put_entries(usual_cie, usual_fde);
    memcpy(pages, table.page, PAGE_BYTES);              /* what is relative stays true */
    memcpy(pages + 2 * PAGE_BYTES, table.page + 2 * PAGE_BYTES, PAGE_BYTES);
    uint8_t *fde = pages + (table.fde - table.page);
    uintptr_t code = image.start + (table.code - (uintptr_t)table.page);
    put32(fde, LONGEST);
    memcpy(fde + 4 + LONGEST - 2, "\xe\x10", 2);        /* behind as many nops */
    assert_true(read_rule(&image, code, &rule));
    assert_int_equal(rule.cfa_offset, 16);
    put32(fde, LONGEST + 1);
    assert_false(read_rule(&image, code, &rule));
    munmap(pages, SIZE);
    image_forget();
}

/* --- many ---------------------------------------------------------------------------------------------- */

static uint64_t numbers;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

struct program {
    char bytes[256];
    size_t size;
    int remembered;
};

static void add(struct program *p, uint32_t byte)
{
    p->bytes[p->size++] = (char)byte;
}

/* Now and then in more bytes than needed. */
static void add_number(struct program *p, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        add(p, number | 0x80);
    if (choose(10)) {
        add(p, number);
    } else {
        add(p, number | 0x80);
        add(p, 0);
    }
}

static void add_register(struct program *p)
{
    static const uint8_t registers[] = {6, 6, 6, 16, 3, 12, 0, 15};
    add_number(p, registers[choose(sizeof registers)]);
}

static void add_cfa_register(struct program *p)
{
    add_number(p, choose(20) ? 6 + choose(2) : 10);
}

static void add_offset(struct program *p)
{
    add_number(p, choose(1u << choose(20)));
}

static void add_expression(struct program *p)
{
    add(p, 2);
    add(p, 0x76 + choose(2));           /* rbp or rsp and ... */
    add(p, 8 * choose(8));
}

static void add_remember(struct program *p)
{
    if (p->remembered < 4) {
        add(p, 0xa);
        p->remembered++;
    }
}

static void add_recall(struct program *p)
{
    if (p->remembered) {
        add(p, 0xb);
        p->remembered--;
    }
}

/* An instruction as an assembler makes them; no rbp is lost, where libunwind gives up. */
static void add_instruction(struct program *p)
{
    uint32_t operation = choose(22);
    switch (operation) {
    case 0: add(p, 0); break;
    case 1: add(p, 2), add(p, choose(100)); break;
    case 2: add(p, 3), add(p, choose(100)), add(p, 0); break;
    case 3: add(p, 4), add(p, choose(100)), add(p, 0), add(p, 0), add(p, 0); break;
    case 4: add(p, 5), add_register(p), add_offset(p); break;
    case 5: add(p, 6), add_register(p); break;
    case 6: add(p, 7), add_number(p, 3); break;
    case 7: add(p, 8), add_number(p, choose(2) ? 6 : 12); break;
    case 8: add(p, 9), add_register(p), add_number(p, choose(16)); break;
    case 9: add_remember(p); break;
    case 10: add_recall(p); break;
    case 11: add(p, 0xc), add_cfa_register(p), add_offset(p); break;
    case 12: add(p, 0xd), add_cfa_register(p); break;
    case 13: add(p, 0xe), add_offset(p); break;
    case 14: add(p, 0x10), add_register(p), add_expression(p); break;
    case 15: add(p, 0x11), add_register(p), add(p, choose(0x80)); break;
    case 16: add(p, 0x12), add_cfa_register(p), add(p, choose(0x80)); break;
    case 17: add(p, 0x13), add(p, choose(0x80)); break;
    case 18: add(p, 0x16), add_number(p, choose(2) ? 3 : 6), add_expression(p); break;
    case 19: add(p, 0x2e), add_offset(p); break;
    case 20: add(p, 0x86), add_offset(p); break;
    default: add(p, 0x40 | choose(0x40));
    }
}

static void add_bytes(struct program *p, const char *bytes, size_t size)
{
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

/* Alignments as they come, and as they could. */
static void put_random_entries(void)
{
    static const char start[] = "\1zR\0", rest[] = "\x10\1\x1b\x0c\7\10\x90\1";
    struct program cie = {.size = 0}, fde = {.size = 0};
    add_bytes(&cie, start, sizeof start - 1);
    add_number(&cie, choose(4) ? 1 : 1 + choose(8));
    add(&cie, choose(4) ? 0x78 : 0x78 - 8 * choose(8));
    add_bytes(&cie, rest, sizeof rest - 1);
    add(&fde, 0);
    for (uint32_t n = choose(20); n--;)
        add_instruction(&fde);
    put_entries((struct bytes){cie.bytes, cie.size}, (struct bytes){fde.bytes, fde.size});
}

static void test_random_tables_are_read_as_libunwind_reads_them(void **state)
{
    enum { TABLES = 20000 };
    struct rule rule;
    uint32_t read = 0;
    (void)state;
    numbers = 1;
    for (uint32_t i = 0; i < TABLES; i++) {
        put_random_entries();
        uintptr_t lookup = table.code + choose(CODE_SIZE);
        if (!read_rule(&table.image, lookup, &rule))
            continue;
        struct rule taught = learn_from_teacher(&table.image, lookup);
        assert_same_rule("a random table", &rule, &taught);
        read++;
    }
    assert_in_range(read, TABLES / 4, TABLES - TABLES / 10);
}

/* Every FDE of an object: its first and last address, and some between. */
static void compare_object(const void *code, uint32_t least)
{
    struct image image;
    struct rule rule;
    uint32_t read = 0;
    assert_true(image_find((uintptr_t)code, &image));
    uint32_t count = get32((const void *)(image.eh_frame_hdr + 8));
    for (uint32_t i = 0; i < count; i++) {
        const char *entry = (const char *)image.eh_frame_hdr + 12 + 8 * i;
        const char *fde = (const char *)image.eh_frame_hdr + (int32_t)get32(entry + 4);
        uint32_t size = get32(fde + 12), at[] = {0, 1, size / 2, choose(size), size - 1};
        for (size_t n = 0; n < sizeof at / sizeof *at; n++) {
            uintptr_t lookup = image.eh_frame_hdr + (uintptr_t)(intptr_t)(int32_t)get32(entry) + at[n];
            if (!read_rule(&image, lookup, &rule))
                continue;
            struct rule taught = learn_from_teacher(&image, lookup);
            assert_same_rule("a real table", &rule, &taught);
            read++;
        }
    }
    assert_true(read >= least);
}

static void test_real_tables_are_read_as_libunwind_reads_them(void **state)
{
    (void)state;
    numbers = 2;
    compare_object((const void *)compare_object, 500);
    compare_object((const void *)getenv, 10000);
}

/* --- noise --------------------------------------------------------------------------------------------- */

/* The two entries of a function of libc, moved. */
static void put_real_entries(void)
{
    struct image image;
    assert_true(image_find((uintptr_t)getenv, &image));
    const char *header = (const char *)image.eh_frame_hdr;
    uint32_t count = get32(header + 8);
    const char *fde = header + (int32_t)get32(header + 12 + 8 * choose(count) + 4);
    const char *cie = fde + 4 - get32(fde + 4);
    size_t fde_size = get32(fde) - 12, cie_size = get32(cie) - 4;
    if (fde_size < 1000 && cie_size < 1000)
        put_entries((struct bytes){cie + 8, cie_size}, (struct bytes){fde + 16, fde_size});
}

static void save_pages(uint8_t *copy)
{
    memcpy(copy, table.page, PAGE_BYTES);
    memcpy(copy + PAGE_BYTES, table.page + 2 * PAGE_BYTES, PAGE_BYTES);
}

static void restore_pages(const uint8_t *copy)
{
    memcpy(table.page, copy, PAGE_BYTES);
    memcpy(table.page + 2 * PAGE_BYTES, copy + PAGE_BYTES, PAGE_BYTES);
}

static void spoil(void)
{
    for (uint32_t n = 1 + choose(3); n--;) {
        uint8_t *at = choose(4) == 0 ? table.cie + choose(4 + (uint32_t)table.cie_size)
                                     : table.fde + choose(4 + (uint32_t)table.fde_size);
        switch (choose(4)) {
        case 0: *at = (uint8_t)choose(256); break;
        case 1: *at ^= (uint8_t)(1 << choose(8)); break;
        case 2: *at = choose(2) ? 0xff : 0x80; break;
        default: *at += choose(2) ? 1 : 255;
        }
    }
    if (choose(8) == 0)
        put32(table.page + 16, shim_random(&numbers) >> choose(64));
}

/* That we come back, and what we come back with. */
static bool assert_sane(uintptr_t lookup)
{
    struct rule rule;
    if (!read_rule(&table.image, lookup, &rule))
        return false;
    assert_int_equal(rule.kind, RULE_STEP);
    assert_false(rule.cfa_deref || rule.ra_from_rsp || rule.signal_frame || rule.reserved || rule.cfa_add);
    assert_true(rule.bp == RULE_BP_SAME || rule.bp == RULE_BP_AT_CFA || rule.bp == RULE_BP_UNKNOWN);
    assert_true(rule.bp == RULE_BP_AT_CFA || rule.bp_offset == 0);
    assert_true(rule.cfa_offset % 8 == 0 && rule.ra_offset % 8 == 0 && rule.bp_offset % 8 == 0);
    return true;
}

static void test_spoilt_tables_are_survived(void **state)
{
    enum { TABLES = 4000, TIMES = 50 };
    uint8_t before[2 * PAGE_BYTES];
    int read = 0;
    (void)state;
    numbers = 3;
    put_entries(usual_cie, usual_fde);
    for (int i = 0; i < TABLES; i++) {
        put_real_entries();
        save_pages(before);
        for (int n = 0; n < TIMES; n++) {
            spoil();
            read += assert_sane(table.code + choose(CODE_SIZE));
            read += assert_sane(table.code + choose(16));
            restore_pages(before);
        }
    }
    assert_in_range(read, TABLES * TIMES / 4, TABLES * TIMES * 3 / 2);
}

static void test_noise_is_survived(void **state)
{
    (void)state;
    numbers = 4;
    for (int round = 0; round < 20000; round++) {
        put_entries(usual_cie, usual_fde);
        uint8_t *from = round % 3 == 0 ? table.cie + 9 : round % 3 == 1 ? table.fde + 4 : table.fde + 16;
        uint8_t *end = round % 3 ? table.page + 3 * PAGE_SIZE : table.page + PAGE_SIZE;
        while (from < end)
            *from++ = (uint8_t)(shim_random(&numbers) >> choose(8));
        assert_sane(table.code + choose(CODE_SIZE));
    }
}

/* --- manners ------------------------------------------------------------------------------------------- */

static void test_nothing_is_described(void **state)
{
    struct rule rule;
    struct image none = {table.image.start, table.image.end, 0};
    (void)state;
    put_entries(usual_cie, usual_fde);
    assert_false(read_rule(&none, table.code, &rule));
    assert_false(read_rule(&table.image, 0, &rule));
    assert_false(read_rule(&table.image, UINTPTR_MAX, &rule));
    put32(table.page + 8, 0);
    assert_refused("a table without entries");
}

static void test_errno_is_not_changed(void **state)
{
    (void)state;
    put_entries(usual_cie, usual_fde);
    image_forget();
    errno = 12345;
    is_read();
    put32(table.fde + 4, 0x10000);
    is_read();
    assert_int_equal(errno, 12345);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(instructions_mean_what_libunwind_says),
        TEST(more_is_understood_than_libunwind_does),
        TEST(other_shapes_are_left_to_libunwind),
        TEST(unknown_operations_are_refused),
        TEST(a_row_begins_at_its_very_address),
        TEST(what_is_beyond_the_row_is_not_read),
        TEST(rows_are_counted_in_the_codes_alignment),
        TEST(far_rows),
        TEST(rows_beyond_32_bits_do_not_come_back),
        TEST(the_code_is_what_the_fde_covers),
        TEST(forms_of_the_cie),
        TEST(other_forms_of_the_cie_are_refused),
        TEST(products_that_do_not_fit_are_refused),
        TEST(data_of_the_fde_is_passed_over),
        TEST(lengths_that_lie),
        TEST(entries_cut_short),
        TEST(entries_that_end_where_nothing_can_be_read),
        TEST(entries_beyond_the_object),
        TEST(cie_pointers_anywhere),
        TEST(fde_pointers_anywhere),
        TEST(letters_without_end_have_no_data),
        TEST(an_fde_is_no_cie),
        TEST(a_long_entry_is_read_and_ends),
        TEST(random_tables_are_read_as_libunwind_reads_them),
        TEST(real_tables_are_read_as_libunwind_reads_them),
        TEST(spoilt_tables_are_survived),
        TEST(noise_is_survived),
        TEST(nothing_is_described),
        TEST(errno_is_not_changed),
    };
    return cmocka_run_group_tests(tests, make_table, NULL);
}
