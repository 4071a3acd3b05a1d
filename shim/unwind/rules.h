// SPDX-License-Identifier: MIT
/*
 * The table of learned rules: lookup address -> rule and frame.
 *
 * Read without a lock by every walk; written under world.learning.
 */
#ifndef UNWIND_RULES_H
#define UNWIND_RULES_H

#include "rule.h"
#include "../base/map.h"
#include <stddef.h>

struct thread;

/* The forms that a rule has here. */
enum step {
    STEP_RSP = 1,       /* CFA = rsp + offset, return address below it: nearly all code */
    STEP_RBP,           /* CFA = rbp + offset, the same */
    STEP_WIDE,          /* anything else: offset / 8 is the number of a struct rule */
    STEP_END,
    STEP_UNSUPPORTED,
    STEP_NO_CFI,
};

struct known_rule {
    int32_t offset;
    int16_t bp_slot;    /* the caller's rbp is the word at CFA + 8 * bp_slot; 0 = unchanged */
    uint8_t step;       /* enum step */
    uint32_t frame;     /* see frames.h; 0 = not known here */
};

/* False: no memory. */
bool rules_start(void);

/* Loads the teacher.  Calls dlopen. */
bool rules_start_learning(void);

/*
 * Lookup address -> rule and frame, packed into 64 bits:
 *
 *     63 .......... 38   37 ........ 27   26 25 24   23 ....... 0
 *     offset / 8   26    bp_slot    11    step   3   frame     24
 */
extern struct map rules_table hidden;

/* Keys are 2 or more; whatever a stack's word may be taken for, it is below 2^63. */
static inline uint64_t rules_key(uintptr_t lookup)
{
    return lookup + 2;
}

static inline struct known_rule rules_unpack(uint64_t word)
{
    return (struct known_rule){
        .offset = (int32_t)((int64_t)word >> 38) * 8,
        .bp_slot = (int16_t)((int64_t)(word << 26) >> 53),
        .step = word >> 24 & 7,
        .frame = word & 0xffffff,
    };
}

/* The slow half of rules_find. */
struct known_rule rules_learn(struct thread *self, uintptr_t lookup);

/* The rule of a lookup address; learns it the first time. */
static inline struct known_rule rules_find(struct thread *self, uintptr_t lookup)
{
    uint64_t word = map_get(&rules_table, rules_key(lookup), map_mix(rules_key(lookup)));
    return likely(word) ? rules_unpack(word) : rules_learn(self, lookup);
}

/* The rule behind a STEP_WIDE. */
const struct rule *rules_wide(int32_t number);

/* Forgets the rules of an address range that was unmapped. */
void rules_drop(uintptr_t start, uintptr_t end);

#endif
