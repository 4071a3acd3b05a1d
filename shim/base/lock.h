// SPDX-License-Identifier: MIT
/*
 * A lock: one futex word, 0 free, 1 held, 2 held and waited for (Drepper, "Futexes are tricky").
 *
 * Locks are members of `world` (world.h), whose page is wiped in a fork's child: there they are free.
 * A lock is only ever taken by a thread that holds its guard, so a signal handler that interrupts the
 * holder never waits for it.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdatomic.h>
#include "sys.h"

struct lock {
    _Atomic uint32_t word;
};

static inline void lock_take(struct lock *lock)
{
    uint32_t seen = 0;
    if (likely(atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                       memory_order_relaxed)))
        return;
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        sys_futex(&lock->word, FUTEX_WAIT, 2, NULL);
}

/* A point for each place that takes a lock, by its name there: "&world.tables". */
#ifdef TEST_POINTS
#define lock_take(lock) (lock_take(lock), POINT(#lock))
#endif

static inline bool lock_try(struct lock *lock)
{
    uint32_t seen = 0;
    return atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void lock_drop(struct lock *lock)
{
    if (unlikely(atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2))
        sys_futex(&lock->word, FUTEX_WAKE, 1, NULL);
}

#endif
