// SPDX-License-Identifier: MIT
/*
 * The guard, threads' states, and the world that stops.
 */
#include "shim_support.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAME ((uintptr_t)__builtin_frame_address(0))

static _Atomic uint64_t died_count, died_sum;
static _Atomic int refreshed;

static bool begin_file_only(void)
{
    return file_start();
}

static void no_stacks(struct thread *self)
{
    (void)self;
}

static void count_refresh(struct thread *self)
{
    assert_true(atomic_load(&self->guard) != 0);
    atomic_fetch_add(&refreshed, 1);
}

static void count_death(struct thread *self, const struct deferred *death)
{
    assert_true(atomic_load(&self->guard) != 0);
    assert_int_equal((uintptr_t)death->block, death->size);
    atomic_fetch_add(&died_count, 1);
    atomic_fetch_add(&died_sum, death->size);
}

static int replace_steps(void **state)
{
    (void)state;
    shim_steps.begin = begin_file_only;
    shim_steps.start = no_stacks;
    shim_steps.refresh = count_refresh;
    shim_steps.died = count_death;
    return 0;
}

static void sleep_ms(unsigned ms)
{
    struct timespec time = {0, ms * 1000000l};
    nanosleep(&time, NULL);
}

/* --- the guard ----------------------------------------------------------------------------------------- */

static void nest(void)
{
    struct thread *self = shim_enter();
    uintptr_t guard = atomic_load(&self->guard);
    assert_null(guard_take(guard - 64, 0));     /* called from it */
    assert_int_equal(atomic_load(&self->guard), guard);
    guard_drop(self);
    assert_int_equal(atomic_load(&self->guard), 0);
    assert_ptr_equal(guard_take(guard - 64, 0), self);
    guard_drop(self);
}

static void leave_by_jump(void)
{
    struct thread *self = shim_enter();
    uintptr_t outer = atomic_load(&self->guard) + 4096;
    assert_ptr_equal(guard_take(outer, 0), self);
    assert_int_equal(atomic_load(&self->guard), outer);
    assert_ptr_equal(guard_take(outer, 0), self);       /* as deep: nobody is called from its own frame */
    self->own_calls = true;                     /* then it is nobody's left-over */
    assert_null(guard_take(outer + 4096, 0));
    self->own_calls = false;
    guard_drop(self);
}

static struct thread *found_by_handler = (struct thread *)1;

static void take_in_handler(int signal)
{
    (void)signal;
    found_by_handler = guard_take(UINTPTR_MAX, 0);
}

static void take_on_alternate_stack(void)
{
    struct sigaction action = {.sa_handler = take_in_handler, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    struct thread *self = shim_enter();
    raise(SIGUSR1);
    assert_null(found_by_handler);
    guard_drop(self);
    raise(SIGUSR1);
    assert_ptr_equal(found_by_handler, self);
}

/* --- frees that were put off --------------------------------------------------------------------------- */

static void defer(struct thread *self, uint64_t entry)
{
    uint32_t count = atomic_load(&self->deferred_count);
    assert_true(count < DEFERRED_MAX);
    self->deferred[count] = (struct deferred){(const void *)entry, entry, 1, false};
    atomic_store(&self->deferred_count, count + 1);
}

static void drain(void)
{
    struct thread *self = shim_enter();
    for (uint64_t i = 1; i <= DEFERRED_MAX; i++)
        defer(self, i);
    assert_int_equal(died_count, 0);
    guard_drop(self);
    assert_int_equal(died_count, DEFERRED_MAX);
    assert_int_equal(died_sum, DEFERRED_MAX * (DEFERRED_MAX + 1) / 2);
    assert_int_equal(self->deferred_count, 0);
    assert_int_equal(self->guard, 0);
}

static volatile uint64_t handled, handled_sum, overflowed;

/* A free at any moment: at once if the guard is free, else put off. */
static void free_in_handler(int signal)
{
    (void)signal;
    uint64_t entry = ++handled;
    struct thread *self = guard_take(FRAME, 0);
    handled_sum += entry;
    if (self) {
        count_death(self, &(struct deferred){(const void *)entry, entry, 1, false});
        guard_drop(self);
    } else if (thread_self->deferred_count < DEFERRED_MAX) {
        defer(thread_self, entry);
    } else {
        overflowed++;
    }
}

static void drain_under_signals(void)
{
    struct sigaction action = {.sa_handler = free_in_handler};
    struct itimerval often = {{0, 50}, {0, 50}}, never = {0};
    guard_drop(shim_enter());
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    uint64_t until = sys_clock_ns(CLOCK_MONOTONIC) + 200000000;
    while (sys_clock_ns(CLOCK_MONOTONIC) < until) {
        struct thread *self = guard_take(FRAME, 0);
        assert_non_null(self);
        for (volatile int i = 0; i < 200; i++)
            ;
        guard_drop(self);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    guard_drop(shim_enter());
    assert_true(handled > 50);
    assert_int_equal(overflowed, 0);
    assert_int_equal(died_count, handled);
    assert_int_equal(died_sum, handled_sum);
}

/* --- threads' states ----------------------------------------------------------------------------------- */

static void *find_own(void *mark)
{
    struct thread *self = thread_find();
    assert_non_null(self);
    assert_int_equal(self->tid, sys_gettid());
    assert_ptr_equal(thread_find(), self);
    assert_ptr_equal(self->last_born, NULL);
    assert_int_equal(self->generation, THREAD_BEHIND);
    self->last_born = mark;
    self->generation = 0;
    return NULL;
}

static pthread_barrier_t all_here, all_leave;

static void join_a_thousand(void)
{
    guard_drop(shim_enter());
    for (int i = 0; i < 1000; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, find_own, &all_here), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(thread_count_ever(), 1001);
    assert_in_range(thread_count_most(), 2, 20);
}

static void *find_and_wait(void *place)
{
    find_own(NULL);
    *(struct thread **)place = thread_find();
    pthread_barrier_wait(&all_here);
    pthread_barrier_wait(&all_leave);
    assert_ptr_equal(thread_find(), *(struct thread **)place);
    return NULL;
}

enum { LIVING = 100 };

static void assert_distinct(struct thread *const *threads)
{
    for (int i = 0; i < LIVING; i++)
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(threads[i], threads[j]);
}

static void live_together(void)
{
    pthread_t ids[LIVING];
    struct thread *states[LIVING];
    guard_drop(shim_enter());
    pthread_barrier_init(&all_here, NULL, LIVING + 1);
    pthread_barrier_init(&all_leave, NULL, LIVING + 1);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < LIVING; i++)
            assert_int_equal(pthread_create(&ids[i], NULL, find_and_wait, &states[i]), 0);
        pthread_barrier_wait(&all_here);
        assert_distinct(states);
        pthread_barrier_wait(&all_leave);
        for (int i = 0; i < LIVING; i++)
            pthread_join(ids[i], NULL);
        assert_int_equal(thread_count_ever(), 1 + round * LIVING);
        assert_in_range(thread_count_most(), LIVING + 1, 2 * LIVING + 20);
    }
    uint32_t listed = 0;
    for (struct thread *t = thread_list(); t; t = t->next)
        listed++;
    assert_int_equal(listed, thread_count_most());
}

