// SPDX-License-Identifier: MIT
/*
 * Rules of known shapes.  The functions below are never run: they consist of the CFI that the assembler
 * makes of the directives, and of a byte or two to look up.
 */
#include "../../shim/unwind/learn.h"
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#define SHAPE(name, directives)                                                                              \
    extern const char name[];                                                                                \
    __asm__(".pushsection .text\n" #name ":\n.cfi_startproc\n" directives "\nnop\n.cfi_endproc\n.popsection")

#define DEF_CFA_EXPRESSION "0x0f"
#define EXPRESSION         "0x10"
#define VAL_EXPRESSION     "0x16"

/* --- shapes ------------------------------------------------------------------------------------------ */

SHAPE(shape_rsp, ".cfi_def_cfa_offset 48");
SHAPE(shape_rsp_saved, ".cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16");
SHAPE(shape_rbp, ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -16");
SHAPE(shape_rbp_kept, ".cfi_def_cfa %rbp, 16");
SHAPE(shape_large, ".cfi_def_cfa_offset 0x40000010\n.cfi_offset %rbp, -0x40000010");
SHAPE(shape_too_large, ".cfi_escape 0x0e, 0x80, 0x80, 0x80, 0x80, 0x09");     /* 0x90000000 */
SHAPE(shape_realigned, ".cfi_escape " DEF_CFA_EXPRESSION ", 3, 0x76, 0x78, 0x06\n"      /* *(rbp - 8) */
                       ".cfi_escape " EXPRESSION ", 6, 2, 0x76, 0");                    /* rbp at rbp + 0 */
SHAPE(shape_deref_add, ".cfi_escape " DEF_CFA_EXPRESSION ", 5, 0x77, 0x28, 0x06, 0x23, 0x10");
SHAPE(shape_ra_at_rsp, ".cfi_def_cfa %rbp, 16\n.cfi_escape " EXPRESSION ", 16, 2, 0x77, 0x18");
SHAPE(shape_bp_in_register, ".cfi_register %rbp, %r12");
SHAPE(shape_bp_computed, ".cfi_escape " VAL_EXPRESSION ", 6, 5, 0x77, 0x08, 0x06, 0x23, 0x08");
SHAPE(shape_end, ".cfi_undefined %rip");

static const struct {
    const char *name, *address;
    struct rule rule;
} shapes[] = {
    {"rsp", shape_rsp, {.cfa_offset = 48, .ra_offset = -8}},
    {"rsp, rbp pushed", shape_rsp_saved,
     {.cfa_offset = 16, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"rbp", shape_rbp,
     {.cfa_from_rbp = true, .cfa_offset = 16, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -16}},
    {"rbp, not saved", shape_rbp_kept, {.cfa_from_rbp = true, .cfa_offset = 16, .ra_offset = -8}},
    {"large frame", shape_large,
     {.cfa_offset = 0x40000010, .ra_offset = -8, .bp = RULE_BP_AT_CFA, .bp_offset = -0x40000010}},
    {"realigned", shape_realigned,
     {.cfa_from_rbp = true, .cfa_deref = true, .cfa_offset = -8, .ra_offset = -8, .bp = RULE_BP_AT_RBP}},
    {"dereferenced and added to", shape_deref_add,
     {.cfa_deref = true, .cfa_offset = 40, .cfa_add = 16, .ra_offset = -8}},
    {"return address at rsp", shape_ra_at_rsp,
     {.cfa_from_rbp = true, .cfa_offset = 16, .ra_from_rsp = true, .ra_offset = 24}},
    {"rbp in another register", shape_bp_in_register,
     {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_UNKNOWN}},
    {"rbp computed", shape_bp_computed, {.cfa_offset = 8, .ra_offset = -8, .bp = RULE_BP_UNKNOWN}},
    {"outermost", shape_end, {.kind = RULE_END}},
};

static void print_rule(const char *what, const struct rule *r)
{
    print_message("%s: kind %d, %s + %d, deref %d + %d, ra %d (rsp %d), bp %d %d, signal %d\n", what, r->kind,
                  r->cfa_from_rbp ? "rbp" : "rsp", r->cfa_offset, r->cfa_deref, r->cfa_add, r->ra_offset,
                  r->ra_from_rsp, r->bp, r->bp_offset, r->signal_frame);
}

static void assert_rule(const char *what, uintptr_t lookup, struct rule expected)
{
    struct rule rule = learn_rule(lookup);
    if (memcmp(&rule, &expected, sizeof rule) != 0) {
        print_rule(what, &rule);
        print_rule("expected", &expected);
        fail();
    }
}

static void assert_kind(const char *what, const void *address, enum rule_kind kind)
{
    assert_rule(what, (uintptr_t)address, (struct rule){.kind = (uint8_t)kind});
}

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        assert_rule(shapes[i].name, (uintptr_t)shapes[i].address, shapes[i].rule);
}

/* --- what has no form -------------------------------------------------------------------------------- */

SHAPE(odd_r10, ".cfi_def_cfa %r10, 0");
SHAPE(odd_ra_in_register, ".cfi_register %rip, %rdx");
SHAPE(odd_aligned, ".cfi_escape " DEF_CFA_EXPRESSION ", 5, 0x77, 0x08, 0x09, 0xf0, 0x1a");      /* & -16 */
SHAPE(odd_rsp_value, ".cfi_escape " VAL_EXPRESSION ", 7, 3, 0x77, 0xc0, 0x00");     /* rsp is rsp + 64 */
SHAPE(odd_rsp_saved, ".cfi_def_cfa_offset 32\n.cfi_offset %rsp, -24");
SHAPE(odd_two_derefs, ".cfi_escape " DEF_CFA_EXPRESSION ", 4, 0x77, 0x08, 0x06, 0x06");
SHAPE(odd_constant, ".cfi_escape " DEF_CFA_EXPRESSION ", 5, 0x0c, 0x00, 0x10, 0x00, 0x00");
SHAPE(odd_ra_value, ".cfi_escape " VAL_EXPRESSION ", 16, 2, 0x77, 0x08");
SHAPE(odd_ra_computed, ".cfi_escape " VAL_EXPRESSION ", 16, 5, 0x77, 0x08, 0x06, 0x23, 0x08");
SHAPE(odd_unaligned, ".cfi_escape " EXPRESSION ", 6, 2, 0x77, 0x04");

static void test_unsupported(void **state)
{
    (void)state;
    assert_kind("CFA from r10", odd_r10, RULE_UNSUPPORTED);
    assert_kind("return address in a register", odd_ra_in_register, RULE_UNSUPPORTED);
    assert_kind("CFA depends on the alignment of rsp", odd_aligned, RULE_UNSUPPORTED);
    assert_kind("rsp is not the CFA", odd_rsp_value, RULE_UNSUPPORTED);
    assert_kind("rsp is saved", odd_rsp_saved, RULE_UNSUPPORTED);
    assert_kind("CFA is two words away", odd_two_derefs, RULE_UNSUPPORTED);
    assert_kind("CFA is a constant", odd_constant, RULE_UNSUPPORTED);
    assert_kind("return address is a value", odd_ra_value, RULE_UNSUPPORTED);
    assert_kind("return address is computed", odd_ra_computed, RULE_UNSUPPORTED);
    assert_kind("rbp at a part of two words", odd_unaligned, RULE_UNSUPPORTED);
    assert_kind("offset beyond 2 GiB", shape_too_large, RULE_UNSUPPORTED);
}

/* --- which row --------------------------------------------------------------------------------------- */

/* A row begins at the very address: a lookup there must give it, one before it the row before. */
SHAPE(rows, "nop\n.cfi_def_cfa_offset 16\nnop\n.cfi_def_cfa_offset 24\nnop\nnop\n.cfi_def_cfa_offset 8");

static void test_rows(void **state)
{
    static const int32_t offsets[] = {8, 16, 24, 24, 8};
    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        assert_rule("row", (uintptr_t)rows + i, (struct rule){.cfa_offset = offsets[i], .ra_offset = -8});
}

/* The expression of a lazy PLT: rsp + 8, and 8 more from byte 11 of the 16 on, where the index is pushed. */
__asm__(".pushsection .text\n.balign 16\nplt_entry:\n.cfi_startproc\n"
        ".cfi_escape " DEF_CFA_EXPRESSION ", 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22\n"
        ".fill 32, 1, 0x90\n.cfi_endproc\n.popsection");
extern const char plt_entry[];

static void test_plt_rows(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < 32; i++)
        assert_rule("PLT", (uintptr_t)plt_entry + i,
                    (struct rule){.cfa_offset = i % 16 < 11 ? 8 : 16, .ra_offset = -8});
}

/* This program's own. */
static void test_plt(void **state)
{
    const char *entry;
    (void)state;
    __asm__("leaq nanosleep@PLT(%%rip), %0" : "=r"(entry));
    assert_rule("PLT entry", (uintptr_t)entry, (struct rule){.cfa_offset = 8, .ra_offset = -8});
}

/* --- nothing known ----------------------------------------------------------------------------------- */

__asm__(".pushsection .text\nno_cfi:\n.fill 16, 1, 0x90\nno_cfi_end:\n.popsection");
extern const char no_cfi[];

static void test_no_cfi(void **state)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_kind("no table entry", no_cfi + 8, RULE_NO_CFI);
    assert_kind("no module", page, RULE_NO_CFI);
    assert_kind("the stack", &page, RULE_NO_CFI);
    assert_kind("0", NULL, RULE_NO_CFI);
    assert_kind("-1", (void *)-1, RULE_NO_CFI);
    assert_kind("not canonical", (void *)((uintptr_t)1 << 63), RULE_NO_CFI);
    munmap(page, 4096);
}

