// SPDX-License-Identifier: MIT
#include "walk.h"
#include "modules.h"
#include "rules.h"
#include "../base/arena.h"
#include "../base/thread.h"
#include <errno.h>
#include <string.h>

/* An rbp that no rule could recover; unaligned, so that a rule that needs it finds no word there. */
#define BP_UNKNOWN ((uintptr_t)1)

/* How far from what is known of the thread's own stack a frame may lie and be asked for on it. */
enum { OWN_STEP_MAX = 16 << 20 };

enum outcome {
    OUTCOME_STEPPED,
    OUTCOME_END,        /* there is no caller */
    OUTCOME_ZERO,       /* the same, told by a return address of 0 */
    OUTCOME_LOST,       /* there may be one, but we cannot tell */
};

/* --- reading the stack --------------------------------------------------------------------------------
 *
 * No word is read unless its page was proven readable: [low, high) of the thread's own stack is
 * remembered, which cannot vanish while the thread lives; pages elsewhere (coroutines, signal stacks, what
 * a bogus frame leads to) are proven in each walk.
 */

/* A call that copies its argument in before it rejects another one: EFAULT or EINVAL tells. */
static bool page_readable(uintptr_t page)
{
    return sys6(SYS_rt_sigprocmask, -1, (long)page, 0, 8, 0, 0) == -EINVAL;
}

static inline bool is_own(const struct stack_memo *memo, uintptr_t address)
{
    return address - memo->low < memo->high - memo->low;
}

static inline bool is_proven(const struct stack_memo *memo, uintptr_t address)
{
    return address - memo->other_low < memo->other_high - memo->other_low;
}

static bool prove(struct stack_memo *memo, uintptr_t address)
{
    uintptr_t page = address & ~(PAGE_SIZE - 1);
    if (!page_readable(page))
        return false;
    if (page != memo->other_high)
        memo->other_low = page;
    memo->other_high = page + PAGE_SIZE;
    return true;
}

reads_frames static inline bool read_word(struct stack_memo *memo, uintptr_t address, uintptr_t *word)
{
    if (unlikely(address & 7))
        return false;
    if (unlikely(!is_own(memo, address)) && !is_proven(memo, address) && !prove(memo, address))
        return false;
    *word = *(const uintptr_t *)address;
    return true;
}

/* The outermost page of the thread's own stack: the kernel begins the first thread's there, and the C library
   puts its descriptor of any other there. */
static uintptr_t outermost_page(void)
{
    extern void *__libc_stack_end;
    bool first = sys_gettid() == sys_getpid();
    return (uintptr_t)(first ? __libc_stack_end : __builtin_thread_pointer()) & ~(PAGE_SIZE - 1);
}

/* Downwards, as far as it reaches without a hole: a coroutine's stack may be its neighbour. */
static void extend_own(struct stack_memo *memo, uintptr_t page)
{
    if (!memo->high) {
        memo->low = outermost_page();
        memo->high = memo->low + PAGE_SIZE;
    }
    if (page < memo->low && memo->low - page > OWN_STEP_MAX)
        return;
    while (page < memo->low && page_readable(memo->low - PAGE_SIZE))
        memo->low -= PAGE_SIZE;
}

/* The page of the given word is readable: the call that brought us here has put its return address there. */
static void begin_on(struct stack_memo *memo, uintptr_t word)
{
    uintptr_t page = word & ~(PAGE_SIZE - 1);
    memo->other_low = memo->other_high = 0;
    if (likely(is_own(memo, word)))
        return;
    extend_own(memo, page);
    if (!is_own(memo, word)) {
        memo->other_low = page;
        memo->other_high = page + PAGE_SIZE;
    }
}

/* --- stepping ---------------------------------------------------------------------------------------- */

/* The return address was read at `where`. */
reads_frames static enum outcome arrived(const struct frame_state *from, struct frame_state *to,
                                         uintptr_t where, bool exact)
{
    uintptr_t address = *(const uintptr_t *)where;
    if (!address) {
        to->lookup = where;
        return OUTCOME_ZERO;
    }
    /* The stack of an interrupted frame may lie anywhere; else it only grows. */
    if (!exact && to->sp <= from->sp)
        return OUTCOME_LOST;
    to->lookup = exact ? address | LOOKUP_EXACT : address - 1;
    return OUTCOME_STEPPED;
}

/* Nothing describes this code.  Much of it still keeps rbp as the chain of frames: believed while it leads
   outward on the stack and to a module's code, or from generated code to its surroundings.
   Not remembered: other code may be there next time. */
