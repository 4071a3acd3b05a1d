// SPDX-License-Identifier: MIT
/*
 * walk [COMPARISONS] [SEED] [MICROSECONDS]: functions whose frames are of every shape call each other, some
 * in all orders, then all in a random walk.  With MICROSECONDS there is only the latter, and a timer's signal
 * comes that often, anywhere outside of the allocator; its handler walks on.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static uint64_t comparisons;
static uint32_t level, level_max;

typedef void shape_function(void);

/* Allocates, and calls shapes. */
static void walk_on(void);

/* What a shape calls: another one at once, walk_on, or an allocation.  Assembly calls these by name. */
shape_function *walk_choose(void);
void walk_realigned(void);
#define GO_ON()        walk_choose()()
#define GO_ON_ASSEMBLY "call walk_choose\ncall *%rax"

static void use(volatile char *bytes, size_t size)
{
    bytes[0] = bytes[size - 1] = 1;
}

/* --- shapes that a compiler makes ----------------------------------------------------------------------- */

#define SHAPE(name, attributes, before, after)                                                               \
    __attribute__((noinline)) attributes static void name(void)                                              \
    {                                                                                                        \
        before;                                                                                              \
        GO_ON();                                                                                             \
        after;                                                                                               \
        NOT_A_TAIL_CALL;                                                                                     \
    }

/* One binary of gcc's has functions of both kinds, whatever the options are. */
#ifdef __clang__
#define FRAMED
#define FRAMELESS
#define UNOPTIMISED __attribute__((optnone))
#else
#define FRAMED      __attribute__((optimize("no-omit-frame-pointer")))
#define FRAMELESS   __attribute__((optimize("O2", "omit-frame-pointer")))
#define UNOPTIMISED __attribute__((optimize("O0")))
#endif

SHAPE(plain, , , )
SHAPE(plain_too, , , )
SHAPE(framed, FRAMED, , )
SHAPE(framed_too, FRAMED, , )
SHAPE(frameless, FRAMELESS, , )
SHAPE(frameless_too, FRAMELESS, , )
SHAPE(unoptimised, UNOPTIMISED, volatile int local = 3, (void)local)
SHAPE(array, , volatile char bytes[200]; use(bytes, 200), )
SHAPE(frame_of_70k, , volatile char bytes[70000]; use(bytes, 70000), )
SHAPE(frame_of_1m, , volatile char bytes[1100000]; use(bytes, 1100000), )
SHAPE(allocas, , use(alloca(16 + choose(500)), 16), )
SHAPE(allocas_framed, FRAMED, use(alloca(16 + choose(500)), 16), )
SHAPE(variable_array, , volatile char bytes[1 + choose(300)]; use(bytes, 1), )
SHAPE(aligned_64, , _Alignas(64) volatile char bytes[64]; use(bytes, 64), )
SHAPE(aligned_256, FRAMED, _Alignas(256) volatile char bytes[64]; use(bytes, 64), )
SHAPE(aligned_variable, , _Alignas(128) volatile char bytes[64]; use(bytes, 64);
      use(alloca(1 + choose(99)), 1), )

/* A type that asks for more alignment than a stack has. */
typedef int vector __attribute__((vector_size(32)));
SHAPE(with_vector, , volatile vector v = {(int)choose(9)}, (void)v)
SHAPE(realigned, __attribute__((force_align_arg_pointer)), , )
SHAPE(realigned_variable, __attribute__((force_align_arg_pointer)), use(alloca(1 + choose(99)), 1), )

/*
 * Their callees' frames lie at the same place wherever they themselves do: stacks that are equal inside
 * and differ outside, in an rbp that only a frame further out needs.
 */
static size_t bytes_to_boundary(void)
{
    return (uintptr_t)__builtin_frame_address(0) % 4096 + 16;
}

SHAPE(to_boundary, , use(alloca(bytes_to_boundary()), 1), )
SHAPE(to_boundary_too, FRAMED, use(alloca(bytes_to_boundary()), 1), )

/* Registers that a call preserves: all are pushed, in some compilers' code in the middle of the function. */
#define REGISTERS "rbx", "r12", "r13", "r14", "r15"
SHAPE(pushes_all, , __asm__ volatile("" ::: REGISTERS), __asm__ volatile("" ::: REGISTERS))
SHAPE(pushes_late, , if (choose(2)) return; __asm__ volatile("" ::: REGISTERS), )

static long last_argument;

