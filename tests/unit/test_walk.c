// SPDX-License-Identifier: MIT
/*
 * The walk against libgcc's unwinder: after each call the kept stack must be, frame by frame, what
 * _Unwind_Backtrace finds anew.
 */
#include "shim_support.h"
#include "../../shim/unwind/rules.h"
#include <alloca.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <cmocka.h>

enum { TRUTH_MAX = 40000, STACK_SIZE = 1 << 20 };

static struct {
    struct frame_state frames[TRUTH_MAX];       /* innermost first */
    uint32_t count;
    uintptr_t from_sp;
} truth;

static struct thread *walker;
static uint32_t depth, probes;
static bool only_inner;         /* libgcc sees less than we do: compare what it sees */
static struct stack_memo *latest;

/* --- the comparison ------------------------------------------------------------------------------------ */

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *unused)
{
    int exact = 0;
    uintptr_t ip = _Unwind_GetIPInfo(context, &exact), sp = _Unwind_GetCFA(context);
    (void)unused;
    if (!truth.count && sp != truth.from_sp)
        return _URC_NO_REASON;          /* this test's own, inside the frame in question */
    if (!ip || truth.count == TRUTH_MAX)
        return _URC_END_OF_STACK;
    truth.frames[truth.count++] =
        (struct frame_state){exact ? ip | LOOKUP_EXACT : ip - 1, sp, (uintptr_t)_Unwind_GetGR(context, 6)};
    return _URC_NO_REASON;
}

static void find_truth(uintptr_t from_sp)
{
    truth.count = 0;
    truth.from_sp = from_sp;
    _Unwind_Backtrace(note, NULL);
    assert_true(truth.count > 0);
}

static void assert_same_frame(const struct kept_frame *kept, const struct frame_state *real)
{
    if (kept->at.lookup == real->lookup && kept->at.sp == real->sp &&
        (!kept->bp_matters || kept->at.bp == real->bp))
        return;
    print_error("probe %u: lookup %lx sp %lx bp %lx, should be %lx %lx %lx\n", probes, kept->at.lookup,
                kept->at.sp, kept->at.bp, real->lookup, real->sp, real->bp);
    fail();
}

static void assert_size(const struct stack_memo *memo)
{
    if (only_inner) {
        assert_true(memo->count >= truth.count);
        return;
    }
    if (truth.count > 2 * depth)
        assert_true(memo->cut);
    if (memo->cut)
        assert_in_range(memo->count, 1, 2 * depth);
    else
        assert_int_equal(memo->count, truth.count);
    assert_true(memo->count <= truth.count);
}

static void compare(struct stack_memo *memo, uintptr_t from_sp)
{
    probes++;
    assert_non_null(memo);
    find_truth(from_sp);
    assert_size(memo);
    for (uint32_t i = 0; i < memo->count && i < truth.count; i++)
        assert_same_frame(&memo->frames[memo->count - 1 - i], &truth.frames[i]);
    latest = memo;
}

/* Walks from its caller, as a hook does. */
__attribute__((noinline, used)) void walk_probe(void);
void walk_probe(void)
{
    struct frame_state from = shim_caller(__builtin_frame_address(0));
    compare(walk(walker, from, depth), from.sp);
}

/* The same without a comparison; for stacks that are not what they seem. */
__attribute__((noinline)) static struct stack_memo *walk_from(uintptr_t lookup, uintptr_t sp, uintptr_t bp)
{
    return walk(walker, (struct frame_state){lookup, sp, bp}, depth);
}

static int begin_with_depth(uint32_t new_depth)
{
    static struct thread threads[64];
    static int next;
    walker = &threads[next++ % 64];
    depth = new_depth;
    probes = 0;
    only_inner = false;
    return 0;
}

static int begin_deep(void **state)
{
    (void)state;
    return begin_with_depth(1024);
}

static int start_all(void **state)
{
    (void)state;
    guard_drop(shim_enter());
    return life_state() == LIFE_ON ? 0 : -1;
}

