// SPDX-License-Identifier: MIT
#include "step.h"
#include "modules.h"
#include "rules.h"
#include "../base/thread.h"
#include <errno.h>

/* An rbp that no rule could recover; unaligned, so that a rule that needs it finds no word there. */
#define BP_UNKNOWN ((uintptr_t)1)

/* How far from what is known of the thread's own stack a frame may lie and be asked for on it. */
enum { OWN_STEP_MAX = 16 << 20 };

/* --- reading the stack ------------------------------------------------------------------------------- */

static bool page_readable(uintptr_t page)
{
    return sys_readable(page);
}

static inline bool is_own(const struct reach *reach, uintptr_t address)
{
    return address - reach->low < reach->high - reach->low;
}

static inline bool is_proven(const struct reach *reach, uintptr_t address)
{
    return address - reach->other_low < reach->other_high - reach->other_low;
}

static bool prove(struct reach *reach, uintptr_t address)
{
    uintptr_t page = address & ~(PAGE_SIZE - 1);
    if (!page_readable(page))
        return false;
    if (page != reach->other_high)
        reach->other_low = page;
    reach->other_high = page + PAGE_SIZE;
    return true;
}

reads_frames static inline bool read_word(struct reach *reach, uintptr_t address, uintptr_t *word)
{
    if (unlikely(address & 7))
        return false;
    if (unlikely(!is_own(reach, address)) && !is_proven(reach, address) && !prove(reach, address))
        return false;
    *word = *(const uintptr_t *)address;
    return true;
}

bool reach_word(struct reach *reach, uintptr_t address, uintptr_t *word)
{
    return read_word(reach, address, word);
}

/* The outermost page of the thread's own stack: the kernel begins the first thread's there, and the C library
   puts its descriptor of any other there. */
static uintptr_t outermost_page(void)
{
    extern void *__libc_stack_end;
    bool first = thread_self && thread_self->tid == world.pid;
    return (uintptr_t)(first ? __libc_stack_end : __builtin_thread_pointer()) & ~(PAGE_SIZE - 1);
}

/* Downwards, as far as it reaches without a hole: a coroutine's stack may be its neighbour. */
static void extend_own(struct reach *reach, uintptr_t page)
{
    if (!reach->high) {
        reach->low = outermost_page();
        reach->high = reach->low + PAGE_SIZE;
    }
    if (page < reach->low && reach->low - page > OWN_STEP_MAX)
        return;
    while (page < reach->low && page_readable(reach->low - PAGE_SIZE))
        reach->low -= PAGE_SIZE;
}

void reach_begin(struct reach *reach, uintptr_t word)
{
    uintptr_t page = word & ~(PAGE_SIZE - 1);
    reach->other_low = reach->other_high = 0;
    if (likely(is_own(reach, word)))
        return;
    extend_own(reach, page);
    if (!is_own(reach, word)) {
        reach->other_low = page;
        reach->other_high = page + PAGE_SIZE;
    }
}

/* --- stepping ---------------------------------------------------------------------------------------- */

/* The return address was read at `where`. */
static inline enum outcome arrived(const struct frame_state *from, struct frame_state *to, uintptr_t where,
                                   uintptr_t address, bool exact)
{
    if (unlikely(!address)) {
        to->lookup = where;
        return OUTCOME_ZERO;
    }
    /* The stack of an interrupted frame may lie anywhere; else it only grows. */
    if (unlikely(!exact && to->sp <= from->sp))
        return OUTCOME_LOST;
    to->lookup = exact ? address | LOOKUP_EXACT : address - 1;
    return OUTCOME_STEPPED;
}

/* Nothing describes this code.  Much of it still keeps rbp as the chain of frames: believed while it leads
   outward on the stack and to a module's code, or from generated code to its surroundings.
   Not relied on again: other code may be there next time. */
static enum outcome step_by_chain(struct reach *reach, const struct frame_state *from, struct frame_state *to)
{
    enum { SURROUNDINGS = 256 << 20 };
    uintptr_t address, lookup = from->lookup & ~LOOKUP_EXACT;
    if (!from->bp)
        return OUTCOME_END;
    if (from->bp < from->sp || !read_word(reach, from->bp, &to->bp) ||
        !read_word(reach, from->bp + 8, &address))
        return OUTCOME_LOST;
    if (address && !modules_cover(address - 1) &&
        (modules_cover(lookup) || address - lookup + SURROUNDINGS > 2ul * SURROUNDINGS))
        return OUTCOME_LOST;
    to->sp = from->bp + 16;
    return arrived(from, to, from->bp + 8, address, false);
}

