// SPDX-License-Identifier: MIT
/*
 * Snapshots: what every site had done at one moment, kept in the file.
 *
 * Other threads are held at their next heap call while the counters are added up: 64 bytes for each site are
 * written, and as many read for each site and shard.  What is kept is bounded: the newer half of it is complete, the
 * older half the sparser the more there were; those that bear a label go last.
 */
#ifndef TRACK_SNAPSHOTS_H
#define TRACK_SNAPSHOTS_H

#include "../base/file.h"
#include "../base/thread.h"

/* Those that the options ask for are taken from now on. */
void snapshots_start(struct thread *self);

/*
 * Takes one.  label: may be null.  Returns 0 or -errno: -EBUSY while another is taken, for which the caller should
 * give its guard away and try again; -ENOSPC where there is no room.
 */
int snapshots_take(struct thread *self, const char *label, enum trace_snapshot_reason reason, uint64_t asked);

/* A look at time `now`: takes what is due. */
void snapshots_look(struct thread *self, uint64_t now);

/* An allocation of so many bytes has failed: takes one, but only of the first few. */
void snapshots_failed(struct thread *self, uint64_t asked);

/* Nothing is live any more: it grows anew. */
void snapshots_cleared(struct thread *self);

/* So often they want to be looked at, in nanoseconds; UINT64_MAX: at no certain time. */
uint64_t snapshots_interval(void);

/* In a fork's child: none yet. */
void snapshots_child(struct thread *self);

#endif