/* --- frames of all shapes ------------------------------------------------------------------------------ */

static uint64_t numbers;
static uint32_t level, level_max, probes_max;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

static void go_on(void);

/* Other compilers make frames of fewer shapes. */
#ifdef __clang__
#define GCC_ONLY(...)
#else
#define GCC_ONLY(...) __VA_ARGS__
#endif

#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")
#define SHAPE(name, attributes, before, after)                                                               \
    __attribute__((noinline GCC_ONLY(, noclone, attributes))) static void name(void)                         \
    {                                                                                                        \
        before;                                                                                              \
        go_on();                                                                                             \
        after;                                                                                               \
        NOT_A_TAIL_CALL;                                                                                     \
    }

static void use(volatile char *bytes, size_t size)
{
    bytes[0] = bytes[size - 1] = 1;
}

SHAPE(plain, optimize("O2", "omit-frame-pointer"), , )
SHAPE(framed, optimize("O2", "no-omit-frame-pointer"), , )
SHAPE(unoptimised, optimize("O0"), volatile int local = 3, (void)local)
SHAPE(local_arrays, optimize("O2", "omit-frame-pointer"), volatile char bytes[200]; use(bytes, 200), )
SHAPE(large, optimize("O2", "omit-frame-pointer"), volatile char bytes[100000]; use(bytes, 100000), )
SHAPE(dynamic, optimize("O2"), use(alloca(16 + choose(500)), 16), )
SHAPE(realigned, optimize("O2"), _Alignas(64) volatile char bytes[64]; use(bytes, 64), )
SHAPE(realigned_dynamic, optimize("O2"), _Alignas(128) volatile char bytes[64]; use(bytes, 64);
      use(alloca(16 + choose(100)), 16), )
SHAPE(realigned_argument, force_align_arg_pointer, , )

/* rbp is just a register here, and holds nonsense meanwhile. */
#define CLOBBER_BP(name, value)                                                                              \
    void name(void);                                                                                         \
    __asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n.cfi_startproc\npushq %rbp\n"       \
            ".cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n"                                                \
            "movq $" value ", %rbp\ncall walk_go_on\npopq %rbp\n.cfi_def_cfa_offset 8\n.cfi_restore %rbp\n"  \
            "ret\n.cfi_endproc\n.popsection")
CLOBBER_BP(walk_bp_zero, "0");
CLOBBER_BP(walk_bp_odd, "0x123456789");
CLOBBER_BP(walk_bp_wild, "-8");

/* A frame of the same size as that of bp_chained, but it leaves rbp alone. */
void walk_bp_untouched(void);
__asm__(".pushsection .text\nwalk_bp_untouched:\n.cfi_startproc\nsubq $24, %rsp\n.cfi_adjust_cfa_offset 24\n"
        "call walk_go_on\naddq $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n.cfi_endproc\n.popsection");
void walk_bp_chained(void);
__asm__(".pushsection .text\nwalk_bp_chained:\n.cfi_startproc\npushq %rbp\n.cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\nmovq %rsp, %rbp\n.cfi_def_cfa_register %rbp\nsubq $16, %rsp\n"
        "call walk_go_on\nleave\n.cfi_def_cfa %rsp, 8\n.cfi_restore %rbp\nret\n.cfi_endproc\n.popsection");

__attribute__((used)) void walk_go_on(void);
void walk_go_on(void)
{
    go_on();
    NOT_A_TAIL_CALL;
}

