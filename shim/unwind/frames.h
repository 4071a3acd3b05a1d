// SPDX-License-Identifier: MIT
/*
 * Frames: the places in the code that stacks are made of, as records in the trace file.
 *
 * A frame is (module, offset), not an address: a plug-in that is loaded again has the frames it had.  The frame
 * of an address is kept with the address's rule (rules.h); what has no rule is found here.
 */
#ifndef UNWIND_FRAMES_H
#define UNWIND_FRAMES_H

#include "modules.h"
#include "step.h"

bool frames_start(void);

/* The number of the frame of a lookup address; 0 when there is no room.  Under world.tables. */
uint32_t frames_number(uintptr_t lookup);

/* The same of a place that is known, with enum trace_frame_flags. */
uint32_t frames_number_in(struct code_place place, uint32_t flags);

/* The same of a module that is no file, by its name (modules_named). */
uint32_t frames_number_named(const char *name);

/* The number of the frame of a lookup address without the lock, for those that have no rule; remembered by the
   thread. */
uint32_t frames_number_of(struct thread *self, uintptr_t lookup);

/* Where a frame is.  Any thread that got its number. */
struct code_place frames_place(uint32_t number);

/* In a fork's child: what the parent added since the fork is not ours. */
void frames_child(void);

/* Forgets addresses of code: a module was unloaded. */
void frames_forget(struct thread *self);

#endif
