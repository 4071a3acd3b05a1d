// SPDX-License-Identifier: MIT
/*
 * States and their transitions, forks of all kinds.  Each test is a process of its own.
 */
#include "shim_support.h"
#include "../../shim/track/counters.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAME ((uintptr_t)__builtin_frame_address(0))

static struct {
    int begun, asked, started, children, refreshed;
    bool cannot_begin, cannot_be_child, give_up_at_start;
    bool not_yet;
    uintptr_t asked_for;
} seen;

static bool begin(void)
{
    seen.begun++;
    assert_int_equal(life_state(), LIFE_BEGINNING);
    assert_null(guard_take(FRAME, 0));          /* whoever calls meanwhile is passed on */
    return !seen.cannot_begin && file_start();
}

static bool may_start(uintptr_t caller)
{
    seen.asked++;
    seen.asked_for = caller;
    return !seen.not_yet;
}

static void start(struct thread *self)
{
    seen.started++;
    assert_int_equal(life_state(), LIFE_STARTING);
    assert_true(self->own_calls && self->guard);
    assert_null(guard_take(FRAME, 0));
    if (seen.give_up_at_start)
        life_give_up();
}

static bool child(struct thread *self)
{
    seen.children++;
    assert_true(self->guard != 0);
    if (seen.cannot_be_child)
        return false;
    thread_child(self);
    return true;
}

static void refresh(struct thread *self)
{
    (void)self;
    seen.refreshed++;
}

static int replace_steps(void **state)
{
    (void)state;
    shim_steps.begin = begin;
    shim_steps.may_start = may_start;
    shim_steps.start = start;
    shim_steps.child = child;
    shim_steps.refresh = refresh;
    return 0;
}

static struct thread *take(void)
{
    return guard_take(FRAME, 4711);
}

static void enter_and_leave(void)
{
    struct thread *self = take();
    assert_non_null(self);
    guard_drop(self);
}

/* --- states -------------------------------------------------------------------------------------------- */

static void go_on_at_once(void)
{
    assert_int_equal(life_state(), LIFE_NEW);
    enter_and_leave();
    assert_int_equal(life_state(), LIFE_ON);
    enter_and_leave();
    assert_int_equal(seen.begun, 1);
    assert_int_equal(seen.started, 1);
    assert_int_equal(seen.refreshed, 1);
    assert_int_equal(seen.asked, 1);
    assert_int_equal(seen.asked_for, 4711);
}

static void stay_early(void)
{
    seen.not_yet = true;
    for (int i = 1; i <= 5; i++) {
        enter_and_leave();
        assert_int_equal(life_state(), LIFE_EARLY);
        assert_int_equal(seen.asked, i);
    }
    assert_int_equal(seen.refreshed, 0);
    seen.not_yet = false;
    life_start_now();
    assert_int_equal(life_state(), LIFE_ON);
    assert_int_equal(seen.begun, 1);
    assert_int_equal(seen.started, 1);
    assert_int_equal(thread_self->guard, 0);
}

static void start_now(void)
{
    life_start_now();
    assert_int_equal(life_state(), LIFE_ON);
}

static void assert_off(void)
{
    assert_int_equal(life_state(), LIFE_OFF);
    for (int i = 0; i < 3; i++)
        assert_null(take());
    assert_true(!thread_self || thread_self->guard == 0);
    life_start_now();
    assert_int_equal(life_state(), LIFE_OFF);
}

static void cannot_begin(void)
{
    seen.cannot_begin = true;
    assert_null(take());
    assert_off();
    assert_int_equal(seen.begun, 1);
    life_missed();                      /* there is no file header: must not be touched */
}

static void give_up_at_start(void)
{
    seen.give_up_at_start = true;
    assert_null(take());
    assert_off();
    assert_int_equal(seen.started, 1);
}