static void (*const shapes[])(void) = {
    plain, framed, unoptimised, local_arrays, large, dynamic, realigned, realigned_dynamic,
    realigned_argument, walk_bp_zero, walk_bp_odd, walk_bp_wild, walk_bp_untouched, walk_bp_chained,
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

__attribute__((noinline)) static void go_on(void)
{
    level++;
    if (choose(3))
        walk_probe();
    for (uint32_t n = choose(4); n && level < level_max && probes < probes_max; n--)
        shapes[choose(SHAPES)]();
    if (choose(2))
        walk_probe();
    level--;
}

static void test_every_walk_is_what_libgcc_finds(void **state)
{
    (void)state;
    level_max = 40;
    for (uint32_t round = 0; round < 300; round++) {
        numbers = 1000 + round;
        probes_max = probes + 100;
        go_on();
    }
    assert_true(probes > 3000);
}

/* Long chains of few shapes, up and down: many equal inner frames over changing outer ones. */
static void test_deep_stacks_are_what_libgcc_finds(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 70; round++) {
        numbers = round;
        level_max = 20 + 5 * round;
        probes_max = probes + 60;
        level = 0;
        while (probes < probes_max)
            shapes[choose(SHAPES)]();
    }
}

static void test_cut_stacks_are_what_libgcc_finds(void **state)
{
    (void)state;
    begin_with_depth(12);
    for (uint32_t round = 0; round < 500; round++) {
        numbers = round;
        level_max = 5 + round % 60;
        probes_max = probes + 40;
        while (probes < probes_max)
            shapes[choose(SHAPES)]();
    }
}

/* --- stacks that end at once --------------------------------------------------------------------------- */

/* Runs function() on a stack of its own; the frame says that nothing is outside of it. */
void walk_run_on(void *top, void (*function)(void), uintptr_t bp);
__asm__(".pushsection .text\nwalk_run_on:\n.cfi_startproc\n.cfi_undefined %rip\npushq %rbp\npushq %rbx\n"
        "movq %rsp, %rbx\nmovq %rdi, %rsp\nmovq %rdx, %rbp\ncall *%rsi\nmovq %rbx, %rsp\npopq %rbx\n"
        "popq %rbp\nret\n.cfi_endproc\n.popsection");

static char *new_stack(size_t size)
{
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stack != MAP_FAILED);
    return stack;
}

/*
 * Frames that call whatever these point to, so that they can stand in any order.  _plain leaves rbp alone;
 * _chained is of the same size and needs it; _saving has nonsense in it meanwhile; _varied is as large as
 * walk_size says, and needs it; _drap aligns its stack, and only a word of it tells where its caller's is.
 */
extern void (*walk_calls[4])(void);
extern uint64_t walk_size[4];
#define FRAME(name, directives, body, end)                                                                   \
    "walk_" name ":\n.cfi_startproc\n" directives body end "ret\n.cfi_endproc\n"
