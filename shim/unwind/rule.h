// SPDX-License-Identifier: MIT
/*
 * A rule: how to step from a frame to its caller.
 *
 * On x86-64 where a frame's caller is depends on the lookup address alone, and on rsp, rbp and a few
 * words of the stack.  The lookup address of a frame is its return address - 1, which lies inside the
 * call; of a frame that a signal interrupted it is the very address.  A rule says:
 *
 *   CFA               = base + cfa_offset            base is rsp, or rbp if cfa_from_rbp
 *                    or = *(base + cfa_offset) + cfa_add   if cfa_deref (realigned stacks, signal frames)
 *   caller's rsp      = CFA
 *   caller's address  = *(CFA + ra_offset), or *(rsp + ra_offset) if ra_from_rsp
 *   caller's rbp      = as it is, or *(CFA + bp_offset), or *(rsp + bp_offset), or *(rbp + bp_offset)
 *                       (realigned stacks, whose CFA is a word of memory), or unknown
 *
 * An unknown rbp does not end a walk as long as the outer rules need only rsp.
 */
#ifndef UNWIND_RULE_H
#define UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum rule_kind {
    RULE_STEP,          /* the caller is found as above */
    RULE_END,           /* the outermost frame: _start, clone */
    RULE_NO_CFI,        /* nothing describes this address: follow rbp if it looks like a frame chain */
    RULE_UNSUPPORTED,   /* described, but in a way that this form cannot say: the walk ends, flagged */
};

enum rule_bp { RULE_BP_SAME, RULE_BP_AT_CFA, RULE_BP_AT_RSP, RULE_BP_UNKNOWN, RULE_BP_AT_RBP };

struct rule {
    uint8_t kind;       /* enum rule_kind */
    uint8_t bp;         /* enum rule_bp */
    bool cfa_from_rbp, cfa_deref, ra_from_rsp;
    bool signal_frame;  /* the caller was interrupted by a signal: its lookup address is exact */
    uint16_t reserved;  /* 0: rules are compared as bytes */
    int32_t cfa_offset, cfa_add, ra_offset, bp_offset;
};

#endif
