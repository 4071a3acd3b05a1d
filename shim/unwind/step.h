// SPDX-License-Identifier: MIT
/*
 * One step outward: from a frame to its caller, by the rule of its lookup address.
 *
 * No word is read unless its page was proven readable: a thread's own stack is remembered, which cannot
 * vanish while the thread lives; pages elsewhere (coroutines, signal stacks, what a bogus frame leads
 * to) are proven in each walk.
 */
#ifndef UNWIND_STEP_H
#define UNWIND_STEP_H

#include "../base/sys.h"

struct thread;

/* Set in a lookup address where a signal interrupted the frame: part of the frame's identity. */
#define LOOKUP_EXACT ((uintptr_t)1 << 63)

/* Registers of a frame. */
struct frame_state {
    uintptr_t lookup;           /* return address - 1, or the very address with LOOKUP_EXACT */
    uintptr_t sp, bp;
};

/* What comparing a kept frame with the stack takes. */
enum odd {
    ODD_NOT,
    ODD_PLACE,                  /* its words are off the thread's own stack: proven readable first */
    ODD_STEP,                   /* it was reached by an unusual step: stepping again */
};

/* A frame, how it was reached from the one inside of it, and what is known of it. */
struct kept_frame {
    struct frame_state at;      /* its return address was read at at.sp - 8, unless ODD_STEP */
    uint32_t frame;             /* of the lookup address, see frames.h; 0 = not known yet */
    uint32_t node;              /* for the layer above; right in the frames below stack_memo.known */
    uint32_t hash;              /* of the path up to here, see walk.h; 0 = not known yet */
    uint32_t checks_end;        /* stack_memo.checks up to here are of this frame and those outside */
    int16_t bp_slot;            /* at.bp was read at at.sp + 8 * bp_slot; 0 = it was not read there */
    bool bp_matters;            /* an outer rule consumes this bp */
    bool bp_kept;               /* the frame inside left rbp alone: this bp is also that one's */
    bool uses_bp;               /* this frame's own rule consumes it */
    uint8_t odd;                /* enum odd */
};

/* What may be read. */
struct reach {
    uintptr_t low, high;        /* the outer part of this thread's stack */
    uintptr_t other_low, other_high;    /* elsewhere, proven in this walk */
};

enum outcome {
    OUTCOME_STEPPED,
    OUTCOME_END,                /* there is no caller */
    OUTCOME_ZERO,               /* the same, told by a return address of 0, which is at to->at.lookup */
    OUTCOME_LOST,               /* there may be one, but we cannot tell */
};

/* A walk begins.  The page of the given word is readable: the call that brought us here has put its return
   address there. */
void reach_begin(struct reach *reach, uintptr_t word);

/* Reads a word; false: it cannot be read. */
bool reach_word(struct reach *reach, uintptr_t address, uintptr_t *word);

/*
 * Steps from a frame outward.  Notes in `from` whether its rule consumes rbp, in `to` how it was reached.
 * Sets *fleeting when the step cannot be relied on a second time: nothing describes the code.
 */
enum outcome step(struct thread *self, struct reach *reach, struct kept_frame *from, struct kept_frame *to,
                  bool *fleeting);

#endif
