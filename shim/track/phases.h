// SPDX-License-Identifier: MIT
/*
 * Phases: what one thread allocates and frees between two moments that it names, and the most that was live of it.
 *
 * They cost nothing while none is open.  A thread that has one open gets no counters for the common way
 * (thread.counters): each of its events takes the slow half, as of a thread that shares its shard, and is added up
 * there.  So the peak is exact.
 */
#ifndef TRACK_PHASES_H
#define TRACK_PHASES_H

#include "../base/thread.h"

enum { PHASES_MAX = 32 };       /* open at once, in one thread */

struct phase_figures {
    int64_t current, peak;      /* net bytes; current may be negative */
    uint64_t allocated, allocations, frees;
};

/* Opens a phase within the one that is open.  0; -ENOSPC: there are too many; -ENOMEM. */
int phases_begin(struct thread *self, const char *name);

/* Closes the innermost phase of that name, or of any if it is null, and all that were opened in it.  0; -ENOENT: none
   is open. */
int phases_end(struct thread *self, const char *name, struct phase_figures *figures);

/* An event of so many blocks born and died, and their bytes. */
void phases_add(struct thread *self, int births, uint64_t born, int deaths, uint64_t died);

static inline void phases_event(struct thread *self, int births, uint64_t born, int deaths, uint64_t died)
{
    if (unlikely(self->phase_count))
        phases_add(self, births, born, deaths, died);
}

#endif
