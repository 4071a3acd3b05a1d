// SPDX-License-Identifier: MIT
/*
 * Walking the stack, and not walking it.
 *
 * Unwinding is a pure function of (lookup address, rsp, rbp) and the stack words that it reads.  So each
 * thread keeps its latest stack: of every frame these three and where its words were.  A walk starts at
 * the hook's caller and steps outward by rules until a frame equals a kept one; from there the kept
 * words are compared with the stack, from inside to outside.  As long as they are equal everything is
 * the same with certainty; at the first difference the walk steps again.
 *
 * The kept stack is the result.  It is ordered from the outermost frame (0) to the innermost, and
 * carries the call-path node of each frame for the layer above.
 */
#ifndef UNWIND_WALK_H
#define UNWIND_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

/* Set in a lookup address where a signal interrupted the frame: part of the frame's identity. */
#define LOOKUP_EXACT ((uintptr_t)1 << 63)

/* Registers of a frame. */
struct frame_state {
    uintptr_t lookup;           /* return address - 1, or the very address with LOOKUP_EXACT */
    uintptr_t sp, bp;
};

/* What comparing a kept frame takes. */
enum odd {
    ODD_NOT,
    ODD_PLACE,                  /* its words are off the thread's own stack: proven readable first */
    ODD_STEP,                   /* it was reached by an unusual step: stepping again */
};

struct kept_frame {
    struct frame_state at;      /* its return address was read at at.sp - 8, unless ODD_STEP */
    uint32_t node;              /* for the layer above; right in the frames below stack_memo.known */
    int16_t bp_slot;            /* at.bp was read at at.sp + 8 * bp_slot; 0 = it was not read there */
    int16_t bp_check;           /* bp_slot if an outer rule consumes this bp, else 0 */
    bool bp_matters;            /* an outer rule consumes this bp */
    bool bp_kept;               /* the frame inside left rbp alone: this bp is also that one's */
    bool uses_bp;               /* this frame's own rule consumes it */
    uint8_t odd;                /* enum odd */
};

struct stack_memo {
    uint32_t count;             /* frames */
    uint32_t known;             /* so many outermost frames have the right node */
    uint32_t site;              /* of the innermost frame, 0 = not known; for the layer above */
    bool cut;                   /* the stack goes on beyond frame 0, unknown or beyond the depth */
    bool volatile_;             /* not to be compared with: forgotten at the next walk */
    uintptr_t end_word;         /* where a zero return address ended the stack, 0 = elsewise */
    uint32_t depth, capacity;
    uintptr_t low, high;        /* words of [low, high), the outer part of this thread's stack, can be read */
    uintptr_t other_low, other_high;    /* the same elsewhere, proven anew in each walk */
    struct kept_frame *walked;  /* scratch: from inside to outside; [capacity] */
    struct kept_frame frames[]; /* [capacity] */
};

/*
 * The stack from the given frame (a hook's caller) outward.  Null: no memory to keep one.
 * Keeps stacks of up to 2 * depth frames whole; of a deeper one the innermost `depth`, and from then on
 * the cut stays where it is as long as that frame is on the stack and the rest fits.
 * Costs a load and compare for each unchanged frame (two where the saved rbp matters), and some ten
 * nanoseconds for each new one.
 */
struct stack_memo *walk(struct thread *self, struct frame_state from, uint32_t depth);

/* Forgets the kept stack. */
void walk_forget(struct thread *self);

#endif