static enum outcome step_by_chain(struct stack_memo *memo, const struct frame_state *from,
                                  struct frame_state *to)
{
    enum { SURROUNDINGS = 256 << 20 };
    uintptr_t address, lookup = from->lookup & ~LOOKUP_EXACT;
    memo->volatile_ = true;
    if (!from->bp)
        return OUTCOME_END;
    if (from->bp < from->sp || !read_word(memo, from->bp, &to->bp) || !read_word(memo, from->bp + 8, &address))
        return OUTCOME_LOST;
    if (address && !modules_cover(address - 1) &&
        (modules_cover(lookup) || address - lookup + SURROUNDINGS > 2ul * SURROUNDINGS))
        return OUTCOME_LOST;
    to->sp = from->bp + 16;
    return arrived(from, to, from->bp + 8, false);
}

static enum outcome step_wide(struct stack_memo *memo, const struct rule *rule,
                              const struct frame_state *from, struct frame_state *to)
{
    uintptr_t address, cfa = (rule->cfa_from_rbp ? from->bp : from->sp) + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (rule->cfa_from_rbp && from->bp == BP_UNKNOWN)
        return OUTCOME_LOST;
    if (rule->cfa_deref) {
        if (!read_word(memo, cfa, &cfa))
            return OUTCOME_LOST;
        cfa += (uintptr_t)(intptr_t)rule->cfa_add;
    }
    uintptr_t where = (rule->ra_from_rsp ? from->sp : cfa) + (uintptr_t)(intptr_t)rule->ra_offset;
    if (!read_word(memo, where, &address))
        return OUTCOME_LOST;
    to->sp = cfa;
    to->bp = rule->bp == RULE_BP_SAME ? from->bp : BP_UNKNOWN;
    if (rule->bp == RULE_BP_AT_CFA || rule->bp == RULE_BP_AT_RSP || rule->bp == RULE_BP_AT_RBP) {
        uintptr_t bp_base = rule->bp == RULE_BP_AT_CFA ? cfa : rule->bp == RULE_BP_AT_RSP ? from->sp : from->bp;
        if (!read_word(memo, bp_base + (uintptr_t)(intptr_t)rule->bp_offset, &to->bp))
            return OUTCOME_LOST;
    }
    return arrived(from, to, where, rule->signal_frame);
}

/* Steps from a frame outward.  Notes in `from` what its rule consumes, in `to` how it was reached. */
static enum outcome step(struct thread *self, struct stack_memo *memo, struct kept_frame *from,
                         struct kept_frame *to)
{
    struct packed_rule rule = rules_find(self, from->at.lookup & ~LOOKUP_EXACT);
    uintptr_t address, cfa;
    *to = (struct kept_frame){0};
    from->uses_bp = rule.step != STEP_RSP;
    switch (rule.step) {
    case STEP_RSP:
        cfa = from->at.sp + (uintptr_t)(intptr_t)rule.offset;
        break;
    case STEP_RBP:
        cfa = from->at.bp + (uintptr_t)(intptr_t)rule.offset;
        break;
    case STEP_WIDE:
        to->odd = ODD_STEP;
        return step_wide(memo, rules_wide(rule.offset), &from->at, &to->at);
    case STEP_END:
        from->uses_bp = false;
        return OUTCOME_END;
    case STEP_NO_CFI:
        return step_by_chain(memo, &from->at, &to->at);
    default:
        return OUTCOME_LOST;
    }
    if (cfa <= from->at.sp || !read_word(memo, cfa - 8, &address))
        return OUTCOME_LOST;
    to->at.sp = cfa;
    to->at.bp = from->at.bp;
    to->bp_kept = !rule.bp_slot;
    to->bp_slot = rule.bp_slot;
    if (unlikely(!is_own(memo, cfa - 8) || !is_own(memo, cfa + (uintptr_t)(8 * (intptr_t)rule.bp_slot))))
        to->odd = ODD_PLACE;
    if (rule.bp_slot && !read_word(memo, cfa + (uintptr_t)(8 * (intptr_t)rule.bp_slot), &to->at.bp))
        return OUTCOME_LOST;
    return arrived(&from->at, &to->at, cfa - 8, false);
}

/* --- comparing with what was kept ---------------------------------------------------------------------- */

static inline bool same_state(const struct kept_frame *kept, const struct frame_state *at)
{
    return kept->at.sp == at->sp && kept->at.lookup == at->lookup &&
           (kept->at.bp == at->bp || !kept->bp_matters);
}

