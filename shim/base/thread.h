// SPDX-License-Identifier: MIT
/*
 * Threads and the guard.
 *
 * The guard says "this thread is inside the recorder".  It is held from the entry of a hook to its end;
 * whoever calls a hook meanwhile (a signal handler, libunwind's own malloc) is passed on to the real
 * function and leaves the tables alone.  Every function below the edge takes the struct thread that
 * only the guard hands out, so that the book-keeping cannot be reached without it.
 *
 * A thread's state lives in thread-local storage of the initial-exec model (one pointer): the general
 * model would call malloc.  It is found again after the thread has ended, by its id, not by a
 * destructor: a thread may allocate until its very end.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "world.h"

struct shard;
struct trace_counter;
struct stacks;
struct frame_cache;
struct phases;

/* A generation that the world never has. */
#define THREAD_BEHIND (WORLD_GATE - 1)

enum { DEFERRED_MAX = 64 };

/* A free that interrupted the recorder in the same thread: done when the guard is released. */
struct deferred {
    const void *block;
    uint64_t size;              /* what the live-block map had of it */
    uint32_t site;
    bool watch;
};

struct thread {
    /* what each hook touches */
    _Atomic uintptr_t guard;    /* stack address of the hook that holds it, 0 = free */
    uint64_t generation;        /* of world.generation, when last looked at */
    const void *last_born;      /* the block of this thread's latest heap event, if it was an allocation */
    struct stacks *stacks;      /* those that it keeps */
    struct trace_counter **counters;    /* by section, if it has a shard alone; else null */
    _Atomic int64_t held;       /* its net bytes that the process-wide live count does not have (counters.h) */
    _Atomic int64_t upper;      /* publish when held is above, ... */
    _Atomic int64_t lower;      /* ... or below */
    _Atomic int64_t settle;     /* above it: there may be a new peak, to be noted before bytes become fewer */
    uint32_t countdown;         /* allocations until the next look at the clock */
    int64_t blocks;             /* held, of blocks */

    uint32_t look_every;        /* so many allocations lie between two looks, at present */
    uint64_t looked_ns;         /* the latest look */
    struct shard *shard;
    int64_t quantum;            /* distance of upper and lower */
    struct frame_cache *frames;
    struct phases *phases;      /* null: it never had one */
    uint32_t phase_count;       /* open at present */
    _Atomic uint32_t deferred_count;
    bool own_calls;             /* the recorder itself calls libc: its heap calls are nobody's events */
    bool in_allocator;          /* a real function is at work: what it calls of the family is its own affair */
    int tid;
    struct thread *next;        /* all, living and dead; never unlinked */
    struct deferred deferred[DEFERRED_MAX];
};

extern __thread struct thread *thread_self __attribute__((tls_model("initial-exec"))) hidden;

/* Slow halves of guard_take: first and nested calls; and, with the guard held, forked children, unloaded
   modules, a stopped world.  Null: this call is not to be recorded (and was counted as missed if it should
   have been), and the guard is not held. */
struct thread *guard_take_slowly(uintptr_t frame, uintptr_t caller);
struct thread *guard_catch_up(struct thread *self, uintptr_t frame, uintptr_t caller);

/* Slow half of guard_drop: does the frees that were put off. */
void guard_drain(struct thread *self);

/*
 * frame: the hook's frame address; caller: its return address.  Null: pass the call on, record nothing.
 * The guard is shown before the generation is looked at: whoever stops the world does the reverse.
 */
static inline struct thread *guard_take(uintptr_t frame, uintptr_t caller)
{
    struct thread *self = thread_self;
    if (unlikely(!self) || unlikely(atomic_load_explicit(&self->guard, memory_order_relaxed)))
        return guard_take_slowly(frame, caller);
    atomic_store_explicit(&self->guard, frame, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (unlikely(self->generation != atomic_load_explicit(&world.generation, memory_order_relaxed)))
        return guard_catch_up(self, frame, caller);
    return self;
}

static inline void guard_drop(struct thread *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&self->guard, 0, memory_order_release);
    if (unlikely(atomic_load_explicit(&self->deferred_count, memory_order_relaxed)))
        guard_drain(self);
}

/* The state of the calling thread, made if need be; takes world.threads.  Null: no memory. */
struct thread *thread_find(void);

/* All threads that ever were, newest first. */
struct thread *thread_list(void);

/* How many the program has had, and the most that lived at once (as far as seen). */
uint32_t thread_count_ever(void);
uint32_t thread_count_most(void);

/* In a fork's child: forgets all threads but self. */
void thread_child(struct thread *self);

/*
 * Whoever wants to stop the world claims it first, for two that wait for each other both wait in vain.  False:
 * somebody else has it; give the guard away and try again.
 */
bool thread_world_claim(void);
void thread_world_release(void);

/*
 * Stops the world: every other thread is outside of its hooks when this returns true, and waits at the
 * next one until thread_world_go.  False: somebody did not leave in time (it is stopped by a debugger,
 * or its handler waits for us); nothing is stopped.
 */
bool thread_world_stop(struct thread *self);
void thread_world_go(struct thread *self);

/* The same with another try: a thread that joins waits for a lock that the stopping one has. */
bool thread_world_stop_twice(struct thread *self);

/* Makes every thread forget the code addresses that it remembers, at its next hook. */
void thread_world_refresh(void);

/* Waits until every other thread has been outside of its hooks once: what was stored before is seen by
   all later hooks.  False as above. */
bool thread_world_pass(struct thread *self);

#endif