static void *die_inside(void *unused)
{
    struct thread *self = shim_enter();
    defer(self, 77);
    return unused;                      /* pthread_exit out of a hook, its end never came */
}

static void reuse_what_died_inside(void)
{
    struct thread *self = shim_enter();
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, die_inside, NULL), 0);
        pthread_join(thread, NULL);
    }
    assert_true(thread_world_stop(self));       /* does not wait for the dead */
    thread_world_go(self);
    assert_true(died_count == 0 && thread_count_most() < 20);
    guard_drop(self);
}

/* --- the world ----------------------------------------------------------------------------------------- */

enum { RUNNERS = 6, STOPS = 25 };

static struct {
    _Atomic bool inside;
    _Atomic uint64_t rounds;
    char apart[112];
} runners[RUNNERS];
static _Atomic bool over;

static void *run_hooks(void *number)
{
    int i = (int)(intptr_t)number;
    while (!atomic_load(&over)) {
        struct thread *self = guard_take(FRAME, 0);
        assert_non_null(self);
        atomic_store_explicit(&runners[i].inside, true, memory_order_relaxed);
        atomic_fetch_add_explicit(&runners[i].rounds, 1, memory_order_relaxed);
        atomic_store_explicit(&runners[i].inside, false, memory_order_relaxed);
        guard_drop(self);
    }
    return NULL;
}

static uint64_t all_rounds(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < RUNNERS; i++) {
        assert_false(atomic_load(&runners[i].inside));
        sum += atomic_load(&runners[i].rounds);
    }
    return sum;
}

static int start_runners(pthread_t *threads)
{
    sys_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    for (intptr_t i = 0; i < RUNNERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_hooks, (void *)i), 0);
    sleep_ms(5);
    return RUNNERS;
}

static void join_runners(const pthread_t *threads)
{
    atomic_store(&over, true);
    for (int i = 0; i < RUNNERS; i++)
        pthread_join(threads[i], NULL);
}

static void stop_and_go(void)
{
    pthread_t threads[RUNNERS];
    int stopped = 0;
    guard_drop(shim_enter());
    start_runners(threads);
    for (int n = 0; n < STOPS; n++) {
        struct thread *self = shim_enter();
        if (thread_world_stop(self)) {
            uint64_t rounds = all_rounds();
            sleep_ms(6);                /* whoever was interrupted on its way in would go on now */
            assert_int_equal(all_rounds(), rounds);
            thread_world_go(self);
            stopped++;
        }
        guard_drop(self);
        sleep_ms(2);
    }
    join_runners(threads);
    assert_true(stopped > STOPS / 4);
    assert_true(refreshed >= stopped);
}

/* Interrupted before it shows its guard, a hook is held until the world has stopped without it. */
static _Atomic int interrupted;
static struct {
    _Atomic bool now;
    _Atomic uint64_t times;
} inside;