static void give_up_early(void)
{
    seen.not_yet = true;
    enter_and_leave();
    life_give_up();
    assert_off();
    assert_int_equal(seen.started, 0);
}

static void give_up_on(void)
{
    enter_and_leave();
    life_give_up();
    assert_off();
}

static void give_up_under_guard(void)
{
    struct thread *self = take();
    life_give_up();
    guard_drop(self);
    assert_off();
}

static void give_up_in_stopped_world(void)
{
    struct thread *self = take();
    assert_true(thread_world_stop(self));
    life_give_up();
    assert_int_equal(atomic_load(&world.generation), WORLD_GATE);
    thread_world_go(self);
    guard_drop(self);
    assert_off();
}

static void *enter_all_together(void *barrier)
{
    pthread_barrier_wait(barrier);
    struct thread *self = take();       /* null while another one begins */
    if (self)
        guard_drop(self);
    return NULL;
}

static void begin_in_many_threads(void)
{
    pthread_t threads[16];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_all_together, &barrier), 0);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    enter_and_leave();
    assert_int_equal(seen.begun, 1);
    assert_int_equal(seen.started, 1);
}

/* --- what is missed ------------------------------------------------------------------------------------ */

static void count_missed(void)
{
    life_missed();
    struct thread *self = take();
    life_missed();
    assert_int_equal(file_header->missed_events, 1);
    self->own_calls = true;
    life_missed();
    assert_int_equal(file_header->missed_events, 1);
    self->own_calls = false;
    guard_drop(self);
    life_missed();
    assert_int_equal(file_header->missed_events, 2);
    life_give_up();
    life_missed();
    assert_int_equal(file_header->missed_events, 2);
}

/* --- forks --------------------------------------------------------------------------------------------- */

static void assert_child_is_well(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void assert_fresh_child(void)
{
    assert_int_equal(atomic_load(&world.generation), 0);
    uint64_t missed = file_header->missed_events;
    life_missed();                      /* the header may still be the parent's */
    assert_int_equal(file_header->missed_events, missed);
    enter_and_leave();
    assert_int_equal(seen.children, 1);
    assert_int_equal(life_state(), LIFE_ON);
    assert_int_equal(atomic_load(&world.generation), 1);
    assert_int_equal(seen.refreshed, 2);
    enter_and_leave();
    assert_int_equal(seen.children, 1);
    assert_int_equal(thread_count_ever(), 1);
}

static void fork_by_libc(void)
{
    enter_and_leave();
    pthread_atfork(life_fork_prepare, life_fork_parent, life_fork_child);
    pid_t pid = fork();
    if (pid == 0) {
        assert_fresh_child();
        pid = fork();                   /* and its children in turn */
        seen.children = 0;
        seen.refreshed = 1;
        if (pid == 0) {
            assert_fresh_child();
            _exit(0);
        }
        assert_child_is_well(pid);
        _exit(0);
    }
    assert_child_is_well(pid);
    enter_and_leave();
    assert_int_equal(seen.children, 0);
    assert_int_equal(atomic_load(&world.generation), 1);
}

static void fork_by_kernel(void)
{
    enter_and_leave();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        assert_fresh_child();
        _exit(0);
    }
    assert_child_is_well(pid);
}

static void fork_under_guard(void)
{
    struct thread *self = take();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        guard_drop(self);
        assert_fresh_child();
        _exit(0);
    }
    guard_drop(self);
    assert_child_is_well(pid);
}

static void fork_early(void)
{
    seen.not_yet = true;
    enter_and_leave();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        enter_and_leave();
        assert_int_equal(seen.children, 1);
        assert_int_equal(life_state(), LIFE_EARLY);
        seen.not_yet = false;
        enter_and_leave();
        assert_int_equal(life_state(), LIFE_ON);
        _exit(0);
    }
    assert_child_is_well(pid);
}

