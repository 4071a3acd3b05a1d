// SPDX-License-Identifier: MIT
/*
 * A lock: one word, 0 free, else whose it is, and whether it is waited for.
 *
 * Locks are members of `world` (world.h), whose page is wiped in a fork's child: there they are free.
 * A lock is only ever taken by a thread that holds its guard, so a signal handler that interrupts the
 * holder never waits for it.  A handler that jumps out of the holder leaves it locked: lock_is_mine tells.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdatomic.h>
#include "sys.h"

/*
 *     63 ............ 16   15 ... 2      1         0
 *   thread pointer of who holds it    waited for  held
 *
 * The lower half is the futex: whoever takes the lock over changes it, or it says "waited for" already.
 */
struct lock {
    _Atomic uint64_t word;
};

enum { LOCK_HELD = 1, LOCK_WAITED_FOR = 2, LOCK_OWNER_SHIFT = 16 };

static inline uint64_t lock_owner(void)
{
    return (uint64_t)(uintptr_t)__builtin_thread_pointer() << LOCK_OWNER_SHIFT;
}

static inline bool lock_change(struct lock *lock, uint64_t *seen, uint64_t word)
{
    return atomic_compare_exchange_strong_explicit(&lock->word, seen, word, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline bool lock_try(struct lock *lock)
{
    uint64_t seen = 0;
    return lock_change(lock, &seen, lock_owner() | LOCK_HELD);
}

static inline void lock_take(struct lock *lock)
{
    if (likely(lock_try(lock)))
        return;
    for (;;) {
        uint64_t seen = 0;
        if (lock_change(lock, &seen, lock_owner() | LOCK_HELD | LOCK_WAITED_FOR))
            return;
        if (seen & LOCK_WAITED_FOR || lock_change(lock, &seen, seen | LOCK_WAITED_FOR))
            sys_futex(&lock->word, FUTEX_WAIT, (uint32_t)seen | LOCK_WAITED_FOR, NULL);
    }
}

/* A point for each place that takes a lock, by its name there: "&world.tables". */
#ifdef TEST_POINTS
#define lock_take(lock) (lock_take(lock), POINT(#lock))
#endif

static inline void lock_drop(struct lock *lock)
{
    if (unlikely(atomic_exchange_explicit(&lock->word, 0, memory_order_release) & LOCK_WAITED_FOR))
        sys_futex(&lock->word, FUTEX_WAKE, 1, NULL);
}

/* Whoever dropped it may not have come to wake another. */
static inline void lock_wake(struct lock *lock)
{
    sys_futex(&lock->word, FUTEX_WAKE, INT32_MAX, NULL);
}

static inline bool lock_is_mine(const struct lock *lock)
{
    uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    return word && word >> LOCK_OWNER_SHIFT == lock_owner() >> LOCK_OWNER_SHIFT;
}

#endif