static void hold_until_stopped(int signal)
{
    (void)signal;
    atomic_store(&interrupted, 1);
    while (thread_self->guard == 0 && atomic_load(&interrupted) == 1)
        ;
}

static void *run_one_hook(void *unused)
{
    while (!atomic_load(&over)) {
        struct thread *self = guard_take(FRAME, 0);
        inside.now = true;
        inside.times++;
        inside.now = false;
        guard_drop(self);
    }
    return unused;
}

static void stop_the_interrupted(struct thread *self, pthread_t thread)
{
    atomic_store(&interrupted, 0);
    pthread_kill(thread, SIGUSR1);
    while (!atomic_load(&interrupted))
        ;
    while (!thread_world_stop(self))
        ;       /* on a busy machine the other may not get its turn in time */
    uint64_t times = inside.times;
    atomic_store(&interrupted, 2);
    uint64_t until = sys_clock_ns(CLOCK_MONOTONIC) + 50000;
    while (sys_clock_ns(CLOCK_MONOTONIC) < until)
        ;
    assert_false(inside.now);
    assert_int_equal(inside.times, times);
    thread_world_go(self);
}

static void stop_on_the_way_in(void)
{
    struct sigaction action = {.sa_handler = hold_until_stopped};
    pthread_t thread;
    sys_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    sigaction(SIGUSR1, &action, NULL);
    guard_drop(shim_enter());
    assert_int_equal(pthread_create(&thread, NULL, run_one_hook, NULL), 0);
    while (!inside.times)
        sleep_ms(1);
    for (int n = 0; n < 300; n++) {
        struct thread *self = shim_enter();
        stop_the_interrupted(self, thread);
        guard_drop(self);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
}

static _Atomic bool holding, let_go;

static void *hold_guard(void *unused)
{
    struct thread *self = shim_enter();
    atomic_store(&holding, true);
    while (!atomic_load(&let_go))
        sleep_ms(1);
    guard_drop(self);
    return unused;
}

static void wait_in_vain(void)
{
    pthread_t thread;
    struct thread *self = shim_enter();
    uint64_t generation = atomic_load(&world.generation);
    assert_int_equal(pthread_create(&thread, NULL, hold_guard, NULL), 0);
    while (!atomic_load(&holding))
        sleep_ms(1);
    uint64_t before = sys_clock_ns(CLOCK_MONOTONIC);
    assert_false(thread_world_stop(self));
    assert_false(thread_world_pass(self));
    assert_true(sys_clock_ns(CLOCK_MONOTONIC) - before < 1000000000);
    assert_int_equal(atomic_load(&world.gate), 0);
    assert_int_equal(world.threads.word, 0);
    assert_in_range(atomic_load(&world.generation), generation, WORLD_GATE - 2);
    atomic_store(&let_go, true);
    pthread_join(thread, NULL);
    assert_true(thread_world_stop(self));
    thread_world_go(self);
    guard_drop(self);
}

static void refresh(void)
{
    struct thread *self = shim_enter();
    assert_int_equal(refreshed, 1);     /* every thread's first time */
    guard_drop(self);
    guard_drop(shim_enter());
    assert_int_equal(refreshed, 1);
    thread_world_refresh();
    guard_drop(shim_enter());
    assert_int_equal(refreshed, 2);
    guard_drop(shim_enter());
    assert_int_equal(refreshed, 2);
}

static void forget_others(void)
{
    pthread_t thread;
    struct thread *self = shim_enter();
    for (int i = 0; i < 5; i++) {
        pthread_create(&thread, NULL, die_inside, NULL);
        pthread_join(thread, NULL);
    }
    thread_child(self);
    assert_int_equal(thread_count_ever(), 1);
    assert_true(self->guard != 0);
    for (struct thread *t = thread_list(); t; t = t->next) {
        assert_int_equal(t->tid, t == self ? sys_gettid() : 0);
        assert_int_equal(t->deferred_count, 0);
        assert_true(t == self || t->guard == 0);
    }
}

/* ------------------------------------------------------------------------------------------------------- */

static void test_in_child(void **state)
{
    shim_in_child((void (*)(void))(uintptr_t)*state);
}

#define TEST(title, body) {title, test_in_child, replace_steps, NULL, (void *)(uintptr_t)(body)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("the guard is had once", nest),
        TEST("a guard that a jump left behind is taken over", leave_by_jump),
        TEST("no guard is taken over on an alternate signal stack", take_on_alternate_stack),
        TEST("frees that were put off are done at the guard's end", drain),
        TEST("no free of a handler is lost or done twice", drain_under_signals),
        TEST("a thousand threads, one after the other, need few states", join_a_thousand),
        TEST("threads that live together have states of their own", live_together),
        TEST("a thread may die inside a hook", reuse_what_died_inside),
        TEST("nobody is inside while the world is stopped", stop_and_go),
        TEST("a hook that was interrupted on its way in stops too", stop_on_the_way_in),
        TEST("a world that does not stop in time goes on", wait_in_vain),
        TEST("every thread is refreshed once", refresh),
        TEST("a fork's child knows itself only", forget_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