__attribute__((noinline)) static void pushes_arguments(long a, long b, long c, long d, long e, long f, long g,
                                                       long h, long i)
{
    GO_ON();
    last_argument = a + b + c + d + e + f + g + h + i;
}

SHAPE(many_arguments, , pushes_arguments(1, 2, 3, 4, 5, 6, 7, (long)choose(9), 9), )

__attribute__((noinline)) static void takes_any(int count, ...)
{
    va_list list;
    va_start(list, count);
    GO_ON();
    last_argument = va_arg(list, long);
    va_end(list);
}

SHAPE(any_arguments, , takes_any(2, 1L, 2.0), )

struct large {
    long words[20];
};

__attribute__((noinline)) static struct large returns_large(void)
{
    struct large result = {.words = {(long)choose(9)}};
    GO_ON();
    return result;
}

SHAPE(by_value, , struct large value = returns_large(), last_argument = value.words[0])

/* The same call instruction allocates, or calls a function that does: a stack that another one begins with.
 */
__attribute__((noinline)) static void *allocates(size_t size)
{
    void *block = malloc(size);
    compare_block(block, (const void *)allocates, 0);
    return block;
}

__attribute__((noinline)) static void calls_an_allocator(void)
{
    static void *(*const allocators[])(size_t) = {malloc, allocates};
    for (int i = 0; i < 4; i++) {
        bool itself = choose(2);
        compare_begin();
        void *block = allocators[!itself](24);
        if (itself)
            compare_block(block, (const void *)calls_an_allocator, 0);
        free(block);
        compare_end();
    }
}

/* A jump, where the compiler optimises: the frame is replaced. */
__attribute__((noinline)) static void ends_in_a_jump(void)
{
    if (choose(2))
        plain();
    else
        GO_ON();
}

SHAPE(tail_calls, , ends_in_a_jump(), )

/* The call that never returns is the last instruction: its return address is in the next function. */
static jmp_buf *way_back;

__attribute__((noinline, noreturn)) static void never_returns(void)
{
    jmp_buf *mine = way_back;
    GO_ON();
    longjmp(*mine, 1);
}

__attribute__((noinline)) static void calls_for_good(void)
{
    never_returns();
}

__attribute__((noinline)) static void jumps_back(void)
{
    jmp_buf here, *volatile outer = way_back;
    volatile uint32_t my_level = level;
    if (!setjmp(here)) {
        way_back = &here;
        calls_for_good();
    }
    level = my_level;
    way_back = outer;
    NOT_A_TAIL_CALL;
}

/* Out of whatever depth was reached, now and then. */
static void jump_out(void)
{
    if (way_back)
        longjmp(*way_back, 1);
}

__attribute__((noinline)) static void can_be_left(void)
{
    jmp_buf here, *volatile outer = way_back;
    volatile uint32_t my_level = level;
    if (!setjmp(here)) {
        way_back = &here;
        GO_ON();
    }
    level = my_level;
    way_back = outer;
    NOT_A_TAIL_CALL;
}

/* Through libc's own frames. */
static int compares(const void *a, const void *b)
{
    GO_ON();
    return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) static void sorts(void)
{
    int numbers[3] = {3, 1, 2};
    qsort(numbers, 3, sizeof *numbers, compares);
}

__attribute__((noinline)) static void searches(void)
{
    static const int numbers[3] = {1, 2, 3};
    last_argument = bsearch(&numbers[choose(3)], numbers, 3, sizeof *numbers, compares) != NULL;
}

static void handle(int signal)
{
    (void)signal;
    GO_ON();
}

__attribute__((noinline)) static void raises(void)
{
    raise(SIGUSR1);
    NOT_A_TAIL_CALL;
}

/* --- shapes that nobody's compiler makes ---------------------------------------------------------------- */

#define FUNCTION(name, text)                                                                                 \
    void name(void);                                                                                         \
    __asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" text              \
            ".cfi_endproc\n.size " #name ", . - " #name "\n.popsection")

/* rbp is just a register here, and holds nonsense meanwhile. */
#define USES_RBP(name, value)                                                                                \
    FUNCTION(name,                                                                                           \
             "pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n" value "\n" GO_ON_ASSEMBLY "\n"    \
             "popq %rbp\n.cfi_def_cfa_offset 8\n.cfi_restore %rbp\nret\n")

USES_RBP(rbp_zero, "xorl %ebp, %ebp");
USES_RBP(rbp_odd, "movq $0x123456789, %rbp");
USES_RBP(rbp_wild, "movq $-8, %rbp");
USES_RBP(rbp_plausible, "leaq -64(%rsp), %rbp");
USES_RBP(rbp_outside, "leaq 256(%rsp), %rbp");