static bool same_odd_step(struct thread *self, struct stack_memo *memo, struct kept_frame *from,
                          struct kept_frame *kept)
{
    struct kept_frame to;
    if (step(self, memo, from, &to) != OUTCOME_STEPPED || !same_state(kept, &to.at))
        return false;
    kept->at.bp = to.at.bp;
    return true;
}

static inline uintptr_t bp_word(const struct kept_frame *frame)
{
    return frame->at.sp + (uintptr_t)(8 * (intptr_t)frame->bp_slot);
}

static inline bool words_readable(struct stack_memo *memo, const struct kept_frame *frame)
{
    uintptr_t word, at = frame->at.sp - 8, bp_at = bp_word(frame);
    if (is_proven(memo, at) && is_proven(memo, bp_at))
        return true;
    return read_word(memo, at, &word) && (!frame->bp_slot || read_word(memo, bp_at, &word));
}

reads_frames static inline bool words_changed(const struct kept_frame *kept)
{
    const uintptr_t *words = (const uintptr_t *)kept->at.sp;
    return unlikely(words[-1] != kept->at.lookup + 1) ||
           unlikely(kept->bp_check && words[kept->bp_check] != kept->at.bp);
}

/* The same as unchanged_from, up to a frame that does not lie off the thread's own stack. */
reads_frames __attribute__((noinline)) static uint32_t unchanged_elsewhere(struct stack_memo *memo,
                                                                           uint32_t i)
{
    for (; i && memo->frames[i - 1].odd == ODD_PLACE; i--)
        if (!words_readable(memo, &memo->frames[i - 1]) || words_changed(&memo->frames[i - 1]))
            break;
    return i;
}

static uint32_t unchanged_odd(struct thread *self, struct stack_memo *memo, uint32_t i)
{
    if (memo->frames[i - 1].odd == ODD_PLACE)
        return unchanged_elsewhere(memo, i);
    return same_odd_step(self, memo, &memo->frames[i], &memo->frames[i - 1]) ? i - 1 : i;
}

/*
 * frames[i] is as it was; so is everything outside whose words are.  Returns the number of the outermost
 * frame that still is.  The words of a frame are only read when those inside it were equal: only then is
 * it certain that the frame exists.  Or as certain as its caller's tables are right: off the thread's own
 * stack even that is not enough.
 */
reads_frames static uint32_t unchanged_from(struct thread *self, struct stack_memo *memo, uint32_t i)
{
    for (; i; i--) {
        struct kept_frame *outer = &memo->frames[i - 1];
        if (unlikely(outer->odd)) {
            uint32_t next = unchanged_odd(self, memo, i);
            if (next == i)
                break;
            i = next + 1;
        } else if (words_changed(outer)) {
            break;
        }
    }
    return i;
}

static bool end_unchanged(struct stack_memo *memo)
{
    uintptr_t word;
    return !memo->end_word || (read_word(memo, memo->end_word, &word) && word == 0);
}

/* A kept frame was reached anew, perhaps out of another one, with an rbp that need not be the kept one. */
static void reached_anew(struct kept_frame *kept, const struct kept_frame *walked)
{
    kept->at.bp = walked->at.bp;
    kept->bp_slot = walked->bp_slot;
    kept->bp_check = kept->bp_matters ? kept->bp_slot : 0;
    kept->bp_kept = walked->bp_kept;
    kept->odd = walked->odd;
}

/*
 * Takes frames[kept - 1], which is walked[n], and those outside of it down to frames[good] over as walked
 * ones.  An rbp that mattered to none of the outer frames was not compared; it may matter to those that are
 * there now, so it is followed again.  Returns how many are walked then.
 */
reads_frames static uint32_t take_over(struct stack_memo *memo, uint32_t kept, uint32_t good, uint32_t n,
                                       uint32_t room)
{
    uintptr_t bp = memo->walked[n].at.bp;
    for (uint32_t i = kept; i-- > good && n < room; n++) {
        struct kept_frame *frame = &memo->frames[i];
        if (i + 1 < kept && frame->bp_slot)
            bp = ((const uintptr_t *)frame->at.sp)[frame->bp_slot];
        else if (frame->odd == ODD_STEP)
            bp = frame->at.bp;
        memo->walked[n] = *frame;
        memo->walked[n].at.bp = bp;
    }
    return n;
}

/* --- the walk ---------------------------------------------------------------------------------------- */

