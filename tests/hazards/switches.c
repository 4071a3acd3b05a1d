// SPDX-License-Identifier: MIT
/*
 * switches HOW [LIBRARY]: tasks that take turns allocating, on stacks that are not the thread's, or not
 * theirs alone.
 *
 *   contexts    makecontext and swapcontext; stacks are unmapped at a task's end, others come to their places
 *   boost       LIBRARY's jump_fcontext, which leaves no trace of who resumed whom
 *   copied      all tasks on one piece of the thread's stack: what a task has there is copied away while
 *               others run, as greenlets do
 */
#include "told.h"
#include <alloca.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { TASKS = 12, ROUNDS = 60, GENERATIONS = 5, STACK = 64 * 1024 };

static void (*yield)(void);
static void *volatile sink;

/* --- what tasks do ---------------------------------------------------------------------------------- */

NOT_INLINED static void in_even(void)
{
    sink = malloc(20);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void in_odd(void)
{
    free(malloc(30));
    NOT_A_TAIL_CALL;
}

/* The same frames hold other things in each task. */
NOT_INLINED static void work(int depth, bool odd)
{
    char *array = alloca((size_t)depth * 32 + 16);
    memset(array, depth, 16);
    if (depth) {
        work(depth - 1, odd);
    } else {
        (odd ? in_odd : in_even)();
        yield();
        (odd ? in_odd : in_even)();
    }
    must(array[15] == (char)depth);
}

static void do_task(int number)
{
    for (int i = 0; i < ROUNDS; i++) {
        work((i * 7 + number) % 11, number % 2);
        yield();
    }
}

static void *map_stack(void)
{
    void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(stack != MAP_FAILED);
    return stack;
}

/* --- contexts --------------------------------------------------------------------------------------- */

static struct task {
    ucontext_t context;
    void *boost;
    jmp_buf where;
    char *stack;
    size_t copied;
    bool begun, done;
} tasks[TASKS], *running;
static ucontext_t main_context;

static void yield_context(void)
{
    swapcontext(&running->context, &main_context);
}

static void context_body(void)
{
    do_task((int)(running - tasks));
    running->done = true;
    swapcontext(&running->context, &main_context);
}

static void resume_context(struct task *task)
{
    if (!task->begun) {
        task->stack = map_stack();
        getcontext(&task->context);
        task->context.uc_stack.ss_sp = task->stack;
        task->context.uc_stack.ss_size = STACK;
        makecontext(&task->context, context_body, 0);
    }
    swapcontext(&main_context, &task->context);
    if (task->done)
        munmap(task->stack, STACK);
}

/* --- boost ------------------------------------------------------------------------------------------ */

struct transfer {
    void *from, *data;
};
static void *(*make_fcontext)(void *top, size_t size, void (*body)(struct transfer));
static struct transfer (*jump_fcontext)(void *to, void *data);
static void *main_boost;

static void yield_boost(void)
{
    main_boost = jump_fcontext(main_boost, NULL).from;
}

static void boost_body(struct transfer transfer)
{
    main_boost = transfer.from;
    do_task((int)(running - tasks));
    running->done = true;
    yield_boost();
}

static void resume_boost(struct task *task)
{
    if (!task->begun) {
        task->stack = map_stack();
        task->boost = make_fcontext(task->stack + STACK, STACK, boost_body);
    }
    task->boost = jump_fcontext(task->boost, NULL).from;
    if (task->done)
        munmap(task->stack, STACK);
}

/* --- copied ----------------------------------------------------------------------------------------- */

static char *base;              /* tasks live below it */
static jmp_buf main_where;

NOT_INLINED static void yield_copied(void)
{
    static char kept[TASKS][STACK];
    if (_setjmp(running->where))
        return;
    running->stack = (char *)__builtin_frame_address(0) - 512;
    running->copied = (size_t)(base - running->stack);
    must(running->copied <= STACK);
    memcpy(kept[running - tasks], running->stack, running->copied);
    running->context.uc_stack.ss_sp = kept[running - tasks];
    _longjmp(main_where, 1);
}

/* From below of what is written over. */
NOT_INLINED static void return_to(struct task *task)
{
    char *here = alloca(STACK + 4096);
    here[0] = 0;
    must(here < task->stack - 1024);
    memcpy(task->stack, task->context.uc_stack.ss_sp, task->copied);
    _longjmp(task->where, 1);
}

static void resume_copied(struct task *task)
{
    base = __builtin_frame_address(0);
    if (_setjmp(main_where))
        return;
    if (task->begun)
        return_to(task);
    task->begun = true;
    do_task((int)(task - tasks));
    running->done = true;
    _longjmp(main_where, 1);
}

/* --- turns ------------------------------------------------------------------------------------------ */

static bool find_boost(const char *library)
{
    void *boost = library ? dlopen(library, RTLD_NOW) : NULL;
    make_fcontext = boost ? dlsym(boost, "make_fcontext") : NULL;
    jump_fcontext = boost ? dlsym(boost, "jump_fcontext") : NULL;
    return make_fcontext && jump_fcontext;
}

NOT_INLINED static void take_turns(void (*resume)(struct task *task))
{
    for (int left = TASKS, i = 0; left; i = (i + 5) % TASKS) {
        running = &tasks[i];
        if (running->done)
            continue;
        resume(running);
        running->begun = true;
        left -= running->done;
    }
    memset(tasks, 0, sizeof tasks);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    void (*resume)(struct task *task) = resume_context;
    yield = yield_context;
    if (!strcmp(how, "boost")) {
        must(find_boost(argv[2]));
        resume = resume_boost, yield = yield_boost;
    } else if (!strcmp(how, "copied")) {
        resume = resume_copied, yield = yield_copied;
    }
    for (int i = 0; i < GENERATIONS; i++)
        take_turns(resume);
    long each = GENERATIONS * TASKS / 2 * ROUNDS * 2;
    tell("in_even", "allocations", each);
    tell("in_even", "frees", 0);
    tell("in_even", "current_bytes", each * 20);
    tell("in_odd", "allocations", each);
    tell("in_odd", "frees", each);
    tell("do_task", "allocations", 2 * each);
    return 0;
}
