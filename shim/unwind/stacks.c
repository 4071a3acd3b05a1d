// SPDX-License-Identifier: MIT
#include "stacks.h"
#include "../base/arena.h"
#include <string.h>

const uintptr_t check_stop;

/* The values at a stop: never 0, which is what is there. */
#define CHECK_ODD_END (UINTPTR_MAX - 1)

static inline uintptr_t odd_check(uint32_t frame)
{
    return (uintptr_t)frame + 1;
}

/* --- comparing --------------------------------------------------------------------------------------- */

/* How many checks are of frames outside of frame i, or of no frame. */
static inline uint32_t checks_outside(const struct stack_memo *memo, uint32_t i)
{
    return i ? memo->frames[i - 1].checks_end : memo->end_word ? 2 : 1;
}

static inline bool is_own(const struct reach *reach, uintptr_t address)
{
    return address - reach->low < reach->high - reach->low;
}

/* The kept frame was reached by an unusual step out of the one inside of it: does the same step lead there? */
static bool same_odd_step(struct thread *self, struct reach *reach, struct kept_frame *from,
                          struct kept_frame *kept)
{
    struct kept_frame to;
    bool fleeting = false;
    if (step(self, reach, from, &to, &fleeting) != OUTCOME_STEPPED || fleeting)
        return false;
    if (kept->at.sp != to.at.sp || kept->at.lookup != to.at.lookup ||
        (kept->bp_matters && kept->at.bp != to.at.bp))
        return false;
    kept->at.bp = to.at.bp;
    return true;
}

/* The kept frame's words lie off the thread's own stack.  That the frames inside are as they were does not
   prove that they can be read: the tables of those may be wrong. */
static bool same_odd_place(struct reach *reach, const struct kept_frame *kept)
{
    uintptr_t word, bp_at = kept->at.sp + (uintptr_t)(8 * (intptr_t)kept->bp_slot);
    if (!reach_word(reach, kept->at.sp - 8, &word) || word != kept->at.lookup + 1)
        return false;
    return !kept->bp_slot || (reach_word(reach, bp_at, &word) && (!kept->bp_matters || word == kept->at.bp));
}

static bool same_odd(struct thread *self, struct reach *reach, struct stack_memo *memo, uint32_t i)
{
    struct kept_frame *kept = &memo->frames[i];
    return kept->odd == ODD_STEP ? same_odd_step(self, reach, kept + 1, kept) : same_odd_place(reach, kept);
}

static bool same_odd_end(struct reach *reach, const struct stack_memo *memo)
{
    uintptr_t word;
    return reach_word(reach, memo->end_word, &word) && word == 0;
}

uint32_t stacks_unchanged(struct thread *self, struct stacks *stacks, struct stack_memo *memo, uint32_t i,
                          bool *whole)
{
    *whole = false;
    for (;;) {
        const struct check *changed = first_changed(&memo->checks[checks_outside(memo, i)] - 1);
        uint32_t number = (uint32_t)(changed - memo->checks);
        if (likely(!number))
            i = 0;
        while (i && checks_outside(memo, i - 1) > number)
            i--;                /* out to the last frame inside of the change */
        if (i && checks_outside(memo, i) > number) {
            if (changed->word != &check_stop || !same_odd(self, &stacks->reach, memo, i - 1))
                return i;
            i--;
            continue;
        }
        *whole = changed->value == CHECK_END ||
                 (changed->value == CHECK_ODD_END && same_odd_end(&stacks->reach, memo));
        return 0;
    }
}

struct stack_memo *stacks_find_odd(struct thread *self, struct stacks *stacks, struct frame_state at)
{
    if (likely(!stacks->any_odd))
        return NULL;
    for (uint32_t set = stacks->sets[stack_set(at.lookup, at.sp)]; set; set >>= 8) {
        struct stack_memo *memo = stacks->memos[set & 0xff];
        bool whole = false;
        if (same_innermost(memo, &at))
            stacks_unchanged(self, stacks, memo, memo->count - 1, &whole);
        if (whole) {
            memo->used = true;
            return stacks->latest = memo;
        }
    }
    return NULL;
}

/* --- making room ------------------------------------------------------------------------------------- */

struct stacks *stacks_of(struct thread *self)
{
    if (!self->stacks)
        self->stacks = arena_alloc(sizeof *self->stacks);
    return self->stacks;
}

static bool room_made(struct stacks *stacks, uint32_t room)
{
    struct kept_frame *old = stacks->walked, *walked = arena_alloc(room * sizeof *walked);
    if (!walked)
        return false;
    if (old) {
        memcpy(walked, old, stacks->room * sizeof *walked);
        arena_free(old, stacks->room * sizeof *old);
    }
    stacks->walked = walked;
    stacks->room = room;
    return true;
}

bool stacks_make_room(struct stacks *stacks, uint32_t frames)
{
    uint32_t room = stacks->room ? stacks->room : STACK_FRAMES_FIRST;
    while (room < frames)
        room *= 2;
    return room_made(stacks, room);
}

static size_t memo_size(uint32_t capacity)
{
    return sizeof(struct stack_memo) + capacity * sizeof(struct kept_frame) +
           (2ul * capacity + 2) * sizeof(struct check);
}

static struct stack_memo *memo_make(struct stacks *stacks, uint32_t number, uint32_t capacity)
{
    struct stack_memo *memo = arena_alloc(memo_size(capacity));
    if (!memo)
        return NULL;
    memo->number = (uint8_t)number;
    memo->capacity = capacity;
    memo->checks = (struct check *)&memo->frames[capacity];
    memo->checks[0] = (struct check){&check_stop, CHECK_END};
    memo->top = memo->checks;
    stacks->memos[number] = memo;
    return memo;
}