#define PUSH_BP  "pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n"
#define CHAIN_BP "movq %rsp, %rbp\n.cfi_def_cfa_register %rbp\n"
#define LEAVE    "leave\n.cfi_def_cfa %rsp, 8\n.cfi_restore %rbp\n"
#define CALL(n)  "call *walk_calls+8*" #n "(%rip)\n"
#define FRAMES(n)                                                                                            \
    extern void walk_plain##n(void), walk_chained##n(void), walk_saving##n(void), walk_varied##n(void),      \
        walk_drap##n(void);                                                                                  \
    __asm__(".pushsection .text\n"                                                                           \
            FRAME("plain" #n, "subq $24, %rsp\n.cfi_adjust_cfa_offset 24\n", CALL(n),                        \
                  "addq $24, %rsp\n.cfi_adjust_cfa_offset -24\n")                                            \
            FRAME("chained" #n, PUSH_BP CHAIN_BP "subq $16, %rsp\n", CALL(n), LEAVE)                         \
            FRAME("saving" #n, PUSH_BP "subq $16, %rsp\n.cfi_adjust_cfa_offset 16\n",                        \
                  "movq $0x77, %rbp\n" CALL(n),                                                              \
                  "addq $16, %rsp\n.cfi_adjust_cfa_offset -16\npopq %rbp\n.cfi_adjust_cfa_offset -8\n"       \
                  ".cfi_restore %rbp\n")                                                                     \
            FRAME("varied" #n, PUSH_BP CHAIN_BP "subq walk_size+8*" #n "(%rip), %rsp\n", CALL(n), LEAVE)     \
            FRAME("drap" #n,                                                                                 \
                  "leaq 8(%rsp), %r10\n.cfi_def_cfa %r10, 0\nandq $-256, %rsp\npushq -8(%r10)\npushq %rbp\n" \
                  ".cfi_escape 0x10, 6, 2, 0x76, 0\nmovq %rsp, %rbp\npushq %r10\n"                           \
                  ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\nsubq $40, %rsp\n", CALL(n),                        \
                  "movq -8(%rbp), %r10\n.cfi_def_cfa %r10, 0\nleave\nleaq -8(%r10), %rsp\n"                  \
                  ".cfi_def_cfa %rsp, 8\n")                                                                  \
            ".popsection")
FRAMES(0);
FRAMES(1);
FRAMES(2);
void (*walk_calls[4])(void);
uint64_t walk_size[4];

__attribute__((noinline)) static void twice(void)
{
    walk_probe();
    walk_probe();
    NOT_A_TAIL_CALL;
}

/* The stack of up to three frames inside the outermost. */
static void walk_frames(char *stack, uint32_t frames, uintptr_t bp, void (*first)(void), void (*second)(void),
                        void (*third)(void), void (*fourth)(void))
{
    walk_calls[0] = second;
    walk_calls[1] = third;
    walk_calls[2] = fourth;
    walk_run_on(stack + STACK_SIZE, first, bp);
    assert_int_equal(latest->count, frames);
    assert_false(latest->cut);
}

static void test_rbp_is_known_when_it_comes_to_matter(void **state)
{
    (void)state;
    char *stack = new_stack(STACK_SIZE);
    for (uintptr_t bp = 0x1000; bp < 0x5000; bp += 0x1000) {
        walk_frames(stack, 3, bp, walk_plain0, walk_plain1, walk_probe, NULL);
        walk_frames(stack, 3, bp + 16, walk_chained0, walk_plain1, walk_probe, NULL);
    }
    munmap(stack, STACK_SIZE);
}

static void test_rbp_is_known_behind_unusual_frames(void **state)
{
    (void)state;
    char *stack = new_stack(STACK_SIZE);
    for (uintptr_t bp = 0x1000; bp < 0x5000; bp += 0x1000) {
        walk_frames(stack, 4, bp, walk_plain0, walk_plain1, walk_drap2, walk_probe);
        walk_frames(stack, 4, bp + 16, walk_chained0, walk_plain1, walk_drap2, walk_probe);
        walk_frames(stack, 4, bp + 16, walk_chained0, walk_drap1, walk_plain2, walk_probe);
        walk_frames(stack, 4, bp + 32, walk_plain0, walk_drap1, walk_plain2, walk_probe);
        walk_frames(stack, 4, bp + 16, walk_chained0, walk_saving1, twice, NULL);
        walk_frames(stack, 5, bp, walk_plain0, walk_saving1, walk_plain2, twice);
        walk_frames(stack, 5, bp, walk_chained0, walk_saving1, walk_plain2, twice);
    }
    munmap(stack, STACK_SIZE);
}

/* The same frames at the same places but for one in the middle, which is of another size: its caller's
   return address lies elsewhere, and where it was lies an old copy of it. */
static void test_old_words_are_not_taken_for_new_ones(void **state)
{
    (void)state;
    char *stack = new_stack(STACK_SIZE);
    void (*const inner[])(void) = {walk_plain2, walk_saving2};
    for (int i = 0; i < 2; i++) {
        for (uint64_t size = 32; size <= 256; size += 32) {
            walk_size[0] = size;
            walk_size[1] = 512 - size;
            walk_frames(stack, 4, 0, walk_varied0, walk_varied1, inner[i], walk_probe);
        }
    }
    for (uint64_t size = 32; size <= 256; size += 32) {
        walk_size[0] = size;
        walk_frames(stack, 3, 0, walk_varied0, walk_drap1, walk_probe, NULL);
    }
    munmap(stack, STACK_SIZE);
}

/* --- depth --------------------------------------------------------------------------------------------- */

static uint32_t recursion_probes;      /* at which levels: every so many */

__attribute__((noinline GCC_ONLY(, optimize("O2", "omit-frame-pointer")))) static void recurse(uint32_t n)
{
    if (n)
        recurse(n - 1);
    else
        walk_probe();
    NOT_A_TAIL_CALL;
}

static uint32_t stack_depth;

static void recurse_to_depth(void)
{
    recurse(stack_depth - 2);           /* besides: this, and the outermost */
    NOT_A_TAIL_CALL;
}

static void assert_depth(char *stack, uint32_t frames, uint32_t kept, bool cut)
{
    begin_with_depth(16);
    stack_depth = frames - 1;
    walk_run_on(stack + STACK_SIZE, recurse_to_depth, 0);
    assert_int_equal(truth.count, frames);
    assert_int_equal(latest->count, kept);
    assert_int_equal(latest->cut, cut);
}

static void test_a_stack_of_twice_the_depth_is_whole(void **state)
{
    (void)state;
    char *stack = new_stack(STACK_SIZE);
    assert_depth(stack, 31, 31, false);
    assert_depth(stack, 32, 32, false);
    assert_depth(stack, 33, 16, true);
    assert_depth(stack, 34, 16, true);
    assert_depth(stack, 35, 16, true);
    assert_depth(stack, 200, 16, true);
    munmap(stack, STACK_SIZE);
}

static uint32_t cuts, cut_probes;
static uintptr_t outermost;

static void note_cut(void)
{
    cut_probes++;
    if (latest->cut && latest->frames[0].at.sp != outermost) {
        outermost = latest->frames[0].at.sp;
        cuts++;
    }
}

/* Comparing costs as much as the stack is deep. */
__attribute__((noinline)) static void probe_cheaply(void)
{
    struct frame_state from = shim_caller(__builtin_frame_address(0));
    struct stack_memo *memo = walk(walker, from, depth);
    if (recursion_probes++ % 64 == 0)
        compare(memo, from.sp);
    latest = memo;
    note_cut();
}

__attribute__((noinline)) static void recurse_with_allocations(uint32_t n);

__attribute__((noinline)) static void other_way(uint32_t n)
{
    recurse_with_allocations(n);
    NOT_A_TAIL_CALL;
}

__attribute__((noinline)) static void recurse_with_allocations(uint32_t n)
{
    probe_cheaply();
    if (n % 2)
        recurse_with_allocations(n - 1);
    else if (n)
        other_way(n - 1);
    probe_cheaply();
}

static void test_recursion_makes_few_cuts(void **state)
{
    (void)state;
    begin_with_depth(100);
    cuts = cut_probes = 0;
    recurse_with_allocations(6000);     /* 9000 frames */
    assert_in_range(cut_probes, 12000, 12100);
    assert_in_range(cuts, 85, 2 * 95);
}

__attribute__((noinline)) static void climb(uint32_t n, uint32_t down)
{
    if (n) {
        climb(n - 1, down);
    } else {
        for (uint32_t i = 0; i < 10; i++)
            recurse(down);
    }
    NOT_A_TAIL_CALL;
}

static void test_the_cut_stays_while_its_frame_does(void **state)
{
    (void)state;
    begin_with_depth(50);
    climb(100, 30);
    assert_true(latest->cut);
    uintptr_t before = latest->frames[0].at.lookup;
    climb(100, 20);
    assert_true(latest->cut);
    assert_int_equal(latest->frames[0].at.lookup, before);
    climb(1, 1);
    assert_false(latest->cut);
}

/* --- signals ------------------------------------------------------------------------------------------- */

void walk_fault(void);
extern const char walk_fault_end[];
__asm__(".pushsection .text\n.p2align 4\nwalk_fault:\n.cfi_startproc\nud2\nwalk_fault_end:\nret\n"
        ".cfi_endproc\n.popsection");

static void probing_handler(int signal, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    (void)info;
    walk_probe();
    recurse(3);
    walk_probe();
    if (signal == SIGILL)
        interrupted->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)walk_fault_end;
}

static void catch(int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = probing_handler, .sa_flags = SA_SIGINFO | flags};
    assert_int_equal(sigaction(signal, &action, NULL), 0);
}

static void uncatch(int signal)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
}

static bool has_exact_frame(void)
{
    for (uint32_t i = 0; i < latest->count; i++)
        if (latest->frames[i].at.lookup & LOOKUP_EXACT)
            return true;
    return false;
}

__attribute__((noinline)) static void interrupt_at(uint32_t n)
{
    if (n) {
        interrupt_at(n - 1);
    } else {
        walk_probe();
        raise(SIGUSR1);
        assert_true(has_exact_frame());
        walk_fault();                   /* at its very first address: the one before is another function's */
        assert_true(has_exact_frame());
        assert_int_equal(truth.frames[1].lookup & LOOKUP_EXACT, 0);
    }
    walk_probe();
}

static void interrupt_with(int flags)
{
    catch(SIGUSR1, flags);
    catch(SIGILL, flags);
    for (uint32_t n = 0; n < 20; n++)
        interrupt_at(n % 7);
    uncatch(SIGUSR1);
    uncatch(SIGILL);
}

static void test_walks_through_signal_handlers(void **state)
{
    (void)state;
    interrupt_with(0);
}

static void test_walks_from_an_alternate_signal_stack(void **state)
{
    (void)state;
    stack_t alternate = {.ss_sp = new_stack(STACK_SIZE), .ss_size = STACK_SIZE}, before;
    assert_int_equal(sigaltstack(&alternate, &before), 0);
    interrupt_with(SA_ONSTACK);
    assert_int_equal(sigaltstack(&before, NULL), 0);
    munmap(alternate.ss_sp, STACK_SIZE);
}

/* --- stacks that come and go --------------------------------------------------------------------------- */

static ucontext_t home, coroutines[4];

static void coroutine(void)
{
    for (;;) {
        level_max = level + 8;
        probes_max = probes + 12;
        shapes[choose(SHAPES)]();
        ucontext_t *self = &coroutines[0];
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);
        for (int i = 0; i < 4; i++)
            if (here - (uintptr_t)coroutines[i].uc_stack.ss_sp < STACK_SIZE)
                self = &coroutines[i];
        swapcontext(self, &home);
    }
}