/* --- objects that lie -------------------------------------------------------------------------------- */

enum { LIE_SIZE = 3 * 4096 };

static const uint32_t good_header = 0x3b031b01;

/* A header alone in a page whose neighbours cannot be read. */
struct lie {
    char *pages;
    uint32_t *header;
    struct image image;
};

static struct lie lie_make(uint32_t header, uint32_t count)
{
    struct lie lie = {mmap(NULL, LIE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), NULL, {0, 0, 0}};
    uintptr_t base = (uintptr_t)lie.pages;
    mprotect(lie.pages + 4096, 4096, PROT_READ | PROT_WRITE);
    lie.header = (uint32_t *)(lie.pages + 4096);
    lie.header[0] = header;
    lie.header[2] = count;
    lie.image = (struct image){base, base + LIE_SIZE, base + 4096};
    return lie;
}

static enum rule_kind lie_told(const struct lie *lie)
{
    return learn_rule_in(&lie->image, lie->image.start + 8000).kind;
}

/* A table with one FDE, of the given instructions; it covers the address that is asked for. */
static const unsigned char lie_cie[] = {
    20, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b,     /* pointers: pcrel sdata4 */
    0x0c, 7, 8, 0x90, 1, 0, 0,      /* CFA = rsp + 8, address at CFA - 8 */
};