static enum outcome step_wide(struct reach *reach, const struct rule *rule, const struct frame_state *from,
                              struct frame_state *to)
{
    uintptr_t address, cfa = (rule->cfa_from_rbp ? from->bp : from->sp) + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (rule->cfa_from_rbp && from->bp == BP_UNKNOWN)
        return OUTCOME_LOST;
    if (rule->cfa_deref) {
        if (!read_word(reach, cfa, &cfa))
            return OUTCOME_LOST;
        cfa += (uintptr_t)(intptr_t)rule->cfa_add;
    }
    uintptr_t where = (rule->ra_from_rsp ? from->sp : cfa) + (uintptr_t)(intptr_t)rule->ra_offset;
    if (!read_word(reach, where, &address))
        return OUTCOME_LOST;
    to->sp = cfa;
    to->bp = rule->bp == RULE_BP_SAME ? from->bp : BP_UNKNOWN;
    if (rule->bp == RULE_BP_AT_CFA || rule->bp == RULE_BP_AT_RSP || rule->bp == RULE_BP_AT_RBP) {
        uintptr_t bp_base = rule->bp == RULE_BP_AT_CFA ? cfa : rule->bp == RULE_BP_AT_RSP ? from->sp : from->bp;
        if (!read_word(reach, bp_base + (uintptr_t)(intptr_t)rule->bp_offset, &to->bp))
            return OUTCOME_LOST;
    }
    return arrived(from, to, where, address, rule->signal_frame);
}

/* A rule of another form than the two common ones. */
__attribute__((noinline)) static enum outcome step_otherwise(struct reach *reach, struct known_rule rule,
                                                             struct kept_frame *from, struct kept_frame *to,
                                                             bool *fleeting)
{
    to->bp_kept = false;
    switch (rule.step) {
    case STEP_WIDE:
        to->odd = ODD_STEP;
        return step_wide(reach, rules_wide(rule.offset / 8), &from->at, &to->at);
    case STEP_END:
        from->uses_bp = false;
        return OUTCOME_END;
    case STEP_NO_CFI:
        *fleeting = true;
        return step_by_chain(reach, &from->at, &to->at);
    default:
        return OUTCOME_LOST;
    }
}

/* The same rules where the words may lie off the thread's own stack. */
__attribute__((noinline)) static enum outcome step_elsewhere(struct reach *reach, uintptr_t cfa, uintptr_t bp_at,
                                                             struct kept_frame *from, struct kept_frame *to)
{
    uintptr_t address;
    if (cfa <= from->at.sp || !read_word(reach, cfa - 8, &address))
        return OUTCOME_LOST;
    if (!is_own(reach, cfa - 8) || !is_own(reach, bp_at))
        to->odd = ODD_PLACE;
    if (to->bp_slot && !read_word(reach, bp_at, &to->at.bp))
        return OUTCOME_LOST;
    return arrived(&from->at, &to->at, cfa - 8, address, false);
}

reads_frames enum outcome step(struct thread *self, struct reach *reach, struct kept_frame *from,
                               struct kept_frame *to, bool *fleeting)
{
    struct known_rule rule = rules_find(self, from->at.lookup & ~LOOKUP_EXACT);
    uintptr_t cfa;
    *to = (struct kept_frame){.bp_slot = rule.bp_slot, .bp_kept = !rule.bp_slot};
    from->uses_bp = rule.step != STEP_RSP;
    from->frame = likely(!(from->at.lookup & LOOKUP_EXACT)) ? rule.frame : 0;
    if (likely(rule.step == STEP_RSP))
        cfa = from->at.sp + (uintptr_t)(intptr_t)rule.offset;
    else if (likely(rule.step == STEP_RBP))
        cfa = from->at.bp + (uintptr_t)(intptr_t)rule.offset;
    else
        return step_otherwise(reach, rule, from, to, fleeting);
    uintptr_t bp_at = cfa + (uintptr_t)(8 * (intptr_t)rule.bp_slot);
    to->at.sp = cfa;
    to->at.bp = from->at.bp;
    if (unlikely(cfa <= from->at.sp) || unlikely(cfa & 7) || unlikely(!is_own(reach, cfa - 8)) ||
        unlikely(!is_own(reach, bp_at)))
        return step_elsewhere(reach, cfa, bp_at, from, to);
    if (rule.bp_slot)
        to->at.bp = *(const uintptr_t *)bp_at;
    return arrived(&from->at, &to->at, cfa - 8, *(const uintptr_t *)(cfa - 8), false);
}