static void make_coroutine(ucontext_t *context)
{
    getcontext(context);
    context->uc_stack.ss_sp = new_stack(STACK_SIZE);
    context->uc_stack.ss_size = STACK_SIZE;
    context->uc_link = NULL;
    context->uc_mcontext.gregs[REG_RBP] = (greg_t)(uintptr_t)__builtin_frame_address(0);   /* leads astray */
    makecontext(context, coroutine, 0);
}

static void drop_coroutine(ucontext_t *context)
{
    munmap(context->uc_stack.ss_sp, STACK_SIZE);
    context->uc_stack.ss_sp = NULL;
}

/* AddressSanitizer must not hear of the stacks: it would take a switch for a long jump. */
static void test_walks_in_contexts(void **state)
{
    (void)state;
    numbers = 7;
    for (int i = 0; i < 4; i++)
        make_coroutine(&coroutines[i]);
    for (int turn = 0; turn < 800; turn++) {
        ucontext_t *next = &coroutines[choose(4)];
        swapcontext(&home, next);
        walk_probe();
        if (turn % 10 == 9) {
            drop_coroutine(next);
            make_coroutine(next);
        }
    }
    for (int i = 0; i < 4; i++)
        drop_coroutine(&coroutines[i]);
    level = 0;
    assert_true(probes > 1000);
}

