// SPDX-License-Identifier: MIT
#include "life.h"
#include "file.h"
#include <signal.h>

union world_page world_page __attribute__((aligned(4096), visibility("hidden")));

bool life_stopped;
static _Atomic int state = LIFE_NEW;
static _Atomic int half_done;           /* tables being changed; survives a fork, as the tables do */

bool world_start(void)
{
    world.pid = sys_getpid();
    atomic_store(&world.generation, 1);
    return !sys_failed(sys_madvise(&world_page, sizeof world_page, MADV_WIPEONFORK));
}

enum life life_state(void)
{
    return (enum life)atomic_load_explicit(&state, memory_order_relaxed);
}

/* The fast path knows no states: the generation sends everybody the slow way. */
void life_give_up(void)
{
    uint64_t generation = atomic_load(&world.generation);
    atomic_store(&state, LIFE_OFF);
    if (generation != 0 && generation != WORLD_GATE)
        atomic_fetch_add(&world.generation, 1);
}

void life_missed(void)
{
    struct thread *self = thread_self;
    if (life_state() < LIFE_EARLY || life_state() == LIFE_OFF || life_is_stopped() ||
        (self && (self->own_calls || self->in_allocator)))
        return;
    if (atomic_load(&world.generation) != 0)
        __atomic_fetch_add(&file_header->missed_events, 1, __ATOMIC_RELAXED);
}

/* --- tables ---------------------------------------------------------------------------------------- */

void life_table_begin(void)
{
    atomic_fetch_add(&half_done, 1);
    POINT("changing a table");
}

void life_table_end(void)
{
    atomic_fetch_sub(&half_done, 1);
}

void tables_take(void)
{
    lock_take(&world.tables);
    life_table_begin();
}

bool tables_try(void)
{
    bool taken = lock_try(&world.tables);
    if (taken)
        life_table_begin();
    return taken;
}

void tables_drop(void)
{
    life_table_end();
    lock_drop(&world.tables);
}

/* --- transitions ------------------------------------------------------------------------------------ */

static void begin(void)
{
    int seen = LIFE_NEW;
    if (!atomic_compare_exchange_strong(&state, &seen, LIFE_BEGINNING))
        return;
    atomic_store(&state, life_steps.begin() ? LIFE_EARLY : LIFE_OFF);
}

static void start(struct thread *self)
{
    int seen = LIFE_EARLY;
    if (!atomic_compare_exchange_strong(&state, &seen, LIFE_STARTING))
        return;
    self->own_calls = true;
    life_steps.start(self);
    self->own_calls = false;
    seen = LIFE_STARTING;
    atomic_compare_exchange_strong(&state, &seen, LIFE_ON);
}

/* The child of a fork, at its first hook: alone, and its tables are still its parent's. */
static void child(struct thread *self)
{
    atomic_store(&half_done, atomic_load(&half_done) ? 1 : 0);
    if (atomic_load(&half_done) || !life_steps.child(self)) {
        life_give_up();
        return;
    }
    self->generation = THREAD_BEHIND;
    world_start();
}

static void wait_at_gate(struct thread *self)
{
    atomic_store(&self->guard, 0);
    while (atomic_load(&world.gate))
        sys_futex(&world.gate, FUTEX_WAIT, 1, NULL);
}

/*
 * Brings the thread, which holds its guard, up to date with the world.  False: do not record.
 * Early threads stay behind and so come here at every call until the start.
 */
static bool catch_up(struct thread *self, uintptr_t frame, uintptr_t caller)
{
    for (;;) {
        uint64_t generation = atomic_load(&world.generation);
        if (life_state() == LIFE_OFF)
            return false;
        if (generation == WORLD_GATE) {
            wait_at_gate(self);
            atomic_store(&self->guard, frame);
            continue;
        }
        if (generation == 0) {
            child(self);
            continue;
        }
        if (life_state() == LIFE_EARLY && life_steps.may_start(caller))
            start(self);
        if (life_state() == LIFE_ON && self->generation != generation) {
            life_steps.refresh(self);
            self->generation = generation;
        }
        return life_state() != LIFE_OFF;
    }
}

/* A handler's longjmp, or an exception, can leave a hook without its end: then the guard names a frame as deep as
   the present one or deeper.  Not so on an alternate signal stack, which may lie anywhere. */
static bool guard_is_stale(const struct thread *self, uintptr_t frame)
{
    stack_t alternate = {.ss_flags = SS_DISABLE};
    if (self->own_calls || frame < atomic_load(&self->guard))
        return false;
    return sys_failed(sys3(SYS_sigaltstack, 0, (long)&alternate, 0)) || !(alternate.ss_flags & SS_ONSTACK);
}

static struct lock *const table_locks[] = {&world.threads, &world.learning, &world.tables, &world.arena};
enum {
    TABLE_LOCKS = sizeof table_locks / sizeof *table_locks,
    SHARED_SHARDS = sizeof world.shared_shard / sizeof *world.shared_shard,
};

/* The hook that was left without its end may have been about to wake those who wait for its locks, or at the gate. */
static void wake_all(void)
{
    for (size_t i = 0; i < TABLE_LOCKS; i++)
        lock_wake(table_locks[i]);
    for (size_t i = 0; i < SHARED_SHARDS; i++)
        lock_wake(&world.shared_shard[i]);
    sys_futex(&world.gate, FUTEX_WAKE, INT32_MAX, NULL);
}

