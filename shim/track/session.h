// SPDX-License-Identifier: MIT
/*
 * The recording as a whole: which process it is of, whether it is worth a file, how long it lasts.
 *
 * The process that the user started always leaves a file.  A descendant keeps its tables in private
 * memory until it has recorded 1000 allocations or 1 MiB.
 */
#ifndef TRACK_SESSION_H
#define TRACK_SESSION_H

#include "../base/thread.h"
#include <stddef.h>

/* Reads the options, writes down who the process is, and attaches the file if it is to have one from the
   start.  first_malloc: the file whose malloc the program calls instead of ours, "" = its own; null: none.
   At the beginning of LIFE_ON. */
void session_start(struct thread *self, char *const *environment, const char *first_malloc);

/* Instead, where nothing can be recorded: says why, if this is the process that the user started. */
void session_refused(char *const *environment, const char *why);

/* The process exits with this status. */
void session_ended(int status);

/* The program forbids itself system calls; or has limited its memory. */
void session_confined(struct thread *self);
bool session_is_confined(void);
void session_limited(struct thread *self);         /* self is null where nothing is recorded any more */

/* In a fork's child. */
bool session_wants_child(void);
void session_child(struct thread *self);

/* The program asks for a snapshot, which is worth a file.  0 or -errno; -EBUSY: try again without the guard. */
int session_snapshot(struct thread *self, const char *label);

/* An allocation of so many bytes has failed. */
void session_failed(struct thread *self, size_t size);

/* At the end of an event that was made known: looks around. */
void session_look(struct thread *self);

void session_tick_slowly(struct thread *self, size_t size);

/* After each birth: looks at the clock now and then. */
static inline void session_tick(struct thread *self, size_t size)
{
    if (unlikely(self->countdown-- == 0))
        session_tick_slowly(self, size);
}

#endif