static void *walk_in_thread(void *seed)
{
    begin_with_depth(200);
    numbers = (uint64_t)(uintptr_t)seed;
    level_max = 30;
    probes_max = 100;
    level = 0;
    while (probes < probes_max)
        shapes[choose(SHAPES)]();
    return NULL;
}

static void test_walks_to_the_end_of_a_thread(void **state)
{
    (void)state;
    setenv("CMOCKA_TEST_ABORT", "1", 1);       /* another thread cannot jump back */
    for (uintptr_t seed = 0; seed < 20; seed++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, walk_in_thread, (void *)seed), 0);
        pthread_join(thread, NULL);
        assert_false(latest->cut);
    }
    unsetenv("CMOCKA_TEST_ABORT");
    level = 0;
}

/* --- words that lead astray ---------------------------------------------------------------------------- */

/* Code whose CFA is rbp + 16, and code that hands rbp on. */
extern const char walk_place_rbp[], walk_place_rsp[];
__asm__(".pushsection .text\n.cfi_startproc\nnop\n.cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -16\n"
        "walk_place_rbp:\nnop\nnop\n.cfi_endproc\n"
        ".cfi_startproc\nnop\n.cfi_def_cfa_offset 16\nwalk_place_rsp:\nnop\nnop\n.cfi_endproc\n.popsection");

