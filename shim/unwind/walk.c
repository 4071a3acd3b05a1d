// SPDX-License-Identifier: MIT
#include "walk.h"
#include <string.h>

const struct map *walk_paths;

/* A walk on its way. */
struct way {
    struct thread *self;
    struct stacks *stacks;
    struct stack_memo *model;   /* the stack of the latest walk, to meet; or null */
    uint32_t depth;
    uint32_t walked;            /* frames in stacks->walked */
    uint32_t met;               /* the model's frames outside of this one are the present ones, too */
    bool known;                 /* the frame of the model that was met had its node */
    bool whole;                 /* so is the model's end */
    bool fleeting;
    uintptr_t end_word;
    bool cut;
};

static inline bool same_state(const struct kept_frame *kept, const struct frame_state *at)
{
    return kept->at.sp == at->sp && kept->at.lookup == at->lookup &&
           (kept->at.bp == at->bp || !kept->bp_matters);
}

/*
 * The latest walked frame is the model's frame i, and so are those outside of it down to `good`, which are
 * taken over as walked ones.  An rbp that mattered to none of the outer frames was not compared; it may
 * matter to those that are there now, so it is followed again.
 */
reads_frames static bool take_over(struct way *way, uint32_t i, uint32_t good)
{
    uintptr_t bp = way->stacks->walked[way->walked - 1].at.bp;
    if (!stacks_room(way->stacks, way->walked + i - good + 1))
        return false;
    while (i-- > good) {
        struct kept_frame *frame = &way->model->frames[i];
        if (frame->bp_slot)
            bp = ((const uintptr_t *)frame->at.sp)[frame->bp_slot];
        else if (frame->odd == ODD_STEP)
            bp = frame->at.bp;
        struct kept_frame *taken = &way->stacks->walked[way->walked++];
        *taken = *frame;
        taken->at.bp = bp;
        taken->hash = 0;
    }
    return true;
}

/* Whether the latest walked frame is one of the model's; *kept, the number of those to be looked at, shrinks. */
static inline bool meets(const struct way *way, uint32_t *kept)
{
    const struct frame_state *at = &way->stacks->walked[way->walked - 1].at;
    const struct stack_memo *model = way->model;
    uint32_t left = *kept;
    while (left && model->frames[left - 1].at.sp < at->sp)
        left--;
    *kept = left;
    return left && same_state(&model->frames[left - 1], at);
}

/*
 * The latest walked frame is the model's frame i.  True: so is everything outside of it.  Else as much as
 * holds is taken over, and *kept frames of the model remain.  The frame itself may have been reached out
 * of another one, with an rbp that need not be the model's: it stays a walked one.
 */
static bool rest_is_same(struct way *way, uint32_t i, uint32_t *kept)
{
    bool whole;
    uint32_t good = stacks_unchanged(way->self, way->stacks, way->model, i, &whole);
    struct kept_frame *latest = &way->stacks->walked[way->walked - 1];
    latest->uses_bp = way->model->frames[i].uses_bp;
    latest->frame = way->model->frames[i].frame;
    if (whole) {
        latest->node = way->model->frames[i].node;
        latest->hash = way->model->frames[i].hash;
        way->known = i < way->model->known;
        way->met = i;
        way->whole = true;
        return true;
    }
    *kept = good;
    return false;
}

/* Walks outward from walked[0] until the model, or the end, is met.  False: no memory. */
static bool walk_outward(struct way *way)
{
    struct stacks *stacks = way->stacks;
    uint32_t kept = way->model ? way->model->count : 0;
    enum outcome outcome = OUTCOME_STEPPED;
    while (way->walked <= 2 * way->depth) {
        if (meets(way, &kept)) {
            uint32_t i = kept - 1;
            if (rest_is_same(way, i, &kept))
                return true;
            if (!take_over(way, i, kept))
                return false;
        }
        if (!stacks_room(stacks, way->walked + 1))
            return false;
        struct kept_frame *from = &stacks->walked[way->walked - 1];
        outcome = step(way->self, &stacks->reach, from, from + 1, &way->fleeting);
        if (outcome != OUTCOME_STEPPED)
            break;
        way->walked++;
    }
    way->cut = outcome == OUTCOME_LOST;
    way->fleeting |= way->cut;
    way->end_word = outcome == OUTCOME_ZERO ? stacks->walked[way->walked].at.lookup : 0;
    return true;
}

/* Hashes the walked frames that have no node yet, from outside to inside, as far as their frames are known. */
static void fetch_paths(const struct way *way)
{
    struct kept_frame *walked = way->stacks->walked;
    uint32_t i = way->walked, hash = 0;
    if (!walk_paths || (way->whole && !way->known))
        return;
    if (way->whole)
        hash = walked[--i].hash;
    while (i-- > 0 && walked[i].frame) {
        walked[i].hash = hash = path_hash(hash, walked[i].frame);
        map_fetch(walk_paths, hash);
    }
}

/* Puts the walked frames inside the first `base` ones of the memo. */
static void append(struct stack_memo *memo, uint32_t base, const struct kept_frame *walked, uint32_t count)
{
    struct kept_frame *frame = &memo->frames[base];
    memo->count = base + count;
    while (count)
        *frame++ = walked[--count];
}

/* Too deep: the outermost frames go.  *base of the walk's outermost are the model's. */
static void cut_to_depth(struct way *way, struct stack_memo *memo)
{
    uint32_t surplus = memo->count - way->depth;
    memmove(memo->frames, memo->frames + surplus, way->depth * sizeof *memo->frames);
    memo->count = way->depth;
    for (uint32_t i = 0; i < memo->count; i++)
        memo->frames[i].hash = 0;
    memo->known = 0;
    memo->cut = true;
    memo->end_word = 0;
}

/* The stack is the model's outermost frames up to the one met, and the walked ones. */
static struct stack_memo *finish(struct way *way)
{
    uint32_t base = way->whole ? way->met : 0;
    fetch_paths(way);
    struct stack_memo *memo = stacks_place(way->stacks, way->model, base, base + way->walked);
    if (!memo)
        return NULL;
    append(memo, base, way->stacks->walked, way->walked);
    if (!way->whole) {
        memo->cut = way->cut;
        memo->end_word = way->end_word;
    }
    if (memo->known > base + way->known)
        memo->known = base + way->known;
    else if (memo->known == base)
        memo->known += way->known;
    if (unlikely(memo->count > 2 * way->depth)) {
        cut_to_depth(way, memo);
        base = 0;
    }
    stacks_keep(way->stacks, memo, base, way->fleeting);
    return memo;
}

struct stack_memo *walk_anew(struct thread *self, struct frame_state from, uint32_t depth)
{
    struct stacks *stacks = stacks_of(self);
    if (!stacks || !stacks_room(stacks, 1))
        return NULL;
    reach_begin(&stacks->reach, from.sp - 8);
    struct stack_memo *memo = stacks_find_odd(self, stacks, from);
    if (memo)
        return memo;
    struct way way = {.self = self, .stacks = stacks, .model = stacks->latest, .depth = depth, .walked = 1};
    stacks->walked[0] = (struct kept_frame){.at = from};
    return walk_outward(&way) ? finish(&way) : NULL;
}