static struct lie lie_make_cfi(uint32_t header, uint32_t count, const void *instructions, uint32_t size)
{
    struct lie lie = lie_make(header, count);
    uint32_t *fde = lie.header + 32;
    memcpy(lie.header + 16, lie_cie, sizeof lie_cie);
    lie.header[3] = 2048;                   /* code that starts here */
    lie.header[4] = 128;                    /* is described there */
    fde[0] = 13 + size;
    fde[1] = 4 + 64;                        /* back to the CIE */
    fde[2] = 2048 - (128 + 8);
    fde[3] = 4096;
    memcpy((char *)&fde[4] + 1, instructions, size);
    return lie;
}

static enum rule_kind lie_with_cfi(const void *instructions, uint32_t size)
{
    struct lie lie = lie_make_cfi(good_header, 1, instructions, size);
    enum rule_kind kind = lie_told(&lie);
    munmap(lie.pages, LIE_SIZE);
    return kind;
}

static void test_instructions(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t size;
        enum rule_kind kind;
    } cases[] = {
        {"", 0, RULE_STEP},
        {"\x0e\x20", 2, RULE_STEP},
        {"\x07\x10", 2, RULE_END},
        {"\x2d", 1, RULE_UNSUPPORTED},                           /* an instruction of another machine */
        {"\x0b", 1, RULE_UNSUPPORTED},                           /* restores what was not remembered */
        {"\x07\xff\x7f", 3, RULE_UNSUPPORTED},                   /* no such register */
        {"\x0f\xff\xff\xff\x7f", 5, RULE_UNSUPPORTED},           /* an expression beyond the end */
        {"\x0e\xff\xff\xff\xff\xff\xff\x7f", 8, RULE_UNSUPPORTED},
        {"\x0f\x02\x30\x06", 4, RULE_UNSUPPORTED},               /* reads at 0 */
        {"\x0f\x03\x2f\xfd\xff", 5, RULE_UNSUPPORTED},           /* an endless expression */
        {"\x0f\x0a\x03\0\xf0\xee\xdb\xea\x0d\0\0\x06", 12, RULE_UNSUPPORTED},    /* reads elsewhere */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(lie_with_cfi(cases[i].bytes, cases[i].size), cases[i].kind);
}