/* Puts the walked frames inside the first `base` kept ones, and works out whose rbp matters: it does if
   the frame's own rule consumes it, or hands it on unchanged to one outside for which it matters. */
static void append_walked(struct stack_memo *memo, uint32_t base, uint32_t walked)
{
    for (uint32_t i = base; i < base + walked; i++) {
        struct kept_frame *frame = &memo->frames[i];
        *frame = memo->walked[walked - 1 - (i - base)];
        bool outer_matters = i && memo->frames[i - 1].bp_matters && memo->frames[i - 1].bp_kept;
        frame->bp_matters = frame->uses_bp || outer_matters;
        frame->bp_check = frame->bp_matters ? frame->bp_slot : 0;
    }
    if (base < memo->known)
        memo->known = base;
    if (walked || memo->count != base)
        memo->site = 0;
    memo->count = base + walked;
}

/* Too deep: the outermost frames go. */
static void cut_to_depth(struct stack_memo *memo, uint32_t *base, uint32_t *walked)
{
    uint32_t surplus = *base + *walked - memo->depth;
    if (surplus >= *base) {
        *walked = memo->depth;
        *base = 0;
    } else {
        *base -= surplus;
        memmove(memo->frames, memo->frames + surplus, *base * sizeof *memo->frames);
    }
    memo->cut = true;
    memo->known = 0;
    memo->end_word = 0;
}

/* The stack is the `base` outermost kept frames and the walked ones. */
static void finish(struct stack_memo *memo, uint32_t base, uint32_t walked)
{
    if (base + walked > 2 * memo->depth)
        cut_to_depth(memo, &base, &walked);
    append_walked(memo, base, walked);
}

/* The end was met before any kept frame. */
static void finish_new(struct stack_memo *memo, enum outcome outcome, uint32_t walked)
{
    memo->cut = outcome == OUTCOME_LOST;
    memo->volatile_ |= memo->cut;
    memo->end_word = outcome == OUTCOME_ZERO ? memo->walked[walked].at.lookup : 0;
    finish(memo, 0, walked);
}

/*
 * Walks outward from walked[0] until a kept frame, or the end, is met.  Kept frames that hold only in
 * part are taken over as walked ones, up to the first that does not.
 */
static void walk_outward(struct thread *self, struct stack_memo *memo)
{
    struct kept_frame *walked = memo->walked;
    uint32_t n = 0, kept = memo->count, room = memo->capacity - 1;
    enum outcome outcome = OUTCOME_STEPPED;
    while (outcome == OUTCOME_STEPPED && n < room) {
        while (kept && memo->frames[kept - 1].at.sp < walked[n].at.sp)
            kept--;
        if (kept && same_state(&memo->frames[kept - 1], &walked[n].at)) {
            reached_anew(&memo->frames[kept - 1], &walked[n]);
            uint32_t good = unchanged_from(self, memo, kept - 1);
            if (good == 0 && end_unchanged(memo)) {
                finish(memo, kept, n);
                return;
            }
            n = take_over(memo, kept, good, n, room) - 1;
            kept = good;
        }
        outcome = step(self, memo, &walked[n], &walked[n + 1]);
        n++;
    }
    finish_new(memo, outcome, n);
}

static struct stack_memo *memo_make(uint32_t depth)
{
    uint32_t capacity = 2 * depth + 2;
    struct stack_memo *memo = arena_reserve(sizeof *memo + 2ul * capacity * sizeof(struct kept_frame));
    if (memo) {
        memo->depth = depth;
        memo->capacity = capacity;
        memo->walked = memo->frames + capacity;
    }
    return memo;
}

static void forget_stack(struct stack_memo *memo)
{
    memo->count = memo->known = memo->site = 0;
    memo->volatile_ = memo->cut = false;
}

struct stack_memo *walk(struct thread *self, struct frame_state from, uint32_t depth)
{
    struct stack_memo *memo = self->memo;
    if (unlikely(!memo) && !(memo = self->memo = memo_make(depth)))
        return NULL;
    if (unlikely(memo->volatile_))
        forget_stack(memo);
    begin_on(memo, from.sp - 8);
    memo->walked[0] = (struct kept_frame){.at = from};
    walk_outward(self, memo);
    return memo;
}

void walk_forget(struct thread *self)
{
    if (self->memo) {
        forget_stack(self->memo);
        self->memo->low = self->memo->high = 0;     /* the state of a dead thread, whose stack is gone */
    }
}
