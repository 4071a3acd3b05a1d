// SPDX-License-Identifier: MIT
/*
 * Steering the recording while it runs: by the program itself (edge/api.c), or from outside by words in the file
 * (struct trace_control), which are looked at whenever a thread looks at the clock, and by the hooks while nothing is
 * recorded.
 *
 * Results are 0 or -errno.  -EBUSY: another thread is at something like it; give the guard away and try again.
 * -ETIMEDOUT: a thread could not be held (a debugger has it), nothing was changed; -EPERM: the same, since the program
 * has forbidden itself the calls that it takes.
 */
#ifndef TRACK_CONTROL_H
#define TRACK_CONTROL_H

#include "../base/file.h"
#include "../base/thread.h"

/* The words in the file; if there was no room, where nobody writes. */
extern struct trace_control *control_words hidden;

/* The request that was seen last. */
extern _Atomic uint32_t control_seen hidden;

/* Makes the words. */
void control_start(void);

/* New blocks are recorded, or not; what is known stays known. */
void control_record(bool wanted);

/* So many frames are kept of a stack from now on. */
int control_depth(struct thread *self, uint64_t depth);

/* The peak is what is live now. */
int control_reset_peak(struct thread *self);

/* Forgets every block and every figure; call paths, snapshots, marks and the timeline stay. */
int control_clear(struct thread *self);

/* In a fork's child: nobody has asked for anything. */
void control_child(void);

/* Does what is asked for from outside; when it has to wait for others, at the next look. */
void control_obey(struct thread *self);

static inline bool control_is_asked(void)
{
    return __atomic_load_n(&control_words->request, __ATOMIC_RELAXED) !=
           atomic_load_explicit(&control_seen, memory_order_relaxed);
}

#endif
