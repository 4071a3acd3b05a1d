// SPDX-License-Identifier: MIT
/*
 * The stacks that a thread keeps.
 *
 * Unwinding is a pure function of (lookup address, rsp, rbp) and the stack words that it reads.  So a kept
 * stack carries, besides its frames, these words as a dense list of (where, what): when the innermost frame is
 * the same and all words are, everything is the same with certainty.  The words are compared from inside to
 * outside and the first difference ends it: an outer word is where it was only if those inside are as they were.
 * Return addresses always count; a saved rbp only where an outer rule consumes it.
 *
 * A thread keeps some thirty stacks.  Those that may be the present one are found by the innermost frame's
 * lookup address and rsp: up to four, for there are functions that allocate for others (operator new,
 * xmalloc) and are called from everywhere.  (The inner parts of 512 to 4096 stacks more, compared in the same way,
 * were those of 29 to 55 % of what gcc walks anew; but what they took of the caches made it slower by 2 %.)
 */
#ifndef UNWIND_STACKS_H
#define UNWIND_STACKS_H

#include "step.h"
#include "../base/thread.h"

enum {
    STACKS = 31,
    STACK_SETS_BITS = 6,
    STACK_FRAMES_FIRST = 24,    /* room of a new one; doubled when it does not do */
};

/* A word of the stack, and what it was. */
struct check {
    const uintptr_t *word;
    uintptr_t value;
};

struct stack_memo {
    /* what comparing touches */
    struct frame_state at;      /* of the innermost frame; lookup 0: compares with nothing */
    uintptr_t bp_mask;          /* 0: its rbp does not matter */
    const struct check *top;    /* the first to be compared; then downward */
    void *of_site;              /* for the layer above: what it keeps of `site` */
    uint32_t site;              /* of the innermost frame, 0 = not known; for the layer above */
    bool used;                  /* found since it was last looked at for replacement */
    uint8_t number;             /* in struct stacks */

    bool cut;                   /* the stack goes on beyond frame 0, unknown or beyond the depth */
    uint32_t count;             /* frames */
    uint32_t known;             /* so many outermost frames have the right node */
    uint32_t capacity;
    uintptr_t end_word;         /* where a zero return address ended the stack, 0 = elsewise */
    struct check *checks;       /* from outside to inside; behind the frames */
    struct kept_frame frames[]; /* from the outermost (0) to the innermost; [capacity] */
};

struct stacks {
    /* Up to four numbers, the latest lowest, by a hash of the innermost frame. */
    uint32_t sets[1 << STACK_SETS_BITS];
    struct stack_memo *memos[STACKS + 1];       /* from 1 on */
    struct stack_memo *latest;  /* the stack of the latest walk; null: not to be compared with */
    uint32_t hand, misses;      /* for replacement */
    struct reach reach;
    uint32_t room;              /* of walked */
    bool any_odd;               /* one of the stacks has, or had, an odd frame or end */
    struct kept_frame *walked;  /* scratch of a walk: from inside to outside */
};

/* The comparison stops here, by its value: at the end of all words, or at an odd frame, by its number. */
extern const uintptr_t check_stop hidden;
#define CHECK_END UINTPTR_MAX

reads_frames static inline const struct check *first_changed(const struct check *check)
{
    for (;; check -= 4) {
        if (unlikely(*check[0].word != check[0].value))
            return check;
        if (unlikely(*check[-1].word != check[-1].value))
            return check - 1;
        if (unlikely(*check[-2].word != check[-2].value))
            return check - 2;
        if (unlikely(*check[-3].word != check[-3].value))
            return check - 3;
    }
}

static inline uint32_t stack_set(uintptr_t lookup, uintptr_t sp)
{
    return (uint32_t)(((lookup ^ sp << 16) * 0x9e3779b97f4a7c15u) >> (64 - STACK_SETS_BITS));
}

static inline bool same_innermost(const struct stack_memo *memo, const struct frame_state *at)
{
    return memo->at.lookup == at->lookup && memo->at.sp == at->sp && !((memo->at.bp ^ at->bp) & memo->bp_mask);
}

/* The kept stack that is the present one, if no frame of it is odd; else null. */
reads_frames static inline struct stack_memo *stacks_find(struct stacks *stacks, struct frame_state at)
{
    for (uint32_t set = stacks->sets[stack_set(at.lookup, at.sp)]; set; set >>= 8) {
        struct stack_memo *memo = stacks->memos[set & 0xff];
        if (likely(same_innermost(memo, &at)) && likely(first_changed(memo->top) == memo->checks)) {
            memo->used = true;
            stacks->latest = memo;
            return memo;
        }
    }
    return NULL;
}

/* The thread's, made if need be; null: no memory. */
struct stacks *stacks_of(struct thread *self);

/* Room for so many frames in the scratch: false when there is no memory. */
bool stacks_make_room(struct stacks *stacks, uint32_t frames);
static inline bool stacks_room(struct stacks *stacks, uint32_t frames)
{
    return likely(frames <= stacks->room) || stacks_make_room(stacks, frames);
}

/* The same as stacks_find, for stacks with odd frames.  After reach_begin. */
struct stack_memo *stacks_find_odd(struct thread *self, struct stacks *stacks, struct frame_state at);

/*
 * frames[i] of the memo is as it was.  The number of the outermost frame that still is; *whole: even the
 * stack's end is.  After reach_begin.
 */
uint32_t stacks_unchanged(struct thread *self, struct stacks *stacks, struct stack_memo *memo, uint32_t i,
                          bool *whole);

/*
 * A memo to keep a new stack in, whose `base` outermost frames are those of `model` (null: none) and are in
 * it already; with room for so many frames in all.  It may be the model itself.  Null: no memory.
 */
struct stack_memo *stacks_place(struct stacks *stacks, struct stack_memo *model, uint32_t base, uint32_t frames);

/* The memo has all its frames, of which those from `base` on are new: makes their checks, and lets it be
   found.  fleeting: not to be compared with. */
void stacks_keep(struct stacks *stacks, struct stack_memo *memo, uint32_t base, bool fleeting);

/* Forgets all of the thread's. */
void stacks_forget(struct thread *self);

#endif
