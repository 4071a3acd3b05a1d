// SPDX-License-Identifier: MIT
/*
 * The timeline: what was live when.
 *
 * No thread and no signal of ours: threads that allocate look at a clock now and then (session.h) and come by here.
 * A point is noted when the interval is over; when there are too many points every other goes, and the interval
 * doubles.  So a day takes no more room than a second.
 */
#ifndef TRACK_TIMELINE_H
#define TRACK_TIMELINE_H

#include "../base/thread.h"

enum { TIMELINE_POINTS = 512 };

/* False: no memory. */
bool timeline_start(void);

/* A look at time `now` (CLOCK_MONOTONIC).  may_open: the process may open files.  True: it was time for a point. */
bool timeline_look(struct thread *self, uint64_t now, bool may_open);

/* The last point, whether the interval is over or not. */
void timeline_end(struct thread *self, uint64_t now, bool may_open);

/* Notes what is live now under a label.  0 or -errno. */
int timeline_mark(struct thread *self, const char *label);

/* How far apart points are at present, in nanoseconds. */
uint64_t timeline_interval(void);

/* In a fork's child: no points yet. */
void timeline_child(void);

#endif