static void fork_when_child_cannot(void)
{
    enter_and_leave();
    seen.cannot_be_child = true;
    pid_t pid = fork();
    if (pid == 0) {
        assert_null(take());
        assert_off();
        assert_int_equal(seen.children, 1);
        _exit(0);
    }
    assert_child_is_well(pid);
    enter_and_leave();
}

/* Nobody was asked, and a table was being changed. */
static void fork_in_mid_change(void)
{
    enter_and_leave();
    tables_take();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        assert_null(take());
        assert_off();
        assert_int_equal(seen.children, 0);
        _exit(0);
    }
    tables_drop();
    assert_child_is_well(pid);
    enter_and_leave();
}

static void fork_with_learning_lock_taken(void)
{
    enter_and_leave();
    lock_take(&world.learning);
    lock_take(&world.arena);
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        assert_fresh_child();
        assert_true(lock_try(&world.learning));
        assert_true(lock_try(&world.arena));
        _exit(0);
    }
    assert_child_is_well(pid);
    assert_false(lock_try(&world.learning));
}

/* A vfork's child counts in the parent's tables. */
static void fork_by_vfork(void)
{
    enter_and_leave();
    pid_t pid = vfork();
    if (pid == 0) {
        enter_and_leave();
        _exit(seen.children);
    }
    assert_child_is_well(pid);
    enter_and_leave();
    assert_int_equal(seen.children, 0);
}

static _Atomic bool over;

static void *change_tables(void *unused)
{
    while (!atomic_load(&over)) {
        struct thread *self = take();
        assert_non_null(self);
        tables_take();
        lock_take(&world.arena);
        lock_drop(&world.arena);
        tables_drop();
        guard_drop(self);
    }
    return unused;
}

/* A shard that is shared, and under its lock the tables: the order of a counter that spills. */
static void *change_shards(void *unused)
{
    while (!atomic_load(&over)) {
        struct thread *self = take();
        assert_non_null(self);
        lock_take(&world.shared_shard[1]);
        tables_take();
        tables_drop();
        lock_drop(&world.shared_shard[1]);
        guard_drop(self);
    }
    return unused;
}

static void fork_among_threads(void)
{
    pthread_t threads[2];
    enter_and_leave();
    pthread_atfork(life_fork_prepare, life_fork_parent, life_fork_child);
    pthread_create(&threads[0], NULL, change_tables, NULL);
    pthread_create(&threads[1], NULL, change_shards, NULL);
    for (int i = 0; i < 150; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            enter_and_leave();
            tables_take();              /* never half done */
            tables_drop();
            _exit(life_state() == LIFE_ON && seen.children == 1 ? 0 : 1);
        }
        assert_child_is_well(pid);
    }
    atomic_store(&over, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    enter_and_leave();
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
        TEST("the first hook begins and starts", go_on_at_once),
        TEST("it stays early until the moment allows", stay_early),
        TEST("it starts without a hook", start_now),
        TEST("off when it cannot begin", cannot_begin),
        TEST("off when it gives up at the start", give_up_at_start),
        TEST("off when it gives up early", give_up_early),
        TEST("off when it gives up later", give_up_on),
        TEST("off when it gives up inside a hook", give_up_under_guard),
        TEST("off when it gives up in a stopped world", give_up_in_stopped_world),
        TEST("one thread of many begins", begin_in_many_threads),
        TEST("what is missed is counted while recording only", count_missed),
        TEST("a fork's child begins a life of its own", fork_by_libc),
        TEST("so does one that libc does not know of", fork_by_kernel),
        TEST("so does one made inside a hook", fork_under_guard),
        TEST("a child made early stays early", fork_early),
        TEST("a child that cannot go on is off", fork_when_child_cannot),
        TEST("a child that finds a change half done is off", fork_in_mid_change),
        TEST("locks are free in a child", fork_with_learning_lock_taken),
        TEST("a vfork's child shares its parent's life", fork_by_vfork),
        TEST("forking waits for other threads' changes", fork_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