/* Tables of noise: their FDEs are anywhere.  None may be believed, none may crash. */
static void test_noise(void **state)
{
    struct lie lie = lie_make(good_header, 100);
    (void)state;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        for (int i = 3; i < 203; i++)
            lie.header[i] = (uint32_t)rand() >> rand() % 31;
        assert_int_not_equal(lie_told(&lie), RULE_STEP);
    }
    munmap(lie.pages, LIE_SIZE);
}

/* --- frames of real life ----------------------------------------------------------------------------- */

static struct {
    uintptr_t return_address;
    ucontext_t *context;
    uint64_t cfa, ra, bp;
    struct rule rules[2];
} seen;

static uint64_t word(uint64_t address)
{
    return *(const uint64_t *)address;
}

/* rsp in the trampoline, where the handler has returned, points to the context. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    uint64_t rsp = (uint64_t)context;
    (void)number, (void)info;
    seen.return_address = (uintptr_t)__builtin_return_address(0);
    seen.context = context;
    seen.rules[0] = learn_rule(seen.return_address - 1);
    seen.rules[1] = learn_rule(seen.return_address);
    seen.cfa = word(rsp + (uint64_t)seen.rules[0].cfa_offset) + (uint64_t)seen.rules[0].cfa_add;
    seen.ra = word(rsp + (uint64_t)seen.rules[0].ra_offset);
    seen.bp = word(rsp + (uint64_t)seen.rules[0].bp_offset);
    assert_int_equal(seen.cfa, seen.context->uc_mcontext.gregs[REG_RSP]);
    assert_int_equal(seen.ra, seen.context->uc_mcontext.gregs[REG_RIP]);
    assert_int_equal(seen.bp, seen.context->uc_mcontext.gregs[REG_RBP]);
}

static void test_signal_frame(void **state)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    (void)state;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    for (int i = 0; i < 2; i++) {
        struct rule *r = &seen.rules[i];
        assert_int_equal(r->kind, RULE_STEP);
        assert_true(r->signal_frame && r->cfa_deref && !r->cfa_from_rbp && r->ra_from_rsp);
        assert_int_equal(r->bp, RULE_BP_AT_RSP);
    }
}

/* The vdso is an object without a file. */
static void test_vdso(void **state)
{
    void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
    char *function = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
    (void)state;
    if (!function)
        skip();
    assert_rule("vdso", (uintptr_t)function, (struct rule){.cfa_offset = 8, .ra_offset = -8});
}