static void put_word(uintptr_t address, uintptr_t word)
{
    *(uintptr_t *)address = word;
}

static void assert_ends_at_once(uintptr_t sp, uintptr_t bp)
{
    struct stack_memo *memo = walk_from((uintptr_t)walk_place_rbp, sp, bp);
    assert_non_null(memo);
    assert_int_equal(memo->count, 1);
    assert_true(memo->cut);
}

/* A dead thread's state is used again by a thread whose stack is elsewhere; a coroutine's stack goes. */
static void test_a_former_stack_is_not_believed(void **state)
{
    (void)state;
    uintptr_t second = (uintptr_t)new_stack(33 * PAGE_SIZE), first = second + 17 * PAGE_SIZE;
    mprotect((void *)(first - PAGE_SIZE), PAGE_SIZE, PROT_NONE);
    put_word(first + 8 * PAGE_SIZE, 0);
    walk_from((uintptr_t)walk_place_rbp, first + 512, first + 8 * PAGE_SIZE);
    walk_from((uintptr_t)walk_place_rbp, second + 512, 0);
    munmap((void *)first, 16 * PAGE_SIZE);
    assert_ends_at_once(second + 512, first + 2 * PAGE_SIZE);
    assert_ends_at_once(second + 512, first + 1024);
    munmap((void *)second, 16 * PAGE_SIZE);
}

static void test_an_end_that_is_none_any_longer_is_passed(void **state)
{
    (void)state;
    uintptr_t page = (uintptr_t)new_stack(PAGE_SIZE);
    put_word(page + 1032, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(walk_from((uintptr_t)walk_place_rbp, page + 512, page + 1024)->count, 1);
    put_word(page + 1032, (uintptr_t)walk_place_rsp + 1);
    put_word(page + 1040, 0);
    assert_int_equal(walk_from((uintptr_t)walk_place_rbp, page + 512, page + 1024)->count, 2);
    munmap((void *)page, PAGE_SIZE);
}

/* A thread on a stack of ours.  Below it, behind a hole, is a coroutine's. */
enum { BELOW = 16 * 4096, HOLE = 4096, ABOVE = 512 * 4096 };

static void run_in_area(char *area, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstack(&attributes, area + BELOW + HOLE, ABOVE), 0);
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    assert_int_equal(pthread_create(&thread, &attributes, function, argument), 0);
    pthread_join(thread, NULL);
    unsetenv("CMOCKA_TEST_ABORT");
}

static char *new_area(void)
{
    char *area = new_stack(BELOW + HOLE + ABOVE);
    assert_int_equal(mprotect(area + BELOW, HOLE, PROT_NONE), 0);
    return area;
}

static void *walk_simply(void *unused)
{
    walk_probe();
    recurse(20);
    return unused;
}

