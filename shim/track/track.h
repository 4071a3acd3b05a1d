// SPDX-License-Identifier: MIT
/*
 * What a block's life means for the books: the one door from the hooks to everything below.
 *
 * The hooks tell what the real allocator did; tracking knows addresses and sizes, not malloc.  An entry
 * is what the live-block map had of a block; 0 says that it was not ours, and is ignored.
 */
#ifndef TRACK_TRACK_H
#define TRACK_TRACK_H

#include "../unwind/walk.h"
#include <stddef.h>

struct thread;

/* Prepares the tables.  granule: least distance of two blocks. */
bool track_start(unsigned granule);

/* Whole stacks from now on. */
void track_start_stacks(void);

/* A block was born: size as the program asked for it.  watch: its death may be a module's end. */
void track_born(struct thread *self, const void *block, size_t size, struct frame_state caller, bool watch);

/* Takes the entry of a block out, before the real free or realloc.  Needs no guard. */
uint64_t track_take(const void *block);

/* Puts it back: the real call failed. */
void track_put_back(const void *block, uint64_t entry);

/* A block whose entry was taken is free now. */
void track_died(struct thread *self, const void *block, uint64_t entry);

/* A block whose entry was taken lives on, elsewhere or with another size: one event. */
void track_moved(struct thread *self, const void *old_block, uint64_t entry, const void *block, size_t size,
                 struct frame_state caller);

/* A free without the guard: kept for the guard's end (guard_drain).  False: no room, or no thread. */
bool track_died_later(const void *block, uint64_t entry);

/* Life's steps, see base/life.h. */
void track_refresh(struct thread *self);
bool track_child(struct thread *self);

/* Where the block was allocated, see tracemalloc_get_object_traceback. */
int track_traceback(struct thread *self, const void *block, void **addresses, int n);

#endif