/* The frame of this very function, whatever the compiler made of it, leads to its caller. */
static void test_own_frame(void **state)
{
    uintptr_t here, rsp, rbp;
    (void)state;
    __asm__ volatile("leaq 1f(%%rip), %0\n1: movq %%rsp, %1\nmovq %%rbp, %2"
                     : "=&r"(here), "=&r"(rsp), "=&r"(rbp));
    struct rule r = learn_rule(here);
    assert_int_equal(r.kind, RULE_STEP);
    assert_false(r.cfa_deref);
    uint64_t cfa = (r.cfa_from_rbp ? rbp : rsp) + (uint64_t)(int64_t)r.cfa_offset;
    assert_int_equal(word(cfa + (uint64_t)(int64_t)r.ra_offset), (uintptr_t)__builtin_return_address(0));
}

/* --- manners ----------------------------------------------------------------------------------------- */

static void test_before_start(void **state)
{
    (void)state;
    assert_rule("before the start", (uintptr_t)shape_rsp, shapes[0].rule);
    assert_kind("before the start", shape_realigned, RULE_NO_CFI);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void test_start(void **state)
{
    int before = open_descriptors();
    (void)state;
    assert_true(learn_start());
    assert_int_equal(open_descriptors(), before);
    assert_null(dlsym(RTLD_DEFAULT, "_Ux86_64_step"));
}

static void test_errno(void **state)
{
    (void)state;
    errno = 12345;
    learn_rule((uintptr_t)shape_rsp);
    learn_rule((uintptr_t)odd_constant);
    learn_rule(0);
    assert_int_equal(errno, 12345);
}

/* Instrumented code keeps red zones around what it has on the stack. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_USED = 8191 };
#else
enum { MOST_USED = 1023 };
#endif
enum { SMALL_STACK = 32 << 10, PAINT = 0x5a };

static struct {
    _Alignas(4096) unsigned char stack[SMALL_STACK];
    size_t used;
} small;

/* Paints what lies below, leaving alone a little of it for memset. */
static __attribute__((noinline, no_sanitize_address)) void *learn_on_small_stack(void *unused)
{
    unsigned char *top = (unsigned char *)__builtin_frame_address(0) - 512;
    unsigned char *p = small.stack;
    (void)unused;
    while (p < top)
        *(volatile unsigned char *)p++ = PAINT;
    learn_rule((uintptr_t)shape_realigned);
    for (p = small.stack; p < top && *p == PAINT;)
        p++;
    small.used = (size_t)(top + 512 - p);
    return NULL;
}

static void test_small_stack(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    (void)state;
    learn_rule((uintptr_t)shape_realigned);     /* so that no symbol has to be looked up later */
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, small.stack, sizeof small.stack);
    assert_int_equal(pthread_create(&thread, &attributes, learn_on_small_stack, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_in_range(small.used, 1, MOST_USED);
}

/* No handler may find itself on the stack that learning uses. */
static uintptr_t main_stack;
static volatile sig_atomic_t ticks, ticks_elsewhere;

static void on_tick(int number)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    (void)number;
    ticks++;
    if (here > main_stack || main_stack - here > 1 << 20)
        ticks_elsewhere++;
}

static void test_handlers_stay_away(void **state)
{
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    sigset_t before = {{0}}, after = {{0}};
    (void)state;
    main_stack = (uintptr_t)__builtin_frame_address(0) + 4096;
    signal(SIGALRM, on_tick);
    sigprocmask(SIG_SETMASK, NULL, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 400000 && ticks < 200; i++)
        learn_rule((uintptr_t)shape_rsp);
    setitimer(ITIMER_REAL, &never, NULL);
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_int_not_equal(ticks, 0);
    assert_int_equal(ticks_elsewhere, 0);
    assert_memory_equal(&before, &after, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_start),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_plt_rows),
        cmocka_unit_test(test_plt),
        cmocka_unit_test(test_no_cfi),
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_signal_frame),
        cmocka_unit_test(test_vdso),
        cmocka_unit_test(test_own_frame),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_small_stack),
        cmocka_unit_test(test_handlers_stay_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