static void *walk_into_former(void *area)
{
    stacks_forget(walker);                /* as whoever takes over a dead thread's state */
    walk_probe();
    for (uintptr_t at = (uintptr_t)area; at < (uintptr_t)area + BELOW + HOLE + ABOVE; at += 2048)
        assert_ends_at_once((uintptr_t)__builtin_frame_address(0) & -16ul, at);
    return NULL;
}

static void test_a_dead_threads_stack_is_not_read(void **state)
{
    (void)state;
    char *first = new_area(), *second = new_area();
    assert_true(first > second);        /* a walk leads upwards */
    run_in_area(first, walk_simply, NULL);
    assert_int_equal(mprotect(first, BELOW + HOLE + ABOVE, PROT_NONE), 0);
    run_in_area(second, walk_into_former, first);
    munmap(first, BELOW + HOLE + ABOVE);
    munmap(second, BELOW + HOLE + ABOVE);
}

/* --- code that nothing describes ----------------------------------------------------------------------- */

static void *generated_code(void)
{
    static const unsigned char code[] = {
        0x55,                   /* push %rbp */
        0x48, 0x89, 0xe5,       /* mov %rsp, %rbp */
        0xff, 0xd7,             /* call *%rdi */
        0x5d, 0xc3,             /* pop %rbp; ret */
    };
    char *page = new_stack(PAGE_SIZE);
    memcpy(page, code, sizeof code);
    assert_int_equal(mprotect(page, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    return page;
}

__attribute__((noinline)) static void probe_behind_generated(void)
{
    only_inner = true;          /* libgcc stops there */
    walk_probe();
    only_inner = false;
}

static void test_generated_code_is_followed_by_its_chain(void **state)
{
    (void)state;
    void *code = generated_code();
    walk_probe();
    uint32_t outside = latest->count;
    uintptr_t outer = latest->frames[outside - 2].at.lookup;
    ((void (*)(void (*)(void)))code)(probe_behind_generated);
    assert_false(latest->cut);
    assert_null(walker->stacks->latest);              /* not to be compared with */
    assert_int_equal(latest->count, outside + 2);
    assert_in_range(latest->frames[outside].at.lookup, (uintptr_t)code, (uintptr_t)code + PAGE_SIZE - 1);
    assert_int_equal(latest->frames[outside - 2].at.lookup, outer);
    walk_probe();
    munmap(code, PAGE_SIZE);
}

/* glibc's own backtrace(), for the whole of a simple stack.  (A sanitizer's has a frame more, its own.) */
static void test_it_is_what_backtrace_finds(void **state)
{
    (void)state;
    void *addresses[64];
    walk_probe();
    int n = backtrace(addresses, 64);
    int count = (int)latest->count;
    assert_in_range(n, count, count + 1);
    for (int i = 0; i < count - 1; i++)         /* the innermost is another call in this function */
        assert_int_equal((uintptr_t)addresses[n - 1 - i] - 1, latest->frames[i].at.lookup);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, begin_deep)
    const struct CMUnitTest tests[] = {
        TEST(it_is_what_backtrace_finds),
        TEST(every_walk_is_what_libgcc_finds),
        TEST(deep_stacks_are_what_libgcc_finds),
        TEST(cut_stacks_are_what_libgcc_finds),
        TEST(rbp_is_known_when_it_comes_to_matter),
        TEST(rbp_is_known_behind_unusual_frames),
        TEST(old_words_are_not_taken_for_new_ones),
        TEST(a_stack_of_twice_the_depth_is_whole),
        TEST(recursion_makes_few_cuts),
        TEST(the_cut_stays_while_its_frame_does),
        TEST(walks_through_signal_handlers),
        TEST(walks_from_an_alternate_signal_stack),
        TEST(walks_in_contexts),
        TEST(walks_to_the_end_of_a_thread),
        TEST(a_former_stack_is_not_believed),
        TEST(an_end_that_is_none_any_longer_is_passed),
        TEST(a_dead_threads_stack_is_not_read),
        TEST(generated_code_is_followed_by_its_chain),
    };
    return cmocka_run_group_tests(tests, start_all, NULL);
}