FUNCTION(rbp_untouched, "subq $24, %rsp\n.cfi_adjust_cfa_offset 24\n" GO_ON_ASSEMBLY "\n"
                        "addq $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n");

/* Of the same size as the one before. */
FUNCTION(rbp_chained, "pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\nmovq %rsp, %rbp\n"
                      ".cfi_def_cfa_register %rbp\nsubq $16, %rsp\n" GO_ON_ASSEMBLY "\nleave\n"
                      ".cfi_def_cfa %rsp, 8\n.cfi_restore %rbp\nret\n");

FUNCTION(rbp_elsewhere,
         "subq $40, %rsp\n.cfi_adjust_cfa_offset 40\nmovq %rbp, 8(%rsp)\n.cfi_offset %rbp, -40\n"
         "leaq 32(%rsp), %rbp\n.cfi_def_cfa %rbp, 16\n" GO_ON_ASSEMBLY "\nmovq 8(%rsp), %rbp\n"
         ".cfi_restore %rbp\n.cfi_def_cfa %rsp, 48\naddq $40, %rsp\n"
         ".cfi_adjust_cfa_offset -40\nret\n");

/* The CFA is a word on the stack, reached from rsp: DW_CFA_def_cfa_expression, DW_OP_breg7 8, DW_OP_deref. */
FUNCTION(cfa_in_memory,
         "leaq 8(%rsp), %rax\nsubq $24, %rsp\n.cfi_adjust_cfa_offset 24\nmovq %rax, 8(%rsp)\n"
         ".cfi_remember_state\n.cfi_escape 0x0f, 3, 0x77, 8, 6\n" GO_ON_ASSEMBLY "\n.cfi_restore_state\n"
         "addq $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n");

/* The same, but 16 bytes off: DW_OP_plus_uconst. */
FUNCTION(cfa_beside_memory,
         "leaq -8(%rsp), %rax\nsubq $24, %rsp\n.cfi_adjust_cfa_offset 24\nmovq %rax, (%rsp)\n"
         ".cfi_remember_state\n.cfi_escape 0x0f, 5, 0x77, 0, 6, 0x23, 16\n" GO_ON_ASSEMBLY
         "\n.cfi_restore_state\naddq $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n");

/* The same from rbp, as in realigned functions; rbp is kept where rbp points to. */
FUNCTION(realigned_by_hand,
         "leaq 8(%rsp), %r10\n.cfi_def_cfa %r10, 0\nandq $-128, %rsp\npushq -8(%r10)\npushq %rbp\n"
         "movq %rsp, %rbp\n.cfi_escape 0x10, 6, 2, 0x76, 0\npushq %r10\n.cfi_escape 0x0f, 3, 0x76, 0x78, 6\n"
         "subq $8, %rsp\n" GO_ON_ASSEMBLY "\naddq $8, %rsp\npopq %r10\n.cfi_def_cfa %r10, 0\npopq %rbp\n"
         "leaq -8(%r10), %rsp\n.cfi_def_cfa %rsp, 8\nret\n");

/* One function at two places 8 bytes apart, as no compiler has it; what it calls aligns the stack. */
FUNCTION(enter_even, "subq $24, %rsp\n.cfi_adjust_cfa_offset 24\ncall either_way\n"
                     "addq $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n");
FUNCTION(enter_odd, "subq $32, %rsp\n.cfi_adjust_cfa_offset 32\ncall either_way\n"
                    "addq $32, %rsp\n.cfi_adjust_cfa_offset -32\nret\n");
FUNCTION(either_way, "subq $40, %rsp\n.cfi_adjust_cfa_offset 40\ncall walk_realigned\n"
                     "addq $40, %rsp\n.cfi_adjust_cfa_offset -40\nret\n");

__attribute__((noinline, used, force_align_arg_pointer)) void walk_realigned(void)
{
    GO_ON();
    NOT_A_TAIL_CALL;
}

/* --- the walk ------------------------------------------------------------------------------------------- */

