// SPDX-License-Identifier: MIT
/*
 * Walking the stack, and not walking it.
 *
 * A kept stack that is still the present one is found by comparing its words (stacks.h).  Else the walk
 * starts at the hook's caller and steps outward by rules until a frame equals one of the stack of the latest
 * walk; from there that stack's words are compared.  As long as they are equal everything is the same with
 * certainty; at the first difference the walk steps again.
 *
 * The kept stack is the result.  It is ordered from the outermost frame (0) to the innermost, and
 * carries the call-path node of each frame for the layer above.
 */
#ifndef UNWIND_WALK_H
#define UNWIND_WALK_H

#include "stacks.h"
#include "../base/map.h"

/*
 * The hash of a call path is made of its caller's and its frame alone, so those of a whole stack are known before
 * any of its paths was looked up: the walk has them fetched into the cache while it is being finished.
 */
static inline uint32_t path_hash(uint32_t caller, uint32_t frame)
{
    return map_mix((uint64_t)caller << 32 | frame);
}

/* Where the layer above looks paths up by their hash; null: nowhere. */
extern const struct map *walk_paths hidden;

/*
 * The stack from the given frame (a hook's caller) outward, when no kept one was found.  Null: no memory.
 * Keeps stacks of up to 2 * depth frames whole; of a deeper one the innermost `depth`, and from then on
 * the cut stays where it is as long as that frame is on the stack and the rest fits.
 * Costs some ten nanoseconds for each new frame.
 */
struct stack_memo *walk_anew(struct thread *self, struct frame_state from, uint32_t depth);

/* The same, kept or new.  Costs a load and compare for each unchanged frame, two where the saved rbp matters. */
static inline struct stack_memo *walk(struct thread *self, struct frame_state from, uint32_t depth)
{
    struct stack_memo *memo = likely(self->stacks != NULL) ? stacks_find(self->stacks, from) : NULL;
    return likely(memo != NULL) ? memo : walk_anew(self, from, depth);
}

#endif
