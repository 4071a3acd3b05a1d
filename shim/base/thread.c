// SPDX-License-Identifier: MIT
#include "thread.h"
#include "arena.h"
#include <errno.h>
#include <string.h>

__thread struct thread *thread_self;

/* Set while this thread makes its state: a handler that comes in between must not make another. */
static __thread bool making __attribute__((tls_model("initial-exec")));

static _Atomic bool claimed;    /* the world, by who wants to stop it */
static struct thread *all;
static uint32_t structs, next_sweep = 8, ever;

enum { PATIENCE_NS = 20 * 1000 * 1000 };

/* Asked by the process's own id: a vfork's child, which shares all this, has another. */
static bool is_dead(const struct thread *thread)
{
    return thread->tid == 0 || sys3(SYS_tgkill, world.pid, thread->tid, 0) == -ESRCH;
}

/* Of the thread that will go on with the state that is made now: in a vfork's child that is its parent's, whose
   id nobody tells.  -1 is never found dead. */
static int owner_tid(void)
{
    return world_is_lent() ? -1 : sys_gettid();
}

/* --- finding and making ------------------------------------------------------------------------------ */

/*
 * The state of a dead thread, to be used again with its shard and what it had not published: nothing is
 * lost, and nothing is left to do when a thread ends.  The oldest first: it has a shard of its own.
 * Threads are asked for only when there are twice as many as last found living.
 */
static struct thread *reuse_dead(int tid)
{
    struct thread *found = NULL;
    uint32_t living = 0;
    if (structs < next_sweep) {
        for (struct thread *t = all; t; t = t->next)
            if (t->tid == tid)
                return t;
        return NULL;
    }
    for (struct thread *t = all; t; t = t->next) {
        if (t->tid == tid || is_dead(t))
            found = t;
        else
            living++;
    }
    next_sweep = found ? structs : 2 * living + 8;
    return found;
}

/* All that the dead thread wrote came before its last release of the guard. */
static void reset(struct thread *thread, int tid)
{
    (void)atomic_load_explicit(&thread->guard, memory_order_acquire);
    thread->tid = tid;
    thread->generation = THREAD_BEHIND;
    thread->last_born = NULL;
    thread->own_calls = false;
    thread->phase_count = 0;
    atomic_store(&thread->guard, 0);
}

static struct thread *make(int tid)
{
    struct thread *thread = reuse_dead(tid);
    if (thread) {
        reset(thread, tid);
    } else {
        thread = arena_alloc(sizeof *thread);
        if (!thread)
            return NULL;
        reset(thread, tid);
        thread->next = all;
        __atomic_store_n(&all, thread, __ATOMIC_RELEASE);
        __atomic_store_n(&structs, structs + 1, __ATOMIC_RELAXED);
    }
    ever++;
    return thread;
}

struct thread *thread_find(void)
{
    if (thread_self || making)
        return thread_self;
    making = true;
    atomic_signal_fence(memory_order_seq_cst);
    lock_take(&world.threads);
    struct thread *thread = make(owner_tid());
    lock_drop(&world.threads);
    thread_self = thread;
    atomic_signal_fence(memory_order_seq_cst);
    making = false;
    return thread;
}

struct thread *thread_list(void)
{
    return __atomic_load_n(&all, __ATOMIC_ACQUIRE);
}

uint32_t thread_count_ever(void)
{
    return __atomic_load_n(&ever, __ATOMIC_RELAXED);
}

uint32_t thread_count_most(void)
{
    return __atomic_load_n(&structs, __ATOMIC_RELAXED);
}

void thread_child(struct thread *self)
{
    for (struct thread *t = all; t; t = t->next) {
        t->tid = t == self ? sys_gettid() : 0;
        t->deferred_count = 0;
        if (t != self)
            reset(t, 0);
    }
    ever = 1;
    next_sweep = 8;
    atomic_store(&claimed, false);      /* a thread of the parent's may have had it */
}

/* --- all threads at once ----------------------------------------------------------------------------- */

bool thread_world_claim(void)
{
    return !atomic_exchange(&claimed, true);
}

void thread_world_release(void)
{
    atomic_store(&claimed, false);
}

/*
 * A store before membarrier is seen by every hook that begins after it; a hook that began before shows
 * its guard.  (The hooks' side of this needs no barrier instruction: that is what membarrier is for.)
 */
static bool wait_for_others(struct thread *self)
{
    uint64_t until = sys_clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    sys_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    for (struct thread *t = thread_list(); t; t = t->next) {
        while (t != self && atomic_load(&t->guard) && !is_dead(t)) {
            if (sys_clock_ns(CLOCK_MONOTONIC) > until)
                return false;
            sys3(SYS_sched_yield, 0, 0, 0);
        }
    }
    return true;
}

bool thread_world_pass(struct thread *self)
{
    return wait_for_others(self);
}

static uint64_t generation_before;

bool thread_world_stop(struct thread *self)
{
    lock_take(&world.threads);
    generation_before = atomic_load(&world.generation);
    atomic_store(&world.gate, 1);
    atomic_store(&world.generation, WORLD_GATE);
    if (wait_for_others(self))
        return true;
    thread_world_go(self);
    return false;
}

bool thread_world_stop_twice(struct thread *self)
{
    return thread_world_stop(self) || thread_world_stop(self);
}

void thread_world_go(struct thread *self)
{
    (void)self;
    /* One further, for the case that recording was given up meanwhile. */
    atomic_store(&world.generation, generation_before + 1);
    atomic_store(&world.gate, 0);
    sys_futex(&world.gate, FUTEX_WAKE, INT32_MAX, NULL);
    lock_drop(&world.threads);
}

/* The lock keeps it from a world that is being stopped, where the generation is the gate's. */
void thread_world_refresh(void)
{
    lock_take(&world.threads);
    atomic_fetch_add(&world.generation, 1);
    lock_drop(&world.threads);
}