/* Those that are about rbp and about where a frame lies come last. */
static shape_function *const shapes[] = {
    plain, plain_too, framed, framed_too, frameless, frameless_too, unoptimised, array, variable_array,
    aligned_64, aligned_256, aligned_variable, pushes_all, pushes_late, many_arguments, any_arguments,
    by_value, tail_calls, jumps_back, can_be_left, sorts, searches, raises, calls_an_allocator,
    frame_of_70k, frame_of_1m, allocas, allocas_framed, with_vector, realigned, realigned_variable,
    to_boundary, to_boundary_too, rbp_zero, rbp_odd, rbp_wild, rbp_plausible, rbp_outside, rbp_untouched,
    rbp_chained, rbp_elsewhere, cfa_in_memory, cfa_beside_memory, realigned_by_hand, enter_even,
    enter_odd,
};
enum { SHAPES = sizeof shapes / sizeof *shapes, FIRST_PLACED = 26 };

/* A walk takes some of them only: a few make many equal stacks, many make many different ones. */
static shape_function *chosen[SHAPES];
static uint32_t chosen_count;
static uint64_t leave_at;

static void choose_shapes(void)
{
    uint32_t first = choose(3) ? 0 : FIRST_PLACED;
    chosen_count = 2 + choose(choose(2) ? 4 : SHAPES - 2);
    for (uint32_t i = 0; i < chosen_count; i++)
        chosen[i] = shapes[first + choose(SHAPES - first)];
}

static char *stack_begin;
enum { STACK_FOR_LARGE = 4 << 20, STACK_FOR_ALL = 6 << 20 };

static shape_function *next_shape(void)
{
    shape_function *shape = chosen[choose(chosen_count)];
    size_t used = (size_t)(stack_begin - (char *)__builtin_frame_address(0));
    if ((shape == frame_of_1m || shape == frame_of_70k) && used > STACK_FOR_LARGE)
        shape = plain;
    return used > STACK_FOR_ALL ? compare_here : shape;
}

/* What is to be called instead, from outside to inside, and then an allocation. */
static shape_function *script[3];
static uint32_t script_at, script_length;

__attribute__((noinline, used)) shape_function *walk_choose(void)
{
    if (script_length)
        return script_at < script_length ? script[script_at++] : compare_here;
    switch (level < level_max && compare_count() < leave_at ? choose(8) : 0) {
    case 0:
        return compare_here;
    case 1:
    case 2:
        return walk_on;
    default:
        return next_shape();
    }
}

__attribute__((noinline)) static void walk_on(void)
{
    level++;
    for (uint32_t n = choose(5); n; n--)
        GO_ON();
    if (choose(2))
        compare_here();
    if (!choose(50))
        jump_out();
    level--;
}

/*
 * Each three of those that are about places, the outermost changing first: what is inside stays as it was.
 * They are called by one whose own rbp matters to nobody.
 */
static void in_all_orders(void)
{
    for (uint32_t inner = FIRST_PLACED; inner < SHAPES; inner++) {
        for (uint32_t middle = FIRST_PLACED; middle < SHAPES; middle++) {
            for (uint32_t outer = FIRST_PLACED; outer < SHAPES; outer++) {
                script[0] = shapes[outer];
                script[1] = shapes[middle];
                script[2] = shapes[inner];
                script_at = 0;
                rbp_zero();
            }
        }
    }
}

static void walks(void)
{
    while (compare_count() < comparisons) {
        choose_shapes();
        level = 0;
        way_back = NULL;
        level_max = choose(4) ? 2 + choose(20) : 100;
        leave_at = compare_count() + 50 + choose(500);
        for (int i = 0; i < 10; i++)
            next_shape()();
    }
}

/* --- interrupted anywhere ------------------------------------------------------------------------------- */

static void interrupt(int signal)
{
    jmp_buf *outer_way = way_back;
    uint32_t outer_level = level, outer_max = level_max;
    (void)signal;
    way_back = NULL;
    level_max = level + 2;
    walk_on();
    level = outer_level;
    level_max = outer_max;
    way_back = outer_way;
}

static void start_timer(uint64_t microseconds)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, (suseconds_t)microseconds}, {0, (suseconds_t)microseconds}};
    sigaction(SIGALRM, &action, NULL);
    compare_hold_signal(SIGALRM);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_timer(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
}

int main(int argc, char **argv)
{
    uint64_t microseconds = argument(argc, argv, 3, 0);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_NODEFER};
    stack_begin = __builtin_frame_address(0);
    comparisons = argument(argc, argv, 1, 20000);
    choose_seed(argument(argc, argv, 2, 1));
    sigaction(SIGUSR1, &action, NULL);
    if (microseconds)
        start_timer(microseconds);
    script_length = microseconds ? 0 : 3;
    if (script_length)
        in_all_orders();
    script_length = 0;
    walks();
    stop_timer();
    return compare_report();
}
