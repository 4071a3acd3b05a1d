// SPDX-License-Identifier: MIT
/*
 * The call-path tree and the sites.
 *
 * A node is (path of the caller, frame); a site is a node that allocated.  Records stand in the file by
 * number and only ever grow.  The map from (parent, frame) to a node is one for all threads, read without a lock:
 * a cache a thread in front of a locked table was slower where there are many paths, and up to half a megabyte a
 * thread.
 */
#ifndef TRACK_PATHS_H
#define TRACK_PATHS_H

#include "../unwind/walk.h"
#include "../unwind/modules.h"
#include <stddef.h>

bool paths_start(void);

/* The site of the calling stack, whose innermost frame is `from` (a hook's caller).  Never 0: what finds
   no room is the site of TRACE_NODE_OVERFLOW. */
uint32_t paths_site(struct thread *self, struct frame_state from);

/* The same of a stack that begins, outside of all, with a frame of its own; that may be 0: no room.  Nothing of it is
   kept, so each frame is looked up. */
uint32_t paths_site_below(struct thread *self, uint32_t frame, struct frame_state from);

/* The same for a stack of one frame, at a time when there is no unwinder; below a frame of its own, or 0: none. */
uint32_t paths_site_of_caller(struct thread *self, uint32_t below, uintptr_t lookup);

/* Writes up to n addresses of the site's stack, innermost first; returns how many frames it has. */
int paths_addresses(uint32_t site, void **addresses, int n);

/* In a fork's child: what the parent added since the fork is not ours. */
void paths_child(void);

#endif