/*
 * It may have been changing a table, nobody knows how far: then recording ends.  Those who wait for its locks shall
 * not wait for ever.
 */
static bool left_half_done(struct thread *self)
{
    size_t i = 0;
    for (size_t s = 0; s < SHARED_SHARDS; s++)
        if (lock_is_mine(&world.shared_shard[s]))
            lock_drop(&world.shared_shard[s]);
    while (i < TABLE_LOCKS && !lock_is_mine(table_locks[i]))
        i++;
    if (i == TABLE_LOCKS)
        return false;
    __atomic_fetch_or(&file_header->flags, TRACE_GAVE_UP, __ATOMIC_RELAXED);
    life_give_up();
    if (lock_is_mine(&world.threads) && atomic_load(&world.gate))
        thread_world_go(self);
    for (i = 0; i < TABLE_LOCKS; i++)
        if (lock_is_mine(table_locks[i]))
            lock_drop(table_locks[i]);
    return true;
}

/*
 * Takes over the guard that a hook without its end has left; false: it has not been left, or it is better not to go
 * on.  What that hook had in its hands of the thread's own (kept stacks, caches) may be half changed: it stays where
 * it is, and others are made.
 */
static bool taken_over(struct thread *self, uintptr_t frame)
{
    if (!guard_is_stale(self, frame))
        return false;
    bool ends = left_half_done(self);
    wake_all();
    if (ends)
        return false;
    self->stacks = NULL;
    self->frames = NULL;
    self->last_born = NULL;
    self->generation = THREAD_BEHIND;
    return true;
}

struct thread *guard_catch_up(struct thread *self, uintptr_t frame, uintptr_t caller)
{
    self->in_allocator = false;
    if (catch_up(self, frame, caller))
        return self;
    atomic_store(&self->guard, 0);
    if (life_state() == LIFE_OFF)
        thread_self = NULL;     /* the shortest way through the hooks from now on */
    return NULL;
}

/*
 * The loader relocates us after the libraries behind us, whose code it may call meanwhile (IFUNC), and which
 * calls us.  Until then the way through the fast path leads here, since thread_self is found in the thread's
 * descriptor, which begins with its own address.
 */
static bool is_relocated(void)
{
    static const void *const volatile own_address = (const void *)&own_address;
    return own_address == (const void *)&own_address;
}

struct thread *guard_take_slowly(uintptr_t frame, uintptr_t caller)
{
    if (life_state() == LIFE_NEW && is_relocated())
        begin();
    if (life_state() < LIFE_EARLY || life_state() == LIFE_OFF)
        return NULL;
    struct thread *self = thread_find();
    if (!self || (atomic_load(&self->guard) && !taken_over(self, frame)))
        return NULL;
    atomic_store(&self->guard, frame);
    atomic_signal_fence(memory_order_seq_cst);
    return guard_catch_up(self, frame, caller);
}

void guard_drain(struct thread *self)
{
    while (atomic_load(&self->deferred_count) && !atomic_load(&self->guard)) {
        atomic_store(&self->guard, (uintptr_t)__builtin_frame_address(0));
        atomic_signal_fence(memory_order_seq_cst);
        if (atomic_load(&world.generation) == WORLD_GATE) {
            wait_at_gate(self);
            continue;
        }
        uint32_t count;
        while ((count = atomic_load(&self->deferred_count)) != 0) {
            struct deferred put_off = self->deferred[count - 1];
            /* A handler may push between: then take that one first. */
            if (atomic_compare_exchange_strong(&self->deferred_count, &count, count - 1))
                life_steps.died(self, &put_off);
        }
        atomic_signal_fence(memory_order_seq_cst);
        atomic_store(&self->guard, 0);
    }
}

void life_start_now(void)
{
    struct thread *self = guard_take((uintptr_t)__builtin_frame_address(0), (uintptr_t)life_start_now);
    if (self)
        guard_drop(self);
}

/* --- fork ------------------------------------------------------------------------------------------- */

/* Whoever forks waits for the tables to be whole; libc's own forks come here too (pthread_atfork). */
static struct thread *forking;

void life_fork_prepare(void)
{
    struct thread *self = guard_take((uintptr_t)__builtin_frame_address(0), (uintptr_t)life_fork_prepare);
    if (!self)
        return;
    lock_take(&world.threads);
    lock_take(&world.learning);
    for (size_t i = 0; i < sizeof world.shared_shard / sizeof *world.shared_shard; i++)
        lock_take(&world.shared_shard[i]);
    lock_take(&world.tables);
    lock_take(&world.arena);
    forking = self;
}

void life_fork_parent(void)
{
    struct thread *self = forking;
    if (!self || self != thread_self)
        return;
    forking = NULL;
    lock_drop(&world.arena);
    for (size_t i = 0; i < sizeof world.shared_shard / sizeof *world.shared_shard; i++)
        lock_drop(&world.shared_shard[i]);
    lock_drop(&world.tables);
    lock_drop(&world.learning);
    lock_drop(&world.threads);
    guard_drop(self);
}

/* The locks were wiped; the tables are put right at the first hook. */
void life_fork_child(void)
{
    struct thread *self = forking;
    if (!self)
        return;
    forking = NULL;
    atomic_store(&self->guard, 0);
}