/* The outer part of a stack, without what only a whole one has. */
static void copy_outer(struct stack_memo *to, const struct stack_memo *from, uint32_t base)
{
    to->cut = from->cut;
    to->end_word = from->end_word;
    to->known = from->known < base ? from->known : base;
    memcpy(to->frames, from->frames, base * sizeof *to->frames);
    memcpy(to->checks, from->checks, checks_outside(from, base) * sizeof *to->checks);
}

/* One that was not found since the hand was last there; the hand clears the marks that it passes. */
static struct stack_memo *replaced(struct stacks *stacks, const struct stack_memo *model)
{
    for (;;) {
        stacks->hand = stacks->hand % STACKS + 1;
        struct stack_memo *memo = stacks->memos[stacks->hand];
        if (!memo)
            return memo_make(stacks, stacks->hand, STACK_FRAMES_FIRST);
        if (memo != model && !memo->used)
            return memo;
        memo->used = false;
    }
}

static struct stack_memo *enlarged(struct stacks *stacks, struct stack_memo *old, uint32_t base, uint32_t frames)
{
    uint32_t capacity = old->capacity;
    while (capacity < frames)
        capacity *= 2;
    struct stack_memo *memo = memo_make(stacks, old->number, capacity);
    if (memo) {
        copy_outer(memo, old, base);
        arena_free(old, memo_size(old->capacity));
    }
    return memo;
}

/*
 * A stack that nothing was found equal to gives its place to the next, which has most frames from it already:
 * so a program that never sees the same stack twice does not drive out those that others see, and deep
 * recursion copies little.  But every fourth time it stays, or none would ever be found a second time.
 */
struct stack_memo *stacks_place(struct stacks *stacks, struct stack_memo *model, uint32_t base, uint32_t frames)
{
    bool in_place = model && !model->used && ++stacks->misses % 4;
    struct stack_memo *memo = in_place ? model : replaced(stacks, model);
    if (!memo)
        return NULL;
    memo->at.lookup = 0;        /* whatever becomes of it, it is no longer what it was */
    memo->count = 0;
    if (!in_place)
        memo->known = 0;
    if (frames > memo->capacity && !(memo = enlarged(stacks, memo, in_place ? base : 0, frames)))
        return NULL;
    if (!in_place && model)
        copy_outer(memo, model, base);
    return memo;
}

/* --- keeping ----------------------------------------------------------------------------------------- */

static struct check *put_checks(struct check *check, const struct kept_frame *frame, uint32_t i)
{
    const uintptr_t *words = (const uintptr_t *)frame->at.sp;
    if (frame->odd) {
        *check++ = (struct check){&check_stop, odd_check(i)};
        return check;
    }
    if (frame->bp_matters && frame->bp_slot)
        *check++ = (struct check){&words[frame->bp_slot], frame->at.bp};
    *check++ = (struct check){&words[-1], frame->at.lookup + 1};
    return check;
}

static void put_end_check(struct stacks *stacks, struct stack_memo *memo)
{
    if (!memo->end_word)
        return;
    bool own = is_own(&stacks->reach, memo->end_word);
    memo->checks[1] = own ? (struct check){(const uintptr_t *)memo->end_word, 0}
                          : (struct check){&check_stop, CHECK_ODD_END};
    stacks->any_odd |= !own;
}

static void put_into_set(struct stacks *stacks, const struct stack_memo *memo)
{
    uint32_t *place = &stacks->sets[stack_set(memo->at.lookup, memo->at.sp)];
    for (uint32_t set = *place; set; set >>= 8)
        if ((set & 0xff) == memo->number)
            return;
    *place = *place << 8 | memo->number;
}

void stacks_keep(struct stacks *stacks, struct stack_memo *memo, uint32_t base, bool fleeting)
{
    struct kept_frame *frame = &memo->frames[base], *innermost = &memo->frames[memo->count - 1];
    if (!base)
        put_end_check(stacks, memo);
    struct check *check = &memo->checks[checks_outside(memo, base)];
    bool odd = false, outer_matters = base && frame[-1].bp_matters && frame[-1].bp_kept;
    for (;; frame++) {
        /* Its rbp matters if its own rule consumes it, or hands it on unchanged to one outside for which it does. */
        frame->bp_matters = frame->uses_bp || outer_matters;
        outer_matters = frame->bp_matters && frame->bp_kept;
        odd |= frame->odd != ODD_NOT;
        if (frame == innermost)
            break;
        check = put_checks(check, frame, (uint32_t)(frame - memo->frames));
        frame->checks_end = (uint32_t)(check - memo->checks);
    }
    innermost->checks_end = (uint32_t)(check - memo->checks);
    stacks->any_odd |= odd;
    memo->at = innermost->at;
    memo->bp_mask = innermost->bp_matters ? UINTPTR_MAX : 0;
    memo->top = check - 1;
    memo->used = false;
    memo->site = 0;
    memo->of_site = NULL;
    stacks->latest = memo;
    if (likely(!fleeting)) {
        put_into_set(stacks, memo);
        return;
    }
    memo->at.lookup = 0;
    stacks->latest = NULL;
}

void stacks_forget(struct thread *self)
{
    struct stacks *stacks = self->stacks;
    if (!stacks)
        return;
    for (uint32_t i = 1; i <= STACKS; i++) {
        if (stacks->memos[i]) {
            stacks->memos[i]->at.lookup = 0;
            stacks->memos[i]->used = false;
        }
    }
    stacks->latest = NULL;
    stacks->reach = (struct reach){0};  /* the state of a dead thread, whose stack is gone */
}
